"""Writing the journal: committed before anything is sent, and after each answer. Statements only.

`enter` writes an intent's row, `move` its next state, `note_seen` what reading back showed; each
also appends to the intent's history. Every statement names the states that it may leave, so that
a row which is no longer where its writer believes stops the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.model import Change, FieldChange, canonical_json
from crm_sync.store.intents import NOBODY_TELLS, Entry, Intent, Move, Scope, Seen
from crm_sync.store.journal import stands
from crm_sync.store.sql import chunks, stamp
from crm_sync.store.states import TAKEABLE, State, before
from crm_sync.store.tables import intent, intent_event

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Connection

MESSAGE_LIMIT = 1_000
"""Characters of a CRM's message that are kept."""


def enter(
    tx: Connection, scope: Scope, entries: Sequence[Entry], at: datetime
) -> dict[str, Intent]:
    """Take changes up: new rows, or rows of an earlier attempt that may be taken up again.

    A row that is `done`, or still open, is never touched: that raises and nothing is stored.
    Returns the intents that are to be sent now, by key.
    """
    from sqlalchemy import bindparam, case, insert, null, update

    held = _ids(tx, scope, [entry.change.key for entry in entries])
    rows = [_row(scope, entry, stamp(at)) for entry in entries]
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
            .where((intent.c.id == bindparam("held_id")) & stands(TAKEABLE))
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
    events = [(ids[one.change.key], one.state, one.message or one.code) for one in entries]
    _append(tx, scope.run_id, events, at)
    sending = [one.change for one in entries if one.state is State.SENDING]
    return {one.key: _begun(ids[one.key], scope, one, at) for one in sending}


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
            (intent.c.id == bindparam("held_id")) & stands(before(state))
        )
        rows = [_moved(one, stamp(at)) for one in mine]
        result = tx.execute(statement.values(state=state.value, **values), rows)
        _all_moved(result.rowcount, len(rows))
    _append(tx, run_id, [(one.intent.id, one.state, one.message or one.code) for one in moves], at)


def leave_to_people(tx: Connection, run_id: int, unknown: Sequence[Intent], at: datetime) -> None:
    """Note that reading the CRM cannot settle these, so that it is known without asking the CRM.

    They stay `unknown`, each with the time at which its answer was missed.
    """
    from sqlalchemy import bindparam, update

    mine = [one for one in unknown if one.state is State.UNKNOWN and one.code != NOBODY_TELLS]
    if not mine:
        return
    statement = update(intent).where(
        (intent.c.id == bindparam("held_id")) & (intent.c.state == State.UNKNOWN)
    )
    rows = [{"held_id": one.id} for one in mine]
    _all_moved(tx.execute(statement.values(code=NOBODY_TELLS), rows).rowcount, len(rows))
    detail = "reading the CRM cannot tell: a person has to look"
    _append(tx, run_id, [(one.id, State.UNKNOWN, detail) for one in mine], at)


def note_seen(tx: Connection, run_id: int, seen: Sequence[Seen], at: datetime) -> None:
    """Store what reading back showed."""
    from sqlalchemy import bindparam, update

    if not seen:
        return
    read_at = stamp(at)
    rows = [
        {
            "held_id": one.intent.id,
            "verified": one.verified.value,
            "verified_at": read_at,
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


def _row(scope: Scope, entry: Entry, at: str) -> dict[str, Any]:
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
        "fields": canonical_json([_field(field) for field in change.fields]),
        "attempts": int(sending),
        "sent_at": at if sending else None,
        "settled_at": None if sending else at,
        "code": entry.code,
        "message": entry.message[:MESSAGE_LIMIT],
    }


def _begun(id: int, scope: Scope, change: Change, at: datetime) -> Intent:
    return Intent(
        id=id,
        key=change.key,
        run_id=scope.run_id,
        plan_id=scope.plan_id,
        state=State.SENDING,
        operation=change.operation,
        entity=change.entity,
        record_id=change.record_id,
        contact_id=change.contact_id,
        fields=tuple(change.fields),
        sent_at=at,
        settled_at=None,
        code="",
        message="",
        verified=None,
        modified_at=None,
    )


def _field(field: FieldChange) -> dict[str, Any]:
    # Spelt out: `asdict` copies deeply, which costs more than the whole statement.
    return {
        "name": field.name,
        "crm_field": field.crm_field,
        "before": field.before,
        "after": field.after,
    }


def _moved(one: Move, at: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "held_id": one.intent.id,
        "record_id": one.record_id or one.intent.record_id,
        "code": one.code,
        "message": one.message[:MESSAGE_LIMIT],
        "settled_at": at,
    }
    if one.state is State.PLANNED:
        # After `unknown` it was sent all the same, and may yet arrive; after `sending` it was not.
        was_sent = one.intent.state is State.UNKNOWN and one.intent.sent_at is not None
        row["sent_at"] = stamp(one.intent.sent_at) if was_sent and one.intent.sent_at else None
    return row


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

    moment = stamp(at)
    rows = [
        {
            "intent_id": id,
            "run_id": run_id,
            "state": str(state),
            "at": moment,
            "detail": detail[:MESSAGE_LIMIT],
        }
        for id, state, detail in events
    ]
    if rows:
        tx.execute(insert(intent_event), rows)


def _all_moved(moved: int, wanted: int) -> None:
    """Raised inside the transaction, so that none of it is stored."""
    if moved != wanted:
        raise RuntimeError(f"the journal moved {moved} of {wanted} intents: another writer is here")


def restamp(tx: Connection, stamps: Mapping[int, datetime]) -> None:
    """The CRM's date on records that our own links have moved, by the id of their intent."""
    from sqlalchemy import bindparam, update

    if not stamps:
        return
    statement = update(intent).where(intent.c.id == bindparam("held_id"))
    rows = [{"held_id": id, "modified_at": stamp(at)} for id, at in stamps.items()]
    tx.execute(statement.values(modified_at=bindparam("modified_at")), rows)
