"""Salesforce record ids: a key prefix for the object, a number in base 62, a case-safe suffix."""

from __future__ import annotations

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = {digit: value for value, digit in enumerate(_DIGITS)}
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
INSTANCE = "Sb0"
"""Stands after the prefix of ids that a sandbox makes: a pod and a reserved digit."""


def make_id(prefix: str, number: int) -> str:
    """The 18-character id of a sandbox's row `number` of the object with this key prefix."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _DIGITS[rest] + digits
    return with_suffix(f"{prefix}{INSTANCE}{digits.rjust(9, '0')}")


def row_number(record_id: str) -> int | None:
    """The row that `make_id` was given, or None for an id from elsewhere."""
    if record_id[3:6] != INSTANCE:
        return None
    number = 0
    for digit in record_id[6:15]:
        number = number * 62 + _VALUE[digit]
    return number or None


def with_suffix(short: str) -> str:
    """The 18-character form of a 15-character id: each suffix letter tells five cases."""
    suffix = ""
    for start in (0, 5, 10):
        upper = (1 << bit for bit in range(5) if "A" <= short[start + bit] <= "Z")
        suffix += _SUFFIX[sum(upper)]
    return short + suffix


def full_id(text: str) -> str | None:
    """The 18-character form of an id of 15 or 18 characters, or None when it is neither.

    As in Salesforce an 18-character id whose letters lost their case is mended by its suffix.
    """
    if not _SHAPE.fullmatch(text):
        return None
    if len(text) == 15:
        return with_suffix(text)
    return with_suffix(_recased(text))


def _recased(text: str) -> str:
    letters = []
    for position, letter in enumerate(text[:15]):
        upper = _SUFFIX.index(text[15 + position // 5]) >> (position % 5) & 1
        letters.append(letter.upper() if upper else letter.lower())
    return "".join(letters)
