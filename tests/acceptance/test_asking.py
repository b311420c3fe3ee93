"""A vendor that is asked: from the CRM over its API to the plan, through the command line."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project
from tests.support.stand_in_pdl import KEY, StandInPdl

CONTACTS = 100
pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def world() -> World:
    return World(seed=23, contacts=CONTACTS)


@pytest.fixture
def vendor(world: World) -> Iterator[tuple[StandInPdl, str]]:
    people: list[dict[str, Any]] = [json.loads(json.dumps(one)) for one in world.profiles()]
    account = StandInPdl(people)
    with account.served() as url:
        yield account, url


@pytest.fixture
def project(
    sandbox: SalesforceSandbox,
    make_project: Callable[..., Project],
    world: World,
    vendor: tuple[StandInPdl, str],
    tmp_path: Path,
) -> Project:
    """A CRM whose only source is the vendor's API."""
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    made = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    ask(made, vendor[1])
    return made


def ask(project: Project, url: str, **settings: object) -> None:
    """Make the vendor's API the only source, with these settings."""
    path = project.folder / "config.yaml"
    head = path.read_text().partition("\nenrichment:\n")[0].replace("[vendor-file]", "[people]")
    lines = [f"    {key}: {value}\n" for key, value in settings.items()]
    path.write_text(
        f"{head}\nenrichment:\n  people:\n    source: people_data_labs\n"
        f"    api_key: {KEY}\n    base_url: {url}\n{''.join(lines)}"
    )


def database(project: Project) -> sqlite3.Connection:
    (path,) = project.folder.glob("*.db")
    return sqlite3.connect(path)


def stored(project: Project) -> dict[str, str]:
    with database(project) as db:
        return dict(db.execute("SELECT contact_id, status FROM answer").fetchall())


def changed(project: Project) -> set[tuple[str, str]]:
    rows = project.data("job-changes", "--all")
    kinds = ("moved", "left", "retitled")
    return {(one["contact_id"], one["kind"]) for one in rows if one["kind"] in kinds}


def true_kinds(project: Project, world: World) -> dict[str, str]:
    """What really happened to each contact of the CRM."""
    ids = project.crm.query("SELECT Id, External_Id__c FROM Contact")
    kinds = {one.contact_id: one.kind.value for one in world.truth()}
    return {row["Id"]: kinds[row["External_Id__c"]] for row in ids}


def test_asked_once_and_again_when_the_answer_is_old_what_is_known_is_judged_every_time(
    project: Project, vendor: tuple[StandInPdl, str], world: World
) -> None:
    account, _ = vendor
    first = project.data("plan")
    told = first["asked"]["people"]
    assert told["asked"] == account.asked
    assert told["asked"] > CONTACTS * 0.9
    assert told["found"] == account.spent == told["credits"]
    assert told["found"] + told["absent"] == told["asked"]
    assert first["sources"]["people"]["profiles"] <= told["found"]
    assert first["funnel"]["changed"] > 5
    before = changed(project)
    true = true_kinds(project, world)
    sure = [one for one in project.data("job-changes") if one["band"] == "auto"]
    assert len(sure) >= 3
    assert [one for one in sure if true[one["contact_id"]] != one["kind"]] == []
    calls, paid = account.calls.counted()["calls"]["bulk"], account.spent  # type: ignore[index]
    assert calls >= 1

    second = project.data("plan")
    assert second["asked"]["people"]["asked"] == 0
    assert account.calls.counted()["calls"]["bulk"] == calls  # type: ignore[index]
    assert account.spent == paid
    assert changed(project) == before

    with database(project) as db:
        db.execute(
            "UPDATE answer SET asked_at = '2020-01-01T00:00:00.000000+00:00' "
            "WHERE contact_id IN (SELECT contact_id FROM answer LIMIT 7)"
        )
        db.commit()
    asked = account.asked
    assert project.data("plan")["asked"]["people"]["asked"] == 7
    assert account.asked == asked + 7


def test_a_budget_is_spent_run_by_run(project: Project, vendor: tuple[StandInPdl, str]) -> None:
    account, url = vendor
    ask(project, url, budget=30, batch_size=20)
    first = project.data("plan")["asked"]["people"]
    assert first["credits"] <= 30
    assert first["waiting"] > 0
    assert "budget" in first["note"]
    second = project.data("plan")["asked"]["people"]
    assert 0 < second["credits"] <= 30
    assert account.spent == first["credits"] + second["credits"]
    assert len(stored(project)) == first["asked"] + second["asked"]


def test_out_of_credits_the_run_goes_on_with_what_is_known(
    project: Project, vendor: tuple[StandInPdl, str]
) -> None:
    account, url = vendor
    ask(project, url, batch_size=20)
    account.script(match={"path": "bulk"}, fault="status", status=402, nth=3, times=0)
    shown = project.call("plan").stdout
    assert "Asked people about 40 contacts" in shown
    assert "out of credits" in shown
    assert len(stored(project)) == 40
    assert changed(project)
    again = project.data("run")
    assert again["asked"]["people"]["asked"] == 0
    assert "out of credits" in again["asked"]["people"]["note"]


def test_killed_between_and_within_calls_no_answer_that_was_paid_and_came_is_lost(
    project: Project, vendor: tuple[StandInPdl, str]
) -> None:
    account, url = vendor
    ask(project, url, batch_size=20)
    account.script(match={"path": "bulk"}, fault="delay_after", seconds=6, nth=4)
    process = project.start("plan")
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None and not _fired(account):
        time.sleep(0.02)
    assert _fired(account)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert len(stored(project)) == 60  # three calls, each stored before the next was made
    assert account.asked == 80  # the fourth was carried out, and perhaps paid, all the same
    finished = project.data("plan")["asked"]["people"]
    assert finished["asked"] == account.asked - 80
    held = stored(project)
    assert len(held) == 60 + finished["asked"]
    assert finished["waiting"] == 0
    paid_for_nothing = account.spent - sum(status == "found" for status in held.values())
    assert 0 < paid_for_nothing <= 20  # of the one call whose answer never came


def _fired(account: StandInPdl) -> bool:
    return any(one["fired"] for one in account.faults.described())


def test_check_shows_the_credits_and_spends_none(
    project: Project, vendor: tuple[StandInPdl, str]
) -> None:
    account, url = vendor
    account.credits = 4321
    shown = " ".join(project.call("check").stdout.split())
    assert "people answers; 4,321 credits are left" in shown
    assert account.spent == 0
    assert account.calls.counted()["calls"] == {"enrich": 1}
    ask(project, url)
    path = project.folder / "config.yaml"
    path.write_text(path.read_text().replace(KEY, "an-old-key"))
    shown = project.call("check", expect=5).stdout
    assert "API key is refused" in " ".join(shown.split())
    assert "an-old-key" not in shown
    refused = project.call("plan", expect=5)
    assert "an-old-key" not in refused.stdout + refused.stderr


def test_the_key_is_in_no_file_that_a_run_leaves(
    project: Project, vendor: tuple[StandInPdl, str]
) -> None:
    path = project.folder / "config.yaml"
    (project.folder / "key").write_text(KEY)
    path.write_text(path.read_text().replace(f"api_key: {KEY}", "api_key: file/key"))
    done = project.call("--verbose", "plan")
    assert "observe.asked" in done.stderr
    left = [file for file in project.folder.rglob("*") if file.is_file() and file.name != "key"]
    assert [file for file in left if KEY.encode() in file.read_bytes()] == []
    assert KEY not in done.stdout + done.stderr
    with database(project) as db:
        (document,) = db.execute("SELECT document FROM answer WHERE document <> ''").fetchone()
    name = json.loads(document)["full_name"]
    assert name not in done.stderr
    assert len(str(name)) > 3


def test_answers_go_with_a_contact_that_is_deleted_in_the_crm(
    project: Project, vendor: tuple[StandInPdl, str]
) -> None:
    project.data("plan")
    found = [id for id, status in stored(project).items() if status == "found"]
    project.crm.delete("Contact", found[0])
    project.data("plan")
    assert found[0] not in stored(project)
    assert found[1] in stored(project)
