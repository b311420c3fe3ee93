from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from crm_sync.calls.limiter import Limiter
from crm_sync.connector import Usage
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.limits import (
    SharedLimiters,
    limiter_for,
    new_limiter,
    refused,
    windows_of,
)
from crm_sync_hubspot.limits import (
    learn as learn_from,
)

CANARY = "canary-31aa"
CALL, SEARCH = windows_of(search=False), windows_of(search=True)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    return new_limiter(clock, clock.sleep)


def at_once(limiter: Limiter, clock: Clock, policies: tuple[str, ...], most: int = 1000) -> int:
    """How many calls go before one has to wait; that one waits."""
    before = clock.now
    for sent in range(most):
        with limiter.acquire(policies):
            if clock.now > before:
                return sent
    return most


def learn(limiter: Limiter, headers: dict[str, str]) -> Usage | None:
    """What the answer to one call tells."""
    with limiter.acquire([]) as slot:
        pass
    return learn_from(limiter, slot, headers)


def headers(**told: object) -> dict[str, str]:
    names = {name.replace("_", "-"): str(value) for name, value in told.items()}
    return {f"X-HubSpot-RateLimit-{name}": value for name, value in names.items()}


def test_until_told_otherwise_the_smallest_portal_is_believed(
    limiter: Limiter, clock: Clock
) -> None:
    assert at_once(limiter, clock, CALL) == 100
    assert 10.0 <= clock.now < 10.1


@pytest.mark.parametrize("size", [100, 190, 250])
def test_the_size_that_the_headers_tell_is_used(limiter: Limiter, clock: Clock, size: int) -> None:
    learn(limiter, headers(Max=size, Remaining=size, Interval_Milliseconds=10_000))
    assert at_once(limiter, clock, CALL) == size


def test_searches_keep_below_five_a_second_though_no_header_tells(
    limiter: Limiter, clock: Clock
) -> None:
    for _ in range(41):
        limiter.acquire(SEARCH).release()
    assert clock.now >= 10.0


def test_searches_do_not_hold_up_other_calls(limiter: Limiter, clock: Clock) -> None:
    assert at_once(limiter, clock, SEARCH) == 4
    now = clock.now
    assert at_once(limiter, clock, CALL, most=90) == 90
    assert clock.now == now


def test_a_limit_per_second_is_kept_once_it_is_told(limiter: Limiter, clock: Clock) -> None:
    learn(limiter, headers(Max=190, Remaining=190, Secondly=19, Secondly_Remaining=19))
    assert at_once(limiter, clock, CALL) == 19
    assert clock.now < 1.1


def test_a_refusal_per_second_that_no_header_told_of_sets_one(
    limiter: Limiter, clock: Clock
) -> None:
    learn(limiter, headers(Max=190))
    refused(limiter, "SECONDLY", 1.0, search=False)
    assert at_once(limiter, clock, CALL) == 0
    assert at_once(limiter, clock, CALL) <= 19


def test_a_refused_search_pauses_searches_only(limiter: Limiter, clock: Clock) -> None:
    refused(limiter, "SECONDLY", 5.0, search=True)
    assert at_once(limiter, clock, CALL, most=50) == 50
    assert at_once(limiter, clock, SEARCH) == 0
    assert clock.now == pytest.approx(5.0)


@pytest.mark.parametrize("policy", ["TEN_SECONDLY_ROLLING", "", "SOMETHING_NEW"])
def test_another_refusal_pauses_every_call(limiter: Limiter, clock: Clock, policy: str) -> None:
    refused(limiter, policy, 5.0, search=False)
    assert at_once(limiter, clock, CALL) == 0
    assert clock.now == pytest.approx(5.0)


def test_calls_of_another_process_of_the_same_app_are_made_room_for(
    limiter: Limiter, clock: Clock
) -> None:
    with limiter.acquire(CALL) as slot:
        pass
    learn_from(limiter, slot, headers(Max=190, Remaining=60))
    assert at_once(limiter, clock, CALL) == 60


def test_the_day_is_told_as_usage(limiter: Limiter) -> None:
    assert learn(limiter, headers(Daily=250_000, Daily_Remaining=249_000)) == Usage(1000, 250_000)
    assert learn(limiter, headers(Max=100)) is None
    assert learn(limiter, headers(Daily=0, Daily_Remaining=0)) is None


@pytest.mark.parametrize("value", ["", "x", "-1", "1e9", "9" * 40, "١٢", "1.5"])
def test_headers_that_make_no_sense_are_passed_over(
    limiter: Limiter, clock: Clock, value: str
) -> None:
    told: dict[str, Any] = dict.fromkeys(
        ["Max", "Remaining", "Secondly", "Secondly_Remaining", "Daily", "Daily_Remaining"], value
    )
    assert learn(limiter, headers(**told, Interval_Milliseconds=value)) is None
    assert at_once(limiter, clock, CALL) == 100


def config(url: str = "http://127.0.0.1:1", **auth: str) -> HubSpotConfig:
    auth = auth or {"flow": "token", "access_token": CANARY}
    return HubSpotConfig.model_validate({"base_url": url, "auth": auth})


def oauth(token: str, client: str = "app") -> HubSpotConfig:
    return config(flow="refresh_token", client_id=client, client_secret="x", refresh_token=token)


def test_connections_to_one_portal_share_a_limiter_and_others_do_not() -> None:
    shared = SharedLimiters()
    one = shared.of(config())
    assert shared.of(config()) is one
    others = [
        config(url="http://127.0.0.1:2"),
        config(flow="token", access_token="another"),
        oauth(CANARY),
        oauth("another"),
        oauth("another", client="app2"),
    ]
    assert len({id(shared.of(other)) for other in [config(), *others]}) == 6
    assert CANARY not in repr(vars(shared))


def test_a_simulated_clock_gets_a_limiter_of_its_own(clock: Clock) -> None:
    def real() -> Limiter:
        return limiter_for(config(), time.monotonic, time.sleep)

    made: Callable[[], Limiter] = lambda: limiter_for(config(), clock, clock.sleep)  # noqa: E731
    assert real() is real()
    assert made() is not made()
