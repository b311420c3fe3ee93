"""Which scopes a call needs: per object and for reading or writing, as HubSpot names them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crm_sync_hubspot.sandbox.dated import DATED

_OBJECTS = {
    **dict.fromkeys(("contacts", "contact", "0-1"), "contacts"),
    **dict.fromkeys(("companies", "company", "0-2"), "companies"),
    **dict.fromkeys(("deals", "deal", "0-3"), "deals"),
    **dict.fromkeys(("tickets", "ticket", "0-5"), "tickets"),
}
_EMAILS = frozenset({"emails", "email", "0-49"})
_VERSION = rf"(?:{DATED}|v\d)"
_RECORDS = re.compile(
    rf"/crm/(?:(?:objects|associations)/{_VERSION}|{_VERSION}/(?:objects|associations))"
    r"/(?P<type>[^/]+)(?P<rest>/.*)?"
)
_SCHEMAS = re.compile(rf"/crm/(?:properties/{_VERSION}|{_VERSION}/properties)/(?P<type>[^/]+).*")
_OWNERS = re.compile(rf"/crm/(?:owners/{_VERSION}|{_VERSION}/owners)(?:/.*)?")
_READS = ("/search", "/batch/read")

GRANTED = frozenset(
    {"oauth", "sales-email-read", "crm.objects.owners.read", "tickets"}
    | {
        f"crm.{part}.{name}.{act}"
        for part in ("objects", "schemas")
        for name in ("contacts", "companies", "deals")
        for act in ("read", "write")
    }
)
"""What the sandbox's app was granted, unless its settings take some away."""


def needed(method: str, path: str) -> Sequence[str]:
    """The scopes that a call needs; none for what every app may see.

    Engagements (tasks, notes, calls, meetings, e-mails) are read and written under the contacts'
    scopes; the text of e-mails needs one more.
    """
    path = path.rstrip("/")
    if _OWNERS.fullmatch(path):
        return ("crm.objects.owners.read",)
    schema = _SCHEMAS.fullmatch(path)
    if schema:
        reads = method == "GET" or path.endswith(_READS)
        return (_scope("schemas", schema["type"], reads),)
    records = _RECORDS.fullmatch(path)
    if records is None:
        return ()
    reads = method == "GET" or path.endswith(_READS)
    scopes = [_scope("objects", records["type"], reads)]
    if records["type"].lower() in _EMAILS and reads:
        scopes.append("sales-email-read")
    return scopes


def _scope(part: str, type: str, reads: bool) -> str:
    name = _OBJECTS.get(type.lower(), "contacts")
    if name == "tickets":
        return "tickets"
    return f"crm.{part}.{name}.{'read' if reads else 'write'}"
