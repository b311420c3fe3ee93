"""Texts without case, accents and punctuation: the ground of every comparison."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_NO_ACCENTS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ı": "i"}
)
_ASCII = {
    code: "" if sign in "'`"
    else " and " if sign == "&"
    else sign.lower() if sign.isalnum() or sign in "+#"
    else " "
    for code, sign in enumerate(map(chr, range(128)))
}  # fmt: skip
_APOSTROPHES = re.compile("['’‘ʼ`´]")
_INITIAL = re.compile(r"(?a:\b)(\w)\.")


def each(text: str) -> Sequence[str]:
    """The words of a list that is written as one text."""
    return tuple(text.split())


def phrases(text: str) -> Sequence[str]:
    """The items of a list that is written as one text with commas, each with single blanks."""
    items = (" ".join(item.split()) for item in text.split(","))
    return tuple(item for item in items if item)


def lower(text: str) -> str:
    """Lower case sign by sign: as long as the text, whatever stands beside each sign."""
    return text.lower() if text.isascii() else "".join(sign.lower()[0] for sign in text)


def fold(text: str) -> str:
    """Lower case, no accents or ligatures, single blanks for punctuation; as the macro `fold`.

    Initials lose their dots ("U.S." is "us"), apostrophes vanish ("O'Brien" is "obrien"), "&" is
    "and". Empty where the macro gives null.
    """
    if text.isascii() and "." not in text:
        return " ".join(text.translate(_ASCII).split())  # nearly every name: nothing to compose
    small = lower(unicodedata.normalize("NFC", text))
    apart = unicodedata.normalize("NFD", small.translate(_NO_ACCENTS))
    plain = "".join(sign for sign in apart if unicodedata.category(sign)[0] != "M")
    joined = _INITIAL.sub(_without_dot, _APOSTROPHES.sub("", unicodedata.normalize("NFC", plain)))
    kept = (sign if _counts(sign) else " " for sign in joined.replace("&", " and "))
    return " ".join("".join(kept).split())


def squash(text: str) -> str:
    """A folded text without its blanks."""
    return text.replace(" ", "")


def _without_dot(initial: re.Match[str]) -> str:
    return initial[1] if initial[1].isalpha() else initial[0]


def _counts(sign: str) -> bool:
    return sign in "+#" or unicodedata.category(sign)[0] in "LN"
