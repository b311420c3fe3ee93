"""Finding out what became of writes whose answer was lost. Reads the CRM, never writes to it.

An intent without an outcome is `unknown`. Its record, or for a task its key, shows at any time that
it was carried out. That it was not is certain only when the CRM can no longer be at work on it (see
`lateness`), and of a task only if its key is kept unique. Then the intent is `planned` again and
goes through the whole of `apply` anew: selection, reading, journal, sending.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from crm_sync.applying.inverse import stamps_of
from crm_sync.applying.lateness import quiet_at, wait
from crm_sync.applying.verdicts import (
    NOT_SHOWN,
    Verdict,
    after_delete,
    after_link,
    after_update,
    is_final,
)
from crm_sync.applying.verify import verify
from crm_sync.applying.work import Clock, Crm, TaskKey, Work, read_live
from crm_sync.calls.retry import Sleep
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import Entity, Operation, Record
from crm_sync.store import journal, journal_entries
from crm_sync.store.database import Store
from crm_sync.store.intents import PROCESS_ENDED, Intent, Move, Scope
from crm_sync.store.states import State

FOUND = Verdict(State.DONE, message="found by its key: it was carried out")
ABSENT = Verdict(State.PLANNED, NOT_SHOWN, "not found by its key: it was not carried out")


def reconcile(
    store: Store,
    crm: Crm,
    connection: str,
    mapping: CrmMapping,
    *,
    run_id: int,
    now: Clock,
    sleep: Sleep = time.sleep,
) -> Mapping[State, int]:
    """`settle_open` for whoever holds the connection's lock, before a pull above all.

    A pull that comes before it takes a write of ours, made just before a crash, for an edit.
    """
    scope = Scope(connection, 0, run_id)
    return settle_open(Work(store, crm, scope, TaskKey(crm, mapping), now, sleep))


def settle_open(work: Work) -> Mapping[State, int]:
    """Settle whatever an earlier process left open on this connection; call it under the lock.

    Also reads back what was done and never verified. Costs no call when nothing is open. Returns
    how many became what.
    """
    with work.store.read() as tx:
        left = journal.open_intents(tx, work.scope.connection)
        unread = journal.unverified(tx, work.scope.connection)
    sending = [one for one in left if one.state is State.SENDING]
    if sending:
        message = "its process ended before the answer was stored"
        moves = [Move(one, State.UNKNOWN, code=PROCESS_ENDED, message=message) for one in sending]
        with work.store.begin() as tx:
            journal_entries.move(tx, work.scope.run_id, moves, work.now())
    settle(work, [one.key for one in left])
    verify(work, unread, late=True)
    with work.store.read() as tx:
        now = journal.states(tx, work.scope.connection, [one.key for one in left])
    return dict(Counter(now.values()))


def settle(work: Work, keys: Collection[str], *, last: bool = False) -> frozenset[str]:
    """Read and store what became of these, if unknown, and return those that may be sent again.

    What the CRM shows already is stored at once; then it is waited for the others, briefly. What
    may still be carried out stays `unknown`. So does, with `last` (nothing is sent again now),
    whatever is not to be seen, and a create without a unique key that is not found: a CRM may not
    show it yet, and would take it twice.
    """
    with work.store.read() as tx:
        held = journal.open_intents(tx, work.scope.connection)
    wanted = set(keys)
    asked = [
        one
        for one in held
        if one.key in wanted and one.state is State.UNKNOWN and work.can_be_read(one)
    ]
    final = [one for one in _moves(work, asked) if is_final(one.state, one.code)]
    _store(work, final)
    known = {one.intent.key for one in final}
    left = [one for one in asked if one.key not in known]
    if not left:
        return frozenset()
    at = wait(work, left)
    moves = [one for one in _moves(work, left) if _may_be_stored(work, one, at, last=last)]
    _store(work, moves)
    return frozenset(one.intent.key for one in moves if one.state is State.PLANNED)


def _may_be_stored(work: Work, move: Move, at: datetime, *, last: bool) -> bool:
    if is_final(move.state, move.code):
        return True
    return quiet_at(work, move.intent) <= at and not (last and move.state is State.PLANNED)


def settle_taken_keys(work: Work, taken: Sequence[Move]) -> None:
    """Creates that the CRM refused because their key exists: it is there, or they are rejected.

    `taken` holds the refusals as the CRM worded them. The record is looked for by our own key; the
    one that the refusal may name is never believed.
    """
    if not taken:
        return
    found = find_tasks(work, [one.intent.key for one in taken])
    moves = [
        Move(one.intent, State.DONE, found[one.intent.key].id, message=FOUND.message)
        if one.intent.key in found
        else one
        for one in taken
    ]
    _store(work, moves)


def find_tasks(work: Work, keys: Sequence[str]) -> Mapping[str, Record]:
    """The live tasks that carry these keys, by key; none without a call where there are no keys."""
    if not keys:
        return {}
    field = work.task_key.search_field
    records = work.crm.find(Entity.TASK, field, keys)
    return {str(one.fields.get(field)): one for one in records}


def _moves(work: Work, unknown: Sequence[Intent]) -> list[Move]:
    """What the CRM shows of each just now."""
    creates = [one for one in unknown if one.operation is Operation.CREATE]
    others = [one for one in unknown if one.operation is not Operation.CREATE]
    found = find_tasks(work, [one.key for one in creates])
    live = read_live(work.crm, others)
    stamps = stamps_of(work.store, [one for one in others if one.operation is Operation.DELETE])
    moves = []
    for one in unknown:
        record = found.get(one.key) or live.get((one.entity, one.record_id))
        verdict = _verdict(work, one, record, stamps.get(one.key))
        if verdict is not None:
            record_id = record.id if record else one.record_id
            moves.append(Move(one, verdict.state, record_id, verdict.code, verdict.message))
    return moves


def _verdict(
    work: Work, one: Intent, record: Record | None, stamp: datetime | None
) -> Verdict | None:
    """What the record says, the one that was found for a create; None where it says nothing."""
    if one.operation is Operation.DELETE:
        return after_delete(one.fields, record, stamp)
    if one.operation is Operation.LINK:
        return after_link(one.fields, record)
    if one.operation is Operation.UPDATE:
        return after_update(one.fields, record)
    if record is not None:
        return FOUND
    return ABSENT if work.unique_field(one) else None


def _store(work: Work, moves: Sequence[Move]) -> None:
    if not moves:
        return
    with work.store.begin() as tx:
        journal_entries.move(tx, work.scope.run_id, moves, work.now())
    verify(work, [one.moved for one in moves if one.state is State.DONE], late=True)
