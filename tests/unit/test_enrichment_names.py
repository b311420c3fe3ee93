"""Staging takes names apart word by word; what comes out is what the whole name gives."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from crm_sync.enrichment.staging import create_tables
from crm_sync.matching import normalise

WORDS = """
    Jane Marie Jean-Pierre Anne Zoé Ö J Dr Mr Mme Prof Roe Doe DUPONT dupont de la du van der den
    O'Brien d'Ormesson D’Arc Saint-Exupéry Smith-Jones née nee MD PhD Jr Sr II III Esq MBA St bin al
    Le Mc Mac Xi Y Maître Sir Lady Éric ÉRIC Nguyễn Łukasz Straße
    """


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        normalise.install(db)
        create_tables(db)
        yield db


def test_plain_words_give_what_the_whole_name_gives(db: duckdb.DuckDBPyConnection) -> None:
    """Every pair of words as a first name, beside every word as a last name, and the other way."""
    words = WORDS.split()
    pairs = [f"{one} {other}" for one in words for other in words[::3]]
    names = {(first, last) for first in pairs for last in words[::4]}
    names |= {(first, last) for first in words[::4] for last in pairs}
    for table, values in (
        ("whole", [(f"{first} {last}", first, last) for first, last in names]),
        ("first_word", [(None, first, None) for first in {first for first, _ in names}]),
        ("last_word", [(None, None, last) for last in {last for _, last in names}]),
    ):
        columns = dict(
            zip(("full_name", "first_name", "last_name"), zip(*values, strict=True), strict=True)
        )
        arrow = pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
        db.register("given", arrow)
        db.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM given")
    compared = db.execute(
        """
        SELECT w.first_name, w.last_name,
            list_sort(w.firsts) = list_sort(f.firsts)
            AND list_sort(w.last_parts) = list_sort(l.last_parts) AS equal
        FROM named('whole') w
        JOIN named('first_word') f ON f.first_name = w.first_name
        JOIN named('last_word') l ON l.last_name = w.last_name
        WHERE is_plain_word(w.first_name) AND is_plain_word(w.last_name)
        """
    ).fetchall()
    assert len(compared) > 10_000
    assert [(first, last) for first, last, equal in compared if not equal] == []


def test_most_names_are_plain_and_titled_ones_are_not(db: duckdb.DuckDBPyConnection) -> None:
    found = db.execute(
        "SELECT list_transform($words, lambda w: is_plain_word(w))",
        {"words": ["Jane", "Jean-Pierre", "O'Brien", "de la Tour", "Dr Jane", "Roe PhD", "J.", ""]},
    ).fetchone()
    assert found == ([True, True, True, True, False, False, False, False],)
