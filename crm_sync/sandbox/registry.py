"""Finds sandboxes by name through the entry-point group `crm_sync.sandboxes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_sync.errors import UsageError

if TYPE_CHECKING:
    from crm_sync.sandbox.base import Sandbox

GROUP = "crm_sync.sandboxes"


def sandbox_names() -> list[str]:
    """The names of the installed sandboxes, sorted; nothing is imported."""
    from importlib.metadata import entry_points

    return sorted({entry.name for entry in entry_points(group=GROUP)})


def find_sandbox(name: str) -> type[Sandbox]:
    """The sandbox class of that name.

    Raises `UsageError` that lists the known names when there is none, or says why it cannot be
    loaded.
    """
    from importlib.metadata import entry_points

    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    entry = entries.get(name)
    if entry is None:
        known = ", ".join(sorted(entries)) or "none is installed"
        raise UsageError(f"there is no sandbox `{name}`", fix=f"Known sandboxes: {known}.")
    try:
        loaded = entry.load()
    except Exception as problem:
        raise UsageError(
            f"the sandbox `{name}` ({entry.value}) cannot be loaded: {problem}",
            fix="Reinstall or remove the package that provides it.",
        ) from problem
    from crm_sync.sandbox.base import Sandbox

    if not (isinstance(loaded, type) and issubclass(loaded, Sandbox)):
        raise UsageError(f"the sandbox `{name}` ({entry.value}) is not a Sandbox class")
    return loaded
