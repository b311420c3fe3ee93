"""Our copies of records between two pulls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_sync.connector import Gone, Page
from crm_sync.model import Baseline, Entity, Record, Scalar
from crm_sync.store import baselines, copies, records
from crm_sync.store.database import Store

CRM = "emea"
MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        pull(opened, contact("1"), contact("2"), contact("3"), contact("4"))
        yield opened
    finally:
        opened.close()


def contact(id: str, at: datetime | None = MAY, /, **fields: Scalar) -> Record:
    return Record(Entity.CONTACT, id, {"Title": "CFO", "Account": "A1", **fields}, at)


def pull(store: Store, *present: Record, gone: Sequence[Gone] = ()) -> None:
    page = Page(present, gone, "c1", complete=True)
    watched = ("Title", "Account")
    with store.begin() as tx:
        records.save_page(tx, CRM, Entity.CONTACT, page, scope="s", watched=watched, at=JUNE)


def merged(id: str, survivor: str) -> Gone:
    return Gone(Entity.CONTACT, id, survivor)


def read(store: Store, *live: Record, at: datetime = JULY) -> None:
    with store.begin() as tx:
        copies.note_read(tx, CRM, Entity.CONTACT, live, at)


def held(store: Store, id: str) -> Record | None:
    with store.read() as tx:
        return records.records_of(tx, CRM, Entity.CONTACT, [id]).get(id)


def bases(store: Store, id: str) -> dict[str, Baseline]:
    with store.read() as tx:
        return baselines.of_records(tx, CRM, Entity.CONTACT, [id]).get(id, {})


def test_only_the_fields_that_were_read_change(store: Store) -> None:
    read(store, Record(Entity.CONTACT, "1", {"Account": "A2"}, MAY))
    assert held(store, "1") == contact("1", Account="A2")
    assert held(store, "2") == contact("2")


def test_an_edit_that_moved_no_date_was_made_when_it_was_seen(store: Store) -> None:
    read(store, Record(Entity.CONTACT, "1", {"Account": "A2", "Title": "CFO"}, MAY))
    assert bases(store, "1") == {"Account": Baseline("A1", "seen", JULY, JULY, "A2")}


def test_an_edit_with_a_date_of_its_own_keeps_it(store: Store) -> None:
    read(store, Record(Entity.CONTACT, "1", {"Title": "CEO"}, JUNE))
    assert bases(store, "1")["Title"].edited_at == JUNE
    pull(store, contact("1", JUNE, Title="CEO"))  # the pull that comes later tells nothing new
    assert bases(store, "1") == {"Title": Baseline("CFO", "seen", JULY, JUNE, "CEO")}


def test_what_is_as_we_hold_it_leaves_no_trace(store: Store) -> None:
    read(store, contact("1"))
    assert bases(store, "1") == {}


def test_a_record_that_is_gone_or_unknown_is_not_stored(store: Store) -> None:
    pull(store, gone=[Gone(Entity.CONTACT, "1")])
    read(store, contact("1", Title="CEO"), contact("9"))
    assert (held(store, "1"), held(store, "9")) == (None, None)
    assert bases(store, "1") == bases(store, "9") == {}


def survivors(store: Store, *ids: str) -> dict[str, str]:
    with store.read() as tx:
        return copies.survivors(tx, CRM, Entity.CONTACT, ids)


def test_a_merged_record_leads_to_the_last_one_of_its_line(store: Store) -> None:
    pull(store, gone=[merged("1", "2"), merged("2", "4"), Gone(Entity.CONTACT, "3")])
    assert survivors(store, "1", "2", "3", "4", "9") == {"1": "4", "2": "4"}
    with store.read() as tx:
        assert copies.survivors(tx, "apac", Entity.CONTACT, ["1"]) == {}
        assert copies.survivors(tx, CRM, Entity.ACCOUNT, ["1"]) == {}


def test_a_circle_of_merges_ends_where_it_began(store: Store) -> None:
    pull(store, gone=[merged("1", "2"), merged("2", "1"), merged("3", "1")])
    assert set(survivors(store, "1", "2", "3")) <= {"3"}
