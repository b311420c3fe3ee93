"""Reading single records back, by id, by value, and by whether they satisfy a condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crm_sync.connector import Entity, Record, ServerFault
from crm_sync_salesforce.errors import LocatorGone
from crm_sync_salesforce.objects import UNDELETABLE, live_only
from crm_sync_salesforce.records import record, value_of, with_columns
from crm_sync_salesforce.soql import URL_BYTES, field_name, is_any_of, select, url_bytes

if TYPE_CHECKING:
    from crm_sync_salesforce.client import SalesforceClient

_LEAST_ROOM = 500
"""Bytes left to values, however many fields a query names; too long for a URL, it has a body."""

_LONG_QUERY_BYTES = 12_000
"""What a query in the body of a request may take: below what Salesforce takes as an address."""


def read(
    client: SalesforceClient,
    entity: Entity,
    object_: str,
    ids: Sequence[str],
    fields: Sequence[str],
) -> list[Record]:
    """The live records of these ids with these fields; one call, unless fields cross relations."""
    if any("." in name for name in fields):
        return _where_any_of(client, entity, object_, "Id", ids, fields)
    marks = [] if object_.casefold() in UNDELETABLE else ["IsDeleted"]
    columns = with_columns([field_name(name) for name in fields], "Id", "SystemModstamp", *marks)
    body = {"ids": list(ids), "fields": columns}
    rows = client.call("POST", f"composite/sobjects/{object_}", body=body).body
    if not isinstance(rows, list):
        raise ServerFault("the answer is not understood")
    live = [row for row in rows if isinstance(row, dict) and value_of(row, "Id")]
    return [record(entity, row, fields) for row in live if value_of(row, "IsDeleted") is not True]


def find(
    client: SalesforceClient, entity: Entity, object_: str, field: str, values: Sequence[str]
) -> list[Record]:
    """The live records whose field has one of the values, each once."""
    return _where_any_of(client, entity, object_, field, values, [field])


def satisfying(
    client: SalesforceClient,
    entity: Entity,
    object_: str,
    ids: Sequence[str],
    fields: Sequence[str],
    where: str,
) -> list[Record]:
    """Those of the live records of these ids that satisfy `where`, a condition in parentheses."""
    return _where_any_of(
        client, entity, object_, "Id", ids, fields, where=where, most=_LONG_QUERY_BYTES
    )


def _where_any_of(
    client: SalesforceClient,
    entity: Entity,
    object_: str,
    field: str,
    values: Sequence[str],
    fields: Sequence[str],
    *,
    where: str = "",
    most: int = URL_BYTES,
) -> list[Record]:
    everything, live = live_only(object_)
    columns = with_columns(fields, "Id", "SystemModstamp")
    room = max(_LEAST_ROOM, most - url_bytes(select(columns, object_, live, where, "()")))
    found: dict[str, Record] = {}
    for one in is_any_of(field, values, room):
        soql = select(columns, object_, live, where, one)
        for row in _rows(client, soql, everything=everything):
            found.setdefault(str(value_of(row, "Id")), record(entity, row, fields))
    return list(found.values())


def _rows(client: SalesforceClient, soql: str, *, everything: bool) -> Iterator[dict[str, Any]]:
    page = client.query(soql, everything=everything)
    yield from page.records
    while page.next_path:
        try:
            page = client.query_more(page.next_path)
        except LocatorGone:
            raise ServerFault("Salesforce gave up the query half-way") from None
        yield from page.records
