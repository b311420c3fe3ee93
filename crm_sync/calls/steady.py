"""`Steady`: a connector with everything that the core adds to its calls.

The rest of the core never calls a connector directly. It hands over any number of ids or writes;
chunks, retries, the breaker, the quota floor and the meaning of a fault are settled here.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from threading import Lock
from types import MappingProxyType
from typing import TypeVar

from crm_sync.calls.breaker import Breaker
from crm_sync.calls.chunks import split_ids
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy, Sleep, call_with_retry
from crm_sync.calls.sending import send_chunk
from crm_sync.connector import (
    Capabilities,
    Connector,
    Entity,
    FieldSpec,
    Finding,
    Page,
    Record,
    SchemaChange,
    SchemaWriter,
    Usage,
    Write,
    WriteResult,
)

T = TypeVar("T")


class Steady:
    """One run's way to one CRM account; safe to share between threads if the connector is.

    Make a new one for each run: the quota floor believes the last thing the CRM said, and only a
    fresh connector asks again. `sleep` can be replaced to test without waiting.
    """

    def __init__(
        self,
        connector: Connector,
        *,
        policy: RetryPolicy | None = None,
        breaker: Breaker | None = None,
        floor: QuotaFloor | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._connector = connector
        self._policy = policy or RetryPolicy()
        self._breaker = breaker or Breaker()
        self._floor = floor or QuotaFloor()
        self._sleep = sleep
        self._calls: Counter[str] = Counter()
        self._described: dict[Entity, Sequence[FieldSpec]] = {}
        self._lock = Lock()

    @property
    def capabilities(self) -> Capabilities:
        """What this CRM can do."""
        return self._connector.capabilities

    @property
    def schema(self) -> Sequence[FieldSpec]:
        """The custom fields that the connector declares."""
        return self._connector.schema

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls made of the connector so far by kind (`pull`, `write` …), each attempt counted."""
        with self._lock:
            return MappingProxyType(dict(self._calls))

    def pull(
        self,
        entity: Entity,
        fields: Sequence[str],
        *,
        cursor: str | None,
        where: str = "",
        object_name: str = "",
    ) -> Iterator[Page]:
        """The connector's pages; after a fault it goes on from the last page's cursor.

        A record may come twice and is never left out. Store each page with its cursor before
        asking for the next: an error that is raised here loses nothing then.
        """
        stream: Iterator[Page] | None = None
        at = cursor

        def step() -> Page | None:
            nonlocal stream
            if stream is None:
                stream = self._connector.pull(
                    entity, fields, cursor=at, where=where, object_name=object_name
                )
            try:
                return next(stream, None)
            except BaseException:
                stream = None  # a generator that has raised is finished
                raise

        while (page := self._call("pull", step)) is not None:
            at = page.cursor
            yield page
            if page.complete:
                return

    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> list[Record]:
        """The live records among any number of ids, each once; absent ones are left out."""
        records: list[Record] = []
        for chunk in split_ids(ids, self.capabilities.read_batch):
            records += self._call("read", partial(self._connector.read, entity, chunk, fields))
        return records

    def find(self, entity: Entity, field: str, values: Sequence[str]) -> list[Record]:
        """The live records whose field has one of any number of values."""
        records: list[Record] = []
        for chunk in split_ids(values, self.capabilities.read_batch):
            records += self._call("find", partial(self._connector.find, entity, field, chunk))
        return records

    def write_chunk(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Send one chunk: one operation, one entity (links: also one other end), at most
        `write_batch` rows.

        One result per write, in order. Guarantees:

        * Nothing is sent twice and there is no pause: whoever wants to try again reads the records
          anew first, since a person may have edited them meanwhile.
        * A write that may have reached the CRM is `unknown`.
        * A batch that the CRM refuses as a whole is halved until the bad row stands alone and is
          `rejected`; the others are carried out.
        * An error is raised only if certainly no row at all was carried out. Should the CRM
          become unreachable half-way, the rows not sent are `rejected` with code `NOT_SENT` and
          `retry=True`, so that the outcome of the others is not lost.
        * Messages hold no values (see `crm_sync.calls.words`).
        """
        limit = self.capabilities.write_batch
        kinds = {(one.operation, one.entity, one.to.entity if one.to else None) for one in writes}
        if len(kinds) > 1 or len(writes) > limit:
            raise ValueError(f"a chunk is at most {limit} writes of one operation and one entity")
        return send_chunk(self._send_once, writes)

    def check(self) -> Sequence[Finding]:
        """The connector's own check, asked once: a check should answer soon, not wait."""
        self._count("check")
        return self._connector.check()

    def describe(self, entity: Entity) -> Sequence[FieldSpec]:
        """Every field of the entity's main object that this user can see; asked for once."""
        known = self._described.get(entity)
        if known is None:
            known = self._call("describe", lambda: self._connector.describe(entity))
            self._described[entity] = known
        return known

    def missing_schema(self, wanted: Sequence[FieldSpec]) -> Sequence[SchemaChange]:
        """What of `wanted` the CRM lacks."""
        return self._call("describe", lambda: self._connector.missing_schema(wanted))

    @property
    def creates_schema(self) -> bool:
        """Whether this connector can create fields itself."""
        return isinstance(self._connector, SchemaWriter)

    def create_schema(self, changes: Sequence[SchemaChange], *, language: str) -> Sequence[Finding]:
        """Create fields, asked once; only where `creates_schema`."""
        connector = self._connector
        if not isinstance(connector, SchemaWriter):
            raise TypeError("this connector creates no fields")
        self._described.clear()
        return self._attempt("schema", lambda: connector.create_schema(changes, language=language))

    def usage(self) -> Usage | None:
        """The allowance as the CRM last said; costs no call."""
        return self._connector.usage()

    def url(self, entity: Entity, id: str) -> str:
        """Where a person can see the record."""
        return self._connector.url(entity, id)

    def close(self) -> None:
        """Close the connector."""
        self._connector.close()

    def _send_once(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        return self._attempt("write", lambda: self._connector.write(writes))

    def _call(self, kind: str, do: Callable[[], T]) -> T:
        return call_with_retry(
            self._policy, lambda: self._attempt(kind, do), kind=kind, sleep=self._sleep
        )

    def _attempt(self, kind: str, do: Callable[[], T]) -> T:
        self._floor.check(self._connector.usage())
        with self._breaker.guard():
            self._count(kind)
            return do()

    def _count(self, kind: str) -> None:
        with self._lock:
            self._calls[kind] += 1
