"""Opening the database: pragmas, migrations, transactions and the lock of a connection.

SQLite in WAL mode with `synchronous=FULL`: once a transaction is committed, neither a kill nor a
power cut takes it back. An empty or older database is brought up to date when it is opened, in one
transaction; a file that is not ours is left exactly as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sync.errors import Busy, InputError, UsageError
from crm_sync.store.migrations import HEAD

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

BUSY_SECONDS = 10
_OURS = frozenset({"record", "plan", "change", "intent"})
_READ = "crm_sync_read"


class Store:
    """The durable state of crm-sync; each aggregate has its module beside this one."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self.engine = engine

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open, creating or upgrading if need be.

        Raises `InputError` when the file is not one of our databases or cannot be written,
        `UsageError` when a newer crm-sync made it, `Busy` when another process keeps it locked.
        """
        path = path.absolute()
        if not path.parent.is_dir():
            raise InputError(
                "the folder of the database does not exist",
                place=str(path),
                fix="Create it, or correct `database:` in the configuration.",
            )
        _make_private(path)
        store = cls(path, _engine(path))
        with _explained(path):
            store._migrate()
        return store

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One write transaction: all of it is stored, or none."""
        with _explained(self.path), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view for reading; does not wait for writers."""
        with (
            _explained(self.path),
            self.engine.connect().execution_options(**{_READ: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def lock(self, connection: str) -> Iterator[None]:
        """Only one process at a time works on a connection; a kill frees the lock.

        Raises `Busy` at once when another process holds it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(f"{self.path}.{connection}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise Busy(
                "another crm-sync is working on this connection",
                place=connection,
                fix="Wait for it to end, then try again.",
            ) from None
        except OSError as problem:
            raise _no_lock_file(lock.lock_file, problem) from None
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Give back the file."""
        self.engine.dispose()

    def _migrate(self) -> None:
        from filelock import FileLock, Timeout

        if self._is_ready():
            return
        upgrade_lock = f"{self.path}.upgrade.lock"
        try:
            with FileLock(upgrade_lock, timeout=BUSY_SECONDS * 3):
                if not self._is_ready():
                    self._upgrade()
        except Timeout:
            raise Busy(
                "another process is upgrading the database",
                place=str(self.path),
                fix="Wait for it to end, then try again.",
            ) from None
        except OSError as problem:
            raise _no_lock_file(upgrade_lock, problem) from None

    def _is_ready(self) -> bool:
        """Whether nothing is left to do; raises when the file is not ours to touch."""
        from sqlalchemy import inspect, text

        with self.read() as connection:
            names = set(inspect(connection).get_table_names())
            found = None
            if "alembic_version" in names:
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            journal = connection.execute(text("PRAGMA journal_mode")).scalar()
        if names and not (found and names >= _OURS):
            raise InputError(
                "this SQLite file belongs to another program",
                place=str(self.path),
                fix="Name another file under `database:`.",
            )
        if found is not None and found > HEAD:
            raise UsageError(
                "a newer crm-sync made this database",
                place=str(self.path),
                fix="Install that version again, or name another file under `database:`.",
            )
        return found == HEAD and journal == "wal"

    def _upgrade(self) -> None:
        from alembic import command
        from alembic.config import Config

        # Kept in the file from now on; outside of a transaction, as SQLite wants it.
        raw = self.engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA journal_mode=WAL").close()
        finally:
            raw.close()
        settings = Config()
        settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.begin() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")


def _make_private(path: Path) -> None:
    """Create the file for its owner only: it holds names, addresses and what is known of people.

    SQLite gives its companion files (-wal, -shm) the same permissions.
    """
    with suppress(OSError):  # what is wrong with the place is told when SQLite opens it
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _engine(path: Path) -> Engine:
    from sqlalchemy import URL, create_engine, event

    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(dbapi_connection: Any, _: object) -> None:
        # We say BEGIN ourselves: the driver's own would start every transaction as a reader.
        dbapi_connection.isolation_level = None
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read = connection.get_execution_options().get(_READ, False)
        connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's errors in the operator's words."""
    from sqlalchemy.exc import DatabaseError

    try:
        yield
    except DatabaseError as problem:
        text = str(problem.orig)
        code = getattr(problem.orig, "sqlite_errorname", "").removeprefix("SQLITE_").split("_")[0]
        explain(path, code, text)
        raise


def explain(path: Path, code: str, text: str) -> None:
    """Raise what an error of SQLite's with this `code` means to an operator, if it is known."""
    if code in {"BUSY", "LOCKED"}:
        raise Busy(
            f"the database stayed locked for {BUSY_SECONDS} seconds",
            place=str(path),
            fix="Another process is writing; try again when it is done.",
        ) from None
    if code in {"FULL", "IOERR"}:
        raise Busy(
            f"the database cannot be written: {text}", place=str(path), fix="Free disk space."
        ) from None
    if code in {"NOTADB", "READONLY", "CANTOPEN", "CORRUPT", "PERM", "AUTH"}:
        raise InputError(
            f"cannot be used as a database: {text}",
            place=str(path),
            fix="Check the file and its permissions, or name another under `database:`.",
        ) from None


def _no_lock_file(path: str, problem: OSError) -> InputError:
    return InputError(
        f"the lock file cannot be written: {problem.strerror}",
        place=path,
        fix="crm-sync has to be able to write into the folder of its database.",
    )
