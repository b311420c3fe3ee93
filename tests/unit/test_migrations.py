from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from crm_sync.store import migrations
from crm_sync.store.database import Store
from crm_sync.store.migrations import HEAD
from crm_sync.store.tables import metadata

SCRIPTS = Path(migrations.__file__).parent

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from crm_sync.store.database import Store

left = int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *rest):
    global left
    if statement.lstrip().upper().startswith(("CREATE", "INSERT", "UPDATE")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

Store.open(Path(sys.argv[1]))
print("whole")
"""

OPENED = """
import sys
from pathlib import Path
from crm_sync.store.database import Store
print("ready", flush=True)
sys.stdin.readline()
Store.open(Path(sys.argv[1])).close()
print("opened")
"""


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "x.db")
    try:
        with store.read() as tx:
            context = MigrationContext.configure(tx, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
    finally:
        store.close()


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(settings).get_heads() == [HEAD]


def test_revisions_are_numbers_so_that_the_newer_of_two_can_be_told() -> None:
    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS))
    revisions = [one.revision for one in ScriptDirectory.from_config(settings).walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert all(len(one) == 4 and one.isdigit() for one in revisions)


def schema(path: Path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT name, coalesce(sql, '') FROM sqlite_master ORDER BY name")
        return [(name, sql) for name, sql in rows]


@pytest.mark.parametrize("statements", [1, 4, 12, 20])
def test_an_upgrade_killed_at_any_statement_is_done_again(tmp_path: Path, statements: int) -> None:
    path = tmp_path / "x.db"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(statements)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == []
    Store.open(path).close()
    Store.open(tmp_path / "fresh.db").close()
    assert schema(path) == schema(tmp_path / "fresh.db")


def test_processes_that_open_a_new_database_at_once_make_it_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENED, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in processes:
        out, err = one.communicate(timeout=60)
        assert out == "opened\n", err
    Store.open(tmp_path / "fresh.db").close()
    assert schema(path) == schema(tmp_path / "fresh.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def test_an_open_database_is_not_upgraded_again(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Store.open(path).close()
    before = path.stat().st_mtime_ns, schema(path)
    Store.open(path).close()
    assert (path.stat().st_mtime_ns, schema(path)) == before
