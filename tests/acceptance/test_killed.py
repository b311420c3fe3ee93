"""SIGKILL in the middle of `apply`, then the same command again: everything once."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project

pytestmark = pytest.mark.timeout(280)
WRITES = r"composite/sobjects(\?|$)"


def seeded(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Project:
    world = World(seed=11, contacts=1500)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    return make_project(tmp_path / "profiles.jsonl", world.later.isoformat())


@pytest.mark.parametrize("fault", ["delay", "delay_after"])
@pytest.mark.parametrize(("method", "nth"), [("PATCH", 1), ("PATCH", 2), ("POST", 1)])
def test_killed_while_a_write_is_under_way(
    method: str,
    nth: int,
    fault: str,
    sandbox: SalesforceSandbox,
    make_project: Callable[..., Project],
    tmp_path: Path,
) -> None:
    project = seeded(sandbox, make_project, tmp_path)
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    # The n-th write takes effect long before its answer (delay_after), or after the process that
    # sent it is dead and its successor is at work (delay).
    match = {"method": method, "path": WRITES}
    project.crm.control("faults", [{"match": match, "nth": nth, "fault": fault, "seconds": 3}])
    process = project.start("apply", str(plan["plan"]))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None and not _fired(project):
        time.sleep(0.05)
    assert _fired(project), "the write that the kill is meant for was never sent"
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    project.call("apply", str(plan["plan"]))
    time.sleep(3)  # the delayed original, if it is still to come

    tasks = project.crm.query("SELECT Id, Crm_Sync_Key__c FROM Task")
    wanted = [one["key"] for one in plan["changes"] if one["entity"] == "task"]
    assert Counter(row["Crm_Sync_Key__c"] for row in tasks) == Counter(wanted)
    _every_field_is_as_planned(project, plan)
    again = project.data("apply", str(plan["plan"]))
    assert again["applied"]["written"] == 0


def _fired(project: Project) -> bool:
    faults = requests.get(f"{project.crm.url}/sandbox/faults", timeout=10).json()
    rows = faults["faults"] if isinstance(faults, dict) else faults
    return any(row["fired"] for row in rows)


def _every_field_is_as_planned(project: Project, plan: dict[str, object]) -> None:
    rows = {row["Id"]: row for row in project.crm.snapshot()["contacts"]}
    checked = 0
    for change in plan["changes"]:  # type: ignore[attr-defined]
        if change["entity"] != "contact":
            continue
        for field in change["fields"]:
            live = rows[change["record_id"]][field["crm_field"]]
            assert str(live or "").split("T")[0] == str(field["after"] or "").split("T")[0]
            checked += 1
    assert checked > 100
