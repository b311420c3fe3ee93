"""What every step of one apply shares: the store, the CRM, the clock, and whose work it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from crm_sync.connector import Capabilities, Write, WriteResult
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import Change, Entity, Operation, Record
from crm_sync.store.database import Store
from crm_sync.store.intents import Intent, Scope

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]


class Crm(Protocol):
    """What applying needs of a CRM; `crm_sync.calls.steady.Steady` gives it.

    `write_chunk` takes at most `write_batch` writes of one operation and entity and returns one
    result per write, in order. It raises only when certainly no row at all was carried out.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the CRM can do."""
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


@dataclass(frozen=True, slots=True)
class Work:
    """One apply under its connection's lock."""

    store: Store
    crm: Crm
    scope: Scope
    key_field: str
    now: Clock
    sleep: Sleep

    def unique_field(self, of: Change | Intent) -> str:
        """The CRM field that keeps this create unique; empty when nothing does.

        Where it is empty, a create is sent once at most, and an answer that was lost is for a
        person to look into.
        """
        creates_task = of.operation is Operation.CREATE and of.entity is Entity.TASK
        return self.key_field if creates_task else ""


def task_key_field(crm: Crm, mapping: CrmMapping) -> str:
    """The CRM field for a task's unique key; empty when the CRM or the mapping has none."""
    key = mapping.writes(Entity.TASK).get("key")
    return key.field if key is not None and crm.capabilities.unique_task_key else ""


def read_live(crm: Crm, items: Sequence[Change | Intent]) -> Mapping[tuple[Entity, str], Record]:
    """The live records behind these changes, with every field that any of them names."""
    live: dict[tuple[Entity, str], Record] = {}
    for entity in dict.fromkeys(item.entity for item in items):
        mine = [item for item in items if item.entity is entity and item.record_id]
        ids = list(dict.fromkeys(item.record_id for item in mine))
        fields = list(dict.fromkeys(f.crm_field for item in mine for f in item.fields))
        if ids:
            for record in crm.read(entity, ids, fields):
                live[entity, record.id] = record
    return live
