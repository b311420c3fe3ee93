from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.calls.limiter import Limiter, NoRoom, Window
from crm_sync.calls.windows import Ticket, Windows

TEN = "ten"


class Server:
    """Counts arrivals in rolling windows, as a CRM does; it never refuses, it only tells."""

    def __init__(self, limits: Sequence[Window]) -> None:
        self.limits = limits
        self.arrivals: list[tuple[float, tuple[str, ...]]] = []

    def worst_excess(self) -> int:
        """By how much a window was overfilled at the worst; 0 or less is well."""
        return max(self._excess(limit) for limit in self.limits)

    def _excess(self, limit: Window) -> int:
        times = sorted(at for at, policies in self.arrivals if limit.name in policies)
        worst, first = 0, 0
        for last, at in enumerate(times):
            while times[first] <= at - limit.seconds:
                first += 1
            worst = max(worst, last - first + 1)
        return worst - limit.calls


class Simulation:
    """Workers that call one server through one `Windows`, on a clock of events."""

    def __init__(self, windows: Windows, server: Server) -> None:
        self.windows = windows
        self.server = server
        self.now = 0.0
        self.granted: list[tuple[float, Ticket]] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._waiting: list[tuple[Ticket, float, float]] = []

    def at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), do))

    def call(self, policies: Sequence[str], out: float, back: float, spare: int = 0) -> Ticket:
        """Ask now; `out` and `back` are the seconds to the server and home again."""
        ticket = self.windows.ask(policies, self.now, spare=spare)
        self._waiting.append((ticket, out, back))
        return ticket

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, do = heapq.heappop(self._events)
            do()
            pause = self.windows.grant(self.now)
            if self.now < self.now + pause < float("inf"):
                self.at(self.now + pause, lambda: None)
            self._send()
        self.now = until

    def _send(self) -> None:
        still = []
        for ticket, out, back in self._waiting:
            if not ticket.granted:
                still.append((ticket, out, back))
                continue
            self.granted.append((self.now, ticket))
            self.at(self.now + out, lambda ticket=ticket: self._arrive(ticket))  # type: ignore[misc]
            self.at(self.now + out + back, lambda ticket=ticket: self._answer(ticket))  # type: ignore[misc]
        self._waiting = still

    def _arrive(self, ticket: Ticket) -> None:
        self.server.arrivals.append((self.now, ticket.policies))

    def _answer(self, ticket: Ticket) -> None:
        self.windows.release(ticket, self.now)


latency = st.floats(0.0, 15.0)
calls = st.lists(
    st.tuples(
        st.floats(0.0, 40.0),
        st.sampled_from([(TEN,), (TEN, "search"), ("search",)]),
        latency,
        latency,
        st.integers(0, 3),
    ),
    max_size=80,
)


@given(calls=calls, size=st.integers(1, 30), searches=st.integers(1, 4))
@settings(deadline=None, max_examples=100)
def test_no_interleaving_overfills_a_window(
    calls: list[tuple[float, tuple[str, ...], float, float, int]], size: int, searches: int
) -> None:
    limits = [Window(TEN, size, 10.0), Window("search", searches, 1.0)]
    simulation = Simulation(Windows(limits), Server(limits))
    for when, *call in calls:
        simulation.at(when, lambda call=call: simulation.call(*call))  # type: ignore[misc]
    simulation.run(until=1e9)
    assert len(simulation.server.arrivals) == len(calls)
    assert simulation.server.worst_excess() <= 0


@given(
    limit=st.integers(50, 190),
    workers=st.integers(8, 24),
    latencies=st.lists(st.floats(0.001, 0.2), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=12)
def test_nearly_the_whole_allowance_is_used_when_answers_are_quick(
    limit: int, workers: int, latencies: list[float]
) -> None:
    window = Window(TEN, limit, 10.0)
    simulation = Simulation(Windows([window]), Server([window]))
    at = count()

    def again(_: float = 0.0) -> None:
        out = latencies[next(at) % len(latencies)] / 2
        simulation.call([TEN], out, out, spare=2)

    # Each worker asks for its next call as soon as it has an answer.
    answered = simulation._answer
    simulation._answer = lambda ticket: (answered(ticket), again())[0]  # type: ignore[method-assign]
    for _ in range(workers):
        simulation.at(0.0, again)
    rounds = 6
    simulation.run(until=rounds * 10.0)
    served = sum(1 for at, _ in simulation.server.arrivals if at <= rounds * 10.0)
    assert simulation.server.worst_excess() <= 0
    possible = min(limit, 10 * workers / max(latencies))
    assert served >= 0.95 * possible * rounds


def test_a_waiting_search_is_not_passed_for_ever_and_holds_nobody_up() -> None:
    limits = [Window(TEN, 10, 10.0), Window("search", 1, 5.0)]
    simulation = Simulation(Windows(limits), Server(limits))
    for _ in range(3):
        simulation.at(0.0, lambda: simulation.call([TEN, "search"], 0.0, 0.0))
    for n in range(300):
        simulation.at(0.01 * n, lambda: simulation.call([TEN], 0.0, 0.0))
    simulation.run(until=41.0)
    sent = [(at, len(ticket.policies)) for at, ticket in simulation.granted]
    searches = [at for at, kinds in sent if kinds == 2]
    # One at once; each further one as soon as either window lets it go, before younger calls.
    assert searches[0] == 0.0
    assert len(searches) == 3
    assert searches[2] < 21.0
    assert len(sent) >= 45


def windows(size: int = 4) -> Windows:
    return Windows([Window(TEN, size, 10.0)])


def take(windows: Windows, now: float, times: int = 1) -> int:
    """How many of so many calls go at once; they are answered at once, the others withdrawn."""
    tickets = [windows.ask([TEN], now) for _ in range(times)]
    windows.grant(now)
    for ticket in tickets:
        windows.release(ticket, now)
    return sum(ticket.granted for ticket in tickets)


def test_a_place_is_free_when_the_window_has_passed_since_the_answer() -> None:
    crm = windows(1)
    ticket = crm.ask([TEN], 0.0)
    crm.grant(0.0)
    assert take(crm, 100.0) == 0
    crm.release(ticket, 100.0)
    assert take(crm, 110.0) == 0
    assert take(crm, 110.01) == 1


def test_a_told_size_is_believed_both_ways() -> None:
    crm = windows(4)
    assert take(crm, 0.0, 10) == 4
    crm.learn(Window(TEN, 9, 10.0))
    assert take(crm, 0.0, 10) == 5
    crm.learn(Window(TEN, 2, 10.0))
    assert take(crm, 20.0, 10) == 2


def tell(crm: Windows, remaining: int, now: float) -> None:
    """One call goes, and its answer tells what is left."""
    ticket = crm.ask([TEN], now)
    crm.grant(now)
    assert ticket.granted
    crm.release(ticket, now)
    crm.note_remaining(TEN, remaining, ticket, now)


def test_calls_of_others_count_until_the_crm_says_otherwise_or_time_has_passed() -> None:
    crm = windows(10)
    assert take(crm, 0.0) == 1
    tell(crm, 3, 0.5)  # two are ours, five are not
    assert take(crm, 1.0) == 1
    tell(crm, 4, 2.0)  # four are ours, two are not: the others' first ones are over
    assert take(crm, 2.0, 10) == 4
    assert take(crm, 12.5, 10) == 10


def test_what_the_crm_counts_of_our_own_calls_is_not_counted_twice() -> None:
    crm = windows(10)
    assert take(crm, 0.0, 5) == 5
    tell(crm, 4, 0.0)
    assert take(crm, 0.0, 10) == 4


def test_a_call_of_ours_that_is_on_its_way_does_not_hide_one_of_theirs() -> None:
    crm = windows(10)
    tell(crm, 8, 0.0)  # one is ours, one is not
    late, told = crm.ask([TEN], 0.1), crm.ask([TEN], 0.1)
    crm.grant(0.1)
    crm.release(told, 0.2)
    crm.note_remaining(TEN, 7, told, 0.2)  # it came first: two of ours, and still one of theirs
    assert take(crm, 0.3, 10) == 6
    crm.release(late, 0.4)
    assert take(crm, 0.4, 10) == 0


def test_a_call_that_may_not_wait_finds_the_room_that_others_leave() -> None:
    crm = windows(30)
    readers = [crm.ask([TEN], 0.0, spare=2) for _ in range(40)]
    crm.grant(0.0)
    assert sum(one.granted for one in readers) == 28
    assert take(crm, 0.0) == 1  # though readers wait who are older
    for one in readers:
        crm.release(one, 0.0)


def test_nobody_leaves_room_for_ever() -> None:
    crm = windows(20)
    assert take(crm, 0.0, 18) == 18
    reader = crm.ask([TEN], 1.0, spare=2)
    crm.grant(1.0)
    assert not reader.granted
    take(crm, 5.0)
    crm.grant(10.5)
    assert reader.granted


def busy(readers: int, writers: int, rounds: int) -> list[tuple[float, Ticket]]:
    """Who went when, of so many that ask again as soon as they are answered, on a window of 20.

    Readers leave two spare, as a write can do badly with waiting.
    """
    window = Window(TEN, 20, 10.0)
    simulation = Simulation(Windows([window]), Server([window]))

    def again(spare: int) -> None:
        simulation.call([TEN], 0.05, 0.05, spare=spare)

    answered = simulation._answer
    simulation._answer = lambda ticket: (answered(ticket), again(ticket.spare))[0]  # type: ignore[method-assign]
    for _ in range(readers):
        simulation.at(0.0, lambda: again(2))
    for _ in range(writers):
        simulation.at(0.0, lambda: again(0))
    simulation.run(until=rounds * 10.0)
    assert simulation.server.worst_excess() <= 0
    return simulation.granted


def test_however_many_readers_wait_a_write_finds_the_room_that_they_leave() -> None:
    window = Window(TEN, 20, 10.0)
    simulation = Simulation(Windows([window]), Server([window]))
    answered = simulation._answer

    def read() -> None:
        simulation.call([TEN], 0.05, 0.05, spare=2)

    def answer(ticket: Ticket) -> None:
        answered(ticket)
        if ticket.spare:
            read()

    simulation._answer = answer  # type: ignore[method-assign]
    for _ in range(32):
        simulation.at(0.0, read)
    for n in range(20):
        simulation.at(6.0 * n + 1.0, lambda: simulation.call([TEN], 0.05, 0.05))
    simulation.run(until=130.0)
    waits = [at - ticket.asked for at, ticket in simulation.granted if not ticket.spare]
    assert len(waits) == 20
    assert max(waits) < 0.1
    reads = sum(1 for _, ticket in simulation.granted if ticket.spare)
    assert reads >= 16 * 12


def test_no_read_goes_while_a_write_waits_save_one_that_is_overdue() -> None:
    went = busy(readers=32, writers=24, rounds=20)
    writes = [(ticket.asked, at) for at, ticket in went if not ticket.spare]
    reads = [at for at, ticket in went if ticket.spare]
    passing = [at for at in reads if any(asked < at < gone for asked, gone in writes)]
    assert all(after - before >= 20.0 for before, after in pairwise(reads) if after in passing)
    assert len(passing) <= 10
    assert len(writes) >= 0.9 * len(went)


def test_writes_that_never_cease_pass_no_read_for_ever() -> None:
    went = busy(readers=6, writers=24, rounds=20)
    reads = [at for at, ticket in went if ticket.spare]
    gaps = [after - before for before, after in zip([0.0, *reads], [*reads, 200.0], strict=True)]
    assert max(gaps) < 31.0  # two lengths of the window, and until the next slot is free
    waited = [at - ticket.asked for at, ticket in went if ticket.spare]
    assert max(waited) < 6 * 31.0


def test_a_small_window_is_not_kept_spare() -> None:
    crm = windows(4)
    readers = [crm.ask([TEN], 0.0, spare=2) for _ in range(4)]
    crm.grant(0.0)
    assert all(one.granted for one in readers)


def test_who_has_little_time_is_told_at_once_when_to_ask_again() -> None:
    now = [0.0]
    pauses: list[float] = []
    limiter = Limiter([Window(TEN, 1, 10.0)], clock=lambda: now[0], sleep=pauses.append)
    limiter.acquire([TEN]).release()
    now[0] = 4.0
    with pytest.raises(NoRoom) as caught:
        limiter.acquire([TEN], within=1.5)
    assert caught.value.seconds == pytest.approx(6.0, abs=0.1)
    assert pauses == []
    now[0] = 10.1
    limiter.acquire([TEN], within=0.0).release()


def test_who_has_little_time_does_not_wait_long_for_an_answer_either() -> None:
    limiter = Limiter([Window(TEN, 1, 10.0)])
    under_way = limiter.acquire([TEN])
    started = time.monotonic()
    with pytest.raises(NoRoom):
        limiter.acquire([TEN], within=0.2)
    assert 0.2 <= time.monotonic() - started < 2.0
    under_way.release()


def test_after_a_refusal_nobody_goes_for_the_pause() -> None:
    crm = windows(4)
    crm.refused(TEN, 3.0, 0.0)
    assert take(crm, 2.9) == 0
    assert take(crm, 3.0, 10) == 4


def test_refusals_that_recur_shrink_the_belief_and_quiet_restores_it() -> None:
    crm = windows(100)
    crm.refused(TEN, 1.0, 0.0)
    crm.refused(TEN, 1.0, 0.1)  # was under way meanwhile: the same refusal
    assert crm.size(TEN, 1.5) == 100
    crm.refused(TEN, 1.0, 5.0)
    assert crm.size(TEN, 5.0) == 95
    crm.refused(TEN, 1.0, 8.0)
    assert crm.size(TEN, 8.0) == 90
    assert 90 < (crm.size(TEN, 60.0) or 0) < 100
    assert crm.size(TEN, 200.0) == 100
    crm.refused(TEN, 1.0, 300.0)  # long after: not a recurrence
    assert crm.size(TEN, 300.0) == 100


def test_a_belief_never_shrinks_below_half() -> None:
    crm = windows(100)
    for at in range(100):
        crm.refused(TEN, 0.1, float(at))
    assert (crm.size(TEN, 100.0) or 0) >= 50


def test_windows_that_nobody_told_of_do_not_limit() -> None:
    crm = windows(1)
    crm.refused("unheard", 5.0, 0.0)
    ticket = crm.ask(["unheard"], 0.0)
    crm.grant(0.0)
    crm.note_remaining("unheard", 0, ticket, 0.0)
    assert ticket.granted
    assert crm.size("unheard", 0.0) is None


@pytest.mark.parametrize(("calls", "seconds"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, float("nan"))])
def test_a_window_without_room_or_length_is_refused(calls: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(TEN, calls, seconds)


def test_threads_together_keep_to_the_limit_and_use_it() -> None:
    window = Window(TEN, 20, 0.25)
    limiter, server = Limiter([window]), Server([window])

    def work() -> None:
        for _ in range(15):
            with limiter.acquire([TEN]):
                server.arrivals.append((time.monotonic(), (TEN,)))

    started = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(server.arrivals) == 120
    assert server.worst_excess() <= 0
    # Five pauses are due; more than twice as long would mean that threads sleep past their turn.
    assert 1.25 <= time.monotonic() - started < 3.0


def test_a_thread_that_waits_for_an_answer_wakes_with_it() -> None:
    limiter = Limiter([Window(TEN, 1, 0.05)])
    first = limiter.acquire([TEN])
    done = threading.Event()
    thread = threading.Thread(target=lambda: (limiter.acquire([TEN]).release(), done.set()))
    thread.start()
    assert not done.wait(0.2)
    first.release()
    assert done.wait(5.0)
    thread.join(timeout=5)


def test_a_larger_size_wakes_those_who_wait() -> None:
    limiter = Limiter([Window(TEN, 1, 3600.0)])
    limiter.acquire([TEN]).release()
    done = threading.Event()
    thread = threading.Thread(target=lambda: (limiter.acquire([TEN]).release(), done.set()))
    thread.start()
    assert not done.wait(0.1)
    limiter.learn(TEN, 2, 3600.0)
    assert done.wait(5.0)
    thread.join(timeout=5)


def test_on_a_simulated_clock_waiting_is_left_to_its_sleep() -> None:
    now = [0.0]
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    limiter = Limiter([Window(TEN, 2, 10.0)], clock=lambda: now[0], sleep=sleep)
    for _ in range(5):
        with limiter.acquire([TEN]):
            now[0] += 1.0
    assert sum(pauses) == pytest.approx(now[0] - 5.0)
    assert 20.0 <= now[0] < 25.0


def test_whoever_gives_up_leaves_the_queue() -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    now = [0.0]
    limiter = Limiter([Window(TEN, 1, 10.0)], clock=lambda: now[0], sleep=interrupted)
    limiter.acquire([TEN]).release()
    with pytest.raises(KeyboardInterrupt):
        limiter.acquire([TEN])
    now[0] = 11.0
    slot = limiter.acquire([TEN])
    slot.release()
    slot.release()
    now[0] = 22.0
    limiter.acquire([TEN]).release()
