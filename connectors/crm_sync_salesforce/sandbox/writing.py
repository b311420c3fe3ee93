"""Writes rows with Salesforce's rules: what it refuses, and how it says so."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_sync_salesforce.sandbox.fields import Field, Kind, ObjectType
from crm_sync_salesforce.sandbox.ids import full_id, make_id
from crm_sync_salesforce.sandbox.objects import ACTIVITIES
from crm_sync_salesforce.sandbox.org import INTEGRATION_USER, Org
from crm_sync_salesforce.sandbox.problems import ApiProblem, RowProblem
from crm_sync_salesforce.sandbox.values import Stored, checked, parsed

Values = dict[str, Stored]


@dataclass(frozen=True, slots=True)
class Draft:
    """One row of a request, with its values parsed but not yet checked."""

    target: ObjectType
    values: Mapping[str, Stored]
    record_id: str | None = None

    def fields(self) -> list[Field]:
        """The fields that the row gives values for."""
        return [self.target.fields[name.lower()] for name in self.values]


def draft(target: ObjectType, raw: Any) -> Draft:
    """A row from its JSON.

    Raises `ApiProblem` (unknown column, unreadable value): those spoil the whole request, also in
    a collection, and nothing of it is carried out.
    """
    if not isinstance(raw, dict):
        raise ApiProblem(400, "JSON_PARSER_ERROR", "A record is a JSON object")
    values: Values = {}
    record_id: str | None = None
    for name, value in raw.items():
        if name.lower() == "attributes":
            continue
        if name.lower() == "id":
            record_id = None if value is None else str(value)
            continue
        field = target.field(name)
        if field is None:
            message = f"No such column '{name}' on sobject of type {target.name}"
            raise ApiProblem(400, "INVALID_FIELD", message)
        if field.kind is not Kind.ADDRESS:
            values[field.name] = parsed(field, value)
    return Draft(target, values, record_id)


class Writer:
    """Writes rows in one transaction; `counted` says what was written, by `Contact.update`."""

    def __init__(self, org: Org, connection: sqlite3.Connection) -> None:
        self._org = org
        self._sql = connection
        self._stamp = org.stamp()
        self.counted: Counter[str] = Counter()

    def create(self, row: Draft) -> str:
        """Insert a row; its id. Raises `RowProblem`."""
        target = row.target
        if row.record_id is not None:
            message = "cannot specify Id in an insert call"
            raise RowProblem("INVALID_FIELD_FOR_INSERT_UPDATE", message, ["Id"])
        values = self._checked(row, creating=True)
        self._org.row_faults.meet(target.name, "create", "", values)
        missing = [
            field.name
            for field in target.fields.values()
            if field.required and values.get(field.name) is None
        ]
        _require(missing)
        if target.field("OwnerId"):
            values.setdefault("OwnerId", INTEGRATION_USER)
        self._activity(target, values)
        number = self._sql.execute(
            f'SELECT coalesce(max(_row), 0) + 1 FROM "{target.name}"'
        ).fetchone()[0]
        record_id = make_id(target.prefix, number)
        values |= {"_row": number, "Id": record_id, **self._audit(creating=True)}
        columns = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        self._sql.execute(
            f'INSERT INTO "{target.name}" ({columns}) VALUES ({marks})',
            list(values.values()),
        )
        self.counted[f"{target.name}.create"] += 1
        return record_id

    def update(self, row: Draft) -> str:
        """Update the row with the draft's id; its id. Raises `RowProblem`."""
        target = row.target
        record_id = self.living(target, row.record_id)
        values = self._checked(row, creating=False, record_id=record_id)
        self._org.row_faults.meet(target.name, "update", record_id, values)
        _require([f.name for f in row.fields() if f.required and row.values[f.name] is None])
        self._activity(target, values)
        values |= self._audit(creating=False)
        changes = ", ".join(f'"{name}" = ?' for name in values)
        self._sql.execute(
            f'UPDATE "{target.name}" SET {changes} WHERE Id = ?',
            [*values.values(), record_id],
        )
        self.counted[f"{target.name}.update"] += 1
        return record_id

    def delete(self, target: ObjectType, given: str) -> str:
        """Mark a row as deleted; its id. Raises `RowProblem`."""
        record_id = self.living(target, given)
        self._org.row_faults.meet(target.name, "delete", record_id, {})
        self.mark_deleted(target, record_id)
        self.counted[f"{target.name}.delete"] += 1
        return record_id

    def mark_deleted(self, target: ObjectType, record_id: str, master: str | None = None) -> None:
        """Set IsDeleted, and for a merged row the record that it was merged into."""
        changes: Values = {"IsDeleted": 1, **self._audit(creating=False)}
        if master is not None:
            changes["MasterRecordId"] = master
        assignments = ", ".join(f'"{name}" = ?' for name in changes)
        self._sql.execute(
            f'UPDATE "{target.name}" SET {assignments} WHERE Id = ?',
            [*changes.values(), record_id],
        )

    def reparent(self, table: str, column: str, old: str, new: str) -> None:
        """Let the rows of a table that point to `old` point to `new`."""
        changes: Values = {column: new, **self._audit(creating=False)}
        assignments = ", ".join(f'"{name}" = ?' for name in changes)
        self._sql.execute(
            f'UPDATE "{table}" SET {assignments} WHERE "{column}" = ?',
            [*changes.values(), old],
        )

    def find(self, target: ObjectType, field: Field, value: Stored) -> list[str]:
        """The ids of the living rows whose key field has this value."""
        rows = self._sql.execute(
            f'SELECT Id FROM "{target.name}" WHERE {field.column} = ? AND IsDeleted = 0 LIMIT 2',
            (value,),
        )
        return [str(row[0]) for row in rows]

    def living(self, target: ObjectType, given: str | None) -> str:
        """The full id of a row that is there and not deleted. Raises `RowProblem`."""
        if not given:
            raise RowProblem("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        record_id = full_id(given)
        if record_id is None or not record_id.startswith(target.prefix):
            raise RowProblem("MALFORMED_ID", f"bad id {given[:40]}", ["Id"])
        row = self._sql.execute(
            f'SELECT IsDeleted FROM "{target.name}" WHERE Id = ?',
            (record_id,),
        ).fetchone()
        if row is None:
            raise RowProblem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row[0]:
            raise RowProblem("ENTITY_IS_DELETED", "entity is deleted")
        return record_id

    def _checked(self, row: Draft, *, creating: bool, record_id: str = "") -> Values:
        target = row.target
        if not target.writable:
            message = f"entity type {target.name} cannot be written"
            raise RowProblem("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
        closed = [
            field.name
            for field in row.fields()
            if field.computed or not (field.createable if creating else field.updateable)
        ]
        if closed:
            message = f"Unable to create/update fields: {', '.join(closed)}"
            raise RowProblem("INVALID_FIELD_FOR_INSERT_UPDATE", message, closed)
        values = {field.name: checked(field, row.values[field.name]) for field in row.fields()}
        for field in row.fields():
            value = values[field.name]
            if field.targets and isinstance(value, str):
                self._reference(field, value)
            if field.unique and value is not None:
                self._unique(target, field, value, record_id)
        if creating:
            for field in target.fields.values():
                if field.default is not None and values.get(field.name) is None:
                    values[field.name] = field.default
        return values

    def _reference(self, field: Field, value: str) -> None:
        types = [self._org.object(name) for name in field.targets]
        target = next((one for one in types if value.startswith(one.prefix)), None)
        if target is None:
            message = f"{field.label}: id value of incorrect type: {value}"
            raise RowProblem("MALFORMED_ID", message, [field.name])
        active = "IsActive" if field.name == "OwnerId" else "1"
        row = self._sql.execute(
            f'SELECT IsDeleted, {active} FROM "{target.name}" WHERE Id = ?',
            (value,),
        ).fetchone()
        if row is None:
            message = "invalid cross reference id"
            raise RowProblem("INVALID_CROSS_REFERENCE_KEY", message, [field.name])
        if row[0]:
            raise RowProblem("ENTITY_IS_DELETED", "entity is deleted", [field.name])
        if not row[1]:
            message = "operation performed with inactive user as owner of the record"
            raise RowProblem("INACTIVE_OWNER_OR_USER", message, [field.name])

    def _unique(self, target: ObjectType, field: Field, value: Stored, record_id: str) -> None:
        taken = [one for one in self.find(target, field, value) if one != record_id]
        if taken:
            message = (
                f"duplicate value found: {field.name} duplicates value on record with id: "
                f"{taken[0][:15]}"
            )
            raise RowProblem("DUPLICATE_VALUE", message)

    def _activity(self, target: ObjectType, values: Values) -> None:
        """The account of an activity follows from what, or whom, it is about."""
        if target.name not in ACTIVITIES or not ({"WhoId", "WhatId"} & values.keys()):
            return
        what, who = values.get("WhatId"), values.get("WhoId")
        if isinstance(what, str) and what.startswith("001"):
            values["AccountId"] = what
        elif who is not None:
            row = self._sql.execute("SELECT AccountId FROM Contact WHERE Id = ?", (who,)).fetchone()
            values["AccountId"] = row[0]

    def _audit(self, *, creating: bool) -> Values:
        audit: Values = {
            "LastModifiedById": INTEGRATION_USER,
            "LastModifiedDate": self._stamp,
            "SystemModstamp": self._stamp,
            "_changed_at": self._org.changed_at(),
        }
        if creating:
            audit |= {"CreatedById": INTEGRATION_USER, "CreatedDate": self._stamp}
        return audit


def _require(missing: list[str]) -> None:
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise RowProblem("REQUIRED_FIELD_MISSING", message, missing)
