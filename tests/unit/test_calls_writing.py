from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.calls.chunks import split_ids, split_writes
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy
from crm_sync.connector import (
    AccessDenied,
    Entity,
    Operation,
    Outcome,
    QuotaReached,
    RateLimited,
    ServerFault,
    Unreachable,
    Write,
    WriteResult,
)
from tests.support.shelf import Shelf, once, outcomes, steady, updates


def test_any_number_of_writes_goes_out_in_chunks_and_comes_back_in_order() -> None:
    shelf = Shelf()
    told: list[int] = []
    results = steady(shelf).write(updates(20), lambda chunk, outcome: told.append(len(chunk)))
    assert [result.record_id for result in results] == [f"r{n}" for n in range(20)]
    assert told == [8, 8, 4]


@given(
    kinds=st.lists(
        st.tuples(
            st.sampled_from([Operation.CREATE, Operation.UPDATE]),
            st.sampled_from([Entity.CONTACT, Entity.TASK]),
            st.integers(0, 5),
        ),
        max_size=40,
    ),
    size=st.integers(1, 7),
)
def test_chunks_keep_every_write_in_order_and_name_no_record_twice(
    kinds: list[tuple[Operation, Entity, int]], size: int
) -> None:
    writes = [
        Write(operation, entity, str(n), "" if operation is Operation.CREATE else f"r{record}")
        for n, (operation, entity, record) in enumerate(kinds)
    ]
    chunks = list(split_writes(writes, size))
    assert [write for chunk in chunks for write in chunk] == writes
    for chunk in chunks:
        assert 1 <= len(chunk) <= size
        assert len({(write.operation, write.entity) for write in chunk}) == 1
        named = [write.record_id for write in chunk if write.record_id]
        assert len(named) == len(set(named))


@given(ids=st.lists(st.text(max_size=2)), size=st.integers(1, 5))
def test_ids_are_asked_for_once_each(ids: list[str], size: int) -> None:
    chunks = list(split_ids(ids, size))
    asked = [id for chunk in chunks for id in chunk]
    assert sorted(asked) == sorted(set(ids))
    assert all(1 <= len(chunk) <= size for chunk in chunks)


def test_a_mixed_chunk_is_a_programming_error() -> None:
    mixed = [*updates(1), Write(Operation.CREATE, Entity.TASK, "t")]
    with pytest.raises(ValueError, match="one operation and one entity"):
        steady(Shelf()).write_chunk(mixed)


def test_a_fault_before_sending_is_repeated_and_each_row_applied_once() -> None:
    shelf = Shelf()
    shelf.before = once(Unreachable("refused"))
    assert outcomes(steady(shelf).write_chunk(updates(3))) == [Outcome.APPLIED] * 3
    assert shelf.applied == ["k0", "k1", "k2"]


def test_a_lost_answer_makes_the_whole_chunk_unknown_and_is_never_sent_again() -> None:
    shelf = Shelf()
    shelf.after = once(ServerFault("connection lost", sent=True))
    results = steady(shelf).write_chunk(updates(3))
    assert outcomes(results) == [Outcome.UNKNOWN] * 3
    assert [result.record_id for result in results] == ["r0", "r1", "r2"]
    assert len(shelf.sent) == 1


def test_later_chunks_still_go_out_after_an_unknown_one() -> None:
    shelf = Shelf()
    shelf.after = once(ServerFault("connection lost", sent=True))
    results = steady(shelf).write(updates(12))
    assert outcomes(results) == [Outcome.UNKNOWN] * 8 + [Outcome.APPLIED] * 4


@given(poison=st.sets(st.integers(0, 7)), count=st.integers(1, 8))
def test_poison_rows_are_found_by_halving_and_all_others_applied_once(
    poison: set[int], count: int
) -> None:
    shelf = Shelf()
    shelf.poison = {f"k{n}" for n in poison}
    results = steady(shelf).write_chunk(updates(count))
    bad = {n for n in poison if n < count}
    assert {n for n, r in enumerate(results) if r.outcome is Outcome.REJECTED} == bad
    assert sorted(shelf.applied) == sorted(f"k{n}" for n in range(count) if n not in bad)
    assert all(results[n].code == "BAD_BATCH" and results[n].record_id == f"r{n}" for n in bad)


def test_a_locked_row_is_sent_again_alone_until_it_goes_through() -> None:
    shelf = Shelf()
    shelf.locked = {"k1": 2}
    results = steady(shelf).write_chunk(updates(3))
    assert outcomes(results) == [Outcome.APPLIED] * 3
    assert shelf.sent == [["k0", "k1", "k2"], ["k1"], ["k1"]]


def test_a_row_that_stays_locked_is_given_up_within_the_policy() -> None:
    shelf = Shelf()
    shelf.locked = {"k1": 999}
    results = steady(shelf, policy=RetryPolicy(attempts=3)).write_chunk(updates(2))
    assert outcomes(results) == [Outcome.APPLIED, Outcome.REJECTED]
    assert results[1].retry
    assert shelf.sent == [["k0", "k1"], ["k1"], ["k1"]]


@pytest.mark.parametrize("error", [Unreachable("cable cut"), AccessDenied("revoked")])
def test_an_end_half_way_through_a_halved_chunk_loses_no_outcome(error: Exception) -> None:
    shelf = Shelf()
    shelf.poison = {"k0"}
    shelf.before = lambda writes: error if writes[0].key == "k2" else None
    results = steady(shelf).write_chunk(updates(4))
    assert outcomes(results) == [
        Outcome.REJECTED,
        Outcome.APPLIED,
        Outcome.REJECTED,
        Outcome.REJECTED,
    ]
    assert [(r.code, r.retry) for r in results[2:]] == [("NOT_SENT", True)] * 2
    assert shelf.applied == ["k1"]


def test_when_nothing_at_all_was_sent_the_chunk_raises() -> None:
    shelf = Shelf()
    shelf.before = lambda writes: RateLimited("slow down", retry_after=1)
    with pytest.raises(RateLimited):
        steady(shelf).write_chunk(updates(4))
    assert shelf.applied == []


def test_a_connector_that_answers_with_too_few_rows_leaves_all_of_them_unknown() -> None:
    shelf = Shelf()
    whole = shelf.write
    shelf.write = lambda writes: whole(writes)[:-1]  # type: ignore[method-assign]
    assert outcomes(steady(shelf).write_chunk(updates(3))) == [Outcome.UNKNOWN] * 3


def test_the_quota_floor_stops_between_chunks_and_keeps_what_was_told() -> None:
    shelf = Shelf()
    shelf.allowed = 10
    told: list[WriteResult] = []
    with pytest.raises(QuotaReached):
        steady(shelf, floor=QuotaFloor(0.8)).write(
            updates(32), lambda chunk, results: told.extend(results)
        )
    assert outcomes(told) == [Outcome.APPLIED] * 24
    assert len(shelf.applied) == 24


def test_a_locked_row_keeps_its_rejection_when_the_crm_is_lost_meanwhile() -> None:
    shelf = Shelf()
    shelf.locked = {"k1": 1}
    shelf.before = lambda writes: Unreachable("cut") if len(writes) == 1 else None
    results = steady(shelf, policy=RetryPolicy(attempts=2)).write_chunk(updates(2))
    assert outcomes(results) == [Outcome.APPLIED, Outcome.REJECTED]
    assert (results[1].code, results[1].retry) == ("LOCKED", True)
