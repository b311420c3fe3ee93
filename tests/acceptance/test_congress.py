"""Real people with known answers, through the real command line, connector and sandbox."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import pytest

from tests.support.project import CONGRESS, Project

pytestmark = pytest.mark.timeout(240)


def truth() -> dict[str, dict[str, str]]:
    with (CONGRESS / "truth.csv").open(encoding="utf-8", newline="") as stream:
        return {row["External_Id__c"]: row for row in csv.DictReader(stream)}


def verdicts(project: Project) -> dict[str, dict[str, Any]]:
    ids = {
        row["Id"]: row["External_Id__c"]
        for row in project.crm.query("SELECT Id, External_Id__c FROM Contact")
    }
    return {ids[one["contact_id"]]: one for one in project.data("job-changes", "--all")}


def test_every_real_change_is_found_and_nobody_else_is_called_changed(
    congress: Project,
) -> None:
    before = congress.crm.snapshot()
    congress.call("plan")
    assert congress.crm.snapshot() == before, "a plan writes nothing"

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


def test_approved_changes_are_written_and_undo_brings_every_value_back(congress: Project) -> None:
    before = congress.crm.snapshot()
    plan = congress.data("plan")
    assert plan["counts"]["auto"] == 0
    untouched = congress.data("apply", str(plan["plan"]))
    assert untouched["applied"]["written"] == 0
    assert congress.crm.snapshot() == before, "what waits for review is not written"

    congress.call("approve", str(plan["plan"]), "--all")
    applied = congress.data("apply", str(plan["plan"]))
    assert applied["applied"]["problems"] == []
    assert applied["applied"]["written"] == applied["applied"]["verified"] == len(plan["changes"])

    written = {
        row["External_Id__c"]: row
        for row in congress.crm.query(
            "SELECT Id, External_Id__c, Title, Account.Name, Crm_Sync_Moved__c, "
            "Crm_Sync_New_Company__c, Crm_Sync_New_Title__c FROM Contact"
        )
    }
    tasks = Counter(row["WhoId"] for row in congress.crm.query("SELECT Id, WhoId FROM Task"))
    found = verdicts(congress)
    for id, row in truth().items():
        record = written[id]
        if found[id]["kind"] == "retitled":
            assert record["Title"].casefold() == row["new_title"].casefold()
        elif row["kind"] == "moved":
            assert record["Crm_Sync_Moved__c"] is True
            assert record["Crm_Sync_New_Company__c"] == "United States Senate"
            assert record["Crm_Sync_New_Title__c"].casefold() == row["new_title"].casefold()
            assert record["Title"] == "U.S. Representative", "the old record keeps its title"
            assert record["Account"]["Name"] == "United States House of Representatives"
            assert tasks[record["Id"]] == 1
        else:
            assert record["Crm_Sync_Moved__c"] is False
    assert sum(tasks.values()) == 11

    undone = congress.data("undo", str(applied["run"]))
    assert undone["left_alone"] == []
    assert congress.crm.snapshot() == before

    again = congress.data("plan")
    assert again["changes"] == [], "what was undone is not proposed again"


def test_what_people_edit_after_plan_or_write_is_left_alone(
    congress: Project,
) -> None:
    plan = congress.data("plan")
    congress.call("approve", str(plan["plan"]), "--all")
    updates = [one for one in plan["changes"] if one["entity"] == "contact"]
    retitled = [one for one in updates if one["kind"] == "retitled"]
    drifted, edited_later = retitled[0]["record_id"], retitled[1]["record_id"]
    congress.crm.edit("Contact", drifted, Title="Chair of Everything")

    applied = congress.data("apply", str(plan["plan"]), expect=4)
    problems = {one["record_id"]: one for one in applied["applied"]["problems"]}
    assert problems[drifted]["state"] == "conflict"
    title = congress.crm.query(f"SELECT Title FROM Contact WHERE Id = '{drifted}'")[0]["Title"]
    assert title == "Chair of Everything"

    congress.crm.edit("Contact", edited_later, Title="Edited by hand")
    touched = congress.crm.query("SELECT Id, Subject FROM Task LIMIT 1")[0]["Id"]
    congress.crm.edit("Task", touched, Subject="I called her")
    undone = congress.data("undo", str(applied["run"]))
    assert len(undone["left_alone"]) == 2
    rows = {row["Id"]: row for row in congress.crm.query("SELECT Id, Title FROM Contact")}
    assert rows[edited_later]["Title"] == "Edited by hand"
    assert rows[drifted]["Title"] == "Chair of Everything"
    assert [row["Id"] for row in congress.crm.query("SELECT Id FROM Task")] == [touched]
