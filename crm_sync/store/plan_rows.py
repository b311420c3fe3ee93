"""The changes of a plan as rows. The texts of a large plan are packed: they repeat themselves.

A row holds its texts itself, or names a pack and its place there. A pack is compressed lines, three
for each change: fields, watched, evidence; JSON text has no line end inside. Links hold theirs
themselves, since they are looked for one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from crm_sync.later import FromText
from crm_sync.model import (
    DUE,
    Change,
    Disposition,
    Entity,
    Evidence,
    FieldChange,
    JobChangeKind,
    Operation,
)
from crm_sync.sealed import FieldsText, Sealed
from crm_sync.store.sql import chunks

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

PACKED_FROM = 2_000
"""Changes in a plan from which on their texts are packed."""

_PACK = 200
"""Changes in a pack: reading one change reads as many."""

_LINES = 3
_COLUMNS = (
    "key", "operation", "entity", "record_id", "contact_id", "kind", "disposition", "reason",
    "confidence", "requires", "held_by", "owner_id", "rule", "source", "identified_by", "band",
    "due_on", "digest", "fields", "watched", "evidence", "slot",
)  # fmt: skip
_INDEX_PAGES = 65_536
"""KiB of cache while many rows are inserted: their keys come in no order."""


@dataclass
class Rows:
    """Rows in the order of their changes, each with the number of its pack (None: no pack)."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    packs: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def sealed(self) -> Iterator[tuple[bytes, str]]:
        """The digest and the due date of each."""
        return ((row[17], row[16]) for row in self.rows)


def rows_of(changes: Iterable[Change], *, packed: bool) -> Rows:
    """The changes as rows."""
    made = Rows()
    lines: list[str] = []
    for change in changes:
        sealed = Sealed.of(change)
        texts = (sealed.fields, sealed.watched, sealed.evidence)
        if packed and change.operation is not Operation.LINK:
            place: tuple[Any, ...] = ("", "", "", len(lines) // _LINES, len(made.packs))
            lines += texts
        else:
            place = (*texts, None, None)
        made.rows.append((*_head(change), sealed.due_on, sealed.digest, *place))
        if len(lines) == _PACK * _LINES:
            made.packs.append(_pack(lines))
            lines = []
    if lines:
        made.packs.append(_pack(lines))
    return made


def _head(one: Change) -> tuple[Any, ...]:
    return (
        one.key,
        one.operation.value,
        one.entity.value,
        one.record_id,
        one.contact_id,
        one.kind.value,
        one.disposition.value,
        one.reason,
        one.confidence,
        one.requires,
        one.held_by,
        one.owner_id,
        one.rule,
        one.source,
        one.identified_by,
        one.band,
    )


def insert_rows(
    tx: Connection, plan_id: int, batches: Iterable[Rows], table: str = "change"
) -> None:
    """Store the changes of a plan, batch after batch; in another `table` of its columns."""
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql(f"PRAGMA cache_size = -{_INDEX_PAGES}")
    position = 0
    first = tx.exec_driver_sql("SELECT coalesce(max(id), 0) + 1 FROM change_pack").scalar_one()
    names = ", ".join(f'"{name}"' for name in ("plan_id", "position", *_COLUMNS, "pack"))
    marks = ", ".join("?" for _ in _COLUMNS)
    for batch in batches:
        values = f"{plan_id:d}, ?, {marks}, ? + {first:d}"
        statement = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608 - our names
        for some in chunks(enumerate(batch.rows, position), 10_000):
            tx.exec_driver_sql(statement, [(at, *row) for at, row in some])
        packs = [(first + at, size, data) for at, (size, data) in enumerate(batch.packs)]
        if packs:
            tx.exec_driver_sql("INSERT INTO change_pack (id, size, data) VALUES (?, ?, ?)", packs)
        position += len(batch.rows)
        first += len(packs)


ALL_COLUMNS = (*_COLUMNS, "pack")
"""All columns but those of the plan and the position in it."""


def sealed_in(tx: Connection, plan_id: int) -> Iterator[tuple[bytes, str]]:
    """The digest and due date of each change, in their order, as they are stored."""
    query = "SELECT position, digest, due_on FROM change WHERE plan_id = ?"
    rows = sorted(map(tuple, tx.exec_driver_sql(query, (plan_id,))))
    return ((digest, due_on) for _, digest, due_on in rows)


def read_changes(tx: Connection, plan_id: int) -> list[Change]:
    """The changes of a plan, in their order; their texts are read when they are looked at."""
    names = ", ".join(f'c."{name}"' for name in ("position", "pack", *_COLUMNS))
    query = f"SELECT {names} FROM change c WHERE c.plan_id = ?"  # noqa: S608 - our names
    rows = sorted(map(tuple, tx.exec_driver_sql(query, (plan_id,))))
    packs = _Packs(tx, plan_id)
    return [_change(row, packs) for row in rows]


class _Packs:
    """The packs of a plan, unpacked one after the other."""

    def __init__(self, tx: Connection, plan_id: int) -> None:
        query = (
            "SELECT id, size, data FROM change_pack WHERE id IN "
            "(SELECT pack FROM change WHERE plan_id = ?)"
        )
        rows = tx.exec_driver_sql(query, (plan_id,))
        self._held = {id: (size, data) for id, size, data in rows}
        self._lines: dict[int, Sequence[str]] = {}

    def texts(self, pack: int, slot: int) -> Sequence[str]:
        """Fields, watched and evidence of one change; raises KeyError, ValueError."""
        lines = self._lines.get(pack)
        if lines is None:
            lines = self._lines[pack] = _unpack(*self._held[pack])
        found = lines[slot * _LINES : (slot + 1) * _LINES]
        if len(found) != _LINES:
            raise ValueError("the pack is too short")
        return found


def _pack(lines: Sequence[str]) -> tuple[int, bytes]:
    import pyarrow as pa

    data = "\n".join(lines).encode()
    codec = pa.Codec("zstd", compression_level=1)
    return len(data), codec.compress(data, asbytes=True)


def _unpack(size: int, data: bytes) -> Sequence[str]:
    import pyarrow as pa

    try:
        text: bytes = pa.Codec("zstd").decompress(data, size, asbytes=True)
    except OSError as problem:
        raise ValueError("the pack cannot be read") from problem
    return text.decode().split("\n")


def _change(row: tuple[Any, ...], packs: _Packs) -> Change:
    (_, pack, key, operation, entity, record_id, contact_id, kind, disposition, reason,
     confidence, requires, held_by, owner_id, rule, source, identified_by, band, due_on, _,
     fields, watched, evidence, slot) = row  # fmt: skip
    if pack is not None:
        fields, watched, evidence = packs.texts(pack, slot)
    return Change(
        key,
        _OPERATIONS[operation],
        _ENTITIES[entity],
        record_id,
        contact_id,
        _KINDS[kind],
        FieldsText(fields, due_on, load_fields),
        _DISPOSITIONS[disposition],
        reason,
        confidence,
        FromText(evidence, load_evidence),
        requires,
        held_by,
        owner_id,
        rule,
        FieldsText(watched, "", load_fields),
        source,
        identified_by,
        band,
    )


def load_change(row: Row[Any]) -> Change:
    """A change from its row, which holds its texts itself."""
    return Change(
        key=row.key,
        operation=Operation(row.operation),
        entity=Entity(row.entity),
        record_id=row.record_id,
        contact_id=row.contact_id,
        kind=JobChangeKind(row.kind),
        fields=tuple(load_fields(row.fields, row.due_on)),
        watched=tuple(load_fields(row.watched)),
        disposition=Disposition(row.disposition),
        reason=row.reason,
        confidence=row.confidence,
        evidence=load_evidence(row.evidence),
        requires=row.requires,
        held_by=row.held_by,
        owner_id=row.owner_id,
        rule=row.rule,
        source=row.source,
        identified_by=row.identified_by,
        band=row.band,
    )


_OPERATIONS = {one.value: one for one in Operation}
_ENTITIES = {one.value: one for one in Entity}
_KINDS = {one.value: one for one in JobChangeKind}
_DISPOSITIONS = {one.value: one for one in Disposition}


def load_fields(text: str, due_on: str = "") -> Iterator[FieldChange]:
    """Field changes from their stored JSON, with the due date that stands apart from it."""
    for one in json.loads(text):
        change = FieldChange(**one)
        yield replace(change, after=due_on) if due_on and change.name == DUE else change


def load_evidence(text: str) -> tuple[Evidence, ...]:
    """Evidence from its stored JSON."""
    return tuple(
        Evidence(
            one["rule"],
            one["detail"],
            one.get("source") or "",
            date.fromisoformat(one["as_of"][:10]) if one.get("as_of") else None,
            one.get("weight"),
        )
        for one in json.loads(text)
    )
