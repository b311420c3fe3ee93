"""Our copies of records beside a pull: what a reading showed since, and where a merge led."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.model import Entity, Record, Scalar, canonical_json
from crm_sync.store import baselines
from crm_sync.store.sql import chunks, stamp
from crm_sync.store.tables import record

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection


def note_read(
    tx: Connection, connection: str, entity: Entity, read: Sequence[Record], at: datetime
) -> None:
    """Bring our copies of these records up to what was just read, in the fields that were.

    Not every change in a CRM moves the record's date, so that a pull need not tell it. Edits are
    noted as a pull would note them; `at` is the time of those that the record's date does not
    tell. A record of which we hold no live copy is none of ours: nothing is stored of it.
    """
    from sqlalchemy import bindparam, select, update

    latest = {one.id: one for one in read}
    here = _of(connection, entity) & record.c.gone_at.is_(None)
    seen: list[tuple[Record, Mapping[str, Scalar]]] = []
    copies = []
    for some in chunks(latest):
        for row in tx.execute(select(record).where(here & record.c.id.in_(some))):
            held, new = json.loads(row.fields), latest[row.id]
            told = new.modified and (not row.modified_at or stamp(new.modified) > row.modified_at)
            seen.append((new if told else replace(new, modified=None), held))
            merged = canonical_json({**held, **new.fields})
            if merged != row.fields:
                copies.append({"held_id": row.id, "merged": merged})
    fields = {name for one in latest.values() for name in one.fields}
    baselines.note_edits(tx, connection, entity, seen, fields, at)
    if copies:
        statement = update(record).where(here & (record.c.id == bindparam("held_id")))
        tx.execute(statement.values(fields=bindparam("merged")), copies)


def survivors(
    tx: Connection, connection: str, entity: Entity, ids: Collection[str]
) -> dict[str, str]:
    """The record into which each of these was merged, by way of others or not.

    Ids that were not merged are absent.
    """
    from sqlalchemy import select

    into: dict[str, str] = {}
    asked: set[str] = set()
    ask = set(ids)
    while ask:
        for some in chunks(ask):
            query = select(record.c.id, record.c.survivor).where(
                _of(connection, entity) & record.c.id.in_(some) & record.c.survivor.is_not(None)
            )
            into.update((row.id, row.survivor) for row in tx.execute(query))
        asked |= ask
        ask = set(into.values()) - asked
    last = {id: _last(into, id) for id in ids if id in into}
    return {id: survivor for id, survivor in last.items() if survivor != id}


def _last(into: Mapping[str, str], id: str) -> str:
    passed: set[str] = set()
    while id in into and id not in passed:  # a restored record might look like a circle
        passed.add(id)
        id = into[id]
    return id


def _of(connection: str, entity: Entity) -> ColumnElement[bool]:
    return (record.c.connection == connection) & (record.c.entity == entity)
