"""Connectors by name, through the entry-point group `crm_sync.connectors` (see `plugins`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from crm_sync.plugins import Broken, Loaded, PlugIns

if TYPE_CHECKING:
    from crm_sync.connector import Connector

GROUP = "crm_sync.connectors"

_CONNECTORS: PlugIns[Connector] = PlugIns(
    GROUP,
    "connector",
    (
        "Config",
        "capabilities",
        "schema",
        "objects",
        "connect",
        "check",
        "describe",
        "pull",
        "read",
        "find",
        "write",
        "usage",
        "missing_schema",
        "url",
        "close",
    ),
)


def connectors() -> Mapping[str, Loaded[Connector] | Broken]:
    """Every installed connector by name, sorted; loads them all and raises nothing."""
    return _CONNECTORS.all()


def find(name: str) -> type[Connector]:
    """The connector of that name; loads no other.

    Raises `UsageError` where there is none, or it cannot be loaded: see `PlugIns.find`.
    """
    return _CONNECTORS.find(name)
