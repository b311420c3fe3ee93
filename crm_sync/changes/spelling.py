"""Texts as people write them, for sources that deliver everything in lower case.

This is display only: nothing compares what comes out of here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def _each(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SMALL = _each(
    "a an and as at by for from in of on or the to with "
    "à au aux chez d' de des du en et la le les ou par pour sur un une"
)
_ACRONYMS = _each(
    """
    ai api b2b b2c bi cdo ceo cfo chro cio ciso clo cmo coo cpo cro cso cto dg dga drh dsi daf
    erp esg evp gis hr ibm it kpi pdg pm pmo pr qa r&d rh rse rssi saas sap seo svp ui uk us usa
    ux vp
    ag eurl gie plc sa sas sasu sarl se selarl snc llc llp lp bnp cnrs edf sncf ratp
    ii iii iv
    """
)
_SPECIAL = {"gmbh": "GmbH", "phd": "PhD", "iot": "IoT", "devops": "DevOps"}
_WORD = re.compile(r"[^\s/(),\[\]-]+")
_FRENCH = re.compile(
    r"[àâçèéêëîïôœùû]|\b(?:d|l|qu)['’]"
    r"|(?<![\w-])(?:de|des|du|et|la|le|les|en|aux|chez|responsable|commerciale?|acheteur"
    r"|juridique|adjointe?)(?![\w-])"
)
_DOTTED = re.compile(r"(?:\w\.){2,}\w?\.?")
_ELISION = re.compile(r"([dl]|qu)['’](.+)")


def restore_case(text: str) -> str:
    """`vp of sales, u.s.` becomes `VP of Sales, U.S.`; a text with any capital stays as it is."""
    if text != text.lower():
        return text
    return _WORD.sub(lambda found: _word(found.group(), first=found.start() == 0), text)


def restore_title(text: str) -> str:
    """As `restore_case`, with capitals as French titles have them: `Directrice des opérations`."""
    if text != text.lower() or not _FRENCH.search(text):
        return restore_case(text)
    words = _WORD.sub(lambda found: _french_word(found.group()), text)
    return words[:1].upper() + words[1:]


def _french_word(word: str) -> str:
    bare = word.rstrip(".:;!?")
    if bare in _ACRONYMS or _DOTTED.fullmatch(word):
        return word.upper()
    return _SPECIAL[bare] + word[len(bare) :] if bare in _SPECIAL else word


def add_restored(db: DuckDBPyConnection) -> None:
    """Make `restored(text, is_title, shown)` for the texts that a verdict may show.

    Reads `change_found` and `restoring(source)`, the sources whose texts lost their capitals.
    """
    import pyarrow as pa

    found = db.sql(
        """
        WITH lowered AS (FROM change_found SEMI JOIN restoring USING (source))
        SELECT title AS text, true AS is_title FROM job_title SEMI JOIN (
            SELECT job_title_no AS title_no FROM lowered UNION SELECT last_title_no FROM lowered
        ) USING (title_no)
        UNION ALL
        SELECT organisation, false FROM organisation_words SEMI JOIN (
            SELECT job_organisation_no AS organisation_no FROM lowered
        ) USING (organisation_no)
        """
    ).to_arrow_table()
    rows = zip(found.column(0).to_pylist(), found.column(1).to_pylist(), strict=True)
    shown = pa.array(
        [restore_title(text) if title else restore_case(text) for text, title in rows], pa.string()
    )
    db.register("found_text", found.append_column("shown", shown))
    db.execute("CREATE OR REPLACE TEMP TABLE restored AS FROM found_text")
    db.unregister("found_text")


def _word(word: str, *, first: bool) -> str:
    bare = word.rstrip(".:;!?")
    if _DOTTED.fullmatch(word):
        return word.upper()
    if bare in _ACRONYMS:
        return word.upper()
    if bare in _SPECIAL:
        return _SPECIAL[bare] + word[len(bare) :]
    if word in _SMALL and not first:
        return word
    elided = _ELISION.fullmatch(word)
    if elided:
        article, rest = elided.groups()
        article = article.capitalize() if first else article
        return f"{article}{word[len(article)]}{rest[:1].upper()}{rest[1:]}"
    return word[:1].upper() + word[1:]
