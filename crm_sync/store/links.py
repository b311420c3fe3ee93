"""The links that tasks are still owed. Statements only.

A link has no intent before it is sent for the first time. Whether it is owed follows from its
task: that one is in effect, has an id, and was not taken back. So it does not matter which process
made the task, when, and whether a newer plan still knows of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from crm_sync.mapping import LINKED
from crm_sync.model import Change, Entity
from crm_sync.store import copies, journal
from crm_sync.store.intents import Intent
from crm_sync.store.plan_rows import load_change
from crm_sync.store.states import State
from crm_sync.store.tables import change, intent, rejected_key

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

MAY_GO = (State.PLANNED, State.CANCELLED)
"""Begun and certainly not carried out; any apply takes it up."""

NOT_THERE = (State.REJECTED, State.CONFLICT)
"""The CRM said no: tried again only by an apply of the plan that tried it last, or to another end,
where that one was merged meanwhile."""


def owed(tx: Connection, connection: str, plan_id: int) -> list[tuple[Change, Intent]]:
    """Links to make now, each with its task's intent, in the order of plan and position.

    `plan_id` is the plan that is being applied; the links may be of any. Where a task's contact or
    the other end was merged since it was planned, the record that is left takes its place.
    """
    from sqlalchemy import and_, literal_column, not_, or_, select

    task, link = intent.alias("task"), intent.alias("link")
    undone = select(rejected_key.c.key).where(
        (rejected_key.c.connection == connection) & (rejected_key.c.why == "undone")
    )
    done = and_(
        task.c.connection == connection,
        task.c.key == change.c.requires,
        task.c.plan_id == change.c.plan_id,
        task.c.state == State.DONE.value,
        task.c.record_id != "",
    )
    # A number of states spelt out, and the operation as text: so that indexes serve.
    free: ColumnElement[bool] = or_(
        link.c.id.is_(None),
        *(link.c.state == state.value for state in (*MAY_GO, *NOT_THERE)),
    )
    query = (
        select(change)
        .join(task, done)
        .outerjoin(link, and_(link.c.connection == connection, link.c.key == change.c.key))
        .where(change.c.operation == literal_column("'link'"))
        .where(free, not_(change.c.requires.in_(undone)))
        .order_by(change.c.plan_id, change.c.position)
    )
    planned = [load_change(row) for row in tx.execute(query)]
    tried = journal.by_keys(tx, connection, {one.key for one in planned})
    changes = [
        one
        for one in _led_to_survivors(tx, connection, planned)
        if _may_go(one, tried.get(one.key), plan_id)
    ]
    tasks = journal.by_keys(tx, connection, {one.requires for one in changes})
    return [(one, tasks[one.requires]) for one in changes]


def _may_go(link: Change, tried: Intent | None, plan_id: int) -> bool:
    if tried is None or tried.state not in NOT_THERE or tried.plan_id == plan_id:
        return True
    return tried.fields[0].after != link.fields[0].after


def _led_to_survivors(
    tx: Connection, connection: str, changes: Sequence[Change]
) -> Iterator[Change]:
    named = defaultdict(set)
    for one in changes:
        [end] = one.fields
        named[LINKED[end.name]].add(str(end.after))
        named[Entity.CONTACT].add(one.contact_id)
    left = {entity: copies.survivors(tx, connection, entity, ids) for entity, ids in named.items()}
    for one in changes:
        [end] = one.fields
        other = left[LINKED[end.name]].get(str(end.after), end.after)
        contact_id = left[Entity.CONTACT].get(one.contact_id, one.contact_id)
        yield replace(one, contact_id=contact_id, fields=(replace(end, after=other),))
