"""A CRM in memory, with faults by script, and the ways that tests use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from crm_sync.calls.steady import Steady
from crm_sync.connector import (
    BatchRejected,
    Capabilities,
    ConnectorConfig,
    Entity,
    FieldSpec,
    Finding,
    Operation,
    Outcome,
    Page,
    Record,
    SchemaChange,
    Usage,
    Write,
    WriteResult,
)

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
    objects: ClassVar[Mapping[Entity, str]] = {}

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
