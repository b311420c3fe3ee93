"""A person's edit stays theirs when the record goes on under another id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm_sync.connector import Gone, Page
from crm_sync.model import Baseline, Entity, Record, Scalar
from crm_sync.store import baselines, merges, records
from crm_sync.store.database import Store

CRM = "emea"
MAY, JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7, 8))
TYPED_IN_JUNE = Baseline("CFO", "seen", JUNE, JUNE, "Treasurer")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        yield opened
    finally:
        opened.close()


def pull(
    store: Store,
    at: datetime,
    *,
    gone: Mapping[str, str] | None = None,
    connection: str = CRM,
    **titles: Scalar,
) -> None:
    """One page: the titles of contacts, and who was merged into whom."""
    rows = [Record(Entity.CONTACT, id, {"Title": title}, at) for id, title in titles.items()]
    told = [Gone(Entity.CONTACT, old, survivor) for old, survivor in (gone or {}).items()]
    page = Page(rows, told, "c1", complete=True)
    with store.begin() as tx:
        records.save_page(
            tx, connection, Entity.CONTACT, page, scope="s", watched=("Title",), at=at
        )


def base(store: Store, id: str, connection: str = CRM) -> Baseline | None:
    with store.read() as tx:
        held = baselines.of_records(tx, connection, Entity.CONTACT, [id])
    return held.get(id, {}).get("Title")


def test_an_edit_goes_with_the_value_to_a_survivor_under_a_new_id(store: Store) -> None:
    pull(store, MAY, a="CFO", b="Clerk")
    pull(store, JUNE, a="Treasurer")
    assert base(store, "a") == TYPED_IN_JUNE
    pull(store, JULY, c="Treasurer", gone={"a": "c", "b": "c"})
    assert base(store, "c") == TYPED_IN_JUNE
    pull(store, AUGUST, c="Treasurer", gone={"a": "c", "b": "c"})
    assert base(store, "c") == TYPED_IN_JUNE


def test_a_value_that_nobody_edited_is_as_free_as_before(store: Store) -> None:
    pull(store, MAY, a="CFO", b="Clerk")
    pull(store, JUNE, a="Treasurer")
    pull(store, JULY, c="Clerk", gone={"a": "c", "b": "c"})
    assert base(store, "c") is None


@pytest.mark.parametrize("gone", [{"a": "c", "b": "c"}, {"b": "c", "a": "c"}])
def test_of_two_equal_values_the_edited_one_speaks(store: Store, gone: dict[str, str]) -> None:
    pull(store, MAY, a="CFO", b="Treasurer")
    pull(store, JUNE, a="Treasurer")
    pull(store, JULY, c="Treasurer", gone=gone)
    assert base(store, "c") == TYPED_IN_JUNE


def test_what_we_wrote_is_ours_under_the_new_id_too(store: Store) -> None:
    pull(store, MAY, a="CFO")
    with store.begin() as tx:
        baselines.verified(tx, CRM, Entity.CONTACT, "a", {"Title": "CEO"}, JUNE)
    pull(store, JULY, c="CEO", gone={"a": "c"})
    assert base(store, "c") == Baseline("CEO", "verified", JUNE)
    pull(store, AUGUST, c="Chair")
    assert base(store, "c") == Baseline("CEO", "verified", JUNE, AUGUST, "Chair")


def test_a_value_that_none_of_them_had_was_put_there_by_somebody(store: Store) -> None:
    pull(store, MAY, a="CFO", b="Clerk")
    pull(store, JUNE, a="Treasurer")
    pull(store, JULY, c="Chair", gone={"a": "c", "b": "c"})
    assert base(store, "c") == Baseline("CFO", "seen", JUNE, JULY, "Chair")
    pull(store, MAY, d="CFO")
    pull(store, JULY, e="Chair", gone={"d": "e"})
    assert base(store, "e") == Baseline("CFO", "seen", JULY, JULY, "Chair")


def test_an_edit_passes_on_through_several_merges(store: Store) -> None:
    pull(store, MAY, a="CFO")
    pull(store, JUNE, a="Treasurer")
    pull(store, JULY, c="Treasurer", gone={"a": "c"})
    pull(store, AUGUST, d="Treasurer", gone={"a": "d", "c": "d"})
    assert base(store, "d") == TYPED_IN_JUNE


def test_a_survivor_that_keeps_its_id_keeps_what_is_its_own(store: Store) -> None:
    pull(store, MAY, a="CFO", b="Clerk")
    pull(store, JUNE, a="Treasurer")
    pull(store, JULY, gone={"a": "b"})
    assert base(store, "b") is None, "its value did not change, nor come from the other"


def test_a_survivor_that_keeps_its_id_and_takes_an_edited_value_is_edited(store: Store) -> None:
    pull(store, MAY, a="CFO", b="Clerk")
    pull(store, JUNE, a="Treasurer")
    pull(store, JULY, b="Treasurer", gone={"a": "b"})
    edited = base(store, "b")
    assert edited is not None
    assert (edited.edited_at, edited.live) == (JULY, "Treasurer")


def test_a_survivor_that_takes_our_value_takes_it_as_ours(store: Store) -> None:
    pull(store, MAY, a="CFO", b="Clerk")
    with store.begin() as tx:
        baselines.verified(tx, CRM, Entity.CONTACT, "a", {"Title": "CEO"}, JUNE)
    pull(store, JULY, b="CEO", gone={"a": "b"})
    assert base(store, "b") == Baseline("CEO", "verified", JUNE)


def test_nothing_is_inherited_across_connections_or_from_the_unknown(store: Store) -> None:
    pull(store, MAY, a="CFO")
    pull(store, JUNE, a="Treasurer")
    pull(store, JULY, c="Treasurer", gone={"a": "c"}, connection="apac")
    assert base(store, "c", "apac") is None
    pull(store, JULY, x="Clerk", gone={"never seen": "x", "a": "never told"})
    assert base(store, "x") is None


READ = {"Title": "CFO"}


def pull_accounts(store: Store, gone: Mapping[str, str], *present: str) -> None:
    rows = [Record(Entity.ACCOUNT, id, {"Name": id.upper()}, MAY) for id in present]
    told = [Gone(Entity.ACCOUNT, old, survivor) for old, survivor in gone.items()]
    page = Page(rows, told, "c1", complete=True)
    with store.begin() as tx:
        records.save_page(tx, CRM, Entity.ACCOUNT, page, scope="s", watched=(), at=MAY)


def pull_contact(store: Store, at: datetime, id: str, account: Scalar, field: str) -> None:
    page = Page([Record(Entity.CONTACT, id, {**READ, field: account}, at)], (), "c1", True)
    with store.begin() as tx:
        records.save_page(tx, CRM, Entity.CONTACT, page, scope="s", watched=(field,), at=at)


def follow(store: Store, field: str) -> int:
    with store.begin() as tx:
        following = merges.behind(tx, CRM, field)
        merges.follow(tx, CRM, following)
    return len(following.copies)


def accounts_of(store: Store, field: str, *ids: str) -> Sequence[Scalar]:
    with store.read() as tx:
        held = records.records_of(tx, CRM, Entity.CONTACT, ids)
    assert all(held[id].fields["Title"] == "CFO" for id in ids)
    return [held[id].fields[field] for id in ids]


FIELDS = ["AccountId", "associations.companies.primary"]


@pytest.mark.parametrize("field", FIELDS)
def test_copies_of_contacts_name_the_account_that_is_left(store: Store, field: str) -> None:
    pull_accounts(store, {}, "a1", "a2", "a3", "a4")
    for id, account in (("1", "a1"), ("2", "a2"), ("3", None), ("4", "a4")):
        pull_contact(store, MAY, id, account, field)
    assert follow(store, field) == 0
    pull_accounts(store, {"a1": "a2", "a2": "a3"})
    assert follow(store, field) == 2
    assert accounts_of(store, field, "1", "2", "3", "4") == ["a3", "a3", None, "a4"]
    assert follow(store, field) == 0


def account_base(store: Store) -> Baseline | None:
    with store.read() as tx:
        held = baselines.of_records(tx, CRM, Entity.CONTACT, ["1"])
    return held.get("1", {}).get("AccountId")


@pytest.mark.parametrize("contact_first", [True, False])
def test_a_merge_of_accounts_is_nobodys_edit_of_a_contact(
    store: Store, contact_first: bool
) -> None:
    pull_accounts(store, {}, "a1")
    pull_contact(store, MAY, "1", "a1", "AccountId")
    if contact_first:
        pull_contact(store, JUNE, "1", "a2", "AccountId")
    pull_accounts(store, {"a1": "a2"}, "a2")
    follow(store, "AccountId")
    pull_contact(store, JULY, "1", "a2", "AccountId")
    now = account_base(store)
    assert now is None or (now.value, now.edited_at) == ("a2", None)


def test_an_edited_employer_stays_edited_when_either_account_is_merged(store: Store) -> None:
    pull_accounts(store, {}, "a1", "a2")
    pull_contact(store, MAY, "1", "a1", "AccountId")
    pull_contact(store, JUNE, "1", "a2", "AccountId")
    pull_accounts(store, {"a1": "a3", "a2": "a4"}, "a3", "a4")
    follow(store, "AccountId")
    assert account_base(store) == Baseline("a3", "seen", JUNE, JUNE, "a4")
    with store.read() as tx:
        assert merges.behind(tx, CRM, "AccountId") == merges.Following()
