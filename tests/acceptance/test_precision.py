"""What people find wrong too often stops going by itself, and comes back when it is right again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project

Group = tuple[str, str, str]

SETTINGS = "    precision: {moved: 0.8, left: 0.8, retitled: 0.8, minimum: 3, latest: 5}\n"


class Deciding:
    """A project, and the updates of its plans by source, kind and rule."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.plan = 0
        self.updates: dict[Group, list[dict[str, Any]]] = {}

    def plans(self) -> dict[Group, list[dict[str, Any]]]:
        made = self.project.data("plan")
        self.plan = made["plan"]
        self.updates = defaultdict(list)
        for one in made["changes"]:
            if one["entity"] == "contact":
                group = (one["source"], one["kind"], one["identified_by"])
                self.updates[group].append(one)
        return self.updates

    def says(self, decision: str, updates: list[dict[str, Any]], *more: str) -> str:
        ids = [word for one in updates for word in ("--change", one["id"])]
        return self.project.call(decision, str(self.plan), *ids, *more).stdout

    def measured(self, group: Group) -> dict[str, Any]:
        [connection] = self.project.data("report", "--precision")
        [found] = [
            one
            for one in connection["precision"]
            if (one["source"], one["kind"], one["rule"]) == group
        ]
        return dict(found)


def bands(updates: list[dict[str, Any]]) -> dict[str, str]:
    return {one["key"]: one["band"] for one in updates}


@pytest.fixture
def deciding(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Deciding:
    world = World(seed=5, contacts=300)
    sandbox.seed(world)
    profiles = tmp_path / "profiles.jsonl"
    world.write_profiles(profiles)
    return Deciding(make_project(profiles, world.later.isoformat(), SETTINGS))


def test_a_rule_that_people_reject_waits_for_them_and_comes_back_when_it_is_right(
    deciding: Deciding,
) -> None:
    before = deciding.plans()
    group = max(before, key=lambda one: sum(each["band"] == "auto" for each in before[one]))
    others = {one: bands(updates) for one, updates in before.items() if one != group}
    by_itself = [one for one in before[group] if one["band"] == "auto"]
    assert len(by_itself) > 7
    assert any("auto" in some.values() for some in others.values())

    said = deciding.says("reject", by_itself[:3], "--reason", "still there")
    assert f"a person decides on\n  {' · '.join(group)}\n" in said
    found = deciding.measured(group)
    assert (found["decided"], found["right"], found["demoted"]) == (3, 0, True)
    assert found["high"] == pytest.approx(1 - 0.025 ** (1 / 3))

    after = deciding.plans()
    assert {one: bands(updates) for one, updates in after.items() if one != group} == others
    waiting = after[group]
    assert {one["disposition"] for one in waiting} == {"review"}
    assert {one["key"] for one in waiting} == {one["key"] for one in before[group]} - {
        one["key"] for one in by_itself[:3]
    }
    held = [one for one in waiting if one["key"] in {each["key"] for each in by_itself}]
    for one in held:
        told = [each["detail"] for each in one["evidence"] if each["rule"] == "measured"]
        assert len(told) == 1
        assert "0 of the latest 3 without a doubt (80 % are asked for)" in told[0]
    text = deciding.project.call("report", "--precision").stdout
    assert "waits for a person since" in text

    # nothing of it is written unseen
    written = deciding.project.data("run")
    keys = {one["key"] for one in waiting}
    assert written["applied"]["written"] > 0
    assert written["waiting"] >= len(keys)
    deciding.plans()
    assert keys <= {one["key"] for one in deciding.updates[group]}

    deciding.says("approve", held[:3])
    assert deciding.measured(group)["demoted"]  # 3 of the latest 5
    assert "Right again" in deciding.says("approve", held[3:4])
    found = deciding.measured(group)
    assert (found["decided"], found["right"], found["demoted"]) == (7, 4, False)
    again = bands(deciding.plans()[group])
    assert {again[one["key"]] for one in held} == {"auto"}


def test_what_was_written_by_itself_and_found_wrong_counts(deciding: Deciding) -> None:
    deciding.project.call("run")
    plan = deciding.project.data("changes")
    deciding.plan = plan["plan"]
    written = [
        one for one in plan["changes"] if one["entity"] == "contact" and one["state"] == "done"
    ]
    groups = defaultdict(list)
    for one in written:
        groups[one["source"], one["kind"], one["identified_by"]].append(one)
    group, updates = max(groups.items(), key=lambda one: len(one[1]))
    deciding.says("approve", updates[:1])
    deciding.says("reject", updates[1:4])
    found = deciding.measured(group)
    assert (found["decided"], found["right"], found["demoted"]) == (4, 1, True)
    [run] = [one["run"] for one in deciding.project.data("runs") if one["kind"] == "run"]
    deciding.project.call("undo", str(run))
    found = deciding.measured(group)
    assert (found["decided"], found["right"]) == (4, 1)
    assert found["undone"] == len(updates)


def test_no_verdict_leaves_the_measure_alone(deciding: Deciding) -> None:
    before = deciding.plans()
    deciding.project.call("reject", str(deciding.plan), "--all", "--no-verdict")
    assert deciding.project.data("report", "--precision") == [
        {"connection": "sandbox", "precision": []}
    ]
    assert sum(map(len, before.values())) > 20
