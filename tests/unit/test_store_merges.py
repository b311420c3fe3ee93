"""Which ids were merged into which contact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_sync.connector import Gone, Page
from crm_sync.model import Entity, Record
from crm_sync.store import records
from crm_sync.store.database import Store

CRM = "emea"
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        _pull(opened, present=["1", "2", "3", "4", "5"])
        yield opened
    finally:
        opened.close()


def _pull(
    store: Store,
    *,
    present: Sequence[str] = (),
    merged: Sequence[tuple[str, str | None]] = (),
    connection: str = CRM,
) -> None:
    rows = [Record(Entity.CONTACT, id, {"Title": "CFO"}, JUNE) for id in present]
    gone = [Gone(Entity.CONTACT, id, survivor) for id, survivor in merged]
    page = Page(rows, gone, "c1", complete=True)
    with store.begin() as tx:
        records.save_page(
            tx, connection, Entity.CONTACT, page, scope="s", watched=("Title",), at=JUNE
        )


def _merged(store: Store, *ids: str) -> dict[str, tuple[str, ...]]:
    with store.read() as tx:
        return records.merged_ids(tx, CRM, Entity.CONTACT, ids)


def test_a_survivor_knows_all_that_was_merged_into_it_at_whatever_remove(store: Store) -> None:
    _pull(store, merged=[("1", "3"), ("3", "4"), ("2", "4"), ("5", None)])
    assert _merged(store, "4", "5") == {"4": ("1", "2", "3")}
    assert _merged(store, "3") == {"3": ("1",)}


def test_merges_of_another_connection_do_not_count(store: Store) -> None:
    _pull(store, present=["1", "2"], connection="apac")
    _pull(store, merged=[("1", "2")], connection="apac")
    assert _merged(store, "2") == {}


def test_a_contact_that_came_back_is_no_longer_merged(store: Store) -> None:
    _pull(store, merged=[("1", "2")])
    _pull(store, present=["1"])
    assert _merged(store, "1", "2") == {}


def test_a_circle_of_merges_ends(store: Store) -> None:
    _pull(store, merged=[("1", "2"), ("2", "1")])
    assert _merged(store, "1", "2") == {"1": ("2",), "2": ("1",)}
