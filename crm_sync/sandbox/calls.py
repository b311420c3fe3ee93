"""Counts what a sandbox was asked: the instrument of tests about frugality and exactly-once."""

from __future__ import annotations

import threading
from collections import Counter


class Calls:
    """Counters of calls (`"PATCH collections"`) and of rows written (`"Contact.update"`)."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._guard = threading.Lock()

    def called(self, kind: str) -> None:
        """One call of this kind came in."""
        with self._guard:
            self._calls[kind] += 1

    def wrote(self, kind: str, rows: int) -> None:
        """So many rows were written in this way, and committed."""
        if rows:
            with self._guard:
                self._rows[kind] += rows

    def reset(self) -> None:
        """Start again from nothing."""
        with self._guard:
            self._calls.clear()
            self._rows.clear()

    def counted(self) -> dict[str, object]:
        """Totals and counters by kind."""
        with self._guard:
            return {
                "total": self._calls.total(),
                "calls": dict(sorted(self._calls.items())),
                "rows": dict(sorted(self._rows.items())),
            }
