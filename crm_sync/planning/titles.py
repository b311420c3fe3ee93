"""When two titles are spellings of one: the words of `matching.words`, without a database.

The judgement compares titles by the same rules, in SQL over all rows at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from crm_sync.matching import words
from crm_sync.names import fold

_FILLERS = frozenset(words.TITLE_FILLERS)
_ELISION = re.compile(r"(^|[\s(])(?:l|d|qu)'", re.IGNORECASE)
_RESEARCH = re.compile(r"\bR ?& ?D\b", re.IGNORECASE)
_ENDINGS = (("s", ""), ("trice", "teur"), ("euse", "eur"), ("ienne", "ien"), ("ive", "if"))


@lru_cache(maxsize=65_536)
def title_key(title: str) -> str:
    """A title without case, accents, punctuation, order of words, small words and gender.

    Abbreviations count as what they stand for. What has no word at all is compared as it stands.
    """
    text = f" {'  '.join(_stems(title))} "
    for phrase, key in _phrases():
        text = text.replace(phrase, key)
    found = " ".join(_synonyms().get(word, word) for word in text.split())
    return " ".join(sorted(set(found.split()))) or title.strip().casefold()


def _stems(title: str) -> list[str]:
    text = _RESEARCH.sub("RD", _ELISION.sub(r"\1", title.replace("’", "'")))
    return [_stem(word) for word in fold(text).split() if word not in _FILLERS]


def _stem(word: str) -> str:
    if len(word) < 4:
        return word
    if word.startswith("cheffe"):
        return "chef"
    for ending, instead in _ENDINGS:
        if word.endswith(ending):
            word = word.removesuffix(ending) + instead
    return word.rstrip("e")


@cache
def _phrases() -> tuple[tuple[str, str], ...]:
    """Longest first, in the two-blank form in which a stemmed title meets them."""
    stemmed = _stemmed(words.TITLE_PHRASES)
    ordered = sorted(stemmed.items(), key=lambda pair: (-len(pair[0]), pair[0]))
    return tuple((f" {phrase.replace(' ', '  ')} ", f" {key} ") for phrase, key in ordered)


@cache
def _synonyms() -> Mapping[str, str]:
    return _stemmed(words.TITLE_SYNONYMS)


def _stemmed(table: Mapping[str, str]) -> dict[str, str]:
    return {_each(phrase.split()): _each(key.split()) for phrase, key in table.items()}


def _each(some: Iterable[str]) -> str:
    return " ".join(_stem(word) for word in some)
