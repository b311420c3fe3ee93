"""What Salesforce's refusals mean: the one place where its statuses and codes become our errors.

Two kinds of answer are told apart. `error_for` judges an answer to a whole request; `hint` adds a
line of help to the rejection of one row, whose words stay Salesforce's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from crm_sync.calls.tokens import TokenRefused
from crm_sync.connector import (
    AccessDenied,
    BatchRejected,
    ConfigError,
    QuotaReached,
    RateLimited,
    ServerFault,
    TryLater,
)

PASSING_ROW_CODES = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
"""Codes of rejected rows that time mends."""

DUPLICATE_KEY = "DUPLICATE_VALUE"

NAMING_CODES = frozenset({"DUPLICATES_DETECTED"})
"""Codes whose message may name other people's records; our own hint says what it means."""

_SHOWN = 300
_AFTER_QUERY = re.compile(r"ERROR at Row:\d+:Column:\d+\s*")
_NO_COLUMN = re.compile(r"No such column '([^']+)' on (?:entity|sobject of type) '?(\w+)'?")


class LocatorGone(Exception):
    """A query's next page can no longer be fetched; the query has to be made again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Salesforce's own words: a code and a message, without the query that it quotes."""

    code: str
    message: str


def problem_in(body: Any) -> Problem:
    """The first problem in an answer's parsed body, whatever its form."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return Problem("", "")
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    message = first.get("message") or first.get("error_description") or ""
    return Problem(str(code)[:80], _without_query(str(message)))


def error_for(
    status: int, headers: Mapping[str, str], body: Any, *, writes: bool, place: str
) -> Exception:
    """The error to raise for an answer that is no success.

    `body` is the parsed JSON, or None where the answer was something else. With `writes`, a
    failure of the server leaves open whether the rows were written, and `sent` says so.
    """
    told = problem_in(body)
    if status == 401 or told.code.replace("_", "").upper() == "INVALIDSESSIONID":
        return TokenRefused(_words(told) or "not authorised")
    passing = _passing(status, headers, told, writes=writes, place=place)
    if passing is not None:
        return passing
    if status == 403:
        return AccessDenied(
            _words(told) or "access denied", place=place, fix=_ACCESS_FIXES.get(told.code, _ACCESS)
        )
    if told.code == "INVALID_QUERY_LOCATOR":
        return LocatorGone(told.message)
    if writes and status in _BATCH_STATUSES:
        return BatchRejected(told.code or f"HTTP_{status}", told.message or "refused")
    return _bad_request(status, headers, told, place)


def _passing(
    status: int, headers: Mapping[str, str], told: Problem, *, writes: bool, place: str
) -> TryLater | None:
    """The error, if time mends it."""
    if status == 429 or told.code == "REQUEST_LIMIT_EXCEEDED":
        return _limited(status, headers, told, place)
    if status >= 500 or status == 408 or told.code in {"SERVER_UNAVAILABLE", "QUERY_TIMEOUT"}:
        return _server_fault(status, headers, told, writes=writes, place=place)
    if told.code == "UNABLE_TO_LOCK_ROW":
        return ServerFault(_words(told), place=place)
    return None


def not_json(status: int, *, writes: bool, place: str) -> ServerFault:
    """A page instead of data: maintenance, or something between us and Salesforce."""
    return ServerFault(
        f"answered {status} with something that is not JSON",
        place=place,
        fix="Salesforce may be under maintenance, or a proxy answers in its place.",
        sent=writes,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The pause that the server asks for, in seconds, as a number or as a date on its own clock."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    until, now = http_date(value), http_date(headers.get("Date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def http_date(value: str) -> datetime | None:
    """An HTTP date as an aware datetime, or None."""
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo is not None else None


def hint(code: str) -> str:
    """What to do about a row rejected with this code; empty where the words say it all."""
    return _HINTS.get(code, "")


def _limited(status: int, headers: Mapping[str, str], told: Problem, place: str) -> TryLater:
    if status == 429 or "concurrent" in told.message.lower():
        return RateLimited(
            _words(told) or "too many requests", place=place, retry_after=retry_after(headers)
        )
    return QuotaReached(
        _words(told),
        place=place,
        fix="The org has used up its API calls of the last 24 hours. What was done is stored; "
        "run again later.",
    )


def _server_fault(
    status: int, headers: Mapping[str, str], told: Problem, *, writes: bool, place: str
) -> ServerFault:
    slow = told.code == "QUERY_TIMEOUT"
    return ServerFault(
        _words(told) or f"answered {status}",
        place=place,
        fix="If it happens again, narrow `where` in the mapping or index its field."
        if slow
        else "",
        sent=writes,
        retry_after=retry_after(headers),
    )


def _redirected(headers: Mapping[str, str], place: str) -> ConfigError:
    match = re.match(r"https?://([\w.:-]+)", headers.get("Location", ""))
    target = f" to {match.group(1)}" if match else ""
    return ConfigError(
        f"redirects{target}, where no credentials are sent",
        place=place,
        fix="Set `instance_url` to the org's My Domain address (Setup, My Domain).",
    )


def unknown_column(message: str) -> str:
    """The field that Salesforce does not know, if that is what the message says."""
    match = _NO_COLUMN.search(message)
    return match.group(1) if match else ""


def no_such_field(object_: str, name: str, place: str = "") -> ConfigError:
    """The mapping names a field that is not there, or is hidden from this user."""
    return ConfigError(
        f"{object_} has no field {name}, or this user may not see it",
        place=place,
        fix="Correct the mapping, or give the integration user access to the field.",
    )


def _bad_request(status: int, headers: Mapping[str, str], told: Problem, place: str) -> ConfigError:
    if 300 <= status < 400:
        return _redirected(headers, place)
    if match := _NO_COLUMN.search(told.message):
        return no_such_field(match.group(2), match.group(1), place)
    if status in {404, 405}:
        words = _words(told) or f"answered {status}"
        return ConfigError(
            words, place=place, fix="Check `instance_url`, `api_version` and `object`."
        )
    if status in {414, 431}:
        return ConfigError(
            "the request is too long for Salesforce or a proxy before it",
            place=place,
            fix="Read fewer fields, or shorten `where`, in the mapping.",
        )
    return ConfigError(
        _words(told) or f"answered {status}",
        place=place,
        fix=_REQUEST_FIXES.get(told.code, "Correct the mapping of this object."),
    )


def _words(told: Problem) -> str:
    return ": ".join(part for part in (told.code, told.message) if part)


def _without_query(message: str) -> str:
    """The message without the query before it, since a query may hold e-mail addresses."""
    marks = list(_AFTER_QUERY.finditer(message))
    kept = message[marks[-1].end() :] if marks else message.strip().rpartition("\n")[2]
    return " ".join(kept.split())[:_SHOWN]


_BATCH_STATUSES = frozenset({400, 409, 412, 413, 422})
"""Statuses that speak of the rows sent; any other speaks of the address or the set-up."""

_ACCESS = "Give the integration user the crm-sync permission set and the API Enabled permission."
_ACCESS_FIXES = {
    "API_DISABLED_FOR_ORG": "This edition of Salesforce has no API access; ask its administrator.",
    "API_CURRENTLY_DISABLED": "API access of this user is disabled; ask the administrator.",
    "INSUFFICIENT_ACCESS": "Give the integration user access to this object and its records.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Give the integration user write access to the record.",
    "FUNCTIONALITY_NOT_ENABLED": "The org does not have this feature; ask its administrator.",
}

_REQUEST_FIXES = {
    "MALFORMED_QUERY": "Correct `where` in the mapping; it is a SOQL condition.",
    "INVALID_TYPE": "Correct `object` in the mapping, or give the integration user access to it.",
    "INVALID_FIELD": "Correct the mapping, or give the integration user access to the field.",
    "UNSUPPORTED_API_VERSION": "Set `api_version` to one that the org offers.",
}

_HINTS = {
    "DUPLICATE_VALUE": "Another record has this unique value already.",
    "DUPLICATES_DETECTED": "A duplicate rule of the org stopped the write; the records that it "
    "names were not touched. Merge them in Salesforce, or let the rule allow API edits.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule of the org stopped the write; its "
    "administrator can exempt the integration user.",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "The integration user may not write this field; give it "
    "the crm-sync permission set.",
    "STRING_TOO_LONG": "The text is longer than the field; lengthen the field in Setup.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "The picklist lacks this value; add it in Setup, or "
    "correct `values` in the mapping.",
    "REQUIRED_FIELD_MISSING": "The org requires a field that the mapping does not fill.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "The integration user may not edit this record.",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "The integration user may not use the record "
    "that a lookup points to.",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "Automation of the org (a trigger or flow) failed.",
    "ENTITY_IS_DELETED": "The record was deleted meanwhile; the next pull will notice.",
    "INVALID_CROSS_REFERENCE_KEY": "A record that this one points to is gone or hidden.",
    "INACTIVE_OWNER_OR_USER": "The owner is no longer active; give the record a new owner.",
    "UNABLE_TO_LOCK_ROW": "Somebody else was saving the same account; it was tried "
    "again in vain. Apply again later.",
}
