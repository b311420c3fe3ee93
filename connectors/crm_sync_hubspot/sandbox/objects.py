"""Records one at a time, and lists of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.associations import answered, associate_new
from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.editing import Editor, number_of
from crm_sync_hubspot.sandbox.portal import Portal, instant
from crm_sync_hubspot.sandbox.problems import invalid, not_found
from crm_sync_hubspot.sandbox.rows import Row, get, page
from crm_sync_hubspot.sandbox.types import ObjectType, resolve

OBJECTS = rf"/crm/(?:objects/(?P<dated>{DATED})|v3/objects)/(?P<type>[^/]+)"
MAX_PAGE = 100
MAX_PAGE_WITH_HISTORY = 50
DEFAULT_PAGE = 10
Json = dict[str, Any]


def object_routes(portal: Portal) -> list[Route]:
    """List, create, read, update and archive."""
    objects = _Objects(portal)
    one = rf"{OBJECTS}/(?P<id>[^/]+)"
    return [
        route("GET", OBJECTS, "list", objects.listed),
        route("POST", OBJECTS, "create", objects.create),
        route("GET", one, "read", objects.read),
        route("PATCH", one, "update", objects.update),
        route("DELETE", one, "archive", objects.archive),
    ]


class Shape:
    """Which properties an answer shows of each record."""

    def __init__(
        self,
        kind: ObjectType,
        known: Collection[str],
        asked: Iterable[str] = (),
        history: Iterable[str] = (),
    ) -> None:
        wanted = list(asked)
        always = ("hs_object_id", kind.created, kind.modified)
        shown = {*(wanted or kind.shown), *always}
        # A name that the portal does not know is left out without a word, as HubSpot does.
        self._names = sorted(name for name in shown if name in known)
        self._history = sorted(name for name in set(history) if name in known)

    def __call__(self, row: Row, *, trace: str | None = None) -> Json:
        """The record as an answer shows it; `trace` is its input's objectWriteTraceId."""
        value: Json = {
            "id": str(row.id),
            "properties": {name: row.properties.get(name) for name in self._names},
            "createdAt": instant(row.created_ms),
            "updatedAt": instant(row.updated_ms),
            "archived": row.archived,
        }
        if row.archived_ms is not None:
            value["archivedAt"] = instant(row.archived_ms)
        if trace is not None:
            value["objectWriteTraceId"] = trace
        if self._history:
            value["propertiesWithHistory"] = {name: _versions(row, name) for name in self._history}
        return value


class _Objects:
    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def listed(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        query = request.query
        history = names(request, "propertiesWithHistory")
        most = MAX_PAGE_WITH_HISTORY if history else MAX_PAGE
        limit = _number(query.get("limit", str(DEFAULT_PAGE)), "limit")
        if not 1 <= limit <= most:
            raise invalid(f"Invalid limit: {limit}. It must be between 1 and {most}.")
        after = _number(query.get("after") or "0", "after")
        with self._portal.database.reading() as sql:
            rows = page(
                sql, kind.name, after=after, limit=limit + 1, archived=wants_archived(request)
            )
            more, rows = len(rows) > limit, rows[:limit]
            answer: Json = {"results": self._shown(sql, request, kind, rows, history)}
        if more:
            following = str(rows[-1].id)
            answer["paging"] = {"next": {"after": following, "link": _link(request, following)}}
        return json_response(answer)

    def read(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        history = names(request, "propertiesWithHistory")
        with self._portal.database.reading() as sql:
            row = self._row(sql, kind, request)
            (shown,) = self._shown(sql, request, kind, [row], history)
        return json_response(shown)

    def create(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        with self._portal.database.writing() as sql:
            editor = Editor(self._portal, sql, kind)
            (values,) = editor.checked([body.get("properties", {})], creating=True)
            for taken in editor.taken([(None, values)]).values():
                raise taken.problem()
            row = editor.create(values)
            associate_new(sql, kind.name, row.id, body.get("associations"))
            row = get(sql, kind.name, [row.id])[row.id]
            shape = Shape(kind, self._portal.definitions(sql, kind.name), values)
        self._portal.calls.wrote(f"{kind.name}.create", 1)
        return json_response(shape(row), status=201)

    def update(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        with self._portal.database.writing() as sql:
            editor = Editor(self._portal, sql, kind)
            (values,) = editor.checked([body.get("properties", {})], creating=False)
            row = self._row(sql, kind, request)
            for taken in editor.taken([(row.id, values)]).values():
                raise taken.problem()
            editor.update(row, values)
            shape = Shape(kind, self._portal.definitions(sql, kind.name), values)
        self._portal.calls.wrote(f"{kind.name}.update", 1)
        return json_response(shape(row))

    def archive(self, request: Request) -> Response:
        """Archive one; once archived it stays so, and saying it again is no mistake."""
        kind = resolve(request.args["type"])
        with self._portal.database.writing() as sql:
            editor = Editor(self._portal, sql, kind)
            text = request.args["id"]
            row = editor.find("", [text]).get(text)
            if row is None and number_of(text) not in get(sql, kind.name, [number_of(text) or 0]):
                raise not_found()
            if row is not None:
                editor.archive(row)
        self._portal.calls.wrote(f"{kind.name}.archive", int(row is not None))
        return Response(204)

    def _row(self, sql: sqlite3.Connection, kind: ObjectType, request: Request) -> Row:
        """The record of the path. Raises 404."""
        text = request.args["id"]
        key = request.query.get("idProperty", "")
        if wants_archived(request) and not key:
            row = get(sql, kind.name, [number_of(text) or 0]).get(number_of(text) or 0)
            row = row if row is not None and row.archived else None
        else:
            row = Editor(self._portal, sql, kind).find(key, [text]).get(text)
        if row is None:
            raise not_found("Object not found.  objectId are usually numeric.")
        return row

    def _shown(
        self,
        sql: sqlite3.Connection,
        request: Request,
        kind: ObjectType,
        rows: list[Row],
        history: list[str],
    ) -> list[Json]:
        known = self._portal.definitions(sql, kind.name)
        shape = Shape(kind, known, names(request, "properties"), history)
        shown = [shape(row) for row in rows]
        to = [resolve(name).name for name in names(request, "associations")]
        if to:
            ends = answered(sql, kind.name, [row.id for row in rows], to)
            for row, value in zip(rows, shown, strict=True):
                if row.id in ends:
                    value["associations"] = ends[row.id]
        return shown


def names(request: Request, parameter: str) -> list[str]:
    """A list in the query, whether its parts are joined by commas or given one by one."""
    query = parse_qsl(urlsplit(request.target).query)
    parts = [part for name, value in query if name == parameter for part in value.split(",")]
    return [part.strip() for part in parts if part.strip()]


def wants_archived(request: Request) -> bool:
    """Whether the query asks for archived records."""
    return request.query.get("archived", "false").lower() == "true"


def json_object(request: Request) -> Mapping[str, Any]:
    """The body, an object. Raises 400."""
    try:
        value = request.json()
    except ValueError:
        raise invalid("Invalid input JSON: the body cannot be read") from None
    if not isinstance(value, dict):
        raise invalid("Invalid input JSON: an object is expected")
    return value


def _link(request: Request, following: str) -> str:
    query = parse_qsl(urlsplit(request.target).query)
    kept = [(name, value) for name, value in query if name != "after"]
    return f"{request.base_url}{request.path}?{urlencode([*kept, ('after', following)])}"


def _versions(row: Row, name: str) -> list[Json]:
    """A property's history, of which the sandbox keeps the latest version only."""
    value = row.properties.get(name)
    if value is None:
        return []
    return [{"value": value, "timestamp": instant(row.updated_ms), "sourceType": "INTEGRATION"}]


def _number(text: str, name: str) -> int:
    number = number_of(text)
    if number is None:
        raise invalid(f"Invalid {name}: {text[:40]}")
    return number
