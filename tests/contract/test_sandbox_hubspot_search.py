"""Searching the HubSpot sandbox: filters, order, pages, limits, and an index that lags behind."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.sandbox.calls import Calls
from crm_sync_hubspot.sandbox.filters import add_functions, parse_groups
from crm_sync_hubspot.sandbox.indexing import enqueue, flush
from crm_sync_hubspot.sandbox.portal import Portal, Settings
from crm_sync_hubspot.sandbox.problems import ApiProblem
from crm_sync_hubspot.sandbox.rows import Row, insert_at_once
from crm_sync_hubspot.sandbox.types import TYPES
from tests.support.hubspot_http import DATED, Api, Json, running, where

CONTACTS = TYPES["contacts"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


def settle(api: Api) -> None:
    api.clock.advance(10)


def refused(api: Api, body: Any, kind: str = "contacts") -> str:
    settle(api)
    answer = api.call("POST", f"/crm/objects/{DATED}/{kind}/search", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["category"] == "VALIDATION_ERROR"
    return str(answer.json()["message"])


# The index lags behind


def test_what_is_written_shows_after_the_delay(api: Api) -> None:
    made = api.create("contacts", email="ada@one.example", lastname="Novak")
    assert api.found("contacts", where("lastname", "EQ", "Novak")) == []
    api.clock.advance(2)
    assert api.found("contacts", where("lastname", "EQ", "Novak")) == [made]
    api.ok("PATCH", f"/crm/objects/{DATED}/contacts/{made}", {"properties": {"lastname": "Berg"}})
    assert api.found("contacts", where("lastname", "EQ", "Berg")) == []
    shown = api.search("contacts", where("email", "EQ", "ada@one.example"), properties=["lastname"])
    assert shown["results"][0]["properties"]["lastname"] == "Novak"
    api.clock.advance(2)
    assert api.found("contacts", where("lastname", "EQ", "Berg")) == [made]


def test_an_archived_record_leaves_the_index_after_the_delay(api: Api) -> None:
    made = api.create("contacts", email="ada@one.example")
    settle(api)
    api.ok("DELETE", f"/crm/objects/{DATED}/contacts/{made}")
    assert api.found("contacts") == [made]
    api.clock.advance(2)
    assert api.found("contacts") == []


def test_a_merged_record_is_found_once_under_its_new_id(api: Api) -> None:
    one = api.create("contacts", email="ada@one.example", lastname="Novak")
    other = api.create("contacts", email="ada@two.example", lastname="Novak")
    body = {"primaryObjectId": one, "objectIdToMerge": other}
    survivor = api.ok("POST", f"/crm/objects/{DATED}/contacts/merge", body)["id"]
    settle(api)
    assert api.found("contacts", where("lastname", "EQ", "novak")) == [survivor]
    assert survivor not in {one, other}


def test_a_late_version_never_replaces_a_newer_one(api: Api) -> None:
    """The delay may be shortened while versions wait: the newest one stays."""
    portal = api.sandbox.portal
    with portal.database.writing() as sql:
        portal.settings.index_delay = 60.0
        enqueue(sql, portal, "contacts", 7, '{"lastname":"old"}', 1)
        portal.settings.index_delay = 1.0
        enqueue(sql, portal, "contacts", 7, '{"lastname":"new"}', 2)
        for seconds in (2, 120):
            api.clock.advance(seconds)
            flush(sql, portal)
            rows = sql.execute("SELECT properties, updated_ms FROM search_index").fetchall()
            assert rows == [('{"lastname":"new"}', 2)]


# Pages and order


def test_pages_lead_through_all_results(api: Api) -> None:
    made = [api.create("companies", name=f"Company {number}") for number in range(5)]
    settle(api)
    seen: list[str] = []
    after = None
    while True:
        answer = api.search("companies", limit=2, after=after)
        assert answer["total"] == 5
        seen += [one["id"] for one in answer["results"]]
        if "paging" not in answer:
            break
        after = answer["paging"]["next"]["after"]
    assert seen == made


@pytest.mark.parametrize("sort", ["-name", {"propertyName": "name", "direction": "DESCENDING"}])
def test_one_sort_in_either_form(api: Api, sort: Any) -> None:
    made = {name: api.create("companies", name=name) for name in ("beta", "Alpha", "gamma")}
    nameless = api.create("companies", domain="none.example")
    settle(api)
    expected = [made["gamma"], made["beta"], made["Alpha"], nameless]
    assert api.found("companies", sorts=[sort]) == expected


def test_the_keyset_recipe_reads_every_record_of_a_window_once(api: Api) -> None:
    start = api.clock.ms()
    made = [api.create("contacts", email=f"c{number}@one.example") for number in range(7)]
    end = api.clock.ms() + 1
    settle(api)
    late = api.create("contacts", email="late@one.example")
    settle(api)
    seen: list[str] = []
    while True:
        last = seen[-1] if seen else "0"
        window = where("lastmodifieddate", "BETWEEN", str(start), str(end))
        page = api.found(
            "contacts", window, where("hs_object_id", "GT", last), sorts=["hs_object_id"], limit=3
        )
        if not page:
            break
        seen += page
    assert seen == made
    assert late not in seen


def test_ten_thousand_results_are_the_end(api: Api) -> None:
    assert api.search("contacts", limit=200, after="9800")["results"] == []
    assert "10000" in refused(api, {"limit": 200, "after": "9801"})


# What is refused


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": "many"},
        {"after": "x"},
        {"sorts": ["lastname", "firstname"]},
        {"sorts": ["no_such_property"]},
        {"filterGroups": [{"filters": [where("no_such_property", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [where("lastname", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [where("lastname", "EQ")]}]},
        {"filterGroups": [{"filters": [{"propertyName": "lastname", "operator": "IN"}]}]},
        {"filterGroups": [{"filters": [where("lastmodifieddate", "GT", "yesterday")]}]},
        {"filterGroups": [{"filters": [where("hs_object_id", "GT", "x")]}]},
        {"filterGroups": [{"filters": []}]},
        {"filterGroups": [{"filters": [where("lastname", "EQ", "a")]}] * 6},
        {"filterGroups": [{"filters": [where("lastname", "EQ", "a")] * 7}]},
        {"filterGroups": [{"filters": [where("lastname", "EQ", "a")] * 5}] * 4},
        {"query": "x" * 3_000},
        {"sorts": [7]},
        {"properties": "email"},
        {"filterGroups": {"filters": []}},
        {"filterGroups": [{"filters": ["lastname"]}]},
        {"filterGroups": [{"filters": [where("associatedcompanyid", "EQ", "many")]}]},
        ["not an object"],
    ],
)
def test_a_search_that_makes_no_sense_is_refused(api: Api, body: Any) -> None:
    refused(api, body)


def test_eighteen_filters_in_three_groups_are_allowed(api: Api) -> None:
    made = api.create("contacts", lastname="Novak")
    settle(api)
    one = {"filters": [where("lastname", "EQ", "novak")] * 6}
    body = {"filterGroups": [one] * 3}
    answer = api.ok("POST", f"/crm/objects/{DATED}/contacts/search", body)
    assert [row["id"] for row in answer["results"]] == [made]


def test_an_unknown_kind_is_not_there(api: Api) -> None:
    answer = api.call("POST", f"/crm/objects/{DATED}/rockets/search", {})
    assert answer.status_code == 404


# Filters


def test_a_flag_may_be_json_or_text(api: Api) -> None:
    made = api.create("contacts", lastname="Novak", hs_email_optout="true")
    settle(api)
    for value in (True, "true"):
        one = {"propertyName": "hs_email_optout", "operator": "EQ", "value": value}
        assert api.found("contacts", one) == [made]
        assert api.found("contacts", {**one, "operator": "NEQ"}) == []


def test_lists_of_text_want_lower_case(api: Api) -> None:
    made = api.create("contacts", lastname="Novak", email="Ada@One.example")
    settle(api)
    assert api.found("contacts", where("lastname", "IN", "novak", "berg")) == [made]
    assert api.found("contacts", where("lastname", "IN", "Novak")) == []
    assert api.found("contacts", where("lastname", "EQ", "NOVAK")) == [made]
    assert api.found("contacts", where("lastname", "NOT_IN", "novak")) == []


def test_moments_are_compared_as_such(api: Api) -> None:
    made = api.create("contacts", lastname="Novak")
    moment = api.clock.now.astimezone(UTC)
    settle(api)
    for value in (str(api.clock.ms() - 10_000), moment.isoformat()):
        assert api.found("contacts", where("createdate", "EQ", value)) == [made]
        assert api.found("contacts", where("createdate", "GT", value)) == []
        assert api.found("contacts", where("createdate", "GTE", value)) == [made]


def test_a_query_looks_for_the_beginnings_of_words(api: Api) -> None:
    made = api.create("contacts", firstname="Ada", lastname="Novák-Berg", email="ada@one.example")
    api.create("contacts", firstname="Bea", lastname="Novák")
    settle(api)
    assert api.found("contacts", query="ada nov") == [made]
    assert api.found("contacts", query="berg") == [made]
    assert api.found("contacts", query="ovák") == []


def test_a_wildcard_stands_for_letters_of_a_word(api: Api) -> None:
    made = api.create("contacts", email="ada@one.example")
    api.create("contacts", email="ada@two.example")
    settle(api)
    assert api.found("contacts", where("email", "CONTAINS_TOKEN", "*@one.example")) == [made]


def test_values_with_every_sign_are_only_values(api: Api) -> None:
    names = ["O'Brien\"; DROP TABLE object;--", "100% _x_", "a\\b", "日本 🙂", "$.x"]
    made = [api.create("contacts", lastname=name) for name in names]
    settle(api)
    for name, id in zip(names, made, strict=True):
        assert api.found("contacts", where("lastname", "EQ", name)) == [id]


# Filters agree with a plain reading of what they say

_TEXT = st.sampled_from(["", "Ada", "ada", "Ada Novak", "novak", "Ångström", "a*b", "7"])
_NUMBER = st.sampled_from(["-3", "0", "7", "7.5", "10", "9"])
_DAY = st.sampled_from(["2026-01-05", "2026-01-06T10:30:00Z", "2026-01-06T10:30:00.250Z"])
_STAGE = st.sampled_from(["lead", "customer", "other"])
_PROPERTIES = {
    "lastname": _TEXT,
    "associatedcompanyid": _NUMBER,
    "notes_last_contacted": _DAY,
    "lifecyclestage": _STAGE,
}
_ROWS = st.lists(
    st.fixed_dictionaries({}, optional={k: v.filter(bool) for k, v in _PROPERTIES.items()}),
    max_size=6,
)
_OPERATORS = ("EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN")
_OPERATORS += ("HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN")


@st.composite
def _filters(draw: st.DrawFn) -> Json:
    name = draw(st.sampled_from(sorted(_PROPERTIES)))
    operator = draw(st.sampled_from(_OPERATORS))
    values = _PROPERTIES[name].filter(bool)
    count = {"BETWEEN": 2, "HAS_PROPERTY": 0, "NOT_HAS_PROPERTY": 0}.get(operator, 1)
    if operator in {"IN", "NOT_IN"}:
        count = draw(st.integers(1, 3))
    return where(name, operator, *(draw(values) for _ in range(count)))


def _meant(name: str, text: str) -> Any:
    """A value as it compares."""
    if name == "associatedcompanyid":
        return float(text)
    if name == "notes_last_contacted":
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return text if name == "lifecyclestage" else text.casefold()


def _holds(one: Json, row: Json) -> bool:
    """What a filter says, in plain Python."""
    name, operator = one["propertyName"], one["operator"]
    text = row.get(name)
    if operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return (text is not None) == (operator == "HAS_PROPERTY")
    if text is None:
        return False
    if operator.endswith("CONTAINS_TOKEN"):
        words = {*text.casefold().split(), *re.split(r"\W+", text.casefold())}
        patterns = [re.escape(w).replace(r"\*", ".*") for w in one["value"].casefold().split()]
        has = all(any(re.fullmatch(p, w) for w in words) for p in patterns)
        return has == (operator == "CONTAINS_TOKEN")
    value = _meant(name, text)
    if operator in {"IN", "NOT_IN"}:
        plain = name == "lastname"
        wanted = [v if plain else _meant(name, v) for v in one["values"]]
        return (value in wanted) == (operator == "IN")
    low = _meant(name, one["value"])
    if operator == "BETWEEN":
        return bool(low <= value <= _meant(name, one["highValue"]))
    return bool(
        {
            "EQ": value == low,
            "NEQ": value != low,
            "LT": value < low,
            "LTE": value <= low,
            "GT": value > low,
            "GTE": value >= low,
        }[operator]
    )


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with tempfile.TemporaryDirectory() as folder:
        opened = Portal(Path(folder) / "portal.db", Calls(), settings=Settings())
        yield opened
        opened.database.close()


@settings(max_examples=150, deadline=None)
@given(rows=_ROWS, groups=st.lists(st.lists(_filters(), min_size=1, max_size=3), max_size=3))
def test_filters_mean_what_they_say(
    portal: Portal, rows: list[Json], groups: list[list[Json]]
) -> None:
    given_groups = [{"filters": filters} for filters in groups]
    with portal.database.writing() as sql:
        for table in ("object", "search_index"):
            sql.execute(f"DELETE FROM {table}")
        insert_at_once(sql, [Row("contacts", n, dict(row), 0, 0) for n, row in enumerate(rows, 1)])
        add_functions(sql)
        condition = parse_groups(given_groups, CONTACTS, portal.definitions(sql, "contacts"))
        found = sql.execute(
            f"SELECT id FROM search_index WHERE {condition.text} ORDER BY id", condition.values
        )
        ids = [id for (id,) in found]
    expected = [
        number
        for number, row in enumerate(rows, 1)
        if not groups or any(all(_holds(one, row) for one in filters) for filters in groups)
    ]
    assert ids == expected


@given(value=st.text(max_size=30))
def test_any_operand_is_refused_or_harmless(portal: Portal, value: str) -> None:
    with portal.database.reading() as sql:
        known = portal.definitions(sql, "contacts")
        add_functions(sql)
        for name in _PROPERTIES:
            for operator in ("EQ", "CONTAINS_TOKEN"):
                try:
                    one = parse_groups(
                        [{"filters": [where(name, operator, value)]}], CONTACTS, known
                    )
                except ApiProblem:  # the 400 of a malformed operand
                    continue
                sql.execute(f"SELECT id FROM search_index WHERE {one.text}", one.values).fetchall()
