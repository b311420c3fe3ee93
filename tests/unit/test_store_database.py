from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from crm_sync.errors import Busy, InputError, UsageError
from crm_sync.store import database, runs
from crm_sync.store.database import Store
from crm_sync.store.migrations import HEAD
from crm_sync.store.tables import metadata


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "crm-sync.db"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    store = Store.open(path)
    try:
        yield store
    finally:
        store.close()


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python of its own; it says what it did on standard output."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_new_database_has_every_table_and_is_durable(path: Path) -> None:
    with opened(path) as store, store.read() as tx:
        names = set(tx.execute(text("SELECT name FROM sqlite_master")).scalars())
        assert set(metadata.tables) <= names
        assert tx.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert tx.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
        assert tx.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_what_is_stored_is_there_when_opened_again(path: Path) -> None:
    with opened(path) as store, store.begin() as tx:
        tx.execute(text("INSERT INTO rejected_key VALUES ('c', 'k', 'rejected', 't')"))
    with opened(path) as store, store.read() as tx:
        assert tx.execute(text("SELECT key FROM rejected_key")).scalar() == "k"


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    with opened(path) as store:
        with pytest.raises(RuntimeError), store.begin() as tx:  # noqa: PT012
            tx.execute(text("INSERT INTO rejected_key VALUES ('c', 'k', 'rejected', 't')"))
            raise RuntimeError
        with store.read() as tx:
            assert tx.execute(text("SELECT count(*) FROM rejected_key")).scalar() == 0


def test_a_reader_sees_one_state_while_another_writes(path: Path) -> None:
    count = text("SELECT count(*) FROM rejected_key")
    with opened(path) as store:
        with store.read() as reader:
            assert reader.execute(count).scalar() == 0
            with store.begin() as tx:
                tx.execute(text("INSERT INTO rejected_key VALUES ('c', 'k', 'rejected', 't')"))
            assert reader.execute(count).scalar() == 0
        with store.read() as reader:
            assert reader.execute(count).scalar() == 1


@pytest.mark.parametrize("name", ["a b?c#d%41.db", "ünï'\"cödé.db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    with opened(tmp_path / name):
        assert (tmp_path / name).is_file()


# Files that are not ours


def other_program(path: Path, *, alembic: str | None = None) -> bytes:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE songs (title)")
        db.execute("INSERT INTO songs VALUES ('one')")
        if alembic:
            db.execute("CREATE TABLE alembic_version (version_num)")
            db.execute("INSERT INTO alembic_version VALUES (?)", (alembic,))
        db.commit()
    return path.read_bytes()


@pytest.mark.parametrize("alembic", [None, HEAD, "ae1027a6acf4", "0000"])
def test_another_programs_database_is_refused_and_left_as_it_was(
    path: Path, alembic: str | None
) -> None:
    before = other_program(path, alembic=alembic)
    with pytest.raises(InputError, match="belongs to another program") as caught:
        Store.open(path)
    assert caught.value.place == str(path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"a,b\n" * 400, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(
    path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be used as a database"):
        Store.open(path)
    assert path.read_bytes() == content


def test_a_folder_in_its_place_and_an_absent_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be used as a database"):
        Store.open(tmp_path)
    with pytest.raises(InputError, match="folder of the database does not exist"):
        Store.open(tmp_path / "nowhere" / "x.db")


def test_a_newer_database_is_refused_and_left_as_it_was(path: Path) -> None:
    with opened(path) as store, store.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="newer crm-sync"):
        Store.open(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


OPEN = """
import os, sys
from pathlib import Path
from crm_sync.errors import CrmSyncError
from crm_sync.store.database import Store
path, scratch = Path(sys.argv[1]), Path(sys.argv[2])
with Store.open(scratch).lock("main"):
    pass  # everything is imported now, wherever it lies
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with Store.open(path).lock("main"):
        print("opened")
except CrmSyncError as problem:
    print(type(problem).__name__, problem)
"""


@pytest.fixture
def somebodys_folder() -> Iterator[Path]:
    # Not below tmp_path, into which only its owner may look.
    folder = Path(tempfile.mkdtemp(prefix="crm-sync-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("state", ["empty folder", "read-only file", "file of ours"])
def test_a_folder_that_cannot_be_written_is_told(
    somebodys_folder: Path, tmp_path: Path, state: str
) -> None:
    path = somebodys_folder / "x.db"
    if state != "empty folder":
        Store.open(path).close()
        path.chmod(0o444 if state == "read-only file" else 0o666)
    somebodys_folder.chmod(0o555)
    # Root may write everywhere: the process gives its rights away before it opens the database.
    out, err = python(OPEN, path, tmp_path / "scratch.db").communicate(timeout=60)
    somebodys_folder.chmod(0o755)
    assert out.startswith("InputError"), err
    assert str(path) in out


def test_a_database_that_stays_locked_is_told_after_a_bounded_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    with opened(path) as store, contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match="stayed locked"), store.begin():
            pass
        other.rollback()
        with store.begin() as tx:
            assert tx.execute(text("SELECT 1")).scalar() == 1


def test_a_full_disk_is_told_and_nothing_is_half_stored(path: Path) -> None:
    count = text("SELECT count(*) FROM rejected_key")
    row = text("INSERT INTO rejected_key VALUES ('c', hex(randomblob(200000)), 'rejected', 't')")
    with opened(path) as store:
        with pytest.raises(Busy, match="cannot be written"), store.begin() as tx:  # noqa: PT012
            pages = tx.execute(text("PRAGMA page_count")).scalar()
            tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            tx.execute(row)
        with store.begin() as tx:
            tx.exec_driver_sql("PRAGMA max_page_count = 1000000")
            assert tx.execute(count).scalar() == 0


# The lock of a connection

HOLD = """
import sys
from pathlib import Path
from crm_sync.store.database import Store
with Store.open(Path(sys.argv[1])).lock("main"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_at_a_time_works_on_a_connection_and_a_kill_frees_it(path: Path) -> None:
    holder = python(HOLD, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        with opened(path) as store:
            with pytest.raises(Busy) as caught, store.lock("main"):
                pass
            assert caught.value.place == "main"
            with store.lock("another"):  # other connections are free
                pass
            holder.send_signal(signal.SIGKILL)
            holder.wait(timeout=30)
            with store.lock("main"):
                pass
    finally:
        holder.kill()
        holder.communicate()


def test_two_threads_of_one_process_do_not_share_a_lock(path: Path) -> None:
    found: list[str] = []
    with opened(path) as store:

        def second() -> None:
            try:
                with store.lock("main"):
                    found.append("entered")
            except Busy:
                found.append("busy")

        with store.lock("main"):
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
        second()
    assert found == ["busy", "entered"]


def test_the_database_and_its_companions_are_for_their_owner_only(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "private.db")
    with store.begin() as tx:
        runs.start_run(tx, "emea", "plan", datetime(2026, 6, 1, tzinfo=UTC))
    files = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("private.db*")}
    store.close()
    assert {"private.db", "private.db-wal"} <= files.keys()
    assert {name for name, open_to_others in files.items() if open_to_others} <= {
        name for name in files if name.endswith(".lock")
    }
