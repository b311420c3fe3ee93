"""Records in the database: read, saved, and found by their keys."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm_sync_hubspot.sandbox.indexing import enqueue
from crm_sync_hubspot.sandbox.portal import Portal, instant
from crm_sync_hubspot.sandbox.types import TYPES

FIRST_ID = 10_000_000_001
"""Ids of new records count from here: more than 32 bits, as in a real portal."""
_COLUMNS = "type, id, properties, created_ms, updated_ms, archived_ms, merged_into"


@dataclass(slots=True)
class Row:
    """One record as a request works on it; `save` makes changes last.

    `properties` holds what is set; times are milliseconds since 1970. `merged_into` is the record
    that stands for this one since a merge.
    """

    type: str
    id: int
    properties: dict[str, str | None]
    created_ms: int
    updated_ms: int
    archived_ms: int | None = None
    merged_into: int | None = None

    @property
    def archived(self) -> bool:
        """Deleted, but still listed among the archived records."""
        return self.archived_ms is not None

    @property
    def live(self) -> bool:
        """Neither archived nor merged away."""
        return self.archived_ms is None and self.merged_into is None


def get(sql: sqlite3.Connection, kind: str, ids: Iterable[int]) -> dict[int, Row]:
    """The records with these ids, archived and merged-away ones too; unknown ids are left out."""
    found = sql.execute(
        f"SELECT {_COLUMNS} FROM object WHERE type = ? "  # noqa: S608 - our own names
        "AND id IN (SELECT value FROM json_each(?))",
        (kind, json.dumps(list(ids))),
    )
    return {row.id: row for row in map(_row, found)}


def survivors(sql: sqlite3.Connection, kind: str, ids: Iterable[int]) -> dict[int, Row]:
    """By asked id, the record that stands for it today: itself, or what it was merged into."""
    asked = list(ids)
    known = get(sql, kind, asked)
    missing = {row.merged_into for row in known.values() if row.merged_into is not None}
    while missing := missing - known.keys():
        more = get(sql, kind, missing)
        known |= more
        missing = {row.merged_into for row in more.values() if row.merged_into is not None}
    return {one: _last(known, one) for one in asked if one in known}


def page(
    sql: sqlite3.Connection, kind: str, *, after: int, limit: int, archived: bool
) -> list[Row]:
    """Records in the order of their ids, from the first above `after`; none that were merged."""
    state = "archived_ms IS NOT NULL" if archived else "archived_ms IS NULL"
    found = sql.execute(
        f"SELECT {_COLUMNS} FROM object WHERE type = ? AND id > ? AND {state} "  # noqa: S608
        "AND merged_into IS NULL ORDER BY id LIMIT ?",
        (kind, after, limit),
    )
    return [_row(one) for one in found]


def save(sql: sqlite3.Connection, portal: Portal, row: Row) -> None:
    """Write a record with its times, and let search know later."""
    _stamp(row)
    text = _text(row.properties)
    sql.execute(f"REPLACE INTO object ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", _cells(row, text))  # noqa: S608
    enqueue(sql, portal, row.type, row.id, text if row.live else None, row.updated_ms)


def insert_at_once(sql: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Write new live records, many at a time, as if they had long been there: search has them."""
    for row in rows:
        _stamp(row)
    texts = [_text(row.properties) for row in rows]
    sql.executemany(
        f"INSERT INTO object ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [_cells(row, text) for row, text in zip(rows, texts, strict=True)],
    )
    sql.executemany(
        "INSERT INTO search_index (type, id, properties, updated_ms) VALUES (?, ?, ?, ?)",
        [(row.type, row.id, text, row.updated_ms) for row, text in zip(rows, texts, strict=True)],
    )


def touch(portal: Portal, row: Row) -> None:
    """Move the modified date: to the portal's time, and forwards in any case."""
    row.updated_ms = max(portal.now_ms(), row.updated_ms + 1)


def set_silently(
    sql: sqlite3.Connection, kind: str, record_id: int, name: str, value: str | None
) -> None:
    """Set a property as the portal itself does: the modified date stays, search sees it too."""
    change = "json_remove(properties, ?)" if value is None else "json_set(properties, ?, ?)"
    path = [f'$."{name}"'] if value is None else [f'$."{name}"', value]
    for table in ("object", "search_index", "search_pending"):
        sql.execute(
            f"UPDATE {table} SET properties = {change} "  # noqa: S608 - our own names
            "WHERE type = ? AND id = ? AND properties IS NOT NULL",
            (*path, kind, record_id),
        )


def next_id(sql: sqlite3.Connection) -> int:
    """An id that no record has had."""
    return next_ids(sql, 1)


def next_ids(sql: sqlite3.Connection, count: int) -> int:
    """The first of so many new ids in a row."""
    (last,) = sql.execute(
        "INSERT INTO counter VALUES ('object', ?) "
        "ON CONFLICT DO UPDATE SET value = value + ? RETURNING value",
        (FIRST_ID + count - 1, count),
    ).fetchone()
    return int(last) - count + 1


def keep_above(sql: sqlite3.Connection, record_id: int) -> None:
    """New ids are larger than this one, which was given."""
    sql.execute(
        "INSERT INTO counter VALUES ('object', ?) "
        "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
        (max(record_id, FIRST_ID - 1),),
    )


def folded(kind: str, name: str, value: str) -> str:
    """A unique value as it is compared: e-mail addresses without regard to case."""
    return value.strip().casefold() if name in TYPES[kind].keys else value


def holders(
    sql: sqlite3.Connection, kind: str, name: str, values: Iterable[str]
) -> Mapping[str, int]:
    """The ids of the records that hold these values of a unique property, by folded value."""
    wanted = [folded(kind, name, one) for one in values]
    found = sql.execute(
        "SELECT value, id FROM unique_value WHERE type = ? AND property = ? "
        "AND value IN (SELECT value FROM json_each(?))",
        (kind, name, json.dumps(wanted)),
    )
    return dict(found.fetchall())


def claim(
    sql: sqlite3.Connection, kind: str, name: str, record_id: int, values: Iterable[str]
) -> None:
    """Let the record be the only one with these values of a unique property.

    Values that it held before are free again. Raises `sqlite3.IntegrityError` when one is taken.
    """
    sql.execute(
        "DELETE FROM unique_value WHERE type = ? AND property = ? AND id = ? ",
        (kind, name, record_id),
    )
    sql.executemany(
        "INSERT INTO unique_value VALUES (?, ?, ?, ?)",
        [(kind, name, value, record_id) for value in {folded(kind, name, one) for one in values}],
    )


def claim_at_once(
    sql: sqlite3.Connection, kind: str, name: str, pairs: Iterable[tuple[str, int]]
) -> None:
    """`claim` for many new records at a time: (value, record id) each."""
    sql.executemany(
        "INSERT INTO unique_value VALUES (?, ?, ?, ?)",
        [(kind, name, folded(kind, name, value), record_id) for value, record_id in pairs],
    )


def release(sql: sqlite3.Connection, kind: str, record_id: int) -> None:
    """Free every unique value of a record."""
    sql.execute("DELETE FROM unique_value WHERE type = ? AND id = ?", (kind, record_id))


def _last(known: Mapping[int, Row], record_id: int) -> Row:
    row = known[record_id]
    while row.merged_into is not None:
        row = known[row.merged_into]
    return row


def _stamp(row: Row) -> None:
    kind = TYPES[row.type]
    created = instant(row.created_ms)
    row.properties[kind.created] = created
    row.properties["hs_createdate"] = created
    row.properties[kind.modified] = instant(row.updated_ms)
    row.properties["hs_object_id"] = str(row.id)


def _text(properties: Mapping[str, str | None]) -> str:
    kept = {name: value for name, value in properties.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _cells(row: Row, text: str) -> tuple[object, ...]:
    return (
        row.type,
        row.id,
        text,
        row.created_ms,
        row.updated_ms,
        row.archived_ms,
        row.merged_into,
    )


def _row(cells: Sequence[object]) -> Row:
    kind, record_id, text, created, updated, archived, merged = cells
    return Row(
        str(kind),
        int(str(record_id)),
        json.loads(str(text)),
        int(str(created)),
        int(str(updated)),
        None if archived is None else int(str(archived)),
        None if merged is None else int(str(merged)),
    )
