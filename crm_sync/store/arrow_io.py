"""Arrow tables out of the database and into it.

Few rows pass through Python's own SQLite, in the transaction of the caller's kind. Many go by way
of a process of their own (`arrow_worker` says why), twenty times as fast, over files in a private
temporary folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sync.store.database import BUSY_SECONDS, Store, explain
from crm_sync.store.loads import Load, carry_out

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection, Table

FEW = 20_000
"""Rows up to which starting another process takes longer than it saves."""


def read_arrow(store: Store, statement: str, parameters: Sequence[str]) -> pa.Table:
    """What a query gives. Its columns should hold no nulls; whole numbers may come as text."""
    rows, names = _some(store, statement, parameters)
    if len(rows) > FEW:
        return _read_apart(store, statement, parameters)
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    texts = [[None if value is None else str(value) for value in column] for column in columns]
    arrays = [pa.array(column, pa.string()) for column in texts]
    return pa.table(arrays, names=names)


def _some(store: Store, statement: str, parameters: Sequence[str]) -> tuple[list[Any], list[str]]:
    with store.read() as tx:
        found = tx.exec_driver_sql(f"{statement} LIMIT {FEW + 1}", tuple(parameters))
        return list(found), list(found.keys())


def _read_apart(store: Store, statement: str, parameters: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    with tempfile.TemporaryDirectory(prefix="crm-sync-") as folder:
        file = str(Path(folder) / "rows.arrow")
        _in_another_process(
            store, {"statement": statement, "parameters": list(parameters), "file": file}
        )
        with pa.OSFile(file) as source:
            return pa.ipc.open_file(source).read_all()


@dataclass(frozen=True)
class Bulk:
    """Loads that are written together."""

    loads: list[tuple[Load, pa.Table]] = field(default_factory=list)

    def replace(self, table: Table, rows: pa.Table, *, of: Mapping[str, str]) -> None:
        """Make `rows` all that the table holds for `of`, the constant columns of these rows."""
        self._take("replace", table, rows, of)

    def add(self, table: Table, rows: pa.Table, *, of: Mapping[str, str]) -> None:
        """Add those rows whose key is not there yet."""
        self._take("add", table, rows, of)

    def _take(self, verb: Any, table: Table, rows: pa.Table, of: Mapping[str, str]) -> None:
        keys = [column.name for column in table.primary_key]
        self.loads.append((Load(verb, table.name, keys, dict(of)), _with_constants(rows, of)))


@contextmanager
def bulk(store: Store) -> Iterator[Bulk]:
    """Everything that is asked for inside is written in one transaction in the end, or nothing.

    Raises as `Store.begin` does.
    """
    asked = Bulk()
    yield asked
    if sum(rows.num_rows for _, rows in asked.loads) <= FEW:
        with store.begin() as tx:
            for load, rows in asked.loads:
                carry_out(load, rows, _OwnWriter(tx))
        return
    _write_apart(store, asked)


def _write_apart(store: Store, asked: Bulk) -> None:
    import pyarrow as pa

    with tempfile.TemporaryDirectory(prefix="crm-sync-") as folder:
        loads = []
        for number, (load, rows) in enumerate(asked.loads):
            file = str(Path(folder) / f"{number}.arrow")
            with pa.OSFile(file, "wb") as out, pa.ipc.new_file(out, rows.schema) as writer:
                writer.write_table(rows)
            loads.append({**asdict(load), "file": file})
        _in_another_process(store, {"loads": loads, "busy_seconds": BUSY_SECONDS})


def _in_another_process(store: Store, job: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "crm_sync.store.arrow_worker"],
        input=json.dumps({"path": str(store.path), **job}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    try:
        problem = json.loads(done.stdout)
    except ValueError:
        problem = {"code": "", "text": done.stderr.strip().rpartition("\n")[2]}
    explain(store.path, problem["code"], problem["text"])
    raise RuntimeError(f"a table could not be moved: {problem['text']}")


class _OwnWriter:
    """A `Writer` over Python's own SQLite."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def run(self, statement: str, *parameters: str) -> None:
        """See `Writer.run`."""
        self._tx.exec_driver_sql(statement, tuple(parameters))

    def holds(self, query: str, *parameters: str) -> bool:
        """See `Writer.holds`."""
        return bool(self._tx.exec_driver_sql(query, tuple(parameters)).scalar())

    def insert(self, table: str, rows: pa.Table) -> None:
        """See `Writer.insert`."""
        names = ", ".join(f'"{name}"' for name in rows.column_names)
        marks = ", ".join("?" for _ in rows.column_names)
        values = list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        if values:
            self._tx.exec_driver_sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values)  # noqa: S608

    def stage(self, name: str, rows: pa.Table, like: str) -> None:
        """See `Writer.stage`."""
        columns = ", ".join(f'"{column}"' for column in rows.column_names)
        self.run(f'CREATE TEMP TABLE "{name}" AS SELECT {columns} FROM "{like}" WHERE 0')  # noqa: S608
        self.insert(name, rows)


def _with_constants(rows: pa.Table, constants: Mapping[str, str]) -> pa.Table:
    """The rows with their constant columns, and dates as ISO text, as they are stored."""
    import pyarrow as pa

    for name, value in constants.items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
    for index, column in enumerate(rows.schema):
        if pa.types.is_date(column.type):
            rows = rows.set_column(index, column.name, rows.column(index).cast(pa.string()))
    return rows
