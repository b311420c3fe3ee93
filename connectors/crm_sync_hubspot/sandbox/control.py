"""Control end points of the HubSpot sandbox; those of every sandbox are in the base class.

| end point | what it does |
|---|---|
| `GET`, `POST /sandbox/settings` | read or change any of `Settings` |
| `POST /sandbox/clock {"advance": seconds}` | let the portal's time be later |
| `POST /sandbox/tokens/expire` | let every access token that was issued be over |
| `POST`, `DELETE /sandbox/tokens/revoke` | take the app's access away, give it back |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.oauth import Tokens
from crm_sync_hubspot.sandbox.portal import Portal, Settings

_FLOATS = {"index_delay"}
_FLAGS = {"unique_task_properties", "merge_keeps_id"}
LONGEST_STEP = 366 * 86_400.0
"""The clock advances by at most so many seconds at a time."""


def control_routes(portal: Portal, tokens: Tokens) -> list[Route]:
    """Their end points."""

    def settings(_: Request) -> Response:
        value = asdict(portal.settings)
        return json_response({**value, "missing_scopes": sorted(value["missing_scopes"])})

    def change(request: Request) -> Response:
        for name, value in _wanted(request, {one.name for one in fields(Settings)}).items():
            setattr(portal.settings, name, value)
        return settings(request)

    def clock(request: Request) -> Response:
        seconds = float(_object(request, {"advance"})["advance"])
        if not 0 <= seconds <= LONGEST_STEP:
            raise ValueError(f"`advance` is 0 to {LONGEST_STEP:.0f} seconds")
        portal.advance(seconds)
        return json_response({"now": portal.now().isoformat()})

    def done(act: Any) -> Any:
        def handler(_: Request) -> Response:
            act()
            return Response(204)

        return handler

    paths = (
        ("GET", "settings", settings),
        ("POST", "settings", change),
        ("POST", "clock", clock),
        ("POST", "tokens/expire", done(tokens.expire)),
        ("POST", "tokens/revoke", done(tokens.revoke)),
        ("DELETE", "tokens/revoke", done(tokens.restore)),
    )
    return [
        route(method, f"/sandbox/{path}", path, handler, public=True)
        for method, path, handler in paths
    ]


def _wanted(request: Request, known: set[str]) -> dict[str, Any]:
    """The new settings by name. Raises `ValueError`; nothing is changed then."""
    return {name: _setting(name, value) for name, value in _object(request, known).items()}


def _setting(name: str, value: Any) -> Any:
    if name == "missing_scopes":
        if not isinstance(value, list):
            raise ValueError("`missing_scopes` is a list of scopes")
        return frozenset(str(one) for one in value)
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` is true or false")
        return value
    if name == "secondly" and value is None:
        return None
    number = float(value) if name in _FLOATS else int(value)
    if number < 0:
        raise ValueError(f"`{name}` is not negative")
    return number


def _object(request: Request, known: set[str]) -> Mapping[str, Any]:
    value = request.json()
    if not isinstance(value, dict) or set(value) - known:
        raise ValueError(f"a JSON object with some of: {', '.join(sorted(known))}")
    return value
