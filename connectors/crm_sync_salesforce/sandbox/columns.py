"""What each column of a loaded file means, and the values of its cells."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from crm_sync.sandbox.csvfiles import CsvFile, CsvRow
from crm_sync.yamlfile import did_you_mean
from crm_sync_salesforce.sandbox.catalog import custom_name, text_field
from crm_sync_salesforce.sandbox.fields import Field, Kind, ObjectType
from crm_sync_salesforce.sandbox.ids import full_id
from crm_sync_salesforce.sandbox.lookups import Lookup
from crm_sync_salesforce.sandbox.objects import ACTIVITIES
from crm_sync_salesforce.sandbox.org import Org
from crm_sync_salesforce.sandbox.problems import ApiProblem, RowProblem
from crm_sync_salesforce.sandbox.values import Stored, checked, from_text, parsed


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the field that it fills and, for a reference, how its records are found.

    `itself` marks a reference into the object that is being loaded: its rows may come later in
    the same file.
    """

    position: int
    heading: str
    field: Field
    lookup: Lookup | None = None
    by_id: bool = False
    itself: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All columns of a file."""

    file: CsvFile
    target: ObjectType
    columns: tuple[Column, ...]

    def values(self, rows: Sequence[CsvRow]) -> list[dict[str, Stored]]:
        """The rows' values by field; references into the same file are left out."""
        made = [
            {
                column.field.name: self._plain(column, row)
                for column in self.columns
                if column.lookup is None
            }
            for row in rows
        ]
        for column in self.columns:
            if column.lookup is not None and not column.itself:
                ids = self.resolved(
                    column, [(row.line, row.cells[column.position]) for row in rows]
                )
                for values, record_id in zip(made, ids, strict=True):
                    values[column.field.name] = record_id
        return made

    def resolved(self, column: Column, cells: Sequence[tuple[int, str]]) -> list[str | None]:
        """The ids that a reference column's cells (line, text) mean.

        Raises `InputError` where a cell means no record, or several.
        """
        keys = [self._key(column, line, text) for line, text in cells]
        assert column.lookup is not None  # noqa: S101 - only reference columns come here
        found = column.lookup.resolve(key for key in keys if key is not None)
        return [
            None if key is None else self._one(column, line, text, found[key])
            for (line, text), key in zip(cells, keys, strict=True)
        ]

    def _plain(self, column: Column, row: CsvRow) -> Stored:
        field = column.field
        try:
            return checked(field, parsed(field, from_text(field, row.cells[column.position])))
        except (ApiProblem, RowProblem) as problem:
            words = problem.message.removeprefix(f"{field.name}: ").removeprefix(f"{field.label}: ")
            raise self.file.error(row.line, f"{column.heading}: {words}") from None

    def _key(self, column: Column, line: int, text: str) -> str | None:
        text = text.strip()
        if not text or not column.by_id:
            return text or None
        record_id = full_id(text)
        if record_id is None:
            raise self.file.error(line, f"{column.heading}: `{text[:40]}` is no record id")
        return record_id

    def _one(self, column: Column, line: int, text: str, found: Sequence[str]) -> str:
        if len(found) == 1:
            return found[0]
        names = " or ".join(column.field.targets)
        if found:
            message = f"{column.heading}: `{text}` names {len(found)} records of {names}"
            fix = "Name it by a column that tells them apart, such as External_Id__c or Id."
            raise self.file.error(line, message, fix)
        message = f"{column.heading}: there is no {names} `{text}`"
        raise self.file.error(line, message, f"Add it to {names}.csv, or empty the cell.")


def plan_columns(
    org: Org, connection: sqlite3.Connection, target: ObjectType, file: CsvFile
) -> Plan:
    """What the columns mean; missing custom fields are created.

    Raises `InputError` for a column that cannot be loaded.
    """
    missing = [
        name
        for name in file.columns
        if "." not in name and custom_name(name) and target.field(name) is None
    ]
    owners = ACTIVITIES if target.name in ACTIVITIES else (target.name,)
    org.add_fields(connection, [(owner, text_field(name)) for name in missing for owner in owners])
    target = org.object(target.name)
    columns = tuple(
        _column(org, connection, target, file, position, heading)
        for position, heading in enumerate(file.columns)
    )
    _refuse_twice(file, columns)
    return Plan(file, target, columns)


def _column(
    org: Org,
    connection: sqlite3.Connection,
    target: ObjectType,
    file: CsvFile,
    position: int,
    heading: str,
) -> Column:
    relation, _, key = heading.rpartition(".")
    field = target.relation(relation) if relation else target.field(heading)
    if field is None:
        raise _unknown(target, file, heading)
    if field.computed or field.kind is Kind.ADDRESS:
        message = f"{heading} is put together from other fields"
        fix = "Give FirstName and LastName." if field.name == "Name" else "Give its parts."
        raise file.error(1, message, fix)
    if not field.targets:
        return Column(position, heading, field)
    lookup = Lookup(
        connection, [org.object(name) for name in field.targets], key if relation else "Id"
    )
    if not lookup.possible:
        raise _unknown(org.object(field.targets[0]), file, key)
    by_id = not relation or key.lower() == "id"
    return Column(position, heading, field, lookup, by_id, target.name in field.targets)


def _unknown(target: ObjectType, file: CsvFile, heading: str) -> Exception:
    guess = did_you_mean(heading, [field.name for field in target.visible()])
    fix = f"Did you mean `{guess}`?" if guess else "Custom fields end in `__c`."
    return file.error(1, f"{target.name} has no field `{heading}`", fix)


def _refuse_twice(file: CsvFile, columns: Sequence[Column]) -> None:
    seen: dict[str, str] = {}
    for column in columns:
        other = seen.setdefault(column.field.name, column.heading)
        if other != column.heading:
            message = f"`{other}` and `{column.heading}` both fill {column.field.name}"
            raise file.error(1, message, "Keep one of them.")
