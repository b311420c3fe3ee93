"""When a value is no value, and when two names of a company are spellings of one."""

from __future__ import annotations

import re
import unicodedata

from crm_sync.compare import canonical
from crm_sync.model import Scalar

_LEGAL_FORMS = frozenset({
    "ab", "ag", "asa", "bv", "bvba", "co", "corp", "corporation", "eurl", "gie", "gmbh", "inc",
    "incorporated", "kg", "limited", "llc", "llp", "ltd", "nv", "oy", "plc", "pty", "sa", "sarl",
    "sas", "sasu", "sca", "scop", "se", "selarl", "snc", "spa", "sprl", "srl",
})  # fmt: skip


def is_blank(value: Scalar) -> bool:
    """Whether a field holds nothing; a box that is not ticked holds nothing either."""
    return canonical(value) in {"", "false"}


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
