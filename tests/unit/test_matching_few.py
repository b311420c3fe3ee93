"""Names and titles read one by one in a judgement are what the bulk macros make of them."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from crm_sync.matching import few, normalise

NAMES = [
    ("Dr Marie DUPONT-Roe", "Marie", None),
    (None, 'Jean-Pierre "JP"', "de la Tour"),
    ("DUPONT Marie", None, None),
    ("Jane M. Roe Jr", None, None),
    (None, None, None),
]
TITLES = [
    "VP Sales",
    "Directrice générale adjointe",
    "Board member",
    "",
    None,
    "Stagiaire RH",
    "En congé",
]


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        normalise.install(db)
        db.execute("CREATE TABLE person (full_name VARCHAR, first_name VARCHAR, last_name VARCHAR)")
        db.executemany("INSERT INTO person VALUES (?, ?, ?)", NAMES)
        db.execute("CREATE TABLE job AS SELECT unnest($titles) AS title", {"titles": TITLES})
        yield db


@pytest.mark.parametrize("relation", ["named('person')", "titled('job')"])
def test_few_rows_are_read_as_many_are(db: duckdb.DuckDBPyConnection, relation: str) -> None:
    seen = []
    for rows in (1, few.FEW + 1):
        few.use(db, rows=rows)
        told = db.execute(f"DESCRIBE FROM {relation}").fetchall()
        columns = ", ".join(
            f"list_sort({name}) AS {name}" if kind.endswith("[]") else name
            for name, kind, *_ in told
        )
        found = db.execute(f"SELECT {columns} FROM {relation} ORDER BY ALL").fetchall()
        seen.append(([row[:2] for row in told], found))
    assert seen[0] == seen[1]
    assert len(seen[0][1]) >= 5


def test_macros_may_be_installed_again(db: duckdb.DuckDBPyConnection) -> None:
    normalise.install(db)
    assert len(db.execute("FROM named('person')").fetchall()) == len(NAMES)
