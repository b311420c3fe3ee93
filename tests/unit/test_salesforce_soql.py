from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.connector import ConfigError
from crm_sync_salesforce import soql

UNESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def read_literal(query: str) -> tuple[str, str]:
    """The value of the quoted literal at the start of a query, and what follows it."""
    assert query[0] == "'"
    value, at = "", 1
    while query[at] != "'":
        if query[at] != "\\":
            value, at = value + query[at], at + 1
        elif query[at + 1] == "u":
            value, at = value + chr(int(query[at + 2 : at + 6], 16)), at + 6
        else:
            value, at = value + UNESCAPES.get(query[at + 1], query[at + 1]), at + 2
    return value, query[at + 1 :]


@given(value=st.text())
def test_a_literal_means_its_value_and_ends_where_it_should(value: str) -> None:
    assert read_literal(soql.text(value) + " AND x") == (value, " AND x")


@given(value=st.text())
def test_a_literal_holds_no_control_character(value: str) -> None:
    assert all(ord(char) >= 0x20 for char in soql.text(value))


def test_obrien_and_an_injection_stay_inside_their_quotes() -> None:
    assert soql.text("O'Brien") == r"'O\'Brien'"
    assert soql.text("x' OR Name != '") == r"'x\' OR Name != \''"
    assert soql.text("\\'") == r"'\\\''"


@pytest.mark.parametrize("name", ["Title", "Team__c", "Account.Name", "Account.Owner.Name"])
def test_names_of_fields_pass(name: str) -> None:
    assert soql.field_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "1st", "a b", "Title,Email", "Title)", "a..b", ".a", "Name\n", "É", "a" * 99]
)
def test_what_is_no_name_never_reaches_a_query(name: str) -> None:
    with pytest.raises(ConfigError, match="not the name of a Salesforce field"):
        soql.select([name], "Contact")
    with pytest.raises(ConfigError, match="not the name of a Salesforce object"):
        soql.select(["Id"], name)


def test_conditions_are_joined_and_empty_ones_left_out() -> None:
    query = soql.select(["Id", "Title"], "Contact", "", "A = 1", soql.condition("B = 2 OR C = 3"))
    assert query == "SELECT Id, Title FROM Contact WHERE A = 1 AND (B = 2 OR C = 3)"
    assert soql.select(["Id"], "Contact") == "SELECT Id FROM Contact"


@pytest.mark.parametrize(
    "where", ["A = 1) OR (B = 2", "(A = 1", "A = 'x", r"A = 'x\'", "A = 1)", "a\x00"]
)
def test_a_condition_that_would_reach_beyond_its_parentheses_is_refused(where: str) -> None:
    with pytest.raises(ConfigError, match="does not close"):
        soql.condition(where)


@pytest.mark.parametrize("where", ["A = ')'", r"A = 'it\'s (' AND B = 1", "((A = 1))"])
def test_quotes_and_parentheses_that_close_are_accepted(where: str) -> None:
    assert soql.condition(where) == f"({where})"


@given(values=st.lists(st.text(max_size=300), min_size=1, max_size=80))
def test_a_split_list_covers_every_value_once_and_keeps_to_its_room(values: list[str]) -> None:
    room = 500
    covered: list[str] = []
    for condition in soql.is_any_of("Email", values, room):
        rest = condition.removeprefix("Email IN (")
        inside = 0
        while True:
            value, rest = read_literal(rest)
            covered.append(value)
            inside += 1
            if rest == ")":
                break
            assert rest[0] == ","
            rest = rest[1:]
        assert inside == 1 or soql.url_bytes(condition) <= room
    assert covered == values


def test_moments_are_told_in_utc_and_rounded_down() -> None:
    paris = timezone(timedelta(hours=2))
    moment = datetime(2026, 3, 1, 12, 30, 59, 999_999, tzinfo=paris)
    assert soql.moment(moment) == "2026-03-01T10:30:59Z"
    assert soql.moment(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        soql.moment(datetime(2026, 3, 1))  # noqa: DTZ001
