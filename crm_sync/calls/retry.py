"""The one retry policy. Nothing else in crm-sync, and no vendor library under it, repeats a call.

What may be repeated is said by the error: a retryable `TryLater` is. Reads are repeated call by
call, in `Steady`. A write is not: during a pause a person may edit the record, so that whoever
writes begins again with reading it (`crm_sync.applying.send`). A pause that the CRM asks for is
kept to; otherwise the pauses grow and are spread at random, so that several processes do not knock
in step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from crm_sync.errors import TryLater

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")
Sleep = Callable[[float], None]
Repeat = Callable[[BaseException], bool]

_SPREAD = 0.1
"""By how much of itself a requested pause is lengthened at most; it is never shortened."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one thing is tried; times are in seconds.

    It is given up after `attempts`, or when the next pause would pass `total_seconds` since
    the first attempt: its last error is then raised as it is.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 60.0
    total_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.first_pause, self.longest_pause, self.total_seconds) < 0:
            raise ValueError("a retry policy needs one attempt at least and no negative times")


def may_repeat(error: BaseException) -> bool:
    """Whether time may mend this error."""
    return isinstance(error, TryLater) and error.retryable


def call_with_retry(
    policy: RetryPolicy,
    do: Callable[[], T],
    *,
    kind: str,
    repeat: Repeat = may_repeat,
    sleep: Sleep = time.sleep,
) -> T:
    """The result of `do`, tried again as the policy allows; else its last error.

    `kind` names the call in the log. `repeat` says after which errors it is tried again; `do`
    must be harmless to repeat after them.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    def log(state: RetryCallState) -> None:
        import structlog

        error = state.outcome.exception() if state.outcome else None
        structlog.get_logger("crm_sync.calls").info(
            "call.retry",
            kind=kind,
            attempt=state.attempt_number,
            pause=round(state.upcoming_sleep, 2),
            error=type(error).__name__,
        )

    def out_of_time(state: RetryCallState) -> bool:
        # Pauses are counted by themselves too, so that an injected `sleep` cannot stretch them.
        elapsed = max(state.seconds_since_start or 0.0, state.idle_for)
        return elapsed + state.upcoming_sleep > policy.total_seconds

    retrying = Retrying(
        sleep=sleep,
        retry=retry_if_exception(repeat),
        wait=lambda state: _pause(policy, state),
        stop=lambda state: stop_after_attempt(policy.attempts)(state) or out_of_time(state),
        before_sleep=log,
        reraise=True,
    )
    return retrying(do)


def _pause(policy: RetryPolicy, state: RetryCallState) -> float:
    from tenacity import wait_random, wait_random_exponential

    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TryLater) else None
    if asked is not None:
        asked = max(0.0, asked)
        return asked + wait_random(0, asked * _SPREAD)(state)
    return wait_random_exponential(policy.first_pause, policy.longest_pause)(state)
