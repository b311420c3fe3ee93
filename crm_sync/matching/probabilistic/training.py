"""Learning how telling each degree of agreement is, with labels or without.

How often strangers agree is counted over a random sample of pairs. How often the same person's rows
agree is counted over known pairs where there are some, else estimated by expectation maximisation
within blocks; the prior last, from the pairs that the model itself finds. Every sample is taken by
the hash of ids, so that equal tables give equal parameters in whatever order their rows stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from crm_sync.matching.probabilistic.estimating import (
    SAMPLE,
    same_by_blocks,
    same_by_labels,
    strangers,
)
from crm_sync.matching.probabilistic.model import LEVELS, Field, LinkModel
from crm_sync.matching.probabilistic.scoring import score
from crm_sync.matching.probabilistic.staging import staged
from crm_sync.matching.probabilistic.trained import Trained, TrainedField, TrainedLevel

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COMMON = 2_000
"""Values of a field whose frequency is kept; a value that fewer than `HELD_BY` rows hold is not."""

HELD_BY = 5
FAINT = 0.005
"""The least share of the same person's rows that any degree of agreement is given."""


def train(
    db: DuckDBPyConnection,
    left: str,
    right: str,
    model: LinkModel,
    *,
    seed: int = 1,
    prior: float | None = None,
    labels: str | None = None,
) -> Trained:
    """Estimate the parameters of `model` from two tables (see `score` for their shape).

    The same for equal tables, whatever the order of rows. `prior` is estimated unless given: give
    it where the tables are samples. `labels` is a table (left_id, right_id) of pairs that are known
    to be one person. Raises `TooFewPairs` when there are too few of them, or without them when the
    tables share too few pairs in every training block.
    """
    columns = (*model.compared, *(name for some in model.training_blocks for name in some))
    with staged(db, left, right, columns):
        others = strangers(db, model, seed)
        if labels is not None:
            same = same_by_labels(db, model, labels)
        else:
            same = same_by_blocks(db, model, others, seed)
        common = {one.name: _frequencies(db, one.name) for one in model.fields if one.frequencies}
        rows = _rows(db)
    fields = tuple(
        _field(one, same[one.name], others[one.name], common.get(one.name), rows)
        for one in model.fields
    )
    if prior is not None:
        return Trained(prior, fields)
    return _with_prior(db, left, right, model, Trained(0.0001, fields), seed)


def _rows(db: DuckDBPyConnection) -> int:
    row = db.execute(
        "SELECT (SELECT count(*) FROM linkage_left) + (SELECT count(*) FROM linkage_right)"
    ).fetchone()
    return max(1, int(row[0])) if row else 1


def _field(
    field: Field,
    same: Sequence[float | None],
    others: Sequence[float],
    frequencies: Mapping[str, float] | None,
    rows: int,
) -> TrainedField:
    """A level that the same person's rows never showed speaks for nothing, or against it."""
    levels = [
        TrainedLevel(
            label, _rounded(max(m, FAINT) if m is not None else min(u, FAINT)), _rounded(u)
        )
        for label, m, u in zip(LEVELS[field.kind], same, others, strict=True)
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
