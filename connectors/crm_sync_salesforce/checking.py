"""`check`: whether this connection can do its work, told line by line with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from crm_sync.connector import ConfigError, Entity, Finding, Level

if TYPE_CHECKING:
    from crm_sync_salesforce.client import SalesforceClient

_WRITTEN = {"Contact", "Task"}
_FEW_CALLS = 0.2


def check(client: SalesforceClient, objects: Mapping[Entity, str]) -> list[Finding]:
    """Sign-in and allowance first, then whether each object can be seen, in a fixed order."""
    return [_allowance(client)] + [
        _visible(client, name) for name in dict.fromkeys(objects.values())
    ]


def _allowance(client: SalesforceClient) -> Finding:
    # The first call also proves the sign-in, the address and the API version.
    limits = client.call("GET", "limits").body
    calls = limits.get("DailyApiRequests") if isinstance(limits, dict) else None
    if not isinstance(calls, dict) or not calls.get("Max"):
        return Finding(Level.OK, "sign-in", "accepted; the org tells no daily allowance")
    left, most = int(calls.get("Remaining", 0)), int(calls["Max"])
    message = f"accepted; {left} of {most} API calls of the day are left"
    if left < most * _FEW_CALLS:
        return Finding(
            Level.WARNING, "sign-in", message, "Run later, or look at what else uses the API."
        )
    return Finding(Level.OK, "sign-in", message)


def _visible(client: SalesforceClient, name: str) -> Finding:
    try:
        description = client.call("GET", f"sobjects/{name}/describe").body
    except ConfigError as problem:
        return _denied(name, problem.message)
    if not isinstance(description, dict) or not description.get("queryable", True):
        return _denied(name, "cannot be read")
    writable = description.get("createable", True) or description.get("updateable", True)
    if name in _WRITTEN and not writable:
        return Finding(
            Level.PROBLEM,
            name,
            "can be read but not written",
            "Give the integration user the crm-sync permission set.",
            denied=True,
        )
    return Finding(Level.OK, name, f"visible, {len(description.get('fields') or ())} fields")


def _denied(name: str, told: str) -> Finding:
    fix = f"Give the integration user access to {name}."
    return Finding(Level.PROBLEM, name, told, fix, denied=True)
