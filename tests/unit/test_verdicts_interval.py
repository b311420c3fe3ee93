"""The exact interval of a share: published values, and what defines it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.verdicts.interval import beta_cdf, clopper_pearson


@pytest.mark.parametrize(
    ("right", "decided", "low", "high"),
    [
        # Newcombe, Two-sided confidence intervals for the single proportion (1998), table I
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_published_intervals(right: int, decided: int, low: float, high: float) -> None:
    found = clopper_pearson(right, decided)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def at_least(right: int, decided: int, share: float) -> float:
    """The chance of so many, or more: the sum over the binomial distribution."""
    return math.fsum(
        math.comb(decided, k) * share**k * (1 - share) ** (decided - k)
        for k in range(right, decided + 1)
    )


COUNTS = st.integers(1, 150).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_at_each_bound_what_was_seen_is_just_too_unlikely(
    counts: tuple[int, int], confidence: float
) -> None:
    right, decided = counts
    low, high = clopper_pearson(right, decided, confidence)
    tail = (1 - confidence) / 2
    assert 0 <= low <= right / decided <= high <= 1
    if right:
        assert at_least(right, decided, low) == pytest.approx(tail, rel=1e-6)
    else:
        assert low == 0
    if right < decided:
        assert 1 - at_least(right + 1, decided, high) == pytest.approx(tail, rel=1e-6)
    else:
        assert high == 1


@given(COUNTS)
def test_right_and_wrong_mirror_each_other(counts: tuple[int, int]) -> None:
    right, decided = counts
    one, other = clopper_pearson(right, decided), clopper_pearson(decided - right, decided)
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


@given(st.integers(1, 10_000))
def test_where_all_are_right_the_bound_has_a_closed_form(decided: int) -> None:
    # one-sided 95 %: the share whose power is 0.05
    assert clopper_pearson(decided, decided, 0.90).low == pytest.approx(0.05 ** (1 / decided))


def test_millions_are_counted_as_well() -> None:
    low, high = clopper_pearson(999_000, 1_000_000)
    # the normal approximation, good to a few parts in a thousand of the width here
    width = 1.959964 * math.sqrt(0.999 * 0.001 / 1e6)
    assert low == pytest.approx(0.999 - width, abs=width * 0.05)
    assert high == pytest.approx(0.999 + width, abs=width * 0.05)


def test_nothing_decided_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0, 1)


@pytest.mark.parametrize("counts", [(-1, 3), (4, 3)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(*counts)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5])
def test_a_confidence_lies_between(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        clopper_pearson(1, 2, confidence)


@given(st.floats(0, 1), st.floats(0.5, 200), st.floats(0.5, 200))
def test_a_distribution_is_a_share(x: float, a: float, b: float) -> None:
    assert -1e-12 <= beta_cdf(x, a, b) <= 1 + 1e-12
    assert beta_cdf(x, 1, b) == pytest.approx(1 - (1 - x) ** b, abs=1e-12)
