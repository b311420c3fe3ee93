"""What a change was judged by is looked at again when it is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_sync.connector import Page
from crm_sync.model import Baseline, Change, Entity, FieldChange, Record, Scalar
from crm_sync.store import baselines, records
from crm_sync.store.states import State
from tests.faults.apply_crm import World, a_task, an_update, open_world

FLAG = ("Moved", False, True)
WATCHED = (
    FieldChange("title", "Title", "VP Sales", "VP Sales"),
    FieldChange("account_id", "AccountId", "A1", "A1"),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    for id in ("C1", "C2"):
        world.crm.put(id, Title="VP Sales", AccountId="A1", Moved=False)
    yield world
    world.store.close()


@pytest.mark.parametrize(("field", "value"), [("Title", "CFO"), ("AccountId", "A2")])
def test_an_update_whose_grounds_a_person_has_changed_is_not_written(
    world: World, field: str, value: str
) -> None:
    changed, fine = an_update("C1", FLAG, watched=WATCHED), an_update("C2", FLAG, watched=WATCHED)
    plan = world.save(changed, fine, a_task("C1", changed.key))
    world.crm.edit(Entity.CONTACT, "C1", **{field: value})
    report = world.apply(plan)
    assert world.crm.value("C1", "Moved") is False
    assert world.crm.value("C2", "Moved") is True
    assert world.crm.tasks() == []
    assert report.counts == {State.CONFLICT: 1, State.DONE: 1, State.CANCELLED: 1}
    problem = next(one for one in report.problems if one.state == "conflict")
    assert field in problem.message
    assert value not in repr(report)


def test_a_task_that_stands_alone_is_not_made_when_its_grounds_are_gone(world: World) -> None:
    changed, fine = a_task("C1", watched=WATCHED), a_task("C2", watched=WATCHED)
    plan = world.save(changed, fine)
    world.crm.edit(Entity.CONTACT, "C1", Title="CFO")
    report = world.apply(plan)
    assert [row.fields["WhoId"] for row in world.crm.tasks()] == ["C2"]
    assert report.counts == {State.CONFLICT: 1, State.DONE: 1}
    assert "Title" in report.problems[0].message


def test_a_task_about_a_contact_that_is_gone_is_not_made(world: World) -> None:
    plan = world.save(a_task("C1", watched=WATCHED))
    del world.crm.rows[Entity.CONTACT, "C1"]
    assert world.apply(plan).counts == {State.CONFLICT: 1}
    assert world.crm.tasks() == []


def test_a_task_is_not_stopped_by_the_update_that_it_talks_about(world: World) -> None:
    update = an_update("C1", ("Title", "VP Sales", "CRO"))
    plan = world.save(update, a_task("C1", update.key, watched=WATCHED))
    assert world.apply(plan).counts == {State.DONE: 2}


def test_grounds_that_changed_since_do_not_stop_an_undo(world: World) -> None:
    run_id = world.apply(world.save(an_update("C1", FLAG, watched=WATCHED))).run_id
    world.crm.edit(Entity.CONTACT, "C1", Title="CFO")
    assert world.undo(run_id)[1].complete
    assert world.crm.value("C1", "Moved") is False
    assert world.crm.value("C1", "Title") == "CFO"


def test_what_is_only_looked_at_is_neither_written_nor_taken_for_ours(world: World) -> None:
    report = world.apply(world.save(an_update("C1", FLAG, watched=WATCHED)))
    [write] = world.crm.written
    assert dict(write.fields) == {"Moved": True}
    assert report.confirmed == 1


def pulled(world: World) -> None:
    """Our copies of all contacts, as the CRM has them now."""
    found = [
        Record(entity, id, dict(row.fields) | {"Phone": "1"}, row.modified)
        for (entity, id), row in world.crm.rows.items()
        if entity is Entity.CONTACT
    ]
    with world.store.begin() as tx:
        records.save_page(
            tx, "acme", Entity.CONTACT, Page(found, [], "c", complete=True),
            scope="s", watched=("Title", "AccountId", "Moved"), at=world.crm.now(),
        )  # fmt: skip


def edited_without_a_date(world: World, id: str, **fields: Scalar) -> None:
    world.crm.rows[Entity.CONTACT, id].fields.update(fields)


def copy_of(world: World, id: str) -> dict[str, Scalar]:
    with world.store.read() as tx:
        return dict(records.records_of(tx, "acme", Entity.CONTACT, [id])[id].fields)


def bases_of(world: World, id: str) -> dict[str, Baseline]:
    with world.store.read() as tx:
        return baselines.of_records(tx, "acme", Entity.CONTACT, [id]).get(id, {})


@pytest.mark.parametrize("make", [lambda: an_update("C1", FLAG, watched=WATCHED),
                                  lambda: a_task("C1", watched=WATCHED)])  # fmt: skip
def test_what_stopped_a_change_is_kept_though_no_pull_would_bring_it(
    world: World, make: Callable[[], Change]
) -> None:
    pulled(world)
    plan = world.save(make())
    edited_without_a_date(world, "C1", AccountId="A2")
    assert world.apply(plan).counts == {State.CONFLICT: 1}
    assert copy_of(world, "C1") == {
        "Title": "VP Sales", "AccountId": "A2", "Moved": False, "Phone": "1",
    }  # fmt: skip
    edit = bases_of(world, "C1")["AccountId"]
    assert (edit.value, edit.live) == ("A1", "A2")
    assert bases_of(world, "C1").keys() == {"AccountId"}
    assert copy_of(world, "C2")["AccountId"] == "A1"


def test_what_a_person_wrote_before_us_is_their_edit_as_for_a_pull(world: World) -> None:
    pulled(world)
    plan = world.save(an_update("C1", FLAG, watched=WATCHED))
    world.crm.edit(Entity.CONTACT, "C1", Moved=True)
    assert world.apply(plan).complete
    edit = bases_of(world, "C1")["Moved"]
    assert (edit.basis, edit.value, edit.live) == ("seen", False, True)


def test_our_own_late_write_is_nobodys_edit(world: World) -> None:
    pulled(world)
    world.crm.late_seconds = 3600.0
    plan = world.save(an_update("C1", FLAG, watched=WATCHED))
    world.crm.script = ["late"]
    world.apply(plan)
    world.apply(plan)
    base = bases_of(world, "C1")["Moved"]
    assert (base.basis, base.value, base.edited_at) == ("verified", True, None)


def test_a_record_with_an_open_write_of_ours_is_not_taken_for_edited(world: World) -> None:
    pulled(world)
    world.crm.late_seconds = 3600.0
    world.crm.script = ["drop_before"]
    world.apply(world.save(an_update("C1", FLAG)))
    edited_without_a_date(world, "C1", Title="CFO")
    report = world.apply(world.save(an_update("C1", ("Phone", None, "2"), watched=WATCHED)))
    assert report.counts == {State.CONFLICT: 1}
    assert copy_of(world, "C1")["Title"] == "VP Sales"
    assert bases_of(world, "C1") == {}
