"""A write without an answer is not taken for lost while the CRM may still carry it out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crm_sync.applying.reconcile import reconcile
from crm_sync.model import Entity
from crm_sync.store import journal
from crm_sync.store.states import State
from tests.faults.apply_crm import KilledHereError, MemoryCrm, World, a_task, an_update, open_world

TITLE = ("Title", "VP Sales", "CRO")
LIMIT = 600.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db", MemoryCrm(late_seconds=LIMIT))
    for id in ("C1", "C2"):
        world.crm.put(id, Title="VP Sales")
    yield world
    world.store.close()


def state(world: World, key: str) -> State | None:
    with world.store.read() as tx:
        return journal.states(tx, "acme", [key]).get(key)


def killed_while_sending(world: World, *, carried_out: bool) -> str:
    """The process ends between sending an update and its answer; returns the update's key."""
    change = an_update("C1", TITLE)
    plan = world.save(change)
    send = world.crm.write_chunk

    def killed(writes: list[object]) -> None:
        if carried_out:
            send(writes)  # type: ignore[arg-type]
        raise KilledHereError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.crm, "write_chunk", killed)
        with pytest.raises(KilledHereError):
            world.apply(plan)
    return change.key


def test_a_persons_edit_after_a_time_out_survives_the_write_that_was_sent_again(
    world: World,
) -> None:
    change = an_update("C1", TITLE)
    plan = world.save(change)
    world.crm.script = ["drop_before"]
    report = world.apply(plan)
    assert world.crm.slept < 30
    assert report.counts == {State.UNKNOWN: 1}
    world.crm.edit(Entity.CONTACT, "C1", Title="Founder")
    world.apply(plan)
    assert state(world, change.key) is State.UNKNOWN, "the first may still land on the edit"
    world.crm.clock += timedelta(seconds=LIMIT)
    assert world.apply(plan).counts == {State.CONFLICT: 1}
    assert world.crm.value("C1", "Title") == "Founder"
    assert world.crm.calls["write"] == 1


def test_the_run_says_how_many_writes_it_awaits_and_until_when(world: World) -> None:
    plan = world.save(an_update("C1", TITLE), an_update("C2", TITLE))
    world.crm.script = ["drop_before"]
    report = world.apply(plan)
    until = world.crm.clock - timedelta(seconds=world.crm.slept) + timedelta(seconds=LIMIT + 59)
    assert not report.complete
    assert report.awaited == 2
    assert report.notices == (
        f"2 writes have no known outcome yet; apply again after {until:%H:%M} UTC",
    )
    assert f"after {until:%H:%M} UTC" in report.problems[0].hint
    again = world.apply(plan)
    assert (again.counts, again.awaited, again.complete) == ({}, 2, False)
    world.crm.clock += timedelta(seconds=LIMIT)
    last = world.apply(plan)
    assert (last.counts, last.awaited, last.complete) == ({State.DONE: 2}, 0, True)
    assert world.crm.effects.total() == 2


def test_a_write_that_lands_late_is_found_by_the_next_run_and_is_ours(world: World) -> None:
    change = an_update("C1", TITLE)
    plan = world.save(change)
    world.crm.script = ["late"]
    held, world.crm.late = world.crm.sleep, []

    def slower_still(seconds: float) -> None:
        late, world.crm.late = world.crm.late, []
        held(seconds)
        world.crm.late = late

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.crm, "sleep", slower_still)
        first = world.apply(plan)
    assert first.counts == {State.UNKNOWN: 1}
    world.crm.sleep(60)  # it lands
    second = world.apply(plan)
    assert second.already_done == 1
    assert second.complete
    assert world.crm.effects[change.key] == 1
    world.undo(first.run_id)
    assert world.crm.value("C1", "Title") == "VP Sales"


def test_what_is_certain_soon_is_waited_for_in_place(world: World) -> None:
    world.crm.late_seconds = 25.0
    world.crm.script = ["drop_before"]
    assert world.apply(world.save(an_update("C1", TITLE))).complete
    assert 24 < world.crm.slept <= 25


def test_after_a_kill_a_write_that_shows_is_done_at_once(world: World) -> None:
    key = killed_while_sending(world, carried_out=True)
    reconcile(world.store, world.crm, "acme", world.mapping, run_id=world.start("plan"),
              now=world.crm.now, sleep=world.crm.sleep)  # fmt: skip
    assert state(world, key) is State.DONE
    assert world.crm.slept == 0


def test_after_a_kill_a_write_that_does_not_show_waits_for_the_limit(world: World) -> None:
    key = killed_while_sending(world, carried_out=False)
    run_id = world.start("plan")
    for passed, expected in ((0, State.UNKNOWN), (LIMIT, State.PLANNED)):
        world.crm.clock += timedelta(seconds=passed)
        reconcile(world.store, world.crm, "acme", world.mapping, run_id=run_id,
                  now=world.crm.now, sleep=world.crm.sleep)  # fmt: skip
        assert state(world, key) is expected


def test_a_task_with_a_unique_key_is_looked_for_and_made_again_at_once(world: World) -> None:
    plan = world.save(a_task("C1"))
    world.crm.script = ["drop_before"]
    assert world.apply(plan).counts == {State.DONE: 1}
    assert world.crm.slept <= world.crm.capabilities.settle_seconds
    assert len(world.crm.tasks()) == 1


def test_a_record_with_a_write_under_way_gets_no_other_until_that_is_known(world: World) -> None:
    world.crm.script = ["drop_before"]
    world.apply(world.save(an_update("C1", TITLE)))
    newer = an_update("C1", ("Title", "VP Sales", "CEO"))
    plan = world.save(newer)
    report = world.apply(plan)
    assert world.crm.calls["write"] == 1
    assert report.counts == {State.CONFLICT: 1}
    mine = next(one for one in report.problems if one.key == newer.key)
    assert "earlier write" in mine.message
    assert "Apply again" in mine.hint
    world.crm.clock += timedelta(seconds=LIMIT)
    assert world.apply(plan).counts == {State.DONE: 1}
    assert world.crm.value("C1", "Title") == "CEO"


def test_an_undo_says_that_it_cannot_know_about_a_write_under_way(world: World) -> None:
    plan = world.save(an_update("C1", TITLE), an_update("C2", TITLE))
    world.crm.batch = 1
    world.crm.script = ["ok", "drop_before"]
    run_id = world.apply(plan).run_id
    _, report = world.undo(run_id)
    assert world.crm.value("C1", "Title") == "VP Sales"
    assert (report.awaited, report.complete) == (1, False)
    assert "1 write has no known outcome yet" in report.notices[0]
