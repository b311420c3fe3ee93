"""Finds the records that the cells of a loaded file refer to."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping

from crm_sync_hubspot.sandbox.associations import live
from crm_sync_hubspot.sandbox.editing import number_of
from crm_sync_hubspot.sandbox.rows import folded, holders

Found = Mapping[str, list[int]]
"""The ids that each text means: one when it is clear, several when it is ambiguous."""


class Lookup:
    """Resolves texts to records of one kind, by `id` or by a property, many at a time.

    A property is read into a temporary index at first use; what is loaded later is not seen.
    """

    def __init__(self, sql: sqlite3.Connection, kind: str, key: str) -> None:
        self._sql = sql
        self._kind = kind
        self._key = key
        self._indexed = False

    def resolve(self, texts: Iterable[str]) -> Found:
        """The ids of each text. One that is there letter by letter wins over one in other case."""
        wanted = sorted(set(texts))
        if self._key == "id":
            numbers = {text: number for text in wanted if (number := number_of(text)) is not None}
            there = live(self._sql, self._kind, numbers.values())
            return {text: [numbers[text]] for text in wanted if numbers.get(text) in there}
        if (self._kind, self._key) == ("contacts", "email"):
            held = holders(self._sql, self._kind, self._key, wanted)
            keys = {text: folded(self._kind, self._key, text) for text in wanted}
            return {text: [held[one]] for text, one in keys.items() if one in held}
        return self._by_property(wanted)

    def close(self) -> None:
        """Drop the temporary index."""
        if self._indexed:
            self._sql.execute(f'DROP TABLE temp."{self._table}"')
            self._indexed = False

    @property
    def _table(self) -> str:
        return f"lookup_{self._kind}_{self._key}"

    def _by_property(self, wanted: list[str]) -> Found:
        self._index()
        rows = self._sql.execute(
            f'SELECT folded, value, id FROM temp."{self._table}" '  # noqa: S608 - our own names
            "WHERE folded IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps([text.casefold() for text in wanted]),),
        )
        exact: dict[str, list[int]] = defaultdict(list)
        loose: dict[str, list[int]] = defaultdict(list)
        for same, value, record_id in rows:
            exact[value].append(record_id)
            loose[same].append(record_id)
        return {text: exact.get(text) or loose.get(text.casefold(), []) for text in wanted}

    def _index(self) -> None:
        if self._indexed:
            return
        table = self._table
        self._sql.execute(f'DROP TABLE IF EXISTS temp."{table}"')
        self._sql.execute(
            f'CREATE TEMP TABLE "{table}" AS '  # noqa: S608 - our own names
            "SELECT fold(json_extract(properties, ?)) AS folded, "
            "json_extract(properties, ?) AS value, id FROM object "
            "WHERE type = ? AND archived_ms IS NULL AND merged_into IS NULL",
            (f'$."{self._key}"', f'$."{self._key}"', self._kind),
        )
        self._sql.execute(f'CREATE INDEX temp."{table}_folded" ON "{table}" (folded)')
        self._indexed = True
