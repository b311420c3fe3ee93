"""The state that all end points of a HubSpot sandbox share."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crm_sync.sandbox.calls import Calls
from crm_sync.sandbox.database import Database
from crm_sync_hubspot.sandbox.definitions import CUSTOM_GROUP, Definition, from_stored
from crm_sync_hubspot.sandbox.standard import STANDARD
from crm_sync_hubspot.sandbox.tables import create_tables
from crm_sync_hubspot.sandbox.types import TYPES

PORTAL_ID = 20260901
Definitions = Mapping[str, Definition]
"""The properties of one kind of records, by name."""


@dataclass(slots=True)
class Settings:
    """What can be changed while the portal runs; delays in seconds, limits in calls.

    `index_delay`: how far search lags behind; `ten_secondly`, `secondly`, `search` (per second)
    and `daily` limit the calls; `unique_task_properties`: whether tasks may have a property with
    unique values; `merge_keeps_id`: the primary record of a merge keeps its id;
    `missing_scopes`: what the caller was not granted; `token_seconds`: the life of an access token.
    """

    index_delay: float = 2.0
    ten_secondly: int = 190
    secondly: int | None = None
    search: int = 5
    daily: int = 625_000
    unique_task_properties: bool = True
    merge_keeps_id: bool = False
    missing_scopes: frozenset[str] = frozenset()
    token_seconds: int = 1800


class Portal:
    """One portal: its database, its properties, its clock and its settings."""

    portal_id = PORTAL_ID

    def __init__(
        self,
        path: Path,
        calls: Calls,
        *,
        settings: Settings | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.database = Database(path, "hubspot", "unique_value")
        self.calls = calls
        self.settings = settings or Settings()
        self._clock = clock or (lambda: datetime.now(UTC))
        self._offset = timedelta()
        self._guard = threading.Lock()
        self._definitions: dict[str, tuple[int, Definitions]] = {}
        with self.database.writing() as sql:
            create_tables(sql)

    def now(self) -> datetime:
        """The portal's time, aware UTC."""
        return self._clock().astimezone(UTC) + self._offset

    def now_ms(self) -> int:
        """The portal's time in milliseconds since 1970."""
        return to_ms(self.now())

    def advance(self, seconds: float) -> None:
        """Let the portal's time be so many seconds later from now on."""
        with self._guard:
            self._offset += timedelta(seconds=seconds)

    def definitions(self, sql: sqlite3.Connection, kind: str) -> Definitions:
        """The properties of the objects `kind` (a plural name), standard ones first."""
        version = self._version(sql)
        cached = self._definitions.get(kind)
        if cached is not None and cached[0] == version:
            return cached[1]
        rows = sql.execute("SELECT definition FROM property WHERE type = ? ORDER BY rowid", (kind,))
        found = dict(STANDARD[kind])
        for (text,) in rows:
            one = from_stored(json.loads(text))
            found[one.name] = one
        self._definitions[kind] = (version, found)
        return found

    def define(self, sql: sqlite3.Connection, kind: str, extras: Iterable[Definition]) -> None:
        """Add or replace properties."""
        sql.executemany(
            "INSERT INTO property VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET definition = excluded.definition",
            [(kind, one.name, json.dumps(one.stored())) for one in extras],
        )
        self._renew(sql)

    def undefine(self, sql: sqlite3.Connection, kind: str, name: str) -> None:
        """Take a property away, with what records hold of it."""
        sql.execute("DELETE FROM property WHERE type = ? AND name = ?", (kind, name))
        path = f'$."{name}"'
        for table in ("object", "search_index", "search_pending"):
            sql.execute(
                f"UPDATE {table} SET properties = json_remove(properties, ?) "  # noqa: S608
                "WHERE type = ? AND json_extract(properties, ?) IS NOT NULL",
                (path, kind, path),
            )
        sql.execute("DELETE FROM unique_value WHERE type = ? AND property = ?", (kind, name))
        self._renew(sql)

    def add_missing(self, sql: sqlite3.Connection, kind: str, extras: Iterable[Definition]) -> None:
        """Add the properties that are not there yet, and the groups that they stand in.

        Of several with the same name the first counts.
        """
        known = self.definitions(sql, kind)
        added: dict[str, Definition] = {}
        for one in extras:
            if one.name not in known:
                added.setdefault(one.name, one)
        groups = {one.group for one in added.values()} - {one.group for one in known.values()}
        for group in sorted(groups):
            label = "Custom" if group == CUSTOM_GROUP else group.replace("_", " ").capitalize()
            found = {"name": group, "label": label, "displayOrder": -1, "archived": False}
            sql.execute(
                "INSERT OR IGNORE INTO property_group VALUES (?, ?, ?)",
                (kind, group, json.dumps(found)),
            )
        if added:
            self.define(sql, kind, added.values())

    def _version(self, sql: sqlite3.Connection) -> int:
        """Which properties this transaction sees: no two states have the same number."""
        row = sql.execute("SELECT value FROM counter WHERE name = 'properties'").fetchone()
        return 0 if row is None else int(row[0])

    def _renew(self, sql: sqlite3.Connection) -> None:
        sql.execute("REPLACE INTO counter VALUES ('properties', ?)", (time.time_ns(),))


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def instant(ms: int) -> str:
    """A time as HubSpot writes it: UTC, milliseconds only where there are any."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond // 1000:03d}Z" if moment.microsecond else f"{text}Z"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
assert set(STANDARD) == set(TYPES)  # noqa: S101 - every kind of records has its properties
