"""Real people with known answers, through HubSpot: the same is found as through Salesforce."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.acceptance.test_congress import truth
from tests.support.hubspot_crm import (
    BY_ASSOCIATION,
    BY_PROPERTY,
    PortalCrm,
    a_project,
    congress_for_hubspot,
    read_companies_by,
)
from tests.support.project import CONGRESS, Project

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not CONGRESS.exists(),
        reason="the real data (../shared/realdata) is not beside this checkout",
    ),
]
HOUSE = "United States House of Representatives"
World = tuple[Project, PortalCrm]


@pytest.fixture
def congress(tmp_path: Path) -> Iterator[World]:
    with HubSpotSandbox.open(tmp_path / "portal.db") as sandbox:
        sandbox.load(congress_for_hubspot(tmp_path / "csv"))
        with a_project(tmp_path, sandbox, CONGRESS / "profiles.jsonl", "2026-06-15") as opened:
            yield opened


def verdicts(world: World) -> dict[str, dict[str, Any]]:
    project, crm = world
    ids = {id: one["external_id"] for id, one in crm.records("contacts", ["external_id"]).items()}
    return {ids[one["contact_id"]]: one for one in project.data("job-changes", "--all")}


@pytest.mark.parametrize("company", [BY_PROPERTY, BY_ASSOCIATION])
def test_every_real_change_is_found_and_nobody_else_is_called_changed(
    congress: World, company: str
) -> None:
    project, crm = congress
    read_companies_by(project, company)
    before = crm.snapshot()
    project.call("plan")
    assert crm.snapshot() == before, "a plan writes nothing"

    found, known = verdicts(congress), truth()
    assert found.keys() == known.keys()
    right: Counter[str] = Counter()
    for id, row in known.items():
        one = found[id]
        if row["kind"] == "unchanged":
            assert one["kind"] in ("unchanged", "unknown"), (id, one)
        elif one["kind"] == row["kind"]:
            assert one["to"]["organisation"].casefold() == row["new_organisation"].casefold()
            assert one["to"]["title"].casefold() == row["new_title"].casefold()
            right[row["kind"]] += 1
    assert right["moved"] == 11
    assert right["retitled"] == 27
    changed = [one for one in found.values() if one["kind"] in ("moved", "retitled", "left")]
    assert {one["band"] for one in changed} == {"review"}, "a name and a company are one family"
    assert all(one["evidence"] for one in found.values())


def test_approved_changes_are_written_and_undo_brings_every_value_back(congress: World) -> None:
    project, crm = congress
    read_companies_by(project, BY_ASSOCIATION)
    before = crm.snapshot()
    plan = project.data("plan")
    assert plan["counts"]["auto"] == 0
    untouched = project.data("apply", str(plan["plan"]))
    assert untouched["applied"]["written"] == 0
    assert crm.snapshot() == before, "what waits for review is not written"

    project.call("approve", str(plan["plan"]), "--all")
    applied = project.data("apply", str(plan["plan"]))
    assert applied["applied"]["problems"] == []
    assert applied["applied"]["written"] == applied["applied"]["verified"] > 0
    _assert_written(congress)

    undone = project.data("undo", str(applied["run"]))
    assert undone["left_alone"] == []
    after = crm.snapshot()
    assert after == before

    again = project.data("plan")
    assert again["changes"] == [], "what was undone is not proposed again"


def _assert_written(world: World) -> None:
    _, crm = world
    fields = ("external_id", "jobtitle", "crm_sync_moved", "crm_sync_new_company",
              "crm_sync_new_title")  # fmt: skip
    written = crm.records("contacts", fields)
    ids = {one["external_id"]: id for id, one in written.items()}
    companies = {id: one["name"] for id, one in crm.records("companies", ["name"]).items()}
    employers = crm.linked("contacts", list(written), "companies")
    tasks = crm.records("tasks", ["hs_task_subject", "crm_sync_key"])
    told = Counter(end for ends in crm.linked("tasks", list(tasks), "contacts").values()
                   for end in ends)  # fmt: skip
    found = verdicts(world)
    for id, row in truth().items():
        record = written[ids[id]]
        if found[id]["kind"] == "retitled":
            assert record["jobtitle"].casefold() == row["new_title"].casefold()
        elif row["kind"] == "moved":
            assert record["crm_sync_moved"] == "true"
            assert record["crm_sync_new_company"] == "United States Senate"
            assert record["crm_sync_new_title"].casefold() == row["new_title"].casefold()
            assert record["jobtitle"] == "U.S. Representative", "the old record keeps its title"
            assert [companies[one] for one in employers[ids[id]]] == [HOUSE]
            assert told[ids[id]] == 1
        else:
            assert record["crm_sync_moved"] in (None, "false")
    assert len(tasks) == sum(told.values()) == 11
    assert len({one["crm_sync_key"] for one in tasks.values()}) == 11
    assert all(crm.linked("tasks", list(tasks), "companies").values())


def test_what_people_edit_after_plan_or_write_is_left_alone(congress: World) -> None:
    project, crm = congress
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    updates = [one for one in plan["changes"] if one["entity"] == "contact"]
    retitled = [one for one in updates if one["kind"] == "retitled"]
    drifted, edited_later = retitled[0]["record_id"], retitled[1]["record_id"]
    crm.edit("contacts", drifted, jobtitle="Chair of Everything")

    applied = project.data("apply", str(plan["plan"]), expect=4)
    problems = {one["record_id"]: one for one in applied["applied"]["problems"]}
    assert problems[drifted]["state"] == "conflict"
    assert crm.records("contacts", ["jobtitle"])[drifted]["jobtitle"] == "Chair of Everything"

    crm.edit("contacts", edited_later, jobtitle="Edited by hand")
    touched = next(iter(crm.records("tasks")))
    crm.edit("tasks", touched, hs_task_subject="I called her")
    undone = project.data("undo", str(applied["run"]))
    assert len(undone["left_alone"]) == 2
    titles = crm.records("contacts", ["jobtitle"])
    assert titles[edited_later]["jobtitle"] == "Edited by hand"
    assert titles[drifted]["jobtitle"] == "Chair of Everything"
    assert list(crm.records("tasks")) == [touched]
    assert len(crm.linked("tasks", [touched], "contacts")[touched]) == 1
