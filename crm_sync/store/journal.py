"""The journal: one intent per key, committed before anything is sent. Statements only.

`enter` writes the row, `move` its next state, `note_seen` what reading back showed; each also
appends to the intent's history. Every statement names the states that it may leave, so that a
row which is no longer where its writer believes stops the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.applying.intents import Entry, Intent, Move, Scope, Seen
from crm_sync.applying.states import OPEN, TAKEABLE, State, Verified, before
from crm_sync.model import Entity, Operation, canonical_json
from crm_sync.store.plans import load_fields
from crm_sync.store.sql import chunks, moment, stamp
from crm_sync.store.tables import change, intent, intent_event

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement, Connection, Row

MESSAGE_LIMIT = 1_000
"""Characters of a CRM's message that are kept."""


def by_keys(tx: Connection, connection: str, keys: Iterable[str]) -> dict[str, Intent]:
    """The intents of these keys, by key."""
    found: dict[str, Intent] = {}
    for some in chunks(keys):
        for one in _intents(tx, (intent.c.connection == connection) & intent.c.key.in_(some)):
            found[one.key] = one
    return found


def open_intents(tx: Connection, connection: str) -> list[Intent]:
    """Those of which the CRM may hold the effect while we do not know, oldest first."""
    return _intents(tx, (intent.c.connection == connection) & _stands(OPEN))


def unverified(tx: Connection, connection: str) -> list[Intent]:
    """Done, and not read back yet: the process ended in between."""
    here = (intent.c.connection == connection) & (intent.c.state == State.DONE)
    return _intents(tx, here & intent.c.verified.is_(None))


def intents_of_run(tx: Connection, run_id: int) -> list[Intent]:
    """The intents that this run was the last to take up, in the order in which it began them."""
    return _intents(tx, intent.c.run_id == run_id)


def done_keys(tx: Connection, connection: str) -> frozenset[str]:
    """Every key that is in effect and never sent again."""
    from sqlalchemy import select

    query = select(intent.c.key).where(
        (intent.c.connection == connection) & (intent.c.state == State.DONE)
    )
    return frozenset(tx.execute(query).scalars())


def states(tx: Connection, connection: str, keys: Iterable[str]) -> dict[str, State]:
    """Where these keys stand; a key that was never taken up is absent."""
    return {key: one.state for key, one in by_keys(tx, connection, keys).items()}


def count_open(tx: Connection, connection: str) -> int:
    """How many outcomes nobody knows."""
    from sqlalchemy import func, select

    here = (intent.c.connection == connection) & _stands(OPEN)
    return int(tx.execute(select(func.count()).select_from(intent).where(here)).scalar() or 0)


def tasks_created_since(tx: Connection, connection: str, since: datetime) -> dict[str, int]:
    """How many tasks were sent to each colleague since then, whose outcome is not a refusal.

    By owner id; tasks whose owner the CRM chose are counted under the empty id.
    """
    from sqlalchemy import func, select

    same_change = (change.c.plan_id == intent.c.plan_id) & (change.c.key == intent.c.key)
    rows = tx.execute(
        select(change.c.owner_id, func.count().label("tasks"))
        .select_from(intent.join(change, same_change))
        .where(intent.c.connection == connection)
        .where((intent.c.operation == Operation.CREATE) & (intent.c.entity == Entity.TASK))
        .where(_stands({State.DONE, *OPEN}) & (intent.c.sent_at >= stamp(since)))
        .group_by(change.c.owner_id)
    )
    return {row.owner_id: row.tasks for row in rows}


def counts(tx: Connection, connection: str, run_id: int | None = None) -> dict[State, int]:
    """How many intents stand in which state; of one run, or of all."""
    from sqlalchemy import func, select

    query = (
        select(intent.c.state, func.count())
        .where(intent.c.connection == connection)
        .group_by(intent.c.state)
    )
    if run_id is not None:
        query = query.where(intent.c.run_id == run_id)
    return {State(state): count for state, count in tx.execute(query)}


def history(tx: Connection, intent_id: int) -> list[tuple[datetime, int, str, str]]:
    """What happened to one intent, in order: when, in which run, to which state, and why."""
    from sqlalchemy import select

    table = intent_event
    rows = tx.execute(select(table).where(table.c.intent_id == intent_id).order_by(table.c.id))
    return [(datetime.fromisoformat(row.at), row.run_id, row.state, row.detail) for row in rows]


def enter(tx: Connection, scope: Scope, entries: Sequence[Entry], at: datetime) -> None:
    """Take changes up: new rows, or rows of an earlier attempt that may be taken up again.

    A row that is `done`, or still open, is never touched: that raises and nothing is stored.
    """
    from sqlalchemy import bindparam, case, insert, null, update

    held = _ids(tx, scope, [entry.change.key for entry in entries])
    rows = [_row(scope, entry, at) for entry in entries]
    new = [row for row in rows if row["key"] not in held]
    again = [{**row, "held_id": held[row["key"]]} for row in rows if row["key"] in held]
    if new:
        tx.execute(insert(intent), new)
    if again:
        # A write that was sent, was not to be seen then, and is there now is that very write.
        kept = case((intent.c.state == State.PLANNED, intent.c.sent_at), else_=null())
        given: BindParameter[Any] = bindparam("sent_at")
        plain = ("run_id", "plan_id", "state", "operation", "entity", "record_id", "contact_id",
                 "fields", "settled_at", "code", "message")  # fmt: skip
        statement = (
            update(intent)
            .where((intent.c.id == bindparam("held_id")) & _stands(TAKEABLE))
            .values({name: bindparam(name) for name in plain})
            .values(
                attempts=intent.c.attempts + bindparam("attempts"),
                sent_at=case((given.is_not(None), given), else_=kept),
                verified=null(),
                verified_at=null(),
                modified_at=null(),
            )
        )
        _all_moved(tx.execute(statement, again).rowcount, len(again))
    ids = _ids(tx, scope, [entry.change.key for entry in entries])
    _append(
        tx,
        scope.run_id,
        [(ids[one.change.key], one.state, one.message or one.code) for one in entries],
        at,
    )


def move(tx: Connection, run_id: int, moves: Sequence[Move], at: datetime) -> None:
    """Store the next states; raises when one of the rows is not where it was left."""
    from sqlalchemy import bindparam, update

    for state in dict.fromkeys(one.state for one in moves):
        mine = [one for one in moves if one.state is state]
        values: dict[str, Any] = {
            name: bindparam(name) for name in ("record_id", "code", "message", "settled_at")
        }
        if state is State.PLANNED:
            values["sent_at"] = bindparam("sent_at")
        statement = update(intent).where(
            (intent.c.id == bindparam("held_id")) & _stands(before(state))
        )
        rows = [_moved(one, at) for one in mine]
        result = tx.execute(statement.values(state=state.value, **values), rows)
        _all_moved(result.rowcount, len(rows))
    _append(tx, run_id, [(one.intent.id, one.state, one.message or one.code) for one in moves], at)


def note_seen(tx: Connection, run_id: int, seen: Sequence[Seen], at: datetime) -> None:
    """Store what reading back showed."""
    from sqlalchemy import bindparam, update

    if not seen:
        return
    rows = [
        {
            "held_id": one.intent.id,
            "verified": one.verified.value,
            "verified_at": stamp(at),
            "modified_at": stamp(one.modified) if one.modified else None,
        }
        for one in seen
    ]
    names = ("verified", "verified_at", "modified_at")
    statement = update(intent).where(
        (intent.c.id == bindparam("held_id")) & (intent.c.state == State.DONE)
    )
    result = tx.execute(statement.values({name: bindparam(name) for name in names}), rows)
    _all_moved(result.rowcount, len(rows))
    events = [(one.intent.id, one.verified, one.detail) for one in seen]
    _append(tx, run_id, events, at)


def _row(scope: Scope, entry: Entry, at: datetime) -> dict[str, Any]:
    change, sending = entry.change, entry.state is State.SENDING
    return {
        "connection": scope.connection,
        "key": change.key,
        "run_id": scope.run_id,
        "plan_id": scope.plan_id,
        "state": entry.state.value,
        "operation": change.operation.value,
        "entity": change.entity.value,
        "record_id": entry.record_id or change.record_id,
        "contact_id": change.contact_id,
        "fields": canonical_json([asdict(field) for field in change.fields]),
        "attempts": int(sending),
        "sent_at": stamp(at) if sending else None,
        "settled_at": None if sending else stamp(at),
        "code": entry.code,
        "message": entry.message[:MESSAGE_LIMIT],
    }


def _moved(one: Move, at: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "held_id": one.intent.id,
        "record_id": one.record_id or one.intent.record_id,
        "code": one.code,
        "message": one.message[:MESSAGE_LIMIT],
        "settled_at": stamp(at),
    }
    if one.state is State.PLANNED:
        # After `unknown` it was sent all the same, and may yet arrive; after `sending` it was not.
        was_sent = one.intent.state is State.UNKNOWN and one.intent.sent_at is not None
        row["sent_at"] = stamp(one.intent.sent_at) if was_sent and one.intent.sent_at else None
    return row


def _intents(tx: Connection, where: ColumnElement[bool]) -> list[Intent]:
    from sqlalchemy import select

    return [_intent(row) for row in tx.execute(select(intent).where(where).order_by(intent.c.id))]


def _intent(row: Row[Any]) -> Intent:
    return Intent(
        id=row.id,
        key=row.key,
        run_id=row.run_id,
        plan_id=row.plan_id,
        state=State(row.state),
        operation=Operation(row.operation),
        entity=Entity(row.entity),
        record_id=row.record_id,
        contact_id=row.contact_id,
        fields=load_fields(row.fields),
        attempts=row.attempts,
        sent_at=moment(row.sent_at),
        code=row.code,
        message=row.message,
        verified=Verified(row.verified) if row.verified else None,
        modified_at=moment(row.modified_at),
    )


def _ids(tx: Connection, scope: Scope, keys: Sequence[str]) -> Mapping[str, int]:
    from sqlalchemy import select

    ids: dict[str, int] = {}
    for some in chunks(keys):
        query = select(intent.c.key, intent.c.id).where(
            (intent.c.connection == scope.connection) & intent.c.key.in_(some)
        )
        ids.update((row.key, row.id) for row in tx.execute(query))
    return ids


def _append(
    tx: Connection, run_id: int, events: Sequence[tuple[int, str, str]], at: datetime
) -> None:
    from sqlalchemy import insert

    rows = [
        {
            "intent_id": id,
            "run_id": run_id,
            "state": str(state),
            "at": stamp(at),
            "detail": detail[:MESSAGE_LIMIT],
        }
        for id, state, detail in events
    ]
    if rows:
        tx.execute(insert(intent_event), rows)


def _stands(states: Iterable[State]) -> ColumnElement[bool]:
    """The row is in one of these states; spelt out, since IN cannot be sent for many rows."""
    from sqlalchemy import or_

    return or_(*(intent.c.state == state.value for state in sorted(states)))


def _all_moved(moved: int, wanted: int) -> None:
    """Raised inside the transaction, so that none of it is stored."""
    if moved != wanted:
        raise RuntimeError(f"the journal moved {moved} of {wanted} intents: another writer is here")
