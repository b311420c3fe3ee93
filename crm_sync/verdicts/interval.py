"""How sure a share is that was counted: the exact interval of Clopper and Pearson (1934).

The bounds of a share are quantiles of beta distributions. They are found by halving an interval on
the regularised incomplete beta function, which is evaluated by its continued fraction.
"""

from __future__ import annotations

import math
from typing import NamedTuple

CONFIDENCE = 0.95

_TINY = 1e-300
_CLOSE = 1e-15
_MOST_TERMS = 100_000
_HALVINGS = 100


class Interval(NamedTuple):
    """Bounds of a share, each from 0 to 1."""

    low: float
    high: float


def clopper_pearson(right: int, decided: int, confidence: float = CONFIDENCE) -> Interval:
    """The two-sided interval for the share behind `right` out of `decided`.

    Whatever the true share is, at least `confidence` of the intervals so made hold it. The lower
    bound alone is the one-sided one for (1 + confidence) / 2: ask with 0.90 for one-sided 95 %.
    Nothing decided says nothing: 0 to 1. Raises `ValueError` for counts that cannot be.
    """
    if not 0 <= right <= decided:
        raise ValueError(f"{right} of {decided} is no share")
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    tail = (1 - confidence) / 2
    wrong = decided - right
    low = _beta_quantile(tail, right, wrong + 1) if right else 0.0
    high = _beta_quantile(1 - tail, right + 1, wrong) if wrong else 1.0
    return Interval(low, high)


def _beta_quantile(share: float, a: float, b: float) -> float:
    """Where the beta distribution with parameters `a` and `b` reaches `share`."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a and b above 0."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # The fraction converges quickly on the near side of the mean only; the other is its mirror.
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _kept(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _kept(1 + step * d)
            c = _kept(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _kept(value: float) -> float:
    """Never so near to nothing that it could not be divided by."""
    return value if abs(value) > _TINY else _TINY
