"""The state that all end points of a HubSpot sandbox share."""

from __future__ import annotations

import json
import sqlite3
import threading
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
        self.database = Database(path)
        self.calls = calls
        self.settings = settings or Settings()
        self._clock = clock or (lambda: datetime.now(UTC))
        self._offset = timedelta()
        self._guard = threading.Lock()
        self._definitions: dict[str, Definitions] = {}
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
        found = self._definitions.get(kind)
        if found is None:
            rows = sql.execute(
                "SELECT definition FROM property WHERE type = ? ORDER BY rowid", (kind,)
            )
            found = dict(STANDARD[kind])
            for (text,) in rows:
                one = from_stored(json.loads(text))
                found[one.name] = one
            self._definitions[kind] = found
        return found

    def define(self, sql: sqlite3.Connection, kind: str, extras: Iterable[Definition]) -> None:
        """Add or replace properties; call `forget_definitions` when the transaction fails."""
        rows = [(kind, one.name, json.dumps(one.stored())) for one in extras]
        sql.executemany(
            "INSERT INTO property VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET definition = excluded.definition",
            rows,
        )
        self.forget_definitions()

    def add_missing(self, sql: sqlite3.Connection, kind: str, extras: Iterable[Definition]) -> None:
        """Add the properties that are not there yet, and the group that they stand in."""
        known = self.definitions(sql, kind)
        extras = [one for one in extras if one.name not in known]
        groups = {one.group for one in extras} - {one.group for one in known.values()}
        for group in sorted(groups):
            label = "Custom" if group == CUSTOM_GROUP else group.replace("_", " ").capitalize()
            found = {"name": group, "label": label, "displayOrder": -1, "archived": False}
            sql.execute(
                "INSERT OR IGNORE INTO property_group VALUES (?, ?, ?)",
                (kind, group, json.dumps(found)),
            )
        self.define(sql, kind, extras)

    def forget_definitions(self) -> None:
        """Read the properties again, after a change or a transaction that was rolled back."""
        self._definitions = {}


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
