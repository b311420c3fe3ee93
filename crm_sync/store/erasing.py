"""Records that a whole pull did not find: why, and forgetting those that were erased."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.model import Entity
from crm_sync.store.sql import chunks, dump, stamp
from crm_sync.store.tables import baseline, record

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection


def miss_unseen(tx: Connection, connection: str, entity: Entity, since: datetime) -> None:
    """Records that the whole pull begun at `since` did not bring are gone; nobody told why.

    Deleted, outside its filter now, or erased: see `missed_ids`.
    """
    from sqlalchemy import update

    tx.execute(
        update(record)
        .where(_of(connection, entity) & record.c.gone_at.is_(None))
        .where(record.c.seen_at < stamp(since))
        .values(gone_at=stamp(since), missed_at=stamp(since))
    )


def missed_ids(tx: Connection, connection: str, entity: Entity) -> list[str]:
    """Records that a whole pull did not find, and of which no page has said why since."""
    from sqlalchemy import select

    query = select(record.c.id).where(_of(connection, entity) & record.c.missed_at.is_not(None))
    return list(tx.execute(query.order_by(record.c.id)).scalars())


def bring_back(tx: Connection, connection: str, entity: Entity, ids: Collection[str]) -> None:
    """These records are there after all; our copies of them stand as they were."""
    from sqlalchemy import update

    for some in chunks(ids):
        here = _of(connection, entity) & record.c.id.in_(some)
        tx.execute(update(record).where(here).values(gone_at=None, missed_at=None))


def settle_missed(
    tx: Connection, connection: str, entity: Entity, ids: Collection[str], erased: Collection[str]
) -> None:
    """It is known now why these records were not found; those `erased` are forgotten.

    Of an erased record stays its id, what was done with it, and which of its fields somebody had
    edited, lest we write there should it come back; what its fields said goes, and with it the
    base of those that nobody had edited: come back, they are seen for the first time.
    """
    from sqlalchemy import delete, update

    here = _of(connection, entity)
    for some in chunks(ids):
        tx.execute(update(record).where(here & record.c.id.in_(some)).values(missed_at=None))
    base = (baseline.c.connection == connection) & (baseline.c.entity == entity)
    for some in chunks(erased):
        tx.execute(update(record).where(here & record.c.id.in_(some)).values(fields="{}"))
        mine = base & baseline.c.record_id.in_(some)
        tx.execute(delete(baseline).where(mine & baseline.c.edited_at.is_(None)))
        tx.execute(update(baseline).where(mine).values(value=dump(None), live=dump(None)))


def _of(connection: str, entity: Entity) -> ColumnElement[bool]:
    return (record.c.connection == connection) & (record.c.entity == entity)
