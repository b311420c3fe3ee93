"""Taking a run back: the inverse plan, and what cannot be taken back and why."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crm_sync.applying.inverse import undo_key
from crm_sync.applying.reconcile import settle_open
from crm_sync.applying.verdicts import SEND, before_delete, holds, untouched
from crm_sync.applying.verify import Live
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
    Scalar,
)
from crm_sync.store import baselines, copies, journal, plans, runs
from crm_sync.store.database import Store
from crm_sync.store.intents import Intent, Scope
from crm_sync.store.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection

VALID_FOR = timedelta(days=1)
"""An inverse plan is made to be applied at once; older, it is made anew."""


NO_ID = "a person said that it is there, and its id is not known: delete it in the CRM"
GONE = "no longer in the CRM; if it was merged since the last pull, pull and undo again"
MERGED = "merged into {}"
CHANGED = "changed since, by a person or by a later run"
TWO_PASTS = "another record with another value there was merged into the same"


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
    portion that would be; `survivor` is the record that its own one was merged into, and `edited`
    the fields of that one which a person has edited."""

    intent: Intent
    fields: tuple[FieldChange, ...]
    portion: int
    survivor: str = ""
    edited: frozenset[str] = frozenset()

    @property
    def record_id(self) -> str:
        """Where its values are now."""
        return self.survivor or self.intent.record_id

    def kept(self, why: str, fields: tuple[str, ...] = ()) -> Kept:
        """What stays of it, and why."""
        one = self.intent
        if self.survivor:
            why = f"{MERGED.format(self.survivor)}: {why}"
        return Kept(one.key, one.entity, one.record_id, fields, why)

    def less(self, inverse: Intent) -> _Effect:
        """What is left after an earlier undo."""
        done = {field.crm_field for field in inverse.fields}
        left = tuple(field for field in self.fields if field.crm_field not in done)
        return _Effect(self.intent, left, self.portion + 1)


@dataclass(frozen=True, slots=True)
class UndoNotes:
    """What taking a run back comes to, before it is applied.

    `effects` were put into effect by the run; of those `already` were taken back before, are as
    they were, or are tasks that somebody has deleted, and `kept` (whole changes or single fields)
    are gone or belong to somebody else by now. `nothing_left` says that the inverse plan is empty.
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
    Where the record was merged into another, that goes for the one that is left.
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
    effects, live = _follow(work, effects)
    changes: list[Change] = []
    kept: list[Kept] = []
    already = 0
    giving_back: dict[str, dict[str, Scalar]] = defaultdict(dict)
    for one in effects:
        record = live.get((one.intent.entity, one.record_id))
        fields, stays = _take_back(one, record, giving_back[one.record_id])
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


def _follow(work: Work, effects: Sequence[_Effect]) -> tuple[list[_Effect], Live]:
    """The effects, each update with the record that is left after a merge; and what is live."""
    live = read_live(work.crm, [one.intent for one in effects if one.fields])
    absent: dict[Entity, set[str]] = defaultdict(set)
    for one in effects:
        updates = one.intent.operation is Operation.UPDATE
        if updates and one.fields and (one.intent.entity, one.record_id) not in live:
            absent[one.intent.entity].add(one.record_id)
    with work.store.read() as tx:
        left = {
            entity: copies.survivors(tx, work.scope.connection, entity, ids)
            for entity, ids in absent.items()
        }
        edited = {entity: _edited(tx, work.scope, entity, ids) for entity, ids in left.items()}
    followed = []
    for one in effects:
        survivor = left.get(one.intent.entity, {}).get(one.record_id, "")
        theirs = edited.get(one.intent.entity, {}).get(survivor, frozenset())
        followed.append(replace(one, survivor=survivor, edited=theirs))
    moved = [replace(one.intent, record_id=one.survivor) for one in followed if one.survivor]
    return followed, {**live, **read_live(work.crm, moved)}


def _edited(
    tx: Connection, scope: Scope, entity: Entity, survivors: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """By survivor, the fields that a person edited there: an equal value of theirs is not ours."""
    known = baselines.of_records(tx, scope.connection, entity, set(survivors.values()))
    return {
        id: frozenset(name for name, base in fields.items() if base.edited_at is not None)
        for id, fields in known.items()
    }


_Back = tuple[tuple[FieldChange, ...], list[Kept]]
"""The fields of the inverse change (none: nothing to take back), and what stays."""


def _take_back(one: _Effect, live: Record | None, giving_back: dict[str, Scalar]) -> _Back:
    """`giving_back` are the values that other changes give back to this record; added to."""
    if not one.fields:
        return (), []
    if one.intent.operation is Operation.CREATE:
        return _delete(one, live)
    ours = [field for field in one.fields if not same(field.before, field.after)]
    if not ours:
        return (), []
    if live is None:
        return (), [one.kept(GONE)]
    restore: list[FieldChange] = []
    outdone: list[FieldChange] = []
    for field in ours:
        if holds(live, field) and field.crm_field not in one.edited:
            first = giving_back.setdefault(field.crm_field, field.before)
            (restore if same(first, field.before) else outdone).append(field)
    changed = [
        field
        for field in ours
        if (field.crm_field in one.edited if holds(live, field) else not untouched(live, field))
    ]
    stays = [
        one.kept(why, tuple(field.crm_field for field in fields))
        for why, fields in ((CHANGED, changed), (TWO_PASTS, outdone))
        if fields
    ]
    return tuple(replace(one, before=one.after, after=one.before) for one in restore), stays


def _delete(one: _Effect, live: Record | None) -> _Back:
    """Of a record that we made; where it is gone nothing is left to take back."""
    if not one.intent.record_id:
        return (), [one.kept(NO_ID)]
    inverse = tuple(replace(field, before=field.after, after=None) for field in one.fields)
    if live is None:
        return (), []
    verdict = before_delete(inverse, live, one.intent.modified_at)
    return (inverse, []) if verdict is SEND else ((), [one.kept(verdict.message)])


def _change(one: _Effect, original: Change, fields: tuple[FieldChange, ...], run_id: int) -> Change:
    creates = one.intent.operation is Operation.CREATE
    of_contact = one.intent.entity is Entity.CONTACT
    return replace(
        original,
        key=undo_key(one.intent.key, run_id, one.portion),
        operation=Operation.DELETE if creates else Operation.UPDATE,
        record_id=one.record_id,
        contact_id=one.record_id if of_contact else original.contact_id,
        fields=fields,
        disposition=Disposition.AUTO,  # asking for an undo is itself the approval
        reason=f"takes back run {run_id}: {original.reason}",
        requires="",
        held_by="",
        watched=(),  # what made the change right says nothing about taking it back
    )
