"""What each CRM field said at first or after our own write: the base of the human lock."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.model import Baseline, Entity, Record, Scalar, canonical_json
from crm_sync.store.sql import chunks, dump, load, moment, stamp, upsert
from crm_sync.store.tables import baseline, record

if TYPE_CHECKING:
    from sqlalchemy import Connection

_UPDATED = ("value", "basis", "at", "edited_at", "live")


def verified(
    tx: Connection,
    connection: str,
    entity: Entity,
    record_id: str,
    values: Mapping[str, Scalar],
    at: datetime,
) -> None:
    """`verified_many` for one record."""
    verified_many(tx, connection, entity, {record_id: values}, at)


def verified_many(
    tx: Connection,
    connection: str,
    entity: Entity,
    values: Mapping[str, Mapping[str, Scalar]],
    at: datetime,
) -> None:
    """Our writes were read back (record id → CRM field → value): the new base of those fields.

    Also brings our copies of the records up to date, so that the next pull does not take our own
    write for somebody's edit.
    """
    from sqlalchemy import bindparam, select, update

    rows = [
        _row(connection, entity, record_id, field, Baseline(value, "verified", at))
        for record_id, fields in values.items()
        for field, value in fields.items()
    ]
    upsert(tx, baseline, rows, update=_UPDATED)
    here = (record.c.connection == connection) & (record.c.entity == entity)
    copies = []
    for some in chunks(values):
        for held in tx.execute(
            select(record.c.id, record.c.fields).where(here & record.c.id.in_(some))
        ):
            merged = {**json.loads(held.fields), **values[held.id]}
            copies.append({"held_id": held.id, "merged": canonical_json(merged)})
    if copies:
        statement = update(record).where(here & (record.c.id == bindparam("held_id")))
        tx.execute(statement.values(fields=bindparam("merged")), copies)


def of_records(
    tx: Connection, connection: str, entity: Entity, ids: Collection[str]
) -> dict[str, dict[str, Baseline]]:
    """Baselines by record id and CRM field; only of fields that changed since first seen."""
    from sqlalchemy import select

    found: dict[str, dict[str, Baseline]] = {}
    for some in chunks(ids):
        query = select(baseline).where(
            (baseline.c.connection == connection)
            & (baseline.c.entity == entity)
            & baseline.c.record_id.in_(some)
        )
        for row in tx.execute(query):
            at = moment(row.at)
            assert at is not None  # noqa: S101 - the column is not nullable
            found.setdefault(row.record_id, {})[row.field] = Baseline(
                load(row.value), row.basis, at, moment(row.edited_at), load(row.live)
            )
    return found


def note_edits(
    tx: Connection,
    connection: str,
    entity: Entity,
    seen: Sequence[tuple[Record, Mapping[str, Scalar]]],
    watched: Collection[str],
    at: datetime,
) -> None:
    """Compare records with what we held of them (`before`) and note who differs from its base.

    A field that we did not hold before (it came into the mapping since) is seen for the first
    time: nobody edited it. `at` stands in for the time of an edit where the CRM gives the record
    no date.
    """
    edited = [
        (new, name, before[name], new.fields[name])
        for new, before in seen
        for name in watched
        if name in before and name in new.fields and new.fields[name] != before[name]
    ]
    known = of_records(tx, connection, entity, {new.id for new, *_ in edited})
    rows: list[dict[str, Any]] = []
    for new, name, before_value, live in edited:
        base = known.get(new.id, {}).get(name) or Baseline(before_value, "seen", at)
        noted = against(base, live, new.modified or at)
        rows.append(_row(connection, entity, new.id, name, noted))
    upsert(tx, baseline, rows, update=_UPDATED)


def put(
    tx: Connection,
    connection: str,
    entity: Entity,
    found: Mapping[str, Mapping[str, Baseline]],
) -> None:
    """Store baselines, by record id and CRM field, in place of any that are there."""
    rows = [
        _row(connection, entity, record_id, field, base)
        for record_id, fields in found.items()
        for field, base in fields.items()
    ]
    upsert(tx, baseline, rows, update=_UPDATED)


def against(base: Baseline, live: Scalar, at: datetime) -> Baseline:
    """The same base with the live value noted, or cleared when the base value is back."""
    if live == base.value:
        return Baseline(base.value, base.basis, base.at)
    return Baseline(base.value, base.basis, base.at, at, live)


def _row(
    connection: str, entity: Entity, record_id: str, field: str, value: Baseline
) -> dict[str, Any]:
    return {
        "connection": connection,
        "entity": entity.value,
        "record_id": record_id,
        "field": field,
        "value": dump(value.value),
        "basis": value.basis,
        "at": stamp(value.at),
        "edited_at": stamp(value.edited_at) if value.edited_at else None,
        "live": dump(value.live),
    }
