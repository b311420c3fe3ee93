"""The journal keeps to the table of transitions, whatever is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.store import journal, journal_entries, plans
from crm_sync.store.database import Store
from crm_sync.store.intents import Entry, Intent, Move, Scope, Seen
from crm_sync.store.states import FIRST, NEXT, OPEN, TAKEABLE, State, Verified, before
from tests.faults.apply_crm import START, a_plan, a_task, an_update

SCOPE = Scope("acme", plan_id=1, run_id=1)
CHANGE = an_update("C1", ("Title", "VP Sales", "CRO"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "crm-sync.db")
    yield store
    store.close()


def enter(store: Store, state: State, scope: Scope = SCOPE) -> Intent:
    with store.begin() as tx:
        journal_entries.enter(tx, scope, [Entry(CHANGE, state)], START)
    return held(store)


def move(store: Store, state: State) -> Intent:
    with store.begin() as tx:
        journal_entries.move(tx, 1, [Move(held(store), state)], START)
    return held(store)


def held(store: Store) -> Intent:
    with store.read() as tx:
        return journal.by_keys(tx, "acme", [CHANGE.key])[CHANGE.key]


def bring_to(store: Store, state: State) -> None:
    """By a legal way."""
    if state in FIRST:
        enter(store, state)
        return
    enter(store, State.SENDING)
    move(store, state)


def test_done_is_permanent_and_nothing_open_is_taken_up_again() -> None:
    assert NEXT[State.DONE] == frozenset()
    assert not OPEN & TAKEABLE
    assert State.DONE not in TAKEABLE


@given(st.sampled_from(State), st.sampled_from(State))
def test_before_is_next_read_backwards(one: State, other: State) -> None:
    assert (one in before(other)) == (other in NEXT[one])


@pytest.mark.parametrize("state", State)
def test_an_intent_moves_only_as_the_table_says(tmp_path: Path, state: State) -> None:
    for target in State:
        if target in FIRST:
            continue  # entered, not moved to
        store = Store.open(tmp_path / f"{target}.db")
        bring_to(store, state)
        if target in NEXT[state]:
            assert move(store, target).state is target
        else:
            with pytest.raises(RuntimeError, match="another writer"):
                move(store, target)
            assert held(store).state is state
        store.close()


@pytest.mark.parametrize("state", State)
def test_a_key_is_taken_up_again_only_when_nothing_of_it_is_in_effect(
    store: Store, state: State
) -> None:
    bring_to(store, state)
    first = held(store)
    again = replace(SCOPE, plan_id=2, run_id=2)
    if state in TAKEABLE:
        second = enter(store, State.SENDING, again)
        assert (second.id, second.state, second.run_id) == (first.id, State.SENDING, 2)
        return
    with pytest.raises(RuntimeError, match="another writer"):
        enter(store, State.SENDING, again)
    assert held(store) == first


def test_a_batch_with_one_row_out_of_place_stores_nothing(store: Store) -> None:
    enter(store, State.DONE)
    other = an_update("C2", ("Title", "VP Sales", "CRO"))
    with pytest.raises(RuntimeError), store.begin() as tx:
        journal_entries.enter(
            tx, SCOPE, [Entry(other, State.SENDING), Entry(CHANGE, State.SENDING)], START
        )
    with store.read() as tx:
        assert journal.states(tx, "acme", [other.key, CHANGE.key]) == {CHANGE.key: State.DONE}


def test_the_history_tells_every_step_in_order(store: Store) -> None:
    enter(store, State.SENDING)
    move(store, State.REJECTED)
    again = replace(SCOPE, plan_id=2, run_id=2)
    enter(store, State.SENDING, again)
    with store.begin() as tx:
        journal_entries.move(tx, 2, [Move(held(store), State.DONE)], START)
        journal_entries.note_seen(tx, 2, [Seen(held(store), Verified.DRIFT, None, "Title")], START)
    with store.read() as tx:
        steps = [(run, state) for _, run, state, _ in journal.history(tx, held(store).id)]
    assert steps == [
        (1, "sending"), (1, "rejected"), (2, "sending"), (2, "done"), (2, "drift"),
    ]  # fmt: skip


def test_what_was_sent_and_not_seen_then_counts_as_ours_when_it_turns_up(store: Store) -> None:
    enter(store, State.SENDING)
    move(store, State.UNKNOWN)
    assert move(store, State.PLANNED).sent_at is not None
    assert enter(store, State.DONE, replace(SCOPE, run_id=2)).sent_at is not None


def test_what_was_never_sent_does_not_count_as_ours_when_it_is_there(store: Store) -> None:
    enter(store, State.SENDING)
    assert move(store, State.PLANNED).sent_at is None
    assert enter(store, State.DONE, replace(SCOPE, run_id=2)).sent_at is None


def test_a_refused_attempt_does_not_make_a_later_find_ours(store: Store) -> None:
    enter(store, State.SENDING)
    move(store, State.REJECTED)
    assert enter(store, State.DONE, replace(SCOPE, run_id=2)).sent_at is None


def test_connections_do_not_share_keys(store: Store) -> None:
    enter(store, State.DONE)
    with store.begin() as tx:
        other = Scope("other", 5, 5)
        journal_entries.enter(tx, other, [Entry(CHANGE, State.SENDING)], START)
        assert journal.done_keys(tx, "acme") == {CHANGE.key}
        assert journal.done_keys(tx, "other") == frozenset()
        assert journal.sent_keys(tx, "other") == {CHANGE.key}
        assert [one.key for one in journal.open_intents(tx, "other")] == [CHANGE.key]
        assert journal.open_intents(tx, "acme") == []


def test_tasks_count_for_the_colleague_who_got_them_from_midnight_on(store: Store) -> None:
    tasks = [a_task("C1"), a_task("C2"), a_task("C3", owner_id="005B")]
    with store.begin() as tx:
        plan = plans.save_plan(tx, a_plan(*tasks))
        scope = Scope("acme", plan.id, 1)
        begun = journal_entries.enter(
            tx, scope, [Entry(one, State.SENDING) for one in tasks], START
        )
        refused = [Move(begun[tasks[1].key], State.REJECTED)]
        journal_entries.move(tx, 1, refused, START)
        minute = timedelta(minutes=1)
        earlier = journal.tasks_created_since(tx, "acme", START - minute)
        later = journal.tasks_created_since(tx, "acme", START + minute)
    assert earlier == {"005000000000001": 1, "005B": 1}
    assert later == {}
