"""Links follow their task: made after it, with it undone, and never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crm_sync.applying.apply import ApplyReport
from crm_sync.connector import Gone, Outcome, Page, Write, WriteResult
from crm_sync.errors import Unreachable
from crm_sync.model import Change, Decision, Entity, Operation, Plan, Record
from crm_sync.store import journal, plans, records
from crm_sync.store.states import State
from tests.faults.apply_crm import (
    KilledHereError,
    Row,
    World,
    a_task,
    an_update,
    links_of,
    open_world,
)

CONTACTS, COMPANIES = "associations.contacts", "associations.companies"
TITLE = ("Title", "VP Sales", "CRO")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    for id in ("C1", "C2", "C3"):
        world.crm.put(id, Title="VP Sales")
        world.crm.rows[Entity.ACCOUNT, f"A{id}"] = Row({}, world.crm.now())
    yield world
    world.store.close()


def plan_of(world: World, *ids: str, **settings: object) -> Plan:
    """A task about each contact, linked to it and to its account."""
    changes: list[Change] = []
    for id in ids:
        task = replace(a_task(id), **settings)  # type: ignore[arg-type]
        changes += [task, *links_of(task, contact_id=id, account_id=f"A{id}")]
    return world.save(*changes)


def links(world: World) -> list[Write]:
    return [one for one in world.crm.written if one.operation is Operation.LINK]


def assert_linked(world: World, *ids: str) -> None:
    found = sorted((str(r.fields[CONTACTS]), str(r.fields[COMPANIES])) for r in world.crm.tasks())
    assert found == [(id, f"A{id}") for id in ids]


def killed_before_the_links(world: World, plan: Plan) -> None:
    """Die just before the first link is sent; the task is made, and read back."""
    carry_out = world.crm.write_chunk

    def write_chunk(writes: list[Write]) -> list[WriteResult]:
        if writes[0].operation is Operation.LINK:
            raise KilledHereError
        return carry_out(writes)

    world.crm.write_chunk = write_chunk  # type: ignore[method-assign,assignment]
    with pytest.raises(KilledHereError):
        world.apply(plan)
    world.crm.write_chunk = carry_out  # type: ignore[method-assign]
    assert len(world.crm.tasks()) == len(plan.proposed)
    assert not links(world)


def test_a_task_is_made_first_and_then_linked_and_counts_once(world: World) -> None:
    report = world.apply(plan_of(world, "C1", "C2", "C3"))
    assert_linked(world, "C1", "C2", "C3")
    assert report.complete
    assert (report.counts, report.confirmed) == ({State.DONE: 3}, 3)
    assert report.problems == ()
    kinds = [one.operation for one in world.crm.written]
    assert kinds == [Operation.CREATE] * 3 + [Operation.LINK] * 6
    assert all(
        one.to is not None and [one.to.id] == list(one.fields.values()) for one in links(world)
    )
    assert world.apply(plan_of(world, "C1")).already_done == 1
    assert len(links(world)) == 6


def test_a_plan_without_links_costs_no_further_call(world: World) -> None:
    world.apply(world.save(a_task("C1")))
    assert (world.crm.calls["write"], world.crm.calls["read"]) == (1, 1)


@pytest.mark.parametrize("newer", [False, True])
def test_killed_between_task_and_link_the_next_apply_links_also_by_a_newer_plan(
    world: World, newer: bool
) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    # The key of the task is settled: a new plan knows nothing of it any more.
    report = world.apply(world.save(an_update("C2", TITLE)) if newer else plan)
    assert_linked(world, "C1")
    assert report.complete
    assert report.counts == ({State.DONE: 1} if newer else {})
    assert world.state(plan.links[plan.proposed[0].key][0]) is State.DONE


def test_links_are_made_though_the_plan_that_wanted_them_is_superseded_and_expired(
    world: World,
) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    world.crm.sleep(30 * 24 * 3600)
    later = world.crm.now()
    empty = world.save(created_at=later, expires_at=later.replace(year=later.year + 1))
    assert world.apply(empty).complete
    assert_linked(world, "C1")


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "late"])
def test_a_lost_answer_to_a_link_is_made_good_in_the_same_run(world: World, fault: str) -> None:
    world.crm.script = ["ok", fault]
    report = world.apply(plan_of(world, "C1"))
    assert_linked(world, "C1")
    assert report.complete
    assert report.counts == {State.DONE: 1}
    assert world.crm.slept <= 12


def test_a_link_that_never_arrives_stays_unknown_and_is_told_with_its_task(world: World) -> None:
    world.crm.script = ["ok", "drop_before", "drop_before"]
    plan = plan_of(world, "C1")
    report = world.apply(plan)
    assert not report.complete
    assert (report.awaited, report.unlinked, report.counts) == (1, 1, {State.DONE: 1})
    [problem] = report.problems
    assert (problem.entity, problem.record_id, problem.contact_id) == (Entity.TASK, "T1", "C1")
    assert problem.message.startswith("the task is there, but not linked to its contact")
    assert problem.state == State.UNKNOWN
    assert world.apply(plan).complete
    assert_linked(world, "C1")


def test_a_refused_link_is_told_and_tried_again_with_its_own_plan_only(world: World) -> None:
    plan = plan_of(world, "C1")
    [to_contact, to_account] = plan.links[plan.proposed[0].key]
    world.crm.refuse[to_account.key] = WriteResult(
        Outcome.REJECTED, "T1", code="LIMIT", message="too many"
    )
    report = world.apply(plan)
    assert not report.complete
    assert (report.counts, report.unlinked) == ({State.DONE: 1}, 1)
    [problem] = report.problems
    assert (problem.code, problem.state) == ("LIMIT", State.REJECTED)
    assert "not linked to its account AC1: too many" in problem.message
    assert "apply the same plan again" in problem.hint
    assert world.state(to_contact) is State.DONE

    world.crm.refuse.clear()
    assert world.apply(world.save(an_update("C2", TITLE))).complete
    assert world.state(to_account) is State.REJECTED
    assert world.apply(plan).complete
    assert_linked(world, "C1")


def test_a_link_that_is_there_already_is_not_sent(world: World) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    world.crm.edit(Entity.TASK, "T1", **{CONTACTS: "C9;C1"})
    assert world.apply(plan).complete
    assert [one.to.entity for one in links(world) if one.to] == [Entity.ACCOUNT]


def test_a_task_that_a_person_deleted_is_told_and_not_linked(world: World) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    del world.crm.rows[Entity.TASK, "T1"]
    report = world.apply(plan)
    assert not links(world)
    assert {one.code for one in report.problems} == {"RECORD_GONE"}
    assert world.apply(world.save()).complete


def test_a_refused_task_gets_no_link(world: World) -> None:
    plan = plan_of(world, "C1")
    world.crm.refuse[plan.proposed[0].key] = WriteResult(Outcome.REJECTED, code="NO", message="no")
    report = world.apply(plan)
    assert report.counts == {State.REJECTED: 1}
    assert len(report.problems) == 1
    assert not links(world)


def test_a_rejected_task_is_neither_made_nor_linked(world: World) -> None:
    plan = plan_of(world, "C1", "C2")
    key = plan.proposed[0].key
    with world.store.begin() as tx:
        plans.decide(tx, plan, [key], Decision.REJECTED, by="x", at=world.crm.now())
    assert world.apply(plan).skipped == {"rejected by a person": 1}
    assert_linked(world, "C2")


def test_where_the_connector_makes_no_links_no_half_task_is_made(world: World) -> None:
    world.crm.links = False
    report = world.apply(plan_of(world, "C1"))
    assert report.skipped == {"this CRM's connector cannot do that": 1}
    assert world.crm.tasks() == []


def test_a_fault_before_sending_leaves_the_links_to_the_next_apply(world: World) -> None:
    plan = plan_of(world, "C1")
    world.crm.script = ["ok", *[Unreachable("no way there")] * 9]
    with pytest.raises(Unreachable):
        world.apply(plan)
    assert not links(world)
    world.crm.script.clear()
    assert world.apply(plan).complete
    assert_linked(world, "C1")


@pytest.mark.parametrize("moves_dates", [True, False])
def test_an_undo_takes_task_and_links_back_also_where_linking_dates_the_task(
    world: World, moves_dates: bool
) -> None:
    world.crm.moves_dates = moves_dates
    plan = plan_of(world, "C1", "C2")
    first = world.apply(plan)
    notes, report = world.undo(first.run_id)
    assert (notes.effects, notes.kept) == (2, ())
    assert report.counts == {State.DONE: 2}
    assert world.crm.tasks() == []
    again = world.apply(plan)
    assert again.skipped == {"taken back by an undo": 2}
    assert len(links(world)) == 4


def test_a_task_that_a_person_worked_on_before_it_was_linked_is_kept_by_an_undo(
    world: World,
) -> None:
    world.crm.moves_dates = True
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    world.crm.edit(Entity.TASK, "T1", Comments="called her")
    world.apply(plan)
    assert_linked(world, "C1")
    with world.store.read() as tx:
        run_id = journal.by_keys(tx, "acme", [plan.proposed[0].key])[plan.proposed[0].key].run_id
    notes, _ = world.undo(run_id)
    assert [one.record_id for one in notes.kept] == ["T1"]
    assert world.crm.task_ids() == ["T1"]


def test_a_date_that_moves_while_linking_is_a_persons_where_links_move_none(
    world: World,
) -> None:
    carry_out = world.crm.write_chunk

    def write_chunk(writes: list[Write]) -> list[WriteResult]:
        if writes[0].operation is Operation.LINK:
            world.crm.edit(Entity.TASK, "T1", Comments="called her")
        return carry_out(writes)

    world.crm.write_chunk = write_chunk  # type: ignore[method-assign,assignment]
    first = world.apply(plan_of(world, "C1"))
    world.crm.write_chunk = carry_out  # type: ignore[method-assign]
    notes, _ = world.undo(first.run_id)
    assert [one.record_id for one in notes.kept] == ["T1"]
    assert world.crm.task_ids() == ["T1"]


def test_an_undone_task_is_not_linked_afterwards(world: World) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    world.crm.edit(Entity.TASK, "T1", Comments="called her")  # so that it stays
    world.undo(1)
    world.apply(world.save(an_update("C2", TITLE)))
    assert world.crm.task_ids() == ["T1"]
    assert not links(world)


def test_undoing_the_run_that_only_linked_takes_nothing_back(world: World) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    second = world.apply(plan)
    notes, _ = world.undo(second.run_id)
    assert (notes.effects, notes.nothing_left) == (0, True)
    assert_linked(world, "C1")


def test_an_unknown_link_stands_in_no_undos_way(world: World) -> None:
    plan = plan_of(world, "C1")
    world.crm.script = ["ok", "drop_before", "drop_before"]
    first = world.apply(plan)
    assert first.awaited == 1
    world.undo(first.run_id)
    assert world.crm.tasks() == []


def test_a_late_task_is_linked_once_it_is_found(world: World) -> None:
    world.crm.keyed = world.crm.indexed = False
    plan = plan_of(world, "C1")
    world.crm.script = ["drop_after"]
    assert not world.apply(plan).complete
    assert not links(world)
    world.crm.indexed = True
    report: ApplyReport = world.apply(plan)
    assert report.complete
    assert_linked(world, "C1")


def merged(world: World, entity: Entity, id: str, survivor: str) -> None:
    """A merge in the CRM, as one that gives a new id does it: what was tied to `id` moves along."""
    del world.crm.rows[entity, id]
    world.crm.rows[entity, survivor] = Row({"Title": "VP Sales"}, world.crm.now())
    for task in world.crm.tasks():
        for name in (CONTACTS, COMPANIES):
            if task.fields.get(name) == id:
                task.fields[name] = survivor


def told(world: World, entity: Entity, id: str, survivor: str) -> None:
    """The pull that tells of a merge."""
    before = [Record(entity, one, {}, world.crm.now()) for one in (id, survivor)]
    for page in (Page(before, [], "c"), Page([], [Gone(entity, id, survivor)], "d", complete=True)):
        with world.store.begin() as tx:
            records.save_page(tx, "acme", entity, page, scope="s", watched=(), at=world.crm.now())


ENDS = [(Entity.CONTACT, "C1", CONTACTS), (Entity.ACCOUNT, "AC1", COMPANIES)]


@pytest.mark.parametrize(("entity", "id", "field"), ENDS)
def test_an_end_that_was_merged_before_its_link_was_made_is_followed(
    world: World, entity: Entity, id: str, field: str
) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    merged(world, entity, id, "N1")
    told(world, entity, id, "N1")
    report = world.apply(world.save())
    assert (report.complete, report.problems) == (True, ())
    ends = {CONTACTS: "C1", COMPANIES: "AC1"} | {field: "N1"}
    assert {name: world.crm.rows[Entity.TASK, "T1"].fields[name] for name in ends} == ends


def test_a_refused_link_goes_again_once_its_end_is_known_to_be_merged(world: World) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    merged(world, Entity.CONTACT, "C1", "N1")
    report = world.apply(plan)  # no pull has told yet
    [problem] = report.problems
    assert (problem.state, problem.contact_id) == ("rejected", "C1")
    assert world.apply(world.save()).complete  # as long as it leads nowhere, it is left alone
    told(world, Entity.CONTACT, "C1", "N1")
    assert world.apply(world.save()).complete
    assert world.crm.rows[Entity.TASK, "T1"].fields[CONTACTS] == "N1"
    writes = len(world.crm.written)
    world.apply(world.save())
    assert len(world.crm.written) == writes


def test_a_survivor_that_is_refused_too_is_tried_once_and_named(world: World) -> None:
    plan = plan_of(world, "C1")
    killed_before_the_links(world, plan)
    del world.crm.rows[Entity.CONTACT, "C1"]
    world.apply(plan)
    told(world, Entity.CONTACT, "C1", "N1")
    [problem] = world.apply(world.save()).problems
    assert (problem.state, problem.contact_id) == ("rejected", "N1")
    calls = world.crm.calls["write"]
    assert world.apply(world.save()).complete
    assert world.crm.calls["write"] == calls


def test_a_link_whose_answer_was_lost_and_that_went_along_with_a_merge_is_found(
    world: World,
) -> None:
    plan = plan_of(world, "C1")
    sleep = world.crm.sleep
    world.crm.sleep = killed_in_a_pause  # type: ignore[method-assign,assignment]
    world.crm.script = ["ok", "drop_before"]
    with pytest.raises(KilledHereError):
        world.apply(plan)
    world.crm.sleep = sleep  # type: ignore[method-assign]
    world.crm.rows[Entity.TASK, "T1"].fields[CONTACTS] = "C1"  # it arrived late
    merged(world, Entity.CONTACT, "C1", "N1")
    told(world, Entity.CONTACT, "C1", "N1")
    report = world.apply(plan)
    assert (report.complete, report.problems) == (True, ())
    task = world.crm.rows[Entity.TASK, "T1"].fields
    assert (task[CONTACTS], task[COMPANIES]) == ("N1", "AC1")
    assert all(one.to is None or one.to.id != "N1" for one in links(world))


def killed_in_a_pause(_: float) -> None:
    raise KilledHereError
