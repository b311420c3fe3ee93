"""The links that tasks are still owed. Statements only.

A link has no intent before it is sent for the first time. Whether it is owed follows from its
task: that one is in effect, has an id, and was not taken back. So it does not matter which process
made the task, when, and whether a newer plan still knows of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_sync.model import Change
from crm_sync.store import journal
from crm_sync.store.intents import Intent
from crm_sync.store.plans import load_change
from crm_sync.store.states import State
from crm_sync.store.tables import change, intent, rejected_key

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

MAY_GO = (State.PLANNED, State.CANCELLED)
"""Begun and certainly not carried out; any apply takes it up."""

NOT_THERE = (State.REJECTED, State.CONFLICT)
"""The CRM said no: only an apply of the plan that proposed it tries again."""


def owed(tx: Connection, connection: str, plan_id: int) -> list[tuple[Change, Intent]]:
    """Links to make now, each with its task's intent, in the order of plan and position.

    `plan_id` is the plan that is being applied; the links may be of any.
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
        *(link.c.state == state.value for state in MAY_GO),
        and_(link.c.plan_id == plan_id, or_(*(link.c.state == state.value for state in NOT_THERE))),
    )
    query = (
        select(change)
        .join(task, done)
        .outerjoin(link, and_(link.c.connection == connection, link.c.key == change.c.key))
        .where(change.c.operation == literal_column("'link'"))
        .where(free, not_(change.c.requires.in_(undone)))
        .order_by(change.c.plan_id, change.c.position)
    )
    changes = [load_change(row) for row in tx.execute(query)]
    tasks = journal.by_keys(tx, connection, {one.requires for one in changes})
    return [(one, tasks[one.requires]) for one in changes]
