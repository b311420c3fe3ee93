"""Carrying out a plan: what may go, in order, each batch through the journal."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from crm_sync.applying.batches import batches, phases
from crm_sync.applying.inverse import originals
from crm_sync.applying.lateness import quiet_at
from crm_sync.applying.reconcile import settle, settle_open
from crm_sync.applying.report import PROBLEM_LIMIT, ApplyReport, Problem, build_report
from crm_sync.applying.select import NO_REQUIREMENT, Selection, ready, refuse_stale, select
from crm_sync.applying.send import send_batch
from crm_sync.applying.work import Clock, Crm, TaskKey, Work
from crm_sync.calls.retry import RetryPolicy, Sleep
from crm_sync.mapping import LINKED
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import Change, Entity, Operation, Plan
from crm_sync.store import journal, journal_entries, links, plans, records
from crm_sync.store.database import Store
from crm_sync.store.intents import Entry, Intent, Scope
from crm_sync.store.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["ApplyReport", "Problem", "apply_plan"]

SENDS = 2
"""How often one run sends a change whose outcome was unknown and that did not arrive."""

Progress = Callable[[int, int], None]


def apply_plan(
    store: Store,
    crm: Crm,
    plan: Plan,
    mapping: CrmMapping,
    *,
    run_id: int,
    now: Clock,
    sleep: Sleep = time.sleep,
    policy: RetryPolicy | None = None,
    progress: Progress | None = None,
) -> ApplyReport:
    """Carry out what may go of a stored plan; safe to repeat, and to kill, at any point.

    Holds the connection's lock. First settles what an earlier process left open; then updates,
    then the tasks whose change is in effect, then the links that tasks are owed: those made now,
    and any that an earlier process made and did not live to link. What is done is never done
    again. Where the CRM keeps a task's key unique every task is created exactly once, else at most
    once.

    Between reading a batch and writing it a person may still edit a record: no CRM takes many
    rows under a condition. That window is one round trip, and holds no pause: where the CRM asks
    for one, or a row is locked, the batch is read again after it, as often as `policy` allows.

    A write whose answer is lost stays `unknown` as long as the CRM may still carry it out; what
    is certain within half a minute is waited for, the rest is for the next apply.

    `progress` is told how many of how many changes have been dealt with. Raises `PlanStale` and
    `Refused` before the first write; `TryLater` and `AccessDenied` in between, with all that was
    done so far stored and the rest not begun; `Busy` when another process is at work.
    """
    scope = Scope(plan.connection, plan.id, run_id)
    work = Work(store, crm, scope, TaskKey(crm, mapping), now, sleep, policy or RetryPolicy())
    with store.lock(plan.connection):
        settled = settle_open(work)
        chosen, taking_back = _choose(work, plan)
        skipped = Counter(chosen.skipped)
        meter = _Meter(progress, len(chosen.go))
        for phase in phases(chosen.go):
            go, waiting = _ready(work, phase)
            skipped[NO_REQUIREMENT] += waiting
            meter.advance(len(phase) - len(go))
            _send(work, go, taking_back, meter)
        _link(work, plan)
        return _report(work, chosen, +skipped, settled)


class _Meter:
    """Counts up for the caller's progress; a second sending of a change does not count again."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def advance(self, by: int) -> None:
        self._done = min(self._total, self._done + by)
        if self._progress is not None:
            self._progress(self._done, self._total)


def _choose(work: Work, plan: Plan) -> tuple[Selection, Mapping[str, Intent]]:
    """What goes, and the intents that it takes back (of an undo)."""
    at = work.now()
    with work.store.begin() as tx:
        refuse_stale(plan, journal.plan_terms(tx, plan.id), at)
        taking_back = originals(tx, plan.undo_of)
        # From here on the person's word holds: what is taken back must not come again.
        done = [one for one in taking_back.values() if one.state is State.DONE]
        undone = [one.key for one in done if one.operation is not Operation.LINK]
        plans.reject_keys(tx, plan.connection, undone, "undone", at)
        chosen = select(
            plan,
            decisions=plans.decisions(tx, plan),
            rejected=plans.rejected_keys(tx, plan.connection),
            held=journal.states(tx, plan.connection, [one.key for one in plan.proposed]),
            operations=work.crm.capabilities.operations,
            undone=plans.undone_keys(tx, plan.connection),
            superseded=plans.superseded_keys(tx, plan),
            gone=_gone(tx, plan),
        )
    return chosen, taking_back


def _gone(tx: Connection, plan: Plan) -> frozenset[str]:
    """Contacts of the plan that are deleted, or have left the mapping's filter: they opted out.

    What was written before is taken back all the same, so this is not asked of an undo.
    """
    if plan.undo_of is not None:
        return frozenset()
    contacts = {one.contact_id for one in plan.changes}
    return records.gone_ids(tx, plan.connection, Entity.CONTACT, contacts)


def _ready(work: Work, phase: Sequence[Change]) -> tuple[Sequence[Change], int]:
    """The changes whose requirement is in effect; those that cannot be met are cancelled."""
    with work.store.begin() as tx:
        needed = {change.requires for change in phase if change.requires}
        split = ready(
            phase,
            journal.states(tx, work.scope.connection, needed),
            plans.rejected_keys(tx, work.scope.connection),
        )
        entries = [
            Entry(change, State.CANCELLED, code="REQUIREMENT", message=why)
            for change, why in split.given_up
        ]
        journal_entries.enter(tx, work.scope, entries, work.now())
    return split.go, len(split.waiting)


def _link(work: Work, plan: Plan) -> None:
    """Make the links that tasks in effect are owed; an undo writes nothing new.

    One relation after the other, each from what the journal says then: a link may have moved the
    date of its task.
    """
    if plan.undo_of is not None or Operation.LINK not in work.crm.capabilities.operations:
        return
    for name in LINKED:
        with work.store.read() as tx:
            owed = links.owed(tx, plan.connection, plan.id)
        mine = {change.key: (change, task) for change, task in owed if _end(change) == name}
        ready_to_go = [replace(one, record_id=task.record_id) for one, task in mine.values()]
        if ready_to_go:
            tasks = {key: task for key, (_, task) in mine.items()}
            _send(work, ready_to_go, tasks, _Meter(None, 0))


def _end(link: Change) -> str:
    return link.fields[0].name


def _send(
    work: Work, changes: Sequence[Change], bases: Mapping[str, Intent], meter: _Meter
) -> None:
    """Send all; then wait once for all lost answers, and send again what did not arrive."""
    todo = changes
    for sending in range(1, SENDS + 1):
        for batch in batches(todo, work.crm.capabilities.write_batch):
            send_batch(work, batch, bases)
            if sending == 1:
                meter.advance(len(batch))
        again = settle(work, [one.key for one in todo], last=sending == SENDS)
        todo = [one for one in todo if one.key in again]


def _report(
    work: Work, chosen: Selection, skipped: Mapping[str, int], settled: Mapping[State, int]
) -> ApplyReport:
    with work.store.read() as tx:
        tally = journal.tally(tx, work.scope.run_id)
        linked = journal.tally(tx, work.scope.run_id, links=True)
        problems = journal.troubled(tx, work.scope.connection, work.scope.run_id, PROBLEM_LIMIT)
        left_open = journal.open_intents(tx, work.scope.connection)
    awaited = {one.key: quiet_at(work, one) for one in left_open if work.will_be_known(one)}
    if untold := [one for one in left_open if one.key not in awaited]:
        with work.store.begin() as tx:
            journal_entries.leave_to_people(tx, work.scope.run_id, untold, work.now())
    tasks = [one for one in chosen.go if one.operation is Operation.CREATE]
    return build_report(
        work.scope.plan_id,
        work.scope.run_id,
        tally,
        problems,
        linked=linked,
        left_open=sum(one.run_id != work.scope.run_id for one in left_open),
        unsettled=sum(one.plan_id == work.scope.plan_id for one in left_open),
        already_done=chosen.already_done,
        skipped=dict(skipped),
        settled=settled,
        awaited=awaited,
        at_most_once=bool(tasks) and not all(work.unique_field(one) for one in tasks),
        now=work.now(),
    )
