from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from crm_sync.connector import Gone, Page
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.model import Entity, Record, Scalar
from crm_sync.store import baselines, records
from crm_sync.store.database import Store
from crm_sync.store.export import contacts_table

MAY = datetime(2026, 5, 1, 8, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 8, tzinfo=UTC)
JULY = datetime(2026, 7, 1, 8, tzinfo=UTC)
CRM = "emea"

MAPPING = """\
contact:
  object: Contact
  read:
    first_name: FirstName
    title: Title
    email: Email
    organisation: Employer.Legal.Name
    city: City
    account_id: AccountId
  write:
    title: {field: Title}
    last_verified: {field: Verified__c}
account:
  object: Account
  read: {name: Name, website: Website}
"""

TEXT_COLUMNS = [
    "contact_id", "first_name", "last_name", "name", "title", "organisation",
    "organisation_domain", "email", "personal_email", "phone", "mobile", "linkedin_url", "city",
    "country", "changed_basis",
]  # fmt: skip


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING)
    return load_mapping(path)


@pytest.fixture(params=["x.db", "a b?c#d%20é'.db"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    opened = Store.open(tmp_path / request.param)
    try:
        yield opened
    finally:
        opened.close()


def pull(
    store: Store, *rows: Record, at: datetime = MAY, connection: str = CRM, **more: Any
) -> None:
    entity = rows[0].entity if rows else Entity.CONTACT
    with store.begin() as tx:
        records.save_page(
            tx,
            connection,
            entity,
            Page(rows, more.get("gone", ()), "c"),
            scope="s",
            watched=("Title", "AccountId", "Verified__c"),
            at=at,
        )


def contact(id: str, at: datetime | None = MAY, /, **fields: Scalar) -> Record:
    return Record(Entity.CONTACT, id, {"Title": "CFO", "AccountId": "A1", **fields}, at)


def account(id: str, **fields: Scalar) -> Record:
    return Record(Entity.ACCOUNT, id, fields, MAY)


def rows(store: Store, mapping: Mapping) -> dict[str, dict[str, Any]]:
    return {row["contact_id"]: row for row in contacts_table(store, CRM, mapping).to_pylist()}


def test_the_columns_and_their_types_do_not_depend_on_the_rows(
    store: Store, mapping: Mapping
) -> None:
    empty = contacts_table(store, CRM, mapping)
    pull(store, contact("1", None))
    undated = contacts_table(store, CRM, mapping)
    pull(store, contact("2"), account("A1", Name="Acme"))
    for table in (empty, undated, contacts_table(store, CRM, mapping)):
        assert sorted(table.column_names) == sorted([*TEXT_COLUMNS, "changed_at"])
        assert all(table.schema.field(name).type == pa.string() for name in TEXT_COLUMNS)
        assert pa.types.is_timestamp(table.schema.field("changed_at").type)
        assert table.schema.field("changed_at").type.tz == "UTC"


@pytest.mark.parametrize(
    "value",
    [
        "O'Neill",
        'the "Boss"',
        "👩🏽‍💻 Zoë",
        "a\nb",
        "$.x",
        "\\",
        "null",
        "é; DROP TABLE record",
        "0",
    ],
)
def test_a_text_arrives_as_it_is(store: Store, mapping: Mapping, value: str) -> None:
    pull(store, contact("1", Title=value, **{"Employer.Legal.Name": value}))
    row = rows(store, mapping)["1"]
    assert (row["title"], row["organisation"]) == (value, value)


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_blank_is_null_and_so_is_what_the_mapping_leaves_out(
    store: Store, mapping: Mapping, blank: str | None
) -> None:
    pull(store, contact("1", Title=blank, FirstName=blank, LastName="not mapped"))
    row = rows(store, mapping)["1"]
    names = ("title", "first_name", "last_name", "email", "organisation", "organisation_domain")
    assert {row[name] for name in names} == {None}


def test_the_employer_is_the_account_else_what_the_contact_says(
    store: Store, mapping: Mapping
) -> None:
    own: dict[str, Scalar] = {"Employer.Legal.Name": "Own"}
    pull(store, account("A1", Name="Acme", Website="acme.example"), account("A2", Name=""))
    pull(store, account("A1", Name="Another's"), connection="apac")
    pull(
        store,
        contact("1", **own),
        contact("2", AccountId="A2", **own),
        contact("3", AccountId="A9", **own),
        contact("4", AccountId=None, **own),
        contact("5", AccountId=None),
    )
    found = rows(store, mapping)
    named = {id: (row["organisation"], row["organisation_domain"]) for id, row in found.items()}
    assert named == {
        "1": ("Acme", "acme.example"),
        "2": ("Own", None),
        "3": ("Own", None),
        "4": ("Own", None),
        "5": (None, None),
    }


def test_where_accounts_are_closed_to_us_the_contacts_own_words_are_no_employer(
    store: Store, mapping: Mapping
) -> None:
    own: dict[str, Scalar] = {"Employer.Legal.Name": "Own"}
    pull(store, account("A1", Name="Acme"))
    pull(store, contact("1", **own), contact("2", AccountId="A9", **own))
    pull(store, contact("3", AccountId=None, **own))
    table = contacts_table(store, CRM, mapping, accounts_read=False).to_pylist()
    named = {row["contact_id"]: row["organisation"] for row in table}
    assert named == {"1": "Acme", "2": None, "3": None}


def test_only_live_contacts_of_the_connection_are_there(store: Store, mapping: Mapping) -> None:
    pull(store, contact("1"), contact("2"))
    pull(store, gone=[Gone(Entity.CONTACT, "1", "2")])
    pull(store, contact("3"), connection="apac")
    assert set(rows(store, mapping)) == {"2"}


def changed(store: Store, mapping: Mapping, id: str = "1") -> tuple[datetime | None, str]:
    row = rows(store, mapping)[id]
    return row["changed_at"], row["changed_basis"]


def test_untouched_since_first_sight_the_records_own_date_counts(
    store: Store, mapping: Mapping
) -> None:
    pull(store, contact("1", MAY), contact("2", None))
    pull(store, contact("1", JULY, City="Lyon"), at=JULY)
    assert changed(store, mapping) == (MAY, "record_date")
    assert changed(store, mapping, "2") == (None, "record_date")


@pytest.mark.parametrize("edit", [{"Title": "CEO"}, {"AccountId": "A2"}])
def test_an_edit_of_title_or_employer_counts_from_its_date(
    store: Store, mapping: Mapping, edit: dict[str, Scalar]
) -> None:
    pull(store, contact("1", MAY))
    pull(store, contact("1", JUNE, **edit), at=JULY)
    assert changed(store, mapping) == (JUNE, "first_pull")


def test_one_date_after_thousands_without_counts(store: Store, mapping: Mapping) -> None:
    many = [contact(f"{n:05}", None) for n in range(3_000)]
    pull(store, *many, contact("99999", MAY))
    with store.begin() as tx:
        written = {one.id: {"Title": "CFO"} for one in many}
        baselines.verified_many(tx, CRM, Entity.CONTACT, written, JUNE)
    pull(store, contact("99999", JULY, Title="CEO"), at=JULY)
    found = rows(store, mapping)
    assert found["00000"]["changed_basis"] == "history"
    assert found["99999"]["changed_at"] == JULY
    pull(store, contact("99999", JULY, Title="CFO"), at=JULY)
    assert changed(store, mapping, "99999") == (MAY, "record_date")


def verified(store: Store, at: datetime, **fields: Scalar) -> None:
    with store.begin() as tx:
        baselines.verified(tx, CRM, Entity.CONTACT, "1", fields, at)


def test_what_we_wrote_is_as_old_as_its_evidence_else_as_the_write(
    store: Store, mapping: Mapping
) -> None:
    pull(store, contact("1", MAY))
    verified(store, JULY, Title="CEO")
    assert changed(store, mapping) == (JULY, "history")
    verified(store, JULY, Title="CEO", Verified__c="2026-06-15")
    assert changed(store, mapping) == (datetime(2026, 6, 15, tzinfo=UTC), "history")


def test_a_write_elsewhere_says_nothing_about_the_job(store: Store, mapping: Mapping) -> None:
    pull(store, contact("1", MAY))
    verified(store, JULY, Verified__c="2026-06-15")
    assert changed(store, mapping) == (MAY, "record_date")


def test_of_an_edit_and_a_write_the_later_counts(store: Store, mapping: Mapping) -> None:
    pull(store, contact("1", MAY))
    pull(store, contact("1", JUNE, AccountId="A2"), at=JUNE)
    verified(store, JULY, Title="CEO")
    assert changed(store, mapping) == (JULY, "history")
    pull(store, contact("1", datetime(2026, 8, 1, tzinfo=UTC), Title="x", AccountId="A2"))
    assert changed(store, mapping) == (datetime(2026, 8, 1, tzinfo=UTC), "first_pull")
