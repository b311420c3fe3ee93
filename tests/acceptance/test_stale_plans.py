"""A plan is carried out only under the terms, and on the evidence, that still hold."""

from __future__ import annotations

import json
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
    world.write_profiles(tmp_path / "profiles.jsonl")
    return make_project(tmp_path / "profiles.jsonl", world.later.isoformat())


def test_what_the_vendor_took_back_is_not_written_from_an_older_plan(
    project: Project, tmp_path: Path
) -> None:
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    verdicts = {one["contact_id"]: one for one in project.data("job-changes")}
    wrong = next(one["contact_id"] for one in plan["changes"] if one["kind"] == "moved")
    _forget(tmp_path / "profiles.jsonl", verdicts[wrong]["profile_id"])
    project.call("plan")

    applied = project.data("apply", str(plan["plan"]))["applied"]

    mine = [one for one in plan["changes"] if one["contact_id"] == wrong]
    assert applied["skipped"] == {"no longer proposed by the newest plan": len(mine)}
    assert applied["written"] == len(plan["changes"]) - len(mine)
    flagged = project.crm.query("SELECT Id FROM Contact WHERE Crm_Sync_Moved__c = true")
    assert wrong not in {row["Id"] for row in flagged}


def _forget(profiles: Path, id: str) -> None:
    lines = profiles.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["id"] != id]
    assert len(kept) == len(lines) - 1
    profiles.write_text("".join(kept), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("config.yaml", "    enrichment:", "    mode: shadow\n    enrichment:"),
        (
            "mappings/salesforce.yaml",
            "field: Title, policy: overwrite",
            "field: Title, policy: never",
        ),
        ("mappings/salesforce.yaml", "moved: flag_and_task", "moved: nothing"),
    ],
)
def test_a_plan_made_under_other_terms_is_refused(
    name: str, old: str, new: str, project: Project
) -> None:
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    before = project.crm.snapshot()
    path = project.folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    project.call("apply", str(plan["plan"]), expect=3)

    assert project.crm.snapshot() == before
