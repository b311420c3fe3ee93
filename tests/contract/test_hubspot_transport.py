from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_sync.connector import (
    BatchRejected,
    ConfigError,
    QuotaReached,
    RateLimited,
    ServerFault,
    Unreachable,
    Usage,
)
from crm_sync.errors import CrmSyncError
from crm_sync_hubspot import http
from crm_sync_hubspot.client import HubSpotClient
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.limits import SHARED
from crm_sync_hubspot.paths import path
from tests.support.scripted_http import Reply, hang_up, reply, scripted, stream

READ = path("batch_read", object="contacts")
DATE = "Tue, 01 Sep 2026 12:00:00 GMT"
TRICKLE = {"Content-Length": "1000000"}


def client(url: str, **settings: Any) -> HubSpotClient:
    auth = {"flow": "token", "access_token": "sandbox-token"}
    return HubSpotClient(HubSpotConfig.model_validate({"base_url": url, "auth": auth, **settings}))


@pytest.mark.parametrize("status", [200, 201, 207])
def test_any_2xx_is_an_answer_and_the_caller_looks_at_the_rows(status: int) -> None:
    body = {"results": [], "numErrors": 1, "errors": [{"category": "X"}]}
    with scripted(reply(status, body)) as server:
        answer = client(server.url).call("POST", READ, body={"inputs": []}, writes=True)
    assert (answer.status, answer.body) == (status, body)


def test_204_has_no_body() -> None:
    with scripted(reply(204, b"")) as server:
        assert client(server.url).call("POST", READ, writes=True).body is None


def test_text_arrives_as_it_was_sent() -> None:
    text = 'é 🦜 " \\ \n \u2028 \u0000 名'
    with scripted(reply(body={"value": text})) as server:
        answer = client(server.url).call("POST", READ, body={"value": text}, params={"q": text})
        [asked] = server.asked
    assert answer.body == {"value": text}
    assert json.loads(asked.body) == {"value": text}
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["User-Agent"] == "crm-sync"
    assert asked.headers["Authorization"] == "Bearer sandbox-token"
    assert asked.path.startswith(f"{READ}?q=%C3%A9%20")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "half \ud83e of one"])
def test_what_json_cannot_hold_is_refused_before_it_is_sent(value: object) -> None:
    with scripted(reply(body={})) as server:
        crm = client(server.url)
        with pytest.raises(BatchRejected):
            crm.call("POST", READ, body={"value": value}, writes=True)
        with pytest.raises(ConfigError):
            crm.call("POST", READ, body={"value": value})
        assert server.asked == []


def test_the_question_is_dated_by_the_servers_clock_before_it_was_answered() -> None:
    def slowly(handler: Any) -> None:
        time.sleep(0.3)
        handler.date_time_string = lambda: DATE
        reply(body={})(handler)

    told = datetime(2026, 9, 1, 12, tzinfo=UTC)
    with scripted(slowly) as server:
        asked = client(server.url).call("GET", READ).asked_at
    assert told - timedelta(seconds=5) < asked <= told - timedelta(seconds=0.3)


def test_without_a_date_it_is_dated_by_our_own_clock() -> None:
    def undated(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    before = datetime.now(UTC)
    with scripted(undated) as server:
        asked = client(server.url).call("GET", READ).asked_at
    assert before <= asked <= datetime.now(UTC)


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize(
    "broken",
    [
        hang_up,
        stream(lambda: iter([b'{"results": [']), {"Content-Length": "5000", "Connection": "close"}),
        stream(lambda: iter([b"5\r\n{", b"oops"]), {"Transfer-Encoding": "chunked"}),
        reply(200, b"<html>Down for maintenance</html>"),
        reply(200, b"not gzip", {"Content-Encoding": "gzip"}),
        reply(502, b"<html>Bad gateway</html>"),
        reply(524, b"error code: 524"),
    ],
)
def test_a_lost_answer_leaves_a_write_open(broken: Reply, writes: bool) -> None:
    def and_leave(handler: Any) -> None:
        broken(handler)
        handler.close_connection = True

    with scripted(and_leave) as server:
        with pytest.raises(ServerFault) as caught:
            client(server.url).call("POST", READ, body={}, writes=writes)
        assert len(server.asked) == 1
    assert caught.value.sent is writes


@pytest.mark.parametrize("writes", [True, False])
def test_silence_is_a_time_out(writes: bool) -> None:
    with scripted(lambda _: time.sleep(1.0)) as server:
        with pytest.raises(ServerFault, match="in time") as caught:
            client(server.url, read_timeout=0.2).call("POST", READ, body={}, writes=writes)
        assert len(server.asked) == 1
    assert caught.value.sent is writes


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def flood() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1 << 20)
    endless = stream(flood, {"Connection": "close"})
    with scripted(endless) as server, pytest.raises(ServerFault, match="without end"):
        client(server.url).call("GET", READ)


def test_a_trickle_is_cut_off_though_it_is_never_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield b"x"

    monkeypatch.setattr(http, "MAX_ANSWER_SECONDS", 0.3)
    started = time.monotonic()
    with scripted(stream(trickle, TRICKLE)) as server, pytest.raises(ServerFault, match="without"):
        client(server.url, read_timeout=5).call("GET", READ)
    assert time.monotonic() - started < 3


def test_packed_answers_are_read_and_packed_bombs_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = {"Content-Encoding": "gzip"}
    answers = [gzip.compress(b'{"a": 1}'), gzip.compress(b" " * (8 << 20))]
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1 << 20)
    with scripted(*(reply(body=one, headers=packed) for one in answers)) as server:
        crm = client(server.url)
        assert crm.call("GET", READ).body == {"a": 1}
        with pytest.raises(ServerFault, match="without end"):
            crm.call("GET", READ)


def test_a_redirect_is_named_and_not_followed() -> None:
    with scripted(reply(body={})) as other:
        away = {"Location": f"{other.url}/elsewhere?token=x"}
        with scripted(reply(302, b"", away)) as server:
            with pytest.raises(ConfigError, match=r"redirects to 127\.0\.0\.1"):
                client(server.url).call("GET", READ)
            assert len(server.asked) == 1
        assert other.asked == []


@pytest.mark.parametrize("place", ["//evil.example/x", "https://evil.example/x", "relative", ""])
def test_a_path_that_leads_elsewhere_is_not_followed(place: str) -> None:
    with scripted(reply(body={})) as server:
        with pytest.raises(ServerFault, match="another place"):
            client(server.url).call("GET", place)
        assert server.asked == []


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable) as caught:
            client(f"http://127.0.0.1:{taken.getsockname()[1]}").call("POST", READ, writes=True)
    assert not caught.value.sent


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with scripted(reply(body={})) as server:
        assert client(server.url).call("GET", READ).status == 200


def test_one_connection_serves_many_calls() -> None:
    ports = set()

    def note(handler: Any) -> None:
        ports.add(handler.client_address[1])
        reply(body={})(handler)

    with scripted(note) as server:
        crm = client(server.url)
        for _ in range(20):
            crm.call("GET", READ)
        crm.close()
    assert len(ports) == 1


def limited(policy: str, headers: Mapping[str, str] | None = None) -> Reply:
    body = {"status": "error", "errorType": "RATE_LIMIT", "policyName": policy, "message": "no"}
    return reply(429, body, headers)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (limited("TEN_SECONDLY_ROLLING"), RateLimited),
        (limited("DAILY"), QuotaReached),
        (reply(423, b""), RateLimited),
        (reply(503, b""), ServerFault),
        (reply(400, {"category": "VALIDATION_ERROR", "message": "no"}), ConfigError),
    ],
)
def test_nothing_is_repeated(answer: Reply, kind: type[CrmSyncError]) -> None:
    with scripted(answer) as server:
        with pytest.raises(kind):
            client(server.url).call("POST", READ, body={})
        assert len(server.asked) == 1


def test_the_days_allowance_is_followed_per_client() -> None:
    told = {"X-HubSpot-RateLimit-Daily": "1000", "X-HubSpot-RateLimit-Daily-Remaining": "400"}
    with scripted(reply(body={}, headers=told), reply(body={})) as server:
        crm = client(server.url)
        assert crm.usage() is None
        crm.call("GET", READ)
        crm.call("POST", path("search", object="contacts"), body={}, search=True)
        assert crm.usage() == Usage(600, 1000)
        # What an earlier run was told would keep a new one from ever asking again.
        assert client(server.url).usage() is None


def test_a_refusal_pauses_every_client_of_the_portal() -> None:
    with scripted(limited("TEN_SECONDLY_ROLLING", {"Retry-After": "1"}), reply(body={})) as server:
        first, second = client(server.url), client(server.url)
        with pytest.raises(RateLimited) as caught:
            first.call("GET", READ)
        started = time.monotonic()
        second.call("GET", READ)
    assert caught.value.retry_after == 1
    assert time.monotonic() - started >= 0.9


def test_a_lost_answer_gives_its_place_back() -> None:
    with scripted(hang_up) as server:
        crm = client(server.url)
        with pytest.raises(ServerFault):
            crm.call("GET", READ)
        config = HubSpotConfig.model_validate(
            {"base_url": server.url, "auth": {"flow": "token", "access_token": "sandbox-token"}}
        )
        slots = [SHARED.of(config).acquire(["ten_secondly"]) for _ in range(99)]
        for slot in slots:
            slot.release()
