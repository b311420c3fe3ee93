from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.calls.tokens import TokenRefused
from crm_sync.connector import (
    AccessDenied,
    BatchRejected,
    ConfigError,
    Entity,
    Operation,
    Outcome,
    QuotaReached,
    RateLimited,
    ServerFault,
    TryLater,
    Usage,
    Write,
)
from crm_sync_salesforce import cursor as cursors
from crm_sync_salesforce.client import usage_in
from crm_sync_salesforce.errors import LocatorGone, error_for, retry_after
from crm_sync_salesforce.records import record, result, row

MOMENTS = st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC))


def judged(status: int, code: str = "", message: str = "", *, writes: bool = False) -> Exception:
    body = [{"errorCode": code, "message": message}] if code else None
    return error_for(status, {}, body, writes=writes, place="acme")


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (401, "INVALID_SESSION_ID", "Session expired", TokenRefused),
        (401, "", "", TokenRefused),
        (400, "InvalidSessionId", "", TokenRefused),
        (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", QuotaReached),
        (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.", RateLimited),
        (403, "API_DISABLED_FOR_ORG", "", AccessDenied),
        (403, "INSUFFICIENT_ACCESS", "", AccessDenied),
        (403, "", "", AccessDenied),
        (429, "", "", RateLimited),
        (500, "UNKNOWN_EXCEPTION", "", ServerFault),
        (502, "", "", ServerFault),
        (503, "SERVER_UNAVAILABLE", "", ServerFault),
        (408, "", "", ServerFault),
        (400, "QUERY_TIMEOUT", "", ServerFault),
        (400, "UNABLE_TO_LOCK_ROW", "", ServerFault),
        (400, "INVALID_QUERY_LOCATOR", "", LocatorGone),
        (400, "MALFORMED_QUERY", "unexpected token", ConfigError),
        (400, "INVALID_TYPE", "sObject type 'X' is not supported", ConfigError),
        (404, "NOT_FOUND", "", ConfigError),
        (301, "", "", ConfigError),
        (414, "", "", ConfigError),
        (431, "", "", ConfigError),
    ],
)
def test_each_refusal_of_a_read_says_what_to_do_next(
    status: int, code: str, message: str, expected: type[Exception]
) -> None:
    assert type(judged(status, code, message)) is expected


@pytest.mark.parametrize(
    ("status", "code", "expected", "sent"),
    [
        (400, "JSON_PARSER_ERROR", BatchRejected, None),
        (413, "", BatchRejected, None),
        (404, "NOT_FOUND", ConfigError, None),
        (429, "", RateLimited, False),
        (400, "UNABLE_TO_LOCK_ROW", ServerFault, False),
        (403, "REQUEST_LIMIT_EXCEEDED", QuotaReached, False),
        (500, "UNKNOWN_EXCEPTION", ServerFault, True),
        (503, "", ServerFault, True),
    ],
)
def test_a_refused_write_says_whether_it_may_have_been_carried_out(
    status: int, code: str, expected: type[Exception], sent: bool | None
) -> None:
    error = judged(status, code, writes=True)
    assert type(error) is expected
    assert getattr(error, "sent", None) is sent


def test_an_unknown_field_is_named_and_the_query_with_its_values_is_not_shown() -> None:
    message = (
        "\nSELECT Id, Titel FROM Contact WHERE Email IN ('jane@acme.example')\n           ^\n"
        "ERROR at Row:1:Column:12\nNo such column 'Titel' on entity 'Contact'. If you are "
        "attempting to use a custom field, be sure to append the '__c'."
    )
    error = judged(400, "INVALID_FIELD", message)
    assert isinstance(error, ConfigError)
    assert "Contact has no field Titel" in error.message
    assert "mapping" in error.fix
    malformed = judged(400, "MALFORMED_QUERY", message.replace("No such column", "unexpected"))
    assert "jane@" not in str(error) + str(malformed)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        (
            {
                "Retry-After": "Sun, 01 Mar 2026 10:00:30 GMT",
                "Date": "Sun, 01 Mar 2026 10:00:00 GMT",
            },
            30,
        ),
        (
            {
                "Retry-After": "Sun, 01 Mar 2026 09:00:00 GMT",
                "Date": "Sun, 01 Mar 2026 10:00:00 GMT",
            },
            0,
        ),
        ({"Retry-After": "Sun, 01 Mar 2026 10:00:30 GMT"}, None),
    ],
)
def test_the_requested_pause_is_read_in_every_form(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=18/5000", Usage(18, 5000)),
        ("api-usage=18/5000; per-app-api-usage=17/250(appName=x)", Usage(18, 5000)),
        ("per-app-api-usage=17/250(appName=x); api-usage=18/5000", Usage(18, 5000)),
        ("per-app-api-usage=17/250(appName=api-usage=1/2)", None),
        ("api-usage=18/5000,api-usage=19/5000", Usage(18, 5000)),
        ("", None),
        ("api-usage=x/y", None),
    ],
)
def test_the_allowance_is_read_from_every_form_of_its_header(
    header: str, usage: Usage | None
) -> None:
    assert usage_in(header) == usage


def test_a_row_becomes_a_record_with_just_the_fields_asked_for() -> None:
    raw: dict[str, Any] = {
        "attributes": {"type": "Contact"},
        "Id": "003000000000001AAA",
        "SystemModstamp": "2026-03-01T10:00:00.000+0000",
        "Title": None,
        "HasOptedOutOfEmail": False,
        "Account": {"attributes": {}, "Name": "Acme", "Owner": None},
        "MailingAddress": {"city": "Paris"},
    }
    fields = ["title", "HasOptedOutOfEmail", "Account.Name", "Account.Owner.Name", "MailingAddress"]
    made = record(Entity.CONTACT, raw, fields)
    assert made.fields == {
        "title": None,
        "HasOptedOutOfEmail": False,
        "Account.Name": "Acme",
        "Account.Owner.Name": None,
        "MailingAddress": None,
    }
    assert made.id == "003000000000001AAA"
    assert made.modified is not None
    assert made.modified.isoformat() == "2026-03-01T10:00:00+00:00"


def change(**fields: Any) -> Write:
    return Write(Operation.UPDATE, Entity.CONTACT, "k", "003A", fields)


def test_none_clears_a_field_and_an_update_names_its_record() -> None:
    assert row(change(Title=None), "Contact") == {
        "attributes": {"type": "Contact"},
        "id": "003A",
        "Title": None,
    }


@pytest.mark.parametrize("name", ["Id", "attributes", "Account.Name", "a b"])
def test_a_name_that_would_change_another_part_of_the_row_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        row(change(**{name: "x"}), "Contact")


def test_a_refused_row_never_names_the_record_that_it_is_a_duplicate_of() -> None:
    answer = {
        "id": "003OTHER",
        "success": False,
        "errors": [
            {
                "statusCode": "DUPLICATES_DETECTED",
                "message": "Jane Doe exists. Use one of these records? 003OTHER",
                "fields": ["Email"],
            }
        ],
    }
    got = result(change(), answer)
    assert (got.outcome, got.record_id, got.code) == (
        Outcome.REJECTED,
        "003A",
        "DUPLICATES_DETECTED",
    )
    assert got.message == "Email"
    assert "duplicate rule" in got.hint
    assert not got.duplicate_key


@pytest.mark.parametrize(
    ("code", "duplicate", "retry"),
    [
        ("DUPLICATE_VALUE", True, False),
        ("UNABLE_TO_LOCK_ROW", False, True),
        ("STRING_TOO_LONG", False, False),
    ],
)
def test_codes_of_rows_are_understood(code: str, duplicate: bool, retry: bool) -> None:
    got = result(change(), {"success": False, "errors": [{"statusCode": code, "message": "m"}]})
    assert (got.duplicate_key, got.retry) == (duplicate, retry)


@pytest.mark.parametrize("answer", [None, "x", 3, []])
def test_an_answer_that_is_no_verdict_leaves_the_row_unknown(answer: object) -> None:
    assert result(change(), answer).outcome is Outcome.UNKNOWN


@given(
    since=st.none() | MOMENTS,
    then=MOMENTS,
    path=st.text(max_size=40),
)
def test_a_cursor_comes_back_as_it_was(since: Any, then: Any, path: str) -> None:
    made = cursors.Cursor("Contact", since, then, path)
    assert cursors.load(cursors.dump(made), "contact") == made


@pytest.mark.parametrize(
    "text", ["", "x", "sf1.", "sf1.!!", "sf1.W10=", "sf1.e30=", "sf2.e30=", "sf1.Ww=="]
)
def test_a_spoilt_cursor_is_one_clear_error(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        cursors.load(text, "Contact")


def test_a_cursor_of_another_object_is_refused() -> None:
    made = cursors.dump(cursors.Cursor("Task", None, datetime.now(UTC)))
    with pytest.raises(ConfigError, match="belongs to Task"):
        cursors.load(made, "Event")


@given(
    status=st.integers(300, 599),
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["errorCode", "message", "error"]), inner, max_size=3)
        ),
    ),
    writes=st.booleans(),
)
def test_any_answer_at_all_becomes_an_error_of_ours(status: int, body: Any, writes: bool) -> None:
    error = error_for(status, {}, body, writes=writes, place="acme")
    ours = (TryLater, AccessDenied, ConfigError, BatchRejected, TokenRefused, LocatorGone)
    assert isinstance(error, ours)
