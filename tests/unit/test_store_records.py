from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from crm_sync.connector import Gone, Page
from crm_sync.model import Baseline, Entity, Record, Scalar
from crm_sync.store import baselines, records
from crm_sync.store.database import Store
from crm_sync.store.sql import IN_LIMIT
from crm_sync.store.tables import baseline, cursor, record

MAY = datetime(2026, 5, 1, 8, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 8, tzinfo=UTC)
JULY = datetime(2026, 7, 1, 8, tzinfo=UTC)
CRM = "emea"
WATCHED = ("Title", "AccountId")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        yield opened
    finally:
        opened.close()


def contact(id: str, at: datetime | None = MAY, /, **fields: Scalar) -> Record:
    return Record(Entity.CONTACT, id, {"Title": "CFO", "AccountId": "A1", **fields}, at)


def page(*rows: Record, gone: Sequence[Gone] = (), to: str = "c1", complete: bool = True) -> Page:
    return Page(rows, gone, to, complete)


def save(
    store: Store,
    what: Page,
    at: datetime = JUNE,
    *,
    connection: str = CRM,
    scope: str = "s",
    watched: Sequence[str] = WATCHED,
    whole_since: datetime | None = None,
) -> int:
    with store.begin() as tx:
        return records.save_page(
            tx,
            connection,
            Entity.CONTACT,
            what,
            scope=scope,
            watched=watched,
            at=at,
            whole_since=whole_since,
        )


def everything(tx: Connection) -> list[list[tuple[object, ...]]]:
    return [
        [tuple(row) for row in tx.execute(select(table).order_by(*table.primary_key.columns))]
        for table in (record, cursor, baseline)
    ]


def held(store: Store, *ids: str) -> dict[str, Record]:
    with store.read() as tx:
        return records.records_of(tx, CRM, Entity.CONTACT, ids)


def edits(store: Store, id: str) -> Mapping[str, Baseline]:
    with store.read() as tx:
        return baselines.of_records(tx, CRM, Entity.CONTACT, [id]).get(id, {})


NASTY: dict[str, Scalar] = {
    "Quote": 'O\'Neill "x" `y`',
    "Emoji": "Zoë 👩🏽‍💻",
    "Lines": "a\nb\r\nc",
    "Empty": "",
    "Null": None,
    "Flag": False,
    "Number": 3,
    "Share": 0.1,
    "Account.Name": "dots",
}


def test_a_record_is_kept_as_the_crm_gave_it(store: Store) -> None:
    given_ = contact("1", **NASTY)
    assert save(store, page(given_)) == 1
    assert held(store, "1", "absent") == {"1": given_}


def test_the_same_page_stored_twice_changes_nothing(store: Store) -> None:
    save(store, page(contact("1"), contact("2"), contact("3")))
    what = page(contact("1", Title="CEO"), gone=[Gone(Entity.CONTACT, "2", "1")], to="c2")
    assert save(store, what) == 1
    with store.read() as tx:
        once = everything(tx)
    assert save(store, what) == 0
    with store.read() as tx:
        assert everything(tx) == once


def test_a_page_and_its_cursor_are_stored_together_or_not_at_all(store: Store) -> None:
    class Cut(Exception):
        pass

    def cut_off() -> None:
        with store.begin() as tx:
            records.save_page(
                tx, CRM, Entity.CONTACT, page(contact("1")), scope="s", watched=(), at=JUNE
            )
            raise Cut

    with pytest.raises(Cut):
        cut_off()
    with store.read() as tx:
        assert records.saved_cursor(tx, CRM, Entity.CONTACT, "s") is None
        assert records.count(tx, CRM, Entity.CONTACT) == 0


def test_a_cursor_counts_for_its_scope_only(store: Store) -> None:
    save(store, page(to="c1", complete=False), scope="one")
    with store.read() as tx:
        found = records.saved_cursor(tx, CRM, Entity.CONTACT, "one")
        assert found == records.SavedCursor("c1", complete=False)
        assert records.saved_cursor(tx, CRM, Entity.CONTACT, "other") is None
        assert records.saved_cursor(tx, CRM, Entity.ACCOUNT, "one") is None
        assert records.saved_cursor(tx, "apac", Entity.CONTACT, "one") is None


def test_a_record_repeated_within_a_page_has_its_last_word(store: Store) -> None:
    assert save(store, page(contact("1", Title="old"), contact("1", Title="new"))) == 1
    assert held(store, "1")["1"].fields["Title"] == "new"


def first_modified(store: Store, id: str) -> str | None:
    with store.read() as tx:
        query = select(record.c.first_modified_at).where(record.c.id == id)
        return tx.execute(query).scalar()


def test_the_date_at_first_sight_is_kept(store: Store) -> None:
    save(store, page(contact("1", MAY)))
    save(store, page(contact("1", JUNE, Title="CEO")), JULY)
    assert first_modified(store, "1") == "2026-05-01T08:00:00.000000+00:00"
    assert held(store, "1")["1"].modified == JUNE


def test_more_records_than_a_statement_takes_parameters(store: Store) -> None:
    many = [contact(str(n)) for n in range(IN_LIMIT + 10)]
    assert save(store, page(*many)) == len(many)
    assert save(store, page(*many)) == 0
    assert len(held(store, *(one.id for one in many))) == len(many)


def test_connections_do_not_see_each_other(store: Store) -> None:
    save(store, page(contact("1", Title="here")))
    save(store, page(contact("1", Title="there"), contact("2")), connection="apac")
    assert held(store, "1", "2")["1"].fields["Title"] == "here"
    save(store, page(gone=[Gone(Entity.CONTACT, "1")]), connection="apac")
    with store.read() as tx:
        assert set(records.all_records(tx, CRM, Entity.CONTACT)) == {"1"}
        assert records.count(tx, "apac", Entity.CONTACT) == 1


# Gone


def gone_row(store: Store, id: str) -> tuple[str | None, str | None]:
    with store.read() as tx:
        query = select(record.c.gone_at, record.c.survivor).where(record.c.id == id)
        row = tx.execute(query).one()
    return row.gone_at, row.survivor


def test_what_is_deleted_or_merged_is_left_out_and_the_survivor_known(store: Store) -> None:
    save(store, page(contact("1"), contact("2"), contact("3")))
    save(store, page(gone=[Gone(Entity.CONTACT, "1"), Gone(Entity.CONTACT, "2", "3")]))
    assert set(held(store, "1", "2", "3")) == {"3"}
    assert gone_row(store, "1")[1] is None
    assert gone_row(store, "2")[1] == "3"


def test_told_again_a_deletion_keeps_its_time_and_a_merge_its_survivor(store: Store) -> None:
    save(store, page(contact("1")))
    save(store, page(gone=[Gone(Entity.CONTACT, "1", "2")]), JUNE)
    before = gone_row(store, "1")
    save(store, page(gone=[Gone(Entity.CONTACT, "1")]), JULY)
    assert gone_row(store, "1") == before


def test_what_comes_back_is_there_again(store: Store) -> None:
    save(store, page(contact("1")))
    save(store, page(gone=[Gone(Entity.CONTACT, "1", "2")]))
    save(store, page(contact("1", Title="CEO")), JULY)
    assert held(store, "1")["1"].fields["Title"] == "CEO"
    assert gone_row(store, "1") == (None, None)


def test_a_deletion_of_what_was_never_seen_is_nothing(store: Store) -> None:
    save(store, page(gone=[Gone(Entity.CONTACT, "9")]))
    with store.read() as tx:
        assert records.count(tx, CRM, Entity.CONTACT) == 0


def test_after_a_whole_pull_what_it_did_not_bring_is_gone(store: Store) -> None:
    save(store, page(contact("1"), contact("2")), MAY)
    save(store, page(contact("1")), connection="apac", at=MAY)
    save(store, page(contact("2"), contact("3")), JUNE, whole_since=JUNE)
    assert set(held(store, "1", "2", "3")) == {"2", "3"}
    with store.read() as tx:
        assert records.count(tx, "apac", Entity.CONTACT) == 1


def test_a_whole_pull_that_was_interrupted_sweeps_only_when_it_is_complete(store: Store) -> None:
    save(store, page(contact("1"), contact("2"), contact("3")), MAY)
    save(store, page(contact("2"), complete=False), JUNE, whole_since=JUNE)
    with store.read() as tx:
        resumed = records.saved_cursor(tx, CRM, Entity.CONTACT, "s")
    assert resumed is not None
    assert resumed.whole_since == JUNE
    assert set(held(store, "1", "2", "3")) == {"1", "2", "3"}
    save(store, page(contact("3")), JULY, whole_since=resumed.whole_since)
    assert set(held(store, "1", "2", "3")) == {"2", "3"}
    with store.read() as tx:
        ended = records.saved_cursor(tx, CRM, Entity.CONTACT, "s")
    assert ended is not None
    assert ended.whole_since is None


# Edits and baselines


def test_what_is_seen_first_is_nobodys_edit(store: Store) -> None:
    save(store, page(contact("1")))
    assert edits(store, "1") == {}


def test_an_edit_of_a_watched_field_is_noted_with_its_base_and_its_time(store: Store) -> None:
    save(store, page(contact("1", MAY)), MAY)
    save(store, page(contact("1", JUNE, Title="CEO", Phone="1")), JULY)
    assert edits(store, "1") == {
        "Title": Baseline("CFO", "seen", JULY, edited_at=JUNE, live="CEO")
    }  # fmt: skip


def test_an_edit_without_a_date_is_as_old_as_when_it_was_seen(store: Store) -> None:
    save(store, page(contact("1", None)), MAY)
    save(store, page(contact("1", None, Title=None)), JULY)
    assert edits(store, "1")["Title"] == Baseline("CFO", "seen", JULY, JULY, None)


def test_a_second_edit_keeps_the_first_base(store: Store) -> None:
    save(store, page(contact("1", MAY)), MAY)
    save(store, page(contact("1", JUNE, Title="CEO")), JUNE)
    save(store, page(contact("1", JULY, Title="Chair")), JULY)
    assert edits(store, "1")["Title"] == Baseline("CFO", "seen", JUNE, JULY, "Chair")


def test_the_lock_is_off_when_the_old_value_returns(store: Store) -> None:
    save(store, page(contact("1")), MAY)
    save(store, page(contact("1", JUNE, Title="CEO")), JUNE)
    save(store, page(contact("1", JULY, Title="CFO")), JULY)
    assert edits(store, "1")["Title"].edited_at is None
    assert edits(store, "1")["Title"].value == "CFO"


def test_an_edit_stays_noted_when_another_field_changes_later(store: Store) -> None:
    save(store, page(contact("1")), MAY)
    save(store, page(contact("1", JUNE, Title="CEO")), JUNE)
    save(store, page(contact("1", JULY, Title="CEO", Phone="1")), JULY)
    assert edits(store, "1")["Title"].edited_at == JUNE


def test_a_field_new_to_the_mapping_is_seen_first_and_not_edited(store: Store) -> None:
    save(store, page(contact("1")), MAY, watched=WATCHED)
    more = (*WATCHED, "New__c")
    save(store, page(contact("1", JUNE, New__c="x")), JUNE, scope="other", watched=more)
    assert edits(store, "1") == {}
    save(store, page(contact("1", JULY, New__c="y")), JULY, scope="other", watched=more)
    assert edits(store, "1")["New__c"] == Baseline("x", "seen", JULY, JULY, "y")


def test_our_own_verified_write_is_no_edit_at_the_next_pull(store: Store) -> None:
    save(store, page(contact("1")), MAY)
    with store.begin() as tx:
        baselines.verified(tx, CRM, Entity.CONTACT, "1", {"Title": "CEO", "New__c": "x"}, JUNE)
    save(store, page(contact("1", JUNE, Title="CEO", New__c="x")), JULY)
    assert edits(store, "1") == {
        "Title": Baseline("CEO", "verified", JUNE),
        "New__c": Baseline("x", "verified", JUNE),
    }


def test_an_edit_after_our_write_is_noted_against_our_value(store: Store) -> None:
    save(store, page(contact("1")), MAY)
    with store.begin() as tx:
        baselines.verified(tx, CRM, Entity.CONTACT, "1", {"Title": "CEO"}, JUNE)
    save(store, page(contact("1", JULY, Title="CFO")), JULY)
    assert edits(store, "1")["Title"] == Baseline("CEO", "verified", JUNE, JULY, "CFO")


def test_a_verified_write_ends_an_earlier_lock(store: Store) -> None:
    save(store, page(contact("1")), MAY)
    save(store, page(contact("1", JUNE, Title="Chair")), JUNE)
    with store.begin() as tx:
        baselines.verified_many(
            tx, CRM, Entity.CONTACT, {"1": {"Title": "CEO"}, "unseen": {"Title": "x"}}, JULY
        )
    assert edits(store, "1")["Title"] == Baseline("CEO", "verified", JULY)
    assert held(store, "1")["1"].fields == {"Title": "CEO", "AccountId": "A1"}
    assert held(store, "unseen") == {}


# Any order of events

ids = st.sampled_from("123")
values = st.sampled_from(["CFO", "CEO", "", None, "O'Neill 👋"])
events = st.lists(
    st.one_of(
        st.tuples(st.just("set"), ids, values),
        st.tuples(st.just("gone"), ids, st.none()),
        st.tuples(st.just("write"), ids, values),
        st.tuples(st.just("repeat"), st.just(""), st.none()),
    ),
    max_size=14,
)


@given(events)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_after_any_pulls_and_writes_our_copy_says_what_the_crm_said_last(
    happened: list[tuple[str, str, str | None]],
) -> None:
    live: dict[str, Scalar] = {}
    base: dict[str, Scalar] = {}
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "x.db")
        last = page()
        for step, (what, id, value) in enumerate(happened):
            at = MAY + timedelta(hours=step)
            if what == "write":
                if id not in live:
                    continue
                live[id] = base[id] = value
                with store.begin() as tx:
                    baselines.verified(tx, CRM, Entity.CONTACT, id, {"Title": value}, at)
                last = page()
                continue
            if what == "set":
                last = page(contact(id, at, Title=value))
                base.setdefault(id, value)
                live[id] = value
            elif what == "gone":
                last = page(gone=[Gone(Entity.CONTACT, id)])
                live.pop(id, None)
            save(store, last, at)
        copies = held(store, *"123")
        locks = {id for id in live if (e := edits(store, id).get("Title")) and e.edited_at}
        store.close()
    assert {id: one.fields["Title"] for id, one in copies.items()} == live
    assert locks == {id for id in live if live[id] != base[id]}
