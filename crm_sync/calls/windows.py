"""The arithmetic of a CRM's call limits: rolling windows and who waits for them.

Nothing here waits, locks or looks at a clock: time is an argument, in seconds, and never goes
back. `crm_sync.calls.limiter` puts threads around it.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MARGIN = 0.005
"""Seconds by which a slot is kept longer, for servers that count in whole milliseconds."""

SHRINK = 0.95
SMALLEST_SHARE = 0.5
RECOVERY = 0.01
REMEMBERED = 6.0
"""Refused again within so many lengths of the window, a window is believed to be smaller by
`SHRINK`, down to `SMALLEST_SHARE`; with each length that passes it grows again by `RECOVERY`."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `calls` calls in any `seconds` seconds."""

    name: str
    calls: int
    seconds: float

    def __post_init__(self) -> None:
        if self.calls < 1 or not self.seconds > 0:
            raise ValueError("a window holds one call at least, and lasts")


@dataclass(slots=True, eq=False)
class Ticket:
    """One call's place in the queue, and once `granted`, in every window of `policies`."""

    policies: tuple[str, ...]
    granted: bool = False
    released: bool = False
    taken: tuple[RollingWindow, ...] = ()


class RollingWindow:
    """What is believed to be in one window.

    A call is in it from before it is sent until the window's length after its answer came: it
    was counted somewhere in between, so that its place is never given away too early.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self._under_way = 0
        self._own: deque[float] = deque()
        self._others: deque[float] = deque()
        self._blocked_until = -math.inf
        self._share = 1.0
        self._share_at = 0.0

    def believed(self, now: float) -> int:
        """How many calls the window holds, after what was refused lately."""
        return max(1, int(self.window.calls * self._share_now(now)))

    def wait(self, now: float, owed: int) -> float:
        """Seconds until there is room for one call besides `owed` ones; 0 means now.

        Infinite when only an answer can make room.
        """
        self._forget(now)
        timed = sorted([*self._own, *self._others])
        surplus = self._under_way + len(timed) + owed + 1 - self.believed(now)
        if surplus > len(timed):
            return math.inf
        free_at = timed[surplus - 1] + self._kept if surplus > 0 else now
        return max(0.0, free_at - now, self._blocked_until - now)

    def take(self) -> None:
        """One call is about to be sent."""
        self._under_way += 1

    def release(self, now: float) -> None:
        """One call was answered, or never will be."""
        self._under_way -= 1
        self._own.append(now)

    def note_remaining(self, remaining: int, now: float) -> None:
        """The CRM says that `remaining` calls are left; what is missing was made by others."""
        self._forget(now)
        unseen = self.window.calls - remaining - self._under_way - len(self._own)
        while len(self._others) > max(0, unseen):
            self._others.popleft()
        self._others.extend([now] * (unseen - len(self._others)))

    def refused(self, pause: float, now: float) -> None:
        """The CRM refused a call; the window counts as full for `pause` seconds.

        Calls that were under way meanwhile are refused with it, and count as the same refusal.
        """
        if now >= self._blocked_until:
            share = self._share_now(now)
            if now - self._blocked_until < REMEMBERED * self.window.seconds:
                share = max(SMALLEST_SHARE, share * SHRINK)
            self._share, self._share_at = share, now
        self._blocked_until = max(self._blocked_until, now + pause)

    @property
    def _kept(self) -> float:
        return self.window.seconds + MARGIN

    def _share_now(self, now: float) -> float:
        grown = RECOVERY * (now - self._share_at) / self.window.seconds
        return min(1.0, self._share + max(0.0, grown))

    def _forget(self, now: float) -> None:
        for times in (self._own, self._others):
            while times and times[0] + self._kept <= now:
                times.popleft()


class Windows:
    """Several windows, and the calls that wait for them in the order in which they came.

    A call that waits keeps its place: of each window that it needs, one slot is owed to it before
    younger calls get any. It does not hold up those that need other windows.
    """

    def __init__(self, windows: Iterable[Window] = ()) -> None:
        self._windows = {one.name: RollingWindow(one) for one in windows}
        self._waiting: deque[Ticket] = deque()

    def ask(self, policies: Sequence[str]) -> Ticket:
        """Stand in the queue; a window that is not known (yet) does not limit."""
        ticket = Ticket(tuple(dict.fromkeys(policies)))
        self._waiting.append(ticket)
        return ticket

    def grant(self, now: float) -> float:
        """Let everybody go whose turn it is; the seconds until somebody's may come.

        Infinite when nobody waits, or only an answer can make room.
        """
        owed: Counter[str] = Counter()
        held: set[tuple[str, ...]] = set()
        still: deque[Ticket] = deque()
        soonest = math.inf
        for ticket in self._waiting:
            if ticket.policies in held:
                still.append(ticket)
                continue
            needed = self._needed(ticket)
            pause = max((one.wait(now, owed[one.window.name]) for one in needed), default=0.0)
            if pause > 0:
                held.add(ticket.policies)
                owed.update(ticket.policies)
                still.append(ticket)
                soonest = min(soonest, pause)
                continue
            for one in needed:
                one.take()
            ticket.taken, ticket.granted = needed, True
        self._waiting = still
        return soonest

    def release(self, ticket: Ticket, now: float) -> None:
        """The call is over, or is no longer wanted; a second time does nothing."""
        if ticket.released:
            return
        ticket.released = True
        if not ticket.granted:
            self._waiting.remove(ticket)
        for one in ticket.taken:
            one.release(now)

    def learn(self, window: Window) -> bool:
        """The CRM told a window's size; whether that is news."""
        known = self._windows.get(window.name)
        if known is None:
            self._windows[window.name] = RollingWindow(window)
            return True
        if known.window == window:
            return False
        known.window = window
        return True

    def note_remaining(self, name: str, remaining: int, now: float) -> None:
        """See `RollingWindow.note_remaining`; nothing where the window is not known."""
        if name in self._windows:
            self._windows[name].note_remaining(remaining, now)

    def refused(self, name: str, pause: float, now: float) -> None:
        """See `RollingWindow.refused`; nothing where the window is not known."""
        if name in self._windows:
            self._windows[name].refused(pause, now)

    def size(self, name: str, now: float) -> int | None:
        """How many calls the window is believed to hold; None where it is not known."""
        known = self._windows.get(name)
        return known.believed(now) if known else None

    def _needed(self, ticket: Ticket) -> tuple[RollingWindow, ...]:
        return tuple(self._windows[name] for name in ticket.policies if name in self._windows)
