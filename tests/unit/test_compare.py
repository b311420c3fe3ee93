"""When two values of a CRM field are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.compare import same
from crm_sync.model import Scalar

SAME = [
    (None, ""),
    (None, "  \n"),
    (True, "true"),
    (True, "True"),
    (False, "false"),
    (5, 5.0),
    (5, "5"),
    (5.0, "5.0"),
    (5.5, "5.5"),
    (-0.0, 0),
    ("Chief of Staff", " Chief of Staff  "),
    ("two\nlines", "two\r\nlines"),
    ("two\nlines", "two\rlines\r\n"),
    ("2025-01-03", "2025-01-03T00:00:00.000+0000"),
    ("2025-01-03", "2025-01-03T00:00:00Z"),
    ("2025-01-03T09:30:00.000+0000", "2025-01-03T09:30:00Z"),
    ("2025-01-03T09:30:00+00:00", "2025-01-03T11:30:00+02:00"),
    ("2025-01-03T00:00:00+00:00", "2025-01-03T02:00:00+02:00"),
]

DIFFERENT = [
    (False, None),
    (False, 0),
    (True, 1),
    (0, None),
    ("VP Sales", "VP sales"),
    ("VP Sales", "VP  Sales"),
    ("5.10", "5.1"),
    ("0612345678", "612345678"),
    ("+33612345678", "33612345678"),
    ("2025-01-03", "2025-01-04"),
    ("2025-01-03", "2025-01-03T09:30:00Z"),
    ("2025-13-45", "2025-13-46"),
    ("20250103", "2025-01-03"),
    ("one\ntwo", "one two"),
    ("Ŝofia", "Sofia"),
    ("true story", True),
]

SCALARS: st.SearchStrategy[Scalar] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from([value for pair in SAME + DIFFERENT for value in pair]),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_a_crm_echoes_in_another_form_is_the_same(one: Scalar, other: Scalar) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_a_person_would_call_an_edit_is_not(one: Scalar, other: Scalar) -> None:
    assert not same(one, other)
    assert not same(other, one)


@given(SCALARS, SCALARS, SCALARS)
def test_it_is_an_equivalence(one: Scalar, two: Scalar, three: Scalar) -> None:
    assert same(one, one)
    assert same(one, two) == same(two, one)
    if same(one, two) and same(two, three):
        assert same(one, three)


@given(st.text())
def test_blanks_around_a_text_and_line_ends_never_matter(text: str) -> None:
    assert same(text, f" \t{text}\r\n ")
    assert same(text.replace("\r", ""), text.replace("\r", "").replace("\n", "\r\n"))
