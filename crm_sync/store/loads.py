"""How whole tables of rows enter the database, whichever SQLite library carries them there.

What is there already is left alone: of rows that come again only those are written that say
something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

_SCRATCH = "bulk_scratch"


@dataclass(frozen=True)
class Load:
    """What is to become of the rows for one table.

    `replace`: they are all that the table holds where its columns say what `of` says. `add`: those
    are added whose key is not there yet. `keys` are the columns of the table's primary key.
    """

    verb: Literal["replace", "add"]
    table: str
    keys: Sequence[str]
    of: Mapping[str, str]


class Writer(Protocol):
    """An open write transaction."""

    def run(self, statement: str, *parameters: str) -> None:
        """Carry out one statement."""
        ...

    def holds(self, query: str, *parameters: str) -> bool:
        """Whether the one value that the query gives is true."""
        ...

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table that is there."""
        ...

    def stage(self, name: str, rows: pa.Table, like: str) -> None:
        """Put rows into a new temporary table with the columns of `like`."""
        ...


def carry_out(load: Load, rows: pa.Table, writer: Writer) -> None:
    """Write the rows of one load. Names in the statements are those of our tables and columns."""
    ours = " AND ".join(f'"{name}" = ?' for name in load.of)
    if load.verb == "replace" and not writer.holds(
        f'SELECT EXISTS (SELECT 1 FROM "{load.table}" WHERE {ours})',  # noqa: S608
        *load.of.values(),
    ):
        writer.insert(load.table, rows)
        return
    writer.stage(_SCRATCH, rows, load.table)
    for statement, parameters in _statements(load, rows.column_names):
        writer.run(statement, *parameters)


def _statements(load: Load, names: Sequence[str]) -> list[tuple[str, list[Any]]]:
    columns = ", ".join(f'"{name}"' for name in names)
    scratch, table = f'temp."{_SCRATCH}"', f'"{load.table}"'
    done: tuple[str, list[Any]] = (f"DROP TABLE {scratch}", [])
    if load.verb == "add":
        add = f"INSERT OR IGNORE INTO {table} ({columns}) SELECT {columns} FROM {scratch}"  # noqa: S608
        return [(add, []), done]
    key = ", ".join(f'"{name}"' for name in load.keys)
    same = " AND ".join(f'o."{name}" IS n."{name}"' for name in names)
    here = " AND ".join(f'o."{name}" = n."{name}"' for name in load.keys)
    ours = " AND ".join(f'o."{name}" = ?' for name in load.of)
    gone = f"NOT EXISTS (SELECT 1 FROM {scratch} AS n WHERE {here})"  # noqa: S608
    new = f"NOT EXISTS (SELECT 1 FROM {table} AS o WHERE {here} AND {same})"  # noqa: S608
    delete = f"DELETE FROM {table} AS o WHERE {ours} AND {gone}"  # noqa: S608
    into = f"INSERT OR REPLACE INTO {table} ({columns})"
    insert = f"{into} SELECT {columns} FROM {scratch} AS n WHERE {new}"  # noqa: S608
    return [
        (f'CREATE UNIQUE INDEX temp."ix_{_SCRATCH}" ON "{_SCRATCH}" ({key})', []),
        (delete, list(load.of.values())),
        (insert, []),
        done,
    ]
