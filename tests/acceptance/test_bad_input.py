"""Mistakes and broken files: one clear message with its place, the right exit code, no harm."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Crm, Project, write_project

Break = Callable[[Project], None]


@dataclass(frozen=True)
class Template:
    """A project that has planned once, its sandbox's file, and what both said then."""

    folder: Path
    url: str
    verdicts: Any
    snapshot: dict[str, Any]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    root = tmp_path_factory.mktemp("template")
    world = World(seed=3, contacts=40)
    world.write_profiles(root / "profiles.jsonl")
    with closing(SalesforceSandbox.open(root / "sandbox.db")) as sandbox:
        sandbox.seed(world)
        with sandbox.start() as server:
            block = sandbox.connection_block(server.url)
            profiles = root / "profiles.jsonl"
            project = write_project(root, block, server.url, profiles, world.later.isoformat())
            project.call("plan")
            verdicts = project.data("job-changes", "--all")
            return Template(root, server.url, verdicts, project.crm.snapshot())


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(template.folder, tmp_path, dirs_exist_ok=True)
    with (
        closing(SalesforceSandbox.open(tmp_path / "sandbox.db")) as sandbox,
        sandbox.start() as server,
    ):
        copy = Project(tmp_path / "project", Crm(server.url))
        replace("config.yaml", template.url, server.url)(copy)
        replace("config.yaml", str(template.folder), str(tmp_path))(copy)
        yield copy


def replace(name: str, old: str, new: str) -> Break:
    def do(project: Project) -> None:
        path = project.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return do


def write_profiles(content: bytes, suffix: str = "jsonl") -> Break:
    def do(project: Project) -> None:
        path = project.folder.parent / "profiles.jsonl"
        path.unlink()
        broken = project.folder.parent / f"broken.{suffix}"
        broken.write_bytes(content)
        replace("config.yaml", str(path), str(broken))(project)

    return do


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def point_at_nothing(project: Project) -> None:
    replace("config.yaml", project.crm.url, f"http://127.0.0.1:{free_port()}")(project)


FLAT_CSV = b"id,full_name,company,title\n1,Ann Lee,Vexalor,CEO\n"

CASES: dict[str, tuple[Break, int, tuple[str, ...]]] = {
    "missing enrichment file": (
        lambda project: (project.folder.parent / "profiles.jsonl").unlink(),
        2,
        ("profiles.jsonl", "no such file"),
    ),
    "missing mapping": (
        lambda project: (project.folder / "mappings/salesforce.yaml").unlink(),
        2,
        ("mappings/salesforce.yaml", "no such file"),
    ),
    "broken YAML": (
        replace("mappings/salesforce.yaml", "contact:", "contact: ["),
        2,
        ("mappings/salesforce.yaml:", "is not YAML"),
    ),
    "unknown key in the mapping": (
        replace("mappings/salesforce.yaml", "title: {field: Title", "titel: {field: Title"),
        2,
        ("mappings/salesforce.yaml:", "titel", "Did you mean `title`?"),
    ),
    "a field that the CRM does not have": (
        replace("mappings/salesforce.yaml", "title: Title", "title: Job_Title__c"),
        2,
        ("mappings/salesforce.yaml:", "Job_Title__c"),
    ),
    "contacts kept in another object": (
        replace("mappings/salesforce.yaml", "object: Contact", "object: Lead"),
        2,
        ("mappings/salesforce.yaml:", "keeps contacts in Contact", "`object: Contact`"),
    ),
    "wrong password": (
        replace("config.yaml", "client_secret: sandbox-secret", "client_secret: wrong"),
        5,
        ("client_id", "client_secret"),
    ),
    "a server that is down": (point_at_nothing, 75, ("127.0.0.1", "connect")),
    "NUL bytes": (
        write_profiles(b'{"id": "1", "full_name": "A\x00B"}\n'),
        2,
        ("broken.jsonl:1", "NUL"),
    ),
    "NUL bytes in a CSV": (
        write_profiles(FLAT_CSV + b"2,Bob\x00,Vexalor,CTO\n", "csv"),
        2,
        ("broken.csv:3", "NUL"),
    ),
    "bad UTF-8": (
        write_profiles(b'{"id": "1", "full_name": "Andr\xe9"}\n'),
        2,
        ("broken.jsonl:1", "UTF-8"),
    ),
    "bad UTF-8 in a CSV": (
        write_profiles(FLAT_CSV + b"2,Andr\xe9,Vexalor,CTO\n", "csv"),
        2,
        ("broken.csv:3", "UTF-8"),
    ),
    "half a line": (
        write_profiles(b'{"id": "1", "full_name": "Ann Lee"}\n{"id": "2", "full_'),
        2,
        ("broken.jsonl:2",),
    ),
    "an empty file": (write_profiles(b""), 0, ("empty_source",)),
    "unknown setting": (
        replace("config.yaml", "playbooks:", "playboks:"),
        2,
        ("config.yaml:", "playboks"),
    ),
    "broken playbook template": (
        replace("mappings/playbooks.yaml", "{{ contact }} has", "{{ contact has"),
        2,
        ("mappings/playbooks.yaml:43",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named_with_its_place_and_harms_nothing(
    name: str, template: Template, project: Project
) -> None:
    spoil, code, said = CASES[name]
    kept = {path: path.read_bytes() for path in project.folder.rglob("*.yaml")}
    spoil(project)

    done = project.call("plan", expect=code)

    told = " ".join((done.stderr + done.stdout).split())
    for words in said:
        assert words in told, told
    assert "sandbox-secret" not in told
    assert project.crm.snapshot() == template.snapshot
    for path, content in kept.items():
        path.write_bytes(content)
    if code:
        verdicts = project.data("job-changes", "--all")
        assert verdicts == template.verdicts, "the database is as it was"


def test_check_names_every_problem_of_a_bare_org(tmp_path: Path, project: Project) -> None:
    project.call("check")
    bare = SalesforceSandbox.open(tmp_path / "bare.db", bare=True)
    try:
        with bare.start() as server:
            replace("config.yaml", project.crm.url, server.url)(project)
            done = project.call("check", expect=2)
    finally:
        bare.close()
    for name in ("Crm_Sync_Moved__c", "Crm_Sync_Key__c", "LinkedIn_URL__c"):
        assert name in done.stdout


def test_an_empty_folder_says_what_to_do(tmp_path: Path, project: Project) -> None:
    empty = Project(tmp_path / "empty", project.crm)
    empty.folder.mkdir()
    assert "crm-sync init" in empty.call("plan", expect=2).stderr
    empty.call("init")
    told = empty.call("check", expect=2).stdout
    assert "SF_CLIENT_ID" in told
    assert "config.yaml:" in told


def test_an_empty_source_stops_a_run_before_the_first_write(project: Project) -> None:
    before = project.crm.snapshot()
    write_profiles(b"")(project)
    done = project.call("run", expect=3)
    assert "empty_source" in done.stderr
    assert project.crm.snapshot() == before
