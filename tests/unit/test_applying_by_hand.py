"""What nobody can read from the CRM a person can say; it is kept who did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_sync.applying import settle_by_hand
from crm_sync.applying.lateness import PATIENCE
from crm_sync.errors import Busy, NotFound, Refused, UsageError
from crm_sync.model import Plan
from crm_sync.store import journal
from crm_sync.store.intents import Intent
from crm_sync.store.states import State
from tests.faults.apply_crm import KilledHereError, World, a_task, an_update, links_of, open_world

TITLE = ("Title", "VP Sales", "CRO")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    world.crm.put("C1", Title="VP Sales")
    world.crm.described = False
    yield world
    world.store.close()


def lost(world: World, fault: str) -> Plan:
    """A plan whose only task has no known outcome."""
    task = a_task("C1")
    plan = world.save(task, *links_of(task, contact_id="C1"))
    world.crm.script = [fault]
    assert world.apply(plan).problems[0].state == State.UNKNOWN
    return plan


def settle(world: World, prefix: str, *, there: bool, late_seconds: float = 0.0) -> Intent:
    return settle_by_hand(
        world.store, "acme", prefix, there=there, run_id=world.start("settle"),
        now=world.crm.now(), by="alex", late_seconds=late_seconds,
    )  # fmt: skip


def test_the_report_says_how_to_settle_it(world: World) -> None:
    plan = lost(world, "drop_after")
    [problem] = world.apply(plan).problems
    assert f"crm-sync settle {plan.proposed[0].short_id} --there | --absent" in problem.hint


def test_what_is_there_is_done_for_good_and_never_sent_again(world: World) -> None:
    plan = lost(world, "drop_after")
    settled = settle(world, plan.proposed[0].short_id, there=True)
    assert (settled.state, settled.record_id) == (State.DONE, "")
    for _ in range(2):
        report = world.apply(plan)
        assert (report.already_done, report.problems) == (1, ())
        assert report.complete
    assert len(world.crm.tasks()) == 1


def test_what_is_absent_goes_with_the_next_apply(world: World) -> None:
    plan = lost(world, "drop_before")
    assert settle(world, plan.proposed[0].key.upper(), there=False).state is State.PLANNED
    report = world.apply(plan)
    assert report.complete
    assert report.counts == {State.DONE: 1}
    assert len(world.crm.tasks()) == 1


def test_the_history_says_who_said_so(world: World) -> None:
    plan = lost(world, "drop_before")
    settled = settle(world, plan.proposed[0].key, there=False)
    with world.store.read() as tx:
        *_, (_, run_id, state, detail) = journal.history(tx, settled.id)
    assert (state, detail) == (State.PLANNED, "alex said: it is not there")
    assert run_id > plan.id


def test_absent_is_not_believed_while_the_crm_may_still_carry_it_out(world: World) -> None:
    plan = lost(world, "drop_before")
    with pytest.raises(Refused, match="may still"):
        settle(world, plan.proposed[0].key, there=False, late_seconds=600)
    world.crm.sleep(601)
    assert settle(world, plan.proposed[0].key, there=False, late_seconds=600).state is State.PLANNED


def test_what_a_killed_process_left_can_be_settled(world: World) -> None:
    plan = world.save(a_task("C1"))

    def write_chunk(writes: object) -> None:
        raise KilledHereError

    world.crm.write_chunk = write_chunk  # type: ignore[method-assign,assignment]
    with pytest.raises(KilledHereError):
        world.apply(plan)
    assert world.state(plan.proposed[0]) is State.SENDING
    assert settle(world, plan.proposed[0].key, there=True).state is State.DONE


def test_an_update_that_is_said_to_be_there_is_read_back(world: World) -> None:
    change = an_update("C1", TITLE)
    world.crm.late_seconds = PATIENCE.total_seconds() + 60
    world.crm.script = ["drop_before"]
    plan = world.save(change)
    assert world.apply(plan).awaited == 1
    settle(world, change.key, there=True)
    world.apply(plan)
    with world.store.read() as tx:
        assert journal.by_keys(tx, "acme", [change.key])[change.key].verified == "drift"


def test_undo_says_that_it_cannot_delete_what_has_no_id(world: World) -> None:
    plan = lost(world, "drop_after")
    settle(world, plan.proposed[0].key, there=True)
    notes, _ = world.undo(1)
    [kept] = notes.kept
    assert "delete it in the CRM" in kept.why
    assert len(world.crm.tasks()) == 1


def test_what_is_not_unknown_or_not_the_only_one_is_refused(world: World) -> None:
    plan = lost(world, "drop_before")
    with pytest.raises(NotFound):
        settle(world, "no such key", there=True)
    with pytest.raises(NotFound):
        settle(world, "", there=True)
    settle(world, plan.proposed[0].key, there=True)
    with pytest.raises(NotFound):
        settle(world, plan.proposed[0].key, there=False)
    many = world.save(*(a_task("C1", subject=f"Task {n}") for n in range(40)))
    world.crm.script = ["drop_before"] * 20
    world.apply(many)
    first = many.proposed[0].key[0]
    assert sum(one.key.startswith(first) for one in many.proposed) > 1
    with pytest.raises(UsageError, match="begin with"):
        settle(world, first, there=True)


def test_it_waits_for_nobody_who_is_at_work(world: World) -> None:
    plan = lost(world, "drop_before")
    with world.store.lock("acme"), pytest.raises(Busy):
        settle(world, plan.proposed[0].key, there=True)
