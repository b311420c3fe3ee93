"""The SQLite file behind a sandbox: pooled connections, one transaction per request."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_sync.errors import UsageError

BUSY_SECONDS = 30.0
NOTE = "sandbox_kind"
"""The table with the name of the sandbox."""


class Database:
    """Connections to one SQLite file, lent to one request at a time.

    Text is folded by the function `fold`, so that queries ignore case beyond ASCII as well.
    Committed writes outlive the death of any process; only a power cut may lose them, which a
    sandbox can afford.

    The file notes the `kind` of sandbox that it belongs to; `table` is one that every file of this
    kind has, to know those by that were made before the note. A file of anything else is refused.
    """

    def __init__(self, path: Path, kind: str, table: str) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writer = threading.Lock()
        self._closed = False
        try:
            with self.writing() as connection:
                found = _noted(connection, kind, table)
        except sqlite3.Error as problem:
            raise UsageError(
                f"cannot be opened as a sandbox's database: {problem}",
                place=str(path),
                fix="Check folder and permissions, or name another file.",
            ) from None
        if found != kind:
            self.close()
            holds = f"the data of the `{found}` sandbox" if found else "something else"
            raise UsageError(
                f"this file holds {holds}, and the `{kind}` sandbox was asked for",
                place=str(path),
                fix="Name another file.",
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection inside of one read transaction: what it sees does not move."""
        connection = self._take()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside of one write transaction; committed unless the block raises."""
        with self._writer:
            connection = self._take()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._give_back(connection)

    def close(self) -> None:
        """Close every idle connection; lent ones are closed when they come back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            if self._idle:
                return self._idle.pop()
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -32000")
        connection.create_function("fold", 1, _fold, deterministic=True)
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _noted(connection: sqlite3.Connection, kind: str, table: str) -> str:
    """The kind of sandbox that the file belongs to, noted if it was not; empty for none."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if NOTE in tables:
        return str(connection.execute(f"SELECT name FROM {NOTE}").fetchone()[0])  # noqa: S608
    if tables and table not in tables:
        return ""
    connection.execute(f"CREATE TABLE {NOTE} (name TEXT NOT NULL)")
    connection.execute(f"INSERT INTO {NOTE} VALUES (?)", (kind,))  # noqa: S608 - a name of ours
    return kind


_Cell = str | bytes | int | float | None


def _fold(value: _Cell) -> _Cell:
    return value.casefold() if isinstance(value, str) else value
