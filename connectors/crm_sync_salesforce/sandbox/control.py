"""The sandbox's own end points beside Salesforce's: time, allowance, sessions, merges, rows.

```
GET|POST /sandbox/settings        {"daily_calls", "used_calls", "clock_offset_seconds",
                                   "session_seconds"}
POST     /sandbox/expire-sessions    DELETE: accept the fixed session again
POST     /sandbox/expire-locators
POST     /sandbox/merge           {"object", "master", "victims": [ids]}
POST     /sandbox/fields          {"object", "field", "hidden", "createable", "updateable"}
POST     /sandbox/row-faults      see `rowfaults`; DELETE clears
```
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_salesforce.sandbox.catalog import custom_name, text_field
from crm_sync_salesforce.sandbox.fields import Field
from crm_sync_salesforce.sandbox.org import Org
from crm_sync_salesforce.sandbox.problems import RowProblem
from crm_sync_salesforce.sandbox.queries import forget_locators
from crm_sync_salesforce.sandbox.rowfaults import parse_row_fault
from crm_sync_salesforce.sandbox.sessions import Sessions
from crm_sync_salesforce.sandbox.writing import Writer

_SETTINGS = {"daily_calls", "used_calls", "clock_offset_seconds", "session_seconds"}
_FLAGS = {"hidden", "createable", "updateable"}
_REPARENTED = (("Task", "WhoId"), ("Event", "WhoId"), ("OpportunityContactRole", "ContactId"))
_ACCOUNT_CHILDREN = (
    ("Contact", "AccountId"),
    ("Opportunity", "AccountId"),
    ("Task", "WhatId"),
    ("Event", "WhatId"),
)


def control_routes(org: Org, sessions: Sessions) -> list[Route]:
    """Their end points."""
    control = _Control(org, sessions)
    paths = (
        ("GET", "settings", control.settings),
        ("POST", "settings", control.change_settings),
        ("POST", "expire-sessions", control.expire_sessions),
        ("DELETE", "expire-sessions", control.restore_session),
        ("POST", "expire-locators", control.expire_locators),
        ("POST", "merge", control.merge),
        ("POST", "fields", control.change_field),
        ("POST", "row-faults", control.add_row_faults),
        ("DELETE", "row-faults", control.clear_row_faults),
    )
    return [
        route(method, f"/sandbox/{path}", path, handler, public=True)
        for method, path, handler in paths
    ]


class _Control:
    def __init__(self, org: Org, sessions: Sessions) -> None:
        self._org = org
        self._sessions = sessions

    def settings(self, _: Request) -> Response:
        return json_response(
            {
                "daily_calls": self._org.allowance.daily,
                "used_calls": self._org.allowance.used,
                "clock_offset_seconds": self._org.clock_offset.total_seconds(),
                "session_seconds": self._sessions.lifetime,
            }
        )

    def change_settings(self, request: Request) -> Response:
        wanted = _object(request, _SETTINGS)
        allowance = self._org.allowance
        allowance.daily = int(wanted.get("daily_calls", allowance.daily))
        allowance.used = int(wanted.get("used_calls", allowance.used))
        if "clock_offset_seconds" in wanted:
            self._org.clock_offset = timedelta(seconds=float(wanted["clock_offset_seconds"]))
        if "session_seconds" in wanted:
            seconds = wanted["session_seconds"]
            self._sessions.lifetime = None if seconds is None else float(seconds)
        return self.settings(request)

    def expire_sessions(self, _: Request) -> Response:
        self._sessions.expire()
        return Response(204)

    def restore_session(self, _: Request) -> Response:
        self._sessions.restore()
        return Response(204)

    def expire_locators(self, _: Request) -> Response:
        forget_locators(self._org)
        return Response(204)

    def merge(self, request: Request) -> Response:
        """Merge as people do in the CRM: victims are deleted and point to the master."""
        wanted = _object(request, {"object", "master", "victims"})
        target = self._org.object(str(wanted["object"]))
        if target.field("MasterRecordId") is None:
            raise ValueError(f"records of {target.name} cannot be merged")
        children = _ACCOUNT_CHILDREN if target.name == "Account" else _REPARENTED
        try:
            with self._org.database.writing() as connection:
                writer = Writer(self._org, connection)
                master = writer.living(target, str(wanted["master"]))
                for given in wanted["victims"]:
                    victim = writer.living(target, str(given))
                    if victim == master:
                        raise ValueError("the master cannot be one of the victims")
                    writer.mark_deleted(target, victim, master)
                    for table, column in children:
                        writer.reparent(table, column, victim, master)
        except RowProblem as problem:
            raise ValueError(str(problem)) from None
        return json_response({"id": master, "success": True})

    def change_field(self, request: Request) -> Response:
        """Hide a field, close it to writes, or add a custom text field."""
        wanted = _object(request, {"object", "field", *_FLAGS})
        target = self._org.object(str(wanted["object"]))
        name = str(wanted["field"])
        known = target.fields.get(name.lower()) or _new(name)
        changed = replace(
            known,
            hidden=bool(wanted.get("hidden", known.hidden)),
            createable=bool(wanted.get("createable", known.createable)),
            updateable=bool(wanted.get("updateable", known.updateable)),
        )
        self._org.redefine(target.name, changed)
        return Response(204)

    def add_row_faults(self, request: Request) -> Response:
        wanted = request.json()
        faults = wanted if isinstance(wanted, list) else [wanted]
        self._org.row_faults.add([parse_row_fault(one) for one in faults])
        return Response(204)

    def clear_row_faults(self, _: Request) -> Response:
        self._org.row_faults.clear()
        return Response(204)


def _new(name: str) -> Field:
    if not custom_name(name):
        raise ValueError(f"{name} is no field, and no name of a custom one (`…__c`)")
    return text_field(name)


def _object(request: Request, known: set[str]) -> dict[str, Any]:
    value = request.json()
    if not isinstance(value, dict) or set(value) - known:
        raise ValueError(f"a JSON object with some of: {', '.join(sorted(known))}")
    return value
