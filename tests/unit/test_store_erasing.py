from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_sync.connector import Gone, Page
from crm_sync.model import Entity, Record, Scalar
from crm_sync.planning.locks import LockState, lock_of
from crm_sync.store import baselines, erasing, records
from crm_sync.store.database import Store
from crm_sync.store.tables import baseline, record

CRM = "emea"
MAY = datetime(2026, 5, 1, 8, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 8, tzinfo=UTC)
JULY = datetime(2026, 7, 1, 8, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        yield opened
    finally:
        opened.close()


def contact(id: str, title: Scalar = "CFO") -> Record:
    return Record(Entity.CONTACT, id, {"Title": title}, MAY)


def save(
    store: Store,
    rows: Sequence[Record] = (),
    *,
    at: datetime,
    gone: Sequence[Gone] = (),
    whole: bool = False,
) -> None:
    with store.begin() as tx:
        records.save_page(
            tx, CRM, Entity.CONTACT, Page(rows, gone, "c", complete=True), scope="s",
            watched=("Title",), at=at, whole_since=at if whole else None,
        )  # fmt: skip


def missed(store: Store) -> list[str]:
    with store.read() as tx:
        return erasing.missed_ids(tx, CRM, Entity.CONTACT)


def settle(store: Store, *erased: str) -> None:
    with store.begin() as tx:
        ids = erasing.missed_ids(tx, CRM, Entity.CONTACT)
        erasing.settle_missed(tx, CRM, Entity.CONTACT, ids, erased)


def said(store: Store, id: str) -> str:
    with store.read() as tx:
        return str(tx.execute(select(record.c.fields).where(record.c.id == id)).scalar_one())


def test_what_a_whole_pull_does_not_bring_is_gone_and_waits_for_a_reason(store: Store) -> None:
    save(store, [contact("1"), contact("2"), contact("3")], at=MAY, whole=True)
    assert missed(store) == []
    save(store, [contact("1")], at=JUNE, whole=True)
    assert missed(store) == ["2", "3"]
    save(store, [], at=JUNE, gone=[Gone(Entity.CONTACT, "3")])
    assert missed(store) == ["2"]
    settle(store, "2")
    assert missed(store) == []
    assert said(store, "2") == "{}"
    assert "CFO" in said(store, "3")
    with store.read() as tx:
        ids = ["1", "2", "3"]
        assert records.gone_ids(tx, CRM, Entity.CONTACT, ids) == {"2", "3"}


def test_what_was_gone_before_is_not_missed_by_a_whole_pull(store: Store) -> None:
    save(store, [contact("1"), contact("2")], at=MAY, whole=True)
    save(store, [], at=MAY, gone=[Gone(Entity.CONTACT, "2", "1")])
    save(store, [contact("1")], at=JUNE, whole=True)
    assert missed(store) == []


def test_one_that_comes_back_is_not_missed_any_more(store: Store) -> None:
    save(store, [contact("1")], at=MAY, whole=True)
    save(store, [], at=JUNE, whole=True)
    assert missed(store) == ["1"]
    save(store, [contact("1", "CEO")], at=JULY)
    assert missed(store) == []
    settle(store)
    assert "CEO" in said(store, "1")


def test_of_an_erased_record_nothing_that_it_said_stays_but_that_it_was_edited(
    store: Store,
) -> None:
    save(store, [contact("1", "Secret before")], at=MAY, whole=True)
    save(store, [contact("1", "Secret after")], at=MAY)
    with store.begin() as tx:
        baselines.verified(tx, CRM, Entity.CONTACT, "1", {"Moved": "Secret ours"}, MAY)
    save(store, [], at=JUNE, whole=True)
    settle(store, "1")
    with store.read() as tx:
        kept = [*tx.execute(select(record)), *tx.execute(select(baseline))]
        assert "Secret" not in repr(kept)
        edits = baselines.of_records(tx, CRM, Entity.CONTACT, ["1"])["1"]
    assert edits["Title"].edited_at is not None

    # Should it come back, what a person had edited is still hers, and the rest is seen anew.
    save(store, [contact("1", "Somebody's title")], at=JULY)
    with store.read() as tx:
        edits = baselines.of_records(tx, CRM, Entity.CONTACT, ["1"])["1"]
    assert "Moved" not in edits
    lock = lock_of(edits["Title"], "Somebody's title", MAY.date() - timedelta(days=1))
    assert lock.state is LockState.LOCKED


def test_when_everything_was_last_read_outlives_what_is_read_after_it(store: Store) -> None:
    save(store, [contact("1")], at=MAY, whole=True)
    save(store, [contact("1")], at=JUNE)
    with store.read() as tx:
        saved = records.saved_cursor(tx, CRM, Entity.CONTACT, "s")
    assert saved is not None
    assert saved.whole_at == MAY
    save(store, [contact("1")], at=JULY, whole=True)
    with store.read() as tx:
        again = records.saved_cursor(tx, CRM, Entity.CONTACT, "s")
    assert again is not None
    assert again.whole_at == JULY
