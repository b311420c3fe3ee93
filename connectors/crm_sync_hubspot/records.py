"""HubSpot's JSON rows to our records, and what their answers say besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sync.connector import Entity, Record, Scalar, ServerFault
from crm_sync_hubspot.objects import MERGED_IDS, modified_property

_ABSENT = frozenset({"OBJECT_NOT_FOUND", "NO_ASSOCIATIONS_FOUND"})
"""What HubSpot calls a record that is not there, or that nothing is associated with."""


def rows_of(body: Any) -> list[Mapping[str, Any]]:
    """The rows of an answer. Raises `ServerFault` where it has not the documented shape."""
    rows = body.get("results") if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise not_understood()
    return rows


def batch_of(body: Any) -> list[Mapping[str, Any]]:
    """The rows of a batch that was read; rows that are not there are left out.

    Raises `ServerFault` when some could not be read for another reason: they must not be taken
    for absent.
    """
    rows = rows_of(body)
    if is_unfinished(body):
        raise ServerFault("HubSpot did not finish reading the batch")
    errors = body.get("errors") or ()
    if not isinstance(errors, list | tuple) or (body.get("numErrors") and not errors):
        raise not_understood()
    other = next((error for error in errors if not _is_absence(error)), None)
    if other is not None:
        category = str(other.get("category") or "") if isinstance(other, Mapping) else ""
        raise ServerFault(f"HubSpot could not read a part of the batch: {category[:80]}")
    return rows


def is_unfinished(body: Mapping[str, Any]) -> bool:
    """Whether a batch was answered before its end: it is still at work, or was broken off.

    Such an answer tells of the rows that it names, and nothing of the others.
    """
    return str(body.get("status") or "COMPLETE").upper() != "COMPLETE"


def next_after(body: Mapping[str, Any]) -> str:
    """The token of the next page; empty on the last."""
    paging = body.get("paging")
    following = paging.get("next") if isinstance(paging, Mapping) else None
    after = following.get("after") if isinstance(following, Mapping) else None
    return "" if after is None else str(after)


def id_of(row: Mapping[str, Any]) -> str:
    """A row's id. Raises `ServerFault` where it has none."""
    id = row.get("id")
    if isinstance(id, bool) or not isinstance(id, str | int) or id == "":
        raise not_understood()
    return str(id)


def is_id(text: str) -> bool:
    """Whether a text can be the id of a record; HubSpot refuses a batch for one that cannot."""
    return text.isascii() and text.isdecimal() and len(text) < 20


def value_of(row: Mapping[str, Any], name: str) -> Scalar:
    """The value of a property as HubSpot gives it; None where it is blank."""
    properties = row.get("properties")
    if not isinstance(properties, Mapping):
        raise not_understood()
    value = properties.get(name.lower())
    return value if isinstance(value, str | int | float) and value != "" else None


def record(
    entity: Entity,
    object_: str,
    row: Mapping[str, Any],
    fields: Sequence[str],
    relations: Mapping[str, Scalar] | None = None,
) -> Record:
    """A row as a record with exactly the fields asked for, spelt as they were asked for.

    Property names have no capitals in HubSpot, so any spelling of a name means the same one.
    `relations` holds the values of the fields that are no properties, by their names.
    """
    known = relations or {}
    return Record(
        entity=entity,
        id=id_of(row),
        fields={name: known[name] if name in known else value_of(row, name) for name in fields},
        modified=modified_at(object_, row),
    )


def merged_ids(row: Mapping[str, Any]) -> list[str]:
    """The ids of the records that were merged into this one, its own left out."""
    own, text = id_of(row), value_of(row, MERGED_IDS)
    ids = (part.strip() for part in str(text or "").split(";"))
    return [id for id in dict.fromkeys(ids) if id and id != own]


def modified_at(object_: str, row: Mapping[str, Any]) -> datetime | None:
    """When the record was last changed, aware, in UTC; None where that cannot be read."""
    by_property = moment_of(value_of(row, modified_property(object_)))
    return by_property or moment_of(row.get("updatedAt"))


def moment_of(value: Any) -> datetime | None:
    """A moment from ISO 8601 or from milliseconds since 1970; None when it is neither."""
    text = str(value)
    try:
        if text.lstrip("-").isdecimal():
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def milliseconds(moment: datetime) -> str:
    """A moment as HubSpot's filters take it."""
    return str((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))


def not_understood() -> ServerFault:
    """An answer that is not what HubSpot documents: nothing may be concluded from it."""
    return ServerFault("the answer is not understood")


def _is_absence(error: Any) -> bool:
    if not isinstance(error, Mapping):
        return False
    said = {str(error.get("category")), str(error.get("subCategory")).rpartition(".")[2]}
    return bool(said & _ABSENT)
