"""Nothing is written after a pause that was not read after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_sync.applying.apply import ApplyReport, apply_plan
from crm_sync.applying.undo import undo_plan
from crm_sync.calls.retry import RetryPolicy
from crm_sync.errors import RateLimited, Unreachable
from crm_sync.model import Entity, Plan
from crm_sync.store import journal
from crm_sync.store.states import State
from tests.faults.apply_crm import World, a_task, an_update, open_world

TITLE = ("Title", "VP Sales", "CRO")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    for id in ("C1", "C2", "C3"):
        world.crm.put(id, Title="VP Sales", Moved=False)
    yield world
    world.store.close()


class Pauses:
    """Sleeps on the CRM's clock, and does something during the first pause."""

    def __init__(self, world: World, meanwhile: Callable[[], object]) -> None:
        self._world = world
        self._meanwhile: Callable[[], object] | None = meanwhile
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._world.crm.sleep(seconds)
        if self._meanwhile is not None:
            self._meanwhile()
            self._meanwhile = None


def apply(world: World, plan: Plan, sleep: Pauses, **policy: float) -> ApplyReport:
    return apply_plan(
        world.store,
        world.crm,
        plan,
        world.mapping,
        run_id=world.start("apply", plan.id),
        now=world.crm.now,
        sleep=sleep,
        policy=RetryPolicy(**policy),  # type: ignore[arg-type]
    )


def nothing() -> None:
    return


def test_an_edit_made_while_the_crm_asks_to_slow_down_survives(world: World) -> None:
    edited, other = an_update("C1", TITLE), an_update("C2", TITLE)
    plan = world.save(edited, other)
    world.crm.script = [RateLimited("slow down", retry_after=120)]
    sleep = Pauses(world, lambda: world.crm.edit(Entity.CONTACT, "C1", Title="Founder"))
    report = apply(world, plan, sleep)
    assert world.crm.value("C1", "Title") == "Founder"
    assert world.crm.value("C2", "Title") == "CRO"
    assert report.counts == {State.CONFLICT: 1, State.DONE: 1}
    assert len(sleep.seconds) == 1
    assert 120 <= sleep.seconds[0] <= 132


def test_an_edit_made_while_a_row_is_locked_survives(world: World) -> None:
    edited, locked = an_update("C1", TITLE), an_update("C2", TITLE)
    plan = world.save(edited, locked)
    world.crm.locked.update({edited.key: 1, locked.key: 1})
    sleep = Pauses(world, lambda: world.crm.edit(Entity.CONTACT, "C1", Title="Founder"))
    report = apply(world, plan, sleep)
    assert world.crm.value("C1", "Title") == "Founder"
    assert world.crm.value("C2", "Title") == "CRO"
    assert report.counts == {State.CONFLICT: 1, State.DONE: 1}


@pytest.mark.parametrize("locked", [False, True], ids=["slow-down", "locked"])
def test_a_task_that_a_colleague_completes_during_the_pause_of_an_undo_stays(
    world: World, locked: bool
) -> None:
    run_id = world.apply(world.save(a_task("C1"))).run_id
    [task_id] = world.crm.task_ids()
    taking_back, _ = undo_plan(
        world.store, world.crm, run_id, world.mapping, world.crm.now(), sleep=world.crm.sleep
    )
    plan = world.save(*taking_back.changes, undo_of=run_id)
    if locked:
        world.crm.locked[plan.changes[0].key] = 1
    else:
        world.crm.script = [RateLimited("slow down", retry_after=30)]
    sleep = Pauses(world, lambda: world.crm.edit(Entity.TASK, task_id, Status="Completed"))
    report = apply(world, plan, sleep)
    assert len(sleep.seconds) == 1
    assert world.crm.task_ids() == [task_id]
    assert report.counts == {State.CONFLICT: 1}


def test_a_passing_fault_is_tried_again_until_everything_is_in_effect_once(world: World) -> None:
    changes = [an_update(f"C{n}", TITLE) for n in (1, 2, 3)]
    plan = world.save(*changes, a_task("C1", changes[0].key))
    world.crm.script = [Unreachable("cut"), "ok", RateLimited("slow", retry_after=3)]
    world.crm.locked[changes[2].key] = 2
    assert apply(world, plan, Pauses(world, nothing)).complete
    assert set(world.crm.effects.values()) == {1}
    assert len(world.crm.effects) == 4


def test_rows_that_stay_locked_are_told_and_the_next_apply_takes_them_up(world: World) -> None:
    locked, other = an_update("C1", TITLE), an_update("C2", TITLE)
    plan = world.save(locked, other)
    world.crm.locked[locked.key] = 3
    report = apply(world, plan, Pauses(world, nothing), attempts=3)
    assert report.counts == {State.PLANNED: 1, State.DONE: 1}
    assert not report.complete
    [problem] = report.problems
    assert (problem.record_id, problem.code, problem.hint) == ("C1", "LOCKED", "Apply again.")
    assert world.crm.calls["write"] == 3
    assert world.apply(plan).counts == {State.DONE: 1}


def test_a_crm_that_keeps_refusing_ends_the_run_within_the_policy_and_nothing_is_lost(
    world: World,
) -> None:
    changes = [an_update(f"C{n}", TITLE) for n in (1, 2, 3)]
    plan = world.save(*changes)
    world.crm.script = ["ok", *[RateLimited("slow down", retry_after=40) for _ in range(9)]]
    sleep = Pauses(world, nothing)
    with pytest.raises(RateLimited):
        apply(world, plan, sleep, total_seconds=100)
    assert sum(sleep.seconds) <= 100
    with world.store.read() as tx:
        held = journal.states(tx, "acme", [one.key for one in changes])
    assert [held[one.key] for one in changes] == [State.DONE, State.DONE, State.PLANNED]
    world.crm.script.clear()
    assert apply(world, plan, sleep).complete
    assert set(world.crm.effects.values()) == {1}


def test_while_it_waits_its_intents_are_stored_as_not_sent(world: World) -> None:
    change = an_update("C1", TITLE)
    plan = world.save(change)
    world.crm.script = [RateLimited("slow down", retry_after=5)]
    stored: list[State] = []

    def look() -> None:
        with world.store.read() as tx:
            stored.extend(journal.states(tx, "acme", [change.key]).values())

    assert apply(world, plan, Pauses(world, look)).complete
    assert stored == [State.PLANNED]
