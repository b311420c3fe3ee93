"""Every address of HubSpot's API that the connector calls, in one table under one version."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from crm_sync.connector import ConfigError

VERSION = "2026-09"
"""HubSpot dates its API; the numbered versions before it end in 2027."""

_OBJECTS = f"/crm/objects/{VERSION}/{{object}}"
_ASSOCIATIONS = f"/crm/associations/{VERSION}/{{source}}/{{target}}"
_PROPERTIES = f"/crm/properties/{VERSION}/{{object}}"

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "list": _OBJECTS,
        "batch_read": f"{_OBJECTS}/batch/read",
        "batch_create": f"{_OBJECTS}/batch/create",
        "batch_update": f"{_OBJECTS}/batch/update",
        "batch_archive": f"{_OBJECTS}/batch/archive",
        "search": f"{_OBJECTS}/search",
        "associations_read": f"{_ASSOCIATIONS}/batch/read",
        "associations_create": f"{_ASSOCIATIONS}/batch/create",
        "properties": _PROPERTIES,
        "property": f"{_PROPERTIES}/{{name}}",
        "groups": f"{_PROPERTIES}/groups",
        "owners": f"/crm/owners/{VERSION}",
        "account": f"/account-info/{VERSION}/details",
        "token": f"/oauth/{VERSION}/token",
        "introspect": f"/oauth/{VERSION}/token/introspect",
    }
)
"""Templates by name; what stands in braces is filled in by `path`."""


def path(template: str, /, **parts: str) -> str:
    """The path of this name with its parts filled in, each percent-encoded as one segment.

    Raises `ConfigError` for a part that is empty or would climb (`.`, `..`): names of objects and
    properties come from the mapping.
    """
    for part in parts.values():
        if part.strip() in {"", ".", ".."}:
            raise ConfigError(
                f"{part!r} is no name of an object or property of HubSpot",
                fix="Correct the mapping.",
            )
    return PATHS[template].format_map({name: quote(part, safe="") for name, part in parts.items()})
