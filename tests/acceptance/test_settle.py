"""A task that may or may not be there, in a CRM that keeps no key of it: a person says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.acceptance.test_late_answers import patience
from tests.support.project import Project

UPDATES = {"method": "PATCH", "path": r"composite/sobjects(\?|$)"}
CREATES = {"method": "POST", "path": r"composite/sobjects(\?|$)"}


@pytest.fixture
def project(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Project:
    world = World(seed=11, contacts=60)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    project = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    mapping = project.folder / "mappings" / "salesforce.yaml"
    lines = mapping.read_text(encoding="utf-8").splitlines(keepends=True)
    mapping.write_text("".join(one for one in lines if "Crm_Sync_Key__c" not in one))
    patience(project, "late_seconds: 0\n    settle_seconds: 0.1")
    return project


def left_open(project: Project, fault: str) -> tuple[int, list[dict[str, Any]]]:
    """A plan whose tasks were sent into a cut connection; the plan and what `status` tells."""
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    project.crm.control("faults", [{"match": CREATES, "fault": fault, "times": 1}])
    told = project.call("apply", str(plan["plan"]), expect=4).stdout
    assert "crm-sync settle" in " ".join(told.split())
    [status] = project.data("status")
    assert status["unknown"] == len(status["open"]) > 0
    assert "crm-sync settle" in project.call("status").stdout
    return plan["plan"], status["open"]


def tasks(project: Project) -> int:
    return len(project.crm.snapshot()["tasks"])


def test_what_is_there_is_counted_as_done_and_never_sent_again(project: Project) -> None:
    plan, left = left_open(project, "drop_after")
    made = tasks(project)
    assert made > 0
    for one in left:
        told = project.data("settle", one["id"], "--there")
        assert (told["state"], told["entity"]) == ("done", "task")
    project.call("apply", str(plan))
    assert tasks(project) == made
    [status] = project.data("status")
    assert status["unknown"] == 0


def test_what_is_not_there_is_sent_again_once(project: Project) -> None:
    plan, left = left_open(project, "drop_before")
    assert tasks(project) == 0
    said = project.call("settle", left[0]["id"], "--absent").stdout
    assert f"crm-sync apply {plan}" in said
    for one in left[1:]:
        project.call("settle", one["id"], "--absent")
    project.call("apply", str(plan))
    assert tasks(project) == len(left)
    project.call("apply", str(plan))
    assert tasks(project) == len(left)


def test_until_a_person_has_looked_the_plan_is_not_done(project: Project) -> None:
    plan, left = left_open(project, "drop_before")
    again = project.data("apply", str(plan), expect=4)
    assert {one["state"] for one in again["applied"]["problems"]} == {"unknown"}
    [run, *_] = project.data("runs")
    assert (run["kind"], run["outcome"]) == ("apply", "partial")
    assert all(one["needs_person"] for one in project.data("status")[0]["open"])
    told = project.call("status").stdout
    assert "cannot tell" in told
    assert "the next apply reads" not in told
    for one in left:
        said = project.call("settle", one["id"], "--there").stdout
        assert said.startswith(f"task {one['id']} counts as done")
    project.call("apply", str(plan))


def test_what_the_next_apply_reads_is_not_left_to_people(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    world = World(seed=11, contacts=60)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    project = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    patience(project, "late_seconds: 120\n    settle_seconds: 0.1")
    plan = str(project.data("plan")["plan"])
    project.call("approve", plan, "--all")
    project.crm.control("faults", [{"match": UPDATES, "fault": "drop_before", "times": 1}])
    project.call("apply", plan, expect=4)
    [status] = project.data("status")
    assert status["open"]
    assert {one["operation"] for one in status["open"]} == {"update"}
    assert not any(one["needs_person"] for one in status["open"])
    told = project.call("status").stdout
    assert "the next apply reads the CRM" in told
    assert "update of contact" in told
    assert "settle" not in told


def test_the_command_asks_for_one_answer_and_one_change(project: Project) -> None:
    assert "--there" in project.call("settle", "abc", expect=2).stderr
    project.call("settle", "abc", "--there", "--absent", expect=2)
    assert "abc" in project.call("settle", "abc", "--there", expect=2).stderr
    project.call("settle", "", "--there", expect=2)
