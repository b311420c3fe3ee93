"""A task is shown, counted and decided about together with its links."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm_sync.cli.plan_text import print_change
from crm_sync.cli.report_view import outcome_view
from crm_sync.connector import Outcome, WriteResult
from crm_sync.model import Disposition, Entity, Plan
from crm_sync.outcome import Outcome as Done
from crm_sync.store import journal, plans
from crm_sync.store.states import State
from crm_sync.views import find_changes, plan_view
from tests.faults.apply_crm import Row, World, a_task, links_of, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    world.crm.put("C1", Title="VP Sales")
    world.crm.rows[Entity.ACCOUNT, "A1"] = Row({}, world.crm.now())
    yield world
    world.store.close()


def a_plan(world: World, **settings: Any) -> Plan:
    task = replace(a_task("C1"), **settings)
    return world.save(task, *links_of(task, contact_id="C1", account_id="A1"))


def seen(world: World, plan: Plan) -> dict[str, Any]:
    with world.store.read() as tx:
        return plan_view(tx, plan, world.mapping)


def states(world: World, plan: Plan) -> list[str | None]:
    [task] = seen(world, plan)["changes"]
    assert [(one["to"], one["id"]) for one in task["links"]] == [
        ("contact", "C1"),
        ("account", "A1"),
    ]
    return [task["state"], *(one["state"] for one in task["links"])]


def test_a_view_folds_links_into_their_task_and_says_where_they_stand(world: World) -> None:
    plan = a_plan(world)
    assert seen(world, plan)["counts"] == {"changes": 1, "auto": 1, "review": 0}
    assert states(world, plan) == [None, None, None]
    run = world.apply(plan).run_id
    assert states(world, plan) == ["done", "done", "done"]
    world.undo(run)
    assert states(world, plan) == ["undone", "undone", "undone"]


def test_a_task_is_printed_with_its_links(world: World) -> None:
    from rich.console import Console

    console = Console(record=True, width=80, file=io.StringIO())
    print_change(console, seen(world, a_plan(world))["changes"][0])
    told = [line.strip() for line in console.export_text().splitlines()]
    at = told.index("Links")
    assert told[at + 1 : at + 3] == ["contact C1: to be made", "account A1: to be made"]


def test_a_link_that_was_refused_shows_on_its_task(world: World) -> None:
    plan = a_plan(world)
    refused = plan.changes[2].key
    world.crm.refuse[refused] = WriteResult(Outcome.REJECTED, code="NO", message="no")
    report = world.apply(plan)
    assert states(world, plan) == ["done", "done", "rejected"]
    view = outcome_view(Done(report.run_id, plan, report))
    assert view["changes"] == {"total": 1, "auto": 1, "review": 0}
    assert (view["applied"]["written"], view["applied"]["verified"]) == (1, 1)
    assert view["applied"]["by_state"] == {"done": 1}
    assert [one["code"] for one in view["applied"]["problems"]] == ["NO"]
    assert view["applied"]["problems_left_out"] == 0
    assert not report.complete


def test_a_person_decides_about_the_task_alone(world: World) -> None:
    plan = a_plan(world, disposition=Disposition.REVIEW)
    task, *links = plan.changes
    assert {one.disposition for one in links} == {Disposition.REVIEW}
    with world.store.begin() as tx:
        assert plans.count_waiting(tx, plan.id) == 1
        assert find_changes(plan, [links[0].key]) == ([], [links[0].key])
        plans.decide(tx, plan, [task.key], "approved", by="x", at=world.crm.now())
        assert plans.count_waiting(tx, plan.id) == 0
    assert world.apply(plan).complete
    assert states(world, plan) == ["done", "done", "done"]


def test_a_stored_plan_keeps_its_links_and_its_hash(world: World) -> None:
    plan = a_plan(world)
    with world.store.read() as tx:
        stored = plans.load_plan(tx, plan.id)
    assert stored.changes == plan.changes
    assert stored.links == plan.links
    assert replace(plan, changes=plan.changes[:2]).hash != plan.hash


def test_the_numbers_of_a_run_reconcile_with_its_journal(world: World) -> None:
    plan = a_plan(world)
    report = world.apply(plan)
    with world.store.read() as tx:
        assert sum(journal.tally(tx, report.run_id).values()) == 1
        assert sum(journal.tally(tx, report.run_id, links=True).values()) == 2
        assert journal.done_keys(tx, "acme") == {one.key for one in plan.changes}
    assert report.counts == {State.DONE: 1}
