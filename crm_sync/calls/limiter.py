"""Keeps the calls of many threads below a CRM's limits, so that it has nothing to refuse.

A connector makes one `Limiter` per account and puts each request between `acquire` and the
answer:

```python
limiter = Limiter([Window("ten_secondly", calls=100, seconds=10)])
with limiter.acquire(["ten_secondly"]) as slot:
    answer = send()
limiter.learn("ten_secondly", told_size, 10)              # what the answer's headers say
limiter.note_remaining("ten_secondly", told_left, slot)   # others may use the same allowance
```

Guarantees, as long as the believed sizes are not above the CRM's and nobody else calls: whatever
the latencies, the CRM never counts more calls in a window than it allows; and a call that waits
is never passed for ever by younger ones. With latencies that are small beside the window, the
whole allowance is used. Some calls can do badly with waiting: a write that follows upon a reading
of the same records. Let others leave some room (`spare`) and such a call go `within` a moment, or
not at all. Where others call too, or the CRM refuses all the same, see
`note_remaining` and `refused`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Condition
from types import TracebackType
from typing import Self

from crm_sync.calls.windows import Ticket, Window, Windows

__all__ = ["Limiter", "NoRoom", "Slot", "Window"]


class NoRoom(Exception):
    """There is no room for a call within the time that it has; `seconds` is when to ask again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no room for {seconds:.1f} s")
        self.seconds = seconds


class Slot:
    """A call's place in its windows. Give it back when the answer is there, or will never be.

    A context manager; giving it back twice does no harm.
    """

    def __init__(self, limiter: Limiter, ticket: Ticket) -> None:
        self._limiter = limiter
        self.ticket = ticket

    def release(self) -> None:
        """The call is over: its place becomes free when the window's length has passed."""
        self._limiter._release(self.ticket)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class Limiter:
    """Slots in rolling windows; safe to share between threads.

    `clock` counts seconds and never goes back. With `sleep`, waiting for time to pass is left to
    it, as a simulated clock needs; without, threads wait and wake as soon as there is room.
    """

    def __init__(
        self,
        windows: Iterable[Window] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._windows = Windows(windows)
        self._clock = clock
        self._sleep = sleep
        self._changed = Condition()

    def acquire(self, policies: Sequence[str], *, spare: int = 0, within: float = math.inf) -> Slot:
        """Wait until every named window has room, and take a slot in each.

        A window that is not known yet does not limit. `spare` slots are left to others that ask
        with less, of a small window fewer, and those go first when they wait; but where nobody who
        leaves as much went for two lengths of the window, one goes all the same. Raises `NoRoom`
        when it would take longer than `within` seconds; nobody waits for that in vain.
        """
        with self._changed:
            now = self._clock()
            ticket = self._windows.ask(policies, now, spare=spare)
            try:
                self._stand(ticket, now + within)
            except BaseException:
                self._windows.release(ticket, self._clock())
                raise
            finally:
                # Others may have been let go as well, or have to look for how long now.
                self._changed.notify_all()
        return Slot(self, ticket)

    def learn(self, name: str, calls: int, seconds: float) -> None:
        """The CRM says how large a window is; a new name is a new window.

        Raises `ValueError` for a size below one call or a length that is not positive.
        """
        window = Window(name, calls, seconds)
        with self._changed:
            if self._windows.learn(window):
                self._changed.notify_all()

    def note_remaining(self, name: str, remaining: int, slot: Slot) -> None:
        """The answer to the slot's call says how many more the CRM would take in the window.

        Those that are missing and were certainly not made here count as made by others just now.
        """
        with self._changed:
            self._windows.note_remaining(name, remaining, slot.ticket, self._clock())

    def refused(self, name: str, retry_after: float) -> None:
        """The CRM refused a call for this window's sake: it counts as full for so many seconds.

        If that happens again soon, the window is believed to be a little smaller for a while.
        """
        with self._changed:
            self._windows.refused(name, retry_after, self._clock())

    def size(self, name: str) -> int | None:
        """How many calls the window is believed to hold; None where it is not known."""
        with self._changed:
            return self._windows.size(name, self._clock())

    def _release(self, ticket: Ticket) -> None:
        with self._changed:
            self._windows.release(ticket, self._clock())
            self._changed.notify_all()

    def _stand(self, ticket: Ticket, deadline: float) -> None:
        """Wait in the queue until the ticket is granted. Raises `NoRoom`."""
        while True:
            now = self._clock()
            soonest = self._windows.grant(now)
            if ticket.granted:
                return
            known = ticket.pause if math.isfinite(ticket.pause) else 0.0
            if now >= deadline or now + known > deadline:
                raise NoRoom(known or 1.0)
            self._wait(min(soonest, deadline - now))

    def _wait(self, seconds: float) -> None:
        """Give the lock away until something changes or the time has passed."""
        if math.isinf(seconds):
            self._changed.wait()
        elif self._sleep is None:
            self._changed.wait(seconds)
        else:
            self._changed.release()
            try:
                self._sleep(seconds)
            finally:
                self._changed.acquire()
