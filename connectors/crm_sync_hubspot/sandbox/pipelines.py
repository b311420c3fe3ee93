"""Pipelines and their stages: one for deals and one for tickets, as a new portal has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.problems import invalid, not_found

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

PIPELINES = rf"/crm/(?:pipelines/{DATED}|v3/pipelines)/(?P<type>[^/]+)"
_NAMES = {
    **dict.fromkeys(("deals", "deal", "0-3"), "deals"),
    **dict.fromkeys(("tickets", "ticket", "0-5"), "tickets"),
}
_FOUNDED = "2020-01-01T00:00:00.000Z"
_AUDIT = {"createdAt": _FOUNDED, "updatedAt": _FOUNDED, "archived": False}

DEAL_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)
"""Id, label and probability of each stage of the deal pipeline."""

_TICKET_STAGES = (
    ("1", "New", "OPEN"),
    ("2", "Waiting on contact", "OPEN"),
    ("3", "Waiting on us", "OPEN"),
    ("4", "Closed", "CLOSED"),
)


def pipeline_routes(portal: Portal) -> list[Route]:
    """The pipelines' end points; a portal without pipelines gets the usual ones."""
    with portal.database.writing() as sql:
        sql.executemany(
            "INSERT OR IGNORE INTO pipeline (type, id, definition) VALUES (?, ?, ?)",
            [(name, kept["id"], json.dumps(kept)) for name, kept in _standard()],
        )

    def listed(request: Request) -> Response:
        return json_response({"results": _pipelines(portal, request.args["type"])})

    def one(request: Request) -> Response:
        return json_response(_pipeline(portal, request.args))

    def stages(request: Request) -> Response:
        return json_response({"results": _pipeline(portal, request.args)["stages"]})

    def stage(request: Request) -> Response:
        for found in _pipeline(portal, request.args)["stages"]:
            if found["id"] == request.args["stage"]:
                return json_response(found)
        raise not_found(f"Stage {request.args['stage']} not found")

    pipeline = rf"{PIPELINES}/(?P<id>[^/]+)"
    return [
        route("GET", PIPELINES, "pipelines", listed),
        route("GET", pipeline, "pipelines.one", one),
        route("GET", rf"{pipeline}/stages", "pipelines.stages", stages),
        route("GET", rf"{pipeline}/stages/(?P<stage>[^/]+)", "pipelines.stage", stage),
    ]


def _standard() -> list[tuple[str, dict[str, Any]]]:
    deals = [
        _stage(order, id, label, {"isClosed": _said(id.startswith("closed")), "probability": share})
        for order, (id, label, share) in enumerate(DEAL_STAGES)
    ]
    tickets = [
        _stage(order, id, label, {"ticketState": state, "isClosed": _said(state == "CLOSED")})
        for order, (id, label, state) in enumerate(_TICKET_STAGES)
    ]
    return [
        ("deals", _kept("default", "Sales Pipeline", deals)),
        ("tickets", _kept("0", "Support Pipeline", tickets)),
    ]


def _kept(id: str, label: str, stages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"id": id, "label": label, "displayOrder": 0, "stages": list(stages), **_AUDIT}


def _stage(order: int, id: str, label: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": id,
        "label": label,
        "displayOrder": order,
        "metadata": dict(metadata),
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        **_AUDIT,
    }


def _said(value: bool) -> str:
    return "true" if value else "false"


def _pipelines(portal: Portal, type: str) -> list[dict[str, Any]]:
    name = _NAMES.get(type.lower())
    if name is None:
        raise invalid(f"{type} has no pipelines")
    with portal.database.reading() as sql:
        rows = sql.execute("SELECT definition FROM pipeline WHERE type = ? ORDER BY id", (name,))
        return [json.loads(definition) for (definition,) in rows]


def _pipeline(portal: Portal, args: Mapping[str, str]) -> dict[str, Any]:
    for found in _pipelines(portal, args["type"]):
        if found["id"] == args["id"]:
            return found
    raise not_found(f"Pipeline {args['id']} not found")
