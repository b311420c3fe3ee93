"""What every step of one apply shares: the store, the CRM, the clock, and whose work it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

from crm_sync.calls.retry import RetryPolicy, Sleep
from crm_sync.connector import Capabilities, FieldSpec, FieldType, Write, WriteResult
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import Change, Entity, FieldChange, Operation, Record
from crm_sync.store.database import Store
from crm_sync.store.intents import Intent, Scope

Clock = Callable[[], datetime]


class Crm(Protocol):
    """What applying needs of a CRM; `crm_sync.calls.steady.Steady` gives it.

    `write_chunk` takes at most `write_batch` writes of one operation and entity and returns one
    result per write, in order. It raises only when certainly no row at all was carried out, and
    never waits to send again: what was read before may no longer be so.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the CRM can do."""
        ...

    def describe(self, entity: Entity) -> Sequence[FieldSpec]:
        """Every field of the entity's main object that this user can see."""
        ...

    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record]:
        """The live records among any number of ids; absent ones are left out."""
        ...

    def find(self, entity: Entity, field: str, values: Sequence[str]) -> Sequence[Record]:
        """The live records whose field has one of any number of values."""
        ...

    def write_chunk(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Carry out one chunk."""
        ...


class TaskKey:
    """The CRM field that carries a task's key, and whether it is kept unique there."""

    def __init__(self, crm: Crm, mapping: CrmMapping) -> None:
        self._crm = crm
        self._mapping = mapping

    @property
    def field(self) -> str:
        """Its name; empty when the mapping has none, or the CRM does not have it."""
        return self._mapped if self._spec else ""

    @property
    def search_field(self) -> str:
        """Its name if tasks can be looked for by it: not in a text of many lines."""
        return self.field if self._spec and self._spec.type is not FieldType.LONG_TEXT else ""

    @property
    def unique_field(self) -> str:
        """Its name if the CRM itself says that it keeps it unique, else empty."""
        able = self._crm.capabilities.unique_task_key
        return self.field if self._spec and self._spec.unique and able else ""

    @property
    def _mapped(self) -> str:
        mapped = self._mapping.writes(Entity.TASK).get("key")
        return mapped.field if mapped else ""

    @cached_property
    def _spec(self) -> FieldSpec | None:
        """Asks the CRM, the first time only: without a task there is nothing to ask."""
        if not self._mapped:
            return None
        name = self._mapped.casefold()
        described = self._crm.describe(Entity.TASK)
        return next((spec for spec in described if spec.name.casefold() == name), None)


def keeps_unique(described: Sequence[FieldSpec], field: str) -> bool:
    """Whether the CRM refuses a second record with the same value in this field."""
    name = field.casefold()
    return any(spec.unique and spec.name.casefold() == name for spec in described)


@dataclass(frozen=True, slots=True)
class Work:
    """One apply under its connection's lock."""

    store: Store
    crm: Crm
    scope: Scope
    task_key: TaskKey
    now: Clock
    sleep: Sleep
    policy: RetryPolicy = field(default_factory=RetryPolicy)

    def key_field(self, of: Change | Intent) -> str:
        """The CRM field in which this create's key travels."""
        return self.task_key.field if _creates_task(of) else ""

    def search_field(self, of: Change | Intent) -> str:
        """The CRM field by which this create is found again."""
        return self.task_key.search_field if _creates_task(of) else ""

    def unique_field(self, of: Change | Intent) -> str:
        """The CRM field that keeps this create unique; empty when nothing does.

        Where it is empty, a create is sent once at most. An answer that was lost may still be
        found by `search_field`: that shows that the task is there. That it is not, nothing shows.
        """
        return self.task_key.unique_field if _creates_task(of) else ""

    def can_be_read(self, one: Intent) -> bool:
        """Whether reading the CRM can show that it was carried out: ours has an id or a key."""
        return one.operation is not Operation.CREATE or bool(self.search_field(one))

    def will_be_known(self, one: Intent) -> bool:
        """Whether reading the CRM can also show that it was not."""
        return one.operation is not Operation.CREATE or bool(self.unique_field(one))


def _creates_task(of: Change | Intent) -> bool:
    return of.operation is Operation.CREATE and of.entity is Entity.TASK


def read_contacts(crm: Crm, tasks: Sequence[Change]) -> Mapping[str, Record]:
    """The contacts that these tasks are about, by id, with the fields that they were judged by."""
    ids = list(dict.fromkeys(task.contact_id for task in tasks))
    fields = list(dict.fromkeys(f.crm_field for task in tasks for f in task.watched))
    return {one.id: one for one in crm.read(Entity.CONTACT, ids, fields)} if ids else {}


def read_live(crm: Crm, items: Sequence[Change | Intent]) -> Mapping[tuple[Entity, str], Record]:
    """The live records behind these changes, with every field that any of them names.

    For a change that is about to be sent also those that it was judged by.
    """
    live: dict[tuple[Entity, str], Record] = {}
    for entity in dict.fromkeys(item.entity for item in items):
        mine = [item for item in items if item.entity is entity and item.record_id]
        ids = list(dict.fromkeys(item.record_id for item in mine))
        fields = list(dict.fromkeys(f.crm_field for item in mine for f in _looked_at(item)))
        if ids:
            for record in crm.read(entity, ids, fields):
                live[entity, record.id] = record
    return live


def _looked_at(item: Change | Intent) -> tuple[FieldChange, ...]:
    return (*item.fields, *item.watched) if isinstance(item, Change) else item.fields
