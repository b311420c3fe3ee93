"""When two titles are spellings of one, what a title says of seniority, and what is no job.

The same as the macro `titled`, which does it for every distinct title at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from crm_sync.normalise import pauses, title_words
from crm_sync.normalise import title_patterns as patterns
from crm_sync.normalise.text import fold, lower, squash
from crm_sync.normalise.title_levels import Level

_INCLUSIVE = re.compile(title_words.INCLUSIVE)
_ELISION = re.compile(title_words.ELISION)
_RESEARCH = re.compile(title_words.RESEARCH, re.ASCII)


@lru_cache(maxsize=65_536)
def title_key(title: str) -> str:
    """A title without case, accents, punctuation, order of words, small words and gender.

    Abbreviations count as what they stand for. Empty for a title without any word.
    """
    text = patterns.key_stems(_title_folded(title))
    for phrase, key in patterns.key_phrases():
        text = text.replace(phrase, key)
    synonyms = patterns.key_synonyms()
    found = " ".join(synonyms.get(word, word) for word in text.split())
    return " ".join(sorted(set(found.split())))


def title_letters(title: str) -> str:
    """The letters in alphabetical order: equal when two were swapped in typing."""
    return "".join(sorted(squash(fold(title))))


def title_level(title: str) -> Level | None:
    """The seniority that a title tells; None when it tells none."""
    said = _reread(patterns.stems(_title_folded(title)), patterns.level_readings())
    for levels, pattern in patterns.level_steps():
        found = re.search(pattern, said)
        if found and found.lastindex:
            return levels[found.lastindex - 1]
    return Level.ENTRY if title_departments(title) else None


def title_departments(title: str) -> tuple[str, ...]:
    """The kinds of work that a title tells, in alphabetical order; it may tell none."""
    said = _reread(patterns.stems(_title_folded(title)), patterns.department_readings())
    found = patterns.department_patterns().items()
    return tuple(name for name, pattern in found if re.search(pattern, said))


def is_seat(title: str) -> bool:
    """Whether it is a seat that people hold beside their job."""
    said = fold(title)
    return _has(title_words.SEAT_PATTERN, said) and not _has(title_words.NOT_A_SEAT_PATTERN, said)


def is_pause(title: str) -> bool:
    """Whether it stands for retirement, studies, leave or a search for work."""
    said = fold(title)
    paused = _has(pauses.PAUSE_PATTERN, said) and not _has(pauses.NOT_A_PAUSE_PATTERN, said)
    return paused or is_leave(title)


def is_leave(title: str) -> bool:
    """Whether it stands for being away for a time, still employed."""
    return _has(pauses.LEAVE_PATTERN, fold(title))


def _title_folded(title: str) -> str:
    text = _INCLUSIVE.sub(r"\1", lower(title.replace("\0", " ").replace("’", "'")))
    return fold(_RESEARCH.sub("rd", _ELISION.sub(r"\1", text)))


def _reread(said: str, readings: Sequence[tuple[str, str]]) -> str:
    for pattern, instead in readings:
        said = re.sub(pattern, instead, said)
    return said


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.ASCII) is not None
