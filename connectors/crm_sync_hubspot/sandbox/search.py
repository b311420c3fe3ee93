"""Searching records: what the index holds of them, which is a little behind the records."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.filters import (
    Condition,
    Definitions,
    add_functions,
    column,
    parse_groups,
    stored,
)
from crm_sync_hubspot.sandbox.indexing import catch_up
from crm_sync_hubspot.sandbox.portal import instant
from crm_sync_hubspot.sandbox.problems import invalid
from crm_sync_hubspot.sandbox.types import ObjectType, resolve

if TYPE_CHECKING:
    import sqlite3

    from crm_sync_hubspot.sandbox.portal import Portal

MAX_BODY = 3_000
MAX_LIMIT = 200
MAX_RESULTS = 10_000
SORTED_AT_ONCE = 5_000
_SEARCH = rf"/crm/(?:objects/{DATED}|v3/objects)/(?P<type>[^/]+)/search"
_ASKED = {
    "contacts": ("firstname", "lastname", "email", "phone", "mobilephone", "company"),
    "companies": ("name", "domain", "website", "phone"),
    "deals": ("dealname",),
    "emails": ("hs_email_subject",),
    "calls": ("hs_call_title",),
    "meetings": ("hs_meeting_title",),
    "notes": ("hs_note_body",),
    "tasks": ("hs_task_subject", "hs_task_body"),
}
"""The properties that a `query` looks into."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search that makes sense: conditions and order in SQL, the page, and what is shown."""

    condition: Condition
    order: Condition
    limit: int
    after: int
    properties: tuple[str, ...]


def search_routes(portal: Portal) -> list[Route]:
    """The search end point of every kind of records."""

    def search(request: Request) -> Response:
        return json_response(_answer(portal, request))

    return [route("POST", _SEARCH, "search", search)]


def _answer(portal: Portal, request: Request) -> dict[str, Any]:
    kind = resolve(request.args["type"])
    body = _body(request)
    catch_up(portal)
    with portal.database.reading() as sql:
        wanted = _parsed(body, kind, portal.definitions(sql, kind.name))
        add_functions(sql)
        total, rows = _found(sql, kind, wanted)
    results = [_shown(kind, wanted.properties, *row) for row in rows]
    answer: dict[str, Any] = {"total": total, "results": results}
    following = wanted.after + len(rows)
    if rows and following < total:
        answer["paging"] = {"next": {"after": str(following)}}
    return answer


def _body(request: Request) -> dict[str, Any]:
    if len(request.body.decode("utf-8", "replace")) > MAX_BODY:
        raise invalid(f"The request body is longer than {MAX_BODY} characters")
    try:
        body = request.json()
    except ValueError:
        raise invalid("Invalid input JSON") from None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON")
    return body


def _parsed(body: Mapping[str, Any], kind: ObjectType, known: Definitions) -> Search:
    condition = parse_groups(body.get("filterGroups") or [], kind, known)
    query = body.get("query")
    if query:
        condition = _both(condition, _query(str(query), kind))
    limit = _count(body.get("limit", 10), "limit")
    after = _count(body.get("after") or 0, "after")
    if limit > MAX_LIMIT:
        raise invalid(f"limit must be at most {MAX_LIMIT}")
    if after + limit > MAX_RESULTS:
        raise invalid(f"A search reaches {MAX_RESULTS} results: after + limit is larger")
    names = body.get("properties") or []
    if not isinstance(names, list):
        raise invalid("properties must be a list")
    shown = tuple(str(one) for one in names) or kind.shown
    order = _order(body.get("sorts") or [], kind, known)
    return Search(condition, order, limit, after, shown)


def _order(given: Any, kind: ObjectType, known: Definitions) -> Condition:
    """`ORDER BY` for `sorts`; without one the oldest records come first."""
    if not isinstance(given, list) or len(given) > 1:
        raise invalid("sorts must be a list with at most one entry")
    if not given:
        return Condition("id")
    one = given[0]
    if isinstance(one, str):
        name, downwards = one.removeprefix("-"), one.startswith("-")
    elif isinstance(one, dict) and isinstance(one.get("propertyName"), str):
        name, downwards = one["propertyName"], one.get("direction") == "DESCENDING"
    else:
        raise invalid("A sort names a property")
    by = column(name, kind, known)
    direction = "DESC" if downwards else "ASC"
    if by.text == "id":
        return Condition(f"id {direction}")
    return Condition(f"{by.text} {direction} NULLS LAST, id", by.values)


def _query(text: str, kind: ObjectType) -> Condition:
    """Each word of the text begins a word of some default property."""
    columns = [stored(name) for name in _ASKED[kind.name]]
    joined = " || ' ' || ".join(f"coalesce({raw}, '')" for raw, _ in columns)
    words = " ".join(f"{word}*" for word in text.split())
    return Condition(f"has_tokens({joined}, ?)", (*(path for _, path in columns), words))


def _both(one: Condition, other: Condition) -> Condition:
    return Condition(f"{one.text} AND {other.text}", (*one.values, *other.values))


def _found(
    sql: sqlite3.Connection, kind: ObjectType, wanted: Search
) -> tuple[int, list[tuple[int, str, int]]]:
    """How many records fit, and the rows of the page: id, properties, modified."""
    where = f"FROM search_index WHERE type = ? AND {wanted.condition.text}"
    values = (kind.name, *wanted.condition.values)
    (total,) = sql.execute(f"SELECT count(*) {where}", values).fetchone()
    # The page's ids come first, from an index alone if that holds all that is asked for; only
    # then are the records read. The plus keeps SQLite from walking along all ids in order to find
    # a few; where many fit, the walk is soon over.
    order = wanted.order.text
    plus = "+" if order.startswith("id") and total <= SORTED_AT_ONCE else ""
    page = f"SELECT id {where} ORDER BY {plus}{order} LIMIT ? OFFSET ?"
    rows = sql.execute(
        "SELECT id, properties, updated_ms FROM search_index"
        f" WHERE type = ? AND id IN ({page}) ORDER BY {order}",
        (
            kind.name,
            *values,
            *wanted.order.values,
            wanted.limit,
            wanted.after,
            *wanted.order.values,
        ),
    ).fetchall()
    return int(total), rows


def _shown(
    kind: ObjectType, names: tuple[str, ...], id: int, properties: str, updated_ms: int
) -> dict[str, Any]:
    held: dict[str, str] = json.loads(properties)
    always = (kind.created, kind.modified, "hs_object_id")
    return {
        "id": str(id),
        "properties": {name: held.get(name) for name in dict.fromkeys((*always, *names))},
        "createdAt": held[kind.created],
        "updatedAt": instant(updated_ms),
        "archived": False,
    }


def _count(value: Any, name: str) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or len(str(value)) > 9:
        raise invalid(f"{name} must be a whole number")
    return int(str(value))
