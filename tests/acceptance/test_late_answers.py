"""A lost answer: what the operator is told, and that a person's edit meanwhile stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


def test_a_write_whose_answer_is_lost_ends_the_run_in_part_and_is_not_sent_again_too_early(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    world = World(seed=11, contacts=120)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    project = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    patience(project, "late_seconds: 600\n    settle_seconds: 0.1")
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    writes = {"method": "PATCH", "path": "composite/sobjects"}
    project.crm.control("faults", [{"match": writes, "fault": "drop_before"}])

    told = " ".join(project.call("apply", str(plan["plan"]), expect=4).stdout.split())
    updates = [one for one in plan["changes"] if one["entity"] == "contact"]
    assert f"{len(updates)} writes have no known outcome yet; apply again after" in told
    assert re.search(r"apply again after \d\d:\d\d UTC", told)
    project.crm.edit("Contact", updates[0]["record_id"], Title="Edited meanwhile")

    again = project.data("apply", str(plan["plan"]), expect=4)
    assert (again["applied"]["written"], again["applied"]["awaited"]) == (0, len(updates))
    assert not sandbox.calls.counted()["rows"].get("Task.create")

    patience(project, "late_seconds: 0\n    settle_seconds: 0.1")
    last = project.data("apply", str(plan["plan"]), expect=4)
    assert last["applied"]["awaited"] == 0
    [row] = [
        row for row in project.crm.snapshot()["contacts"] if row["Id"] == updates[0]["record_id"]
    ]
    assert row["Title"] == "Edited meanwhile"
    assert last["applied"]["by_state"]["conflict"] == 1
    assert last["applied"]["by_state"]["done"] >= len(updates) - 1


def patience(project: Project, lines: str) -> None:
    config = project.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    changed = re.sub(r"late_seconds: .*(\n +settle_seconds: .*)?", lines, text)
    assert changed != text
    config.write_text(changed, encoding="utf-8")
