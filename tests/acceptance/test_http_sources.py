"""Sources described in YAML, through the command line: asked, stored, matched and judged."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project
from tests.support.scripted_http import reply
from tests.support.stand_in_http import KEY, Job, Person, StandIn, sent_values, stand_in

TODAY = datetime.now(UTC).date()
LATELY = (TODAY - timedelta(days=9)).isoformat()
BASE = {"apollo": "/api/v1", "coresignal": "/cdapi/v2", "enrichlayer": ""}


def month(back: int) -> str:
    """The month so many months ago, as `YYYY-MM`."""
    number = TODAY.year * 12 + TODAY.month - 1 - back
    return date(number // 12, number % 12 + 1, 1).isoformat()[:7]


OLD_MILL = Job("Old Mill", "Supply Manager", "2019-05")
LEFT_OLD_MILL = Job("Old Mill", "Supply Manager", "2019-05", month(5))
MOVED = Person(
    "ada-sample", "Ada", "Sample", [Job("New Works", "Head of Supply", month(3)), LEFT_OLD_MILL],
    seen=LATELY,
)  # fmt: skip
STAYED = Person("ben-example", "Ben", "Example", [OLD_MILL], seen=LATELY)
NAMESAKE = Person(
    "cy-pattern", "Someone", "Else", [Job("New Works", "CEO", month(3)), LEFT_OLD_MILL]
)
PEOPLE = [MOVED, STAYED, NAMESAKE]


@pytest.fixture
def load(sandbox: SalesforceSandbox, tmp_path: Path) -> None:
    folder = tmp_path / "crm"
    folder.mkdir()
    rows = {
        "Account.csv": [{"Name": "Old Mill", "Website": "https://www.old-mill.example"}],
        "Contact.csv": [
            {
                "FirstName": first,
                "LastName": last,
                "Title": "Supply Manager",
                "Account.Name": "Old Mill",
                "LinkedIn_URL__c": url,
                "CreatedDate": "2025-01-10T09:00:00Z",
                "LastModifiedDate": "2025-01-10T09:00:00Z",
            }
            for first, last, url in (
                ("Ada", "Sample", "https://www.linkedin.com/in/ada-sample"),
                ("Ben", "Example", "https://www.linkedin.com/in/ben-example"),
                ("Cy", "Pattern", "https://www.linkedin.com/in/cy-pattern"),
                ("Dee", "Unknown", "https://www.linkedin.com/in/dee-unknown"),
                ("Eve", "Blank", ""),
            )
        ],
    }
    for name, lines in rows.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
    sandbox.load(folder)


@pytest.fixture
def asked_of(
    load: None, make_project: Callable[..., Project], tmp_path: Path
) -> Iterator[Callable[..., tuple[Project, StandIn]]]:
    """A project whose only source is a vendor's stand-in."""
    with ExitStack() as stack:

        def make(vendor: str, more: str = "") -> tuple[Project, StandIn]:
            server = stack.enter_context(stand_in(vendor, PEOPLE))
            project = make_project(tmp_path / "unused", LATELY)
            config = project.folder / "config.yaml"
            before = config.read_text(encoding="utf-8").split("\nenrichment:\n")[0]
            config.write_text(
                f"{before}\nenrichment:\n  vendor-file:\n    source: http\n"
                f"    api: mappings/{vendor}.yaml\n    key: {KEY}\n"
                f"    base_url: {server.url}{BASE[vendor]}\n{more}",
                encoding="utf-8",
            )
            return project, server

        yield make


def verdicts(project: Project) -> dict[str, Any]:
    names = {
        row["Id"]: row["FirstName"]
        for row in project.crm.query("SELECT Id, FirstName FROM Contact")
    }
    return {names[one["contact_id"]]: one for one in project.data("job-changes", "--all")}


def questions(server: StandIn) -> list[str]:
    """The calls about people, without the one that only tells the credits."""
    return [one.path for one in server.asked if "credit-balance" not in one.path]


@pytest.mark.parametrize(
    ("vendor", "band"), [("coresignal", "auto"), ("enrichlayer", "auto"), ("apollo", "review")]
)
def test_answers_are_stored_matched_and_judged(
    vendor: str, band: str, asked_of: Callable[..., tuple[Project, StandIn]]
) -> None:
    project, server = asked_of(vendor)
    before = project.crm.snapshot()
    project.call("plan")
    assert project.crm.snapshot() == before
    told = verdicts(project)
    assert told["Ada"]["kind"] == "moved"
    assert told["Ada"]["to"] == {"title": "Head of Supply", "organisation": "New Works"}
    assert told["Ada"]["since"] == f"{month(3)}-01"
    assert told["Ada"]["band"] == band, told["Ada"]["evidence"]
    assert told["Ben"]["kind"] == "unchanged"
    assert told["Cy"]["kind"] == "unknown", "the vendor's page is somebody else's"
    assert told["Dee"]["kind"] == "unknown"

    spent, asked = server.credits, len(questions(server))
    project.call("plan")
    assert len(questions(server)) == asked, "an answer is good for a while"
    assert server.credits == spent
    assert verdicts(project)["Ada"]["kind"] == "moved"


def test_no_key_and_no_contact_id_is_told_or_sent(
    asked_of: Callable[..., tuple[Project, StandIn]],
) -> None:
    project, server = asked_of("coresignal")
    done = project.call("plan")
    ids = [row["Id"] for row in project.crm.query("SELECT Id FROM Contact")]
    sent = sent_values(server.asked)
    assert not [id for id in ids if id in sent]
    assert KEY not in done.stdout + done.stderr
    assert KEY.encode() not in (project.folder / "crm-sync.db").read_bytes()


@pytest.mark.parametrize(
    "fault", [reply(402, {}), reply(500, b"<html>"), reply(429, {}, {"Retry-After": "100000"})]
)
def test_a_vendor_that_stops_ends_the_asking_and_loses_nothing(
    fault: Any, asked_of: Callable[..., tuple[Project, StandIn]]
) -> None:
    project, server = asked_of("coresignal", "    budget: 40\n")
    server.faults[:] = [lambda handler: server_answers(server, handler), *[fault] * 10]
    project.call("plan")
    first = {one["contact_id"] for one in project.data("job-changes", "--all") if one["as_of"]}
    assert len(first) <= 1
    server.faults.clear()
    project.call("plan")
    assert verdicts(project)["Ada"]["kind"] == "moved"


def server_answers(server: StandIn, handler: Any) -> None:
    rest, server.faults = server.faults, []
    server.answer(handler)
    server.faults = rest


def test_check_says_what_a_description_lacks(
    asked_of: Callable[..., tuple[Project, StandIn]],
) -> None:
    project, _ = asked_of("enrichlayer")
    assert "1000 credits left" in project.call("check").stdout
    path = project.folder / "mappings" / "enrichlayer.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{linkedin_slug}", "{linkedin_sluge}", 1), encoding="utf-8")
    line = text[: text.index("{linkedin_slug}")].count("\n") + 1
    for command in ("check", "plan"):
        done = project.call(command, expect=2)
        told = " ".join((done.stdout + done.stderr).split())
        assert f"enrichlayer.yaml:{line}:5" in told
        assert "did you mean `linkedin_slug`?" in told


def test_a_key_that_is_refused_is_told_before_the_crm_is_read(
    asked_of: Callable[..., tuple[Project, StandIn]],
) -> None:
    project, _ = asked_of("enrichlayer")
    config = project.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(KEY, "another-key-98765"), encoding="utf-8")
    done = project.call("plan", expect=5)
    assert "refuses the key" in done.stderr
    assert "another-key-98765" not in done.stdout + done.stderr
