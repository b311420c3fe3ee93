"""Normalisation, defined once: SQL macros that every comparison uses.

`install` puts them into a DuckDB connection; the macros themselves stand in `sql/normalise.sql`
and `sql/names.sql`, the word lists in `words`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from crm_sync import names
from crm_sync.matching import pauses, words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def install(db: DuckDBPyConnection) -> None:
    """Define every macro and word list in this connection; may be called again."""
    _set_variables(db)
    db.execute("CREATE OR REPLACE MACRO title_phrases(t) AS t")
    db.execute(statement("normalise"))
    _install_title_words(db)
    db.execute(statement("names"))


def statement(name: str) -> str:
    """The text of one of this package's SQL files."""
    return files("crm_sync.matching").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def _set_variables(db: DuckDBPyConnection) -> None:
    lists = {
        "generic_company_words": words.GENERIC_COMPANY_WORDS,
        "role_mailboxes": words.ROLE_MAILBOXES,
        "free_mail_domains": words.FREE_MAIL_DOMAINS,
        "shared_hosts": words.SHARED_HOSTS,
        "title_fillers": words.TITLE_FILLERS,
    }
    for name, values in lists.items():
        db.execute(f"SET VARIABLE {name} = [{', '.join(_literal(value) for value in values)}]")
    texts = {
        "honorifics": words.HONORIFICS,
        "post_nominals": words.POST_NOMINALS,
        "seat_pattern": words.SEAT_PATTERN,
        "not_a_seat_pattern": words.NOT_A_SEAT_PATTERN,
        "pause_pattern": pauses.PAUSE_PATTERN,
        "not_a_pause_pattern": pauses.NOT_A_PAUSE_PATTERN,
        "leave_pattern": pauses.LEAVE_PATTERN,
        "pause_employer_pattern": pauses.PAUSE_EMPLOYER_PATTERN,
        "legal_form_before": names.LEGAL_FORM_BEFORE,
        "legal_form_after": names.LEGAL_FORM_AFTER,
    }
    for name, text in texts.items():
        db.execute(f"SET VARIABLE {name} = {_literal(text)}")
    db.execute("SET VARIABLE title_synonyms = MAP {}::MAP(VARCHAR, VARCHAR)")


def _install_title_words(db: DuckDBPyConnection) -> None:
    """Phrases and synonyms in the stemmed form in which titles meet them."""
    phrases = _title_keys(db, words.TITLE_PHRASES)
    body = "t"
    for phrase, key in sorted(phrases.items(), key=lambda pair: (-len(pair[0]), pair[0])):
        spaced = f" {phrase.replace(' ', '  ')} "
        body = f"replace({body}, {_literal(spaced)}, {_literal(f' {key} ')})"
    db.execute(f"CREATE OR REPLACE MACRO title_phrases(t) AS {body}")
    synonyms = _title_keys(db, words.TITLE_SYNONYMS)
    pairs = ", ".join(f"{_literal(word)}: {_literal(key)}" for word, key in synonyms.items())
    db.execute(f"SET VARIABLE title_synonyms = MAP {{{pairs}}}")
    ranks = ", ".join(_literal(synonyms.get(word, word)) for word in _stemmed(db, words.RANK_WORDS))
    db.execute(f"SET VARIABLE rank_words = [{ranks}]")


def _title_keys(db: DuckDBPyConnection, table: Mapping[str, str]) -> dict[str, str]:
    left = _stemmed(db, table.keys())
    right = _stemmed(db, table.values())
    return dict(zip(left, right, strict=True))


def _stemmed(db: DuckDBPyConnection, texts: Iterable[str]) -> list[str]:
    found = db.execute(
        "SELECT list_transform($texts, lambda t: array_to_string("
        "list_transform(words(t), lambda w: title_stem(w)), ' '))",
        {"texts": list(texts)},
    ).fetchone()
    return list(found[0]) if found else []


def _literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
