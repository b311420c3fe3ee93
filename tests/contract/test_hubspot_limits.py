from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.connector import QuotaReached, RateLimited
from crm_sync_hubspot.client import HubSpotClient
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.sandbox import HubSpotSandbox
from crm_sync_hubspot.sandbox.portal import Settings

CONTACTS = path("list", object="contacts")
SEARCH = path("search", object="contacts")
QUESTION = {"filterGroups": [], "sorts": [], "properties": [], "limit": 10, "after": 0}
TITLE = {"inputs": [{"id": "1", "properties": {"jobtitle": "CRO"}}]}
START = datetime(2026, 9, 1, 8, tzinfo=UTC)
FASTER = 40.0
"""Simulated seconds in a real one; threads and HTTP stay real."""


class Portal:
    """A sandbox and clients of it on one clock that runs fast."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._zero = time.monotonic()
        self.statuses: list[int] = []
        self.sandbox = HubSpotSandbox.open(
            folder / "portal.db",
            settings=settings,
            clock=lambda: START + timedelta(seconds=self.clock()),
        )
        answer = self.sandbox.respond

        def respond(request: Any) -> Any:
            response = answer(request)
            self.statuses.append(response.status if response else 0)
            return response

        self.sandbox.respond = respond  # type: ignore[method-assign]
        self.url = self.sandbox.start().url

    def clock(self) -> float:
        return (time.monotonic() - self._zero) * FASTER

    def client(self) -> HubSpotClient:
        """A client with a limiter of its own, as in another process."""
        auth = {"flow": "token", "access_token": "sandbox-token"}
        config = HubSpotConfig.model_validate({"base_url": self.url, "auth": auth})
        return HubSpotClient(
            config, clock=self.clock, sleep=lambda seconds: time.sleep(seconds / FASTER)
        )

    @property
    def refused(self) -> int:
        return self.statuses.count(429)


@contextmanager
def portal(folder: Path, **settings: Any) -> Iterator[Portal]:
    opened = Portal(folder, Settings(**settings))
    try:
        yield opened
    finally:
        opened.sandbox.close()


def in_threads(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


def ask(client: HubSpotClient, times: int) -> None:
    for _ in range(times):
        client.call("GET", CONTACTS)


@pytest.mark.parametrize("size", [20, 60])
def test_threads_use_the_portals_limit_and_are_never_refused(tmp_path: Path, size: int) -> None:
    with portal(tmp_path, ten_secondly=size) as crm:
        client = crm.client()
        client.call("GET", CONTACTS)  # its headers tell the size
        began = crm.clock()
        in_threads(6, lambda: ask(client, size // 2))
        lasted = crm.clock() - began
        # Three windows' worth: two pauses, and what a slow machine adds to them.
        assert crm.refused == 0
        assert crm.statuses.count(200) == 3 * size + 1
        assert 20.0 <= lasted < 60.0


def test_searches_are_never_refused_though_no_header_tells(tmp_path: Path) -> None:
    with portal(tmp_path, search=5) as crm:
        client = crm.client()

        def work() -> None:
            for _ in range(10):
                client.call("POST", SEARCH, body=QUESTION, search=True)

        in_threads(4, work)
        assert crm.refused == 0
        assert crm.statuses.count(200) == 40


def test_a_limit_per_second_that_the_headers_tell_is_kept(tmp_path: Path) -> None:
    with portal(tmp_path, secondly=3) as crm:
        client = crm.client()
        client.call("GET", CONTACTS)
        in_threads(4, lambda: ask(client, 6))
        assert crm.refused == 0


def patiently(client: HubSpotClient, crm: Portal, calls: int) -> None:
    done = 0
    while done < calls:
        try:
            client.call("GET", CONTACTS)
            done += 1
        except RateLimited as refusal:
            time.sleep((refusal.retry_after or 0) / FASTER)


def test_two_processes_of_one_app_share_its_limit_without_a_storm_of_refusals(
    tmp_path: Path,
) -> None:
    with portal(tmp_path, ten_secondly=40) as crm:
        in_threads(2, lambda: patiently(crm.client(), crm, 100))
        assert crm.statuses.count(200) == 200
        assert crm.refused <= 10


def test_the_end_of_the_day_stops_and_its_usage_is_told(tmp_path: Path) -> None:
    with portal(tmp_path, daily=3) as crm:
        client = crm.client()
        for left in (2, 1, 0):
            client.call("GET", CONTACTS)
            usage = client.usage()
            assert usage is not None
            assert (usage.used, usage.allowed) == (3 - left, 3)
        with pytest.raises(QuotaReached, match="daily") as caught:
            client.call("GET", CONTACTS)
        assert "midnight" in caught.value.fix


def test_a_portal_that_others_use_up_is_waited_for(tmp_path: Path) -> None:
    with portal(tmp_path, ten_secondly=30) as crm:
        others, ours = crm.client(), crm.client()
        ours.call("GET", CONTACTS)
        in_threads(3, lambda: ask(others, 9))
        ours.call("GET", CONTACTS)  # its headers say that one is left, which a read leaves alone
        began = crm.clock()
        ours.call("GET", CONTACTS)
        assert crm.refused == 0
        assert crm.clock() - began > 5.0


def test_a_write_is_not_held_back_and_finds_the_room_that_reads_leave_it(tmp_path: Path) -> None:
    with portal(tmp_path, ten_secondly=20) as crm:
        client = crm.client()
        ask(client, 18)
        update = path("batch_update", object="contacts")
        for _ in range(2):
            began = crm.clock()
            client.call("POST", update, body=TITLE, writes=True)
            assert crm.clock() - began < 8.0
        before = len(crm.statuses)
        with pytest.raises(RateLimited) as caught:
            client.call("POST", update, body=TITLE, writes=True)
        # Nothing was sent: whoever writes reads the records again after the pause.
        assert len(crm.statuses) == before
        assert caught.value.sent is False
        assert 0 < (caught.value.retry_after or 0) <= 10.1
        time.sleep((caught.value.retry_after or 0) / FASTER)
        client.call("POST", update, body=TITLE, writes=True)
        assert crm.refused == 0
