"""What a CRM says about a row, without the values that it repeats: the one place for that.

Messages are stored in the journal, printed and mailed on; field names and codes are enough to act
upon, and the values are in the plan for those who may see it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crm_sync.model import Scalar

GONE = "…"
"""Stands where a value stood."""

_SHORTEST = 3
_CUT = 12
"""A CRM may repeat only the beginning of a long value: so many characters give it away."""

_QUOTED = re.compile(
    r"\"[^\"\n]*\"|“[^”]*”|«[^»]*»|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w))*'(?!\w)"
    r"|(?<!\w)‘(?:[^’]|(?<=\w)’(?=\w))*’(?!\w)"
)
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+\.[^\s@<>()\[\],;:\"']+")


def without_values(message: str, fields: Mapping[str, Scalar]) -> str:
    """The message without the values of `fields` (those sent), e-mail addresses and quotations.

    A quotation that is just the name of one of the fields stays.
    """
    names = {name.casefold() for name in fields}
    texts = {value.strip() for value in fields.values() if isinstance(value, str)}
    for text in sorted(texts, key=len, reverse=True):
        if text.casefold() not in names:
            message = _without(message, text)
    message = _EMAIL.sub(GONE, message)
    return _QUOTED.sub(lambda quote: _quotation(quote.group(), names), message)


def _without(message: str, value: str) -> str:
    """Every mention of the value, also of a long one that is cut short."""
    if len(value) < _SHORTEST:
        return message
    spelt = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
    message = spelt.sub(GONE, message)
    start = value[:_CUT]
    if len(value) <= _CUT:
        return message
    at = message.find(start)
    while at >= 0:
        end = at + len(start)
        while end < len(message) and end - at < len(value) and message[end] == value[end - at]:
            end += 1
        message = message[:at] + GONE + message[end:]
        at = message.find(start, at + len(GONE))
    return message


def _quotation(text: str, names: set[str]) -> str:
    inside = text[1:-1]
    return text if inside.casefold() in names or inside == GONE else f"{text[0]}{GONE}{text[-1]}"
