"""Links between records, as HubSpot's associations. Making one that is there changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_sync.connector import BatchRejected, Entity, Write, WriteResult
from crm_sync_hubspot.objects import OBJECTS
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.records import is_id
from crm_sync_hubspot.rowanswers import rejected, results_in, settled

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient

_CATEGORY = "HUBSPOT_DEFINED"
_TYPES: Mapping[tuple[Entity, Entity], int] = {
    (Entity.TASK, Entity.CONTACT): 204,
    (Entity.TASK, Entity.ACCOUNT): 192,
    (Entity.TASK, Entity.DEAL): 216,
}
"""HubSpot's own association types: a task to what it is about."""

Pair = tuple[str, str]


def link(client: HubSpotClient, writes: Sequence[Write]) -> list[WriteResult]:
    """One result per link, in order; `record_id` is the id of the record that is linked.

    Raises as `writing.write` does, and `BatchRejected` for ends that HubSpot does not link so.
    """
    source, target = writes[0].entity, writes[0].to.entity if writes[0].to else None
    if target is None or (source, target) not in _TYPES:
        raise BatchRejected("UNSUPPORTED", f"a {source.value} cannot be linked to {target}")
    if any((write.entity, write.to and write.to.entity) != (source, target) for write in writes):
        raise BatchRejected("UNSUPPORTED", "one call makes links of one kind")
    # A link that the batch repeats is sent once: HubSpot would tell of it only once.
    distinct = {_pair(write): write for write in reversed(writes) if _sound(write)}
    results = _sent(client, (source, target), distinct) if distinct else {}
    return [
        results[_pair(write)]
        if _sound(write)
        else rejected(write, "OBJECT_NOT_FOUND", "an end of the link is not the id of a record")
        for write in writes
    ]


def _sent(
    client: HubSpotClient, ends: tuple[Entity, Entity], distinct: Mapping[Pair, Write]
) -> Mapping[Pair, WriteResult]:
    types = [{"associationCategory": _CATEGORY, "associationTypeId": _TYPES[ends]}]
    inputs = [{"from": {"id": one}, "to": {"id": other}, "types": types} for one, other in distinct]
    source, target = (OBJECTS[end] for end in ends)
    where = path("associations_create", source=source, target=target)
    body = client.call("POST", where, writes=True, body={"inputs": inputs}).body
    there = {_told(row) for row in results_in(body)}
    names = [frozenset(pair) for pair in distinct]
    written = [pair[0] if pair in there else None for pair in distinct]
    results = settled(list(distinct.values()), names, written, body)
    return dict(zip(distinct, results, strict=True))


def _pair(write: Write) -> Pair:
    return write.record_id, write.to.id if write.to else ""


def _sound(write: Write) -> bool:
    return all(map(is_id, _pair(write)))


def _told(row: Mapping[str, Any]) -> Pair:
    """The ends of a link that an answer calls written, in the newer form or the older."""
    return _end(row, "from"), _end(row, "to")


def _end(row: Mapping[str, Any], side: str) -> str:
    older = row.get(side)
    if isinstance(older, Mapping):
        return str(older.get("id") or "")
    return str(row.get(f"{side}ObjectId") or "")
