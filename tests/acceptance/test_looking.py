"""Commands that only look: what they refuse, and readers that leave before the end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crm_sync.sandbox.world import World
from crm_sync.shipped import shipped
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import CRM_SYNC, ENVIRONMENT, Crm, Project


@pytest.fixture
def planned(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Project:
    world = World(seed=3, contacts=300)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    project = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    project.call("plan")
    return project


def test_what_can_be_seen_of_a_plan(planned: Project) -> None:
    for arguments in ("changes", "changes --json", "job-changes --all", "job-changes --all --json"):
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {CRM_SYNC} {arguments} | head -1"],
            cwd=planned.folder,
            capture_output=True,
            text=True,
            timeout=60,
            env=ENVIRONMENT,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert done.stdout.count("\n") == 1

    assert "no plan 0" in planned.call("changes", "0", expect=2).stderr
    assert "--change" in planned.call("changes", "--change", "", expect=2).stderr
    planned.call("approve", "1", "--change", "", expect=2)
    planned.call("reject", "1", "--change", "", expect=2)
    assert {one["decision"] for one in planned.data("changes")["changes"]} == {None}

    told = planned.call("job-changes", "--all").stdout
    unknown = told.split("  unknown  ")[1].split("\n\n")[0]
    assert "No candidate" in unknown or len(unknown.splitlines()) > 2, "the reason is told"


@pytest.mark.parametrize(
    ("crm", "secret"), [("salesforce", "SF_CLIENT_ID"), ("hubspot", "HUBSPOT_TOKEN")]
)
def test_init_writes_what_one_crm_needs(crm: str, secret: str, tmp_path: Path) -> None:
    here = Project(tmp_path, Crm(""))
    here.call("init", "--crm", crm)
    others = {"salesforce", "hubspot"} - {crm}
    names = {path.stem for path in (tmp_path / "mappings").iterdir()}
    vendors = {path.stem for path in shipped("mappings").iterdir()} - others
    assert names == vendors, "every shipped file but the other CRM's"
    told = here.call("check", expect=2).stdout
    assert secret in told
    assert not any(other in told for other in others)
    config = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    again = here.call("init", "--crm", others.pop()).stdout
    assert "kept     config.yaml" in again
    assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == config
    assert "hubspot, salesforce" in here.call("init", "--crm", "house", expect=2).stderr
