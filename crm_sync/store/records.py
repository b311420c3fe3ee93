"""What was pulled: records and the cursor of each pull, stored together page by page."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.connector import Gone, Page
from crm_sync.model import Entity, Record, Scalar, canonical_json
from crm_sync.store import baselines, erasing, merges
from crm_sync.store.sql import chunks, moment, stamp, upsert
from crm_sync.store.tables import cursor, record

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection


@dataclass(frozen=True, slots=True)
class SavedCursor:
    """Where a pull stands.

    `complete` when the next pull is an incremental one; `whole_since` is when the whole pull in
    hand began, None once it is complete; `whole_at` is when the last complete one began, None
    where that is not known.
    """

    cursor: str
    complete: bool
    whole_since: datetime | None = None
    whole_at: datetime | None = None


def saved_cursor(
    tx: Connection, connection: str, entity: Entity, scope: str, object_name: str = ""
) -> SavedCursor | None:
    """The stored cursor, or None when there is none for this scope (object, fields, filter)."""
    from sqlalchemy import select

    row = tx.execute(
        select(cursor).where(
            (cursor.c.connection == connection)
            & (cursor.c.entity == entity)
            & (cursor.c.object == object_name)
            & (cursor.c.scope == scope)
        )
    ).first()
    if row is None:
        return None
    return SavedCursor(row.cursor, row.complete, moment(row.whole_since), moment(row.whole_at))


def earlier_cursor(
    tx: Connection, connection: str, entity: Entity, object_name: str = ""
) -> str | None:
    """The stored cursor of an object, whatever was asked for; None where there is none."""
    from sqlalchemy import select

    query = select(cursor.c.cursor).where(
        (cursor.c.connection == connection)
        & (cursor.c.entity == entity)
        & (cursor.c.object == object_name)
        & cursor.c.whole_since.is_(None)
    )
    found: str | None = tx.execute(query).scalar()
    return found


def last_pull(tx: Connection, connection: str, entity: Entity) -> datetime | None:
    """When a page of an entity was last stored, None if none ever was."""
    from sqlalchemy import func, select

    query = select(func.max(cursor.c.at)).where(
        (cursor.c.connection == connection) & (cursor.c.entity == entity)
    )
    return moment(tx.execute(query).scalar())


def save_page(
    tx: Connection,
    connection: str,
    entity: Entity,
    page: Page,
    *,
    scope: str,
    watched: Collection[str],
    at: datetime,
    object_name: str = "",
    whole_since: datetime | None = None,
) -> int:
    """Store one page and its cursor; returns how many of its records are new or changed.

    The same page stored twice changes nothing. Edits of `watched` fields are noted; a survivor of
    a merge takes over those of what was merged into it. What a page tells as gone is gone, also
    when the page brings the record itself. With the last page of a whole pull, which began at
    `whole_since`, what no page brought is gone too.
    """
    merges.inherit(tx, connection, entity, page, watched, at)
    changed = _save_records(tx, connection, entity, page.records, watched, at)
    _save_gone(tx, connection, page.gone, at)
    if page.complete and whole_since is not None:
        erasing.miss_unseen(tx, connection, entity, whole_since)
    row = {
        "connection": connection,
        "entity": entity.value,
        "object": object_name,
        "cursor": page.cursor,
        "scope": scope,
        "complete": page.complete,
        "whole_since": stamp(whole_since) if whole_since and not page.complete else None,
        "at": stamp(at),
    }
    updated = ["cursor", "scope", "complete", "whole_since", "at"]
    if page.complete and whole_since is not None:
        row["whole_at"] = stamp(whole_since)
        updated.append("whole_at")
    upsert(tx, cursor, [row], update=updated)
    return changed


def save_gone(
    tx: Connection,
    connection: str,
    entity: Entity,
    page: Page,
    watched: Collection[str],
    at: datetime,
) -> None:
    """Store only what a page tells as gone; survivors take over what is known of it."""
    merges.inherit(tx, connection, entity, page, watched, at)
    _save_gone(tx, connection, page.gone, at)


def records_of(
    tx: Connection, connection: str, entity: Entity, ids: Iterable[str]
) -> dict[str, Record]:
    """Our copies of these records, by id; those that are gone are left out."""
    from sqlalchemy import select

    found: dict[str, Record] = {}
    for some in chunks(ids):
        query = select(record).where(
            _of(connection, entity) & record.c.id.in_(some) & record.c.gone_at.is_(None)
        )
        for row in tx.execute(query):
            found[row.id] = Record(entity, row.id, json.loads(row.fields), moment(row.modified_at))
    return found


def gone_ids(
    tx: Connection, connection: str, entity: Entity, ids: Collection[str]
) -> frozenset[str]:
    """Those of these records that are known to be gone."""
    from sqlalchemy import select

    found: set[str] = set()
    for some in chunks(ids):
        query = select(record.c.id).where(
            _of(connection, entity) & record.c.id.in_(some) & record.c.gone_at.is_not(None)
        )
        found.update(tx.execute(query).scalars())
    return frozenset(found)


def all_records(tx: Connection, connection: str, entity: Entity) -> dict[str, Record]:
    """Every live record of an entity: for the small ones (colleagues, accounts)."""
    from sqlalchemy import select

    rows = tx.execute(select(record).where(_of(connection, entity) & record.c.gone_at.is_(None)))
    return {
        row.id: Record(entity, row.id, json.loads(row.fields), moment(row.modified_at))
        for row in rows
    }


def merged_ids(
    tx: Connection, connection: str, entity: Entity, ids: Collection[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """The ids that were merged into each of these (None: into any), directly or by way of others.

    In their order. Ids into which nothing was merged are absent.
    """
    from sqlalchemy import select

    query = select(record.c.id, record.c.survivor).where(
        _of(connection, entity) & record.c.survivor.is_not(None)
    )
    survivors = {row.id: row.survivor for row in tx.execute(query)}
    merged: dict[str, list[str]] = {}
    for gone in sorted(survivors):
        passed = {gone}
        at = survivors[gone]
        while at not in passed:  # no CRM merges in a circle, but a restored record might look so
            merged.setdefault(at, []).append(gone)
            passed.add(at)
            at = survivors.get(at, at)
    return {id: tuple(merged[id]) for id in (merged if ids is None else ids) if id in merged}


def count(tx: Connection, connection: str, entity: Entity) -> int:
    """How many live records of an entity we hold."""
    from sqlalchemy import func, select

    query = select(func.count()).where(_of(connection, entity) & record.c.gone_at.is_(None))
    return int(tx.execute(query).scalar() or 0)


def _of(connection: str, entity: Entity) -> ColumnElement[bool]:
    return (record.c.connection == connection) & (record.c.entity == entity)


def _save_records(
    tx: Connection,
    connection: str,
    entity: Entity,
    records: Sequence[Record],
    watched: Collection[str],
    at: datetime,
) -> int:
    latest = {one.id: one for one in records}  # a page may repeat a record: its last word counts
    held = _held(tx, connection, entity, latest)
    texts = {id: canonical_json(dict(one.fields)) for id, one in latest.items()}
    changed = [id for id, text in texts.items() if held.get(id) != text]
    before: list[tuple[Record, Mapping[str, Scalar]]] = [
        (latest[id], json.loads(held[id])) for id in changed if id in held
    ]
    baselines.note_edits(tx, connection, entity, before, watched, at)
    rows = [_row(connection, one, texts[id], at) for id, one in latest.items()]
    # first_modified_at is not among the updated columns: it stays what it was at first.
    updated = ("fields", "modified_at", "seen_at", "gone_at", "survivor", "missed_at")
    upsert(tx, record, rows, update=updated)
    return len(changed)


def _held(tx: Connection, connection: str, entity: Entity, ids: Iterable[str]) -> dict[str, str]:
    from sqlalchemy import select

    held: dict[str, str] = {}
    for some in chunks(ids):
        query = select(record.c.id, record.c.fields).where(
            _of(connection, entity) & record.c.id.in_(some)
        )
        held.update((row.id, row.fields) for row in tx.execute(query))
    return held


def _row(connection: str, one: Record, text: str, at: datetime) -> dict[str, Any]:
    modified = stamp(one.modified) if one.modified else None
    return {
        "connection": connection,
        "entity": one.entity.value,
        "id": one.id,
        "fields": text,
        "modified_at": modified,
        "first_modified_at": modified,
        "seen_at": stamp(at),
        "gone_at": None,
        "survivor": None,
        "missed_at": None,
    }


def _save_gone(tx: Connection, connection: str, gone: Sequence[Gone], at: datetime) -> None:
    from sqlalchemy import func, update

    for one in gone:
        # Told again, it keeps the time when it was first told.
        values: dict[str, Any] = {
            "gone_at": func.coalesce(record.c.gone_at, stamp(at)),
            "missed_at": None,
        }
        if one.survivor is not None:
            values["survivor"] = one.survivor
        tx.execute(
            update(record)
            .where(_of(connection, one.entity) & (record.c.id == one.id))
            .values(values)
        )
