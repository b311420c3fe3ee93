"""Loads a folder of CSV files: one per object, columns named after Salesforce's fields.

* `Account.Name` in `Contact.csv` (any relationship, any field of its object) resolves a lookup.
* A column that ends in `__c` and is not there yet becomes a custom text field.
* Ids and the audit fields (`CreatedDate`, `LastModifiedDate`, …) are kept as given;
  `SystemModstamp` is `LastModifiedDate` where it is not given.
* All or nothing: a mistake anywhere leaves the database as it was.
"""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from crm_sync.errors import InputError
from crm_sync.sandbox.csvfiles import CsvFile, CsvRow, open_csv
from crm_sync_salesforce.sandbox.columns import Plan, plan_columns
from crm_sync_salesforce.sandbox.fields import Field, ObjectType
from crm_sync_salesforce.sandbox.ids import make_id, row_number
from crm_sync_salesforce.sandbox.objects import ACTIVITIES, STANDARD
from crm_sync_salesforce.sandbox.org import INTEGRATION_USER, Org
from crm_sync_salesforce.sandbox.values import Stored

_BATCH = 2000
_AT_ONCE = 500
Values = dict[str, Stored]


def load_directory(org: Org, directory: Path) -> Mapping[str, int]:
    """Load every file that is named after an object; rows per object.

    Raises `InputError` that names file and line.
    """
    files = _files(directory)
    counts: dict[str, int] = {}
    try:
        with org.database.writing() as connection:
            for name, path in files:
                with open_csv(path) as file:
                    plan = plan_columns(org, connection, org.object(name), file)
                    counts[name] = _FileLoader(org, connection, plan).load()
            fill_activity_accounts(connection)
    except BaseException:
        org.reread()
        raise
    return counts


def fill_activity_accounts(connection: sqlite3.Connection) -> None:
    """Give activities that were inserted without one the account of what they are about."""
    for table in ACTIVITIES:
        connection.execute(
            f'UPDATE "{table}" SET AccountId = coalesce('
            "(SELECT Id FROM Account WHERE Id = WhatId), "
            "(SELECT AccountId FROM Contact WHERE Id = WhoId)) WHERE AccountId IS NULL"
        )


def _files(directory: Path) -> list[tuple[str, Path]]:
    """The files to load, in an order in which what is referred to comes first."""
    if not directory.is_dir():
        raise InputError("there is no such folder", place=str(directory))
    present = {path.name.lower(): path for path in sorted(directory.glob("*.[cC][sS][vV]"))}
    loadable = [one.name for one in STANDARD if one.writable]
    files = [
        (name, present[f"{name.lower()}.csv"])
        for name in loadable
        if f"{name.lower()}.csv" in present
    ]
    if not files:
        known = ", ".join(f"{name}.csv" for name in loadable)
        raise InputError("holds no file to load", place=str(directory), fix=f"Known: {known}.")
    return files


class _FileLoader:
    def __init__(self, org: Org, connection: sqlite3.Connection, plan: Plan) -> None:
        self._sql = connection
        self._plan = plan
        self._file: CsvFile = plan.file
        self._target: ObjectType = plan.target
        stamp = org.stamp()
        self._defaults: Values = {
            field.name: field.default
            for field in self._target.fields.values()
            if field.default is not None and not field.computed
        }
        self._defaults |= {
            "CreatedById": INTEGRATION_USER,
            "LastModifiedById": INTEGRATION_USER,
            "CreatedDate": stamp,
            "LastModifiedDate": stamp,
        }
        if self._target.field("OwnerId"):
            self._defaults["OwnerId"] = INTEGRATION_USER
        self._changed_at = org.changed_at()
        self._itself = [column for column in plan.columns if column.itself]
        self._waiting: list[tuple[str, list[tuple[int, str]]]] = []

    def load(self) -> int:
        """Insert every row; how many there were."""
        count = 0
        for rows in _batches(self._file.rows):
            self._insert(rows)
            count += len(rows)
        for position, column in enumerate(self._itself):
            cells = [refs[position] for _, refs in self._waiting]
            ids = self._plan.resolved(column, cells)
            self._sql.executemany(
                f'UPDATE "{self._target.name}" SET {column.field.column} = ? WHERE Id = ?',
                [(found, row) for found, (row, _) in zip(ids, self._waiting, strict=True) if found],
            )
        return count

    def _insert(self, rows: Sequence[CsvRow]) -> None:
        table = self._plan.values(rows)
        self._complete(rows, table)
        for field in self._target.fields.values():
            if field.unique:
                self._refuse_taken(field, rows, table)
        names = list(table[0])
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        self._sql.executemany(
            f'INSERT INTO "{self._target.name}" ({columns}) VALUES ({marks})',
            [[values[name] for name in names] for values in table],
        )
        if self._itself:
            for row, values in zip(rows, table, strict=True):
                refs = [(row.line, row.cells[column.position]) for column in self._itself]
                self._waiting.append((str(values["Id"]), refs))

    def _complete(self, rows: Sequence[CsvRow], table: list[Values]) -> None:
        """Fill in what the file does not say: defaults, audit fields, ids."""
        for row, values in zip(rows, table, strict=True):
            for name, default in self._defaults.items():
                if values.get(name) is None:
                    values[name] = default
            if values.get("SystemModstamp") is None:
                values["SystemModstamp"] = values["LastModifiedDate"]
            if self._target.name == "User" and values.get("Username") is None:
                values["Username"] = values.get("Email")
            values["_changed_at"] = self._changed_at
            self._require(row, values)
        self._number(rows, table)

    def _require(self, row: CsvRow, values: Values) -> None:
        for field in self._target.fields.values():
            if field.required and values.get(field.name) is None:
                if any(column.field is field for column in self._itself):
                    continue
                raise self._file.error(
                    row.line, f"{field.name} is required", "Give it a value, or drop the row."
                )

    def _number(self, rows: Sequence[CsvRow], table: list[Values]) -> None:
        """Ids as given, or new ones; a row's number in the table is the number in its id."""
        given = {str(values["Id"]) for values in table if values.get("Id")}
        self._refuse_taken(self._target.fields["id"], rows, table)
        reserved = {number for one in given if (number := row_number(one))}
        following = self._sql.execute(
            f'SELECT coalesce(max(_row), 0) + 1 FROM "{self._target.name}"'
        ).fetchone()[0]
        following = max([following, *(number + 1 for number in reserved)])
        for row, values in zip(rows, table, strict=True):
            record_id = values.get("Id")
            if isinstance(record_id, str) and not record_id.startswith(self._target.prefix):
                fix = f"Ids of {self._target.name} begin with {self._target.prefix}."
                raise self._file.error(row.line, f"Id: {record_id} is not of this object", fix)
            number = row_number(str(record_id)) if record_id else None
            if number is None:
                number, following = following, following + 1
            values["_row"] = number
            values["Id"] = record_id or make_id(self._target.prefix, number)

    def _refuse_taken(self, field: Field, rows: Sequence[CsvRow], table: list[Values]) -> None:
        """Raise `InputError` for a value of a unique field that is there already."""
        seen: set[str] = set()
        lines = []
        for row, values in zip(rows, table, strict=True):
            value = values.get(field.name)
            if isinstance(value, str):
                key = value if field.case_sensitive or field.key else value.casefold()
                if key in seen:
                    raise self._taken(field, row.line, value)
                seen.add(key)
                lines.append((value, row.line))
        for start in range(0, len(lines), _AT_ONCE):
            some = dict(lines[start : start + _AT_ONCE])
            found = self._sql.execute(
                f'SELECT {field.column} FROM "{self._target.name}" '
                f"WHERE {field.column} IN ({', '.join('?' * len(some))}) LIMIT 1",
                list(some),
            ).fetchone()
            if found is not None:
                folded = {value.casefold(): line for value, line in some.items()}
                raise self._taken(field, folded[found[0].casefold()], found[0])

    def _taken(self, field: Field, line: int, value: str) -> InputError:
        message = f"{field.name}: `{value}` is there already"
        return self._file.error(line, message, "Each value may be there once.")


def _batches(rows: Iterable[CsvRow]) -> Iterator[list[CsvRow]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
