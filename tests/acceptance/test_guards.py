"""Guards through the command line: a broken source never becomes the measure of the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


def test_a_shrunken_source_stops_every_run_until_it_is_whole_or_allowed(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    world = World(seed=5, contacts=120)
    sandbox.seed(world)
    profiles = tmp_path / "profiles.jsonl"
    world.write_profiles(profiles)
    project = make_project(profiles, world.later.isoformat())
    project.call("plan")
    whole = profiles.read_text(encoding="utf-8").splitlines(keepends=True)
    before = project.crm.snapshot()

    profiles.write_text("".join(whole[: len(whole) // 4]), encoding="utf-8")
    for _ in range(2):
        assert "shrunken_source" in project.call("run", expect=3).stderr
    assert project.crm.snapshot() == before

    profiles.write_text("".join(whole), encoding="utf-8")
    assert project.data("run")["applied"]["written"] > 0


def test_too_many_changes_without_a_person_stop_a_run_and_approval_lets_them_through(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    world = World(seed=5, contacts=120)
    sandbox.seed(world)
    profiles = tmp_path / "profiles.jsonl"
    world.write_profiles(profiles)
    strict = "    guards: {max_contacts_changed: 1}\n"
    project = make_project(profiles, world.later.isoformat(), strict)
    before = project.crm.snapshot()

    assert "contacts_changed" in project.call("run", expect=3).stderr
    assert project.crm.snapshot() == before
    plan = project.data("plan")
    assert [one["name"] for one in plan["guards"] if one["tripped"]] == ["contacts_changed"]
    project.call("apply", str(plan["plan"]), expect=3)
    assert project.crm.snapshot() == before
    project.call("approve", str(plan["plan"]), "--all")
    applied = project.data("apply", str(plan["plan"]))["applied"]
    assert applied["written"] == len(plan["changes"])
