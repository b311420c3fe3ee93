"""Learning, without labels, how telling each degree of agreement is.

How often strangers agree is counted over a random sample of pairs; how often the same person's
rows agree is estimated by expectation maximisation within blocks; the prior last, from the pairs
that the model itself finds. Every sample is taken by the hash of ids, so that equal tables give
equal parameters in whatever order their rows stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crm_sync.matching.probabilistic.model import LEVELS, Field, LinkModel
from crm_sync.matching.probabilistic.scoring import score
from crm_sync.matching.probabilistic.settings import splink_settings
from crm_sync.matching.probabilistic.staging import linker, splink, staged
from crm_sync.matching.probabilistic.trained import Trained, TrainedField, TrainedLevel

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE = 20_000
"""Rows of the left table that parameters are learnt from, with those they are blocked with."""

STRANGERS = 1_000
"""Rows of either side whose every pair is compared to see how often strangers agree."""

MOST_TRAINING_PAIRS = 3_000_000
COMMON = 2_000
"""Values of a field whose frequency is kept; a value that fewer than `HELD_BY` rows hold is not."""

HELD_BY = 5
FAINT = 1e-4
"""The least share of the same person's rows that any degree of agreement is given."""

FEWEST_PAIRS = 100
"""Pairs that training needs at least in one of its blocks."""


class TooFewPairs(Exception):
    """The tables hold too little in common to learn anything from."""


def train(
    db: DuckDBPyConnection,
    left: str,
    right: str,
    model: LinkModel,
    *,
    seed: int = 1,
    prior: float | None = None,
) -> Trained:
    """Estimate the parameters of `model` from two tables (see `score` for their shape).

    The same for equal tables, whatever the order of rows. `prior` is estimated unless given: give
    it where the tables are samples. Raises `TooFewPairs` when the tables share too few pairs in
    every training block.
    """
    columns = (*model.compared, *(name for some in model.training_blocks for name in some))
    with staged(db, left, right, columns):
        blocks = _sample(db, model, seed)
        if not blocks:
            raise TooFewPairs
        levels = _estimate(db, model, blocks)
        common = {one.name: _frequencies(db, one.name) for one in model.fields if one.frequencies}
        rows = _rows(db)
    fields = tuple(
        _field(one, levels[one.name], common.get(one.name), rows) for one in model.fields
    )
    if prior is not None:
        return Trained(prior, fields)
    return _with_prior(db, left, right, model, Trained(0.0001, fields), seed)


def _sample(db: DuckDBPyConnection, model: LinkModel, seed: int) -> list[tuple[str, ...]]:
    """Make the four tables that Splink learns from; the blocks that hold enough pairs."""
    columns = ", ".join(f'"{name}"' for name in _columns(model))
    by_hash = f"ORDER BY hash(id, {seed}), id"
    db.execute(
        f"CREATE OR REPLACE TABLE linkage_train_left AS SELECT n AS id, {columns} "  # noqa: S608
        f"FROM linkage_left {by_hash} LIMIT {SAMPLE}"
    )
    shared = " OR ".join(
        f"({_list(some)}) IN (SELECT ({_list(some)}) FROM linkage_train_left)"  # noqa: S608
        for some in model.training_blocks
    )
    db.execute(
        f"CREATE OR REPLACE TABLE linkage_train_right AS SELECT n AS id, {columns} "  # noqa: S608
        f"FROM linkage_right WHERE {shared} {by_hash}"
    )
    for side in ("left", "right"):
        db.execute(
            f"CREATE OR REPLACE TABLE linkage_any_{side} AS SELECT n AS id, {columns} "  # noqa: S608
            f"FROM linkage_{side} {by_hash} LIMIT {STRANGERS}"
        )
    return [some for some in model.training_blocks if _pairs(db, some) >= FEWEST_PAIRS]


def _columns(model: LinkModel) -> tuple[str, ...]:
    blocked = (name for some in model.training_blocks for name in some)
    return tuple(dict.fromkeys((*model.compared, *blocked)))


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _pairs(db: DuckDBPyConnection, block: tuple[str, ...]) -> int:
    row = db.execute(
        "SELECT count(*) FROM linkage_train_left l JOIN linkage_train_right r "  # noqa: S608
        f"USING ({_list(block)})"
    ).fetchone()
    return int(row[0]) if row else 0


def _estimate(
    db: DuckDBPyConnection, model: LinkModel, blocks: list[tuple[str, ...]]
) -> dict[str, list[tuple[float | None, float]]]:
    """Per field its levels' m and u, the strongest first; no m where a level was never seen."""
    from splink import block_on

    with splink(db) as api:
        tables = ("linkage_any_left", "linkage_any_right")
        counting = linker(api, tables, splink_settings(model))
        counting.training.estimate_u_using_random_sampling(
            max_pairs=10 * STRANGERS**2, min_count_per_level=None, num_chunks=1
        )
        counted = _told(counting.misc.save_model_to_json(), "u_probability")
    rarest = 0.5 / _strangers(db)
    strangers = {
        name: [max(share or 0.0, rarest) for share in shares] for name, shares in counted.items()
    }
    with splink(db) as api:
        tables = ("linkage_train_left", "linkage_train_right")
        learning = linker(api, tables, splink_settings(model, strangers=strangers))
        for some in blocks:
            learning.training.estimate_parameters_using_expectation_maximisation(
                block_on(*some),
                estimate_without_term_frequencies=True,
                max_pairs=MOST_TRAINING_PAIRS,
                record_sample_proportion=0.5,
            )
        same = _told(learning.misc.save_model_to_json(), "m_probability")
    return {name: list(zip(same[name], shares, strict=True)) for name, shares in strangers.items()}


def _strangers(db: DuckDBPyConnection) -> int:
    row = db.execute(
        "SELECT (SELECT count(*) FROM linkage_any_left) * (SELECT count(*) FROM linkage_any_right)"
    ).fetchone()
    return max(1, int(row[0])) if row else 1


def _rows(db: DuckDBPyConnection) -> int:
    row = db.execute(
        "SELECT (SELECT count(*) FROM linkage_left) + (SELECT count(*) FROM linkage_right)"
    ).fetchone()
    return max(1, int(row[0])) if row else 1


def _told(settings: Mapping[str, Any], what: str) -> dict[str, list[float | None]]:
    """Per field what Splink found for each level, None where it never saw one."""
    return {
        one["output_column_name"]: [
            level.get(what) for level in one["comparison_levels"] if not level.get("is_null_level")
        ]
        for one in settings["comparisons"]
    }


def _field(
    field: Field,
    found: Sequence[tuple[float | None, float]],
    frequencies: Mapping[str, float] | None,
    rows: int,
) -> TrainedField:
    """A level that the same person's rows never showed speaks for nothing, or weakly against."""
    levels = [
        TrainedLevel(
            label,
            _rounded(max(m, FAINT) if m is not None else min(u, FAINT)),
            _rounded(u),
        )
        for label, (m, u) in zip(LEVELS[field.kind], found, strict=True)
    ]
    rare = None if frequencies is None else _rounded(HELD_BY / 2 / rows)
    return TrainedField(field.name, field.kind, tuple(levels), frequencies or {}, rare)


def _frequencies(db: DuckDBPyConnection, name: str) -> dict[str, float]:
    """How common the common values of a field are, over both tables."""
    rows = db.execute(
        f'SELECT value, held / sum(held) OVER () FROM (SELECT "{name}" AS value, count(*) AS held '  # noqa: S608
        f'FROM (SELECT "{name}" FROM linkage_left UNION ALL SELECT "{name}" FROM linkage_right) '
        f'WHERE "{name}" IS NOT NULL GROUP BY "{name}") QUALIFY held >= {HELD_BY} '
        f"ORDER BY held DESC, value LIMIT {COMMON}"
    ).fetchall()
    return {value: _rounded(share) for value, share in rows}


def _with_prior(
    db: DuckDBPyConnection, left: str, right: str, model: LinkModel, trained: Trained, seed: int
) -> Trained:
    """The prior at which the model expects as many people to be found as it finds."""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE some_left AS SELECT * FROM {left} "  # noqa: S608
        f"ORDER BY hash(id, {seed}), id LIMIT {SAMPLE}"
    )
    scored = score(db, "some_left", right, model, trained, floor=0.0, into="prior_score")
    best = db.execute(
        "SELECT max(weight) AS best FROM prior_score GROUP BY left_id ORDER BY best"
    ).fetchall()
    size = db.execute(
        f"SELECT (SELECT count(*) FROM some_left) * (SELECT count(*) FROM {right})"  # noqa: S608
    ).fetchone()
    db.execute("DROP TABLE some_left")
    db.execute("DROP TABLE prior_score")
    weights = [weight - trained.prior_weight for (weight,) in best]
    prior = _fixed_point(weights, float(size[0]) if size else 1.0, trained.prior)
    return replace(trained, prior=_rounded(prior), pairs=scored.pairs)


def _fixed_point(weights: Sequence[float], pairs: float, prior: float) -> float:
    for _ in range(60):
        odds = prior / (1 - prior)
        expected = sum(1 / (1 + 2.0 ** -min(w, 500.0) / odds) for w in weights)
        found = min(max(expected, 0.5) / pairs, 0.5)
        if abs(found - prior) <= 1e-4 * prior:
            break
        prior = found
    return prior


def _rounded(share: float) -> float:
    """Six digits: sums of floats differ in the last ones with the order of rows."""
    return float(f"{share:.6g}")
