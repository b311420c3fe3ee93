"""How rows of SQL become records of JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm_sync_salesforce.sandbox.fields import Kind
from crm_sync_salesforce.sandbox.objects import ADDRESS_PARTS

Row = Sequence[object]
PLAIN, BOOLEAN, ADDRESS, RELATED = range(4)
_ADDRESS_KEYS = ("street", "city", "state", "postalCode", "country")


@dataclass(slots=True)
class Shape:
    """One record's keys in order, each with its column; related records are shapes of their own.

    `type_name` is the object; where a relationship is polymorphic it is empty and `type_index`
    is the column that says it.
    """

    type_name: str
    id_index: int
    type_index: int = -1
    entries: list[tuple[str, int, int]] = field(default_factory=list)
    related: dict[str, Shape] = field(default_factory=dict)

    def add(self, name: str, kind: Kind, index: int) -> None:
        """Show a column under this key."""
        code = {Kind.BOOLEAN: BOOLEAN, Kind.ADDRESS: ADDRESS}.get(kind, PLAIN)
        self.entries.append((name, code, index))

    def has(self, name: str) -> bool:
        """Whether the key is taken."""
        return any(key == name for key, _, _ in self.entries)

    def relate(self, name: str, shape: Shape) -> Shape:
        """The related record under this key; `shape` unless there is one already."""
        if name not in self.related:
            self.related[name] = shape
            self.entries.append((name, RELATED, -1))
        return self.related[name]

    def render(self, row: Row, prefix: str) -> dict[str, object] | None:
        """The record of a row; `prefix` is the path of `sobjects/`. None for an absent relation."""
        record_id = row[self.id_index]
        if record_id is None:
            return None
        kind = self.type_name or row[self.type_index]
        attributes = {"type": kind, "url": f"{prefix}{kind}/{record_id}"}
        record: dict[str, object] = {"attributes": attributes}
        for name, code, index in self.entries:
            if code == PLAIN:
                record[name] = row[index]
            elif code == BOOLEAN:
                record[name] = bool(row[index])
            elif code == ADDRESS:
                record[name] = _address(row[index : index + len(ADDRESS_PARTS)])
            else:
                record[name] = self.related[name].render(row, prefix)
        return record


def _address(parts: Row) -> dict[str, object] | None:
    if all(part is None for part in parts):
        return None
    known = dict(zip(_ADDRESS_KEYS, parts, strict=True))
    return {**known, "geocodeAccuracy": None, "latitude": None, "longitude": None}
