"""Salesforce's JSON rows to our records, and our writes to its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sync.connector import (
    ConfigError,
    Entity,
    Operation,
    Outcome,
    Record,
    Scalar,
    Write,
    WriteResult,
)
from crm_sync_salesforce.errors import DUPLICATE_KEY, NAMING_CODES, PASSING_ROW_CODES, hint
from crm_sync_salesforce.soql import field_name

_RESERVED = frozenset({"id", "attributes"})


def with_columns(fields: Sequence[str], *more: str) -> list[str]:
    """The fields and `more`, each once; Salesforce refuses a query that repeats a field."""
    distinct: dict[str, str] = {}
    for name in (*fields, *more):
        distinct.setdefault(name.casefold(), name)
    return list(distinct.values())


def record(entity: Entity, row: Mapping[str, Any], fields: Sequence[str]) -> Record:
    """A row as a record with exactly the fields asked for, spelt as they were asked for.

    `Account.Name` and the like are looked up through the relation; None where it is empty.
    """
    return Record(
        entity=entity,
        id=str(value_of(row, "Id")),
        fields={name: _scalar(value_of(row, name)) for name in fields},
        modified=modified_at(row),
    )


def value_of(row: Mapping[str, Any], path: str) -> Any:
    """The value at a path of relations; names match whatever their case, as in SOQL."""
    value: Any = row
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        if part in value:
            value = value[part]
            continue
        folded = part.casefold()
        value = next((one for name, one in value.items() if name.casefold() == folded), None)
    return value


def modified_at(row: Mapping[str, Any]) -> datetime | None:
    """SystemModstamp, aware; None where the row has none that can be read."""
    value = value_of(row, "SystemModstamp")
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def row(write: Write, object_: str) -> dict[str, Any]:
    """A write as a row of a collection; None clears a field.

    Raises `ConfigError` for a name that cannot be a field's.
    """
    body: dict[str, Any] = {"attributes": {"type": object_}}
    if write.operation is Operation.UPDATE:
        body["id"] = write.record_id
    for name, value in write.fields.items():
        if name.casefold() in _RESERVED or "." in name:
            raise ConfigError(f"{name!r} cannot be written", fix="Correct `write` in the mapping.")
        body[field_name(name)] = value
    return body


def result(write: Write, answer: Any) -> WriteResult:
    """Salesforce's verdict on one row. A refused row never takes an id that the refusal names."""
    if not isinstance(answer, Mapping):
        return WriteResult(
            Outcome.UNKNOWN, record_id=write.record_id, message="the answer is not understood"
        )
    if answer.get("success") is True:
        return WriteResult(Outcome.APPLIED, record_id=str(answer.get("id") or write.record_id))
    errors = [error for error in answer.get("errors") or () if isinstance(error, Mapping)]
    code = str(errors[0].get("statusCode") or errors[0].get("errorCode") or "") if errors else ""
    return WriteResult(
        Outcome.REJECTED,
        record_id=write.record_id,
        code=code,
        message="; ".join(_words(error) for error in errors),
        hint=hint(code),
        duplicate_key=code == DUPLICATE_KEY,
        retry=code in PASSING_ROW_CODES,
    )


def _words(error: Mapping[str, Any]) -> str:
    fields = ", ".join(str(name) for name in error.get("fields") or ())
    if (error.get("statusCode") or error.get("errorCode")) in NAMING_CODES:
        return fields
    message = str(error.get("message") or "")
    return f"{message} ({fields})" if fields and fields not in message else message


def _scalar(value: Any) -> Scalar:
    """Compound values (addresses, locations) are left out: their parts are fields of their own."""
    return value if isinstance(value, str | int | float | bool) else None
