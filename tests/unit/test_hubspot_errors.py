from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.calls.tokens import TokenRefused
from crm_sync.connector import (
    AccessDenied,
    BatchRejected,
    ConfigError,
    QuotaReached,
    RateLimited,
    ServerFault,
)
from crm_sync.errors import CrmSyncError, ScopeMissing
from crm_sync_hubspot.errors import RefusedBatch, error_for, hint
from crm_sync_hubspot.problems import problem_in

ID = "0b5c2f6e-1111-4222-8333-944444444444"
NOW = "Tue, 01 Sep 2026 12:00:00 GMT"
LATER = {"Retry-After": "Tue, 01 Sep 2026 12:00:30 GMT", "Date": NOW}


def error(
    status: int, body: Any = None, headers: dict[str, str] | None = None, *, writes: bool = False
) -> Any:
    return error_for(status, headers or {}, body, writes=writes, place="api.hubapi.com")


def refusal(**more: Any) -> dict[str, Any]:
    return {"status": "error", "category": "VALIDATION_ERROR", "correlationId": ID, **more}


def detail(message: str, code: str, name: str, **context: list[str]) -> dict[str, Any]:
    return {"message": message, "code": code, "context": {"propertyName": [name], **context}}


def test_a_validation_is_told_per_property_without_values() -> None:
    body = refusal(
        message="2 properties are not valid",
        errors=[
            detail('Property value "Chief of Staff" is too long', "INVALID_LENGTH", "jobtitle",
                   propertyValue=["Chief of Staff"]),
            detail("Maybe was not one of the allowed options: [Yes, No]", "INVALID_OPTION",
                   "crm_sync_moved"),
        ],
    )  # fmt: skip
    told = problem_in(body)
    assert told.code == "VALIDATION_ERROR"
    assert told.codes == {"VALIDATION_ERROR", "INVALID_LENGTH", "INVALID_OPTION"}
    assert told.properties == ("jobtitle", "crm_sync_moved")
    assert "jobtitle" in told.words
    assert "crm_sync_moved" in told.words
    assert "allowed options" in told.words
    assert not any(value in told.words for value in ("Chief", "Maybe", "Yes"))


def test_an_older_validation_with_json_in_its_message_is_told_the_same_way() -> None:
    results = [
        {
            "isValid": False,
            "message": "Email address someone@example.org is invalid",
            "error": "INVALID_EMAIL",
            "name": "email",
        }
    ]
    told = problem_in(refusal(message=f"Property values were not valid: {json.dumps(results)}"))
    assert told.words == "email: Email address … is invalid (INVALID_EMAIL)"
    assert told.told.startswith("VALIDATION_ERROR: email: ")
    assert told.codes == {"VALIDATION_ERROR", "INVALID_EMAIL"}


def test_a_rule_of_the_admin_stays_in_his_words() -> None:
    body = refusal(
        message="Validation rules failed",
        subCategory="crm.validation.CONDITIONAL_REQUIRED",
        errors=[
            detail(
                "Fill in the reason before the deal is closed", "REQUIRED_PROPERTY_MISSING", "why"
            )
        ],
    )
    caught = error(400, body, writes=True)
    assert isinstance(caught, RefusedBatch)
    assert caught.code == "VALIDATION_ERROR"
    assert "why: Fill in the reason before the deal is closed" in caught.message
    assert caught.message.endswith(f"(correlation id {ID})")
    assert not caught.problem.taken


def test_the_name_of_an_unknown_property_is_kept_though_it_is_quoted() -> None:
    body = refusal(message='Property "jobtitel" does not exist')
    told = error(400, body)
    assert isinstance(told, ConfigError)
    assert '"jobtitel"' in told.message


@pytest.mark.parametrize(
    "body",
    [
        {"category": "CONFLICT", "message": "A record has it already"},
        refusal(message="no", errors=[detail("taken", "CONFLICTING_UNIQUE_VALUE", "key")]),
        {"category": "OBJECT_ALREADY_EXISTS", "error": "CONTACT_EXISTS", "message": "exists"},
    ],
)
def test_a_taken_unique_value_is_recognised(body: dict[str, Any]) -> None:
    caught = error(409, body, writes=True)
    assert isinstance(caught, RefusedBatch)
    assert caught.problem.taken
    assert any(hint(code) for code in caught.problem.codes)


@pytest.mark.parametrize("key", ["missingScopes", "requiredGranularScopes", "requiredScopes"])
@pytest.mark.parametrize("deep", [True, False])
def test_a_missing_scope_is_named(key: str, deep: bool) -> None:
    context = {"context": {key: ["crm.objects.contacts.read"]}}
    body = {"category": "MISSING_SCOPES", "message": "no", "correlationId": ID}
    body |= {"errors": [{"message": "x", **context}]} if deep else context
    caught = error(403, body)
    assert isinstance(caught, ScopeMissing)
    assert caught.scopes == ("crm.objects.contacts.read",)
    assert "crm.objects.contacts.read" in caught.message
    assert "crm.objects.contacts.read" in caught.fix
    assert caught.exit_code == 5


def test_another_403_is_denied_access_and_no_missing_scope() -> None:
    caught = error(403, {"category": "BANNED", "message": "This account is suspended"})
    assert type(caught) is AccessDenied
    assert "This account is suspended" in caught.message


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "pause"),
    [
        (429, {"policyName": "TEN_SECONDLY_ROLLING"}, {}, RateLimited, 10),
        (429, {"policyName": "SECONDLY"}, {}, RateLimited, 1),
        (429, {"message": "You have reached your secondly limit."}, {}, RateLimited, 1),
        (429, None, {}, RateLimited, 1),
        (429, {"policyName": "SECONDLY"}, {"Retry-After": "7"}, RateLimited, 7),
        (429, {"policyName": "DAILY"}, {}, QuotaReached, None),
        (429, {"message": "You have reached your daily limit."}, {}, QuotaReached, None),
        (423, {"message": "Locked"}, {}, RateLimited, 2),
        (423, None, {"Retry-After": "0"}, RateLimited, 2),
        (423, None, {"Retry-After": "9"}, RateLimited, 9),
        (477, None, {"Retry-After": "3600"}, RateLimited, 3600),
        (477, None, {}, RateLimited, None),
        (503, None, LATER, ServerFault, 30),
    ],
)  # fmt: skip
def test_a_pause_is_asked_for(
    status: int, body: Any, headers: dict[str, str], kind: type, pause: float | None
) -> None:
    caught = error(status, body, headers, writes=True)
    assert type(caught) is kind
    assert caught.retry_after == pause
    assert caught.sent is (kind is ServerFault)


def test_the_end_of_the_day_says_what_to_do() -> None:
    caught = error(429, {"policyName": "DAILY", "message": "You have reached your daily limit."})
    assert not caught.retryable
    assert "midnight" in caught.fix


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 521, 522, 523, 524])
@pytest.mark.parametrize("writes", [True, False])
def test_a_failing_server_leaves_a_write_open(status: int, writes: bool) -> None:
    caught = error(status, None, writes=writes)
    assert type(caught) is ServerFault
    assert caught.sent is writes
    assert str(status) in caught.message


@pytest.mark.parametrize("status", [400, 402, 409, 413, 422])
def test_a_refusal_of_rows_is_a_refused_batch_and_of_a_question_a_mistake_of_the_mapping(
    status: int,
) -> None:
    body = refusal(message="It makes no sense")
    assert isinstance(error(status, body, writes=True), BatchRejected)
    assert isinstance(error(status, body), ConfigError)
    assert isinstance(error(status, None, writes=True), BatchRejected)


@pytest.mark.parametrize("code", ["category", "subCategory"])
def test_a_record_that_is_gone_is_a_matter_of_rows_when_they_were_written(code: str) -> None:
    body = {"status": "error", "message": "Object not found.", code: "OBJECT_NOT_FOUND"}
    assert isinstance(error(404, body, writes=True), RefusedBatch)
    assert isinstance(error(404, body), ConfigError)
    assert isinstance(error(404, {"message": "Not Found"}, writes=True), ConfigError)


@pytest.mark.parametrize("status", [301, 302, 307, 404, 405, 414, 415, 431])
@pytest.mark.parametrize("writes", [True, False])
def test_what_speaks_of_the_request_is_never_a_matter_of_rows(status: int, writes: bool) -> None:
    headers = {"Location": "https://elsewhere.example/x?token=1"}
    caught = error(status, None, headers, writes=writes)
    assert type(caught) is ConfigError
    assert "token=1" not in str(caught)


@pytest.mark.parametrize("status", [400, 403, 404, 405])
@pytest.mark.parametrize("body", [None, [], {}, {"page": "no such page"}])
def test_a_refusal_without_a_word_of_hubspots_points_to_the_address(status: int, body: Any) -> None:
    caught = error(status, body)
    assert str(status) in caught.message
    assert "base_url" in caught.fix


def test_401_is_left_to_whoever_holds_the_token() -> None:
    body = {"category": "EXPIRED_AUTHENTICATION", "message": "The OAuth token expired"}
    caught = error(401, body)
    assert isinstance(caught, TokenRefused)
    assert "expired" in caught.message


def test_an_oauth_refusal_keeps_its_own_code() -> None:
    told = problem_in(
        {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}
    )
    assert told.told == "BAD_REFRESH_TOKEN: missing or invalid refresh token"
    standard = problem_in({"error": "invalid_grant", "error_description": "expired"})
    assert standard.told == "invalid_grant: expired"


def test_many_details_are_counted_and_not_all_told() -> None:
    errors = [detail("is wrong", "WRONG", f"p{n}") for n in range(50)]
    assert problem_in(refusal(message="no", errors=errors)).words.endswith("and 45 more")


def test_control_characters_do_not_reach_a_terminal() -> None:
    told = problem_in({"category": "X", "message": "a\x1b[31mred\x1b[0m\r\nb\x00", "errors": "no"})
    assert all(char.isprintable() for char in told.words)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["category", "message", "errors", "context", "missingScopes", "correlationId", "status",
             "policyName", "validationResults", "subCategory", "propertyName", "code", "error"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(status=st.integers(300, 599), body=json_like, writes=st.booleans())
def test_every_body_leads_to_an_error_of_ours(status: int, body: Any, writes: bool) -> None:
    caught = error(status, body, writes=writes)
    assert isinstance(caught, CrmSyncError | BatchRejected | TokenRefused)
    assert str(caught)
