"""HubSpot: one move is told once, to one contact, whatever becomes of records and answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_sync.sandbox.world import World
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.hubspot_crm import (
    BY_ASSOCIATION,
    BY_PROPERTY,
    PortalCrm,
    a_project,
    read_companies_by,
)
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
    with HubSpotSandbox.open(tmp_path / "portal.db") as sandbox:
        sandbox.seed(world)
        profiles, as_of = tmp_path / "profiles.jsonl", world.later.isoformat()
        with a_project(tmp_path, sandbox, profiles, as_of) as project:
            yield project


def write_all(project: Project, *, expect: int = 0) -> int:
    plan = project.data("plan")["plan"]
    project.call("approve", str(plan), "--all")
    project.call("apply", str(plan), expect=expect)
    return int(plan)


def told(crm: PortalCrm) -> Counter[str]:
    """How many tasks each contact has."""
    tasks = crm.records("tasks")
    links = crm.linked("tasks", list(tasks), "contacts")
    return Counter(contact for ends in links.values() for contact in ends)


def test_what_a_merge_leaves_under_a_new_number_gets_no_second_task(opened: Opened) -> None:
    project, crm = opened
    write_all(project)
    before = told(crm)
    victim = sorted(before)[0]
    names = ("firstname", "lastname", "jobtitle", "hs_linkedin_url", "hubspot_owner_id")
    twin = {name: value for name, value in crm.records("contacts", names)[victim].items() if value}
    [company] = crm.linked("contacts", [victim], "companies")[victim]
    made = crm.call("POST", "/crm/objects/2026-09/contacts", {"properties": twin, "associations": [
        {"to": {"id": company}, "types": [
            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]},
    ]})["id"]  # fmt: skip
    merged = crm.call(
        "POST",
        "/crm/objects/2026-09/contacts/merge",
        {"primaryObjectId": made, "objectIdToMerge": victim},
    )["id"]
    assert merged not in (made, victim)
    crm.control("clock", LATER)
    plan = project.data("plan")
    assert plan["changes"] == []
    known = {one["contact_id"] for one in project.data("job-changes", "--all")}
    assert merged in known
    assert not known & {made, victim}
    assert sum(told(crm).values()) == sum(before.values())


def test_who_no_longer_satisfies_the_filter_is_left_alone(opened: Opened) -> None:
    project, crm = opened
    mapping = project.folder / "mappings" / "hubspot.yaml"
    lines = mapping.read_text(encoding="utf-8").splitlines()
    lines.insert(lines.index("  object: contacts") + 1, '  where: "hs_email_optout NEQ true"')
    mapping.write_text("\n".join(lines), encoding="utf-8")
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    left = sorted({one["contact_id"] for one in plan["changes"]})[0]
    crm.edit("contacts", left, hs_email_optout="true")
    crm.control("clock", LATER)
    before = crm.snapshot()["contacts"][left]
    project.call("apply", str(plan["plan"]))
    assert crm.snapshot()["contacts"][left] == before
    assert left not in told(crm)
    assert told(crm)


@pytest.mark.parametrize("company", [BY_PROPERTY, BY_ASSOCIATION])
def test_who_got_another_company_since_the_plan_is_left_alone(opened: Opened, company: str) -> None:
    project, crm = opened
    read_companies_by(project, company)
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    moved = sorted({one["contact_id"] for one in plan["changes"]})[0]
    [old] = crm.linked("contacts", [moved], "companies")[moved]
    new = next(id for id in crm.records("companies") if id != old)
    primary = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
    crm.call(
        "POST",
        "/crm/associations/2026-09/contacts/companies/batch/create",
        {"inputs": [{"from": {"id": moved}, "to": {"id": new}, "types": [primary]}]},
    )
    before = crm.snapshot()["contacts"]
    problems = project.data("apply", str(plan["plan"]), expect=4)["applied"]["problems"]
    assert {one["contact_id"] for one in problems} == {moved}
    assert {one["state"] for one in problems if one["entity"] == "contact"} == {"conflict"}
    after = crm.snapshot()["contacts"]
    assert after[moved] == before[moved]
    assert moved not in told(crm)
    assert after != before


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_lost_answer_about_tasks_makes_none_twice(opened: Opened, fault: str) -> None:
    project, crm = opened
    crm.control("faults", [{"match": CREATES, "fault": fault}])
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    project.call("apply", str(plan["plan"]))
    wanted = [one["contact_id"] for one in plan["changes"] if one["entity"] == "task"]
    assert told(crm) == Counter(wanted)


def test_without_a_unique_key_a_person_says_what_became_of_a_task(opened: Opened) -> None:
    project, crm = opened
    crm.call("DELETE", "/crm/properties/2026-09/tasks/crm_sync_key")
    mapping = project.folder / "mappings" / "hubspot.yaml"
    text = mapping.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "crm_sync_key" not in line]
    mapping.write_text("\n".join(kept), encoding="utf-8")
    config = project.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    assert "late_seconds: 2" in text
    config.write_text(text.replace("late_seconds: 2", "late_seconds: 0"), encoding="utf-8")
    crm.control("faults", [{"match": CREATES, "fault": "drop_before"}])
    plan = write_all(project, expect=4)
    assert crm.records("tasks") == {}
    [status] = project.data("status")
    assert status["unknown"] == len(status["open"]) > 0
    for one in status["open"]:
        project.call("settle", one["id"], "--absent")
    project.call("apply", str(plan))
    assert len(crm.records("tasks")) == status["unknown"]
    assert set(told(crm).values()) == {1}
    assert sum(told(crm).values()) == status["unknown"], "and each is linked"
