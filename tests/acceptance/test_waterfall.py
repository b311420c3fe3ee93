"""`job-changes --contact`: one verdict and how its confidence adds up, from a real plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crm_sync.matching.weights import PRIOR, chance
from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


def test_one_verdict_and_how_it_adds_up(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    world = World(seed=3, contacts=80)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    project = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    project.call("plan")
    everybody = project.data("job-changes", "--all")
    moved = next(one for one in everybody if one["kind"] == "moved" and one["band"] == "auto")

    one = project.data("job-changes", "--contact", moved["contact_id"])
    assert {key: value for key, value in one.items() if key != "waterfall"} == moved
    first, last = one["waterfall"][0], one["waterfall"][-1]
    assert (first["rule"], first["to"]) == ("prior", PRIOR)
    assert len(one["waterfall"]) > 1
    assert chance(last["to"]) == pytest.approx(one["match_confidence"], abs=1e-3)

    told = project.call("job-changes", "--contact", moved["contact_id"]).stdout
    assert "moved" in told
    assert "the same person: " in told
    assert "█" in told
    assert max(len(line) for line in told.splitlines()) <= 80

    unknown = next(one for one in everybody if one["kind"] == "unknown" and not one["source"])
    assert project.data("job-changes", "--contact", unknown["contact_id"])["waterfall"] == []
    nobody = project.call("job-changes", "--contact", "nobody", expect=2)
    assert "nobody" in nobody.stderr
