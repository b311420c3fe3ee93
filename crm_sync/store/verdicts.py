"""What people found right and wrong, one verdict for each claim; see `crm_sync.verdicts`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from crm_sync.model import Band, Entity
from crm_sync.store.sql import chunks, moment, stamp, upsert
from crm_sync.store.tables import change, intent, rejected_key, verdict
from crm_sync.verdicts.verdict import Group, Verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection

RIGHT, WRONG = "right", "wrong"


def save_verdicts(tx: Connection, connection: str, verdicts: Sequence[Verdict]) -> None:
    """Keep these; each takes the place of an earlier one on the same claim."""
    rows = [
        {
            "connection": connection,
            "claim": one.claim,
            "plan_id": one.plan_id,
            "contact_id": one.contact_id,
            **one.group._asdict(),
            "band": one.band.value,
            "confidence": one.confidence,
            "decision": RIGHT if one.right else WRONG,
            "decided_by": one.decided_by,
            "at": stamp(one.at),
            "reason": one.reason,
        }
        for one in verdicts
    ]
    taken = [column.name for column in verdict.columns if not column.primary_key]
    upsert(tx, verdict, rows, update=taken)


def drop_verdicts(tx: Connection, connection: str, claims: Collection[str]) -> None:
    """Forget what was said about these claims."""
    from sqlalchemy import delete

    for some in chunks(claims):
        here = (verdict.c.connection == connection) & verdict.c.claim.in_(some)
        tx.execute(delete(verdict).where(here))


def verdicts_of(tx: Connection, connection: str) -> list[Verdict]:
    """Every verdict of a connection, in the order in which they were given."""
    from sqlalchemy import select

    query = select(verdict).where(verdict.c.connection == connection)
    found = []
    for row in tx.execute(query.order_by(verdict.c.at, verdict.c.claim)):
        at = moment(row.at)
        assert at is not None  # noqa: S101 - not nullable
        found.append(
            Verdict(
                claim=row.claim,
                plan_id=row.plan_id,
                contact_id=row.contact_id,
                group=Group(row.source, row.kind, row.rule),
                band=Band(row.band),
                confidence=row.confidence,
                right=row.decision == RIGHT,
                decided_by=row.decided_by,
                at=at,
                reason=row.reason,
            )
        )
    return found


def undone_updates(tx: Connection, connection: str) -> Counter[Group]:
    """How many updates of each group were in effect and taken back: no verdict, but a hint."""
    from sqlalchemy import func, select

    query = (
        select(change.c.source, change.c.kind, change.c.identified_by, func.count())
        .join(intent, (intent.c.plan_id == change.c.plan_id) & (intent.c.key == change.c.key))
        .join(
            rejected_key,
            (rejected_key.c.connection == intent.c.connection)
            & (rejected_key.c.key == intent.c.key)
            & (rejected_key.c.why == "undone"),
        )
        .where((intent.c.connection == connection) & (change.c.entity == Entity.CONTACT))
        .where(change.c.identified_by != "")
        .group_by(change.c.source, change.c.kind, change.c.identified_by)
    )
    return Counter({Group(*row[:3]): int(row[3]) for row in tx.execute(query)})
