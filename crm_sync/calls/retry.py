"""The one retry policy. Nothing else in crm-sync, and no vendor library under it, repeats a call.

What may be repeated is said by the error: a retryable `TryLater` is, unless it is a write that
may have reached the CRM. A pause that the CRM asks for is kept to; otherwise the pauses grow and
are spread at random, so that several processes do not knock in step.
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

_SPREAD = 0.1
"""By how much of itself a requested pause is lengthened at most; it is never shortened."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one call is tried; times are in seconds.

    A call is given up after `attempts`, or when the next pause would pass `total_seconds` since
    the first attempt: its last error is then raised as it is.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 60.0
    total_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.first_pause, self.longest_pause, self.total_seconds) < 0:
            raise ValueError("a retry policy needs one attempt at least and no negative times")


def call_with_retry(
    policy: RetryPolicy,
    do: Callable[[], T],
    *,
    kind: str,
    writes: bool = False,
    sleep: Sleep = time.sleep,
) -> T:
    """The result of `do`, tried again as the policy allows; else its last error.

    `kind` names the call in the log. With `writes`, an error that says `sent` ends it at once.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    def log(state: RetryCallState) -> None:
        import structlog

        error = state.outcome.exception() if state.outcome else None
        structlog.get_logger("crm_sync.calls").warning(
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
        retry=retry_if_exception(lambda error: may_repeat(error, writes=writes)),
        wait=lambda state: _pause(policy, state),
        stop=lambda state: stop_after_attempt(policy.attempts)(state) or out_of_time(state),
        before_sleep=log,
        reraise=True,
    )
    return retrying(do)


def may_repeat(error: BaseException, *, writes: bool) -> bool:
    """Whether the same call may be made again after this error."""
    return isinstance(error, TryLater) and error.retryable and not (writes and error.sent)


def _pause(policy: RetryPolicy, state: RetryCallState) -> float:
    from tenacity import wait_random, wait_random_exponential

    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, TryLater) else None
    if asked is not None:
        asked = max(0.0, asked)
        return asked + wait_random(0, asked * _SPREAD)(state)
    return wait_random_exponential(policy.first_pause, policy.longest_pause)(state)
