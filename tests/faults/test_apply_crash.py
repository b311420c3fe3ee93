"""Killed at any boundary and started again: the CRM ends the same, and no task twice."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from shutil import copyfile

import pytest

from crm_sync.model import Entity, Plan
from crm_sync.store import baselines, journal
from crm_sync.store.states import State
from tests.faults.apply_crm import (
    KEY,
    KilledHereError,
    MemoryCrm,
    World,
    a_task,
    an_update,
    open_world,
)

CONTACTS = ("C1", "C2", "C3")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "crm-sync.db"
    open_world(path).store.close()
    return path


def new_world(template: Path, folder: Path, name: str, **settings: bool) -> World:
    path = folder / f"{name}.db"
    copyfile(template, path)
    world = open_world(path, MemoryCrm(**settings))  # type: ignore[arg-type]
    for id in CONTACTS:
        world.crm.put(id, Title="VP Sales", Crm_Sync_Moved__c=False)
    return world


def a_whole_plan(world: World) -> Plan:
    updates = [
        an_update(id, ("Crm_Sync_Moved__c", False, True), ("Title", "VP Sales", "CRO"))
        for id in CONTACTS
    ]
    tasks = [a_task(one.record_id, requires=one.key) for one in updates]
    return world.save(*updates, *tasks)


def in_effect_once(world: World, plan: Plan) -> None:
    crm = world.crm
    assert [crm.value(id, "Title") for id in CONTACTS] == ["CRO"] * 3
    assert sorted(str(row.fields[KEY]) for row in crm.tasks()) == sorted(
        one.key for one in plan.changes if one.entity is Entity.TASK
    )
    with world.store.read() as tx:
        states = journal.states(tx, "acme", [one.key for one in plan.changes])
        bases = baselines.of_records(tx, "acme", Entity.CONTACT, CONTACTS)
        assert journal.unverified(tx, "acme") == []
    assert set(states.values()) == {State.DONE}
    assert {bases[id]["Title"].value for id in CONTACTS} == {"CRO"}


def boundaries(template: Path, folder: Path) -> int:
    world = new_world(template, folder, "count")
    plan = a_whole_plan(world)
    world.crm.bomb.passed = 0
    world.apply(plan)
    return world.crm.bomb.passed


def test_killed_at_every_boundary_of_an_apply_the_crm_ends_the_same(
    template: Path, tmp_path: Path
) -> None:
    points = boundaries(template, tmp_path)
    assert points > 20
    for point in range(1, points + 1):
        world = new_world(template, tmp_path, f"kill{point}")
        plan = a_whole_plan(world)
        world.crm.bomb.passed, world.crm.bomb.at = 0, point
        with pytest.raises(KilledHereError):
            world.apply(plan)
        world.crm.bomb.disarm()
        report = world.apply(plan)
        assert report.complete
        in_effect_once(world, plan)
        assert max(world.crm.effects.values()) == 1, f"killed at boundary {point}"
        world.store.close()


def test_killed_at_every_boundary_of_an_undo_everything_is_as_it_was(
    template: Path, tmp_path: Path
) -> None:
    point = 0
    while True:
        point += 1
        world = new_world(template, tmp_path, f"undo{point}")
        plan = a_whole_plan(world)
        run_id = world.apply(plan).run_id
        world.crm.bomb.passed, world.crm.bomb.at = 0, point
        try:
            world.undo(run_id)
        except KilledHereError:
            world.crm.bomb.disarm()
            world.undo(run_id)
        else:
            break
        assert [world.crm.value(id, "Title") for id in CONTACTS] == ["VP Sales"] * 3
        assert world.crm.tasks() == []
        assert world.undo(run_id)[0].nothing_left
        world.store.close()
    assert point > 20


def test_without_a_unique_key_a_kill_never_makes_a_second_task(
    template: Path, tmp_path: Path
) -> None:
    for point in range(1, boundaries(template, tmp_path) + 1):
        world = new_world(template, tmp_path, f"once{point}", unique=False)
        plan = a_whole_plan(world)
        world.crm.bomb.passed, world.crm.bomb.at = 0, point
        with suppress(KilledHereError):
            world.apply(plan)
        world.crm.bomb.disarm()
        report = world.apply(plan)
        subjects = [str(row.fields["WhoId"]) for row in world.crm.tasks()]
        assert len(subjects) == len(set(subjects)), f"killed at boundary {point}"
        missing = set(CONTACTS) - set(subjects)
        told = {one.contact_id for one in report.problems if one.state == State.UNKNOWN}
        assert missing <= told, f"killed at boundary {point}: silently lost"
        world.store.close()


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "late"])
@pytest.mark.parametrize("call", range(4))
def test_an_answer_that_is_lost_still_means_exactly_one_effect(
    template: Path, tmp_path: Path, fault: str, call: int
) -> None:
    world = new_world(template, tmp_path, "lost")
    plan = a_whole_plan(world)
    world.crm.script = [*["ok"] * call, fault]
    report = world.apply(plan)
    assert report.complete
    in_effect_once(world, plan)
    assert max(world.crm.effects.values()) == 1


def test_a_task_whose_original_arrives_after_it_was_looked_for_is_absorbed_by_its_key(
    template: Path, tmp_path: Path
) -> None:
    world = new_world(template, tmp_path, "absorbed")
    task = a_task("C1")
    plan = world.save(task)
    world.crm.script = ["late"]
    patient = world.crm.sleep

    def impatient(seconds: float) -> None:
        """Waits, while the CRM is slower still."""
        held, world.crm.late = world.crm.late, []
        patient(seconds)
        world.crm.late = held

    world.crm.sleep = impatient  # type: ignore[method-assign]
    first_find = world.crm.find

    def find(entity: Entity, name: str, values: list[str]) -> object:
        found = first_find(entity, name, values)
        if world.crm.calls["find"] == 3:  # looked for before the second sending: not there yet
            patient(0)
        return found

    world.crm.find = find  # type: ignore[method-assign, assignment]
    report = world.apply(plan)
    assert world.crm.calls["write"] == 2
    assert len(world.crm.tasks()) == 1
    assert report.counts == {State.DONE: 1}


def test_a_task_that_never_arrives_is_sent_twice_at_most_and_then_left_unknown(
    template: Path, tmp_path: Path
) -> None:
    world = new_world(template, tmp_path, "never")
    plan = world.save(a_task("C1"))
    world.crm.script = ["drop_before", "drop_before"]
    report = world.apply(plan)
    assert world.crm.calls["write"] == 2
    assert report.counts == {State.UNKNOWN: 1}
    assert "looked for first" in report.problems[0].hint
    assert world.apply(plan).counts == {State.DONE: 1}
    assert len(world.crm.tasks()) == 1
