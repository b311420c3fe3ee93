"""One move is told once, whatever becomes of spellings, records and the configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


class Told:
    """A project whose news were all written, and the vendor's file that they came from."""

    def __init__(self, project: Project, profiles: Path) -> None:
        self.project = project
        self.profiles = profiles
        plan = project.data("plan")
        project.call("approve", str(plan["plan"]), "--all")
        project.call("apply", str(plan["plan"]))
        self.plan = plan
        self.tasks = self.count_tasks()
        assert self.tasks > 5

    def count_tasks(self) -> int:
        return len(self.project.crm.query("SELECT Id FROM Task"))

    def respell(self) -> None:
        """The vendor's next delivery: every employer with a legal form, titles turned round."""
        rows = [json.loads(line) for line in self.profiles.read_text("utf-8").splitlines()]
        for row in rows:
            for job in row["experience"]:
                _respell(job)
        self.profiles.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")

    def proposed(self) -> list[Any]:
        found: list[Any] = self.project.data("plan")["changes"]
        return found


def _respell(job: dict[str, Any]) -> None:
    job["company"]["name"] = f"{job['company']['name'].upper()}, Inc."
    job["title"]["name"] = " of ".join(reversed(job["title"]["name"].split()))
    start = job.get("start_date") or ""
    if start.endswith("-01"):
        job["start_date"] = start[:-2] + "02"


@pytest.fixture
def told(sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path) -> Told:
    world = World(seed=5, contacts=120)
    sandbox.seed(world)
    profiles = tmp_path / "profiles.jsonl"
    world.write_profiles(profiles)
    return Told(make_project(profiles, world.later.isoformat()), profiles)


def test_another_spelling_proposes_nothing(told: Told) -> None:
    told.respell()
    assert told.proposed() == []


def test_what_was_undone_stays_undone_in_another_spelling(told: Told) -> None:
    runs = told.project.data("runs")
    applied = next(run["run"] for run in runs if run["kind"] == "apply")
    told.project.call("undo", str(applied))
    told.respell()
    assert told.proposed() == []


def test_a_renamed_connection_makes_no_second_task(told: Told) -> None:
    config = told.project.folder / "config.yaml"
    text = config.read_text("utf-8")
    config.write_text(text.replace("  sandbox:\n", "  renamed:\n", 1), "utf-8")
    told.respell()
    plan = told.project.data("plan")
    assert [one for one in plan["changes"] if one["entity"] == "task"] == []
    told.project.call("approve", str(plan["plan"]), "--all")
    told.project.call("apply", str(plan["plan"]))
    assert told.count_tasks() == told.tasks


def test_the_survivor_of_a_merge_gets_no_second_task(told: Told) -> None:
    crm = told.project.crm
    [task, *_] = crm.query("SELECT WhoId, OwnerId FROM Task ORDER BY Id")
    fields = "FirstName, LastName, Title, Email, AccountId, LinkedIn_URL__c"
    [victim] = crm.query(f"SELECT {fields} FROM Contact WHERE Id = '{task['WhoId']}'")
    survivor = crm.create("Contact", **victim, OwnerId=task["OwnerId"])
    body = {"object": "Contact", "master": survivor, "victims": [task["WhoId"]]}
    crm.control("merge", body)
    assert told.proposed() == []


def test_a_merge_of_accounts_is_no_news_of_their_contacts(told: Told) -> None:
    crm = told.project.crm
    assert told.proposed() == []
    verdicts = told.project.data("job-changes", "--all")
    moved = {one["contact_id"] for one in told.plan["changes"] if one["kind"] == "moved"}
    [contact] = crm.query(f"SELECT AccountId FROM Contact WHERE Id = '{min(moved)}'")
    [account] = crm.query(f"SELECT Name FROM Account WHERE Id = '{contact['AccountId']}'")
    survivor = crm.create("Account", Name=account["Name"])
    body = {"object": "Account", "master": survivor, "victims": [contact["AccountId"]]}
    crm.control("merge", body)
    assert told.proposed() == []
    assert told.project.data("job-changes", "--all") == verdicts
