"""`check`: whether this connection can do its work, told line by line with what to do.

Each object is asked for by itself: a scope that is missing for one hides nothing of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_sync.connector import AccessDenied, ConfigError, Finding, Level, ScopeMissing, TryLater
from crm_sync_hubspot.errors import NOT_HUBSPOT_FIX
from crm_sync_hubspot.paths import path

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient

_WITHOUT: Mapping[str, str] = {
    "companies": "the employer of a contact is then not known, and no move can be told",
    "deals": "deals are then not known",
    "tasks": "no follow-up task can then be made",
    "emails": "e-mails are then not known as interactions",
    "calls": "calls are then not known as interactions",
    "meetings": "meetings are then not known as interactions",
    "notes": "notes are then not known as interactions",
}
"""The objects besides contacts, and what is missing without each."""

_WRITTEN: Mapping[str, tuple[str, Level, str]] = {
    "crm.objects.contacts.write": (
        "contacts",
        Level.PROBLEM,
        "contacts and tasks cannot be written",
    ),
    "crm.schemas.contacts.write": (
        "properties",
        Level.WARNING,
        "`setup` cannot create properties; a person can",
    ),
}
"""What is written under each scope, and what its absence means."""

_FEW_CALLS = 0.2


def check(client: HubSpotClient) -> list[Finding]:
    """Sign-in and allowance first, then what can be read, then what may be written.

    Raises `AccessDenied` for credentials that are refused, `TryLater` when the portal cannot be
    asked.
    """
    signed_in = _portal(client)
    if signed_in.level is Level.PROBLEM:
        return [signed_in]  # it is no portal, and nothing it says of objects means anything
    read = [_readable(client, "contacts", Level.PROBLEM, "nothing can be done without contacts")]
    read += [_readable(client, name, Level.WARNING, without) for name, without in _WITHOUT.items()]
    read.append(_owners(client))
    return [signed_in, *_allowance(client), *read, *_scopes(client)]


def _portal(client: HubSpotClient) -> Finding:
    # The first call also proves the sign-in and the address.
    try:
        details = client.call("GET", path("account")).body
    except ScopeMissing as problem:
        told = f"accepted; the portal does not describe itself: {problem.message}"
        return Finding(Level.OK, "sign-in", told)
    said = details if isinstance(details, dict) else {}
    if not said.get("portalId"):
        told = "the answer is not understood: it names no portal"
        return Finding(Level.PROBLEM, "sign-in", told, NOT_HUBSPOT_FIX)
    parts = [
        f"portal {said['portalId']}",
        f"time zone {said['timeZone']}" if said.get("timeZone") else "",
        f"data in {said['dataHostingLocation']}" if said.get("dataHostingLocation") else "",
        str(said.get("accountType") or "").lower().replace("_", " "),
    ]
    return Finding(Level.OK, "sign-in", f"accepted; {', '.join(one for one in parts if one)}")


def _allowance(client: HubSpotClient) -> list[Finding]:
    usage = client.usage()
    if usage is None:
        return []
    left = max(0, usage.allowed - usage.used)
    told = f"{left} of {usage.allowed} API calls of the day are left"
    if usage.left < _FEW_CALLS:
        fix = "Run later, or look at what else uses the API."
        return [Finding(Level.WARNING, "allowance", told, fix)]
    return [Finding(Level.OK, "allowance", told)]


def _readable(client: HubSpotClient, name: str, level: Level, without: str) -> Finding:
    return _asked(client, name, path("list", object=name), level, without)


def _owners(client: HubSpotClient) -> Finding:
    without = "owners are then not known, and tasks wait for a person"
    return _asked(client, "owners", path("owners"), Level.WARNING, without)


def _asked(client: HubSpotClient, name: str, where: str, level: Level, without: str) -> Finding:
    try:
        body: Any = client.call("GET", where, params={"limit": "1"}).body
    except (ScopeMissing, ConfigError) as problem:
        denied = isinstance(problem, ScopeMissing)
        return Finding(level, name, f"{problem.message}: {without}", problem.fix, denied)
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        return Finding(level, name, f"the answer is not understood: {without}", NOT_HUBSPOT_FIX)
    return Finding(Level.OK, name, "can be read")


def _scopes(client: HubSpotClient) -> Sequence[Finding]:
    """What may be written, where HubSpot tells it of this kind of token."""
    try:
        granted = client.scopes()
    except (AccessDenied, ConfigError, TryLater):
        granted = None
    if granted is None:
        told = "HubSpot does not tell what this token may write: the first write will show it"
        return [Finding(Level.OK, "scopes", told)]
    lacking = {scope: found for scope, found in _WRITTEN.items() if scope not in granted}
    if not lacking:
        return [Finding(Level.OK, "scopes", "contacts, tasks and properties may be written")]
    return [
        Finding(
            level,
            subject,
            f"the app lacks the scope {scope}: {means}",
            f"Add {scope} to the app in HubSpot (Settings, Integrations).",
            denied=True,
        )
        for scope, (subject, level, means) in lacking.items()
    ]
