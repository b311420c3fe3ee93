"""What the documentation shows is true: its examples run, its tutorial can be followed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from crm_sync import mapping
from crm_sync.calls.tokens import TokenRefused
from crm_sync.connector import AccessDenied, RateLimited, ServerFault
from crm_sync.planning import playbooks
from crm_sync.sandbox.http import Request, Response
from crm_sync.sandbox.server import RunningServer
from tests.support.pages import (
    blocks,
    files_of,
    page,
    write_files,
)

CRM_SYNC = Path(sys.executable).with_name("crm-sync")


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
    assert "Ready, but look at what is marked `look`." in told
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


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl")
@pytest.mark.parametrize("name", ["tutorial.md", "how-to/install-hubspot.md"])
def test_a_page_can_be_followed_to_its_end(name: str, tmp_path: Path, free_port: int) -> None:
    text = (
        page(name)
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
    assert done > 10
