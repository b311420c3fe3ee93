"""Tasks and their links through the real connector over HTTP, whatever becomes of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.applying.apply import ApplyReport, apply_plan
from crm_sync.applying.undo import UndoNotes, undo_plan
from crm_sync.calls.breaker import Breaker
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy
from crm_sync.calls.steady import Steady
from crm_sync.connector import Write, WriteResult
from crm_sync.mapping import load_mapping
from crm_sync.model import Change, Entity, FieldChange, Operation, Plan
from crm_sync.shipped import shipped
from crm_sync.store import plans, runs
from crm_sync.store.database import Store
from crm_sync.store.states import State
from tests.faults.apply_crm import KilledHereError, a_plan, a_task, links_of
from tests.support.hubspot_portal import CREATES, LINKS, Portal, a_portal, seed

MAPPING = load_mapping(shipped("mappings/hubspot.yaml"))
POLICY = RetryPolicy(attempts=3, first_pause=0.01, longest_pause=0.02)


class Desk:
    """A store beside a portal, and an operator's hands."""

    def __init__(self, folder: Path, portal: Portal) -> None:
        self.portal = portal
        self.store = Store.open(folder / "crm-sync.db")
        self.connector = portal.connect(settle_seconds=5, late_seconds=120)
        self.contacts = seed(self.connector, ["VP Sales"] * 3)
        company = {"inputs": [{"properties": {"name": "Vexalor"}}]}
        made = portal.api("POST", "/crm/objects/2026-09/companies/batch/create", company)
        self.company = str(made["results"][0]["id"])

    def save(self, *changes: Change) -> Plan:
        now = self.portal.clock.now()
        base = a_plan(*changes, created_at=now, expires_at=now + timedelta(days=1))
        with self.store.begin() as tx:
            return plans.save_plan(tx, base)

    def tasks(self) -> Plan:
        changes: list[Change] = []
        for id in self.contacts:
            task = a_task(id)
            fields = (
                FieldChange("key", "crm_sync_key", None, task.key),
                FieldChange("subject", "hs_task_subject", None, "Congratulate"),
                FieldChange("due_on", "hs_timestamp", None, "2026-06-15"),
            )
            task = replace(task, fields=fields, owner_id="")
            changes += [task, *links_of(task, contact_id=id, account_id=self.company)]
        return self.save(*changes)

    def apply(self, plan: Plan) -> ApplyReport:
        with self.store.begin() as tx:
            run_id = runs.start_run(tx, "acme", "apply", self.portal.clock.now(), plan.id)
        return apply_plan(
            self.store, self.steady(), plan, MAPPING, run_id=run_id,
            now=self.portal.clock.now, sleep=self.portal.clock.sleep, policy=POLICY,
        )  # fmt: skip

    def undo(self, run_id: int) -> UndoNotes:
        plan, notes = undo_plan(
            self.store, self.steady(), run_id, MAPPING, self.portal.clock.now(),
            sleep=self.portal.clock.sleep,
        )  # fmt: skip
        with self.store.begin() as tx:
            plan = plans.save_plan(tx, plan)
        assert self.apply(plan).complete
        return notes

    def steady(self) -> Steady:
        return Steady(
            self.connector,
            policy=POLICY,
            breaker=Breaker(threshold=10),
            floor=QuotaFloor(0),
            sleep=self.portal.clock.sleep,
        )

    def linked(self) -> list[list[str]]:
        """Per task, to which contacts and companies it is tied, as another client sees it."""
        listed = self.portal.api("GET", "/crm/objects/2026-09/tasks?limit=100")["results"]
        ids = sorted((one["id"] for one in listed), key=int)
        return [[*self._others("contacts", id), *self._others("companies", id)] for id in ids]

    def _others(self, kind: str, task: str) -> list[str]:
        path = f"/crm/associations/2026-09/tasks/{kind}/batch/read"
        answer = self.portal.api("POST", path, {"inputs": [{"id": task}]})
        return [str(to["toObjectId"]) for one in answer["results"] for to in one["to"]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield from a_desk(tmp_path)


@pytest.fixture
def loose(tmp_path: Path) -> Iterator[Desk]:
    """A portal that keeps no key of a task unique."""
    yield from a_desk(tmp_path, unique_task_properties=False)


def a_desk(folder: Path, **settings: Any) -> Iterator[Desk]:
    with a_portal(folder, **settings) as portal:
        desk = Desk(folder, portal)
        with closing(desk.connector):
            yield desk
        desk.store.close()


def wanted(desk: Desk) -> list[list[str]]:
    return [[id, desk.company] for id in desk.contacts]


def test_every_task_is_tied_to_its_contact_and_company_and_goes_with_an_undo(desk: Desk) -> None:
    report = desk.apply(desk.tasks())
    assert report.complete
    assert (report.counts, report.confirmed) == ({State.DONE: 3}, 3)
    assert desk.linked() == wanted(desk)
    notes = desk.undo(report.run_id)
    assert (notes.effects, notes.kept) == (3, ())
    assert desk.linked() == []


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("drop_before", {}),
        ("drop_after", {}),
        ("status", {"status": 503}),
        ("status", {"status": 429, "headers": {"Retry-After": "1"}}),
    ],
)
def test_what_a_fault_takes_of_a_link_is_made_good(
    desk: Desk, fault: str, more: dict[str, Any]
) -> None:
    desk.portal.fault(fault, LINKS, **more)
    plan = desk.tasks()
    desk.apply(plan)
    report = desk.apply(plan)
    assert report.complete
    assert report.problems == ()
    assert desk.linked() == wanted(desk)


def test_a_process_that_dies_before_the_links_leaves_them_to_a_newer_plan(desk: Desk) -> None:
    write = desk.connector.write

    def dying(writes: Sequence[Write]) -> Sequence[WriteResult]:
        if writes[0].operation is Operation.LINK:
            raise KilledHereError
        return write(writes)

    desk.connector.write = dying  # type: ignore[method-assign]
    with pytest.raises(KilledHereError):
        desk.apply(desk.tasks())
    desk.connector.write = write  # type: ignore[method-assign]
    assert desk.linked() == [[], [], []]
    report = desk.apply(desk.save())
    assert report.complete
    assert desk.linked() == wanted(desk)


def test_a_contact_that_is_gone_by_then_is_told_and_harms_no_other_link(desk: Desk) -> None:
    plan = desk.tasks()
    gone, *others = desk.contacts
    desk.portal.api("DELETE", f"/crm/objects/2026-09/contacts/{gone}")
    report = desk.apply(plan)
    assert not report.complete
    [problem] = report.problems
    assert (problem.entity, problem.contact_id, problem.state) == (Entity.TASK, gone, "rejected")
    assert problem.message.startswith("the task is there, but not linked to its contact")
    assert desk.linked() == [[desk.company], *([id, desk.company] for id in others)]


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_where_no_key_is_unique_a_lost_task_is_found_by_its_key_or_left_to_a_person(
    loose: Desk, fault: str
) -> None:
    plan = loose.tasks()
    loose.portal.fault(fault, CREATES)
    report = loose.apply(plan)
    if fault == "drop_before":
        assert report.counts == {State.UNKNOWN: 3}
        assert all("crm-sync settle" in one.hint for one in report.problems)
    loose.portal.settle()
    report = loose.apply(plan)
    assert loose.linked() == (wanted(loose) if fault == "drop_after" else [])
    left = {State.UNKNOWN} if fault == "drop_before" else set()
    assert {one.state for one in report.problems} == left
