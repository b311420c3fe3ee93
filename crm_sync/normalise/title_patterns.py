"""The lists of `title_words` and `title_levels` as patterns over the stems of a title.

Stems stand between two blanks each, ` directeur  de  la  usine `, so that a word's ends are plain
signs. The patterns keep to what Python and RE2 share: the SQL macros are made of the same texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from crm_sync.normalise import title_words
from crm_sync.normalise.text import phrases
from crm_sync.normalise.title_departments import DEPARTMENT_READ_AS, DEPARTMENTS
from crm_sync.normalise.title_levels import LEVELS, READ_AS, Level

STEM_ENDINGS: Sequence[tuple[str, str]] = (
    ("trice ", "teur "),
    ("euse ", "eur "),
    ("ienne ", "ien "),
    ("ive ", "if "),
    ("cheffe ", "chef "),
)
"""Feminine endings as the masculine ones, once plurals are gone."""

PLURAL, SILENT = "([^ ]{3})s ", "([^ ]{3})e+ "
FILLER = f" (?:{'|'.join(title_words.TITLE_FILLERS)}) "
_BETWEEN = f"(?:{FILLER})*"


def stems(folded: str) -> str:
    """A folded title with its words in the masculine singular, as far as endings tell."""
    text = re.sub(PLURAL, r"\1 ", f" {folded.replace(' ', '  ')} ")
    for ending, instead in STEM_ENDINGS:
        text = text.replace(ending, instead)
    return text


def key_stems(folded: str) -> str:
    """The same without silent endings and small words."""
    return re.sub(FILLER, "", re.sub(SILENT, r"\1 ", stems(folded)))


@cache
def key_phrases() -> Sequence[tuple[str, str]]:
    """What is said in several words and its key, longest first, as `key_stems` gives them."""
    found = _as_keys(title_words.TITLE_PHRASES)
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0]))
    return tuple((f" {phrase.replace(' ', '  ')} ", f" {key} ") for phrase, key in ordered)


@cache
def key_synonyms() -> Mapping[str, str]:
    """Words and their keys, both as `key_stems` gives them."""
    return _as_keys(title_words.TITLE_SYNONYMS)


@cache
def rank_words() -> Sequence[str]:
    """`RANK_WORDS` as they stand in a key."""
    return tuple(key_synonyms().get(_key(word), _key(word)) for word in title_words.RANK_WORDS)


@cache
def level_readings() -> Sequence[tuple[str, str]]:
    """`READ_AS`: a pattern and what comes in the place of each finding."""
    return _readings(READ_AS)


@cache
def department_readings() -> Sequence[tuple[str, str]]:
    """The same of `DEPARTMENT_READ_AS`."""
    return _readings(DEPARTMENT_READ_AS)


@cache
def level_steps() -> Sequence[tuple[Sequence[Level | None], str]]:
    """`LEVELS`: of each step its levels, and one pattern with a group for each of them."""
    return tuple(
        (tuple(step), "|".join(f"({pattern_of(said)})" for said in step.values()))
        for step in LEVELS
    )


@cache
def department_patterns() -> Mapping[str, str]:
    """`DEPARTMENTS`, each as one pattern, in alphabetical order."""
    return {name: pattern_of(said) for name, said in sorted(DEPARTMENTS.items())}


def pattern_of(said: str) -> str:
    """One pattern that finds any of the phrases of a rule."""
    return "|".join(dict.fromkeys(_phrase(phrase) for phrase in phrases(said)))


def _readings(table: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    return tuple((pattern_of(said), stems(instead) if instead else "") for said, instead in table)


def _phrase(phrase: str) -> str:
    start, end = phrase.startswith("^"), phrase.endswith("$")
    words = phrase.removeprefix("^").removesuffix("$").split()
    body = _BETWEEN.join(f" {_word(word)} " for word in words)
    return f"{'^' if start else ''}{body}{'$' if end else ''}"


def _word(word: str) -> str:
    if word == "*":
        return "[^ ]+"
    if word.endswith("*"):
        return f"{re.escape(word[:-1])}[^ ]*"
    if word.endswith("!"):
        return _stem(word[:-1])
    return f"{_stem(word)}e?"


def _stem(word: str) -> str:
    return stems(word).strip()


def _key(words: str) -> str:
    return " ".join(re.sub(SILENT, r"\1 ", stems(words)).split())


def _as_keys(table: Mapping[str, str]) -> dict[str, str]:
    return {_key(phrase): _key(key) for phrase, key in table.items()}
