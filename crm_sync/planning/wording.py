"""Small pieces of text: cleaned values, masked addresses, dates as people write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Literal

Language = Literal["en", "fr"]

VALUE_LIMIT = 300
"""Characters kept of one foreign value inside a text; more is a mistake or an attack."""

_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?", re.DOTALL)
_EMAIL = re.compile(r"[^\s<>()\"',;:@]+@[^\s<>()\"',;:@]+")
_MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ),
}  # fmt: skip


@lru_cache(maxsize=16_384)
def clean(text: str, limit: int = VALUE_LIMIT) -> str:
    """One line without terminal escapes, control, invisible or direction-changing characters."""
    if text.isprintable() and text == text.strip() and "  " not in text:
        return shorten(text, limit)  # nearly every value: nothing to take out
    text = _ESCAPE.sub("", text)
    kept = (" " if sign.isspace() else sign for sign in text if sign.isspace() or _visible(sign))
    return shorten(" ".join("".join(kept).split()), limit)


def _visible(sign: str) -> bool:
    # Joiners (U+200C, U+200D) are invisible too, but belong to the spelling of some names.
    return (
        unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or sign in "\u200c\u200d"
    )


def mask_addresses(text: str) -> str:
    """The text without e-mail addresses."""
    return _EMAIL.sub("[e-mail]", text) if "@" in text else text


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the cut shown."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def long_date(day: date | None, language: Language) -> str:
    """`June 3, 2026` or `3 juin 2026`; empty for no date."""
    if day is None:
        return ""
    name = _MONTHS[language][day.month - 1]
    if language == "fr":
        return f"{'1er' if day.day == 1 else day.day} {name} {day.year}"
    return f"{name} {day.day}, {day.year}"


def month(day: date | None, language: Language) -> str:
    """`June 2026` or `juin 2026`; empty for no date."""
    return "" if day is None else f"{_MONTHS[language][day.month - 1]} {day.year}"
