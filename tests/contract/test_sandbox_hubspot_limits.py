"""How often the HubSpot sandbox lets itself be called, by its own clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.sandbox.http import HttpProblem, Request, Response, route
from crm_sync_hubspot.sandbox.limits import Limits
from crm_sync_hubspot.sandbox.portal import Portal, Settings
from tests.support.hubspot_http import DATED, Api, Clock, running

OWNERS = f"/crm/owners/{DATED}"
SEARCH = f"/crm/objects/{DATED}/contacts/search"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    limits = Settings(ten_secondly=5, daily=20, search=2)
    with running(tmp_path / "portal.db", limits) as opened:
        yield opened


def policy(answer: requests.Response) -> str | None:
    if answer.status_code != 429:
        return None
    body = answer.json()
    assert (body["status"], body["errorType"]) == ("error", "RATE_LIMIT")
    assert "Retry-After" not in answer.headers
    return str(body["policyName"])


def test_the_window_of_ten_seconds_rolls(api: Api) -> None:
    for _ in range(5):
        assert api.call("GET", OWNERS).status_code == 200
        api.clock.advance(1)
    assert policy(api.call("GET", OWNERS)) == "TEN_SECONDLY_ROLLING"
    api.clock.advance(5)
    assert api.call("GET", OWNERS).status_code == 200
    assert policy(api.call("GET", OWNERS)) == "TEN_SECONDLY_ROLLING"
    api.clock.advance(1)
    assert api.call("GET", OWNERS).status_code == 200
    assert len(api.sandbox.limits.refused) == 2


def test_headers_tell_what_is_left(api: Api) -> None:
    headers = api.call("GET", OWNERS).headers
    assert headers["X-HubSpot-RateLimit-Max"] == "5"
    assert headers["X-HubSpot-RateLimit-Remaining"] == "4"
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers["X-HubSpot-RateLimit-Daily"] == "20"
    assert headers["X-HubSpot-RateLimit-Daily-Remaining"] == "19"
    assert "X-HubSpot-RateLimit-Secondly" not in headers


def test_a_limit_per_second_where_the_portal_has_one(api: Api) -> None:
    api.sandbox.portal.settings.secondly = 2
    assert api.call("GET", OWNERS).headers["X-HubSpot-RateLimit-Secondly-Remaining"] == "1"
    assert api.call("GET", OWNERS).status_code == 200
    assert policy(api.call("GET", OWNERS)) == "SECONDLY"
    api.clock.advance(1)
    assert api.call("GET", OWNERS).status_code == 200


def test_searches_have_a_limit_of_their_own_and_no_headers(api: Api) -> None:
    for _ in range(2):
        answer = api.call("POST", SEARCH, {})
        assert answer.status_code == 200
        assert not [name for name in answer.headers if "ratelimit" in name.lower()]
    refused = api.call("POST", SEARCH, {})
    assert policy(refused) == "SECONDLY"
    assert not [name for name in refused.headers if "ratelimit" in name.lower()]
    assert api.call("GET", OWNERS).headers["X-HubSpot-RateLimit-Remaining"] == "4"
    api.clock.advance(1)
    assert api.call("POST", SEARCH, {}).status_code == 200


def test_the_day_ends_at_midnight(api: Api) -> None:
    for _ in range(20):
        assert api.call("GET", OWNERS).status_code == 200
        api.clock.advance(3)
    refused = api.call("GET", OWNERS)
    assert policy(refused) == "DAILY"
    assert refused.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    assert policy(api.call("POST", SEARCH, {})) == "DAILY"
    api.clock.advance(12 * 3_600)
    assert api.call("GET", OWNERS).status_code == 200


def test_the_account_tells_its_use(api: Api) -> None:
    api.call("GET", OWNERS)
    path = f"/account-info/{DATED}/api-usage/daily/private-apps"
    (told,) = api.ok("GET", path)["results"]
    assert (told["usageLimit"], told["currentUsage"]) == (20, 2)
    assert told["resetsAt"] == "2026-06-16T00:00:00.000Z"
    assert api.ok("GET", f"/account-info/{DATED}/details")["portalId"] == 20260901


_CALL = Request("GET", OWNERS, {}, b"", "http://127.0.0.1")
_ROUTE = route("GET", OWNERS, "owners", lambda _: Response(204))


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.floats(0, 4), max_size=60), most=st.integers(1, 6))
def test_no_ten_seconds_hold_more_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, steps: list[float], most: int
) -> None:
    portal, clock = _portal(tmp_path_factory, most)
    limits, granted = Limits(portal), []
    for step in steps:
        clock.advance(step)
        now = clock.now.timestamp()
        recent = sum(1 for when in granted if when > now - 10)
        try:
            limits.check(_CALL, _ROUTE)
        except HttpProblem:
            assert recent == most
        else:
            assert recent < most
            granted.append(now)
    portal.database.close()


def test_threads_share_one_allowance(tmp_path_factory: pytest.TempPathFactory) -> None:
    portal, _ = _portal(tmp_path_factory, 30)
    limits, granted = Limits(portal), []

    def ask() -> None:
        for _ in range(20):
            try:
                limits.check(_CALL, _ROUTE)
            except HttpProblem:
                continue
            granted.append(1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(granted), len(limits.refused)) == (30, 50)
    portal.database.close()


def _portal(factory: pytest.TempPathFactory, most: int) -> tuple[Portal, Clock]:
    from crm_sync.sandbox.calls import Calls

    clock = Clock()
    path = factory.mktemp("limits") / "portal.db"
    return Portal(path, Calls(), settings=Settings(ten_secondly=most), clock=clock), clock
