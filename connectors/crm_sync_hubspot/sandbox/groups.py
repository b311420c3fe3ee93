"""The groups that properties stand in."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.objects import json_object
from crm_sync_hubspot.sandbox.portal import Portal
from crm_sync_hubspot.sandbox.problems import conflict, invalid, not_found
from crm_sync_hubspot.sandbox.propertyforms import NAME, PROPERTIES, whole
from crm_sync_hubspot.sandbox.standard import STANDARD_GROUPS
from crm_sync_hubspot.sandbox.types import ObjectType, resolve

Json = dict[str, Any]


def group_routes(portal: Portal) -> list[Route]:
    """Their end points; they come before those of properties, which would take `groups` for one."""
    groups = _Groups(portal)
    one = rf"{PROPERTIES}/groups/(?P<name>[^/]+)"
    return [
        route("GET", f"{PROPERTIES}/groups", "groups", groups.listed),
        route("POST", f"{PROPERTIES}/groups", "groups.create", groups.create),
        route("GET", one, "group", groups.read),
        route("PATCH", one, "group.update", groups.update),
        route("DELETE", one, "group.archive", groups.archive),
    ]


class _Groups:
    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def listed(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        with self._portal.database.reading() as sql:
            return json_response({"results": list(groups_of(sql, kind).values())})

    def read(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        with self._portal.database.reading() as sql:
            return json_response(self._one(sql, kind, request.args["name"]))

    def create(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        name, label = str(body.get("name") or ""), str(body.get("label") or "")
        if not NAME.fullmatch(name) or not label:
            raise invalid("A property group needs a `name` in lower case and a `label`")
        with self._portal.database.writing() as sql:
            if name in groups_of(sql, kind):
                raise conflict(f"A property group named '{name}' already exists.")
            made = _group(name, label, whole(body.get("displayOrder", -1)))
            _put_group(sql, kind, made)
        return json_response(made, status=201)

    def update(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        with self._portal.database.writing() as sql:
            known = self._one(sql, kind, request.args["name"])
            changes = {name: body[name] for name in ("label", "displayOrder") if name in body}
            _put_group(sql, kind, {**known, **changes})
        return json_response({**known, **changes})

    def archive(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        name = request.args["name"]
        with self._portal.database.writing() as sql:
            self._one(sql, kind, name)
            used = any(
                one.group == name for one in self._portal.definitions(sql, kind.name).values()
            )
            if used:
                raise invalid(f"Property group '{name}' still holds properties")
            sql.execute("DELETE FROM property_group WHERE type = ? AND name = ?", (kind.name, name))
        return Response(204)

    def _one(self, sql: sqlite3.Connection, kind: ObjectType, name: str) -> Json:
        found = groups_of(sql, kind).get(name)
        if found is None:
            raise not_found(f"Property group {name} does not exist for {kind.name}")
        return found


def groups_of(sql: sqlite3.Connection, kind: ObjectType) -> dict[str, Json]:
    """The property groups of one kind of records, by name."""
    name, label = STANDARD_GROUPS[kind.name]
    found = {name: _group(name, label, 0)}
    rows = sql.execute(
        "SELECT name, definition FROM property_group WHERE type = ? ORDER BY rowid", (kind.name,)
    )
    return found | {one: json.loads(text) for one, text in rows}


def _group(name: str, label: str, order: int) -> Json:
    return {"name": name, "label": label, "displayOrder": order, "archived": False}


def _put_group(sql: sqlite3.Connection, kind: ObjectType, group: Json) -> None:
    sql.execute(
        "INSERT INTO property_group VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET definition = excluded.definition",
        (kind.name, group["name"], json.dumps(group)),
    )
