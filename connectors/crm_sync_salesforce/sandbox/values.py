"""Values on their way in: from JSON or CSV text to what is stored.

As in Salesforce, blanks around text are trimmed and an empty string is stored as null.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from crm_sync_salesforce.sandbox.fields import NUMBERS, TEXTS, Field, Kind
from crm_sync_salesforce.sandbox.ids import full_id
from crm_sync_salesforce.sandbox.org import format_datetime
from crm_sync_salesforce.sandbox.problems import RowProblem, malformed

Stored = str | int | float | None
_EMAIL = re.compile(r"[^\s@,;<>()\[\]\"]+@[^\s@,;<>()\[\]\"]+\.[^\s@,;<>()\[\]\".]{2,}")
_BLANKS = " \t\r\n"
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})
LARGEST_NUMBER = 1e18


def parsed(field: Field, raw: Any) -> Stored:
    """The JSON value as the field's type stores it.

    Raises `ApiProblem` JSON_PARSER_ERROR: a value of the wrong type spoils the whole request.
    """
    if raw is None:
        return 0 if field.kind is Kind.BOOLEAN else None
    if field.kind is Kind.BOOLEAN:
        return _boolean(field, raw)
    if field.kind in NUMBERS:
        return _number(field, raw)
    return _text(field, raw)


def _text(field: Field, raw: Any) -> Stored:
    if not isinstance(raw, str):
        raise _wrong_type(field, raw)
    if "\x00" in raw or not _encodable(raw):
        raise malformed(f"{field.name}: the text holds a character that no text can hold")
    text = raw.strip(_BLANKS)
    if not text:
        return None
    if field.kind is Kind.DATE:
        return _date(field, text)
    if field.kind is Kind.DATETIME:
        return _datetime(field, text)
    return text


def checked(field: Field, value: Stored) -> Stored:
    """The value if this field may hold it. Raises `RowProblem`: it spoils its row only."""
    if not isinstance(value, str):
        return value
    if field.kind in (Kind.ID, Kind.REFERENCE):
        found = full_id(value)
        if found is None:
            message = f"{field.label}: id value of incorrect type: {value[:40]}"
            raise RowProblem("MALFORMED_ID", message, [field.name])
        return found
    if field.kind in TEXTS and field.length and len(value) > field.length:
        message = f"{field.label}: data value too large: {value} (max length={field.length})"
        raise RowProblem("STRING_TOO_LONG", message, [field.name])
    if field.kind is Kind.EMAIL and not _EMAIL.fullmatch(value):
        message = f"{field.label}: invalid email address: {value}"
        raise RowProblem("INVALID_EMAIL_ADDRESS", message, [field.name])
    if field.restricted and value not in field.values:
        message = f"{field.label}: bad value for restricted picklist field: {value}"
        raise RowProblem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
    return value


def from_text(field: Field, text: str) -> Any:
    """A CSV cell as the JSON value that it stands for; an empty cell is null."""
    if not text.strip(_BLANKS):
        return None
    if field.kind is Kind.DATETIME and len(text.strip(_BLANKS)) == 10:
        return f"{text.strip(_BLANKS)}T00:00:00Z"
    return text


def _boolean(field: Field, raw: Any) -> int:
    word = str(raw).strip().lower()
    if isinstance(raw, bool | str) and word in _TRUE | _FALSE:
        return int(word in _TRUE)
    raise _wrong_type(field, raw)


def _number(field: Field, raw: Any) -> Stored:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise _wrong_type(field, raw)
    if isinstance(raw, str) and not raw.strip():
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise _wrong_type(field, raw) from None
    if not abs(number) < LARGEST_NUMBER or (field.kind is Kind.INTEGER and number % 1):
        raise _wrong_type(field, raw)
    return int(number) if field.kind is Kind.INTEGER else number


def _date(field: Field, text: str) -> str:
    # A time is accepted where a day is wanted; the day is its day in UTC.
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        return _moment(text).date().isoformat()
    except (ValueError, OverflowError):
        raise _wrong_type(field, text) from None


def _datetime(field: Field, text: str) -> str:
    try:
        return format_datetime(_moment(text))
    except (ValueError, OverflowError):
        raise _wrong_type(field, text) from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if len(text) < 16:
        raise ValueError("a day is no time")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wrong_type(field: Field, raw: Any) -> Exception:
    kinds = {bool: "VALUE_TRUE" if raw is True else "VALUE_FALSE", str: "VALUE_STRING"}
    kinds |= {int: "VALUE_NUMBER", float: "VALUE_NUMBER", dict: "START_OBJECT"}
    kind = kinds.get(type(raw), "START_ARRAY")
    shown = f" {raw[:40]}" if isinstance(raw, str) else ""
    return malformed(f"{field.name}: cannot read {field.kind} from {kind}{shown}")
