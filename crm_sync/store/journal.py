"""Reading the journal: one intent per key. `journal_entries` writes it. Statements only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.model import Entity, Mode, Operation
from crm_sync.store.intents import Intent
from crm_sync.store.plan_rows import load_fields
from crm_sync.store.sql import chunks, moment, stamp
from crm_sync.store.states import OPEN, State, Verified
from crm_sync.store.tables import change, intent, intent_event, plan, rejected_key

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a stored plan may be carried out."""

    hash: str
    expires_at: datetime
    mode: Mode


def by_keys(tx: Connection, connection: str, keys: Iterable[str]) -> dict[str, Intent]:
    """The intents of these keys, by key."""
    found: dict[str, Intent] = {}
    for some in chunks(keys):
        for one in _intents(tx, (intent.c.connection == connection) & intent.c.key.in_(some)):
            found[one.key] = one
    return found


def open_intents(tx: Connection, connection: str) -> list[Intent]:
    """Those of which the CRM may hold the effect while we do not know, oldest first."""
    return _intents(tx, (intent.c.connection == connection) & stands(OPEN))


def unverified(tx: Connection, connection: str) -> list[Intent]:
    """Done, and not read back yet: the process ended in between.

    What a person said is there has no id, and cannot be read.
    """
    here = (intent.c.connection == connection) & (intent.c.state == State.DONE)
    here &= intent.c.record_id != ""
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


def open_keys(tx: Connection, connection: str) -> frozenset[str]:
    """Every key that was sent and of which nobody knows whether it is in effect."""
    from sqlalchemy import select

    query = select(intent.c.key).where((intent.c.connection == connection) & stands(OPEN))
    return frozenset(tx.execute(query).scalars())


def sent_keys(tx: Connection, connection: str) -> frozenset[str]:
    """Every key that is in effect, or was sent and may come into effect yet."""
    from sqlalchemy import select

    here = (intent.c.connection == connection) & stands({State.DONE, *OPEN})
    return frozenset(tx.execute(select(intent.c.key).where(here)).scalars())


def runs_in_effect(tx: Connection, connection: str, plan_id: int) -> dict[int, int]:
    """How much of a plan is in effect by whose sending: changes by run id, newest run first.

    What was taken back does not count, nor what the CRM held already. Links go with their task.
    """
    from sqlalchemy import func, select

    of_plan = select(change.c.key).where(
        (change.c.plan_id == plan_id) & (change.c.operation != Operation.LINK)
    )
    undone = select(rejected_key.c.key).where(
        (rejected_key.c.connection == connection) & (rejected_key.c.why == "undone")
    )
    rows = tx.execute(
        select(intent.c.run_id, func.count().label("changes"))
        .where((intent.c.connection == connection) & intent.c.key.in_(of_plan))
        .where((intent.c.state == State.DONE) & intent.c.sent_at.is_not(None))
        .where(intent.c.key.not_in(undone))
        .group_by(intent.c.run_id)
        .order_by(intent.c.run_id.desc())
    )
    return {row.run_id: row.changes for row in rows}


def states(tx: Connection, connection: str, keys: Iterable[str]) -> dict[str, State]:
    """Where these keys stand; a key that was never taken up is absent."""
    from sqlalchemy import select

    found: dict[str, State] = {}
    for some in chunks(keys):
        query = select(intent.c.key, intent.c.state).where(
            (intent.c.connection == connection) & intent.c.key.in_(some)
        )
        found.update((row.key, State(row.state)) for row in tx.execute(query))
    return found


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
        .where(stands({State.DONE, *OPEN}) & (intent.c.sent_at >= stamp(since)))
        .group_by(change.c.owner_id)
    )
    return {row.owner_id: row.tasks for row in rows}


def counts(tx: Connection, connection: str) -> dict[State, int]:
    """How many intents of a connection stand in which state."""
    from sqlalchemy import func, select

    query = select(intent.c.state, func.count().label("intents")).group_by(intent.c.state)
    rows = tx.execute(query.where(intent.c.connection == connection))
    return {State(row.state): row.intents for row in rows}


def tally(
    tx: Connection, run_id: int, *, links: bool = False
) -> dict[tuple[State, Verified | None], int]:
    """How many intents of a run stand in which state, by what reading back showed.

    Either its links, or all the others.
    """
    from sqlalchemy import func, select

    columns = (intent.c.state, intent.c.verified)
    query = select(*columns, func.count().label("intents")).group_by(*columns)
    is_link = intent.c.operation == Operation.LINK
    mine = (intent.c.run_id == run_id) & (is_link if links else ~is_link)
    return {
        (State(row.state), Verified(row.verified) if row.verified else None): row.intents
        for row in tx.execute(query.where(mine))
    }


def troubled(tx: Connection, connection: str, run_id: int, limit: int) -> list[Intent]:
    """Intents of a run that are not in effect, or no longer as written; at most `limit`.

    Those of earlier runs whose outcome is unknown come first.
    """
    here = intent.c.connection == connection
    earlier = _intents(tx, here & stands(OPEN) & (intent.c.run_id != run_id), limit)
    drifted = intent.c.verified == Verified.DRIFT
    mine = (intent.c.run_id == run_id) & ((intent.c.state != State.DONE) | drifted)
    return [*earlier, *_intents(tx, mine, limit)][:limit]


def plan_terms(tx: Connection, plan_id: int) -> Terms | None:
    """The terms of a stored plan, or None when there is none of that id."""
    from sqlalchemy import select

    row = tx.execute(select(plan).where(plan.c.id == plan_id)).first()
    if row is None:
        return None
    return Terms(row.hash, datetime.fromisoformat(row.expires_at), Mode(row.mode))


def history(tx: Connection, intent_id: int) -> list[tuple[datetime, int, str, str]]:
    """What happened to one intent, in order: when, in which run, to which state, and why."""
    from sqlalchemy import select

    table = intent_event
    rows = tx.execute(select(table).where(table.c.intent_id == intent_id).order_by(table.c.id))
    return [(datetime.fromisoformat(row.at), row.run_id, row.state, row.detail) for row in rows]


def _intents(tx: Connection, where: ColumnElement[bool], limit: int | None = None) -> list[Intent]:
    from sqlalchemy import select

    query = select(intent).where(where).order_by(intent.c.id).limit(limit)
    return [_intent(row) for row in tx.execute(query)]


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
        fields=tuple(load_fields(row.fields)),
        sent_at=moment(row.sent_at),
        settled_at=moment(row.settled_at),
        code=row.code,
        message=row.message,
        verified=Verified(row.verified) if row.verified else None,
        modified_at=moment(row.modified_at),
    )


def stands(states: Iterable[State]) -> ColumnElement[bool]:
    """The row is in one of these states; spelt out, since IN cannot be sent for many rows."""
    from sqlalchemy import or_

    return or_(*(intent.c.state == state.value for state in sorted(states)))
