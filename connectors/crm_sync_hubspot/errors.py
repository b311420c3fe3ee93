"""What HubSpot's refusals mean: the one place where its statuses and codes become our errors.

Two kinds of answer are told apart. `error_for` judges an answer to a whole request; `hint` adds a
line of help to the rejection of one row, whose words stay HubSpot's own (`problem_in`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from crm_sync.errors import ScopeMissing
from crm_sync_hubspot.http import http_date
from crm_sync_hubspot.problems import Problem, problem_in

LOCKED_PAUSE = 2.0
WINDOW_PAUSES = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0}
"""Seconds after which a window has certainly moved on, where HubSpot does not say (it rarely
does)."""

_ABOUT_THE_REQUEST = frozenset({404, 405, 406, 414, 415, 431})
"""Statuses that speak of the address or the set-up, and not of the rows sent; but see `_NO_ROW`."""

_NO_ROW = "OBJECT_NOT_FOUND"
"""HubSpot's code for a row whose record is gone. An address that is not HubSpot's does not say
it."""


NOT_HUBSPOT_FIX = "Check `base_url`, and what stands between this machine and HubSpot, as a proxy."
"""What to do about a refusal without a word of HubSpot's."""


class RefusedBatch(BatchRejected):
    """A batch refused as a whole; `problem` holds all that HubSpot said about it."""

    def __init__(self, problem: Problem, status: int) -> None:
        super().__init__(problem.code or f"HTTP_{status}", problem.traced or "refused")
        self.problem = problem


def error_for(
    status: int, headers: Mapping[str, str], body: Any, *, writes: bool, place: str
) -> Exception:
    """The error to raise for an answer that is no success.

    `body` is the parsed JSON, or None where the answer was something else. With `writes`, a
    failure of the server leaves open whether the rows were written, and `sent` says so.
    """
    told = problem_in(body)
    if status == 401:
        return TokenRefused(told.told or "answered 401 without a reason")
    passing = _passing(status, headers, told, writes=writes, place=place)
    if passing is not None:
        return passing
    if status == 403:
        return _forbidden(told, place)
    if writes and _about_rows(status, told):
        return RefusedBatch(told, status)
    return _bad_request(status, headers, told, place)


def not_json(status: int, *, writes: bool, place: str) -> ServerFault:
    """A page instead of data: maintenance, or something between us and HubSpot."""
    return ServerFault(
        f"answered {status} with something that is not JSON",
        place=place,
        fix="Check `base_url`. Else HubSpot is under maintenance, or a proxy answers in its place.",
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


def hint(code: str) -> str:
    """What to do about a row rejected with this code; empty where the words say it all."""
    return _HINTS.get(code, "")


def _passing(
    status: int, headers: Mapping[str, str], told: Problem, *, writes: bool, place: str
) -> TryLater | None:
    """The error, if time mends it."""
    asked = retry_after(headers)
    if status == 429:
        return _limited(told, asked, place)
    if status == 423:
        return RateLimited(
            told.told or "the records are locked by another change",
            place=place,
            retry_after=max(LOCKED_PAUSE, asked or 0.0),
        )
    if status == 477:
        return RateLimited(
            told.told or "the portal is being moved to another data centre",
            place=place,
            fix="HubSpot moves the portal; this can take up to a day. Run again later.",
            retry_after=asked,
        )
    if status >= 500 or status == 408:
        return ServerFault(
            told.told or f"answered {status}", place=place, sent=writes, retry_after=asked
        )
    return None


def _about_rows(status: int, told: Problem) -> bool:
    if status == 404:
        return any(code.rpartition(".")[2] == _NO_ROW for code in told.codes)
    return 400 <= status < 500 and status not in _ABOUT_THE_REQUEST


def _limited(told: Problem, asked: float | None, place: str) -> TryLater:
    if told.policy == "DAILY":
        return QuotaReached(
            told.told,
            place=place,
            fix="The portal has used up its API calls of the day. What was done is stored; run "
            "again after midnight in the portal's time zone.",
        )
    pause = WINDOW_PAUSES.get(told.policy, 1.0) if asked is None else asked
    return RateLimited(told.told or "too many requests", place=place, retry_after=pause)


def _forbidden(told: Problem, place: str) -> AccessDenied:
    if not told.told:
        return AccessDenied(
            "answered 403 without HubSpot's reason", place=place, fix=NOT_HUBSPOT_FIX
        )
    if "MISSING_SCOPES" not in told.codes and not told.scopes:
        return AccessDenied(
            told.told,
            place=place,
            fix="Ask an administrator of the portal what its app or service key may do.",
        )
    lacking = ", ".join(told.scopes)
    words = f"the app lacks the scope {lacking}" if lacking else "the app lacks a scope"
    tail = f" (correlation id {told.correlation})" if told.correlation else ""
    return ScopeMissing(
        words + tail,
        place=place,
        fix=f"Add {lacking or 'the scope'} to the app or service key in HubSpot (Settings, "
        "Integrations); an OAuth app must then be installed again.",
        scopes=told.scopes,
    )


def _bad_request(status: int, headers: Mapping[str, str], told: Problem, place: str) -> ConfigError:
    if 300 <= status < 400:
        match = re.match(r"https?://([\w.:-]+)", headers.get("Location", ""))
        target = f" to {match.group(1)}" if match else ""
        return ConfigError(
            f"redirects{target}, where no credentials are sent",
            place=place,
            fix="Set `base_url` to HubSpot's own address, or leave it out.",
        )
    if status in {414, 431}:
        return ConfigError(
            "the request is too long for HubSpot or a proxy before it",
            place=place,
            fix="Read fewer properties, or shorten `where`, in the mapping.",
        )
    if not told.told:
        return ConfigError(f"answered {status}", place=place, fix=NOT_HUBSPOT_FIX)
    fix = "Correct the mapping of this object."
    if status in {404, 405}:
        fix = "Check `base_url`, and the objects and properties that the mapping names."
    return ConfigError(told.told, place=place, fix=fix)


_HINTS = {
    "VALIDATION_ERROR": "A value does not fit its property, or a validation rule of the portal "
    "stopped the write.",
    "INVALID_OPTION": "The property has no such option; add it in HubSpot (Settings, Properties), "
    "or correct `values` in the mapping.",
    "READ_ONLY_VALUE": "HubSpot sets this property itself; take it out of `write` in the mapping.",
    "PROPERTY_DOESNT_EXIST": "The portal has no such property; run `crm-sync setup`, or correct "
    "the mapping.",
    "INVALID_EMAIL": "HubSpot takes this for no e-mail address.",
    "INVALID_DATE": "The property is a date: midnight in UTC, without a time.",
    "INVALID_INTEGER": "The property is a whole number.",
    "INVALID_LONG": "The property is a whole number.",
    "INVALID_OWNER_ID": "The owner is no longer active; give the record a new owner.",
    "REQUIRED_PROPERTY_MISSING": "The portal requires a property that the mapping does not fill.",
    "CONFLICT": "Another record has this unique value already.",
    "CONFLICTING_UNIQUE_VALUE": "Another record has this unique value already.",
    "OBJECT_ALREADY_EXISTS": "Another record has this unique value already.",
    "CONTACT_EXISTS": "Another contact has this e-mail address; merge the two in HubSpot.",
    "OBJECT_NOT_FOUND": "The record was deleted or merged meanwhile; the next pull will notice.",
    "NOT_FOUND": "The record was deleted or merged meanwhile; the next pull will notice.",
    "MISSING_SCOPES": "Add the scope to the app or service key in HubSpot.",
    "ASSOCIATION_LIMIT_EXCEEDED": "The record has as many associations as HubSpot allows.",
}
