"""Arrow tables pass the same way in and out, few rows or many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import select

from crm_sync.errors import Busy
from crm_sync.store import arrow_io
from crm_sync.store.arrow_io import bulk, read_arrow
from crm_sync.store.database import Store
from crm_sync.store.tables import match, observation

ROW = {
    "contact_id": "003A",
    "source": "vendor",
    "profile_id": "p1",
    "confidence": 0.25,
    "band": "review",
    "rule": "work_email",
    "evidence": '[{"detail": "O\'Neill "x" 👋\\n"}]',
}


@pytest.fixture(params=["few", "many"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """A store that moves every table by Python's own SQLite, or by the other process."""
    if request.param == "many":
        monkeypatch.setattr(arrow_io, "FEW", -1)
    store = Store.open(tmp_path / "with # and ? in it.db")
    yield store
    store.close()


def rows(*changes: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist([{**ROW, **change} for change in changes])


def held(store: Store) -> list[tuple[str, str, float]]:
    with store.read() as tx:
        query = select(match.c.connection, match.c.contact_id, match.c.confidence)
        return [
            tuple(row) for row in tx.execute(query.order_by(match.c.connection, match.c.contact_id))
        ]


def test_rows_replace_those_of_their_connection(store: Store) -> None:
    with bulk(store) as loads:
        loads.replace(match, rows({}, {"contact_id": "003B"}), of={"connection": "emea"})
        loads.replace(match, rows({}), of={"connection": "apac"})
    with bulk(store) as loads:
        again = rows({"contact_id": "003B", "confidence": 0.5}, {"contact_id": "003C"})
        loads.replace(match, again, of={"connection": "emea"})
    assert held(store) == [("apac", "003A", 0.25), ("emea", "003B", 0.5), ("emea", "003C", 0.25)]


def test_what_is_there_is_not_added_again(store: Store) -> None:
    claim = {
        "id": "h1",
        "source": "vendor",
        "profile_id": "p1",
        "as_of": date(2026, 6, 1),
        "payload": "{}",
    }
    for day in ("2026-06-02", "2026-06-03"):
        with bulk(store) as loads:
            loads.add(observation, pa.Table.from_pylist([claim]), of={"recorded_at": day})
    with store.read() as tx:
        kept = [
            tuple(row) for row in tx.execute(select(observation.c.recorded_at, observation.c.as_of))
        ]
    assert kept == [("2026-06-02", "2026-06-01")]


def test_texts_come_out_as_they_went_in(store: Store) -> None:
    with bulk(store) as loads:
        loads.replace(match, rows({}), of={"connection": "emea"})
    found = read_arrow(
        store, 'SELECT contact_id, evidence FROM "match" WHERE connection = ?', ["emea"]
    )
    assert found.to_pylist() == [{"contact_id": "003A", "evidence": ROW["evidence"]}]


def test_nothing_is_written_when_something_goes_wrong(store: Store) -> None:
    nameless = rows({}).drop_columns(["profile_id"])

    def load_both() -> None:
        with bulk(store) as loads:
            loads.replace(match, rows({}), of={"connection": "emea"})
            loads.replace(match, nameless, of={"connection": "apac"})

    with pytest.raises(Exception, match="profile_id"):
        load_both()
    assert held(store) == []


def test_a_locked_database_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the other process as well; of Python's own SQLite, test_store_database asks it."""
    monkeypatch.setattr(arrow_io, "FEW", -1)
    monkeypatch.setattr(arrow_io, "BUSY_SECONDS", 0.1)
    store = Store.open(tmp_path / "x.db")
    try:
        with sqlite3.connect(store.path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Busy, match="locked"), bulk(store) as loads:
                loads.replace(match, rows({}), of={"connection": "emea"})
            other.execute("ROLLBACK")
        assert held(store) == []
    finally:
        store.close()
