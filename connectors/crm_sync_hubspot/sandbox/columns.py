"""What each column of a loaded file means, and the values of its cells."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crm_sync.sandbox.csvfiles import CsvFile, CsvRow
from crm_sync.yamlfile import did_you_mean
from crm_sync_hubspot.sandbox.definitions import Definition, text_property
from crm_sync_hubspot.sandbox.editing import number_of
from crm_sync_hubspot.sandbox.lookups import Lookup
from crm_sync_hubspot.sandbox.portal import Definitions, Portal
from crm_sync_hubspot.sandbox.propertyforms import NAME
from crm_sync_hubspot.sandbox.types import TYPES, ObjectType
from crm_sync_hubspot.sandbox.values import ValueProblem, checked, day_or_time

IDS = ("id", "hs_object_id", "record id")
OWNER = "hubspot_owner_id"
_CREATED = ("createdate", "hs_createdate", "createdat")
_MODIFIED = ("lastmodifieddate", "hs_lastmodifieddate", "updatedat")
_RELATIONS = {"companies": ("id", "name", "domain"), "contacts": ("id", "email")}


@dataclass(frozen=True, slots=True)
class Relation:
    """A column that associates: its cells name records of `to`, several joined by `;`."""

    position: int
    heading: str
    to: str
    lookup: Lookup
    several: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All columns of a file, by what they are for; positions count from 0."""

    file: CsvFile
    kind: ObjectType
    properties: tuple[tuple[int, Definition], ...]
    relations: tuple[Relation, ...]
    id: int | None
    created: int | None
    modified: int | None

    def values(self, row: CsvRow) -> dict[str, str | None]:
        """The row's properties. Raises `InputError`."""
        found: dict[str, str | None] = {}
        for position, definition in self.properties:
            cell = row.cells[position]
            if not cell.strip():
                continue
            try:
                found[definition.name] = checked(_lenient(definition), cell)
            except ValueProblem as problem:
                message = f"{self.file.columns[position]}: {problem.message}"
                raise self.file.error(row.line, message) from None
        return found

    def record_id(self, row: CsvRow) -> int | None:
        """The row's own id, None where a new one is wanted. Raises `InputError`."""
        if self.id is None or not row.cells[self.id].strip():
            return None
        number = number_of(row.cells[self.id].strip())
        if not number:
            heading = self.file.columns[self.id]
            message = f"{heading}: `{row.cells[self.id][:40]}` is no record id"
            raise self.file.error(row.line, message)
        return number

    def moment(self, row: CsvRow, position: int | None) -> int | None:
        """A time of the row in milliseconds since 1970. Raises `InputError`."""
        if position is None or not row.cells[position].strip():
            return None
        try:
            return day_or_time(row.cells[position].strip())
        except (ValueError, OverflowError):
            message = f"{self.file.columns[position]}: `{row.cells[position][:40]}` is no time"
            fix = "Write 2026-03-31T09:30:00Z, or milliseconds since 1970."
            raise self.file.error(row.line, message, fix) from None

    def related(self, relation: Relation, rows: Sequence[CsvRow]) -> list[list[int]]:
        """The records that a column's cells name, for each row.

        Raises `InputError` where a text names no record, or several.
        """
        texts = [_parts(row.cells[relation.position], relation.several) for row in rows]
        found = relation.lookup.resolve(text for some in texts for text in some)
        return [
            [self._one(relation, row.line, text, found.get(text, [])) for text in some]
            for row, some in zip(rows, texts, strict=True)
        ]

    def _one(self, relation: Relation, line: int, text: str, found: Sequence[int]) -> int:
        if len(found) == 1:
            return found[0]
        noun = TYPES[relation.to].singular
        if found:
            message = f"{relation.heading}: `{text}` names {len(found)} {relation.to}"
            fix = f"Name it by a column that tells them apart, such as {relation.to}.id."
            raise self.file.error(line, message, fix)
        message = f"{relation.heading}: there is no {noun} `{text}`"
        raise self.file.error(line, message, f"Add it to {relation.to}.csv, or empty the cell.")


def plan_columns(portal: Portal, sql: sqlite3.Connection, kind: ObjectType, file: CsvFile) -> Plan:
    """What the columns mean; missing properties are created, as text.

    Raises `InputError` for a column that cannot be loaded.
    """
    special = {"id": IDS, "created": _CREATED, "modified": _MODIFIED}
    places = {part: _first(file, headings) for part, headings in special.items()}
    taken = {*IDS, *_CREATED, *_MODIFIED}
    plain: list[tuple[int, str]] = []
    relations: list[Relation] = []
    for position, heading in enumerate(file.columns):
        relation = _relation(sql, kind, file, position)
        if relation is not None:
            relations.append(relation)
        elif heading.lower() not in taken:
            plain.append((position, heading.lower()))
    if len({relation.to for relation in relations}) < len(relations):
        headings = " and ".join(f"`{one.heading}`" for one in relations)
        message = f"{headings} associate with the same records"
        raise file.error(1, message, "Keep one of them.")
    known = portal.definitions(sql, kind.name)
    for position, name in plain:
        if name not in known and not NAME.fullmatch(name):
            raise _unknown(file, file.columns[position], known)
    portal.add_missing(sql, kind.name, [text_property(name) for _, name in plain])
    known = portal.definitions(sql, kind.name)
    return Plan(
        file,
        kind,
        tuple((position, known[name]) for position, name in plain),
        tuple(relations),
        **places,
    )


def _relation(
    sql: sqlite3.Connection, kind: ObjectType, file: CsvFile, position: int
) -> Relation | None:
    heading = file.columns[position]
    if kind.name == "contacts" and heading.lower() == "associatedcompanyid":
        return Relation(position, heading, "companies", Lookup(sql, "companies", "id"), False)
    to, dot, key = heading.lower().partition(".")
    if not dot:
        return None
    if key not in _RELATIONS.get(to, ()) or kind.name in ("companies", to):
        known = [f"{one}.{part}" for one, parts in _RELATIONS.items() for part in parts]
        raise file.error(
            1, f"{kind.name} have no relation `{heading}`", f"Known: {', '.join(known)}."
        )
    return Relation(position, heading, to, Lookup(sql, to, key), kind.name != "contacts")


def _lenient(definition: Definition) -> Definition:
    """As the definition, but open to other options: a portal's files hold those that it added."""
    return replace(definition, options=()) if definition.closed else definition


def _first(file: CsvFile, headings: Sequence[str]) -> int | None:
    """Of columns that say the same, as exports have them, the one that is named first here."""
    columns = [one.lower() for one in file.columns]
    return next((columns.index(one) for one in headings if one in columns), None)


def _parts(cell: str, several: bool) -> list[str]:
    texts = cell.split(";") if several else [cell]
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _unknown(file: CsvFile, heading: str, known: Definitions) -> Exception:
    guess = did_you_mean(heading.lower().replace(" ", ""), list(known))
    fix = f"Did you mean `{guess}`?" if guess else "Names are lower case letters, digits and _."
    return file.error(1, f"`{heading}` is no property's name", fix)
