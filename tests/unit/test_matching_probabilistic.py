"""The probabilistic stage on two tables of made-up people."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from crm_sync.matching.probabilistic import (
    Field,
    LinkModel,
    TooFewPairs,
    Trained,
    score,
    train,
)

FIRST = [a + b for a in ("an", "be", "cal", "dor", "el", "fi") for b in ("na", "ro", "lis", "mo")]
LAST = [a + b for a in ("bar", "cor", "dan", "fel", "gur", "hol", "jan") for b in ("kin", "tov",
        "ser", "mal", "dup", "rez", "wig", "nor")]  # fmt: skip
TOWNS = [
    f"{a}ville" for a in ("alt", "bel", "cim", "dor", "eva", "fab", "gil", "hub", "inn", "jur")
]
MODEL = LinkModel(
    fields=(
        Field("first", "given", frequencies=True),
        Field("last", "name", frequencies=True),
        Field("town", "exact"),
        Field("born", "date"),
        Field("employers", "any"),
    ),
    blocks=(("last", "town"), ("first", "born"), ("employers", "first")),
    training_blocks=(("last", "first"), ("born",), ("town", "last")),
)


def person(number: int, dice: random.Random) -> dict[str, Any]:
    first = dice.choice(FIRST)
    return {
        "id": f"p{number}",
        "first": first,
        "first_forms": [first],
        "last": dice.choice(LAST),
        "town": dice.choice(TOWNS),
        "born": f"19{dice.randint(50, 99)}-0{dice.randint(1, 9)}-{dice.randint(10, 28)}",
        "employers": dice.sample([f"firm{n}" for n in range(60)], 2),
    }


def mistyped(row: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The same person, written again with an error here and there."""
    other = {**row, "employers": row["employers"][:1]}
    if dice.random() < 0.15:
        last = row["last"]
        place = dice.randrange(len(last))
        other["last"] = last[:place] + dice.choice("aeiou") + last[place + 1 :]
    if dice.random() < 0.1:
        other["town"] = dice.choice([*TOWNS, None])
    if dice.random() < 0.05:
        other["first"], other["first_forms"] = row["first"][0], []
    return other


@pytest.fixture(scope="module")
def trained() -> Trained:
    with duckdb.connect() as connection:
        fill(connection, *people())
        return train(connection, "l", "r", MODEL)


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "400MB"})
    yield connection
    connection.close()


SHAPE = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "first", "last", "town", "born")),
        *((name, pa.list_(pa.string())) for name in ("first_forms", "employers")),
    ]
)


def fill(
    db: duckdb.DuckDBPyConnection, left: list[dict[str, Any]], right: list[dict[str, Any]]
) -> None:
    for name, rows in (("l", left), ("r", right)):
        db.register("given", pa.Table.from_pylist(rows, SHAPE))
        db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM given")
        db.unregister("given")


def people() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    dice = random.Random(5)
    left = [person(n, dice) for n in range(600)]
    right = [mistyped(row, dice) for row in left[:450]]
    return left, right + [person(n, dice) for n in range(600, 900)]


def scores(db: duckdb.DuckDBPyConnection) -> list[Any]:
    return db.execute("FROM pair_score ORDER BY left_id, right_id").fetchall()


def test_the_same_people_are_found_without_labels(
    db: duckdb.DuckDBPyConnection, trained: Trained
) -> None:
    fill(db, *people())
    score(db, "l", "r", MODEL, trained)
    found = db.execute("SELECT left_id, right_id FROM pair_score WHERE probability >= 0.5")
    pairs = set(found.fetchall())
    right = {(f"p{n}", f"p{n}") for n in range(450)}
    assert len(pairs & right) / len(pairs) >= 0.99
    assert len(pairs & right) / len(right) >= 0.97


def test_known_pairs_teach_as_well(db: duckdb.DuckDBPyConnection) -> None:
    fill(db, *people())
    db.execute("CREATE TEMP TABLE known AS SELECT 'p' || n AS left_id, 'p' || n AS right_id "
               "FROM range(200) AS r(n)")  # fmt: skip
    trained = train(db, "l", "r", MODEL, prior=1 / 1000, labels="known")
    assert trained.prior == 1 / 1000
    same = {one.name: one.levels[0].m for one in trained.fields}
    assert same["born"] == 1.0, "nobody's birthday was mistyped"
    assert 0.7 < same["last"] < 0.95


def test_the_order_of_rows_changes_nothing_and_chunks_neither(
    db: duckdb.DuckDBPyConnection, trained: Trained
) -> None:
    left, right = people()
    fill(db, left, right)
    score(db, "l", "r", MODEL, trained)
    once = scores(db)
    random.Random(9).shuffle(left)
    random.Random(8).shuffle(right)
    fill(db, left, right)
    again = train(db, "l", "r", MODEL)
    assert again.to_json() == trained.to_json()
    scored = score(db, "l", "r", MODEL, Trained.from_json(again.to_json()), pairs_at_once=500)
    assert scores(db) == once
    assert scored.pairs > 500


def test_factors_and_prior_make_the_weight(db: duckdb.DuckDBPyConnection, trained: Trained) -> None:
    fill(db, *people())
    score(db, "l", "r", MODEL, trained)
    for _, _, weight, probability, factors in scores(db):
        assert weight == pytest.approx(
            trained.prior_weight + sum(one["weight"] for one in factors), abs=0.01
        )
        assert probability == pytest.approx(1 / (1 + 2**-weight), abs=1e-6)
        assert {one["field"] for one in factors} <= {one.name for one in MODEL.fields}


def test_what_is_rare_says_more(db: duckdb.DuckDBPyConnection) -> None:
    left, right = people()
    for rows in (left, right):
        for row in rows[::2]:
            row["last"] = "smithers"
    fill(db, left, right)
    trained = train(db, "l", "r", MODEL)
    score(db, "l", "r", MODEL, trained)
    said = db.execute(
        "SELECT l.last = 'smithers', avg(f.weight) FROM "
        "(SELECT left_id, unnest(factors) AS f FROM pair_score) s JOIN l ON l.id = s.left_id "
        "WHERE f.field = 'last' AND f.level = 'same' GROUP BY ALL"
    ).fetchall()
    weight = dict(said)
    assert weight[False] > weight[True] + 2


def test_a_crowded_key_is_narrowed_or_dropped_and_counted(
    db: duckdb.DuckDBPyConnection, trained: Trained
) -> None:
    left, right = people()
    for rows in (left, right):
        for row in rows:
            row["town"] = "altville"
    fill(db, left, right)
    by_town = LinkModel(MODEL.fields, (("town",),), (), most_pairs_per_block=2_000)
    dropped = score(db, "l", "r", by_town, trained)
    assert (dropped.pairs, dropped.keys_dropped) == (0, 1)
    narrowed = score(
        db, "l", "r", LinkModel(MODEL.fields, (("town",),), (), 2_000, ("last",)), trained
    )
    assert (narrowed.keys_narrowed, narrowed.keys_dropped) == (1, 0)
    same = db.execute(
        "SELECT count(*) FROM l JOIN r USING (town, last) WHERE l.id = r.id"
    ).fetchone()
    found = db.execute("SELECT count(*) FROM pair_score WHERE left_id = right_id").fetchone()
    assert found == same


def test_nothing_is_left_behind(db: duckdb.DuckDBPyConnection, trained: Trained) -> None:
    fill(db, *people())
    half_read = db.cursor()
    half_read.execute("SELECT * FROM range(100000)")
    half_read.fetchone()
    score(db, "l", "r", MODEL, trained)
    tables = {row[0] for row in db.execute("SHOW TABLES").fetchall()}
    assert tables == {"l", "r", "pair_score"}
    half_read.close()


def test_too_few_pairs_teach_nothing(db: duckdb.DuckDBPyConnection) -> None:
    left, right = people()
    fill(db, left[:5], right[:5])
    with pytest.raises(TooFewPairs):
        train(db, "l", "r", MODEL)
    fill(db, [], [])
    with pytest.raises(TooFewPairs):
        train(db, "l", "r", MODEL)


@pytest.mark.parametrize("text", ["{}", "[]", "null", json.dumps({"prior": 1, "fields": 3})])
def test_another_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no trained parameters"):
        Trained.from_json(text)
