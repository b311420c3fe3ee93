"""People's names, taken apart so that two spellings of one can be compared.

The same as the macro `named`, which does it for every row of a source.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm_sync.normalise import person_words as lists
from crm_sync.normalise.text import fold, squash

_LEADING = re.compile(lists.LEADING, re.IGNORECASE)
_TRAILING = re.compile(lists.TRAILING, re.IGNORECASE)
_BIRTH_NAME = re.compile(lists.BIRTH_NAME, re.IGNORECASE)
_BIRTH_NAMES = re.compile(lists.BIRTH_NAMES, re.IGNORECASE)
_MARRIED = re.compile(lists.MARRIED, re.IGNORECASE)
_SUFFIX = re.compile(lists.SUFFIX, re.IGNORECASE)
_LAST_WORDS = re.compile(lists.LAST_WORDS, re.IGNORECASE)
_LAST_FIRST = re.compile(lists.LAST_FIRST)
_BRACKETED, _QUOTED = re.compile(lists.BRACKETED), re.compile(lists.QUOTED)
_IN_BRACKETS = re.compile(lists.IN_BRACKETS)
_IN_BRACKETS_BEFORE = re.compile(lists.IN_BRACKETS_BEFORE)
_ELIDED = re.compile(lists.ELIDED)
_NOT_NICKNAMES = frozenset(lists.NOT_NICKNAMES)
_WEAK = frozenset(lists.WEAK_LAST_NAMES)
_PARTICLES = frozenset(lists.PARTICLES)
_DOTLESS = {0x130: "\1", 0x131: "\1"}  # Python takes them for an "i" of other case, RE2 does not


@dataclass(frozen=True)
class PersonName:
    """A name as it is compared: folded, without blanks.

    `last_key`: the whole last name. `last_parts`: that, the parts of a compound one, a birth name.
    `first_key`: the name that she is called by first. `firsts`: every given name that may stand for
    it: called, full, in quotes, compound. `first_initials`: single letters among them. `middles`:
    first letters of the other given names. `suffix`: jr, sr, ii, iii or iv.
    """

    last_key: str | None = None
    last_parts: tuple[str, ...] = ()
    first_key: str | None = None
    firsts: tuple[str, ...] = ()
    first_initials: tuple[str, ...] = ()
    middles: tuple[str, ...] = ()
    suffix: str | None = None


def parse_name(
    full_name: str | None = None, first_name: str | None = None, last_name: str | None = None
) -> PersonName:
    """Take a name apart; first and last name, where they are given, are trusted before the full.

    Understands titles before and letters after a name, `DUPONT Marie`, `Dupont, Marie`,
    `Marie DE LA TOUR`, particles, nicknames in quotes or brackets, and birth names after `née`.
    """
    full, first, last = _tidy(full_name), _tidy(first_name), _tidy(last_name)
    bare_full, bare_last = _bare(full), _bare(last)
    said, given_text = (bare_last, "") if bare_last else _split(bare_full)
    given = _given_beside(bare_full, bare_last) if bare_last else _given_words(given_text)
    called = _given_words(_bare(first))
    nicknames = [*_nicknames(full, _IN_BRACKETS_BEFORE), *_nicknames(first, _IN_BRACKETS)]
    forms = _distinct([*_leading(called), *_leading(given), *nicknames])
    others = given[1:] if len(given) > 1 else called[1:]
    return PersonName(
        last_key=squash(fold(said)) or None,
        last_parts=_distinct([*_last_parts(said), *_birth_names(full), *_birth_names(last)]),
        first_key=next(iter([*called[:1], *given[:1]]), None),
        firsts=tuple(form for form in forms if len(form) > 1),
        first_initials=tuple(form for form in forms if len(form) == 1),
        middles=_distinct(word[0] for word in others),
        suffix=_suffix(full) or _suffix(first) or _suffix(last),
    )


def _tidy(text: str | None) -> str:
    """Composed letters, single blanks, nothing invisible, no pictures."""
    composed = unicodedata.normalize("NFC", (text or "").replace("\0", " "))
    return _single_blanks("".join(" " if _is_blank(sign) else sign for sign in composed))


def _is_blank(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] == "Z" or category in {"Cc", "Cf", "So"} or "\ufe00" <= sign <= "\ufe0f"


def _single_blanks(text: str) -> str:
    return " ".join(word for word in text.split(" ") if word)


def _bare(text: str) -> str:
    """Without nicknames, titles, letters behind and birth names."""
    said = _single_blanks(_BRACKETED.sub(" ", text))
    found = _MARRIED.search(said)
    said = f"{said[: found.start()]} {said[found.end() :]}" if found else said
    for pattern in (_BIRTH_NAME, _TRAILING, _LEADING):
        found = pattern.search(said.translate(_DOTLESS))
        said = said[: found.start()] + said[found.end() :] if found else said
    return said.strip(lists.LOOSE_SIGNS)


def _split(name: str) -> tuple[str, str]:
    """Last and given names of a name in one piece."""
    inverted = _LAST_FIRST.search(name)
    if inverted:
        return inverted[1], inverted[2]
    words = name.split(" ")
    at = _capitals_first(words)
    if at:
        return " ".join(words[:at]), " ".join(words[at:])
    at = _capitals_last(words)
    if at:
        return " ".join(words[at:]), " ".join(words[:at])
    plain = _LAST_WORDS.search(name.translate(_DOTLESS))
    if plain:
        return name[plain.start(2) :], name[: plain.end(1)]
    return name, ""


def _capitals_first(words: Sequence[str]) -> int:
    """How many words of `DE LA TOUR Marie` are the last name: those in capitals before others.

    A single word needs three letters: `JP` is no last name.
    """
    count = next((at for at, word in enumerate(words) if _capitals(word) < 2), len(words))
    if count in {0, len(words)} or not any(_is(sign, "Ll") for sign in words[count]):
        return 0
    return count if count > 1 or _capitals(words[0]) >= 3 else 0


def _capitals_last(words: Sequence[str]) -> int:
    """Where in `Marie de LA TOUR` the last name begins: two or more in capitals, and particles."""
    if not any(_is(sign, "Ll") for word in words for sign in word):
        return 0
    for at in range(1, len(words) - 1):
        rest = list(words[at:])
        while rest and rest[0] in _PARTICLES:
            del rest[0]
        if len(rest) >= 2 and all(_capitals(word) >= 2 for word in rest):
            return at
    return 0


def _capitals(word: str) -> int:
    """How many capitals a word has that has no small letters and no dots, else 0."""
    if "." in word or any(_is(sign, "Ll") for sign in word):
        return 0
    return sum(_is(sign, "Lu") for sign in word)


def _is(sign: str, category: str) -> bool:
    return unicodedata.category(sign) == category


def _given_words(text: str) -> list[str]:
    """Given names as words; what a hyphen joins stays one."""
    return fold(_unhyphened(text)).split()


def _unhyphened(text: str) -> str:
    return text.replace("-", "").replace("‐", "").replace("‑", "")


def _given_beside(full: str, last: str) -> list[str]:
    """The given names in a full name of which the last name is known."""
    joined, ending = fold(_unhyphened(full)), fold(_unhyphened(last))
    for said, end in ((joined, ending), (joined, squash(ending)), (fold(full), fold(last))):
        if f" {said}".endswith(f" {end}"):
            return said[: len(said) - len(end)].split()
        if f"{said} ".startswith(f"{end} "):
            return said[len(end) :].split()
    return []


def _leading(words: Sequence[str]) -> list[str]:
    """What may stand for the first of these names: itself, and it with the second as one."""
    if len(words) < 2:
        return list(words)
    one, two = words[0], words[1]
    return [one, two] if len(one) == 1 and len(two) > 1 else [one, one + two]


def _nicknames(text: str, in_brackets: re.Pattern[str]) -> list[str]:
    """In quotes or brackets: short, and neither pronouns nor degrees."""
    found = [_given_words(said) for said in (*_QUOTED.findall(text), *in_brackets.findall(text))]
    return [
        "".join(words)
        for words in found
        if len(words) in {1, 2} and not _NOT_NICKNAMES.intersection(words) and len(words[0]) > 1
    ]


def _last_parts(last: str) -> list[str]:
    """A last name as one, and the parts of a compound one that tell people apart."""
    words = fold(last).split()
    elided = fold(_ELIDED.sub(r"\1", last)).split() if "'" in last or "’" in last else words
    parts = words if len(words) > 1 else []
    parts = [*parts, *elided] if elided != words else parts
    telling = [word for word in parts if len(word) >= 3 and word not in _WEAK]
    return ["".join(words), *telling] if words else []


def _birth_names(text: str) -> list[str]:
    found = _BIRTH_NAMES.search(text.translate(_DOTLESS))
    return _last_parts(text[found.start(1) : found.end(1)]) if found else []


def _suffix(text: str) -> str | None:
    found = _SUFFIX.search(text.translate(_DOTLESS))
    return found[1].lower() if found else None


def _distinct(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
