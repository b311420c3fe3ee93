"""The SQL macros of normalisation, asked for many texts at once, and alphabets to make texts of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ASSIGNED = st.characters(exclude_categories=["Cs", "Cn"])
"""What Unicode assigned lately one of the two may know before the other."""

SIGNS = "aAéÉçÇñüßøŁœıİſK ..,,''’‘`´-‐‑()[]\"“”«»&/+#·•@:;0129\u00a0\u200b\u0301\x00ЖжΣς王👩‍💻"
"""Signs that break naive comparisons: accents apart and composed, apostrophes, dotless letters."""


@cache
def macros() -> DuckDBPyConnection:
    """A database with every macro of normalisation."""
    import duckdb

    from crm_sync.matching import normalise

    db = duckdb.connect(config={"threads": 1})
    normalise.install(db)
    return db


def asked(expression: str, texts: Sequence[str]) -> list[Any]:
    """The value of an expression over `t` for each text."""
    query = f"SELECT list_transform($texts::VARCHAR[], lambda t: {expression})"
    row = macros().execute(query, {"texts": list(texts)}).fetchone()
    assert row is not None
    return list(row[0])


def named(rows: Sequence[Sequence[str | None]]) -> list[dict[str, Any]]:
    """What `named` says of each (full, first, last)."""
    db = macros()
    db.execute(
        "CREATE OR REPLACE TABLE person (id INT, full_name TEXT, first_name TEXT, last_name TEXT)"
    )
    db.executemany("INSERT INTO person VALUES (?, ?, ?, ?)", [[n, *r] for n, r in enumerate(rows)])
    found = db.sql("FROM named('person') ORDER BY id")
    names = found.columns
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def titled(titles: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What `titled` says of each title."""
    db = macros()
    db.execute(
        "CREATE OR REPLACE TABLE some_title AS SELECT unnest($t) AS title", {"t": list(titles)}
    )
    found = db.sql("FROM titled('some_title')")
    names = found.columns
    return {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}
