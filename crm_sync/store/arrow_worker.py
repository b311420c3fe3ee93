"""A process of its own that moves Arrow tables into or out of the database file.

The driver that speaks Arrow carries an SQLite of its own. Two of them in one process must not open
one file: when either closes it, the locks of the other are gone (POSIX locks belong to the
process). So this is started by `arrow_io` for what is too large to pass through Python's own:
`python -m crm_sync.store.arrow_worker`, a job as JSON on standard input, tables as Arrow files. It
answers nothing, or with a problem as JSON, and ends with 1.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from crm_sync.store.loads import Load, carry_out

if TYPE_CHECKING:
    import pyarrow as pa

_CODES = {
    "locked": "BUSY",
    "full": "FULL",
    "disk I/O": "IOERR",
    "readonly": "READONLY",
    "unable to open": "CANTOPEN",
    "malformed": "CORRUPT",
    "not a database": "NOTADB",
}
"""SQLite's names for the errors of which the driver passes on the words alone."""


class AdbcWriter:
    """A `Writer` over the driver's cursor."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def run(self, statement: str, *parameters: str) -> None:
        """See `Writer.run`."""
        self._cursor.execute(statement, parameters=list(parameters) or None)

    def holds(self, query: str, *parameters: str) -> bool:
        """See `Writer.holds`."""
        self.run(query, *parameters)
        return bool(self._cursor.fetchone()[0])

    def insert(self, table: str, rows: pa.Table) -> None:
        """See `Writer.insert`."""
        self._cursor.adbc_ingest(table, rows, mode="append")

    def stage(self, name: str, rows: pa.Table, like: str) -> None:
        """See `Writer.stage`."""
        self._cursor.adbc_ingest(name, rows, mode="create", temporary=True)


def main() -> int:
    """Carry out the job on standard input."""
    # Ctrl-C goes to the whole group; the process that asked decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from adbc_driver_manager import Error

    job = json.load(sys.stdin)
    try:
        (_write if "loads" in job else _read)(job)
    except Error as problem:
        text = str(problem)
        code = next((code for words, code in _CODES.items() if words in text), "")
        json.dump({"code": code, "text": text}, sys.stdout)
        return 1
    return 0


def _read(job: dict[str, Any]) -> None:
    import pyarrow as pa
    from adbc_driver_sqlite import dbapi

    uri = f"file:{quote(job['path'])}?mode=ro"
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(job["statement"], parameters=job["parameters"])
        reader = cursor.fetch_record_batch()
        with pa.OSFile(job["file"], "wb") as file, pa.ipc.new_file(file, reader.schema) as out:
            for batch in reader:
                out.write_batch(batch)


def _write(job: dict[str, Any]) -> None:
    import pyarrow as pa
    from adbc_driver_sqlite import dbapi

    with dbapi.connect(f"file:{quote(job['path'])}") as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {int(job['busy_seconds'] * 1000)}")
            cursor.fetchall()
            writer = AdbcWriter(cursor)
            for one in job["loads"]:
                with pa.memory_map(one.pop("file")) as file:
                    carry_out(Load(**one), pa.ipc.open_file(file).read_all(), writer)
        connection.commit()


if __name__ == "__main__":
    sys.exit(main())
