"""The properties API: what records can hold, read and changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.definitions import UNIQUE_LIMIT, Definition
from crm_sync_hubspot.sandbox.groups import group_routes, groups_of
from crm_sync_hubspot.sandbox.objects import json_object
from crm_sync_hubspot.sandbox.portal import Portal, instant
from crm_sync_hubspot.sandbox.problems import (
    NOT_FOUND,
    ApiProblem,
    batch_error,
    invalid,
    not_found,
)
from crm_sync_hubspot.sandbox.propertyforms import PROPERTIES, changed, described, made
from crm_sync_hubspot.sandbox.types import ObjectType, resolve

Json = dict[str, Any]


def property_routes(portal: Portal) -> list[Route]:
    """End points of properties and of their groups."""
    api = _Properties(portal)
    one = rf"{PROPERTIES}/(?P<name>[^/]+)"
    return [
        *group_routes(portal),
        route("POST", f"{PROPERTIES}/batch/read", "properties.batch.read", api.read_many),
        route("POST", f"{PROPERTIES}/batch/create", "properties.batch.create", api.create_many),
        route("POST", f"{PROPERTIES}/batch/archive", "properties.batch.archive", api.archive_many),
        route("GET", PROPERTIES, "properties", api.listed),
        route("POST", PROPERTIES, "properties.create", api.create),
        route("GET", one, "property", api.read),
        route("PATCH", one, "property.update", api.update),
        route("DELETE", one, "property.archive", api.archive),
    ]


class _Properties:
    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def listed(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        with self._portal.database.reading() as sql:
            known = self._portal.definitions(sql, kind.name).values()
        return json_response({"results": [described(kind, one) for one in known]})

    def read(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        with self._portal.database.reading() as sql:
            return json_response(described(kind, self._one(sql, kind, request.args["name"])))

    def create(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        with self._portal.database.writing() as sql:
            created = self._create(sql, kind, body)
        return json_response(described(kind, created), status=201)

    def update(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)

        with self._portal.database.writing() as sql:
            now = changed(self._one(sql, kind, request.args["name"]), body)
            self._check_group(sql, kind, now.group)
            self._portal.define(sql, kind.name, [now])
        return json_response(described(kind, now))

    def archive(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        with self._portal.database.writing() as sql:
            self._archive(sql, kind, request.args["name"])
        return Response(204)

    def read_many(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        wanted = _input_names(json_object(request))
        with self._portal.database.reading() as sql:
            known = self._portal.definitions(sql, kind.name)
        results = [described(kind, known[name]) for name in wanted if name in known]
        missing = [name for name in wanted if name not in known]
        answer = _batch(self._portal, results)
        if missing:
            error = batch_error(NOT_FOUND, "Some properties do not exist", {"name": missing})
            answer |= {"numErrors": 1, "errors": [error]}
        status = 207 if missing and "dated" not in request.args else 200
        return json_response(answer, status=status)

    def create_many(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        inputs = json_object(request).get("inputs")
        if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
            raise invalid("Invalid input JSON: `inputs` must be a list of objects")
        with self._portal.database.writing() as sql:
            created = [self._create(sql, kind, one) for one in inputs]
        answer = _batch(self._portal, [described(kind, one) for one in created])
        return json_response(answer, status=200 if "dated" in request.args else 201)

    def archive_many(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        wanted = _input_names(json_object(request))
        with self._portal.database.writing() as sql:
            for name in wanted:
                self._archive(sql, kind, name)
        return Response(204)

    def _one(self, sql: sqlite3.Connection, kind: ObjectType, name: str) -> Definition:
        found = self._portal.definitions(sql, kind.name).get(name)
        if found is None:
            raise not_found(f"Property {name} does not exist for {kind.name}")
        return found

    def _create(
        self, sql: sqlite3.Connection, kind: ObjectType, body: Mapping[str, Any]
    ) -> Definition:
        wanted = made(body)
        known = self._portal.definitions(sql, kind.name)
        if wanted.name in known:
            message = f"A property named '{wanted.name}' already exists."
            raise ApiProblem(
                409, "OBJECT_ALREADY_EXISTS", message, sub_category="Properties.PROPERTY_EXISTS"
            )
        self._check_group(sql, kind, wanted.group)
        if wanted.unique:
            self._check_unique(kind, [one for one in known.values() if one.unique])
        self._portal.define(sql, kind.name, [wanted])
        return wanted

    def _check_unique(self, kind: ObjectType, unique: list[Definition]) -> None:
        if kind.name == "tasks" and not self._portal.settings.unique_task_properties:
            raise invalid("Unique properties are not supported for object type tasks")
        if len([one for one in unique if not one.standard]) >= UNIQUE_LIMIT:
            raise invalid(f"An object can have at most {UNIQUE_LIMIT} unique properties")

    def _check_group(self, sql: sqlite3.Connection, kind: ObjectType, group: str) -> None:
        if group not in groups_of(sql, kind):
            raise invalid(f"Property group '{group}' does not exist for {kind.name}")

    def _archive(self, sql: sqlite3.Connection, kind: ObjectType, name: str) -> None:
        if self._one(sql, kind, name).standard:
            raise invalid(f"{name} is defined by HubSpot and cannot be deleted")
        self._portal.undefine(sql, kind.name, name)


def _input_names(body: Any) -> list[str]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise invalid("Invalid input JSON: `inputs` must be a list of objects")
    return [str(one.get("name", "")) for one in inputs]


def _batch(portal: Portal, results: list[Json]) -> Json:
    now = instant(portal.now_ms())
    return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
