"""HubSpot: a merge gives a new number; what is known of people and companies goes with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.sandbox.world import World
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.hubspot_crm import VERSION, PortalCrm, a_project
from tests.support.project import Project

pytestmark = pytest.mark.timeout(240)
Opened = tuple[Project, PortalCrm]
CREATES = {"method": "POST", "path": "/crm/objects/.*/tasks/batch/create"}
LATER = {"advance": 60}
"""Long enough for HubSpot's search to show what was done just before."""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    world = World(seed=5, contacts=80)
    world.write_profiles(tmp_path / "profiles.jsonl")
    long_ago = timedelta(days=20)
    database = tmp_path / "portal.db"
    with HubSpotSandbox.open(database, clock=lambda: datetime.now(UTC) - long_ago) as sandbox:
        sandbox.seed(world)
        profiles, as_of = tmp_path / "profiles.jsonl", world.later.isoformat()
        with a_project(tmp_path, sandbox, profiles, as_of) as project:
            yield project


def make(crm: PortalCrm, kind: str, **properties: str) -> str:
    body = {"properties": properties, "associations": []}
    return str(crm.call("POST", f"/crm/objects/{VERSION}/{kind}", body)["id"])


def merge(crm: PortalCrm, kind: str, primary: str, other: str) -> str:
    """Merge two records; the number of what is left, once search shows it."""
    body = {"primaryObjectId": primary, "objectIdToMerge": other}
    left = str(crm.call("POST", f"/crm/objects/{VERSION}/{kind}/merge", body)["id"])
    assert left not in (primary, other)
    crm.control("clock", LATER)
    return left


def without_key(project: Project, crm: PortalCrm) -> None:
    """The portal and the mapping have no field that keeps the key of a task."""
    crm.call("DELETE", f"/crm/properties/{VERSION}/tasks/crm_sync_key")
    mapping = project.folder / "mappings" / "hubspot.yaml"
    lines = mapping.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "crm_sync_key" not in line]
    mapping.write_text("\n".join(kept), encoding="utf-8")


def of(plan: Any, contact: str, entity: str = "contact") -> list[Any]:
    changes: list[Any] = plan["changes"]
    return [one for one in changes if (one["contact_id"], one["entity"]) == (contact, entity)]


@pytest.mark.parametrize("word", ["--there", "--absent"])
def test_a_task_whose_answer_was_lost_is_not_sent_for_the_survivor(
    opened: Opened, word: str
) -> None:
    project, crm = opened
    without_key(project, crm)
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    crm.control("faults", [{"match": CREATES, "fault": "drop_after"}])
    project.call("apply", str(plan["plan"]), expect=4)
    old = next(one["contact_id"] for one in plan["changes"] if one["entity"] == "task")
    left = merge(crm, "contacts", old, make(crm, "contacts", lastname="Twin"))
    before = len(crm.records("tasks"))
    again = project.data("plan")
    assert of(again, left, "task") == []
    assert again["details"]["left_out_unsettled"] == 1
    said = " ".join(project.call("plan").stdout.split())
    assert "1 sent before a merge, outcome unknown" in said
    [lost] = [one for one in project.data("status")[0]["open"] if one["contact_id"] == old]
    project.call("settle", lost["id"], word)
    again = project.data("plan")
    assert len(of(again, left, "task")) == (word == "--absent")
    project.call("approve", str(again["plan"]), "--all")
    project.call("apply", str(again["plan"]))
    assert len(crm.records("tasks")) == before + (word == "--absent")
    subjects = crm.records("tasks", ("hs_task_subject",)).values()
    most = max(Counter(one["hs_task_subject"] for one in subjects).values())
    assert most == 1 + (word == "--absent"), "whoever says that it is absent has looked"


def test_what_a_person_edited_stays_locked_under_the_new_number(opened: Opened) -> None:
    project, crm = opened
    plan = project.data("plan")
    old, other = sorted({one["contact_id"] for one in plan["changes"] if one["kind"] == "moved"})[
        :2
    ]
    typed = {"crm_sync_new_title": "As I know it", "crm_sync_new_company": "My own note"}
    for contact in (old, other):
        crm.edit("contacts", contact, **typed)
    crm.control("clock", LATER)
    held = {one: of(project.data("plan"), one)[0]["held_by"] for one in (old, other)}
    assert all("somebody edited it" in words for words in held.values())
    names = ("firstname", "lastname", "jobtitle")
    twin = {name: value for name, value in crm.records("contacts", names)[old].items() if value}
    left = merge(crm, "contacts", old, make(crm, "contacts", **twin))
    plan = project.data("plan")
    [update] = of(plan, left)
    assert update["held_by"] == held[old]
    assert not {"new_title", "new_organisation"} & {one["name"] for one in update["fields"]}
    project.call("approve", str(plan["plan"]), "--all")
    project.call("apply", str(plan["plan"]))
    assert crm.records("contacts", tuple(typed))[left] == typed


def verdict_on(project: Project, contact: str) -> tuple[Any, ...]:
    [found] = [one for one in project.data("job-changes", "--all") if one["contact_id"] == contact]
    return found["kind"], found["band"], found["from"], found["to"]


def test_the_contacts_of_a_merged_company_are_judged_and_written_as_before(opened: Opened) -> None:
    project, crm = opened
    plan = project.data("plan")
    retitled = [one for one in plan["changes"] if one["kind"] == "retitled"]
    contact = next(one["contact_id"] for one in retitled if one["disposition"] == "auto")
    crm.edit("contacts", contact, company="Former Employer SA")
    crm.control("clock", LATER)
    project.data("plan")
    before = verdict_on(project, contact)
    [company] = crm.linked("contacts", [contact], "companies")[contact]
    name = crm.records("companies", ("name",))[company]["name"]
    left = merge(crm, "companies", company, make(crm, "companies", name=name))
    assert crm.linked("contacts", [contact], "companies")[contact] == [left]
    plan = project.data("plan")
    assert verdict_on(project, contact) == before
    [update] = of(plan, contact)
    project.call("apply", str(plan["plan"]))
    after = {
        one["id"]: one["state"] for one in project.data("changes", str(plan["plan"]))["changes"]
    }
    assert after[update["id"]] == "done"
