"""Judging with Spark for the contacts without a key comes to what judging without it comes to.

Needs the extra `spark` and Java; a session takes some ten seconds to start on two cores.
"""

from __future__ import annotations

import random
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from crm_sync.errors import ConfigError
from crm_sync.matching.engine import Judgement, judge
from crm_sync.matching.probabilistic import Field, LinkModel, Trained, score
from crm_sync.matching.probabilistic.model import LEVELS
from crm_sync.matching.probabilistic.spark import SparkEngine
from crm_sync.matching.probabilistic.spark_session import check_spark
from crm_sync.matching.probabilistic.trained import TrainedField, TrainedLevel
from crm_sync.matching.settings import MatchSettings, SparkSettings
from tests.support.scale import NOW, world


def what_is_missing() -> str:
    try:
        check_spark()
    except ConfigError as problem:
        return problem.message
    return ""


pytestmark = pytest.mark.skipif(bool(what_is_missing()), reason=what_is_missing())

SYLLABLES = [
    "bar",
    "cor",
    "dan",
    "é",
    "ø",
    "ß",
    "a",
    "b",
    "ou",
    "van",
    "’",
    "-",
    "œ",
    "Ж",
    "中",
    "😀",
]
MODEL = LinkModel(
    fields=(
        Field("last", "name", frequencies=True),
        Field("first", "given"),
        Field("employers", "any"),
        Field("city", "exact", frequencies=True),
        Field("born", "date"),
    ),
    blocks=(("keys",), ("last", "first")),
    training_blocks=(("last",), ("first",)),
    most_pairs_per_block=500,
    narrowing=("city",),
)


@pytest.fixture
def on_spark(tmp_path: Path) -> SparkSettings:
    folder = tmp_path / "for spark"
    folder.mkdir()
    return SparkSettings(master="local[2]", memory_mb=1_500, folder=folder)


def assert_gone(settings: SparkSettings) -> None:
    """No file of a session is left, nor a process that was told of its folder."""
    assert settings.folder is not None
    assert list(settings.folder.iterdir()) == []
    told = str(settings.folder).encode()
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [line for line in running if told in line]


def people(dice: random.Random, number: int, side: str) -> pa.Table:
    """Rows with names of every sort: none, empty, of one letter, with accents, misspelt."""

    def name(most: int) -> str:
        return "".join(dice.choice(SYLLABLES) for _ in range(dice.randrange(most + 1)))

    known = [name(3) for _ in range(60)]

    def misspelt() -> str:
        letters = list(dice.choice(known))
        for _ in range(dice.randrange(3)):
            at = dice.randrange(len(letters) + 1)
            letters[at : at + dice.randrange(2)] = dice.choice(SYLLABLES)[: dice.randrange(2)]
        return "".join(letters)

    return pa.Table.from_pylist(
        [
            {
                "id": f"{side}{n}",
                "last": dice.choice([misspelt(), misspelt(), name(3), None]),
                "first": dice.choice([misspelt(), name(1), "", "j"]),
                "first_forms": [name(1) for _ in range(dice.randrange(3))],
                "employers": [f"e{dice.randrange(50)}" for _ in range(dice.randrange(3))],
                "city": dice.choice(["x", "y", "é", None]),
                "born": dice.choice(["1980-01-02", "1981-01-02", "1982-02-02", "1990-11-12", None]),
                "keys": [f"k{dice.randrange(60)}" for _ in range(dice.randrange(3))],
            }
            for n in range(number)
        ]
    )


def some_parameters(dice: random.Random) -> Trained:
    def field(one: Field) -> TrainedField:
        levels = tuple(
            TrainedLevel(label, dice.uniform(0.01, 0.9), dice.uniform(0.001, 0.5))
            for label in LEVELS[one.kind]
        )
        common = {"a": 0.05, "é": 0.1} if one.frequencies else {}
        return TrainedField(one.name, one.kind, levels, common, 1e-4 if one.frequencies else None)

    return Trained(0.01, tuple(field(one) for one in MODEL.fields))


def test_names_of_every_sort_weigh_the_same(on_spark: SparkSettings) -> None:
    dice = random.Random(7)
    trained = some_parameters(dice)
    before = signal.getsignal(signal.SIGINT)
    with duckdb.connect() as db:
        db.register("ours", people(random.Random(1), 600, "l"))
        db.register("theirs", people(random.Random(1), 900, "r"))
        told = score(db, "ours", "theirs", MODEL, trained, floor=0.001, into="here")
        assert told.keys_narrowed > 0
        with SparkEngine(on_spark) as spark:
            assert told == spark.score(
                db, "ours", "theirs", MODEL, trained, floor=0.001, into="there"
            )
        levels = db.sql(
            "SELECT f.field, count(DISTINCT f.level) FROM "
            "(SELECT unnest(factors) AS f FROM here) GROUP BY ALL"
        ).fetchall()
        # weights are bits: a millionth is what is left of them after rounding
        [(alone, different, pairs)] = db.sql(
            "SELECT count(*) FILTER (h.left_id IS NULL OR t.left_id IS NULL), "
            "count(*) FILTER (abs(h.weight - t.weight) > 1.5e-6 "
            "OR abs(h.probability - t.probability) > 1.5e-9 "
            "OR list_transform(h.factors, lambda f: f.field || f.level) "
            "<> list_transform(t.factors, lambda f: f.field || f.level)), count(*) "
            "FROM here h FULL JOIN there t USING (left_id, right_id)"
        ).fetchall()
    assert dict(levels) == {one.name: len(LEVELS[one.kind]) for one in MODEL.fields}
    assert (alone, different) == (0, 0)
    assert pairs > 1_000
    assert_gone(on_spark)
    assert signal.getsignal(signal.SIGINT) is before


def judge_twice(
    folder: Path, contacts: int, profiles: int, on_spark: SparkSettings
) -> tuple[Judgement, Judgement]:
    """What a world comes to without Spark and with it, by the same parameters and curves."""
    rows, source = world(folder, contacts, profiles)
    settings = MatchSettings(memory_mb=1_500)
    learned = judge(rows, [source], now=NOW, settings=settings).learned
    here = judge(rows, [source], now=NOW, settings=settings, learned=learned)
    spark = replace(settings, spark=on_spark)
    there = judge(rows, [source], now=NOW, settings=spark, learned=learned)
    assert here.learned == there.learned == {}
    return here, there


def assert_alike(here: Judgement, there: Judgement, contacts: int, least: int) -> None:
    shown = ["contact_id", "kind", "band", "rule", "source", "profile_id", "direction"]
    ours = here.job_changes.select(shown).to_pylist()
    assert ours == there.job_changes.select(shown).to_pylist()
    assert len(ours) == contacts
    by_likeness = Counter(one["band"] for one in ours if one["rule"] == "probabilistic")
    assert by_likeness["review"] >= least
    matched = ["contact_id", "source", "profile_id", "band", "rule", "confidence"]
    assert here.matches.select(matched).equals(there.matches.select(matched))
    assert here.funnel == there.funnel


def test_a_small_world_is_judged_the_same(tmp_path: Path, on_spark: SparkSettings) -> None:
    here, there = judge_twice(tmp_path, 2_000, 10_000, on_spark)
    assert_alike(here, there, contacts=2_000, least=1)
    assert_gone(on_spark)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_20_000_contacts_and_100_000_profiles_are_judged_the_same(
    tmp_path: Path, on_spark: SparkSettings
) -> None:
    here, there = judge_twice(tmp_path, 20_000, 100_000, on_spark)
    assert_alike(here, there, contacts=20_000, least=50)
    assert_gone(on_spark)
