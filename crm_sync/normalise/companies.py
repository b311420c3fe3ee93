"""When two spellings of a company's name are one."""

from __future__ import annotations

import re

from crm_sync.normalise import company_words as lists
from crm_sync.normalise.text import fold, lower, squash

_BEFORE, _AFTER = re.compile(lists.LEGAL_FORM_BEFORE), re.compile(lists.LEGAL_FORM_AFTER)
_FORMER = re.compile(lists.FORMER_NAME)
_GENERIC = frozenset(lists.GENERIC_COMPANY_WORDS)


def company_key(name: str) -> str:
    """A company's name without case, accents, blanks, punctuation, article and legal form.

    A name that is nothing but a legal form stays; empty when there is neither letter nor digit.
    For telling spellings of one name apart from another name; that two companies share a name does
    not make them one, so this may suggest and hold back, never decide to write.
    """
    return squash(_company_words(name))


def company_marks(name: str) -> tuple[str, ...]:
    """The words that tell companies apart, for "is this the same group under another name?"."""
    words = _company_words(name).split()
    return tuple(word for word in words if len(word) >= 3 and word not in _GENERIC)


def _company_words(name: str) -> str:
    folded = fold(_FORMER.sub("", lower(name.replace("\0", " ")))) or fold(name)
    said = " ".join(lists.COMPANY_SYNONYMS.get(word, word) for word in folded.split())
    bare = _AFTER.sub("", _BEFORE.sub("", said)).strip()
    return bare or folded
