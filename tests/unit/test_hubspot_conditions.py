from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.connector import ConfigError, Scalar
from crm_sync_hubspot.conditions import parse

PERSON: dict[str, Scalar] = {
    "jobtitle": "Head of Sales, EMEA",
    "lifecyclestage": "Customer",
    "hs_email_optout": "false",
    "num_notes": "12",
    "zip": "007",
    "createdate": "2026-03-01T09:30:00.000Z",
    "birthday": "2026-03-01",
    "email": None,
    "fax": "",
}


def holds(where: str) -> bool:
    return parse(where).holds(PERSON.get)


@pytest.mark.parametrize(
    "where",
    [
        "lifecyclestage EQ customer",
        "lifecyclestage eq 'CUSTOMER'",
        "hs_email_optout NEQ true",
        "email NEQ 'a@b.example'",
        "email NOT_IN ('a@b.example', c@d.example)",
        "email NOT_HAS_PROPERTY",
        "fax NOT_HAS_PROPERTY AND jobtitle HAS_PROPERTY",
        'lifecyclestage IN (lead, "customer")',
        "num_notes GT 2 AND num_notes LTE 12.0",
        "num_notes EQ 12.0",
        "zip EQ 007",
        "zip NEQ 7",
        "createdate GTE 2026-03-01",
        "createdate LT '2026-03-01T10:30:00+00:30'",
        "createdate EQ 1772357400000",
        "birthday EQ 2026-03-01T00:00:00Z",
        "jobtitle CONTAINS_TOKEN sales",
        "jobtitle CONTAINS_TOKEN 'head of'",
        "jobtitle CONTAINS_TOKEN Em*",
        "email HAS_PROPERTY OR jobtitle HAS_PROPERTY",
        "email HAS_PROPERTY AND fax HAS_PROPERTY OR zip HAS_PROPERTY",
        "zip HAS_PROPERTY OR email HAS_PROPERTY AND fax HAS_PROPERTY",
        "JobTitle HAS_PROPERTY\n  AND\tzip HAS_PROPERTY",
        r"jobtitle NEQ 'O\'Brien'",
    ],
)
def test_it_holds(where: str) -> None:
    assert holds(where)


@pytest.mark.parametrize(
    "where",
    [
        "lifecyclestage NEQ customer",
        "lifecyclestage NOT_IN (lead, Customer)",
        "email EQ ' none '",
        "email HAS_PROPERTY",
        "fax HAS_PROPERTY",
        "email LT z",
        "email GT a",
        "num_notes GT 12",
        "num_notes LT 2",
        "zip EQ 7",
        "createdate LT 2026-03-01",
        "jobtitle CONTAINS_TOKEN sale",
        "jobtitle CONTAINS_TOKEN 'of head'",
        "zip HAS_PROPERTY AND email HAS_PROPERTY OR fax HAS_PROPERTY",
    ],
)
def test_it_does_not_hold(where: str) -> None:
    assert not holds(where)


@pytest.mark.parametrize(
    ("where", "named"),
    [
        ("jobtitle", "an operator"),
        ("jobtitle = 'x'", "'='"),
        ("jobtitle EQ", "a value"),
        ("jobtitle EQ ''", "HAS_PROPERTY"),
        ("jobtitle EQ 'x", "not closed"),
        ("jobtitle EQ x y", "AND or OR"),
        ("jobtitle EQ x AND", "a property"),
        ("jobtitle IN x", "'('"),
        ("jobtitle IN (x", "','"),
        ("jobtitle IN ()", "a value"),
        ("jobtitle IN (x,)", "a value"),
        ("(jobtitle EQ x)", "a property"),
        ("'jobtitle' EQ x", "a property"),
        ("associations.companies HAS_PROPERTY", "a property"),
        ("jobtitle BETWEEN 1 AND 2", "one of"),
        ("jobtitle HAS_PROPERTY x", "AND or OR"),
        ("Title != 'x' AND (a = 1)", "one of"),
        ("x EQ y AND " * 500 + "x EQ y", "longer"),
    ],
)
def test_what_is_no_condition_is_refused_with_words_that_say_where(where: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(where)
    assert named in str(caught.value)


def test_it_names_the_properties_to_read_each_once() -> None:
    condition = parse("Zip HAS_PROPERTY AND email EQ x OR zip EQ y")
    assert condition.names == ("zip", "email")


VALUES = st.none() | st.text(max_size=12) | st.integers(-99, 99).map(str)
ASKED = st.text(min_size=1, max_size=12).filter(lambda text: text.strip())


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@given(value=VALUES, asked=ASKED)
def test_an_operator_and_its_opposite_never_agree(value: str | None, asked: str) -> None:
    for one, other in (("EQ", "NEQ"), ("IN", "NOT_IN")):
        text = quoted(asked) if one == "EQ" else f"({quoted(asked)})"
        first, second = (parse(f"p {op} {text}").holds(lambda _: value) for op in (one, other))
        assert first is not second


@given(value=ASKED)
def test_any_text_equals_itself_and_is_neither_below_nor_above(value: str) -> None:
    held = {op: parse(f"p {op} {quoted(value)}").holds(lambda _: value) for op in OPERATORS}
    assert held == {"EQ": True, "LT": False, "LTE": True, "GT": False, "GTE": True}


OPERATORS = ("EQ", "LT", "LTE", "GT", "GTE")


MOMENTS = st.integers(631_152_000, 3_786_912_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(
    there=MOMENTS,
    seconds=st.integers(-(10**6), 10**6),
)
def test_moments_compare_as_moments_however_they_are_written(there: datetime, seconds: int) -> None:
    asked = there + timedelta(seconds=seconds)
    for text in (asked.isoformat(), str(int(asked.timestamp()) * 1000)):
        held = parse(f"p LT {quoted(text)}").holds(lambda _: there.isoformat())
        assert held is (seconds > 0)
