"""Whoever opts out after having been read is not written any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


def test_a_contact_who_opts_out_between_two_runs_is_left_alone_by_the_second(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> None:
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


def _contact(project: Project, id: str) -> dict[str, object]:
    [found] = [one for one in project.crm.snapshot()["contacts"] if one["Id"] == id]
    return found
