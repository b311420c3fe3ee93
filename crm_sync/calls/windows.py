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

SPARED_SHARE = 0.1
"""No more of a window than this is kept spare, so that small ones still let calls through."""

PATIENCE = 2.0
"""Where none of its kind went for so many lengths of the window, a call goes before others and
leaves nothing spare. One length is nothing unusual: calls that went together come back together."""

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


_Kind = tuple[tuple[str, ...], int]


@dataclass(slots=True, eq=False)
class Ticket:
    """One call's place in the queue, and once `granted`, in every window of `policies`.

    It goes when `spare` further calls could go at once as well, and after those that wait and
    leave less spare; see `PATIENCE` for how long. `pause` is how many seconds it has to wait, as
    far as is known: infinite behind others of its kind, or when only an answer can make room.
    """

    policies: tuple[str, ...]
    spare: int = 0
    asked: float = 0.0
    pause: float = math.inf
    granted_at: float | None = None
    released: bool = False
    taken: tuple[RollingWindow, ...] = ()

    @property
    def granted(self) -> bool:
        """Whether the call may be made."""
        return self.granted_at is not None

    @property
    def kind(self) -> _Kind:
        """Calls of a kind go in the order in which they came."""
        return self.policies, self.spare


@dataclass(frozen=True, slots=True)
class Span:
    """A call that was counted somewhere between `sent` and `answered`."""

    sent: float
    answered: float


class RollingWindow:
    """What is believed to be in one window.

    A call is in it from before it is sent until the window's length after its answer came: it
    was counted somewhere in between, so that its place is never given away too early.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self._under_way = 0
        self._own: deque[Span] = deque()
        self._others: deque[Span] = deque()
        self._blocked_until = -math.inf
        self._share = 1.0
        self._share_at = 0.0

    def believed(self, now: float) -> int:
        """How many calls the window holds, after what was refused lately."""
        return max(1, int(self.window.calls * self._share_now(now)))

    def wait(self, now: float, owed: int, spare: int = 0) -> float:
        """Seconds until there is room for one call besides `owed` and `spare` ones; 0 means now.

        Infinite when only an answer can make room.
        """
        self._forget(now)
        believed = self.believed(now)
        timed = sorted(one.answered for one in (*self._own, *self._others))
        more = owed + min(spare, int(believed * SPARED_SHARE)) + 1
        surplus = self._under_way + len(timed) + more - believed
        if surplus > len(timed):
            return math.inf
        free_at = timed[surplus - 1] + self._kept if surplus > 0 else now
        return max(0.0, free_at - now, self._blocked_until - now)

    def take(self) -> None:
        """One call is about to be sent."""
        self._under_way += 1

    def release(self, sent: float, now: float) -> None:
        """One call was answered, or never will be."""
        self._under_way -= 1
        self._own.append(Span(sent, now))

    def note_remaining(self, remaining: int, asked: Ticket, now: float) -> None:
        """The answer to `asked` says that `remaining` calls are left; others made the rest.

        How many is known within bounds only: of our own calls, the CRM had certainly counted those
        that were answered before this one was sent, and perhaps all others. What is believed is
        moved into the bounds, and not further: else a call of ours that has not arrived would hide
        one of theirs.
        """
        self._forget(now)
        sent = asked.granted_at if asked.granted_at is not None else now
        certain = sum(
            one.answered <= sent and one.sent > now - self.window.seconds for one in self._own
        )
        certain += self in asked.taken
        used = self.window.calls - remaining
        while len(self._others) > max(0, used - certain):
            self._others.popleft()
        missing = used - self._under_way - len(self._own) - len(self._others)
        self._others.extend([Span(now, now)] * missing)

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
            while times and times[0].answered + self._kept <= now:
                times.popleft()


class Windows:
    """Several windows, and the calls that wait for them.

    Who leaves less spare goes first, then who came first. A call that waits keeps its place: of
    each window that it needs, one slot is owed to it before those behind it get any. It does not
    hold up those that need other windows. Nobody is passed for ever: see `PATIENCE`.
    """

    def __init__(self, windows: Iterable[Window] = ()) -> None:
        self._windows = {one.name: RollingWindow(one) for one in windows}
        self._waiting: deque[Ticket] = deque()
        self._last_gone: dict[_Kind, float] = {}

    def ask(self, policies: Sequence[str], now: float, *, spare: int = 0) -> Ticket:
        """Stand in the queue; a window that is not known (yet) does not limit."""
        ticket = Ticket(tuple(dict.fromkeys(policies)), spare, now)
        self._waiting.append(ticket)
        return ticket

    def grant(self, now: float) -> float:
        """Let everybody go whose turn it is; the seconds until somebody's may come.

        Infinite when nobody waits, or only an answer can make room.
        """
        owed: Counter[str] = Counter()
        held: set[_Kind] = set()
        soonest = math.inf
        for ticket in self._in_turn(now):
            if ticket.kind in held:
                continue
            needed = self._needed(ticket)
            ticket.pause = _pause(needed, owed, ticket.spare, self._overdue_at(ticket), now)
            if ticket.pause > 0:
                held.add(ticket.kind)
                owed.update(ticket.policies)
                soonest = min(soonest, ticket.pause)
                continue
            for one in needed:
                one.take()
            ticket.taken, ticket.granted_at = needed, now
            self._last_gone[ticket.kind] = now
        self._waiting = deque(one for one in self._waiting if not one.granted)
        return soonest

    def _in_turn(self, now: float) -> list[Ticket]:
        """Everybody who waits; of each kind that is overdue its oldest before all others."""
        oldest: dict[_Kind, Ticket] = {}
        for one in self._waiting:
            oldest.setdefault(one.kind, one)
        overdue = [one for one in oldest.values() if self._overdue_at(one) <= now]
        others = sorted(self._waiting, key=lambda one: one.spare)
        return overdue + [one for one in others if one not in overdue]

    def _overdue_at(self, ticket: Ticket) -> float:
        """When the ticket, oldest of its kind, need leave nothing spare any more."""
        longest = max((one.window.seconds for one in self._needed(ticket)), default=0.0)
        since = max(ticket.asked, self._last_gone.get(ticket.kind, -math.inf))
        return since + PATIENCE * longest

    def release(self, ticket: Ticket, now: float) -> None:
        """The call is over, or is no longer wanted; a second time does nothing."""
        if ticket.released:
            return
        ticket.released = True
        if not ticket.granted:
            self._waiting.remove(ticket)
        if ticket.granted_at is not None:
            for one in ticket.taken:
                one.release(ticket.granted_at, now)

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

    def note_remaining(self, name: str, remaining: int, asked: Ticket, now: float) -> None:
        """See `RollingWindow.note_remaining`; nothing where the window is not known."""
        if name in self._windows:
            self._windows[name].note_remaining(remaining, asked, now)

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


def _pause(
    needed: Sequence[RollingWindow], owed: Counter[str], spare: int, overdue_at: float, now: float
) -> float:
    """Seconds until a call may go, with what it leaves spare or, once it is overdue, without."""

    def until(spare: int) -> float:
        return max((one.wait(now, owed[one.window.name], spare) for one in needed), default=0.0)

    return min(until(spare), max(until(0), overdue_at - now)) if spare else until(0)
