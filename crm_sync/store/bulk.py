"""Whole Arrow tables into the database, in one transaction, through the driver that reads Arrow.

A million verdicts as Python tuples cost more than judging them. What is there already is left
alone: of rows that come again only those are written that say something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from crm_sync.store.database import explain

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Table

_SCRATCH = "bulk_scratch"


@dataclass(frozen=True)
class Bulk:
    """An open transaction for Arrow tables."""

    cursor: Any

    def replace(self, table: Table, rows: pa.Table, *, of: Mapping[str, str]) -> None:
        """Make `rows` all that the table holds for `of`, the constant columns of these rows."""
        rows = _with_constants(rows, of)
        if not self._holds(table, of):
            self._ingest(table.name, rows)
            return
        self._ingest(_SCRATCH, rows, temporary=True)
        keys = [column.name for column in table.primary_key]
        same = " AND ".join(f'o."{name}" IS n."{name}"' for name in rows.column_names)
        here = " AND ".join(f'o."{name}" = n."{name}"' for name in keys)
        ours = " AND ".join(f'o."{name}" = ?' for name in of)
        columns = ", ".join(f'"{name}"' for name in rows.column_names)
        key = ", ".join(f'"{name}"' for name in keys)
        self._run(f'CREATE UNIQUE INDEX temp."ix_{_SCRATCH}" ON "{_SCRATCH}" ({key})')
        self._run(
            f'DELETE FROM "{table.name}" AS o WHERE {ours} AND NOT EXISTS '  # noqa: S608 - names of ours
            f'(SELECT 1 FROM temp."{_SCRATCH}" AS n WHERE {here})',
            *of.values(),
        )
        self._run(
            f'INSERT OR REPLACE INTO "{table.name}" ({columns}) SELECT {columns} '  # noqa: S608
            f'FROM temp."{_SCRATCH}" AS n WHERE NOT EXISTS '
            f'(SELECT 1 FROM "{table.name}" AS o WHERE {here} AND {same})'
        )
        self._run(f'DROP TABLE temp."{_SCRATCH}"')

    def add(self, table: Table, rows: pa.Table, *, of: Mapping[str, str]) -> None:
        """Add those rows whose key is not there yet."""
        rows = _with_constants(rows, of)
        self._ingest(_SCRATCH, rows, temporary=True)
        columns = ", ".join(f'"{name}"' for name in rows.column_names)
        self._run(
            f'INSERT OR IGNORE INTO "{table.name}" ({columns}) SELECT {columns} '  # noqa: S608
            f'FROM temp."{_SCRATCH}"'
        )
        self._run(f'DROP TABLE temp."{_SCRATCH}"')

    def _holds(self, table: Table, of: Mapping[str, str]) -> bool:
        ours = " AND ".join(f'"{name}" = ?' for name in of)
        self._run(f'SELECT EXISTS (SELECT 1 FROM "{table.name}" WHERE {ours})', *of.values())  # noqa: S608
        return bool(self.cursor.fetchone()[0])

    def _ingest(self, name: str, rows: pa.Table, *, temporary: bool = False) -> None:
        mode = "create" if temporary else "append"
        self.cursor.adbc_ingest(name, rows, mode=mode, temporary=temporary)

    def _run(self, statement: str, *parameters: str) -> None:
        self.cursor.execute(statement, parameters=list(parameters) or None)


@contextmanager
def bulk(path: Path, *, busy_seconds: float) -> Iterator[Bulk]:
    """One write transaction: all of it is stored, or none. Raises as `Store.begin` does."""
    from adbc_driver_manager import Error
    from adbc_driver_sqlite import dbapi

    try:
        with dbapi.connect(f"file:{quote(str(path))}") as connection:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")
                cursor.fetchall()
                try:
                    yield Bulk(cursor)
                except BaseException:
                    with suppress(Error):
                        connection.rollback()
                    raise
            connection.commit()
    except Error as problem:
        explain(path, _code(str(problem)), str(problem))
        raise


_CODES = {
    "locked": "BUSY",
    "full": "FULL",
    "disk I/O": "IOERR",
    "readonly": "READONLY",
    "unable to open": "CANTOPEN",
    "malformed": "CORRUPT",
    "not a database": "NOTADB",
}


def _code(text: str) -> str:
    """SQLite's name for an error of which the driver passes on the words alone."""
    return next((code for part, code in _CODES.items() if part in text), "")


def _with_constants(rows: pa.Table, constants: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    for name, value in constants.items():
        column = pa.repeat(pa.scalar(value, pa.string()), rows.num_rows)
        rows = rows.append_column(name, column)
    return _as_text(rows)


def _as_text(rows: pa.Table) -> pa.Table:
    """Dates as ISO text, as they are stored."""
    import pyarrow as pa

    for index, field in enumerate(rows.schema):
        if pa.types.is_date(field.type):
            rows = rows.set_column(index, field.name, rows.column(index).cast(pa.string()))
    return rows
