"""Record ids: prefixes, case-safe suffixes, short and long forms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crm_sync_salesforce.sandbox.ids import full_id, make_id, row_number, with_suffix

# The suffix of this id can be worked out by hand: each letter stands for five cases.
SHORT = "00130000000aBCD"
LONG = "00130000000aBCDAA2"

numbers = st.integers(min_value=1, max_value=62**9 - 1)


def test_the_suffix_tells_which_letters_are_capital() -> None:
    # 00130 -> no capital -> A; 00000 -> A; 0aBCD -> bits 2, 3 and 4 -> 28 -> the 3rd digit, 2.
    assert with_suffix(SHORT) == LONG


def test_short_and_long_forms_mean_the_same_record() -> None:
    assert full_id(SHORT) == full_id(LONG) == LONG


def test_an_id_that_lost_its_case_is_mended_by_its_suffix() -> None:
    assert full_id("00130000000ABCDAA2") == LONG


def test_what_is_no_id_is_none() -> None:
    for text in ("", "003", "003000000000000000000", "00300000000'000", "0030000000000éa"):
        assert full_id(text) is None


@given(numbers)
def test_every_row_has_its_own_id_and_the_id_tells_the_row(number: int) -> None:
    record_id = make_id("003", number)
    assert len(record_id) == 18
    assert record_id.startswith("003")
    assert row_number(record_id) == number
    assert full_id(record_id[:15]) == record_id


@given(numbers, numbers)
def test_ids_differ_even_where_case_is_ignored(one: int, other: int) -> None:
    same = make_id("003", one).lower() == make_id("003", other).lower()
    assert same == (one == other)
