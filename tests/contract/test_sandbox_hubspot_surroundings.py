"""What surrounds the records of the HubSpot sandbox: owners, pipelines, the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hubspot_http import DATED, Api, running

OWNERS = f"/crm/owners/{DATED}"
PIPELINES = f"/crm/pipelines/{DATED}"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        rows = [
            (1, {"email": "Ada@one.example", "firstName": "Ada", "userId": 11}, 0),
            (2, {"email": "bea@one.example"}, 0),
            (3, {"email": "cid@one.example", "userId": 13}, 1),
        ]
        with opened.sandbox.portal.database.writing() as sql:
            for id, definition, archived in rows:
                sql.execute(
                    "INSERT INTO owner VALUES (?, ?, ?)", (id, json.dumps(definition), archived)
                )
        yield opened


def ids(api: Api, **query: str) -> list[str]:
    return [one["id"] for one in api.ok("GET", OWNERS, params=query)["results"]]


def test_owners_that_left_are_listed_apart(api: Api) -> None:
    assert ids(api) == ["1", "2"]
    assert ids(api, archived="true") == ["3"]
    gone = api.ok("GET", f"{OWNERS}/3", params={"archived": "true"})
    assert "userId" not in gone
    assert gone["userIdIncludingInactive"] == 13
    assert api.call("GET", f"{OWNERS}/3").status_code == 404


def test_owners_are_found_by_email_and_user(api: Api) -> None:
    assert ids(api, email="ada@ONE.example") == ["1"]
    assert ids(api, email="nobody@one.example") == []
    assert api.ok("GET", f"{OWNERS}/11", params={"idProperty": "userId"})["id"] == "1"


def test_owners_come_in_pages(api: Api) -> None:
    first = api.ok("GET", OWNERS, params={"limit": "1"})
    assert ids(api, limit="1", after=first["paging"]["next"]["after"]) == ["2"]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "after=x", "after=%2B1"])
def test_pages_that_make_no_sense_are_refused(api: Api, query: str) -> None:
    assert api.call("GET", f"{OWNERS}?{query}").status_code == 400


def test_an_owner_is_named_by_number(api: Api) -> None:
    assert api.call("GET", f"{OWNERS}/none").status_code == 400
    assert api.call("GET", f"{OWNERS}/1", params={"idProperty": "email"}).status_code == 400
    assert api.call("GET", f"{OWNERS}/99").status_code == 404


def test_deals_and_tickets_have_a_pipeline(api: Api) -> None:
    for name, closed in (("deals", {"closedwon", "closedlost"}), ("0-5", {"4"})):
        (pipeline,) = api.ok("GET", f"{PIPELINES}/{name}")["results"]
        path = f"{PIPELINES}/{name}/{pipeline['id']}"
        stages = api.ok("GET", f"{path}/stages")["results"]
        assert stages == pipeline["stages"] == api.ok("GET", path)["stages"]
        shut = {one["id"] for one in stages if one["metadata"]["isClosed"] == "true"}
        assert shut == closed
        assert api.ok("GET", f"{path}/stages/{stages[0]['id']}") == stages[0]
        assert api.call("GET", f"{path}/stages/none").status_code == 404
    assert api.call("GET", f"{PIPELINES}/contacts").status_code == 400
    assert api.call("GET", f"{PIPELINES}/deals/none").status_code == 404


def test_stages_are_what_deals_can_be_in(api: Api) -> None:
    (pipeline,) = api.ok("GET", "/crm/v3/pipelines/deals")["results"]
    stage = pipeline["stages"][0]["id"]
    made = api.create("deals", dealname="Deal", pipeline=pipeline["id"], dealstage=stage)
    shown = api.ok("GET", f"/crm/objects/{DATED}/deals/{made}")["properties"]
    assert (shown["pipeline"], shown["dealstage"]) == (pipeline["id"], stage)


def test_the_account_tells_where_it_is(api: Api) -> None:
    told = api.ok("GET", f"/account-info/{DATED}/details")
    assert told == api.ok("GET", "/account-info/v3/details")
    assert (told["portalId"], told["uiDomain"]) == (20260901, "app.hubspot.com")
