"""The documentation holds: complete where it is a reference, true where it shows something."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from crm_sync import config, errors, mapping, model
from crm_sync.applying.states import State
from crm_sync.calls.tokens import TokenRefused
from crm_sync.cli.app import app
from crm_sync.cli.apply import PARTIAL
from crm_sync.connector import AccessDenied, RateLimited, ServerFault
from crm_sync.enrichment import mapping as vendor
from crm_sync.planning import guards, playbooks, templates
from crm_sync.sandbox.faults import KINDS
from crm_sync.sandbox.http import Request, Response
from crm_sync.sandbox.server import RunningServer
from crm_sync_salesforce.config import ClientCredentials, SalesforceConfig, SessionId
from crm_sync_salesforce.connector import SalesforceConnector
from crm_sync_salesforce.sandbox import SalesforceSandbox

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]
CRM_SYNC = Path(sys.executable).with_name("crm-sync")

VOCABULARY = (
    "Connection", "Connector", "Record", "Contact", "Account", "Colleague", "Deal", "Interaction",
    "Person", "Employment", "Observation", "Profile", "Match", "JobChange", "Tie", "Proximity",
    "Influence", "Factor", "Matrix", "FieldChange", "Change", "Plan", "Approval", "Run", "Journal",
    "Drift",
)  # fmt: skip
"""The words that code, YAML, screens and pages share."""


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under the heading that begins so, up to the next one of its rank."""
    rank = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\b.*?(?=^#{{1,{len(rank)}}} |\Z)", text, re.M | re.S)
    assert found, f"no heading {heading!r}"
    return found.group()


def code_words(text: str) -> set[str]:
    """Every word that stands in backticks."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return {word for span in spans for word in re.findall(r"[\w.-]+", span)}


def files_of(text: str) -> dict[str, str]:
    """The files that a page shows: a line with the name in backticks, then the block."""
    return dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", text, re.M | re.S))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def write_files(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


# Completeness


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_command_and_option_is_described() -> None:
    text = page("reference/commands.md")
    group: Any = typer.main.get_command(app)
    general = section(text, "## Options before the command")
    for option in (name for parameter in group.params for name in parameter.opts):
        assert f"`{option}" in general, option
    checked = 0
    for name, command in commands().items():
        described = section(text, f"### `{name}")
        options = [one.opts for one in command.params if one.param_type_name == "option"]
        checked += len(options)
        missing = [some for some in options if not any(f"`{one}" in described for one in some)]
        assert missing == [], name
    assert checked > 30


def test_no_command_is_described_that_is_not_there() -> None:
    described = re.findall(r"^### `([\w-]+)", page("reference/commands.md"), re.M)
    assert sorted(described) == sorted(commands())


@pytest.mark.parametrize("where", PAGES, ids=lambda path: path.name)
def test_every_command_that_a_page_calls_exists(where: Path) -> None:
    text = where.read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S))
    called = re.findall(r"^(?:\$ )?(?:.*&& )?(?:\S*/)?crm-sync ([a-z][\w-]*)", fenced, re.M)
    called += re.findall(r"`(?:\S*/)?crm-sync ([a-z][\w-]*)", text)
    assert set(called) - set(commands()) == set()


def models_of(*kinds: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for kind in kinds:
        for name in kind.model_fields:
            yield kind.__name__, name


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        (
            "reference/configuration.md",
            (config._File, config.ConnectionSettings, config.Guards, config.FileSource,
             SalesforceConfig, ClientCredentials, SessionId),
        ),
        (
            "reference/mappings.md",
            (mapping.MappingModel, mapping.ContactSection, mapping.TaskSection,
             mapping.WriteField, mapping.JobChangeActions),
        ),
        (
            "reference/vendor-mappings.md",
            (vendor.VendorMapping, vendor.ProfilePaths, vendor.EmploymentPaths),
        ),
        (
            "reference/playbooks.md",
            (playbooks.RuleModel, playbooks.When, playbooks.TaskModel, playbooks.Texts),
        ),
    ],
)  # fmt: skip
def test_every_setting_is_described(where: str, kinds: Sequence[type[BaseModel]]) -> None:
    text = page(where)
    known = code_words(text) | set(re.findall(r"(\w+):", "\n".join(blocks(text, "yaml"))))
    missing = [(owner, name) for owner, name in models_of(*kinds) if name not in known]
    assert missing == []


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("reference/configuration.md", model.Mode),
        ("reference/mappings.md", model.Policy),
        ("reference/mappings.md", mapping.JobChangeAction),
        ("glossary.md", model.Policy),
        ("glossary.md", model.Mode),
        ("glossary.md", model.Band),
        ("glossary.md", model.JobChangeKind),
        ("explanation/judging-a-job-change.md", model.JobChangeKind),
        ("explanation/judging-a-job-change.md", model.Band),
        ("explanation/writing-safely.md", State),
    ],
)
def test_every_value_of_a_choice_is_described(where: str, kind: type[StrEnum]) -> None:
    assert {one.value for one in kind} - code_words(page(where)) == set()


def test_every_canonical_name_is_described_in_its_section() -> None:
    text = page("reference/mappings.md")
    for side, names in (("read", mapping.READABLE), ("write", mapping.WRITABLE)):
        described = section(text, f"## `{side}")
        for entity, wanted in names.items():
            known = code_words(section(described, f"### {entity.value.capitalize()}"))
            assert set(wanted) <= known, (side, entity)


def test_every_variable_and_filter_of_templates_is_described() -> None:
    known = code_words(page("reference/playbooks.md"))
    assert set(templates.VARIABLES) <= known
    assert {*templates._FILTERS, "date", "month"} <= known


def test_every_guard_is_described() -> None:
    names = {
        guards.EMPTY_SOURCE, guards.SHRUNKEN_SOURCE, guards.SHARE_CHANGED,
        guards.CONTACTS_CHANGED, guards.BLANKS_OVER_VALUES, guards.TASKS_PER_COLLEAGUE,
    }  # fmt: skip
    assert names <= code_words(page("explanation/writing-safely.md"))


def test_every_exit_code_is_described() -> None:
    described = set(re.findall(r"^\| (\d+) \|", page("reference/exit-codes.md"), re.M))
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.exit_code for one in kinds if issubclass(one, errors.CrmSyncError)}
    assert {str(code) for code in codes | {0, PARTIAL, 130}} == described


def test_every_end_point_and_fault_of_the_sandbox_is_described(tmp_path: Path) -> None:
    text = page("reference/sandbox.md")
    with SalesforceSandbox.open(tmp_path / "org.db") as sandbox:
        routes = [*sandbox._control_routes(), *sandbox.routes()]
    control = {one.pattern.pattern for one in routes if one.pattern.pattern.startswith("/sandbox")}
    assert len(control) > 5
    assert [path for path in control if path not in text] == []
    assert set(KINDS) <= code_words(text)


def shown_path(pattern: str) -> str:
    """A route's pattern as the page writes it."""
    plain = pattern.replace(r"(?P<base>/services/data/v\d\d\.\d)", "…").replace("(?:All)?", "")
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", plain).replace(r"\w+/\w+", "…")


def test_every_call_that_the_sandbox_answers_is_described(tmp_path: Path) -> None:
    lines = page("reference/sandbox.md").splitlines()
    with SalesforceSandbox.open(tmp_path / "org.db") as sandbox:
        routes = [(one.method, shown_path(one.pattern.pattern)) for one in sandbox.routes()]
    assert len(routes) > 20
    missing = [
        (method, path)
        for method, path in routes
        if not any(
            method in line and re.search(rf"{re.escape(path)}(?![\w/])", line) for line in lines
        )
    ]
    assert missing == []


def test_the_fields_to_create_in_salesforce_are_those_that_are_written() -> None:
    text = page("how-to/connect-salesforce.md")
    listed = set(re.findall(r"`(Crm_Sync_\w+__c)`", section(text, "## 2")))
    assert listed == {spec.name for spec in SalesforceConnector.schema}


def test_every_word_of_the_vocabulary_is_in_the_glossary() -> None:
    defined = re.findall(r"^\*\*(.+?)\*\*.*\n: ", page("glossary.md"), re.M)
    assert set(VOCABULARY) <= set(defined)
    assert len(defined) == len(set(defined))


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    names = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    listed = page("explanation/architecture.md")
    for number, name in enumerate(names, start=1):
        text = page(f"decisions/{name}")
        assert text.startswith(f"# {number}. ")
        assert [one for one in ("## Context", "## Decision", "## Consequence") if one in text] == [
            "## Context", "## Decision", "## Consequence",
        ]  # fmt: skip
        assert f"(../decisions/{name})" in listed


# Links


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    plain = [re.sub(r"[^\w\- ]", "", one.lower()) for one in headings]
    return {one.replace(" ", "-") for one in plain}


@pytest.mark.parametrize("where", PAGES, ids=lambda path: path.name)
def test_every_internal_link_leads_somewhere(where: Path) -> None:
    text = re.sub(r"^```.*?^```", "", where.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        found = (where.parent / name).resolve() if name else where
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


# Examples


def test_the_example_mapping_and_playbook_can_be_loaded(tmp_path: Path) -> None:
    [crm_mapping] = blocks(page("reference/mappings.md"), "yaml")
    [rules] = blocks(page("reference/playbooks.md"), "yaml")
    write_files(tmp_path, {"mapping.yaml": crm_mapping, "rules.yaml": rules})
    assert mapping.load_mapping(tmp_path / "mapping.yaml").model.contact.object == "Contact"
    assert playbooks.load_playbooks(tmp_path / "rules.yaml").rules[0].name == "moved"


@pytest.mark.parametrize(("number", "name"), [(0, "table.csv"), (1, "nested.jsonl")])
def test_the_example_of_a_vendors_file_shows_a_move(tmp_path: Path, number: int, name: str) -> None:
    from datetime import UTC, date, datetime

    import pyarrow as pa

    from crm_sync.enrichment.file import open_source
    from crm_sync.matching.engine import judge

    text = page("how-to/read-a-vendor-file.md")
    sample = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)[number]
    write_files(tmp_path, {name: sample, "vendor.yaml": blocks(text, "yaml")[number]})
    source = open_source("v", name, tmp_path / "vendor.yaml", date(2026, 6, 15), tmp_path)
    contact: dict[str, object] = {
        "contact_id": "1", "name": "Ada Sample", "title": "Supply Manager",
        "organisation": "Old Mill", "email": "ada@new.example",
        "changed_at": datetime(2024, 1, 1, tzinfo=UTC), "changed_basis": "record_date",
    }  # fmt: skip
    blank = ("first_name", "last_name", "organisation_domain", "personal_email", "phone", "mobile",
             "linkedin_url", "city", "country")  # fmt: skip
    row = {**dict.fromkeys(blank), **contact}
    columns = {
        key: pa.array([value], pa.timestamp("us", "UTC") if key == "changed_at" else pa.string())
        for key, value in row.items()
    }
    judged = judge(pa.table(columns), [source], now=datetime(2026, 6, 20, tzinfo=UTC))
    [verdict] = judged.job_changes.to_pylist()
    assert (verdict["kind"], verdict["to_organisation"]) == ("moved", "New Works")


def run(arguments: Sequence[str | Path], folder: Path, **more: str) -> str:
    """Standard output and error of a command that succeeds."""
    done = subprocess.run(
        [str(one) for one in arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The connector of the how-to, installed as far as entry points are concerned."""
    folder = tmp_path_factory.mktemp("house")
    write_files(folder, files_of(page("how-to/write-a-connector.md")))
    project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    [point] = re.findall(r'^house = "(.+)"$', project, re.M)
    metadata = "Metadata-Version: 2.1\nName: house-crm\nVersion: 0.1.0\n"
    entry_points = f"[crm_sync.connectors]\nhouse = {point}\n"
    write_files(
        folder / "house_crm-0.1.0.dist-info",
        {"METADATA": metadata, "entry_points.txt": entry_points},
    )
    return folder


def test_the_example_connector_passes_the_contract_suite(house: Path) -> None:
    pytest_options = ("-q", "-p", "no:cacheprovider", "--rootdir", str(house), "tests")
    told = run([sys.executable, "-m", "pytest", *pytest_options], house, PYTHONPATH=str(house))
    passed = re.search(r"(\d+) passed", told)
    assert passed
    assert int(passed[1]) >= 30
    assert "failed" not in told


def test_the_example_connector_is_found_and_plans(house: Path) -> None:
    make = "import sys; from test_house_crm import make_crm; make_crm('crm.db')"
    paths = f"{house}{os.pathsep}{house / 'tests'}"
    run([sys.executable, "-c", make], house, PYTHONPATH=paths)
    told = run([CRM_SYNC, "check"], house, PYTHONPATH=paths)
    assert "All is well." in told
    assert "Nothing to write." in run([CRM_SYNC, "plan"], house, PYTHONPATH=paths)


@pytest.fixture
def answering() -> Iterator[Callable[[Response | None], str]]:
    """A server that gives one and the same answer; None cuts the connection."""
    servers: list[RunningServer] = []

    def start(response: Response | None) -> str:
        def always(_: Request) -> Response | None:
            return response

        servers.append(RunningServer(always))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(401), TokenRefused),
        (Response(403), AccessDenied),
        (Response(429, headers={"Retry-After": "7"}), RateLimited),
        (Response(503), ServerFault),
        (None, ServerFault),
    ],
)
def test_the_example_of_http_says_what_the_core_has_to_know(
    answering: Callable[[Response | None], str],
    response: Response | None,
    expected: type[Exception],
) -> None:
    import requests

    scope: dict[str, object] = {}
    exec(blocks(page("how-to/write-a-connector.md"), "python")[-1], scope)
    ask = scope["ask"]
    assert callable(ask)
    with requests.Session() as session, pytest.raises(expected) as caught:
        ask(session, "POST", answering(response), writes=True)
    if isinstance(caught.value, ServerFault):
        assert caught.value.sent
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == pytest.approx(7)


# The tutorial, step by step


SKIPPED = "[...]"


def agrees(shown: str, told: str) -> bool:
    """Whether the output is what the page shows, `[...]` standing for anything."""
    lines = [line.rstrip() for line in shown.strip().splitlines()]
    pattern = ""
    for line in lines:
        if line == SKIPPED:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split(SKIPPED)) + r"\n"
    given = [line.rstrip() for line in told.strip().splitlines()]
    wanted = "".join(f"{line}\n" for line in given)
    # Empty lines between what is shown do not matter where something was left out.
    return re.fullmatch(pattern, wanted) is not None


def steps(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) in their order: a file `name` to save, or a `$ command` with its output."""
    found = re.compile(
        r"^`(?P<name>[\w./-]+)`:\n\n```\w+\n(?P<body>.*?)^```|^```console\n(?P<told>.*?)^```",
        re.M | re.S,
    )
    for match in found.finditer(text):
        if match["name"]:
            yield match["name"], match["body"]
        else:
            for command in re.split(r"^\$ ", match["told"], flags=re.M)[1:]:
                line, _, output = command.partition("\n")
                yield f"$ {line}", output


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def begin_sandbox(command: str, port: int, folder: Path) -> subprocess.Popen[str]:
    arguments = command.split()[1:]
    process = subprocess.Popen(
        [str(CRM_SYNC), *arguments, "--port", str(port)],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "80", "PYTHONUNBUFFERED": "1"},
    )
    until = time.monotonic() + 60
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Serving on") or time.monotonic() > until:
            return process
    raise AssertionError("the sandbox did not start")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial uses curl")
def test_the_tutorial_can_be_followed_to_its_end(tmp_path: Path, free_port: int) -> None:
    text = (
        page("tutorial.md")
        .replace(":8080/", f":{free_port}/")
        .replace("127.0.0.1:8080", f"127.0.0.1:{free_port}")
    )
    folder, sandbox, done = tmp_path, None, 0
    path = f"{CRM_SYNC.parent}{os.pathsep}{os.environ['PATH']}"
    try:
        for what, body in steps(text):
            if not what.startswith("$ "):
                write_files(folder, {what: body})
            elif what.startswith("$ cd "):
                folder /= what.removeprefix("$ cd ").strip()
            elif what.startswith("$ crm-sync sandbox"):
                sandbox = begin_sandbox(what.removeprefix("$ "), free_port, folder)
            else:
                told = run(["bash", "-c", what.removeprefix("$ ")], folder, PATH=path)
                assert agrees(body, told), f"{what}\n--- shown\n{body}\n--- told\n{told}"
                done += 1
    finally:
        if sandbox is not None:
            sandbox.send_signal(signal.SIGTERM)
            sandbox.wait(timeout=20)
    assert done > 12
