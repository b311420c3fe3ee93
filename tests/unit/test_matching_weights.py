"""How weights add up to a confidence, and how that is drawn."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.cli.waterfall_text import steps_view, waterfall_lines
from crm_sync.matching.weights import PRIOR, chance, waterfall
from crm_sync.model import Evidence

weights = st.floats(-40, 40, allow_nan=False)


def evidence(*said: float | None) -> tuple[Evidence, ...]:
    return tuple(Evidence(f"rule{n}", "x" * 90, "vendor", None, w) for n, w in enumerate(said))


@given(st.lists(weights, min_size=1, max_size=8))
def test_the_steps_lead_from_the_prior_to_the_sum(said: list[float]) -> None:
    steps = waterfall(evidence(*said, None))
    assert steps[0].rule == "prior"
    assert steps[0].end == PRIOR
    assert all(one.end == after.start for one, after in pairwise(steps))
    assert steps[-1].end == pytest.approx(PRIOR + math.fsum(said), abs=1e-9)
    assert len(steps) == len(said) + 1, "what weighs nothing is no step"


def test_without_weights_there_is_no_waterfall() -> None:
    assert waterfall(evidence(None, None)) == ()


@given(st.lists(weights, min_size=1, max_size=8))
def test_no_line_is_longer_than_80_columns(said: list[float]) -> None:
    lines = waterfall_lines(waterfall(evidence(*said)))
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) == len(said) + 3


@given(st.floats(-2000, 2000))
def test_a_chance_lies_between_and_its_opposite_is_the_rest(bits: float) -> None:
    assert 0 <= chance(bits) <= 1
    assert chance(bits) + chance(-bits) == pytest.approx(1)


def test_each_bit_doubles_the_odds() -> None:
    assert chance(0) == 0.5
    assert chance(1) == pytest.approx(2 / 3)
    assert chance(3) == pytest.approx(8 / 9)


def test_steps_as_data_begin_at_zero_and_end_at_the_log_odds() -> None:
    prior, first, second = steps_view(waterfall(evidence(24.0, -1.5)))
    assert (prior["from"], prior["to"]) == (0.0, PRIOR)
    assert (first["from"], first["to"]) == (PRIOR, PRIOR + 24)
    assert second["to"] == PRIOR + 22.5
