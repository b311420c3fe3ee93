"""A plan that took several runs to write: each is named, and all of it can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


@pytest.fixture
def project(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Project:
    world = World(seed=11, contacts=60)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    return make_project(tmp_path / "profiles.jsonl", world.later.isoformat())


def written_in_two_runs(project: Project) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The two applies of one plan: its updates go out in the first, its tasks in the second."""
    plan = str(project.data("plan")["plan"])
    project.call("approve", plan, "--all")
    no = {"match": {"method": "POST", "path": r"composite/sobjects(\?|$)"}, "fault": "status",
          "status": 403, "body": "[]", "times": 0}  # fmt: skip
    project.crm.control("faults", [no])
    stopped = project.start("apply", plan)
    assert stopped.wait(60) != 0
    requests.delete(f"{project.crm.url}/sandbox/faults", timeout=10)
    [first, *_] = project.data("runs")
    return first, project.data("apply", plan), plan


def test_every_run_is_named_and_all_goes_back(project: Project) -> None:
    before = project.crm.snapshot()
    first, second, plan = written_in_two_runs(project)
    assert second["applied"]["written"] > 0
    assert second["applied"]["already_done"] > 0
    assert second["undo_runs"] == [second["run"], first["run"]]

    third = project.data("apply", plan)
    assert third["applied"]["written"] == 0
    assert third["undo_runs"] == [second["run"], first["run"]]
    told = project.call("apply", plan).stdout
    assert f"crm-sync undo {second['run']}\n" in told
    assert f"crm-sync undo {first['run']}\n" in told

    half = project.call("undo", str(second["run"])).stdout
    assert f"crm-sync undo {first['run']}\n" in half
    rest = project.data("undo", str(first["run"]))
    assert rest["undo_runs"] == []
    assert project.crm.snapshot() == before
    assert project.data("apply", plan)["undo_runs"] == []


def test_what_an_undo_leaves_alone_is_told_with_its_name(project: Project) -> None:
    plan = str(project.data("plan")["plan"])
    project.call("approve", plan, "--all")
    run = project.data("apply", plan)["run"]
    task = project.crm.query("SELECT Id, Subject, Who.Name FROM Task ORDER BY Id")[0]
    project.crm.edit("Task", task["Id"], Description="We spoke.")
    [left] = project.data("undo", str(run))["left_alone"]
    assert left["subject"] == task["Subject"]
    assert left["contact"] == task["Who"]["Name"]
    told = " ".join(project.call("undo", str(run)).stdout.split())
    assert task["Subject"] in told
    assert f"task of {task['Who']['Name']} {task['Id']}" in told
