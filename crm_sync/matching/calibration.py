"""How far one family of evidence, or likeness, is to be believed: measured per source.

Contacts whom a LinkedIn page identifies are judged once more with that page hidden, by everything
else. As many as the source lacks of all pages that it is asked for are judged with their own
profile taken away: there the right answer is nobody. Whether the best candidate is the right
person, against its weight and its margin over the runner-up, gives a logistic curve; half of the
contacts measure the curve that the other half gave.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from crm_sync.matching import tail
from crm_sync.matching.normalise import statement
from crm_sync.matching.probabilistic import Trained
from crm_sync.matching.weights import chance

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CALIBRATION = "calibration"
LEAST_SAMPLE = 200
"""Judged candidates that a curve needs; with fewer there is none."""

MOST_SAMPLE = 20_000
MOST_WITHOUT_KEY = 5_000
"""Hidden contacts who are looked for by likeness, of all those whom no other key finds."""

BINS = 10
RIDGE = 1.0
"""Pulls slopes to zero, where few candidates were wrong."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The best candidate for a contact whose key was hidden; `half` is 0 or 1."""

    weight: float
    margin: float
    probability: float
    right: bool
    half: int


@dataclass(frozen=True, slots=True)
class Curve:
    """log-odds (natural) = intercept + of_weight · weight + of_margin · margin."""

    intercept: float
    of_weight: float
    of_margin: float

    def probability(self, one: Candidate) -> float:
        """How likely this candidate is the right person."""
        odds = self.intercept + self.of_weight * one.weight + self.of_margin * one.margin
        return chance(odds / math.log(2))


def calibrate(
    db: DuckDBPyConnection,
    source: str,
    profiles: int,
    trained: Trained,
    earlier: str | None,
    today: date,
) -> tuple[str | None, bool]:
    """The calibration of a source as a document, and whether it was made just now.

    An earlier one holds while its parameters do, the source has not grown by half, and it is not
    30 days old. None where too few contacts have a LinkedIn page to hide.
    """
    fingerprint = sha256(trained.to_json().encode()).hexdigest()[:12]
    if earlier is not None:
        known = json.loads(earlier)
        if known["parameters"] == fingerprint and tail.is_fresh(known, profiles, today):
            return earlier, False
    found = _candidates(db, source, trained)
    if len(found) < LEAST_SAMPLE:
        return None, False
    made = {
        "source": source,
        "made_on": today.isoformat(),
        "masked_key": "linkedin",
        "parameters": fingerprint,
        "profiles": profiles,
        **document(found),
    }
    return json.dumps(made, sort_keys=True), True


def document(found: Sequence[Candidate]) -> dict[str, Any]:
    """The curve of these candidates, and how well each half's curve does on the other half."""
    halves = [[one for one in found if one.half == half] for half in (0, 1)]
    curves = [fit(half) for half in halves]
    held_out = [
        (curve.probability(one), one.right)
        for curve, half in zip(curves, reversed(halves), strict=True)
        for one in half
    ]
    whole = fit(found)
    return {
        "sample": len(found),
        "intercept": round(whole.intercept, 6),
        "coefficients": {"weight": round(whole.of_weight, 6), "margin": round(whole.of_margin, 6)},
        "ece_before": round(ece([(one.probability, one.right) for one in found]), 4),
        "ece_after": round(ece(held_out), 4),
        "bins": bins(held_out),
    }


def ece(judged: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error: how far predicted and true shares lie apart, on average."""
    return sum(
        one["count"] / len(judged) * abs(one["predicted"] - one["right"]) for one in bins(judged)
    )


def bins(judged: Sequence[tuple[float, bool]]) -> list[dict[str, float]]:
    """Ten equal bins of the probability, empty ones left out: what it said, what was right."""
    filled: dict[int, list[tuple[float, bool]]] = {}
    for probability, right in judged:
        filled.setdefault(min(int(probability * BINS), BINS - 1), []).append((probability, right))
    return [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "count": len(some),
            "predicted": round(math.fsum(p for p, _ in some) / len(some), 4),
            "right": round(sum(right for _, right in some) / len(some), 4),
        }
        for number, some in sorted(filled.items())
    ]


def fit(found: Sequence[Candidate]) -> Curve:
    """A logistic curve in which neither more weight nor more margin makes a match less likely."""
    counted = Counter((one.weight, one.margin, one.right) for one in found)
    use = [True, True]
    while True:
        rows = [
            ([1.0, weight if use[0] else 0.0, margin if use[1] else 0.0], right, count)
            for (weight, margin, right), count in sorted(counted.items())
        ]
        solved = _newton(rows)
        worst = min((1, 2), key=lambda n: solved[n])
        if solved[worst] >= 0:
            return Curve(solved[0], solved[1], solved[2])
        use[worst - 1] = False


Row = tuple[list[float], bool, int]
"""What is known of candidates, whether they are right, and how many there are of them."""

_PENALTY = (1e-3, RIDGE, RIDGE)


def _newton(rows: Sequence[Row]) -> list[float]:
    """Penalised maximum likelihood by Newton's method; the intercept is hardly penalised."""
    theta = [0.0, 0.0, 0.0]
    reached = _likelihood(rows, theta)
    for _ in range(100):
        step = _step(rows, theta)
        # the likelihood is concave: some part of the step always leads up
        share = 1.0
        while share > 1e-9:
            tried = [t + share * s for t, s in zip(theta, step, strict=True)]
            better = _likelihood(rows, tried)
            if better >= reached:
                break
            share /= 2
        if share <= 1e-9 or better - reached < 1e-10 * abs(reached):
            break
        theta, reached = tried, better
    return theta


def _step(rows: Sequence[Row], theta: list[float]) -> list[float]:
    gradient = [-weight * t for weight, t in zip(_PENALTY, theta, strict=True)]
    hessian = [[_PENALTY[i] if i == j else 0.0 for j in range(3)] for i in range(3)]
    for x, right, count in rows:
        p = _share(x, theta)
        for i in range(3):
            gradient[i] += count * (right - p) * x[i]
            for j in range(3):
                hessian[i][j] += count * p * (1 - p) * x[i] * x[j]
    return _solve(hessian, gradient)


def _likelihood(rows: Sequence[Row], theta: list[float]) -> float:
    penalty = sum(weight * t * t for weight, t in zip(_PENALTY, theta, strict=True)) / 2
    said = (
        count * math.log(max(p if right else 1 - p, 1e-300))
        for x, right, count in rows
        for p in (_share(x, theta),)
    )
    return math.fsum(said) - penalty


def _share(x: Sequence[float], theta: Sequence[float]) -> float:
    return chance(sum(t * v for t, v in zip(theta, x, strict=True)) / math.log(2))


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination of three equations; the matrix is positive definite."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for i in range(3):
        for j in range(i + 1, 3):
            share = rows[j][i] / rows[i][i]
            rows[j] = [a - share * b for a, b in zip(rows[j], rows[i], strict=True)]
    solved = [0.0, 0.0, 0.0]
    for i in (2, 1, 0):
        rest = sum(rows[i][j] * solved[j] for j in range(i + 1, 3))
        solved[i] = (rows[i][3] - rest) / rows[i][i]
    return solved


def _candidates(db: DuckDBPyConnection, source: str, trained: Trained) -> list[Candidate]:
    """The best candidates of contacts whose LinkedIn page is hidden."""
    db.execute(_HIDDEN, {"source": source, "most": MOST_SAMPLE})
    row = db.execute("SELECT count(*) FROM hidden").fetchone()
    if not row or row[0] < LEAST_SAMPLE:
        return []
    db.execute(statement("calibration"))
    db.execute(_WITHOUT_KEY, {"most": MOST_WITHOUT_KEY})
    tail.score_wanted(db, source, trained)
    rows = db.execute(statement("calibration_candidates")).fetchall()
    for name in ("hidden", "hidden_pair"):
        db.execute(f"DROP TABLE {name}")
    return [
        Candidate(round(weight, 1), round(margin, 1), probability, right, int(half))
        for weight, margin, probability, right, half in rows
    ]


def load(db: DuckDBPyConnection, documents: Mapping[str, str]) -> None:
    """Make `calibration`(source, intercept, of_weight, of_margin, sample) of these documents."""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE calibration (source VARCHAR, intercept DOUBLE, "
        "of_weight DOUBLE, of_margin DOUBLE, sample BIGINT)"
    )
    for source, text in sorted(documents.items()):
        known = json.loads(text)
        slopes = known["coefficients"]
        db.execute(
            "INSERT INTO calibration VALUES (?, ?, ?, ?, ?)",
            [source, known["intercept"], slopes["weight"], slopes["margin"], known["sample"]],
        )


_HIDDEN = """
    CREATE OR REPLACE TEMP TABLE hidden AS
    WITH asked AS (
        SELECT count(*) AS pages FROM contact_person WHERE slug IS NOT NULL
    ),
    known AS (
        SELECT contact_id, any_value(profile_id) AS profile_id FROM pair
        WHERE source = $source AND stands AND e_linkedin AND named
        GROUP BY contact_id HAVING count(*) = 1
    ),
    lacking AS (
        SELECT least(0.5, 1 - count(*) / any_value(pages)) AS share FROM known, asked
    )
    SELECT contact_id, $source AS source, profile_id,
        hash(contact_id, 'absent') % 1000 < 1000 * (SELECT share FROM lacking) AS is_absent,
        hash(contact_id, 'half') % 2 AS half
    FROM known ORDER BY hash(contact_id, 'hidden'), contact_id LIMIT $most
"""

_WITHOUT_KEY = """
    CREATE OR REPLACE TEMP TABLE tail_wanted AS
    SELECT contact_id FROM hidden
    WHERE contact_id NOT IN (SELECT contact_id FROM hidden_pair WHERE stands)
    ORDER BY hash(contact_id, 'without'), contact_id LIMIT $most
"""
