"""Taking a run back: the inverse plan, and what cannot be taken back and why."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_sync.applying.inverse import undo_key
from crm_sync.applying.reconcile import settle_open
from crm_sync.applying.verdicts import SEND, before_delete, holds, untouched
from crm_sync.applying.work import Crm, TaskKey, Work, read_live
from crm_sync.calls.retry import Sleep
from crm_sync.compare import same
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
from crm_sync.store.intents import Intent, Scope
from crm_sync.store.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

VALID_FOR = timedelta(days=1)
"""An inverse plan is made to be applied at once; older, it is made anew."""


NO_ID = "a person said that it is there, and its id is not known: delete it in the CRM"


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that an undo leaves as it is: the record, the CRM's fields, and why."""

    key: str
    entity: Entity
    record_id: str
    fields: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class _Effect:
    """An intent in effect, the fields of it that may still have to be taken back, and in which
    portion that would be."""

    intent: Intent
    fields: tuple[FieldChange, ...]
    portion: int

    def less(self, inverse: Intent) -> _Effect:
        """What is left after an earlier undo."""
        done = {field.crm_field for field in inverse.fields}
        left = tuple(field for field in self.fields if field.crm_field not in done)
        return _Effect(self.intent, left, self.portion + 1)


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
    work = Work(store, crm, scope, TaskKey(crm, mapping), lambda: now, sleep)
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
    effects, planned = _effects(work)
    live = read_live(work.crm, [one.intent for one in effects if one.fields])
    changes: list[Change] = []
    kept: list[Kept] = []
    already = 0
    for one in effects:
        record = live.get((one.intent.entity, one.intent.record_id))
        fields, stays = _take_back(one, record) if record is not None else ((), [])
        if not one.intent.record_id:
            stays = [Kept(one.intent.key, one.intent.entity, "", (), NO_ID)]
        kept += stays
        if fields:
            changes.append(_change(one, planned[one.intent.key], fields, run_id))
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


def _effects(work: Work) -> tuple[list[_Effect], Mapping[str, Change]]:
    """What the run's sending put into effect, newest first, and the changes behind it, by key."""
    with work.store.read() as tx:
        mine = journal.intents_of_run(tx, work.scope.run_id)
        ours = [one for one in reversed(mine) if _is_effect(one)]
        planned = {
            change.key: change
            for plan_id in {one.plan_id for one in ours}
            for change in plans.load_plan(tx, plan_id).changes
        }
        return _without_taken_back(tx, work.scope, ours), planned


def _is_effect(one: Intent) -> bool:
    """In effect, and by our sending; a link goes with its task."""
    sent = one.state is State.DONE and one.sent_at is not None
    return sent and one.operation is not Operation.LINK


def _without_taken_back(tx: Connection, scope: Scope, ours: Sequence[Intent]) -> list[_Effect]:
    """Each intent with its fields that no earlier undo has taken back.

    A field that was taken back is settled, even if somebody has given it our value again since.
    """
    effects = {one.key: _Effect(one, one.fields, 0) for one in ours}
    looking = dict(effects)
    while looking:
        keys = {undo_key(key, scope.run_id, one.portion): one for key, one in looking.items()}
        undone = journal.by_keys(tx, scope.connection, keys)
        looking = {
            keys[key].intent.key: keys[key].less(inverse)
            for key, inverse in undone.items()
            if inverse.state is State.DONE
        }
        effects |= looking
    return list(effects.values())


def _take_back(one: _Effect, live: Record) -> tuple[tuple[FieldChange, ...], list[Kept]]:
    """The fields of the inverse change (none: nothing to take back), and what stays."""
    intent = one.intent
    if intent.operation is Operation.CREATE:
        inverse = tuple(replace(field, before=field.after, after=None) for field in one.fields)
        verdict = before_delete(inverse, live, intent.modified_at)
        if verdict is SEND:
            return inverse, []
        return (), [Kept(intent.key, intent.entity, intent.record_id, (), verdict.message)]
    ours = [field for field in one.fields if not same(field.before, field.after)]
    restore = tuple(
        replace(field, before=field.after, after=field.before)
        for field in ours
        if holds(live, field)
    )
    changed = tuple(
        field.crm_field for field in ours if not holds(live, field) and not untouched(live, field)
    )
    if not changed:
        return restore, []
    why = "changed since, by a person or by a later run"
    return restore, [Kept(intent.key, intent.entity, intent.record_id, changed, why)]


def _change(one: _Effect, original: Change, fields: tuple[FieldChange, ...], run_id: int) -> Change:
    creates = one.intent.operation is Operation.CREATE
    return replace(
        original,
        key=undo_key(one.intent.key, run_id, one.portion),
        operation=Operation.DELETE if creates else Operation.UPDATE,
        record_id=one.intent.record_id,
        fields=fields,
        disposition=Disposition.AUTO,  # asking for an undo is itself the approval
        reason=f"takes back run {run_id}: {original.reason}",
        requires="",
        held_by="",
        watched=(),  # what made the change right says nothing about taking it back
    )
