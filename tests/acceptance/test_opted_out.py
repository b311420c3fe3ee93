"""Whoever opts out after having been read is not written any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


@pytest.fixture
def project(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Project:
    world = World(seed=5, contacts=120)
    sandbox.seed(world)
    profiles = tmp_path / "profiles.jsonl"
    world.write_profiles(profiles)
    project = make_project(profiles, world.later.isoformat())
    mapping = project.folder / "mappings" / "salesforce.yaml"
    text = mapping.read_text(encoding="utf-8")
    filtered = text.replace("  # where: ", "  where: ", 1)
    assert filtered != text
    mapping.write_text(filtered, encoding="utf-8")
    return project


def test_a_contact_who_opts_out_between_two_runs_is_left_alone_by_the_second(
    project: Project,
) -> None:
    planned = {one["contact_id"] for one in project.data("plan")["changes"]}
    left = sorted(planned)[0]
    project.crm.edit("Contact", left, HasOptedOutOfEmail=True)
    before = _contact(project, left)
    project.call("run")

    assert _contact(project, left) == before
    tasks = {task["WhoId"] for task in project.crm.snapshot()["tasks"]}
    assert tasks
    assert left not in tasks
    again = {one["contact_id"] for one in project.data("plan")["changes"]}
    assert left not in again


def test_a_contact_who_opts_out_between_plan_and_apply_is_left_alone(project: Project) -> None:
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    left = sorted({one["contact_id"] for one in plan["changes"]})[0]
    project.crm.edit("Contact", left, HasOptedOutOfEmail=True)
    before = _contact(project, left)

    applied = project.data("apply", str(plan["plan"]))["applied"]

    mine = sum(one["contact_id"] == left for one in plan["changes"])
    assert applied["written"] == len(plan["changes"]) - mine
    assert list(applied["skipped"].values()) == [mine]
    assert _contact(project, left) == before
    assert left not in {task["WhoId"] for task in project.crm.snapshot()["tasks"]}


def _contact(project: Project, id: str) -> dict[str, object]:
    [found] = [one for one in project.crm.snapshot()["contacts"] if one["Id"] == id]
    return found
