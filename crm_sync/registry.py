"""Finds connectors by name through the entry-point group `crm_sync.connectors`.

Every connector is found this way, ours too. One that cannot be loaded is named with the reason
and keeps nobody from using the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from crm_sync.errors import UsageError

if TYPE_CHECKING:
    from crm_sync.connector import Connector

GROUP = "crm_sync.connectors"

_NEEDED = (
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
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A connector that can be used; `package` and `version` say what provides it."""

    name: str
    connector: type[Connector]
    package: str
    version: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A connector that is installed and cannot be used, and why."""

    name: str
    reason: str
    package: str


def connectors() -> Mapping[str, Loaded | Broken]:
    """Every installed connector by name, sorted; loads them all and raises nothing."""
    entries = _entries()
    return {name: _load(name, entries[name]) for name in sorted(entries)}


def find(name: str) -> type[Connector]:
    """The connector of that name; loads no other.

    Raises `UsageError`: with the known names and the likely one when there is none of this name,
    with the reason when it cannot be loaded.
    """
    from crm_sync.yamlfile import did_you_mean

    entries = _entries()
    if name not in entries:
        known = ", ".join(sorted(entries))
        guess = did_you_mean(name, sorted(entries))
        raise UsageError(
            f"there is no connector `{name[:80]}`",
            fix=(f"Did you mean `{guess}`? " if guess else "")
            + (f"Installed: {known}." if known else "None is installed."),
        )
    found = _load(name, entries[name])
    if isinstance(found, Broken):
        by = f" (of the package {found.package})" if found.package else ""
        raise UsageError(
            f"the connector `{name}`{by} cannot be used: {found.reason}",
            fix="Reinstall, update or remove the package that provides it.",
        )
    return found.connector


def _entries() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        # The same distribution can be seen twice: in a checkout and as installed from it.
        if all(entry.value != other.value for other in found.get(entry.name, ())):
            found.setdefault(entry.name, []).append(entry)
    return found


def _load(name: str, entries: list[EntryPoint]) -> Loaded | Broken:
    package, version = _provider(entries[0])
    if len(entries) > 1:
        packages = " and ".join(sorted(_provider(entry)[0] or entry.value for entry in entries))
        return Broken(name, f"{packages} both claim this name", "")
    try:
        value: Any = entries[0].load()
    except Exception as problem:
        # A plug-in can fail to import in any way; none of them may take crm-sync along.
        words = str(problem).partition("\n")[0][:200]
        return Broken(name, f"{type(problem).__name__}: {words}", package)
    lacking = [member for member in _NEEDED if not hasattr(value, member)]
    if not isinstance(value, type):
        return Broken(name, f"{entries[0].value} is not a class", package)
    if lacking:
        return Broken(name, f"{value.__name__} has no {', '.join(lacking)}", package)
    return Loaded(name, value, package, version)


def _provider(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
