"""Owners: the portal's users as records point at them. Read only, as over HubSpot's API."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.problems import invalid, not_found

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

OWNERS = rf"/crm/(?:owners/{DATED}|v3/owners)"
MAX_PAGE = 500
DEFAULT_PAGE = 100


def owner_routes(portal: Portal) -> list[Route]:
    """The owners' end points."""

    def page(request: Request) -> Response:
        return json_response(_page(portal, request.query))

    def one(request: Request) -> Response:
        return json_response(_one(portal, request.args["id"], request.query))

    return [
        route("GET", OWNERS, "owners", page),
        route("GET", rf"{OWNERS}/(?P<id>[^/]+)", "owners.one", one),
    ]


def _page(portal: Portal, query: dict[str, str]) -> dict[str, Any]:
    limit = _number(query.get("limit", str(DEFAULT_PAGE)), "limit")
    if not 1 <= limit <= MAX_PAGE:
        raise invalid(f"limit must be between 1 and {MAX_PAGE}")
    after = _number(query.get("after") or "0", "after")
    email = query.get("email", "").casefold()
    with portal.database.reading() as sql:
        rows = sql.execute(
            "SELECT id, definition, archived FROM owner WHERE id > ? AND archived = ?"
            " AND (? = '' OR fold(json_extract(definition, '$.email')) = ?)"
            " ORDER BY id LIMIT ?",
            (after, _archived(query), email, email, limit + 1),
        ).fetchall()
    answer: dict[str, Any] = {"results": [_owner(*row) for row in rows[:limit]]}
    if len(rows) > limit:
        answer["paging"] = {"next": {"after": str(rows[limit - 1][0])}}
    return answer


def _one(portal: Portal, wanted: str, query: dict[str, str]) -> dict[str, Any]:
    by = query.get("idProperty", "id")
    if by not in {"id", "userId"}:
        raise invalid("idProperty must be id or userId")
    number = _number(wanted, by)
    with portal.database.reading() as sql:
        row = _find(sql, number, by, _archived(query))
    if row is None:
        raise not_found(f"No owner found with {by} {number}")
    return _owner(*row)


def _find(sql: sqlite3.Connection, number: int, by: str, archived: int) -> Any:
    where = "id = ?" if by == "id" else "json_extract(definition, '$.userId') = ?"
    return sql.execute(
        f"SELECT id, definition, archived FROM owner WHERE {where} AND archived = ?",  # noqa: S608 - our own text
        (number, archived),
    ).fetchone()


def _owner(id: int, definition: str, archived: int) -> dict[str, Any]:
    """An owner as HubSpot answers it; an archived one has no `userId` any more."""
    kept: dict[str, Any] = json.loads(definition)
    owner = {
        "type": "PERSON",
        "firstName": "",
        "lastName": "",
        "createdAt": "2020-01-01T00:00:00.000Z",
        "updatedAt": "2020-01-01T00:00:00.000Z",
        "teams": [],
        **kept,
        "id": str(id),
        "archived": bool(archived),
    }
    if "userId" in owner:
        owner["userIdIncludingInactive"] = owner["userId"]
    if archived:
        owner.pop("userId", None)
    return owner


def _archived(query: dict[str, str]) -> int:
    return int(query.get("archived", "false").lower() == "true")


def _number(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise invalid(f"{name} must be a whole number")
    return int(text)
