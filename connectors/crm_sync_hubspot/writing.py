"""Writing: one batch of one operation to HubSpot, and the outcome of every row of it.

Records are addressed by id only, never by a value; the key of each intent travels along as
`objectWriteTraceId`, by which HubSpot names the row in its answer. It is a trace, and keeps
nothing from being written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_sync.connector import (
    BatchRejected,
    Operation,
    ServerFault,
    Write,
    WriteResult,
)
from crm_sync_hubspot.objects import OBJECTS, OWNERS
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.records import is_unfinished
from crm_sync_hubspot.rowanswers import (
    TRACE,
    errors_in,
    refused_alone,
    rejected,
    results_in,
    settled,
    unattributed,
)
from crm_sync_hubspot.rowchecks import no_ids, refusals, repeated
from crm_sync_hubspot.values import outgoing

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient
    from crm_sync_hubspot.describing import Metadata

Refused = dict[int, WriteResult]


def write(client: HubSpotClient, metadata: Metadata, writes: Sequence[Write]) -> list[WriteResult]:
    """One result per write, in order. All writes are of one operation and one entity.

    Raises `TryLater`, `AccessDenied` or `BatchRejected` when certainly nothing was written, and a
    `TryLater` with `sent=True` when that is open.
    """
    if not writes:
        return []
    operation, entity = writes[0].operation, writes[0].entity
    object_ = OBJECTS.get(entity, "")
    if not object_ or object_ == OWNERS:
        raise BatchRejected("UNSUPPORTED", f"{entity.value}s cannot be written in HubSpot")
    if operation is Operation.LINK:
        from crm_sync_hubspot.linking import link

        return _one_by_one(writes, {}, lambda rows: link(client, rows))
    if operation is Operation.DELETE:
        return _one_by_one(
            writes,
            no_ids(writes) | repeated(writes),
            lambda rows: _archive(client, object_, rows),
        )
    return _one_by_one(
        writes,
        _unfit(metadata, object_, writes),
        lambda rows: _save(client, metadata, object_, rows),
    )


def _one_by_one(
    writes: Sequence[Write],
    refused: Refused,
    send: Callable[[Sequence[Write]], list[WriteResult]],
) -> list[WriteResult]:
    """Send what is not refused already, and put all results in order."""
    left = [write for place, write in enumerate(writes) if place not in refused]
    results = iter(_sent(left, send) if left else ())
    return [refused[place] if place in refused else next(results) for place in range(len(writes))]


def _sent(
    writes: Sequence[Write], send: Callable[[Sequence[Write]], list[WriteResult]]
) -> list[WriteResult]:
    try:
        return send(writes)
    except BatchRejected as refusal:
        if len(writes) > 1:
            raise  # the core halves the batch until the bad row stands alone
        return [refused_alone(writes[0], refusal)]


def _unfit(metadata: Metadata, object_: str, writes: Sequence[Write]) -> Refused:
    def again() -> Mapping[str, Any]:
        metadata.forget(object_)
        return metadata.properties(object_)

    unfit = refusals(writes, lambda: metadata.properties(object_), again)
    if writes[0].operation is Operation.UPDATE:
        unfit |= repeated(writes) | no_ids(writes)
    return unfit


def _save(
    client: HubSpotClient, metadata: Metadata, object_: str, writes: Sequence[Write]
) -> list[WriteResult]:
    creates = writes[0].operation is Operation.CREATE
    inputs = [_input(metadata, object_, write) for write in writes]
    where = path("batch_create" if creates else "batch_update", object=object_)
    body = client.call("POST", where, writes=True, body={"inputs": inputs}).body
    rows = results_in(body)
    written = _created(writes, inputs, rows) if creates else _updated(writes, rows)
    names = [frozenset({write.record_id, write.key} - {""}) for write in writes]
    return settled(writes, names, written, body)


def _input(metadata: Metadata, object_: str, write: Write) -> dict[str, Any]:
    known = metadata.properties(object_)
    properties = {
        name.lower(): outgoing(known.get(name.lower()), value, metadata.portal)
        for name, value in write.fields.items()
    }
    row: dict[str, Any] = {"properties": properties, TRACE: write.key}
    if write.operation is Operation.CREATE:
        return row | {"associations": []}
    return row | {"id": write.record_id}


def _updated(writes: Sequence[Write], rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """The id that each record has now; another one where it was merged away meanwhile."""
    ids = {str(row.get("id")) for row in rows}
    traced = _by_trace(rows)
    return [
        write.record_id if write.record_id in ids else traced.get(write.key) for write in writes
    ]


def _created(
    writes: Sequence[Write],
    inputs: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
) -> list[str | None]:
    """The ids of the new records: by their trace, else by their key, else by their order."""
    traced = _by_trace(rows)
    if traced:
        return [traced.get(write.key) for write in writes]
    by_key = [
        _bearing(write.key, row["properties"], rows)
        for write, row in zip(writes, inputs, strict=True)
    ]
    if any(by_key):
        return by_key
    if len(rows) == len(writes):
        return [_agreeing(row["properties"], told) for row, told in zip(inputs, rows, strict=True)]
    return [None] * len(writes)


def _by_trace(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {str(row[TRACE]): str(row["id"]) for row in rows if row.get(TRACE) and row.get("id")}


def _bearing(key: str, sent: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The one row that bears the intent's key in the property that we sent it in."""
    names = [name for name, value in sent.items() if key and value == key]
    found = [row for row in rows if any(_properties(row).get(name) == key for name in names)]
    return str(found[0].get("id")) if len(found) == 1 else None


def _agreeing(sent: Mapping[str, str], row: Mapping[str, Any]) -> str | None:
    """The id of the row at the same place, unless what it shows is not what we sent there."""
    shown = _properties(row)
    agrees = all((shown[name] or "") == value for name, value in sent.items() if name in shown)
    return str(row["id"]) if agrees and row.get("id") else None


def _properties(row: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = row.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _archive(client: HubSpotClient, object_: str, writes: Sequence[Write]) -> list[WriteResult]:
    """Archive the records that are there; HubSpot itself does not say which were not."""
    there = _present(client, object_, [write.record_id for write in writes])
    absent = {
        place: rejected(write, "OBJECT_NOT_FOUND", "the record is not there any more")
        for place, write in enumerate(writes)
        if write.record_id not in there
    }
    return _one_by_one(writes, absent, lambda rows: _archive_all(client, object_, rows))


def _archive_all(client: HubSpotClient, object_: str, writes: Sequence[Write]) -> list[WriteResult]:
    inputs = [{"id": write.record_id} for write in writes]
    where = path("batch_archive", object=object_)
    answer = client.call("POST", where, writes=True, body={"inputs": inputs}).body
    body = {} if answer is None else answer  # as a rule HubSpot answers with nothing at all
    errors = errors_in(body)
    names = [frozenset({write.record_id}) for write in writes]
    if is_unfinished(body) or unattributed(body, errors, names) > 0:
        raise ServerFault("the answer does not tell which records are still there", sent=True)
    refused = set().union(*(error.names for error in errors))
    written = [None if write.record_id in refused else write.record_id for write in writes]
    return settled(writes, names, written, body)


def _present(client: HubSpotClient, object_: str, ids: Sequence[str]) -> set[str]:
    """Which of these ids are live records under that very id; a merged-away id is none."""
    from crm_sync_hubspot.records import batch_of, id_of

    body = {
        "inputs": [{"id": id} for id in ids],
        "properties": [],
        "propertiesWithHistory": [],
    }
    answer = client.call("POST", path("batch_read", object=object_), body=body)
    return {id_of(row) for row in batch_of(answer.body) if not row.get("archived")} & set(ids)
