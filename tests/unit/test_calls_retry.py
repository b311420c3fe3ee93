from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from crm_sync.calls.breaker import Breaker
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy, call_with_retry
from crm_sync.connector import Usage
from crm_sync.errors import (
    AccessDenied,
    BreakerOpen,
    CrmSyncError,
    QuotaReached,
    RateLimited,
    ServerFault,
    Unreachable,
)


class Script:
    """Raises the scripted errors one after another, then answers `"done"`."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_a_passing_fault_is_tried_again() -> None:
    script = Script(Unreachable("no route"), ServerFault("503"))
    assert call_with_retry(RetryPolicy(), script, kind="read", sleep=lambda s: None) == "done"
    assert script.calls == 3


@pytest.mark.parametrize(
    "error", [AccessDenied("no"), QuotaReached("full"), BreakerOpen("open"), ValueError("bug")]
)
def test_what_time_does_not_mend_is_raised_at_once(error: Exception) -> None:
    script = Script(error)
    with pytest.raises(type(error)):
        call_with_retry(RetryPolicy(), script, kind="read", sleep=lambda s: None)
    assert script.calls == 1


def test_whoever_calls_may_say_what_is_tried_again() -> None:
    script = Script(ServerFault("503"), Unreachable("no route"))
    with pytest.raises(Unreachable):
        call_with_retry(
            RetryPolicy(), script, kind="write", sleep=lambda s: None,
            repeat=lambda error: isinstance(error, ServerFault),
        )  # fmt: skip
    assert script.calls == 2


def test_the_number_of_attempts_is_bounded_and_the_last_error_is_raised_as_it_is() -> None:
    script = Script(*[ServerFault(f"fault {n}") for n in range(9)])
    with pytest.raises(ServerFault, match="fault 2"):
        call_with_retry(RetryPolicy(attempts=3), script, kind="read", sleep=lambda s: None)
    assert script.calls == 3


@given(asked=st.floats(0, 100))
def test_the_crms_retry_after_is_kept_to_and_hardly_exceeded(asked: float) -> None:
    pauses: list[float] = []
    script = Script(RateLimited("slow down", retry_after=asked))
    call_with_retry(RetryPolicy(), script, kind="read", sleep=pauses.append)
    assert len(pauses) == 1
    assert asked <= pauses[0] <= asked * 1.2


def test_a_pause_longer_than_the_time_left_is_not_begun() -> None:
    pauses: list[float] = []
    script = Script(RateLimited("slow down", retry_after=3600))
    with pytest.raises(RateLimited) as caught:
        call_with_retry(RetryPolicy(total_seconds=60), script, kind="read", sleep=pauses.append)
    assert pauses == []
    assert caught.value.retry_after == 3600


@given(
    attempts=st.integers(1, 30),
    total=st.floats(0, 500),
    asked=st.lists(st.none() | st.floats(0, 200), min_size=40, max_size=40),
)
def test_all_pauses_together_stay_within_the_policy(
    attempts: int, total: float, asked: list[float | None]
) -> None:
    policy = RetryPolicy(attempts=attempts, total_seconds=total)
    pauses: list[float] = []
    script = Script(*[ServerFault("down", retry_after=pause) for pause in asked])
    with pytest.raises(ServerFault):
        call_with_retry(policy, script, kind="read", sleep=pauses.append)
    assert script.calls <= attempts
    assert sum(pauses) <= total


def test_the_log_names_the_kind_of_fault_but_not_its_words() -> None:
    script = Script(ServerFault("jane@acme.example is locked"))
    with capture_logs() as logs:
        call_with_retry(RetryPolicy(), script, kind="pull", sleep=lambda s: None)
    assert [(log["event"], log["kind"], log["error"]) for log in logs] == [
        ("call.retry", "pull", "ServerFault")
    ]
    assert "jane" not in repr(logs)


class Clock:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def through(breaker: Breaker, error: CrmSyncError | None = None) -> None:
    with breaker.guard():
        if error is not None:
            raise error


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ServerFault):
            through(breaker, ServerFault("down"))


def test_the_breaker_opens_after_faults_in_a_row_and_says_when_to_come_back() -> None:
    breaker = Breaker(3, 60, clock=Clock())
    fail(breaker, 3)
    with pytest.raises(BreakerOpen) as caught:
        through(breaker)
    assert caught.value.exit_code == 75
    assert caught.value.retry_after == 60
    assert "60 s" in caught.value.fix
    assert breaker.trips == 1


def test_an_answer_between_faults_keeps_the_breaker_closed() -> None:
    breaker = Breaker(3, 60, clock=Clock())
    for _ in range(5):
        fail(breaker, 2)
        with pytest.raises(RateLimited):
            through(breaker, RateLimited("slow down"))
    through(breaker)
    assert breaker.trips == 0


def test_after_the_cool_down_one_good_call_closes_the_breaker() -> None:
    clock = Clock()
    breaker = Breaker(2, 60, clock=clock)
    fail(breaker, 2)
    clock.now = 61
    through(breaker)
    fail(breaker, 1)
    through(breaker)
    assert breaker.trips == 1


def test_after_the_cool_down_one_bad_call_keeps_it_open_as_long_again() -> None:
    clock = Clock()
    breaker = Breaker(2, 60, clock=clock)
    fail(breaker, 2)
    clock.now = 61
    fail(breaker, 1)
    clock.now = 120
    with pytest.raises(BreakerOpen):
        through(breaker)


def test_while_one_call_probes_the_others_wait_outside() -> None:
    clock = Clock()
    breaker = Breaker(1, 60, clock=clock)
    fail(breaker, 1)
    clock.now = 61
    with breaker.guard(), pytest.raises(BreakerOpen):
        through(breaker)
    through(breaker)


@pytest.mark.parametrize(
    ("usage", "stops"),
    [
        (None, False),
        (Usage(79, 100), False),
        (Usage(80, 100), False),
        (Usage(81, 100), True),
        (Usage(120, 100), True),
        (Usage(0, 0), True),
    ],
)
def test_the_quota_floor_stops_below_its_share(usage: Usage | None, stops: bool) -> None:
    if not stops:
        QuotaFloor(0.2).check(usage)
        assert usage is None or usage.left >= 0.199
        return
    with pytest.raises(QuotaReached, match=f"{usage.used} of {usage.allowed}" if usage else ""):
        QuotaFloor(0.2).check(usage)
