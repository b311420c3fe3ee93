"""Servers that keep to the published description only, or not even to that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from crm_sync.connector import (
    Entity,
    Gone,
    Level,
    Operation,
    Outcome,
    Page,
    ServerFault,
    Write,
)
from crm_sync.errors import CrmSyncError
from crm_sync_hubspot import HubSpotConnector
from crm_sync_hubspot.config import HubSpotConfig
from tests.support.hubspot_reading import gone, ids_of
from tests.support.scripted_http import Asked, Reply, Scripted, reply, scripted

DATE = "Tue, 01 Sep 2026 12:00:00 GMT"
DATE_MS = 1_788_264_000_000
TIMES = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-08-31T00:00:00Z"}
PROPERTIES = {"results": [{"name": name, "type": "string"} for name in ("jobtitle", "city")]}
Answers = Callable[[Asked], Any]


def row(number: int, **more: Any) -> dict[str, Any]:
    properties = {"jobtitle": f"title {number}", "unasked": "x"}
    return {"id": str(number), "properties": properties, "archived": False, **TIMES, **more}


def page_of(*numbers: int, after: str = "", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"results": [row(number) for number in numbers], **more}
    return body | ({"paging": {"next": {"after": after}}} if after else {})


def connected(server: Scripted) -> HubSpotConnector:
    auth = {"flow": "token", "access_token": "sandbox-token"}
    settings = {"base_url": server.url, "auth": auth, "page_size": 10}
    return HubSpotConnector.connect(HubSpotConfig.model_validate(settings))


@contextmanager
def portal(answers: Answers) -> Iterator[tuple[HubSpotConnector, Scripted]]:
    """A portal that describes two properties, and for the rest answers what a test says."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        asked = server.asked[-1]
        described = "/crm/properties/" in asked.path
        setattr(handler, "date_time_string", lambda: DATE)  # noqa: B010 - a method, replaced
        reply(body=PROPERTIES if described else answers(asked))(handler)

    with scripted(send) as server, closing(connected(server)) as crm:
        yield crm, server


def pull(crm: HubSpotConnector, cursor: str | None = None) -> list[Page]:
    pages = []
    for page in crm.pull(Entity.CONTACT, ["jobtitle"], cursor=cursor):
        pages.append(page)
        assert len(pages) < 20, "it never ends"
    return pages


def complete(crm: HubSpotConnector) -> str:
    return pull(crm)[-1].cursor


def batch(asked: Asked) -> dict[str, Any]:
    """A batch read of which every row is there."""
    return page_of(*(int(one["id"]) for one in json.loads(asked.body)["inputs"]))


def searching(*pages: dict[str, Any], archived: Sequence[dict[str, Any]] = ()) -> Answers:
    """An empty list, then these pages of a search; the last one is repeated for ever."""
    left = list(pages)

    def answers(asked: Asked) -> Any:
        if asked.path.endswith("/search"):
            return left.pop(0) if len(left) > 1 else left[0]
        if asked.path.endswith("/batch/read"):
            return batch(asked)
        return {"results": list(archived) if "archived=true" in asked.path else []}

    return answers


def test_a_list_that_gives_the_same_token_for_ever_ends() -> None:
    with portal(lambda asked: page_of(1, 2, after="same")) as (crm, _):
        pages = pull(crm)
    assert [ids_of([page]) for page in pages] == [["1", "2"], ["1", "2"]]
    assert pages[-1].complete


def test_a_search_that_gives_the_same_page_for_ever_ends() -> None:
    forever = page_of(1, 2, after="2", total=900)
    with portal(searching(forever)) as (crm, _):
        pages = pull(crm, complete(crm))
    assert [ids_of([page]) for page in pages] == [["1", "2"], ["1", "2"], []]
    assert pages[-1].complete


def test_a_search_goes_on_where_only_its_total_tells_that_there_is_more() -> None:
    with portal(searching(page_of(1, 2, total=3), page_of(3, total=1))) as (crm, server):
        pages = pull(crm, complete(crm))
        searches = [json.loads(one.body) for one in server.asked if one.path.endswith("/search")]
    assert ids_of(pages) == ["1", "2", "3"]
    filters = [one["filterGroups"][0]["filters"] for one in searches]
    assert filters[1] == [
        *filters[0],
        {"propertyName": "hs_object_id", "operator": "GT", "value": "2"},
    ]
    [since] = filters[0]
    assert (since["propertyName"], since["operator"]) == ("lastmodifieddate", "GTE")
    # Behind the server's time by the index delay toward this machine, the look-back of 15 minutes,
    # and however long the answer took.
    assert 0 <= DATE_MS - (3 + 900) * 1000 - int(since["value"]) < 60_000
    assert {(one["after"], one["limit"], tuple(one["sorts"])) for one in searches} == {
        ("0", 10, ("hs_object_id",))
    }


@pytest.mark.parametrize("ids", [(2, 1), (9, 10, 3)])
def test_a_search_out_of_order_is_refused_since_its_next_page_would_skip_some(
    ids: tuple[int, ...],
) -> None:
    with portal(searching(page_of(*ids, total=99))) as (crm, _):
        cursor = complete(crm)
        with pytest.raises(ServerFault, match="not understood"):
            pull(crm, cursor)


def test_a_server_that_does_not_know_of_archived_lists_makes_nothing_gone() -> None:
    recent = "2026-09-01T11:59:30Z"
    rows = [
        row(1),
        row(2, archived=True, archivedAt=recent),
        row(3, archived=True),
        row(4, archived=True, archivedAt="2026-08-01T00:00:00Z"),
    ]
    with portal(searching(page_of(total=0), archived=rows)) as (crm, _):
        pages = pull(crm, complete(crm))
    assert gone(pages) == [Gone(Entity.CONTACT, "2"), Gone(Entity.CONTACT, "3")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"results": "x"},
        {"results": [1]},
        {"results": [{"id": "1"}]},
        {"results": [{"id": "1", "properties": None}]},
        {"results": [{"properties": {}}]},
    ],
)
def test_a_body_of_another_shape_is_a_fault_and_not_an_empty_portal(body: Any) -> None:
    with portal(lambda asked: body) as (crm, _):
        with pytest.raises(ServerFault, match="not understood"):
            pull(crm)
        with pytest.raises(ServerFault, match="not understood"):
            crm.read(Entity.CONTACT, ["1"], ["jobtitle"])


def test_a_batch_that_was_not_read_is_not_taken_for_absent_records() -> None:
    failed = page_of(1, status="COMPLETE", numErrors=1, errors=[{"category": "INTERNAL_ERROR"}])
    with portal(lambda asked: failed) as (crm, _), pytest.raises(ServerFault):
        crm.read(Entity.CONTACT, ["1", "2"], ["jobtitle"])


def test_a_row_that_was_not_asked_for_is_left_out() -> None:
    with portal(lambda asked: page_of(1, 7, status="COMPLETE")) as (crm, _):
        found = crm.read(Entity.CONTACT, ["1", "2"], ["JOBTITLE"])
    assert [(one.id, dict(one.fields)) for one in found] == [("1", {"JOBTITLE": "title 1"})]


COMPANY = {"category": "HUBSPOT_DEFINED", "typeId": 279}
FIRST = {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}
CUSTOM = {"category": "USER_DEFINED", "typeId": 1, "label": "Adviser"}


def linked(id: str, *ends: tuple[Any, dict[str, Any]], after: str = "") -> dict[str, Any]:
    body: dict[str, Any] = {
        "from": {"id": id},
        "to": [{"toObjectId": end, "associationTypes": [COMPANY, kind]} for end, kind in ends],
    }
    return body | ({"paging": {"next": {"after": after}}} if after else {})


def relating(*batches: Sequence[dict[str, Any]]) -> Answers:
    left = list(batches)

    def answers(asked: Asked) -> Any:
        if "/associations/" in asked.path:
            return {"status": "COMPLETE", "results": left.pop(0) if len(left) > 1 else left[0]}
        return batch(asked)

    return answers


def companies(answers: Answers, *ids: str) -> tuple[dict[str, Any], list[Any]]:
    names = ["associations.companies", "associations.companies.primary"]
    with portal(answers) as (crm, server):
        records = crm.read(Entity.CONTACT, ids, names)
        asked = [json.loads(one.body) for one in server.asked if "/associations/" in one.path]
    return {one.id: tuple(one.fields[name] for name in names) for one in records}, asked


def test_associations_are_read_page_by_page_for_those_that_have_more() -> None:
    found, asked = companies(
        relating(
            [linked("1", ("30", COMPANY), after="x"), linked("2", (4, FIRST))],
            [linked("1", (200, FIRST), ("5", COMPANY))],
        ),
        "1",
        "2",
        "3",
    )
    assert found == {"1": ("5;30;200", "200"), "2": ("4", "4"), "3": (None, None)}
    assert asked == [
        {"inputs": [{"id": "1"}, {"id": "2"}, {"id": "3"}]},
        {"inputs": [{"id": "1", "after": "x"}]},
    ]


def test_associations_that_give_the_same_token_for_ever_end() -> None:
    found, asked = companies(relating([linked("1", ("30", COMPANY), after="same")]), "1")
    assert found == {"1": ("30", "30")}
    assert len(asked) == 2


def test_a_label_of_the_portals_own_does_not_make_a_company_the_primary_one() -> None:
    found, _ = companies(relating([linked("1", (3, CUSTOM), (4, COMPANY))]), "1")
    assert found == {"1": ("3;4", None)}


@pytest.mark.parametrize(
    "odd",
    [
        {"from": {"id": "1"}},
        {"to": []},
        {"from": {"id": "1"}, "to": [{"associationTypes": []}]},
        {"from": {"id": "1"}, "to": [{"toObjectId": "3"}]},
        {"from": {"id": "1"}, "to": [{"toObjectId": "3", "associationTypes": [{"typeId": "1"}]}]},
    ],
)
def test_associations_of_another_shape_are_a_fault_and_not_none(odd: dict[str, Any]) -> None:
    with pytest.raises(ServerFault, match="not understood"):
        companies(relating([odd]), "1")


@pytest.mark.parametrize(
    "described",
    [{"results": [{"type": "string"}]}, {"results": [{"name": "x", "options": "y"}]}, {}],
)
def test_a_description_of_another_shape_is_a_fault_and_not_an_object_without_properties(
    described: dict[str, Any],
) -> None:
    with (
        scripted(reply(body=described)) as server,
        closing(connected(server)) as crm,
        pytest.raises(ServerFault),
    ):
        crm.describe(Entity.CONTACT)


PAGE = b"<!doctype html><title>Welcome</title>"


@pytest.mark.parametrize(
    "answered",
    [reply(200, PAGE), reply(400, PAGE), reply(403, PAGE), reply(404, PAGE),
     reply(302, b"", {"Location": "https://elsewhere.example/"})],
)  # fmt: skip
def test_a_page_instead_of_data_points_to_the_address(answered: Reply) -> None:
    with (
        scripted(answered) as server,
        closing(connected(server)) as crm,
        pytest.raises(CrmSyncError) as caught,
    ):
        crm.check()
    assert "base_url" in caught.value.fix


def test_another_api_is_not_taken_for_a_portal() -> None:
    with scripted(reply(body={"hello": "you"})) as server, closing(connected(server)) as crm:
        [finding] = crm.check()
    assert (finding.subject, finding.level) == ("sign-in", Level.PROBLEM)
    assert "base_url" in finding.fix


def test_what_a_partial_list_of_properties_leaves_out_is_read_and_written_all_the_same() -> None:
    # Every object has `hs_object_id`: a list without it cannot be the whole one.
    with portal(lambda _: page_of(1)) as (crm, server):
        [page] = crm.pull(Entity.CONTACT, ["unasked", "undescribed"], cursor=None)
        update = Write(Operation.UPDATE, Entity.CONTACT, "k", "1", {"undescribed": "new"})
        [result] = crm.write([update])
        sent = json.loads(server.asked[-1].body)
    assert [dict(one.fields) for one in page.records] == [{"unasked": "x", "undescribed": None}]
    assert sent["inputs"][0]["properties"] == {"undescribed": "new"}
    assert result.outcome is Outcome.APPLIED
