from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.calls.breaker import Breaker
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy
from crm_sync.connector import (
    Entity,
    FieldSpec,
    FieldType,
    Finding,
    SchemaChange,
    ServerFault,
    Unreachable,
    Usage,
)
from crm_sync.errors import BreakerOpen
from tests.support.shelf import Shelf, steady, updates


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
    way = steady(shelf, breaker=Breaker(threshold=6))
    for _ in range(6):
        with pytest.raises(Unreachable):
            way.write_chunk(updates(1))
    for _ in range(3):
        with pytest.raises(BreakerOpen):
            way.write_chunk(updates(1))
    assert len(shelf.sent) == 6


def test_attempts_are_counted_by_kind() -> None:
    shelf = Shelf(4)
    shelf.pull_faults = {3: [ServerFault("503")]}
    way = steady(shelf)
    way.write_chunk(updates(1))
    list(way.pull(Entity.CONTACT, [], cursor=None))
    assert way.calls == {"write": 1, "pull": 3}


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


def test_what_an_object_is_like_is_asked_once_until_fields_are_made() -> None:
    class Describing(Shelf):
        def describe(self, entity: Entity) -> Sequence[FieldSpec]:
            return [FieldSpec(entity, f"seen {calls.calls['describe']}", FieldType.TEXT)]

        def create_schema(
            self, changes: Sequence[SchemaChange], *, language: str
        ) -> Sequence[Finding]:
            return ()

    calls = steady(Describing())
    first = calls.describe(Entity.CONTACT)
    assert calls.describe(Entity.CONTACT) == first
    calls.describe(Entity.TASK)
    assert calls.calls["describe"] == 2
    calls.create_schema([], language="en")
    assert calls.describe(Entity.CONTACT) != first
