"""What people do in a HubSpot portal, and what pages tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_sync.connector import Connector, Entity, Gone, Page
from crm_sync_hubspot.sandbox.rows import get, save, touch
from tests.support.hubspot_portal import VERSION, Portal, pull


def create(portal: Portal, kind: str, **properties: str) -> str:
    body = {"properties": properties, "associations": []}
    return str(portal.api("POST", f"/crm/objects/{VERSION}/{kind}", body)["id"])


def associate(portal: Portal, source: str, target: str, pairs: Mapping[str, str]) -> None:
    inputs = [{"from": {"id": one}, "to": {"id": other}} for one, other in pairs.items()]
    where = f"/crm/associations/{VERSION}/{source}/{target}/batch/associate/default"
    portal.api("POST", where, {"inputs": inputs})


def archive(portal: Portal, id: str, kind: str = "contacts") -> None:
    portal.api("DELETE", f"/crm/objects/{VERSION}/{kind}/{id}")


def restore(portal: Portal, id: str) -> None:
    """What a person does in HubSpot's recycle bin; its API cannot."""
    inner = portal.sandbox.portal
    with inner.database.writing() as sql:
        row = get(sql, "contacts", [int(id)])[int(id)]
        row.archived_ms = None
        touch(inner, row)
        save(sql, inner, row)


def complete(portal: Portal, crm: Connector, where: str = "") -> str:
    """The cursor after everything was pulled, with time gone by since."""
    cursor = pull(crm, where=where)[-1].cursor
    portal.settle()
    return cursor


def ids_of(pages: Sequence[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def gone(pages: Sequence[Page]) -> list[Gone]:
    return [one for page in pages for one in page.gone]


def lost(id: str, survivor: str | None = None) -> Gone:
    return Gone(Entity.CONTACT, id, survivor)
