"""When two values of a CRM field are the same to us, and when a value is no value."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, time

from crm_sync.model import Scalar

_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
_EXACT = 2**53  # from here on a float is not one whole number
_LEGAL_FORMS = frozenset({
    "ab", "ag", "asa", "bv", "bvba", "co", "corp", "corporation", "eurl", "gie", "gmbh", "inc",
    "incorporated", "kg", "limited", "llc", "llp", "ltd", "nv", "oy", "plc", "pty", "sa", "sarl",
    "sas", "sasu", "sca", "scop", "se", "selarl", "snc", "spa", "sprl", "srl",
})  # fmt: skip


def same(one: Scalar, other: Scalar) -> bool:
    """Whether a person would say that the field holds the same.

    '' is null, 'true' is true, '5' is 5.0, a date is its midnight in UTC, two spellings of one
    moment are one; line ends and blanks around a text do not count. Case does. Agrees with what
    applying takes for drift, so that what is planned is not refused and not planned again.
    """
    return _form(one) == _form(other)


def is_blank(value: Scalar) -> bool:
    """Whether a field holds nothing; a box that is not ticked holds nothing either."""
    return _form(value) in {"", "false"}


def _form(value: Scalar) -> str:
    """One spelling for all values that are the same."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
    if text.casefold() in {"true", "false"}:
        return text.casefold()
    whole = _WHOLE.fullmatch(text)
    if whole and isinstance(value, str):
        return "0" if whole[1] == "-0" else whole[1]
    return _moment(text) if _TIME.fullmatch(text) else text


def _moment(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    return at.date().isoformat() if at.timetz() == time(tzinfo=UTC) else at.isoformat()


def company_key(name: str) -> str:
    """A company's name without case, accents, punctuation and legal form.

    For telling spellings of one name apart from another name; that two companies share a name
    does not make them one, so this may suggest and hold back, never decide to write.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    words = re.findall(r"\w+", re.sub(r"(?<=\b\w)\.(?=\w\b)|['’]", "", plain))
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    while len(words) > 1 and words[0] in _LEGAL_FORMS:
        words.pop(0)
    return " ".join(words)
