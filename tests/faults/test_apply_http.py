"""Applying through the real connector over HTTP, with the answers that a real CRM gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync.applying.apply import ApplyReport, apply_plan
from crm_sync.applying.undo import undo_plan
from crm_sync.calls.breaker import Breaker
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy
from crm_sync.calls.steady import Steady
from crm_sync.connector import Write
from crm_sync.errors import QuotaReached, TryLater
from crm_sync.mapping import load_mapping
from crm_sync.model import Change, Entity, Operation, Plan, Scalar
from crm_sync.store import journal, plans, runs
from crm_sync.store.database import Store
from crm_sync.store.states import State
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.faults.apply_crm import KEY, MAPPING, a_plan, a_task, an_update
from tests.faults.apply_process import now
from tests.support.salesforce_org import WRITES, Org, retitle, seed

PATCH = {**WRITES, "method": "PATCH"}
POST = {**WRITES, "method": "POST"}


class Desk:
    """A store beside a sandbox, and an operator's hands."""

    def __init__(self, folder: Path, sandbox: SalesforceSandbox) -> None:
        self.sandbox = sandbox
        self.org = Org(sandbox.start().url)
        self.store = Store.open(folder / "crm-sync.db")
        self.connector = self.org.connect(settle_seconds=0.2, late_seconds=0.3)
        self.policy = RetryPolicy(attempts=3, first_pause=0.01, longest_pause=0.02)
        self.crm = self.steady()

    def steady(self, floor: float = 0.0) -> Steady:
        return Steady(
            self.connector,
            policy=self.policy,
            breaker=Breaker(threshold=4),
            floor=QuotaFloor(floor),
        )

    def contacts(self, count: int) -> list[str]:
        ids = seed(self.connector, ["VP Sales"] * count)
        self.sandbox.calls.reset()
        return ids

    def save(self, *changes: Change) -> Plan:
        with self.store.begin() as tx:
            return plans.save_plan(tx, a_plan(*changes, expires_at=now() + timedelta(days=1)))

    def apply(
        self, plan: Plan, sleep: Callable[[float], None] = time.sleep, **settings: float
    ) -> ApplyReport:
        with self.store.begin() as tx:
            run_id = runs.start_run(tx, plan.connection, "apply", now(), plan.id)
        crm = self.steady(**settings)
        return apply_plan(
            self.store, crm, plan, load_mapping(MAPPING),
            run_id=run_id, now=now, sleep=sleep, policy=self.policy,
        )  # fmt: skip

    def undo(self, run_id: int) -> ApplyReport:
        plan, _ = undo_plan(self.store, self.crm, run_id, load_mapping(MAPPING), now())
        with self.store.begin() as tx:
            plan = plans.save_plan(tx, plan)
        return self.apply(plan)

    def titles(self, ids: list[str]) -> list[Scalar]:
        rows = {one.id: one for one in self.crm.read(Entity.CONTACT, ids, ["Title"])}
        return [rows[id].fields["Title"] for id in ids]

    def tasks(self, plan: Plan) -> list[str]:
        keys = [one.key for one in plan.changes if one.operation is Operation.CREATE]
        return [str(one.fields[KEY]) for one in self.crm.find(Entity.TASK, KEY, keys)]

    def rows(self) -> dict[str, Any]:
        return self.org.rows()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with SalesforceSandbox.open(tmp_path / "org.db") as sandbox:
        desk = Desk(tmp_path, sandbox)
        with closing(desk.connector):
            yield desk
        desk.store.close()


def with_tasks(ids: list[str], title: str = "CRO") -> list[Change]:
    updates = [an_update(id, ("Title", "VP Sales", title)) for id in ids]
    return [*updates, *[a_task(one.record_id, one.key) for one in updates]]


def test_three_of_200_rows_that_the_crm_refuses_are_named_and_the_others_written(
    desk: Desk,
) -> None:
    ids = desk.contacts(200)
    too_long = {3, 77, 199}
    titles = ["x" * 200 if at in too_long else "CRO" for at in range(200)]
    plan = desk.save(
        *[
            an_update(id, ("Title", "VP Sales", title))
            for id, title in zip(ids, titles, strict=True)
        ]
    )
    report = desk.apply(plan)
    assert report.counts == {State.DONE: 197, State.REJECTED: 3}
    assert {one.record_id for one in report.problems} == {ids[at] for at in too_long}
    assert {one.code for one in report.problems} == {"STRING_TOO_LONG"}
    assert all(one.hint and "Title" in one.message for one in report.problems)
    assert desk.titles(ids) == ["VP Sales" if at in too_long else "CRO" for at in range(200)]


@pytest.mark.parametrize("match", [PATCH, POST], ids=["update", "task"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_connection_lost_around_the_effect_means_one_effect_all_the_same(
    desk: Desk, match: dict[str, str], kind: str, times: int
) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.org.fault(kind, match, times=times)
    report = desk.apply(plan)
    if not report.complete:  # both sendings were lost: the next run goes on
        assert (kind, times) == ("drop_before", 2)
        assert report.counts[State.UNKNOWN] == 3
        report = desk.apply(plan)
    assert report.complete
    assert desk.titles(ids) == ["CRO"] * 3
    assert len(desk.tasks(plan)) == 3
    assert desk.rows() == {"Contact.update": 3, "Task.create": 3}


def test_what_the_crm_says_of_a_value_is_stored_and_printed_without_it(desk: Desk) -> None:
    [id] = desk.contacts(1)
    secret = "Head of Quiet Acquisitions in the Northern Provinces " * 4
    plan = desk.save(an_update(id, ("Title", "VP Sales", secret)))
    answer = requests.patch(
        f"{desk.org.url}/services/data/v62.0/sobjects/Contact/{id}", json={"Title": secret},
        headers={"Authorization": "Bearer sandbox-session"}, timeout=10,
    )  # fmt: skip
    assert "Quiet Acquisitions" in answer.text, "the CRM does repeat it"
    report = desk.apply(plan)
    [problem] = report.problems
    assert problem.code == "STRING_TOO_LONG"
    assert "Quiet" not in repr(report)
    assert "Title" in problem.message
    with desk.store.read() as tx:
        held = journal.by_keys(tx, "acme", [plan.changes[0].key])[plan.changes[0].key]
        told = [held.message, *[detail for _, _, _, detail in journal.history(tx, held.id)]]
    assert "Quiet" not in " ".join(told)


@pytest.mark.parametrize("why", ["slow down", "locked"])
def test_an_edit_made_during_a_pause_is_not_overwritten(desk: Desk, why: str) -> None:
    ids = desk.contacts(3)
    plan = desk.save(*with_tasks(ids))
    if why == "locked":
        locked = {"object": "Contact", "statusCode": "UNABLE_TO_LOCK_ROW", "times": 3}
        desk.org.control("row-faults", locked)
    else:
        desk.org.fault("status", PATCH, status=429, headers={"Retry-After": "120"})
    pauses: list[float] = []

    def edited_meanwhile(seconds: float) -> None:
        pauses.append(seconds)
        desk.connector.write(retitle(ids[:1], "Founder & CEO"))

    report = desk.apply(plan, edited_meanwhile)
    assert desk.titles(ids) == ["Founder & CEO", "CRO", "CRO"]
    assert report.counts == {State.CONFLICT: 1, State.CANCELLED: 1, State.DONE: 4}
    assert len(pauses) == 1
    assert (pauses[0] >= 120) == (why == "slow down")


def test_a_task_completed_during_the_pause_of_an_undo_is_not_deleted(desk: Desk) -> None:
    plan = desk.save(a_task(*desk.contacts(1)))
    run_id = desk.apply(plan).run_id
    [task] = desk.crm.find(Entity.TASK, KEY, [plan.changes[0].key])
    time.sleep(1.1)  # this CRM dates to the second
    back, _ = undo_plan(desk.store, desk.crm, run_id, load_mapping(MAPPING), now())
    with desk.store.begin() as tx:
        back = plans.save_plan(tx, back)
    desk.org.fault("status", {**WRITES, "method": "DELETE"}, status=429)
    done = Write(Operation.UPDATE, Entity.TASK, "x", task.id, {"Status": "Completed"})
    report = desk.apply(back, lambda seconds: desk.connector.write([done]) and None)
    assert len(desk.tasks(plan)) == 1
    assert report.counts == {State.CONFLICT: 1}


def test_a_key_that_the_org_does_not_keep_unique_makes_tasks_at_most_once(desk: Desk) -> None:
    plain = replace(a_task(*desk.contacts(1)), key="k1")
    mapping = load_mapping(MAPPING)
    mapping.writes(Entity.TASK)["key"] = mapping.writes(Entity.TASK)["body"]
    plan = desk.save(plain)
    desk.org.fault("drop_after", POST)
    for _ in range(2):
        with desk.store.begin() as tx:
            run_id = runs.start_run(tx, plan.connection, "apply", now(), plan.id)
        report = apply_plan(desk.store, desk.crm, plan, mapping, run_id=run_id, now=now)
        assert report.problems[0].state == State.UNKNOWN
    assert desk.rows()["Task.create"] == 1


def test_a_server_fault_after_the_effect_is_read_back_and_not_repeated(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.org.fault("status", PATCH, status=503)
    assert desk.apply(plan).complete
    assert desk.titles(ids) == ["CRO"] * 3
    assert desk.rows() == {"Contact.update": 3, "Task.create": 3}


def test_a_storm_of_faults_stops_the_run_and_the_next_one_ends_it(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.org.fault("status", {"path": "composite|query"}, status=503, times=0, nth=3)
    with pytest.raises(TryLater):
        desk.apply(plan)
    desk.sandbox.faults.clear()
    assert desk.apply(plan).complete
    assert desk.titles(ids) == ["CRO"] * 3
    assert desk.rows() == {"Contact.update": 3, "Task.create": 3}


def test_a_session_that_ends_in_the_middle_is_renewed_and_nothing_comes_twice(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.org.fault(
        "status",
        PATCH,
        status=401,
        body=[{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}],
    )
    assert desk.apply(plan).complete
    assert desk.titles(ids) == ["CRO"] * 3
    assert desk.rows() == {"Contact.update": 3, "Task.create": 3}


def test_the_quota_floor_stops_in_the_middle_and_the_next_run_resumes(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(450)))
    desk.org.control("settings", {"daily_calls": 100, "used_calls": 76})
    with pytest.raises(QuotaReached):
        desk.apply(plan, floor=0.2)
    written = desk.rows()
    assert 0 < written["Contact.update"] < 450
    with desk.store.read() as tx:
        stood = journal.counts(tx, "acme")
    assert stood[State.DONE] == written["Contact.update"]
    assert State.SENDING not in stood
    desk.org.control("settings", {"daily_calls": 100_000, "used_calls": 0})
    desk.connector.check()
    assert desk.apply(plan).complete
    assert desk.titles(ids) == ["CRO"] * 450
    assert desk.rows() == {"Contact.update": 450, "Task.create": 450}


def test_a_persons_edit_between_plan_and_apply_is_not_overwritten(desk: Desk) -> None:
    ids = desk.contacts(3)
    plan = desk.save(*with_tasks(ids))
    desk.connector.write(retitle(ids[:1], "Founder & CEO"))
    report = desk.apply(plan)
    assert desk.titles(ids) == ["Founder & CEO", "CRO", "CRO"]
    assert report.counts == {State.CONFLICT: 1, State.CANCELLED: 1, State.DONE: 4}


def test_undo_takes_back_what_nobody_has_edited_since(desk: Desk) -> None:
    ids = desk.contacts(3)
    plan = desk.save(*with_tasks(ids))
    run_id = desk.apply(plan).run_id
    desk.connector.write(retitle(ids[:1], "Founder & CEO"))
    report = desk.undo(run_id)
    assert report.complete
    assert desk.titles(ids) == ["Founder & CEO", "VP Sales", "VP Sales"]
    assert desk.tasks(plan) == []


def test_values_come_back_from_the_crm_in_its_own_spelling_and_are_still_ours(desk: Desk) -> None:
    [id] = desk.contacts(1)
    change = an_update(
        id,
        ("Title", "VP Sales", "  Director, «R&D»  "),
        ("Crm_Sync_Moved__c", False, "true"),
        ("Crm_Sync_Moved_On__c", None, "2026-02-28"),
        ("Crm_Sync_Evidence__c", "", 'line one\r\nO\'Brien said "yes" 🎉\n'),
    )
    report = desk.apply(desk.save(change))
    assert (report.confirmed, report.drifted) == (1, 0)
    assert desk.undo(report.run_id).complete
    assert desk.titles([id]) == ["VP Sales"]
