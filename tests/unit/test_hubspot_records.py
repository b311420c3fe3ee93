from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.connector import ConfigError, Entity, ServerFault
from crm_sync_hubspot.objects import object_of
from crm_sync_hubspot.records import (
    batch_of,
    id_of,
    is_id,
    merged_ids,
    milliseconds,
    modified_at,
    moment_of,
    next_after,
    record,
    rows_of,
)

AT = datetime(2026, 9, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def row(id: Any = "7", **properties: Any) -> dict[str, Any]:
    return {"id": id, "properties": properties, "archived": False}


def test_a_record_has_exactly_the_fields_asked_for_as_they_were_spelt() -> None:
    given_row = row(jobtitle="Boss", city="", email=None, extra="x", lastmodifieddate=None)
    made = record(Entity.CONTACT, "contacts", given_row, ["JobTitle", "city", "email", "absent"])
    assert dict(made.fields) == {"JobTitle": "Boss", "city": None, "email": None, "absent": None}
    assert (made.id, made.modified) == ("7", None)


def test_relations_come_from_elsewhere_also_when_they_are_blank() -> None:
    fields = ["associations.companies", "associations.deals"]
    relations = {"associations.companies": "1;2", "associations.deals": None}
    made = record(Entity.CONTACT, "contacts", row(), fields, relations)
    assert dict(made.fields) == relations


@pytest.mark.parametrize(
    ("object_", "given_row", "expected"),
    [
        ("contacts", row(lastmodifieddate="2026-09-01T12:00:00.250Z"), AT),
        ("contacts", row(lastmodifieddate="1788264000250"), AT),
        ("companies", row(hs_lastmodifieddate="2026-09-01T12:00:00.250Z"), AT),
        ("companies", row(lastmodifieddate="1999-01-01T00:00:00Z"), None),
        ("contacts", row() | {"updatedAt": "2026-09-01T14:00:00.250+02:00"}, AT),
        ("contacts", row(lastmodifieddate="soon") | {"updatedAt": 7.5}, None),
    ],
)
def test_when_a_record_was_changed(
    object_: str, given_row: dict[str, Any], expected: datetime | None
) -> None:
    assert modified_at(object_, given_row) == expected


@given(st.integers(0, 4 * 10**12))
def test_milliseconds_are_read_as_the_moment_that_they_were_made_of(number: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number)
    assert milliseconds(at) == str(number)
    assert moment_of(milliseconds(at)) == at


@given(st.text() | st.integers() | st.floats() | st.none())
def test_whatever_stands_for_a_moment_is_one_in_utc_or_none(value: Any) -> None:
    moment = moment_of(value)
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, []), ("", []), ("7", []), ("3;5;7", ["3", "5"]), (" 3 ; ;3;5", ["3", "5"])],
)
def test_the_ids_that_were_merged_into_a_record_leave_out_its_own(
    text: str | None, expected: list[str]
) -> None:
    assert merged_ids(row(hs_merged_object_ids=text)) == expected


@pytest.mark.parametrize("body", [None, [], "x", {}, {"results": None}, {"results": ["x"]}])
def test_a_body_without_rows_is_a_fault_of_the_server(body: Any) -> None:
    with pytest.raises(ServerFault, match="not understood"):
        rows_of(body)


@pytest.mark.parametrize("odd", [{}, {"id": None}, {"id": ""}, {"id": True}, {"id": ["7"]}])
def test_a_row_without_an_id_is_a_fault_of_the_server(odd: dict[str, Any]) -> None:
    with pytest.raises(ServerFault, match="not understood"):
        id_of(odd)


def test_a_row_without_properties_is_not_taken_for_one_that_is_blank() -> None:
    with pytest.raises(ServerFault, match="not understood"):
        record(Entity.CONTACT, "contacts", {"id": "7"}, ["jobtitle"])


def absent(**more: Any) -> dict[str, Any]:
    return {"status": "error", "category": "OBJECT_NOT_FOUND", **more}


@pytest.mark.parametrize(
    "error",
    [
        absent(),
        {"category": "VALIDATION_ERROR", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"},
    ],
)
def test_rows_that_are_not_there_are_left_out(error: dict[str, Any]) -> None:
    body = {"status": "COMPLETE", "results": [row()], "numErrors": 1, "errors": [error]}
    assert batch_of(body) == [row()]


@pytest.mark.parametrize(
    "more",
    [
        {"errors": [absent(), {"category": "INTERNAL_ERROR"}]},
        {"errors": ["?"]},
        {"errors": {"0": absent()}},
        {"numErrors": 1},
        {"status": "PENDING"},
        {"status": "PROCESSING"},
        {"status": "CANCELED"},
    ],
)
def test_rows_that_could_not_be_read_are_not_taken_for_absent(more: dict[str, Any]) -> None:
    with pytest.raises(ServerFault):
        batch_of({"status": "COMPLETE", "results": [], **more})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ""),
        ({"paging": None}, ""),
        ({"paging": {"next": None}}, ""),
        ({"paging": {"next": {"link": "x"}}}, ""),
        ({"paging": {"next": {"after": "NTI1Cg"}}}, "NTI1Cg"),
        ({"paging": {"next": {"after": 100}}}, "100"),
    ],
)
def test_the_token_of_the_next_page(body: dict[str, Any], expected: str) -> None:
    assert next_after(body) == expected


@pytest.mark.parametrize("text", ["", "x", "1 ", "-1", "1.0", "٣", "1" * 20])
def test_what_cannot_be_an_id(text: str) -> None:
    assert not is_id(text)


def test_an_entity_is_held_by_its_object_and_interactions_by_the_one_that_is_named() -> None:
    assert object_of(Entity.CONTACT) == "contacts"
    assert object_of(Entity.ACCOUNT, "Companies") == "companies"
    assert object_of(Entity.INTERACTION, "tasks") == "tasks"
    for entity, name in [
        (Entity.INTERACTION, ""),
        (Entity.INTERACTION, "contacts"),
        (Entity.CONTACT, "leads"),
    ]:
        with pytest.raises(ConfigError, match="HubSpot has no"):
            object_of(entity, name)
