"""Finds the records that the rows of a file refer to: by id, by name, by external id."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from crm_sync_salesforce.sandbox.fields import Field, ObjectType

_AT_ONCE = 500


class Lookup:
    """Resolves the values of one column to ids, many at a time."""

    def __init__(
        self, connection: sqlite3.Connection, targets: Sequence[ObjectType], key: str
    ) -> None:
        self._sql = connection
        self._keys: list[tuple[ObjectType, Field]] = []
        for target in targets:
            field = target.field(key)
            if field is not None and field.stored:
                self._keys.append((target, field))

    @property
    def possible(self) -> bool:
        """Whether any of the objects that can be meant has this key."""
        return bool(self._keys)

    def resolve(self, values: Iterable[str]) -> Mapping[str, list[str]]:
        """The ids of each value: one when it is clear, several when it is ambiguous.

        A value that is there letter by letter wins over one that differs in case.
        """
        wanted = sorted(set(values))
        exact: dict[str, list[str]] = defaultdict(list)
        folded: dict[str, list[str]] = defaultdict(list)
        for target, field in self._keys:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ", ".join("?" * len(some))
                rows = self._sql.execute(
                    f'SELECT {field.column}, Id FROM "{target.name}" '
                    f"WHERE {field.column} IN ({marks}) AND IsDeleted = 0",
                    some,
                )
                for value, record_id in rows:
                    exact[value].append(record_id)
                    folded[value.casefold()].append(record_id)
        return {one: exact.get(one) or folded.get(one.casefold(), []) for one in wanted}
