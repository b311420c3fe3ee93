"""When two spellings of a company's name are one: the lists and the rule, written once.

`company_key` here and the macro of that name in `crm_sync/matching/sql/normalise.sql`, which does
the same for many rows at a time, read the same lists and give the same keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence


def _each(text: str) -> Sequence[str]:
    return tuple(text.split())


LEGAL_FORMS_BEFORE: Sequence[str] = _each(
    "sas sa sasu sarl eurl selarl selas selafa snc scop sci scp ste ets gie"
)
"""What may stand before a name: French law only, since "AG", "SE" and "Co" begin other names."""

LEGAL_FORMS_AFTER: Sequence[str] = (
    *_each(
        """
        inc incorporated llc ltd limited corp corporation co company cie plc llp lp pllc gmbh mbh
        ag kg kgaa ohg se sa sas sasu sarl eurl selarl selas selafa snc sca scop scp gie spa srl
        sl bv bvba sprl nv ab oy oyj asa aps pty pte kk com
        """
    ),
    *("l l c", "s a", "s a s", "s a r l"),
)
"""What may stand after it, in English, French and some neighbours' law; `.com` as well."""

LEGAL_FORM_BEFORE = f"^(({'|'.join(LEGAL_FORMS_BEFORE)}) )+"
LEGAL_FORM_AFTER = f"(( and| et)? ({'|'.join(LEGAL_FORMS_AFTER)}))+$"
"""The same as patterns over a folded name, in the syntax that Python and RE2 share."""

_BEFORE, _AFTER = re.compile(LEGAL_FORM_BEFORE), re.compile(LEGAL_FORM_AFTER)
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


def company_key(name: str) -> str:
    """A company's name without case, accents, blanks, punctuation, article and legal form.

    A name that is nothing but a legal form stays. For telling spellings of one name apart from
    another name; that two companies share a name does not make them one, so this may suggest and
    hold back, never decide to write.
    """
    folded = fold(name)
    bare = _AFTER.sub("", _BEFORE.sub("", folded.removeprefix("the "))).strip()
    return (bare or folded).replace(" ", "")


def fold(text: str) -> str:
    """Lower case, no accents or ligatures, single blanks for punctuation; as the macro `fold`."""
    if text.isascii() and "." not in text:
        return " ".join(text.translate(_ASCII).split())  # nearly every name: nothing to compose
    lower = "".join(sign.lower() for sign in unicodedata.normalize("NFC", text))
    apart = unicodedata.normalize("NFD", lower.translate(_NO_ACCENTS))
    plain = "".join(sign for sign in apart if unicodedata.category(sign)[0] != "M")
    joined = _INITIAL.sub(_without_dot, _APOSTROPHES.sub("", unicodedata.normalize("NFC", plain)))
    kept = (sign if _counts(sign) else " " for sign in joined.replace("&", " and "))
    return " ".join("".join(kept).split())


def _without_dot(initial: re.Match[str]) -> str:
    return initial[1] if initial[1].isalpha() else initial[0]


def _counts(sign: str) -> bool:
    return sign in "+#" or unicodedata.category(sign)[0] in "LN"
