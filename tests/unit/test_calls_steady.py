from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.calls.breaker import Breaker
from crm_sync.calls.chunks import split_ids, split_writes
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy
from crm_sync.calls.steady import Steady
from crm_sync.connector import (
    AccessDenied,
    BatchRejected,
    Capabilities,
    ConnectorConfig,
    Entity,
    FieldSpec,
    FieldType,
    Finding,
    Operation,
    Outcome,
    Page,
    QuotaReached,
    RateLimited,
    Record,
    SchemaChange,
    ServerFault,
    Unreachable,
    Usage,
    Write,
    WriteResult,
)
from crm_sync.errors import BreakerOpen

Fault = Callable[[Sequence[Write]], Exception | None]


class Shelf:
    """A CRM in memory: numbered records, and writes that go through `before` and `after`."""

    Config: ClassVar[type[ConnectorConfig]] = ConnectorConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        page_size=3,
        read_batch=4,
        write_batch=8,
        operations=frozenset(Operation),
        unique_task_key=True,
    )
    schema: ClassVar[Sequence[FieldSpec]] = ()

    def __init__(self, records: int = 0) -> None:
        self.records = records
        self.applied: list[str] = []
        self.sent: list[list[str]] = []
        self.before: Fault = lambda writes: None
        self.after: Fault = lambda writes: None
        self.pull_faults: dict[int, list[Exception]] = {}
        self.locked: dict[str, int] = {}
        self.used = 0
        self.allowed = 10_000
        self.poison: set[str] = set()

    @classmethod
    def connect(cls, config: ConnectorConfig) -> Self:
        return cls()

    def check(self) -> Sequence[Finding]:
        return ()

    def describe(self, entity: Entity) -> Sequence[FieldSpec]:
        return ()

    def pull(
        self,
        entity: Entity,
        fields: Sequence[str],
        *,
        cursor: str | None,
        where: str = "",
        object_name: str = "",
    ) -> Iterator[Page]:
        at = int(cursor or 0)
        while True:
            if self.pull_faults.get(at):
                raise self.pull_faults[at].pop(0)
            end = min(at + 3, self.records)
            rows = [Record(entity, str(n), {}) for n in range(at, end)]
            yield Page(rows, (), str(end), complete=end == self.records)
            if end == self.records:
                return
            at = end

    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record]:
        assert len(ids) <= 4
        return [Record(entity, id, {}) for id in ids if int(id) < self.records]

    def find(self, entity: Entity, field: str, values: Sequence[str]) -> Sequence[Record]:
        assert len(values) <= 4
        return [Record(entity, value, {field: value}) for value in values]

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        assert len(writes) <= 8
        self.sent.append([write.key for write in writes])
        self.used += 1
        if fault := self.before(writes):
            raise fault
        if self.poison & {write.key for write in writes}:
            raise BatchRejected("BAD_BATCH", "one of these rows is not understood")
        results = [self._row(write) for write in writes]
        if fault := self.after(writes):
            raise fault
        return results

    def _row(self, write: Write) -> WriteResult:
        if self.locked.get(write.key, 0) > 0:
            self.locked[write.key] -= 1
            return WriteResult(Outcome.REJECTED, code="LOCKED", retry=True)
        self.applied.append(write.key)
        return WriteResult(Outcome.APPLIED, record_id=write.record_id)

    def usage(self) -> Usage | None:
        return Usage(self.used, self.allowed)

    def missing_schema(self, wanted: Sequence[FieldSpec]) -> Sequence[SchemaChange]:
        return ()

    def url(self, entity: Entity, id: str) -> str:
        return id

    def close(self) -> None:
        return


def steady(shelf: Shelf, **settings: Any) -> Steady:
    return Steady(shelf, sleep=lambda seconds: None, **settings)


def updates(count: int) -> list[Write]:
    return [
        Write(Operation.UPDATE, Entity.CONTACT, key=f"k{n}", record_id=f"r{n}")
        for n in range(count)
    ]


def once(error: Exception) -> Fault:
    left = [error]
    return lambda writes: left.pop() if left else None


def outcomes(results: Sequence[WriteResult]) -> list[Outcome]:
    return [result.outcome for result in results]


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


@given(
    records=st.integers(0, 20),
    faults=st.dictionaries(st.integers(0, 6).map(lambda n: n * 3), st.integers(1, 3)),
)
def test_a_pull_with_faults_skips_no_record(records: int, faults: Mapping[int, int]) -> None:
    shelf = Shelf(records)
    shelf.pull_faults = {
        at: [ServerFault("503", sent=True) for _ in range(n)] for at, n in faults.items()
    }
    way = steady(shelf, breaker=Breaker(threshold=99))
    pages = list(way.pull(Entity.CONTACT, [], cursor=None))
    seen = [record.id for page in pages for record in page.records]
    assert list(dict.fromkeys(seen)) == [str(n) for n in range(records)]
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]


def test_a_pull_that_gives_up_can_be_resumed_from_the_last_page() -> None:
    shelf = Shelf(9)
    shelf.pull_faults = {3: [ServerFault("503")] * 2}
    way = steady(shelf, policy=RetryPolicy(attempts=2))
    seen: list[str] = []
    at: str | None = None

    def pull() -> None:
        nonlocal at
        for page in way.pull(Entity.CONTACT, [], cursor=at):
            seen.extend(record.id for record in page.records)
            at = page.cursor

    with pytest.raises(ServerFault):
        pull()
    pull()
    assert seen == [str(n) for n in range(9)]


def test_any_number_of_ids_and_values_can_be_read_and_found() -> None:
    shelf = Shelf(10)
    way = steady(shelf)
    assert [r.id for r in way.read(Entity.CONTACT, [str(n) for n in range(12)], [])] == [
        str(n) for n in range(10)
    ]
    assert len(way.find(Entity.CONTACT, "Email", [f"{n}" for n in range(9)])) == 9
    assert way.calls == {"read": 3, "find": 3}


def test_a_storm_of_faults_opens_the_breaker_instead_of_hammering() -> None:
    shelf = Shelf()
    shelf.before = lambda writes: Unreachable("refused")
    way = steady(shelf, breaker=Breaker(threshold=6), policy=RetryPolicy(attempts=5))
    with pytest.raises(Unreachable):
        way.write_chunk(updates(1))
    with pytest.raises(BreakerOpen):
        way.write_chunk(updates(1))
    with pytest.raises(BreakerOpen):
        way.write_chunk(updates(1))
    assert len(shelf.sent) == 6


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


def test_attempts_are_counted_by_kind() -> None:
    shelf = Shelf(4)
    shelf.before = once(Unreachable("refused"))
    way = steady(shelf)
    way.write_chunk(updates(1))
    list(way.pull(Entity.CONTACT, [], cursor=None))
    assert way.calls == {"write": 2, "pull": 2}


def test_everything_else_reaches_the_connector_and_describing_is_tried_again() -> None:
    class Described(Shelf):
        faults: ClassVar[list[Exception]] = [ServerFault("503"), Unreachable("refused")]

        def describe(self, entity: Entity) -> Sequence[FieldSpec]:
            if self.faults:
                raise self.faults.pop()
            return [FieldSpec(entity, "Title", FieldType.TEXT)]

        def missing_schema(self, wanted: Sequence[FieldSpec]) -> Sequence[SchemaChange]:
            return [SchemaChange(spec, "create", "absent") for spec in wanted]

        def check(self) -> Sequence[Finding]:
            raise Unreachable("refused")

    way = steady(Described())
    [spec] = way.describe(Entity.CONTACT)
    assert spec.name == "Title"
    assert [change.wanted for change in way.missing_schema([spec])] == [spec]
    assert (way.schema, way.usage(), way.url(Entity.CONTACT, "7")) == ((), Usage(0, 10_000), "7")
    with pytest.raises(Unreachable):
        way.check()  # at once: a person is waiting for the answer
    assert way.calls == {"describe": 4, "check": 1}


def test_a_locked_row_keeps_its_rejection_when_the_crm_is_lost_meanwhile() -> None:
    shelf = Shelf()
    shelf.locked = {"k1": 1}
    shelf.before = lambda writes: Unreachable("cut") if len(writes) == 1 else None
    results = steady(shelf, policy=RetryPolicy(attempts=2)).write_chunk(updates(2))
    assert outcomes(results) == [Outcome.APPLIED, Outcome.REJECTED]
    assert (results[1].code, results[1].retry) == ("LOCKED", True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RetryPolicy(attempts=0),
        lambda: RetryPolicy(total_seconds=-1),
        lambda: Breaker(threshold=0),
        lambda: QuotaFloor(1.0),
        lambda: QuotaFloor(-0.1),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"needs|share"):
        make()
