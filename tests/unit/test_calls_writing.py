from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.calls.chunks import split_ids
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.steady import Steady
from crm_sync.calls.words import without_values
from crm_sync.connector import (
    AccessDenied,
    BatchRejected,
    Entity,
    Finding,
    Operation,
    Outcome,
    QuotaReached,
    RateLimited,
    Ref,
    SchemaChange,
    ServerFault,
    Unreachable,
    Write,
)
from tests.support.shelf import Shelf, once, outcomes, steady, updates


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


def test_links_go_one_other_end_at_a_time() -> None:
    one, other = (
        Write(Operation.LINK, Entity.TASK, f"l{to}", "t", {"to": "1"}, Ref(to, "1"))
        for to in (Entity.CONTACT, Entity.ACCOUNT)
    )
    assert (
        outcomes(steady(Shelf()).write_chunk([one, replace(one, key="l2")]))
        == [Outcome.APPLIED] * 2
    )
    with pytest.raises(ValueError, match="one operation and one entity"):
        steady(Shelf()).write_chunk([one, other])


def test_fields_are_created_by_a_connector_that_can_and_asked_for_once() -> None:
    class Builder(Shelf):
        def create_schema(
            self, changes: Sequence[SchemaChange], *, language: str
        ) -> Sequence[Finding]:
            self.sent.append([language])
            raise ServerFault("no answer", sent=True)

    assert not steady(Shelf()).creates_schema
    with pytest.raises(TypeError, match="creates no fields"):
        steady(Shelf()).create_schema([], language="fr")
    builder = Builder()
    assert steady(builder).creates_schema
    with pytest.raises(ServerFault):
        steady(builder).create_schema([], language="fr")
    assert builder.sent == [["fr"]]


def test_a_lost_answer_makes_the_whole_chunk_unknown_and_is_never_sent_again() -> None:
    shelf = Shelf()
    shelf.after = once(ServerFault("connection lost", sent=True))
    results = steady(shelf).write_chunk(updates(3))
    assert outcomes(results) == [Outcome.UNKNOWN] * 3
    assert [result.record_id for result in results] == ["r0", "r1", "r2"]
    assert len(shelf.sent) == 1


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


def test_a_connector_that_answers_with_too_few_rows_leaves_all_of_them_unknown() -> None:
    shelf = Shelf()
    whole = shelf.write
    shelf.write = lambda writes: whole(writes)[:-1]  # type: ignore[method-assign]
    assert outcomes(steady(shelf).write_chunk(updates(3))) == [Outcome.UNKNOWN] * 3


@pytest.mark.parametrize(
    "fault", [RateLimited("slow down", retry_after=120), Unreachable("cable cut")]
)
def test_a_write_that_did_not_arrive_is_reported_at_once_and_not_sent_again(
    fault: Exception,
) -> None:
    shelf, pauses = Shelf(), list[float]()
    shelf.before = once(fault)
    with pytest.raises(type(fault)) as caught:
        Steady(shelf, sleep=pauses.append).write_chunk(updates(4))
    assert caught.value is fault
    assert (shelf.applied, len(shelf.sent), pauses) == ([], 1, [])


def test_a_locked_row_is_reported_at_once_and_not_sent_again() -> None:
    shelf, pauses = Shelf(), list[float]()
    shelf.locked = {"k1": 1}
    results = Steady(shelf, sleep=pauses.append).write_chunk(updates(3))
    assert outcomes(results) == [Outcome.APPLIED, Outcome.REJECTED, Outcome.APPLIED]
    assert results[1].retry
    assert (len(shelf.sent), pauses) == (1, [])


def test_the_pause_that_stopped_a_halved_chunk_is_passed_on() -> None:
    shelf = Shelf()
    shelf.poison = {"k0"}
    limit = RateLimited("slow down", retry_after=30)
    shelf.before = lambda writes: limit if writes[0].key == "k1" else None
    results = steady(shelf).write_chunk(updates(2))
    assert [result.retry_after for result in results] == [None, 30]


def test_the_quota_floor_stops_before_a_chunk_and_nothing_of_it_is_sent() -> None:
    shelf = Shelf()
    shelf.used, shelf.allowed = 3, 10
    with pytest.raises(QuotaReached):
        steady(shelf, floor=QuotaFloor(0.8)).write_chunk(updates(8))
    assert shelf.sent == []


@given(
    value=st.text(st.characters(categories=["L", "N", "Zs"]), min_size=20, max_size=120),
    cut=st.integers(12, 120),
)
def test_no_message_repeats_a_value_that_was_sent(value: str, cut: int) -> None:
    value = value.strip().ljust(20, "x")
    message = f"Title: data value too large: {value[:cut]} (max length=15)"
    told = without_values(message, {"Title": value, "Phone": None, "Age": 7})
    assert value[:12] not in told
    assert told.startswith("Title: data value too large: ")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("invalid email address: jane@acme.example", "invalid email address: …"),
        ('Cannot read date from "31/12/2020"', 'Cannot read date from "…"'),
        ("bad value for picklist field: Bellwether", "bad value for picklist field: …"),
        ("The value «Durand» isn't allowed in 'Title'", "The value «…» isn't allowed in 'Title'"),
        ("'Ida d'Example' is taken, 'Title' isn't", "'…' is taken, 'Title' isn't"),
        ("Title: entity is locked", "Title: entity is locked"),
        ("duplicate value: Key__c on record 003A", "duplicate value: Key__c on record 003A"),
    ],
)
def test_a_message_keeps_its_sense_and_its_field_names(message: str, told: str) -> None:
    assert without_values(message, {"Title": "Title", "Level": "Bellwether"}) == told


def test_the_words_of_a_refusal_reach_nobody_with_the_value_in_them() -> None:
    shelf = Shelf()
    [write] = updates(1)
    write = replace(write, fields={"Title": "Chief Secret Officer"})
    refused = BatchRejected("TOO_LONG", "Title: too large: chief secret officer")
    shelf.before = lambda writes: refused
    [result] = steady(shelf).write_chunk([write])
    assert (result.code, result.message) == ("TOO_LONG", "Title: too large: …")
