"""The labels that associations can have: listed, added, renamed and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.linkanswers import Ends
from crm_sync_hubspot.sandbox.linktypes import USER, LinkType, Spec, add_labels, kinds
from crm_sync_hubspot.sandbox.problems import invalid, not_found

if TYPE_CHECKING:
    import sqlite3

    from crm_sync_hubspot.sandbox.portal import Portal

_LABELS = (
    rf"/crm/(?:associations/(?:{DATED}|v4)|v4/associations)"
    r"/(?P<type>[^/]+)/(?P<to>[^/]+)/labels"
)


def label_routes(portal: Portal) -> list[Route]:
    """The end points of labels, dated and in version 4."""

    def listed(request: Request) -> Response:
        with portal.database.reading() as sql:
            found = kinds(sql, *Ends(request.args).names)
        return json_response({"results": [one.described() for one in found.values()]})

    def add(request: Request) -> Response:
        body, names = _body(request), Ends(request.args).names
        label, name = _text(body, "label"), _text(body, "name")
        inverse = _text(body, "inverseLabel") if body.get("inverseLabel") else label
        with portal.database.writing() as sql:
            made = add_labels(sql, *names, label, inverse, name)
        return json_response({"results": [one.described() for one in made]})

    def rename(request: Request) -> Response:
        body = _body(request)
        with portal.database.writing() as sql:
            found = _own(sql, request.args, body.get("associationTypeId"))
            _rename(sql, found.spec, _text(body, "label"))
            if body.get("inverseLabel") and found.inverse != found.spec:
                _rename(sql, found.inverse, _text(body, "inverseLabel"))
        return Response(204)

    def remove(request: Request) -> Response:
        with portal.database.writing() as sql:
            found = _own(sql, request.args, request.args["id"])
            for table in ("association", "association_label"):
                sql.execute(
                    f"DELETE FROM {table} WHERE category = ? AND type_id IN (?, ?)",  # noqa: S608 - our own names
                    (USER, found.spec.type_id, found.inverse_id),
                )
        return Response(204)

    return [
        route("GET", _LABELS, "labels", listed),
        route("POST", _LABELS, "labels.add", add),
        route("PUT", _LABELS, "labels.rename", rename),
        route("DELETE", rf"{_LABELS}/(?P<id>[^/]+)", "labels.remove", remove),
    ]


def _own(sql: sqlite3.Connection, args: Mapping[str, str], type_id: object) -> LinkType:
    """A label that the portal added itself. Raises 404 for another."""
    number = str(type_id)
    found = kinds(sql, *Ends(args).names)
    one = found.get(Spec(USER, int(number))) if number.isdecimal() else None
    if one is None:
        raise not_found(f"Association label {number} does not exist")
    return one


def _rename(sql: sqlite3.Connection, spec: Spec, label: str) -> None:
    sql.execute(
        "UPDATE association_label SET label = ? WHERE category = ? AND type_id = ?",
        (label, *spec),
    )


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        raise invalid("Invalid input JSON") from None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON")
    return body


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{name} is required")
    return value
