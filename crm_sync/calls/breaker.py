"""Stops asking a CRM that keeps failing, and asks again carefully after a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from crm_sync.errors import BreakerOpen, ServerFault, Unreachable


class Breaker:
    """Opens after `threshold` faults in a row; safe to share between threads.

    Open, every call fails at once with `BreakerOpen`. After `cool_down` seconds one call is let
    through: if the CRM answers it, all are; if not, the breaker stays open for as long again. A
    fault is `Unreachable` or `ServerFault`; a refusal of any other kind is an answer.
    """

    def __init__(
        self,
        threshold: int = 8,
        cool_down: float = 60.0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if threshold < 1:
            raise ValueError("a breaker needs a threshold of one fault at least")
        self._threshold = threshold
        self._cool_down = cool_down
        self._clock = clock
        self._lock = Lock()
        self._faults = 0
        self._opened_at: float | None = None
        self._probing = False
        self._trips = 0

    @property
    def trips(self) -> int:
        """How often the breaker has opened, for metrics."""
        return self._trips

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run one call inside; raises `BreakerOpen` instead of entering when open."""
        probe = self._admit()
        try:
            yield
        except (Unreachable, ServerFault):
            self._record(fault=True)
            raise
        except Exception:
            self._record(fault=False)
            raise
        else:
            self._record(fault=False)
        finally:
            if probe:
                self._probing = False

    def _admit(self) -> bool:
        """Whether this call is the probe of a half-open breaker."""
        with self._lock:
            if self._opened_at is None:
                return False
            left = self._opened_at + self._cool_down - self._clock()
            if left > 0 or self._probing:
                raise BreakerOpen(
                    f"the CRM failed {self._faults} times in a row; no more calls for now",
                    fix=f"Try again in {max(1, round(left))} s. If it goes on, look at the "
                    "vendor's status page and at the network; nothing was lost.",
                    retry_after=max(left, 1.0),
                )
            self._probing = True
            return True

    def _record(self, *, fault: bool) -> None:
        with self._lock:
            if not fault:
                self._faults = 0
                self._opened_at = None
                return
            self._faults += 1
            if self._faults >= self._threshold:
                self._trips += self._opened_at is None
                self._opened_at = self._clock()
