"""When two values of a CRM field are the same to us, and when a value is no value."""

from __future__ import annotations

import re
import unicodedata

from crm_sync.model import Scalar

_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00(:00(\.0+)?)?(Z|[+-]00:?00)?")
_LEGAL_FORMS = frozenset({
    "ab", "ag", "asa", "bv", "bvba", "co", "corp", "corporation", "eurl", "gie", "gmbh", "inc",
    "incorporated", "kg", "limited", "llc", "llp", "ltd", "nv", "oy", "plc", "pty", "sa", "sarl",
    "sas", "sasu", "sca", "scop", "se", "selarl", "snc", "spa", "sprl", "srl",
})  # fmt: skip


def same(one: Scalar, other: Scalar) -> bool:
    """Whether a CRM would show the same: '' is null, 'true' is true, '5' is 5.0, a date is its
    midnight, and line ends and trailing blanks do not count. Case does."""
    one, other = _form(one), _form(other)
    if isinstance(one, float) != isinstance(other, float):
        one, other = _number(one), _number(other)
    return one == other


def is_blank(value: Scalar) -> bool:
    """Whether a field holds nothing; a box that is not ticked holds nothing either."""
    form = _form(value)
    return form is None or form is False


def _form(value: Scalar) -> str | float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    text = value.replace("\r\n", "\n").rstrip()
    if text.casefold() in {"true", "false"}:
        return text.casefold() == "true"
    midnight = _MIDNIGHT.fullmatch(text)
    return midnight[1] if midnight else text or None


def _number(value: str | float | bool | None) -> str | float | bool | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


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
