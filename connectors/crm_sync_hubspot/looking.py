"""Reading records back: by id, by value, and what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_sync.connector import ConfigError, Entity, Record, Scalar
from crm_sync_hubspot.objects import MERGED, MERGED_IDS, OBJECT_ID, modified_property
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.records import (
    batch_of,
    id_of,
    is_id,
    next_after,
    not_understood,
    record,
    rows_of,
)
from crm_sync_hubspot.relations import is_relation, related, relation
from crm_sync_hubspot.values import translated

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient
    from crm_sync_hubspot.describing import Metadata
    from crm_sync_hubspot.http import Answer

_BATCH = 100
_SEARCH_CHARACTERS = 3_000
"""What HubSpot takes as the body of a search."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads some fields of the records of one object.

    `fields` are properties and relations, under the names by which the records carry them.
    """

    client: HubSpotClient
    metadata: Metadata
    entity: Entity
    object: str
    fields: Sequence[str]

    def check(self) -> None:
        """Raise `ConfigError` for a field that the object does not have."""
        self.metadata.require(self.object, self.fields)
        for name in self._relations:
            relation(self.object, name)

    def properties(self, *more: str) -> list[str]:
        """The properties to ask for, each once, with those that every reading needs."""
        merged = [MERGED_IDS] if self.object in MERGED else []
        asked = (name for name in self.fields if not is_relation(name))
        names = (*asked, *more, OBJECT_ID, modified_property(self.object), *merged)
        return list(dict.fromkeys(name.lower() for name in names))

    def records(self, rows: Sequence[Mapping[str, Any]]) -> list[Record]:
        """Rows as records, with their relations, in the same order."""
        relations: dict[str, dict[str, Scalar]] = {}
        if self._relations:
            ids = [id_of(row) for row in rows]
            relations = related(self.client, self.object, ids, self._relations)
        made = [
            record(self.entity, self.object, row, self.fields, relations.get(id_of(row)))
            for row in rows
        ]
        return translated(made, self.metadata.properties(self.object), self.metadata.portal)

    @property
    def _relations(self) -> list[str]:
        return [name for name in dict.fromkeys(self.fields) if is_relation(name)]


def read(reader: Reader, ids: Sequence[str]) -> list[Record]:
    """The live records of these ids; absent ones are left out."""
    reader.check()
    return reader.records(rows_by_id(reader, ids))


def rows_by_id(reader: Reader, ids: Sequence[str], *more: str) -> list[Mapping[str, Any]]:
    """The live rows of these ids, each once, with the reader's properties and `more`.

    The id of a record that was merged away is answered with the survivor: that row was not asked
    for, and is left out.
    """
    asked = dict.fromkeys(id for id in ids if is_id(id))
    rows = _batch_read(reader, list(asked), reader.properties(*more))
    found = {id_of(row): row for row in rows if row.get("archived") is not True}
    return [found[id] for id in asked if id in found]


def find(reader: Reader, field: str, values: Sequence[str]) -> list[Record]:
    """The live records whose property is one of the values, each once.

    Letter case and blanks around a value make no difference. A unique property is looked up as
    it is now; any other through the search index, which lags behind.
    """
    if is_relation(field):
        raise ConfigError(f"HubSpot cannot look records up by {field[:100]!r}")
    reader.check()
    wanted = {_folded(value): value for value in values if value.strip()}
    if reader.metadata.is_unique(reader.object, field):
        properties = reader.properties(field)
        rows = list(_batch_read(reader, list(wanted.values()), properties, by=field.lower()))
    else:
        rows = [
            row
            for ids in _searched(reader, field.lower(), [_lower(one) for one in wanted.values()])
            for row in rows_by_id(reader, ids, field)
        ]
    live = {id_of(row): row for row in rows if row.get("archived") is not True}
    found = reader.records(list(live.values()))
    return [one for one in found if _folded(str(one.fields[field] or "")) in wanted]


def search(
    client: HubSpotClient,
    object_: str,
    filters: Sequence[Mapping[str, Any]],
    *,
    after: str,
    limit: int,
) -> Answer:
    """One page of the ids that satisfy all filters, ascending, above the id `after`.

    Every page is the first page of a search of its own: HubSpot gives no more than 10,000 results
    of one, and what changes meanwhile would shift the later pages.
    """
    body = _search_body(filters, after, limit)
    return client.call("POST", path("search", object=object_), body=body, search=True)


def ids_found(body: Any) -> list[str]:
    """The ids of one page of a search. Raises `ServerFault` unless they ascend.

    The next page begins above the last of them; out of order, some would be skipped.
    """
    ids = [id_of(row) for row in rows_of(body)]
    numbers = [int(id) for id in ids if is_id(id)]
    if len(numbers) < len(ids) or numbers != sorted(numbers):
        raise not_understood()
    return ids


def has_more(body: Mapping[str, Any], ids: Sequence[str], after: str) -> bool:
    """Whether a search goes on after a page; False when the page has not got beyond `after`."""
    total = body.get("total")
    told = bool(next_after(body)) or (isinstance(total, int) and total > len(ids))
    return told and bool(ids) and int(ids[-1]) > int(after or 0)


def _batch_read(
    reader: Reader, ids: Sequence[str], properties: Sequence[str], *, by: str = ""
) -> Iterator[Mapping[str, Any]]:
    where = path("batch_read", object=reader.object)
    for at in range(0, len(ids), _BATCH):
        body: dict[str, Any] = {
            "inputs": [{"id": id} for id in ids[at : at + _BATCH]],
            "properties": list(properties),
            "propertiesWithHistory": [],
        }
        if by:
            body["idProperty"] = by
        yield from batch_of(reader.client.call("POST", where, body=body).body)


def _searched(reader: Reader, field: str, values: Sequence[str]) -> Iterator[list[str]]:
    """The ids of the records that the index shows with one of the values, page by page."""
    for some in _fitting(field, values):
        filters = [{"propertyName": field, "operator": "IN", "values": some}]
        after, more = "", True
        while more:
            answer = search(reader.client, reader.object, filters, after=after, limit=_BATCH)
            ids = ids_found(answer.body)
            yield ids
            more = has_more(answer.body, ids, after)
            after = ids[-1] if ids else after


def _fitting(field: str, values: Sequence[str]) -> Iterator[list[str]]:
    """The values in groups of which each fits one search."""
    empty = [{"propertyName": field, "operator": "IN", "values": []}]
    room = _SEARCH_CHARACTERS - len(json.dumps(_search_body(empty, "9" * 20, _BATCH)))
    group: list[str] = []
    left = room
    for value in values:
        size = len(json.dumps(value)) + 2
        if size > room:
            raise ConfigError(f"a value is too long to be looked up by {field!r}")
        if group and (size > left or len(group) == _BATCH):
            yield group
            group, left = [], room
        group.append(value)
        left -= size
    if group:
        yield group


def _search_body(filters: Sequence[Mapping[str, Any]], after: str, limit: int) -> dict[str, Any]:
    beyond = [{"propertyName": OBJECT_ID, "operator": "GT", "value": after}] if after else []
    return {
        "filterGroups": [{"filters": [*filters, *beyond]}],
        "sorts": [OBJECT_ID],
        "properties": [OBJECT_ID],
        "limit": limit,
        "after": "0",
    }


def _lower(value: str) -> str:
    # As HubSpot's search wants the values of IN.
    return value.strip().lower()


def _folded(value: str) -> str:
    return _lower(value.replace("\r\n", "\n"))
