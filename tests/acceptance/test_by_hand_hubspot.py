"""HubSpot: what people do by hand between a plan, its apply and its undo, where no date tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync.sandbox.world import World
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.hubspot_crm import VERSION, PortalCrm, a_project
from tests.support.project import Project

pytestmark = pytest.mark.timeout(240)
Opened = tuple[Project, PortalCrm]
LINKS = {"method": "POST", "path": r"/crm/associations/.*/batch/create(\?|$)"}
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


def planned(project: Project) -> tuple[str, dict[str, Any]]:
    """A plan, all of it approved, and its changes of contacts who moved, by contact."""
    plan = project.data("plan")
    number = str(plan["plan"])
    if plan["changes"]:
        project.call("approve", number, "--all")
    moved = {
        one["contact_id"]: one
        for one in plan["changes"]
        if one["entity"] == "contact" and one["kind"] == "moved"
    }
    return number, moved


def create(crm: PortalCrm, kind: str, **properties: str) -> str:
    body = {"properties": properties, "associations": []}
    return str(crm.call("POST", f"/crm/objects/{VERSION}/{kind}", body)["id"])


def merged_into_another(crm: PortalCrm, contact: str) -> str:
    """The id of what HubSpot makes of the contact and a new one."""
    twin = create(crm, "contacts", firstname="Merle", lastname="Twin")
    body = {"primaryObjectId": contact, "objectIdToMerge": twin}
    left = crm.call("POST", f"/crm/objects/{VERSION}/contacts/merge", body)["id"]
    crm.control("clock", LATER)
    return str(left)


def test_a_contact_that_was_moved_by_association_alone_is_seen_by_the_next_plan(
    opened: Opened,
) -> None:
    project, crm = opened
    number, moved = planned(project)
    contact, change = sorted(moved.items())[0]
    [name] = [one["after"] for one in change["fields"] if one["name"] == "new_organisation"]
    company = create(crm, "companies", name=name)
    crm.call("POST", f"/crm/associations/{VERSION}/contacts/companies/batch/create", {"inputs": [
        {"from": {"id": contact}, "to": {"id": company}, "types": [
            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]},
    ]})  # fmt: skip
    crm.control("clock", LATER)
    told = project.call("apply", number, expect=4).stdout
    assert "Make a new plan" in told
    number, moved = planned(project)
    assert contact not in moved
    project.call("apply", number)
    tasks = crm.records("tasks")
    assert [contact] not in crm.linked("tasks", list(tasks), "contacts").values()


def test_an_undo_takes_our_values_from_what_a_merge_left(opened: Opened) -> None:
    project, crm = opened
    number, moved = planned(project)
    run = str(project.data("apply", number)["run"])
    left = merged_into_another(crm, min(moved))
    early = project.data("undo", run)
    [kept] = early["left_alone"]  # no pull has told of the merge yet
    assert kept["record_id"] == min(moved)
    assert early["undo"]["already_back"] == 0
    project.call("pull")
    assert project.data("undo", run)["left_alone"] == []
    ours = ("crm_sync_moved", "crm_sync_new_company", "crm_sync_new_title")
    assert set(crm.records("contacts", ours)[left].values()) <= {None, "false"}
    assert crm.records("tasks") == {}


def test_a_task_is_linked_to_what_a_merge_left_of_its_contact(opened: Opened) -> None:
    project, crm = opened
    number, moved = planned(project)
    crm.control("faults", [{"match": LINKS, "fault": "status", "status": 503, "times": 0}])
    project.call("apply", number, expect=4)
    left = merged_into_another(crm, min(moved))
    assert requests.delete(f"{crm.url}/sandbox/faults", timeout=10).status_code == 204
    crm.control("clock", LATER)
    project.call("run")
    tasks = crm.records("tasks")
    ends = crm.linked("tasks", list(tasks), "contacts")
    assert all(len(one) == 1 for one in ends.values())
    assert [left] in ends.values()
