"""A CRM in memory, and a store and a CRM that can die at any boundary. For the apply tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crm_sync.applying.apply import ApplyReport, apply_plan
from crm_sync.applying.undo import UndoNotes, undo_plan
from crm_sync.connector import (
    Capabilities,
    FieldSpec,
    FieldType,
    Outcome,
    Write,
    WriteResult,
)
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.model import (
    Change,
    Disposition,
    Entity,
    FieldChange,
    JobChangeKind,
    Mode,
    Operation,
    Plan,
    Record,
    Scalar,
    stable_key,
)
from crm_sync.store import journal, plans, runs
from crm_sync.store.database import Store
from crm_sync.store.states import State

KEY = "Crm_Sync_Key__c"
START = datetime(2026, 6, 1, 8, tzinfo=UTC)
MAPPING = Path(__file__).parents[2] / "mappings" / "salesforce.yaml"


class KilledHereError(BaseException):
    """Stands for SIGKILL: nothing after it runs in this process."""


@dataclass
class Bomb:
    """Goes off at the n-th boundary that is passed; never, when `at` is None.

    With `only_changes`, boundaries count only where the store or the CRM has just changed. What a
    death leaves behind is the same at all the others: they are those of the change before them.
    """

    at: int | None = None
    passed: int = 0
    only_changes: bool = False

    def boundary(self, *, changed: bool = False) -> None:
        if self.only_changes and not changed:
            return
        self.passed += 1
        if self.at is not None and self.passed == self.at:
            raise KilledHereError

    def disarm(self) -> None:
        self.at = None


class MortalStore(Store):
    """A store whose process can die just before or just after each commit."""

    bomb = Bomb()

    @contextmanager
    def begin(self) -> Iterator[Any]:
        with super().begin() as connection:
            yield connection
            self.bomb.boundary()
        self.bomb.boundary(changed=True)


@dataclass
class Row:
    fields: dict[str, Scalar]
    modified: datetime


@dataclass
class MemoryCrm:
    """Rows in a dictionary, a clock of its own, faults by script, and a count of every effect.

    `script` holds what the next calls of `write_chunk` do: `ok`, `drop_before` (not carried out,
    no answer), `drop_after` (carried out, no answer), `late` (no answer, carried out while the
    caller waits), or an exception to raise before anything is done. `unique` says whether the CRM
    can keep a task's key unique, `keyed` whether it does (unset: if it can), `described` whether it
    has the field at all, `searchable` whether it can be looked into, `indexed` whether a new task
    is found by it. `locked` counts how
    often a write is still refused because its row is locked. Linking dates a task anew if
    `moves_dates`.
    """

    unique: bool = True
    keyed: bool | None = None
    described: bool = True
    indexed: bool = True
    searchable: bool = True
    links: bool = True
    moves_dates: bool = False
    batch: int = 2
    late_seconds: float = 5.0
    bomb: Bomb = field(default_factory=Bomb)
    rows: dict[tuple[Entity, str], Row] = field(default_factory=dict)
    script: list[str | Exception] = field(default_factory=list)
    refuse: dict[str, WriteResult] = field(default_factory=dict)
    locked: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    written: list[Write] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    late: list[Write] = field(default_factory=list)
    slept: float = 0.0
    clock: datetime = START
    made: int = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            page_size=100,
            read_batch=100,
            write_batch=self.batch,
            operations=frozenset(Operation) - (frozenset() if self.links else {Operation.LINK}),
            unique_task_key=self.unique,
            settle_seconds=5.0,
            late_seconds=self.late_seconds,
            links_move_dates=self.moves_dates,
        )

    @property
    def keeps_keys(self) -> bool:
        return self.unique if self.keyed is None else self.keyed

    def describe(self, entity: Entity) -> list[FieldSpec]:
        self._call("describe")
        kind = FieldType.TEXT if self.searchable else FieldType.LONG_TEXT
        key = FieldSpec(entity, KEY.upper(), kind, unique=self.keeps_keys)
        return [key] if self.described else []

    def now(self) -> datetime:
        self.clock += timedelta(milliseconds=10)
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.clock += timedelta(seconds=seconds)
        arriving, self.late = self.late, []
        for write in arriving:
            self._carry_out(write)

    def put(self, id: str, **fields: Scalar) -> None:
        self.rows[Entity.CONTACT, id] = Row(dict(fields), self.now())

    def edit(self, entity: Entity, id: str, **fields: Scalar) -> None:
        """A person's edit."""
        row = self.rows[entity, id]
        row.fields.update(fields)
        row.modified = self.now()

    def value(self, id: str, name: str) -> Scalar:
        return self.rows[Entity.CONTACT, id].fields[name]

    def tasks(self) -> list[Row]:
        return [row for (entity, _), row in self.rows.items() if entity is Entity.TASK]

    def task_ids(self) -> list[str]:
        return [id for entity, id in self.rows if entity is Entity.TASK]

    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> list[Record]:
        self._call("read")
        found = [(id, self.rows[entity, id]) for id in ids if (entity, id) in self.rows]
        return [
            Record(entity, id, {name: row.fields.get(name) for name in fields}, row.modified)
            for id, row in found
        ]

    def find(self, entity: Entity, name: str, values: Sequence[str]) -> list[Record]:
        self._call("find")
        assert self.searchable, "a CRM refuses to look into a long text"
        if not self.indexed:
            return []
        return [
            Record(kind, id, {name: row.fields.get(name)}, row.modified)
            for (kind, id), row in self.rows.items()
            if kind is entity and row.fields.get(name) in values
        ]

    def write_chunk(self, writes: Sequence[Write]) -> list[WriteResult]:
        assert len(writes) <= self.batch
        self._call("write")
        act = self.script.pop(0) if self.script else "ok"
        if isinstance(act, Exception):
            raise act
        if act in ("drop_before", "late"):
            self.late += writes if act == "late" else []
            return [WriteResult(Outcome.UNKNOWN, code="NO_ANSWER") for _ in writes]
        ends = {(write.entity, write.to.entity if write.to else None) for write in writes}
        assert len(ends) == 1, "links go one other end at a time"
        ids = [write.record_id for write in writes if write.record_id]
        assert len(ids) == len(set(ids)), "a CRM refuses a record that comes twice in one call"
        results = [self._carry_out(write) for write in writes]
        self.bomb.boundary(changed=True)
        if act == "drop_after":
            return [WriteResult(Outcome.UNKNOWN, code="NO_ANSWER") for _ in writes]
        return results

    def _call(self, kind: str) -> None:
        self.calls[kind] += 1
        self.bomb.boundary()

    def _carry_out(self, write: Write) -> WriteResult:
        if write.key in self.refuse:
            return self.refuse[write.key]
        if self.locked[write.key] > 0:
            self.locked[write.key] -= 1
            return WriteResult(Outcome.REJECTED, write.record_id, code="LOCKED", retry=True)
        if write.operation is Operation.CREATE:
            return self._create(write)
        at = (write.entity, write.record_id)
        if at not in self.rows:
            return WriteResult(Outcome.REJECTED, code="ENTITY_IS_DELETED", message="gone")
        if write.operation is Operation.LINK:
            return self._link(write)
        if write.operation is Operation.DELETE:
            del self.rows[at]
        else:
            self.edit(write.entity, write.record_id, **write.fields)
        return self._applied(write, write.record_id)

    def _link(self, write: Write) -> WriteResult:
        assert write.to is not None
        assert list(write.fields.values()) == [write.to.id]
        if (write.to.entity, write.to.id) not in self.rows:
            return WriteResult(Outcome.REJECTED, write.record_id, code="ABSENT", message="no such")
        row = self.rows[write.entity, write.record_id]
        for name in write.fields:
            held = str(row.fields.get(name) or "")
            ids = {*held.split(";"), write.to.id} - {""}
            row.fields[name] = ";".join(sorted(ids))
        row.modified = self.now() if self.moves_dates else row.modified
        return self._applied(write, write.record_id)

    def _create(self, write: Write) -> WriteResult:
        assert self.described or KEY not in write.fields, "a CRM refuses a field that it lacks"
        key = write.fields.get(KEY)
        if self.keeps_keys and key and any(row.fields.get(KEY) == key for row in self.tasks()):
            return WriteResult(Outcome.REJECTED, code="DUPLICATE_VALUE", duplicate_key=True)
        assert not any("." in name for name in write.fields), "a relation is no field"
        self.made += 1
        self.rows[write.entity, f"T{self.made}"] = Row(dict(write.fields), self.now())
        return self._applied(write, f"T{self.made}")

    def _applied(self, write: Write, id: str) -> WriteResult:
        self.effects[write.key] += 1
        self.written.append(write)
        return WriteResult(Outcome.APPLIED, id)


@dataclass
class World:
    """A store, a CRM and the shipped mapping, with `apply` and `undo` as an operator has them."""

    store: MortalStore
    crm: MemoryCrm
    mapping: Mapping = field(default_factory=lambda: load_mapping(MAPPING))

    def save(self, *changes: Change, **settings: Any) -> Plan:
        with self.store.begin() as tx:
            return plans.save_plan(tx, replace(a_plan(*changes), **settings))

    def state(self, change: Change) -> State | None:
        with self.store.read() as tx:
            return journal.states(tx, "acme", [change.key]).get(change.key)

    def start(self, kind: str, plan_id: int | None = None) -> int:
        with self.store.begin() as tx:
            return runs.start_run(tx, "acme", kind, self.crm.now(), plan_id)

    def apply(self, plan: Plan) -> ApplyReport:
        run_id = self.start("apply", plan.id)
        return apply_plan(
            self.store, self.crm, plan, self.mapping,
            run_id=run_id, now=self.crm.now, sleep=self.crm.sleep,
        )  # fmt: skip

    def undo(self, run_id: int) -> tuple[UndoNotes, ApplyReport]:
        plan, notes = undo_plan(
            self.store, self.crm, run_id, self.mapping, self.crm.now(), sleep=self.crm.sleep
        )
        with self.store.begin() as tx:
            plan = plans.save_plan(tx, plan)
        return notes, self.apply(plan)


def open_world(path: Path, crm: MemoryCrm | None = None) -> World:
    """A world over the database at `path`; its store and CRM share one bomb."""
    crm = crm or MemoryCrm()
    store = MortalStore.open(path)
    assert isinstance(store, MortalStore)
    store.bomb = crm.bomb
    return World(store, crm)


def a_plan(*changes: Change, **settings: Any) -> Plan:
    base = Plan(0, "acme", START, START + timedelta(days=7), Mode.REVIEW, tuple(changes))
    return replace(base, **settings)


def an_update(id: str, *fields: tuple[str, Scalar, Scalar], **settings: Any) -> Change:
    """An update of a contact; fields as (CRM field, before, after)."""
    change = Change(
        key=stable_key("update", id, fields),
        operation=Operation.UPDATE,
        entity=Entity.CONTACT,
        record_id=id,
        contact_id=id,
        kind=JobChangeKind.MOVED,
        fields=tuple(FieldChange(name.lower(), name, old, new) for name, old, new in fields),
        disposition=Disposition.AUTO,
        reason="moved",
        confidence=0.97,
    )
    return replace(change, **settings)


def a_task(id: str, requires: str = "", subject: str = "Congratulate", **settings: Any) -> Change:
    """A task about a contact."""
    key = stable_key("task", id, subject)
    change = Change(
        key=key,
        operation=Operation.CREATE,
        entity=Entity.TASK,
        record_id="",
        contact_id=id,
        kind=JobChangeKind.MOVED,
        fields=(
            FieldChange("key", KEY, None, key),
            FieldChange("subject", "Subject", None, subject),
            FieldChange("contact_id", "WhoId", None, id),
        ),
        disposition=Disposition.AUTO,
        reason="moved",
        confidence=0.97,
        requires=requires,
        owner_id="005000000000001",
    )
    return replace(change, **settings)


def links_of(task: Change, **ends: str) -> list[Change]:
    """The links of a task by our names: `contact_id` and `account_id`."""
    fields = {"contact_id": "associations.contacts", "account_id": "associations.companies"}
    return [
        replace(
            task,
            key=stable_key(task.key, "link", name),
            operation=Operation.LINK,
            fields=(FieldChange(name, fields[name], None, id),),
            requires=task.key,
            owner_id="",
        )
        for name, id in ends.items()
    ]
