"""Taking a run back: the inverse plan, and what cannot be taken back and why."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_sync.applying.compare import same
from crm_sync.applying.intents import Intent, Scope
from crm_sync.applying.inverse import undo_key
from crm_sync.applying.reconcile import settle_open
from crm_sync.applying.states import State
from crm_sync.applying.verdicts import SEND, before_delete, holds, untouched
from crm_sync.applying.work import Crm, Sleep, Work, read_live, task_key_field
from crm_sync.errors import NotFound, UsageError
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import (
    Change,
    Disposition,
    Entity,
    FieldChange,
    Mode,
    Operation,
    Plan,
    Record,
)
from crm_sync.store import journal, plans, runs
from crm_sync.store.database import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

VALID_FOR = timedelta(days=1)
"""An inverse plan is made to be applied at once; older, it is made anew."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that an undo leaves as it is: the record, the CRM's fields, and why."""

    key: str
    entity: Entity
    record_id: str
    fields: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class UndoNotes:
    """What taking a run back comes to, before it is applied.

    `effects` were put into effect by the run; of those `already` were taken back before, are as
    they were, or are gone, and `kept` (whole changes or single fields) belong to somebody else by
    now. `nothing_left` says that the inverse plan is empty.
    """

    run_id: int
    effects: int
    already: int
    kept: tuple[Kept, ...]
    nothing_left: bool


def undo_plan(
    store: Store,
    crm: Crm,
    run_id: int,
    mapping: CrmMapping,
    now: datetime,
    *,
    sleep: Sleep = time.sleep,
) -> tuple[Plan, UndoNotes]:
    """The plan that takes a run back, newest effect first; not stored yet, and nothing written.

    A field gets its old value back where it still holds ours; one that was edited since stays.
    A record that the run created is deleted if nobody has touched it since we read it back, going
    by its fields and the CRM's own date on it; else it stays. Apply the plan with `apply_plan`,
    which looks at all of this again. What the journal does not know yet is settled first.

    Raises `NotFound` for a run that does not exist, `UsageError` for a run that was an undo, and
    what the CRM's errors raise.
    """
    with store.read() as tx:
        run = runs.get_run(tx, run_id)
        if run is None:
            raise NotFound(f"there is no run {run_id}", fix="`crm-sync runs` lists them.")
        undone_run = _undoes(tx, run.plan_id, journal.intents_of_run(tx, run_id))
    if undone_run is not None:
        raise UsageError(
            f"run {run_id} took back run {undone_run}, and an undo cannot be undone",
            fix="Make a new plan; what was undone comes again only with new evidence.",
        )
    scope = Scope(run.connection, run.plan_id or 0, run_id)
    work = Work(store, crm, scope, task_key_field(crm, mapping), lambda: now, sleep)
    with store.lock(run.connection):
        settle_open(work)
        return _inverse(work)


def _undoes(tx: Connection, plan_id: int | None, intents: Sequence[Intent]) -> int | None:
    plan_ids = {one.plan_id for one in intents} | ({plan_id} if plan_id else set())
    for one in plan_ids:
        if (undone := plans.load_plan(tx, one).undo_of) is not None:
            return undone
    return None


def _inverse(work: Work) -> tuple[Plan, UndoNotes]:
    run_id, at = work.scope.run_id, work.now()
    effects, planned, taken_back = _effects(work)
    live = read_live(work.crm, [one for one in effects if one.key not in taken_back])
    changes: list[Change] = []
    kept: list[Kept] = []
    already = 0
    for one in effects:
        record = live.get((one.entity, one.record_id))
        fields, stays = _take_back(one, record) if record is not None else ((), [])
        kept += stays
        if fields:
            changes.append(_change(one, planned[one.key], fields, run_id))
        elif not stays:
            already += 1
    plan = Plan(
        id=0,
        connection=work.scope.connection,
        created_at=at,
        expires_at=at + VALID_FOR,
        mode=Mode.REVIEW,
        changes=tuple(changes),
        undo_of=run_id,
    )
    return plan, UndoNotes(run_id, len(effects), already, tuple(kept), not changes)


def _effects(work: Work) -> tuple[list[Intent], Mapping[str, Change], frozenset[str]]:
    """What the run's sending put into effect, newest first; the changes; keys taken back before."""
    connection, run_id = work.scope.connection, work.scope.run_id
    with work.store.read() as tx:
        mine = journal.intents_of_run(tx, run_id)
        effects = [
            one for one in reversed(mine) if one.state is State.DONE and one.sent_at is not None
        ]
        inverse = journal.by_keys(tx, connection, [undo_key(one.key, run_id) for one in effects])
        planned = {
            change.key: change
            for plan_id in {one.plan_id for one in effects}
            for change in plans.load_plan(tx, plan_id).changes
        }
    undone = {key for key, one in inverse.items() if one.state is State.DONE}
    taken_back = frozenset(one.key for one in effects if undo_key(one.key, run_id) in undone)
    return effects, planned, taken_back


def _take_back(one: Intent, live: Record) -> tuple[tuple[FieldChange, ...], list[Kept]]:
    """The fields of the inverse change (none: nothing to take back), and what stays."""
    if one.operation is Operation.CREATE:
        inverse = tuple(replace(field, before=field.after, after=None) for field in one.fields)
        verdict = before_delete(inverse, live, one.modified_at)
        if verdict.state is SEND.state:
            return inverse, []
        return (), [Kept(one.key, one.entity, one.record_id, (), verdict.message)]
    ours = [field for field in one.fields if not same(field.before, field.after)]
    restore = tuple(
        replace(field, before=field.after, after=field.before)
        for field in ours
        if holds(live, field)
    )
    edited = tuple(
        field.crm_field for field in ours if not holds(live, field) and not untouched(live, field)
    )
    stays = [Kept(one.key, one.entity, one.record_id, edited, "edited since")] if edited else []
    return restore, stays


def _change(one: Intent, original: Change, fields: tuple[FieldChange, ...], run_id: int) -> Change:
    creates = one.operation is Operation.CREATE
    return replace(
        original,
        key=undo_key(one.key, run_id),
        operation=Operation.DELETE if creates else Operation.UPDATE,
        record_id=one.record_id,
        fields=fields,
        disposition=Disposition.AUTO,  # asking for an undo is itself the approval
        reason=f"takes back run {run_id}: {original.reason}",
        requires="",
        held_by="",
    )
