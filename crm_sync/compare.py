"""When two values of a CRM field are the same: the one place that knows how CRMs echo values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time

from crm_sync.model import Scalar

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
_LONGEST_WORD = len("false")
_EXACT_FLOAT = 2**53
"""Above it a float no longer holds every whole number, so it is not written as one."""


def same(one: Scalar, other: Scalar) -> bool:
    """Whether a person would say that the field holds the same in both cases.

    Blank is blank (`""`, None, only spaces); blanks around a text, the kind of line end, `true`
    against True, 5 against 5.0 and `"5"`, a date against its midnight in UTC, and the ways to
    write one moment make no difference. Anything else does, letter case included. An equivalence:
    reflexive, symmetric and transitive.
    """
    if type(one) is type(other) and one == other:
        return True  # by far the most frequent case
    if one is None or other is None:
        there = other if one is None else one
        return there is None or (isinstance(there, str) and not there.strip())
    return canonical(one) == canonical(other)


def is_blank(value: Scalar) -> bool:
    """Whether a field holds nothing; a box that is not ticked holds nothing either."""
    if not isinstance(value, str):
        return value is None or value is False
    if len(value) > _LONGEST_WORD and not (value[0].isspace() or value[-1].isspace()):
        return False
    return value.strip().casefold() in ("", "false")


def holds_id(ids: Scalar, id: Scalar) -> bool:
    """Whether a relation field, ids joined by `;`, holds this id."""
    return str(id) in [one.strip() for one in str(ids or "").split(";")]


def canonical(value: Scalar) -> str:
    """The text that all values which are the `same` share; empty for a blank."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return _text(value)


def _text(value: str) -> str:
    text = value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    text = text.strip()
    if len(text) <= _LONGEST_WORD and text.casefold() in ("true", "false"):
        return text.casefold()
    if not (text[:1].isdecimal() or text[:1] == "-"):
        return text  # neither a number nor a date
    if match := _WHOLE.fullmatch(text):
        return "0" if match[1] == "-0" else match[1]
    if _ISO.fullmatch(text):
        return _moment(text)
    return text


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return text  # it only looked like a date
    if moment.timetz() == time(tzinfo=UTC):
        return moment.date().isoformat()
    return moment.isoformat()
