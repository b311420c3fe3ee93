"""The connector protocol: all that the author of a plug-in has to read, and to import from.

A connector speaks to one kind of CRM. It is found through the entry-point group
`crm_sync.connectors`, never by name. It knows its vendor's wire format; the core knows time,
order, retries and safety. Test one by subclassing `crm_sync.testing.ConnectorContract`.

The laws, each a test of that suite:

* `write` returns one result per `Write`, in order. A row's failure is a result, not an exception.
* When it cannot be known whether a write took effect (a time-out after sending, a dropped
  connection, a 5xx), its result is `unknown`. When the batch certainly was not carried out,
  `write` raises: a `TryLater` with `sent=False`, `AccessDenied`, or `BatchRejected`.
* Cursors are opaque; resuming from one repeats records rather than skipping any. One that cannot
  be gone on from raises `PositionLost`: everything is then read again.
* Every record of a pull or a `read` carries every field asked for, None where it is blank: what
  a person has emptied is an edit, and is seen as one only if it is told.
* `Page.gone` tells deletes and merges (old id, surviving id). With `where`, it also tells each
  record that was changed since the cursor and does not satisfy `where` now, without a survivor.
* A `link` that is there already is `applied` all the same: linking again is harmless. One whose
  task or other end is absent is `rejected`, and harms no other.
* Quotes, emoji, newlines, empty strings and nulls survive a round trip.
* No retry and no back-off inside a connector, nor in the vendor's library under it: raise the
  right error from `crm_sync.errors` and `crm_sync.calls` does the rest. Two exceptions: one
  refresh of a refused token (`crm_sync.calls.tokens`), and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict

from crm_sync.errors import (
    AccessDenied,
    BatchRejected,
    ConfigError,
    PositionLost,
    QuotaReached,
    RateLimited,
    ScopeMissing,
    ServerFault,
    TryLater,
    Unreachable,
)
from crm_sync.model import Entity, Operation, Record, Scalar

__all__ = [
    "AccessDenied",
    "BatchRejected",
    "Capabilities",
    "ConfigError",
    "Connector",
    "ConnectorConfig",
    "Entity",
    "FieldSpec",
    "FieldType",
    "Finding",
    "Gone",
    "Level",
    "Operation",
    "Outcome",
    "Page",
    "PositionLost",
    "QuotaReached",
    "RateLimited",
    "Record",
    "Ref",
    "Scalar",
    "SchemaChange",
    "SchemaWriter",
    "ScopeMissing",
    "ServerFault",
    "TryLater",
    "Unreachable",
    "Usage",
    "Write",
    "WriteResult",
]


class ConnectorConfig(BaseModel):
    """The settings a connector adds to a connection. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the CRM can do, declared once per connector.

    `unique_task_key`: a task can carry a key that the CRM itself keeps unique, so that tasks are
    created exactly once. `write_batch` and `read_batch` are rows per call. `settle_seconds` is
    how long a write that was carried out may stay invisible to a read. `late_seconds` is how long
    the CRM itself goes on with a request whose caller has gone: until then a write without an
    answer that is not to be seen may still come, and is not sent again. `links_move_dates`:
    linking a task dates it anew; where it does not, a date that moved is somebody's edit.
    """

    page_size: int
    read_batch: int
    write_batch: int
    operations: frozenset[Operation]
    unique_task_key: bool
    settle_seconds: float = 0.0
    late_seconds: float = 0.0
    links_move_dates: bool = False


class FieldType(StrEnum):
    """Types of CRM fields, as far as the core has to tell them apart."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    DATE = "date"
    DATETIME = "datetime"
    PICKLIST = "picklist"
    REFERENCE = "reference"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of one CRM object, under the CRM's name.

    As described by the CRM, or as wanted by a connector's own schema. `values` are the values
    allowed when `restricted`; `length` is in characters, None when unlimited or not text.
    `targets` are what a field with ids of other records leads to, empty where that is not known;
    `many` says that it may hold more than one. `labels` are those of a wanted field in other
    languages than English, each with its code (`("fr", "Poste")`).
    """

    entity: Entity
    name: str
    type: FieldType
    label: str = ""
    length: int | None = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    unique: bool = False
    help: str = ""
    targets: tuple[Entity, ...] = ()
    many: bool = False
    labels: tuple[tuple[str, str], ...] = ()

    def label_in(self, language: str) -> str:
        """The label in a language (`en`, `fr`), in English where it has no other."""
        return dict(self.labels).get(language, self.label)


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A field that the CRM lacks, or has otherwise than wanted, and what would be done.

    `by_hand` marks what no connector does: what is there is never replaced.
    """

    wanted: FieldSpec
    action: str
    reason: str
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """A record that is no longer there: deleted, or merged into `survivor`."""

    entity: Entity
    id: str
    survivor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pull. Store it and its `cursor` together, then ask for the next.

    The last page's cursor starts the next incremental pull. `complete` is True on that page.
    `total` is how many records the whole pull expects, where the CRM says so.
    """

    records: Sequence[Record]
    gone: Sequence[Gone]
    cursor: str
    complete: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """One record of the CRM."""

    entity: Entity
    id: str


@dataclass(frozen=True, slots=True)
class Write:
    """One row to write, under the CRM's field names.

    `key` is the stable key of the intent behind it; a connector may send it along for tracing.
    `record_id` is empty for create. A value of None clears.

    A `link` ties the task `record_id` to the record `to`. Its one field is the relation, under the
    name that the mapping gives it (`associations.contacts`), with the id of `to` as its value; a
    `read` of that field gives all ids, joined by `;`.
    """

    operation: Operation
    entity: Entity
    key: str
    record_id: str = ""
    fields: Mapping[str, Scalar] = field(default_factory=dict)
    to: Ref | None = None


class Outcome(StrEnum):
    """What became of a write."""

    APPLIED = "applied"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The outcome of one `Write`.

    `record_id` is the id of the record written, also of a created one. For `rejected`, `code` and
    `message` are the CRM's own words and `hint` ours; the core takes values out of `message`. A
    create refused because the key is taken is `rejected` with `duplicate_key=True`, and names no
    id. `retry` marks a rejection that time mends (a locked row), `retry_after` is the pause in
    seconds that the CRM asks for.
    """

    outcome: Outcome
    record_id: str = ""
    code: str = ""
    message: str = ""
    hint: str = ""
    duplicate_key: bool = False
    retry: bool = False
    retry_after: float | None = None


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `crm-sync check`: what was looked at, what was seen, what to do about it.

    `denied` marks a problem that is a permission these credentials lack.
    """

    level: Level
    subject: str
    message: str
    fix: str = ""
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """API calls used and allowed in the CRM's own window, as it last said."""

    used: int
    allowed: int

    @property
    def left(self) -> float:
        """The share of the allowance that is left, 0.0 to 1.0."""
        return max(0.0, 1.0 - self.used / self.allowed) if self.allowed > 0 else 0.0


@runtime_checkable
class Connector(Protocol):
    """One CRM account, spoken to in its own language. See the laws in the module docstring."""

    Config: ClassVar[type[ConnectorConfig]]
    capabilities: ClassVar[Capabilities]
    schema: ClassVar[Sequence[FieldSpec]]
    """The custom fields that crm-sync writes and `setup` creates, declared once."""
    objects: ClassVar[Mapping[Entity, str]]
    """The CRM's object behind each entity: what `read`, `find`, `write` and `describe` speak of.

    A mapping that names another for contacts, accounts, colleagues or tasks is refused.
    """

    @classmethod
    def connect(cls, config: ConnectorConfig) -> Self:
        """Build a client; may, but need not, talk to the CRM."""
        ...

    def check(self) -> Sequence[Finding]:
        """Look at credentials, scopes and quota, without writing."""
        ...

    def describe(self, entity: Entity) -> Sequence[FieldSpec]:
        """Every field of the entity's main object that this user can see."""
        ...

    def pull(
        self,
        entity: Entity,
        fields: Sequence[str],
        *,
        cursor: str | None,
        where: str = "",
        object_name: str = "",
    ) -> Iterator[Page]:
        """All records (no cursor), or those changed since the cursor.

        `where` is an optional filter in the CRM's own language, from the mapping; refuse it with a
        `ConfigError` if the CRM has none. A record that is pulled with it, and later edited so
        that it no longer satisfies it, is gone: it must not be written any more. `object_name` is
        the CRM's object where several hold the entity (interactions), else that of `objects`.
        """
        ...

    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record]:
        """The live records of these ids; absent ones are left out. At most `read_batch` ids."""
        ...

    def find(self, entity: Entity, field: str, values: Sequence[str]) -> Sequence[Record]:
        """Live records whose field has one of the values; each record carries at least it."""
        ...

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Carry out at most `write_batch` writes of one operation and one entity.

        Links come one entity of `to` at a time as well.
        """
        ...

    def usage(self) -> Usage | None:
        """The allowance, if the CRM said; costs no call."""
        ...

    def missing_schema(self, wanted: Sequence[FieldSpec]) -> Sequence[SchemaChange]:
        """What of `wanted` the CRM lacks."""
        ...

    def url(self, entity: Entity, id: str) -> str:
        """Where a person can see the record."""
        ...

    def close(self) -> None:
        """Give back sockets; the connector is not used afterwards."""
        ...


@runtime_checkable
class SchemaWriter(Protocol):
    """What a connector adds that can create fields itself; `setup` asks for it.

    Without it, `setup` shows what is missing and leaves the creating to a person.
    """

    def create_schema(self, changes: Sequence[SchemaChange], *, language: str) -> Sequence[Finding]:
        """Create what `missing_schema` found missing, labelled in `language` (`en`, `fr`).

        One finding per change, in order. What is there by now is left as it is, so that it can be
        asked again after a fault. Raises as `write` does.
        """
        ...
