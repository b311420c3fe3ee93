"""Undo restores everything that nobody has edited since, and says what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from crm_sync.applying.undo import undo_plan
from crm_sync.connector import Gone, Page
from crm_sync.errors import NotFound, QuotaReached, UsageError
from crm_sync.model import Baseline, Entity, Record
from crm_sync.store import baselines, plans, records, runs
from crm_sync.store.states import State
from tests.faults.apply_crm import KilledHereError, Row, World, a_task, an_update, open_world

FIELDS = (("Title", "VP Sales", "CRO"), ("Moved", False, True), ("New", None, "Acme"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    for id in ("C1", "C2", "C3"):
        world.crm.put(id, Title="VP Sales", Moved=False, New=None)
    yield world
    world.store.close()


def a_run(world: World) -> int:
    updates = [an_update(id, *FIELDS) for id in ("C1", "C2", "C3")]
    tasks = [a_task(one.record_id, one.key) for one in updates]
    return world.apply(world.save(*updates, *tasks)).run_id


def test_everything_is_as_it_was(world: World) -> None:
    run_id = a_run(world)
    notes, report = world.undo(run_id)
    assert (notes.effects, notes.already, notes.kept) == (6, 0, ())
    assert report.counts == {State.DONE: 6}
    for id in ("C1", "C2", "C3"):
        assert [world.crm.value(id, name) for name, _, _ in FIELDS] == ["VP Sales", False, None]
    assert world.crm.tasks() == []
    with world.store.read() as tx:
        bases = baselines.of_records(tx, "acme", Entity.CONTACT, ["C1"])["C1"]
    assert {name: one.value for name, one in bases.items()} == {
        "Title": "VP Sales", "Moved": False, "New": None,
    }  # fmt: skip


def test_a_field_that_a_person_edited_stays_and_the_others_go_back(world: World) -> None:
    run_id = a_run(world)
    world.crm.edit(Entity.CONTACT, "C1", Title="Founder")
    notes, _ = world.undo(run_id)
    assert world.crm.value("C1", "Title") == "Founder"
    assert world.crm.value("C1", "Moved") is False
    [kept] = notes.kept
    assert (kept.record_id, kept.fields) == ("C1", ("Title",))


def test_a_record_with_every_field_edited_is_left_whole(world: World) -> None:
    run_id = a_run(world)
    world.crm.edit(Entity.CONTACT, "C1", Title="a", Moved="b", New="c")
    notes, report = world.undo(run_id)
    assert [world.crm.value("C1", name) for name, _, _ in FIELDS] == ["a", "b", "c"]
    assert report.counts == {State.DONE: 5}
    assert notes.kept[0].fields == ("Title", "Moved", "New")


@pytest.mark.parametrize("edit", [{"Subject": "Call her"}, {"Comments": "we spoke"}])
def test_a_task_that_a_colleague_has_worked_on_stays(world: World, edit: dict[str, str]) -> None:
    run_id = a_run(world)
    task_id = world.crm.task_ids()[1]
    world.crm.edit(Entity.TASK, task_id, **edit)
    notes, _ = world.undo(run_id)
    assert world.crm.task_ids() == [task_id]
    [kept] = notes.kept
    assert (kept.entity, kept.record_id) == (Entity.TASK, task_id)
    assert "edited" in kept.why


def test_a_task_that_a_colleague_edits_between_undo_and_delete_stays(world: World) -> None:
    run_id = a_run(world)
    plan, _ = undo_plan(world.store, world.crm, run_id, world.mapping, world.crm.now())
    task_id = world.crm.task_ids()[0]
    world.crm.edit(Entity.TASK, task_id, Comments="we spoke")
    with world.store.begin() as tx:
        plan = plans.save_plan(tx, plan)
    report = world.apply(plan)
    assert world.crm.task_ids() == [task_id]
    assert report.counts == {State.DONE: 5, State.CONFLICT: 1}


def test_a_task_that_is_gone_already_is_no_trouble(world: World) -> None:
    run_id = a_run(world)
    del world.crm.rows[Entity.TASK, world.crm.task_ids()[0]]
    notes, report = world.undo(run_id)
    assert (notes.already, notes.kept) == (1, ())
    assert report.complete


def test_a_task_without_a_date_from_the_crm_is_not_deleted(world: World) -> None:
    run_id = a_run(world)
    read = world.crm.read
    world.crm.read = lambda *a: [replace(one, modified=None) for one in read(*a)]  # type: ignore[method-assign]
    notes, _ = world.undo(run_id)
    assert len(world.crm.tasks()) == 3
    assert len(notes.kept) == 3


def test_undoing_twice_finds_nothing_left_even_if_a_person_wrote_our_value_again(
    world: World,
) -> None:
    run_id = a_run(world)
    world.undo(run_id)
    world.crm.edit(Entity.CONTACT, "C1", Title="CRO")
    notes, report = world.undo(run_id)
    assert notes.nothing_left
    assert report.counts == {}
    assert world.crm.value("C1", "Title") == "CRO"


def test_an_undo_cannot_be_undone(world: World) -> None:
    run_id = a_run(world)
    _, report = world.undo(run_id)
    with pytest.raises(UsageError, match=f"run {report.run_id} took back run {run_id}"):
        world.undo(report.run_id)


def test_a_run_that_does_not_exist_is_named(world: World) -> None:
    with pytest.raises(NotFound, match="no run 77"):
        world.undo(77)


def test_what_was_undone_does_not_come_again_and_its_task_neither(world: World) -> None:
    update = an_update("C1", *FIELDS)
    plan = world.save(update, a_task("C1", update.key))
    world.crm.script = ["ok", QuotaReached("enough")]
    with pytest.raises(QuotaReached):
        world.apply(plan)
    with world.store.read() as tx:
        [stopped] = runs.list_runs(tx, "acme")
    world.undo(stopped.id)
    report = world.apply(plan)
    assert world.crm.tasks() == []
    assert world.crm.value("C1", "Title") == "VP Sales"
    assert report.counts == {State.CANCELLED: 1}
    with world.store.read() as tx:
        assert update.key in plans.rejected_keys(tx, "acme")


def test_runs_undone_in_the_wrong_order_still_end_at_the_first_value(world: World) -> None:
    first = world.apply(world.save(an_update("C1", *FIELDS))).run_id
    second = world.apply(world.save(an_update("C1", ("Title", "CRO", "CEO")))).run_id
    notes, _ = world.undo(first)
    assert notes.kept[0].fields == ("Title",)
    assert "later run" in notes.kept[0].why
    world.undo(second)
    world.undo(first)
    assert world.crm.value("C1", "Title") == "VP Sales"
    assert world.undo(first)[0].nothing_left


def test_planning_an_undo_writes_nothing(world: World) -> None:
    run_id = a_run(world)
    written = len(world.crm.written)
    plan, notes = undo_plan(world.store, world.crm, run_id, world.mapping, world.crm.now())
    assert len(plan.changes) == 6
    assert not notes.nothing_left
    assert len(world.crm.written) == written
    assert world.crm.value("C1", "Title") == "CRO"


def test_a_stamp_read_long_after_the_sending_is_not_believed(world: World) -> None:
    plan = world.save(a_task("C1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.crm, "read", killed)
        with pytest.raises(KilledHereError):
            world.apply(plan)
    [task_id] = world.crm.task_ids()
    world.crm.clock += timedelta(hours=1)
    world.crm.edit(Entity.TASK, task_id, Comments="we spoke")
    world.apply(plan)
    with world.store.read() as tx:
        first = runs.list_runs(tx, "acme")[-1]
    notes, _ = world.undo(first.id)
    assert world.crm.task_ids() == [task_id]
    assert notes.kept[0].record_id == task_id


def killed(*_: object) -> NoReturn:
    """The process ends after the task was made, before it was read back."""
    raise KilledHereError


def merge(world: World, *ids: str, **kept: str | bool | None) -> None:
    """The CRM merges these contacts into N1, and a pull tells it; N1 holds the last one's values,
    save those that are given."""
    fields = world.crm.rows[Entity.CONTACT, ids[-1]].fields | kept
    world.crm.rows[Entity.CONTACT, "N1"] = Row(fields, world.crm.now())
    for id in ids:
        del world.crm.rows[Entity.CONTACT, id]
    pull(world, *ids, survivor="N1")


def pull(world: World, *gone: str, survivor: str | None = None) -> None:
    at = world.crm.now()
    held = [Record(Entity.CONTACT, id, {}, at) for id in ({*gone, survivor} - {None}) if id]
    told = [Gone(Entity.CONTACT, id, survivor) for id in gone]
    for page in (Page(held, [], "c"), Page([], told, "d", complete=True)):
        with world.store.begin() as tx:
            records.save_page(tx, "acme", Entity.CONTACT, page, scope="s", watched=(), at=at)


def values(world: World, id: str) -> list[object]:
    return [world.crm.value(id, name) for name, _, _ in FIELDS]


def test_what_we_wrote_is_taken_back_from_the_survivor_of_a_merge(world: World) -> None:
    run_id = a_run(world)
    world.crm.put("D1", Title="CRO", Moved=True, New="Acme", Phone="1")
    merge(world, "D1", "C1", Phone="1")
    notes, report = world.undo(run_id)
    assert (notes.effects, notes.already, notes.kept) == (6, 0, ())
    assert report.counts == {State.DONE: 6}
    assert values(world, "N1") == ["VP Sales", False, None]
    assert world.crm.value("N1", "Phone") == "1"
    assert world.crm.tasks() == []
    assert world.undo(run_id)[0].nothing_left


def test_of_a_survivor_only_what_is_still_ours_is_taken_back(world: World) -> None:
    run_id = a_run(world)
    merge(world, "C1", Title="Founder", New=None)
    notes, _ = world.undo(run_id)
    [kept] = notes.kept
    assert (kept.record_id, kept.fields, notes.already) == ("C1", ("Title",), 0)
    assert "merged into N1" in kept.why
    assert values(world, "N1") == ["Founder", False, None]


def test_what_a_person_had_set_on_the_survivor_stays_though_it_is_the_same(world: World) -> None:
    run_id = a_run(world)
    merge(world, "C1")
    edit = Baseline("Junior", "seen", world.crm.now(), world.crm.now(), "CRO")
    with world.store.begin() as tx:
        baselines.put(tx, "acme", Entity.CONTACT, {"N1": {"Title": edit}})
    notes, _ = world.undo(run_id)
    [kept] = notes.kept
    assert (kept.record_id, kept.fields) == ("C1", ("Title",))
    assert values(world, "N1") == ["CRO", False, None]


def test_two_records_of_ours_that_were_merged_give_back_one_value(world: World) -> None:
    world.crm.rows[Entity.CONTACT, "C2"].fields["Title"] = "CFO"
    first = an_update("C1", *FIELDS)
    second = an_update("C2", ("Title", "CFO", "CRO"), *FIELDS[1:])
    run_id = world.apply(world.save(first, second)).run_id
    merge(world, "C1", "C2")
    notes, report = world.undo(run_id)
    [kept] = notes.kept
    assert (kept.key, kept.fields) == (first.key, ("Title",))
    assert report.complete
    assert values(world, "N1") == ["CFO", False, None]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_contact_that_is_gone_is_not_said_to_be_as_it_was(world: World, is_told: bool) -> None:
    run_id = a_run(world)
    del world.crm.rows[Entity.CONTACT, "C1"]
    if is_told:
        pull(world, "C1")
    notes, report = world.undo(run_id)
    [kept] = notes.kept
    assert (kept.record_id, notes.already) == ("C1", 0)
    assert kept.why.startswith("no longer in the CRM")
    assert report.counts == {State.DONE: 5}


def test_a_merge_that_is_told_after_a_first_undo_is_followed_by_a_second(world: World) -> None:
    run_id = a_run(world)
    fields = world.crm.rows.pop((Entity.CONTACT, "C1")).fields
    world.crm.rows[Entity.CONTACT, "N1"] = Row(fields, world.crm.now())
    assert len(world.undo(run_id)[0].kept) == 1
    pull(world, "C1", survivor="N1")
    notes, report = world.undo(run_id)
    assert (notes.kept, report.counts) == ((), {State.DONE: 1})
    assert values(world, "N1") == ["VP Sales", False, None]


def test_a_survivor_that_is_gone_as_well_is_named(world: World) -> None:
    run_id = a_run(world)
    merge(world, "C1")
    del world.crm.rows[Entity.CONTACT, "N1"]
    [kept] = world.undo(run_id)[0].kept
    assert kept.why.startswith("merged into N1: no longer in the CRM")
