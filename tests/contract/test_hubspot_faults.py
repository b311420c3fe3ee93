"""Applying to HubSpot over HTTP while it fails in the ways that it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.applying.apply import ApplyReport, apply_plan
from crm_sync.applying.undo import undo_plan
from crm_sync.calls.breaker import Breaker
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy
from crm_sync.calls.steady import Steady
from crm_sync.connector import AccessDenied, Entity, Operation, Outcome, RateLimited, ServerFault
from crm_sync.errors import BreakerOpen, QuotaReached, TryLater
from crm_sync.mapping import load_mapping
from crm_sync.model import Change, FieldChange, Plan, Scalar
from crm_sync.sandbox.http import Request, Response
from crm_sync.shipped import shipped
from crm_sync.store import journal, plans, runs
from crm_sync.store.database import Store
from crm_sync.store.states import State
from crm_sync_hubspot import HubSpotConnector
from tests.faults.apply_crm import a_plan, a_task, an_update, links_of
from tests.support.hubspot_portal import (
    CREATES,
    LINKS,
    RECORDS,
    UPDATES,
    VERSION,
    WRITES,
    Portal,
    a_portal,
    outcomes,
    pull,
    retitle,
    seed,
    steady,
    titles,
)

MAPPING = shipped("mappings/hubspot.yaml")
KEY = "crm_sync_key"


def limited(policy: str) -> dict[str, Any]:
    return {
        "status": 429,
        "body": {
            "status": "error",
            "message": f"You have reached your {policy.lower()} limit.",
            "errorType": "RATE_LIMIT",
            "policyName": policy,
        },
    }


class Desk:
    """A store beside a portal, and an operator's hands; all of them live by the portal's clock."""

    def __init__(self, folder: Path, portal: Portal) -> None:
        self.portal = portal
        self.store = Store.open(folder / "crm-sync.db")
        self.connector = portal.connect_by_oauth(settle_seconds=1, late_seconds=2)
        self.policy = RetryPolicy(attempts=3, first_pause=0.5, longest_pause=2)

    def steady(self, floor: float = 0.0) -> Steady:
        return Steady(
            self.connector,
            policy=self.policy,
            breaker=Breaker(threshold=4, clock=self.portal.clock.seconds),
            floor=QuotaFloor(floor),
            sleep=self.portal.clock.sleep,
        )

    def contacts(self, count: int) -> list[str]:
        ids = seed(self.connector, ["VP Sales"] * count)
        self.portal.settle()
        self.portal.sandbox.calls.reset()
        return ids

    def save(self, *changes: Change) -> Plan:
        until = self.portal.clock.now() + timedelta(days=1)
        with self.store.begin() as tx:
            return plans.save_plan(tx, a_plan(*changes, expires_at=until))

    def apply(self, plan: Plan, floor: float = 0.0) -> ApplyReport:
        clock = self.portal.clock
        with self.store.begin() as tx:
            run_id = runs.start_run(tx, plan.connection, "apply", clock.now(), plan.id)
        return apply_plan(
            self.store, self.steady(floor), plan, load_mapping(MAPPING),
            run_id=run_id, now=clock.now, sleep=clock.sleep, policy=self.policy,
        )  # fmt: skip

    def undo(self, run_id: int) -> ApplyReport:
        clock = self.portal.clock
        plan, _ = undo_plan(
            self.store, self.steady(), run_id, load_mapping(MAPPING), clock.now(),
            sleep=clock.sleep,
        )  # fmt: skip
        with self.store.begin() as tx:
            plan = plans.save_plan(tx, plan)
        return self.apply(plan)

    def titles(self, ids: list[str]) -> list[Scalar]:
        return titles(self.connector, ids)

    def counts(self) -> dict[State, int]:
        with self.store.read() as tx:
            return dict(journal.counts(tx, "acme"))

    def linked(self) -> dict[str, list[str]]:
        """The contacts that each task of the portal is linked to."""
        found = self.portal.api("GET", f"/crm/objects/{VERSION}/tasks?limit=100")["results"]
        ids = [one["id"] for one in found]
        fields = ["associations.contacts"]
        records = self.steady().read(Entity.TASK, ids, fields)
        return {one.id: str(one.fields[fields[0]] or "").split(";") for one in records}

    def rows(self) -> dict[str, int]:
        """Rows written so far; links aside, which may be made again without harm."""
        return {kind: n for kind, n in self.portal.rows().items() if kind != "tasks.associate"}

    def once(self, match: str, act: Callable[[], object]) -> None:
        """Let something happen just before the portal carries out the next call of this path."""
        respond, left = self.portal.sandbox.respond, [act]

        def meddling(request: Request) -> Response | None:
            if request.path.endswith(match) and left:
                left.pop()()
            return respond(request)

        self.reconnect(meddling)

    def reconnect(self, respond: Callable[[Request], Response | None]) -> None:
        self.portal.sandbox.respond = respond  # type: ignore[method-assign,assignment]
        self.portal.url = self.portal.sandbox.start().url
        self.connector.close()
        self.connector = self.portal.connect_by_oauth(settle_seconds=1, late_seconds=2)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with a_portal(tmp_path) as portal:
        yield portal


@pytest.fixture
def crm(portal: Portal) -> Iterator[HubSpotConnector]:
    with closing(portal.connect()) as connector:
        yield connector


@pytest.fixture
def desk(tmp_path: Path, portal: Portal) -> Iterator[Desk]:
    desk = Desk(tmp_path, portal)
    with closing(desk.connector):
        yield desk
    desk.store.close()


def retitled(ids: list[str], title: str = "CRO") -> list[Change]:
    return [an_update(id, ("jobtitle", "VP Sales", title)) for id in ids]


def with_tasks(ids: list[str]) -> list[Change]:
    """For each contact its new title, then a task and the task's link."""
    changes: list[Change] = []
    for update in retitled(ids):
        task = a_task(update.record_id, update.key)
        fields = [
            ("key", KEY, task.key),
            ("subject", "hs_task_subject", "Congratulate"),
            ("body", "hs_task_body", "A & B\n<moved>"),
            ("due_on", "hs_timestamp", "2026-06-15"),
        ]
        told = tuple(FieldChange(name, theirs, None, value) for name, theirs, value in fields)
        task = replace(task, fields=told, owner_id="")
        changes += [update, task, *links_of(task, contact_id=update.record_id)]
    return changes


def assert_all_done_once(desk: Desk, ids: list[str]) -> None:
    assert desk.titles(ids) == ["CRO"] * len(ids)
    assert desk.rows() == {"contacts.update": len(ids), "tasks.create": len(ids)}
    assert sorted(desk.linked().values()) == sorted([id] for id in ids)


def test_a_plan_is_carried_out_linked_verified_and_taken_back(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(5)))
    report = desk.apply(plan)
    assert report.complete
    assert_all_done_once(desk, ids)
    assert (report.drifted, report.problems) == (0, ())
    assert desk.undo(report.run_id).complete
    assert desk.titles(ids) == ["VP Sales"] * 5
    assert desk.linked() == {}


@pytest.mark.parametrize("status", [200, 207])
def test_rows_that_fail_in_a_success_are_named_and_the_others_written(
    desk: Desk, status: int
) -> None:
    ids = desk.contacts(100)
    plan = desk.save(*retitled(ids))
    gone = [ids[3], ids[50], ids[99]]
    respond = desk.portal.sandbox.respond

    def in_part(request: Request) -> Response | None:
        if request.path.endswith("/batch/update") and gone:
            inputs = {"inputs": [{"id": id} for id in gone]}
            desk.portal.api("POST", f"/crm/objects/{VERSION}/contacts/batch/archive", inputs)
        answer = respond(request)
        is_ours = request.path.endswith("/batch/update") and answer is not None
        return replace(answer, status=status) if is_ours and answer else answer

    desk.reconnect(in_part)
    report = desk.apply(plan)
    assert report.counts == {State.DONE: 97, State.REJECTED: 3}
    assert {one.record_id for one in report.problems} == set(gone)
    assert {one.code for one in report.problems} == {"OBJECT_NOT_FOUND"}
    assert all(one.hint for one in report.problems)
    assert desk.titles(ids) == [None if id in gone else "CRO" for id in ids]


def test_a_row_that_spoils_its_batch_is_found_and_the_others_are_written_once(desk: Desk) -> None:
    ids = desk.contacts(100)
    changes = retitled(ids)
    secret = "the thirty-first of Brumaire"
    changes[42] = an_update(ids[42], ("crm_sync_moved_on", None, secret))
    report = desk.apply(desk.save(*changes))
    assert report.counts == {State.DONE: 99, State.REJECTED: 1}
    [problem] = report.problems
    assert problem.record_id == ids[42]
    assert "crm_sync_moved_on" in problem.message
    assert "Brumaire" not in repr(report)
    assert desk.rows()["contacts.update"] == 99


def test_a_storm_of_429_is_waited_out(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.portal.fault("status", RECORDS, nth=2, times=2, **limited("TEN_SECONDLY_ROLLING"))
    began = desk.portal.clock.now()
    assert desk.apply(plan).complete
    assert_all_done_once(desk, ids)
    assert desk.portal.clock.now() - began >= timedelta(seconds=10)


def test_limits_are_kept_without_a_refusal(tmp_path: Path) -> None:
    with a_portal(tmp_path, ten_secondly=20) as portal, closing(portal.connect()) as crm:
        ids = seed(crm, ["old"] * 5)
        began = portal.clock.now()
        for _ in range(60):
            assert titles(crm, ids) == ["old"] * 5
        assert portal.clock.now() - began >= timedelta(seconds=20)
        assert portal.sandbox.limits.refused == []


def test_the_day_s_allowance_stops_a_run_that_the_next_day_resumes(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(250)))
    desk.portal.fault("status", UPDATES, nth=2, times=0, **limited("DAILY"))
    with pytest.raises(QuotaReached) as caught:
        desk.apply(plan)
    assert caught.value.exit_code == 75
    assert desk.rows() == {"contacts.update": 100}
    stood = desk.counts()
    assert stood[State.DONE] == 100
    assert State.SENDING not in stood
    desk.portal.sandbox.faults.clear()
    assert desk.apply(plan).complete
    assert desk.titles(ids) == ["CRO"] * 250
    assert desk.rows() == {"contacts.update": 250, "tasks.create": 250}


def test_a_pull_that_the_allowance_stops_goes_on_from_its_last_page(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["x"] * 350)
    lists = {"method": "GET", "path": "/contacts\\?"}
    portal.fault("status", lists, nth=3, times=0, **limited("DAILY"))
    pages = steady(crm).pull(Entity.CONTACT, ["jobtitle"], cursor=None)
    first = [next(pages), next(pages)]
    with pytest.raises(QuotaReached):
        next(pages)
    got = {record.id for page in first for record in page.records}
    assert len(got) == 200
    portal.sandbox.faults.clear()
    with closing(portal.connect()) as tomorrow:
        rest = {record.id for page in pull(tomorrow, first[-1].cursor) for record in page.records}
    assert got | rest == set(ids)
    assert len(rest) < len(ids)


def test_the_quota_floor_stops_in_the_middle_and_the_next_run_resumes(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.connector.close()
    with closing(desk.portal.connect()) as desk.connector:  # only such a token is told of the day
        desk.connector.check()
        used = desk.connector.usage()
        assert used is not None
        desk.portal.control("settings", {"daily": used.used + 20})
        desk.connector.check()
        with pytest.raises(QuotaReached, match="left to others"):
            desk.apply(plan, floor=0.2)
        assert desk.rows() != {"contacts.update": 3, "tasks.create": 3}
        assert State.SENDING not in desk.counts()
        desk.portal.control("settings", {"daily": 1_000})
        desk.connector.check()
        assert desk.apply(plan, floor=0.2).complete
        assert_all_done_once(desk, ids)


def test_a_storm_of_5xx_opens_the_breaker_and_the_next_run_ends_it(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.portal.fault("status", RECORDS, status=502, times=0, nth=2)
    with pytest.raises(TryLater):
        desk.apply(plan)
    desk.portal.sandbox.faults.clear()
    desk.portal.advance(60)
    assert desk.apply(plan).complete
    assert_all_done_once(desk, ids)


def test_an_open_breaker_asks_no_more(portal: Portal, crm: HubSpotConnector) -> None:
    [id] = seed(crm, ["old"])
    titles(crm, [id])
    before = sum(portal.calls().values())
    portal.fault("status", status=521, times=0)
    way = steady(crm, policy=RetryPolicy(attempts=4), breaker=Breaker(threshold=6))
    with pytest.raises(ServerFault):
        way.read(Entity.CONTACT, [id], ["jobtitle"])
    for _ in range(5):
        with pytest.raises(BreakerOpen):
            way.read(Entity.CONTACT, [id], ["jobtitle"])
    assert sum(portal.calls().values()) == before + 6


@pytest.mark.parametrize("match", [UPDATES, CREATES, LINKS], ids=["update", "task", "link"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_connection_lost_around_the_effect_means_one_effect_all_the_same(
    desk: Desk, match: dict[str, str], kind: str, times: int
) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.portal.fault(kind, match, times=times)
    for _ in range(3):
        if desk.apply(plan).complete:
            break
    assert_all_done_once(desk, ids)


@pytest.mark.parametrize("status", [500, 503, 504, 524])
def test_a_server_fault_after_which_it_is_not_known_is_read_back(desk: Desk, status: int) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.portal.fault("status", WRITES, status=status)
    assert desk.apply(plan).complete
    assert_all_done_once(desk, ids)


def test_a_token_that_ends_in_the_middle_is_renewed_and_nothing_comes_twice(desk: Desk) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.once("/contacts/batch/update", lambda: desk.portal.control("tokens/expire"))
    assert desk.apply(plan).complete
    assert_all_done_once(desk, ids)


def test_many_threads_renew_an_ended_token_once(portal: Portal) -> None:
    with closing(portal.connect_by_oauth()) as crm:
        [id] = seed(crm, ["old"])
        titles(crm, [id])
        portal.sandbox.calls.reset()
        portal.control("tokens/expire")
        together = threading.Barrier(8)

        def read(_: int) -> list[Scalar]:
            together.wait(10)
            return titles(crm, [id])

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(read, range(8))) == [["old"]] * 8
        assert portal.calls()["POST token"] == 1


def test_an_app_that_lost_its_access_stops_at_once_and_goes_on_when_it_has_it_again(
    desk: Desk,
) -> None:
    plan = desk.save(*with_tasks(ids := desk.contacts(3)))
    desk.once("/contacts/batch/update", lambda: desk.portal.control("tokens/revoke"))
    with pytest.raises(AccessDenied) as caught:
        desk.apply(plan)
    assert caught.value.exit_code == 5
    assert caught.value.fix
    assert "sandbox-" not in str(caught.value), "no secret in an error"
    asked = sum(desk.portal.calls().values())
    assert desk.portal.calls()["POST token"] <= 3
    assert asked < 20
    assert State.SENDING not in desk.counts()
    assert desk.rows() == {}
    desk.portal.sandbox.tokens.restore()
    assert desk.apply(plan).complete
    assert_all_done_once(desk, ids)


def test_a_task_key_that_is_not_unique_still_shows_a_task_whose_answer_was_lost(
    tmp_path: Path,
) -> None:
    with a_portal(tmp_path, unique_task_properties=False) as portal:
        desk = Desk(tmp_path, portal)
        with closing(desk.connector):
            plan = desk.save(*with_tasks(ids := desk.contacts(2)))
            portal.fault("drop_after", CREATES)
            desk.apply(plan)
            portal.settle()
            desk.apply(plan)
            assert desk.rows()["tasks.create"] == 2, "never a task twice"
            assert sorted(desk.linked().values()) == sorted([id] for id in ids)
        desk.store.close()


def test_an_edit_between_plan_and_apply_is_not_overwritten(desk: Desk) -> None:
    ids = desk.contacts(2)
    plan = desk.save(*with_tasks(ids))
    body = {"properties": {"jobtitle": "Founder & CEO"}}
    desk.portal.api("PATCH", f"/crm/objects/{VERSION}/contacts/{ids[0]}", body)
    report = desk.apply(plan)
    assert desk.titles(ids) == ["Founder & CEO", "CRO"]
    assert report.counts[State.CONFLICT] == 1
    assert list(desk.linked().values()) == [[ids[1]]]


def test_a_contact_that_was_merged_since_the_plan_is_not_written(desk: Desk) -> None:
    ids = desk.contacts(3)
    plan = desk.save(*retitled(ids))
    survivor = desk.portal.merge(ids[0], ids[1])
    report = desk.apply(plan)
    assert report.counts == {State.DONE: 1, State.CONFLICT: 2}
    assert desk.titles([survivor, ids[2]]) == ["VP Sales", "CRO"]


def test_a_task_that_a_person_has_touched_is_not_deleted_by_an_undo(desk: Desk) -> None:
    report = desk.apply(desk.save(*with_tasks(ids := desk.contacts(2))))
    touched = next(task for task, contacts in desk.linked().items() if contacts == [ids[0]])
    desk.portal.advance(5)
    done = {"properties": {"hs_task_status": "COMPLETED"}}
    desk.portal.api("PATCH", f"/crm/objects/{VERSION}/tasks/{touched}", done)
    desk.undo(report.run_id)
    assert list(desk.linked()) == [touched]


def test_a_pause_that_is_asked_for_a_write_carries_nothing_out(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [id] = seed(crm, ["old"])
    portal.fault("status", WRITES, status=423, body={"message": "locked"})
    with pytest.raises(RateLimited) as caught:
        steady(crm).write_chunk(retitle([id]))
    assert (caught.value.retry_after or 0) >= 2
    assert not caught.value.sent
    assert titles(crm, [id]) == ["old"]


def test_a_write_that_times_out_is_unknown(portal: Portal) -> None:
    with closing(portal.connect(read_timeout=0.8)) as crm:
        [id] = seed(crm, ["old"])
        portal.fault("delay_after", WRITES, seconds=1.6)
        assert outcomes(steady(crm).write_chunk(retitle([id]))) == [Outcome.UNKNOWN]
        assert Operation.LINK in crm.capabilities.operations
