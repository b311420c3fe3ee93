"""What `apply` sends, what it leaves alone, and what it says about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.applying.apply import apply_plan
from crm_sync.connector import Outcome, Record, Write, WriteResult
from crm_sync.errors import AccessDenied, Busy, PlanStale, QuotaReached, Refused
from crm_sync.model import Change, Disposition, Entity, Mode, Operation
from crm_sync.store import baselines, journal, plans
from crm_sync.store.states import State
from tests.faults.apply_crm import START, MemoryCrm, World, a_task, an_update, open_world

TITLE = ("Title", "VP Sales", "CRO")
REFUSED = WriteResult(
    Outcome.REJECTED,
    code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
    message="Title is frozen",
    hint="Ask",
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    for id in ("C1", "C2", "C3", "C4", "C5"):
        world.crm.put(id, Title="VP Sales", Moved=False)
    yield world
    world.store.close()


def states(world: World, *changes: Change) -> list[State | None]:
    with world.store.read() as tx:
        held = journal.states(tx, "acme", [one.key for one in changes])
    return [held.get(one.key) for one in changes]


def base(world: World, id: str, field: str) -> object:
    with world.store.read() as tx:
        found = baselines.of_records(tx, "acme", Entity.CONTACT, [id]).get(id, {}).get(field)
    return found.value if found and found.basis == "verified" else None


def decide(world: World, plan: plans.Plan, change: Change, decision: str) -> None:
    with world.store.begin() as tx:
        plans.decide(tx, plan, [change.key], decision, by="analyst", at=START)


def test_updates_go_before_the_tasks_that_talk_about_them(world: World) -> None:
    updates = [an_update(f"C{n}", TITLE) for n in range(1, 6)]
    tasks = [a_task(one.record_id, one.key) for one in updates]
    report = world.apply(world.save(*tasks, *updates))
    kinds = [write.operation for write in world.crm.written]
    assert kinds == [Operation.UPDATE] * 5 + [Operation.CREATE] * 5
    assert report.counts == {State.DONE: 10}
    assert (report.confirmed, report.drifted, report.problems) == (10, 0, ())
    assert base(world, "C1", "Title") == "CRO"


def test_applying_the_same_plan_again_sends_nothing(world: World) -> None:
    plan = world.save(an_update("C1", TITLE), a_task("C1"))
    world.apply(plan)
    written = list(world.crm.written)
    report = world.apply(plan)
    assert (report.counts, report.already_done) == ({}, 2)
    assert world.crm.written == written


def test_a_task_that_a_colleague_deleted_does_not_come_back(world: World) -> None:
    plan = world.save(a_task("C1"))
    world.apply(plan)
    world.crm.rows.clear()
    world.apply(plan)
    assert world.crm.tasks() == []


def test_a_persons_edit_between_plan_and_apply_stays(world: World) -> None:
    drifted = an_update("C1", TITLE, ("Moved", False, True))
    fine = an_update("C2", TITLE)
    plan = world.save(drifted, fine, a_task("C1", drifted.key))
    world.crm.edit(Entity.CONTACT, "C1", Title="Chief Fun Officer")
    report = world.apply(plan)
    assert world.crm.value("C1", "Title") == "Chief Fun Officer"
    assert world.crm.value("C1", "Moved") is False
    assert world.crm.value("C2", "Title") == "CRO"
    assert world.crm.tasks() == []
    assert report.counts == {State.CONFLICT: 1, State.DONE: 1, State.CANCELLED: 1}
    problem = next(one for one in report.problems if one.state == "conflict")
    assert "Title" in problem.message
    assert "Moved" not in problem.message
    assert "Chief Fun Officer" not in repr(report)


def test_a_value_that_somebody_wrote_already_is_left_and_is_not_ours(world: World) -> None:
    change = an_update("C1", TITLE)
    plan = world.save(change)
    world.crm.edit(Entity.CONTACT, "C1", Title=" CRO ")
    report = world.apply(plan)
    assert report.counts == {State.DONE: 1}
    assert world.crm.written == []
    assert base(world, "C1", "Title") is None
    notes, _ = world.undo(report.run_id)
    assert notes.effects == 0
    assert world.crm.value("C1", "Title") == " CRO "


def test_a_deleted_record_is_a_conflict(world: World) -> None:
    plan = world.save(an_update("C9", TITLE))
    report = world.apply(plan)
    assert report.counts == {State.CONFLICT: 1}
    assert "no longer in the CRM" in report.problems[0].message


def test_a_workflow_that_rewrites_our_value_is_drift_and_moves_no_baseline(world: World) -> None:
    change = an_update("C1", TITLE, ("Moved", False, True))
    plan = world.save(change)
    read = world.crm.read

    def rewriting(entity: Entity, ids: list[str], fields: list[str]) -> object:
        if world.crm.value("C1", "Title") == "CRO":
            world.crm.edit(Entity.CONTACT, "C1", Title="Cro")
        return read(entity, ids, fields)

    world.crm.read = rewriting  # type: ignore[method-assign, assignment]
    report = world.apply(plan)
    assert (report.confirmed, report.drifted) == (0, 1)
    assert report.problems[0].state == "drift"
    assert base(world, "C1", "Title") is None
    assert base(world, "C1", "Moved") is True


def test_rows_that_the_crm_rejects_are_named_and_the_rest_is_written(world: World) -> None:
    changes = [an_update(f"C{n}", TITLE) for n in range(1, 6)]
    plan = world.save(*changes)
    world.crm.refuse[changes[2].key] = REFUSED
    report = world.apply(plan)
    assert report.counts == {State.DONE: 4, State.REJECTED: 1}
    assert not report.complete
    [problem] = report.problems
    assert (problem.record_id, problem.code, problem.hint) == ("C3", REFUSED.code, "Ask")
    assert problem.message == "Title is frozen"
    world.crm.refuse.clear()
    assert world.apply(plan).counts == {State.DONE: 1}


def test_a_task_waits_for_an_update_that_nobody_has_approved_yet(world: World) -> None:
    update = an_update("C1", TITLE, disposition=Disposition.REVIEW)
    task = a_task("C1", update.key)
    plan = world.save(update, task)
    report = world.apply(plan)
    assert report.counts == {}
    assert sum(report.skipped.values()) == 2
    assert states(world, update, task) == [None, None]
    decide(world, plan, update, plans.APPROVED)
    assert world.apply(plan).counts == {State.DONE: 2}


def test_what_a_person_rejected_never_goes(world: World) -> None:
    update, other = an_update("C1", TITLE), an_update("C2", TITLE)
    plan = world.save(update, other, a_task("C1", update.key))
    decide(world, plan, update, plans.REJECTED)
    report = world.apply(plan)
    assert [write.record_id for write in world.crm.written] == ["C2"]
    assert report.counts == {State.DONE: 1, State.CANCELLED: 1}
    again = world.save(update)
    assert world.apply(again).counts == {}


def test_an_approval_of_another_content_of_the_plan_does_not_count(world: World) -> None:
    update = an_update("C1", TITLE, disposition=Disposition.REVIEW)
    plan = world.save(update)
    altered = replace(plan, changes=(replace(update, confidence=0.5),))
    decide(world, altered, update, plans.APPROVED)
    assert world.apply(plan).counts == {}


def test_a_plan_that_was_altered_after_it_was_stored_is_refused(world: World) -> None:
    plan = world.save(an_update("C1", TITLE))
    forged = replace(plan, changes=(an_update("C1", ("Title", "VP Sales", "Nobody")),))
    with pytest.raises(PlanStale, match="not what was stored"):
        world.apply(forged)
    assert world.crm.written == []


def test_an_expired_plan_is_refused_with_the_way_out(world: World) -> None:
    plan = world.save(an_update("C1", TITLE), expires_at=START + timedelta(milliseconds=1))
    with pytest.raises(PlanStale, match="crm-sync plan"):
        world.apply(plan)
    assert world.crm.calls["write"] == 0


def test_shadow_mode_never_writes_even_what_was_approved(world: World) -> None:
    update = an_update("C1", TITLE)
    plan = world.save(update, mode=Mode.SHADOW)
    decide(world, plan, update, plans.APPROVED)
    with pytest.raises(Refused, match="shadow"):
        world.apply(plan)
    assert world.crm.calls["write"] == 0


@pytest.mark.parametrize("stop", [QuotaReached("enough"), AccessDenied("revoked")])
def test_a_stop_in_the_middle_keeps_what_was_done_and_resumes(
    world: World, stop: Exception
) -> None:
    changes = [an_update(f"C{n}", TITLE) for n in range(1, 6)]
    plan = world.save(*changes, *[a_task(one.record_id, one.key) for one in changes])
    world.crm.script = ["ok", stop]
    with pytest.raises(type(stop)):
        world.apply(plan)
    assert states(world, *changes) == [
        State.DONE, State.DONE, State.PLANNED, State.PLANNED, None,
    ]  # fmt: skip
    assert world.apply(plan).complete
    assert set(world.crm.effects.values()) == {1}
    assert len(world.crm.tasks()) == 5


def test_nothing_is_sent_before_its_intent_is_committed(world: World) -> None:
    changes = [an_update(f"C{n}", TITLE) for n in range(1, 6)]
    plan = world.save(*changes)
    send = world.crm.write_chunk
    seen = []

    def watched(writes: list[object]) -> object:
        with world.store.read() as tx:
            held = journal.states(tx, "acme", [one.key for one in writes])  # type: ignore[attr-defined]
        seen.extend(held.values())
        return send(writes)  # type: ignore[arg-type]

    world.crm.write_chunk = watched  # type: ignore[method-assign, assignment]
    world.apply(plan)
    assert seen == [State.SENDING] * 5


def test_two_processes_cannot_apply_on_one_connection(world: World) -> None:
    plan = world.save(an_update("C1", TITLE))
    with world.store.lock("acme"), pytest.raises(Busy):
        world.apply(plan)
    assert world.crm.written == []


def test_a_record_is_written_once_per_batch_and_the_second_change_sees_the_first(
    world: World,
) -> None:
    world.crm.batch = 5
    first = an_update("C1", TITLE)
    second = an_update("C1", ("Moved", False, True))
    against = an_update("C1", ("Title", "VP Sales", "CFO"))
    report = world.apply(world.save(first, second, against))
    assert world.crm.value("C1", "Title") == "CRO"
    assert world.crm.value("C1", "Moved") is True
    assert report.counts == {State.DONE: 2, State.CONFLICT: 1}


def test_without_a_unique_key_an_unknown_task_is_left_to_a_person(world: World) -> None:
    world.crm.described = False
    plan = world.save(a_task("C1"))
    world.crm.script = ["drop_after"]
    for _ in range(2):
        report = world.apply(plan)
        assert len(world.crm.tasks()) == 1
        assert "not sent again" in report.problems[0].hint
    assert world.crm.calls["write"] == 1
    assert world.crm.slept == 0


def test_lost_answers_are_waited_for_once_a_phase_and_not_once_a_batch(world: World) -> None:
    changes = [an_update(f"C{n}", TITLE) for n in range(1, 6)]
    world.crm.script = ["drop_before", "drop_after", "drop_before"]
    assert world.apply(world.save(*changes)).complete
    settle = world.crm.capabilities.settle_seconds
    assert settle - 1 < world.crm.slept <= settle


def test_an_update_without_an_answer_that_a_person_edits_meanwhile_is_not_sent_again(
    world: World,
) -> None:
    change = an_update("C1", TITLE)
    plan = world.save(change)
    world.crm.script = ["drop_before"]
    sleep = world.crm.sleep

    def meanwhile(seconds: float) -> None:
        sleep(seconds)
        world.crm.edit(Entity.CONTACT, "C1", Title="Founder")

    world.crm.sleep = meanwhile  # type: ignore[method-assign]
    report = world.apply(plan)
    assert world.crm.value("C1", "Title") == "Founder"
    assert report.counts == {State.CONFLICT: 1}


def test_an_update_without_an_answer_of_which_a_person_edits_a_part_is_known_to_be_ours(
    world: World,
) -> None:
    plan = world.save(an_update("C1", TITLE, ("Moved", False, True)))
    world.crm.script = ["drop_after"]
    send = world.crm.write_chunk

    def then_edited(writes: Sequence[Write]) -> list[WriteResult]:
        results = send(writes)
        world.crm.edit(Entity.CONTACT, "C1", Title="Founder")
        return results

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.crm, "write_chunk", then_edited)
        report = world.apply(plan)
    assert (report.counts, report.drifted) == ({State.DONE: 1}, 1)
    world.undo(report.run_id)
    assert world.crm.value("C1", "Title") == "Founder"
    assert world.crm.value("C1", "Moved") is False


def test_a_task_that_a_late_write_made_is_found_and_not_sent_again(world: World) -> None:
    plan = world.save(a_task("C1"))
    world.crm.script = ["late"]
    arriving: list[Write] = []

    def too_early(seconds: float) -> None:
        arriving.extend(world.crm.late)
        world.crm.late.clear()

    find, looked = world.crm.find, []

    def finding(*args: Any) -> list[Record]:
        looked.append(args)
        if len(looked) == 3:  # after the settling found nothing, twice
            world.crm.late, arriving[:] = list(arriving), []
            MemoryCrm.sleep(world.crm, 0)
        return find(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.crm, "sleep", too_early)
        patch.setattr(world.crm, "find", finding)
        report = world.apply(plan)
    assert report.counts == {State.DONE: 1}
    assert world.crm.calls["write"] == 1
    assert len(world.crm.tasks()) == 1
    assert world.undo(report.run_id)[0].kept == ()


def test_a_key_that_the_crm_calls_taken_but_nobody_has_is_a_rejection(world: World) -> None:
    task = a_task("C1")
    plan = world.save(task)
    world.crm.refuse[task.key] = WriteResult(
        Outcome.REJECTED, code="DUPLICATE_VALUE", message="another field is", duplicate_key=True
    )
    report = world.apply(plan)
    assert report.counts == {State.REJECTED: 1}
    assert report.problems[0].message == "another field is"


def test_a_task_of_a_lost_database_is_found_and_not_made_again(
    world: World, tmp_path: Path
) -> None:
    task = a_task("C1")
    world.apply(world.save(task))
    fresh = open_world(tmp_path / "new.db", world.crm)
    world.crm.clock += timedelta(days=3)
    report = fresh.apply(fresh.save(task))
    assert report.counts == {State.DONE: 1}
    assert len(world.crm.tasks()) == 1
    notes, _ = fresh.undo(report.run_id)
    assert len(world.crm.tasks()) == 1, "nobody knows whether a colleague has worked on it"
    assert "does not say" in notes.kept[0].why
    fresh.store.close()


def test_progress_reaches_its_total_whatever_became_of_the_changes(world: World) -> None:
    changes = [an_update(f"C{n}", TITLE) for n in range(1, 6)]
    plan = world.save(*changes, a_task("C1", changes[0].key), a_task("C2", "nothing like it"))
    world.crm.script = ["drop_before"]
    told: list[tuple[int, int]] = []
    apply_plan(
        world.store, world.crm, plan, world.mapping, run_id=world.start("apply", plan.id),
        now=world.crm.now, sleep=world.crm.sleep, progress=lambda *at: told.append(at),
    )  # fmt: skip
    assert told[-1] == (7, 7)
    assert told == sorted(told)
