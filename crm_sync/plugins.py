"""Finds plug-ins of one kind by name, through their entry-point group.

Every plug-in is found this way, ours too. One that cannot be loaded is named with the reason and
keeps nobody from using the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from crm_sync.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """A plug-in that can be used; `package` and `version` say what provides it."""

    name: str
    plugin: type[T]
    package: str
    version: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that is installed and cannot be used, and why."""

    name: str
    reason: str
    package: str


@dataclass(frozen=True, slots=True)
class PlugIns(Generic[T]):
    """The plug-ins of one entry-point group.

    `noun` is what messages call one of them; `needed` are the members that its class has to have.
    """

    group: str
    noun: str
    needed: tuple[str, ...]

    def all(self) -> Mapping[str, Loaded[T] | Broken]:
        """Every installed one by name, sorted; loads them all and raises nothing."""
        entries = self._entries()
        return {name: self._load(name, entries[name]) for name in sorted(entries)}

    def names(self) -> list[str]:
        """The names of all that are installed, sorted; loads none."""
        return sorted(self._entries())

    def find(self, name: str) -> type[T]:
        """The one of that name; loads no other.

        Raises `UsageError`: with the known names and the likely one when there is none of this
        name, with the reason when it cannot be loaded.
        """
        from crm_sync.yamlfile import did_you_mean

        entries = self._entries()
        if name not in entries:
            known = ", ".join(sorted(entries))
            guess = did_you_mean(name, sorted(entries))
            raise UsageError(
                f"there is no {self.noun} `{name[:80]}`",
                fix=(f"Did you mean `{guess}`? " if guess else "")
                + (f"Installed: {known}." if known else "None is installed."),
            )
        found = self._load(name, entries[name])
        if isinstance(found, Broken):
            by = f" (of the package {found.package})" if found.package else ""
            raise UsageError(
                f"the {self.noun} `{name}`{by} cannot be used: {found.reason}",
                fix="Reinstall, update or remove the package that provides it.",
            )
        return found.plugin

    def _entries(self) -> dict[str, list[EntryPoint]]:
        found: dict[str, list[EntryPoint]] = {}
        for entry in entry_points(group=self.group):
            # The same distribution can be seen twice: in a checkout and as installed from it.
            if all(entry.value != other.value for other in found.get(entry.name, ())):
                found.setdefault(entry.name, []).append(entry)
        return found

    def _load(self, name: str, entries: list[EntryPoint]) -> Loaded[T] | Broken:
        package, version = _provider(entries[0])
        if len(entries) > 1:
            packages = " and ".join(sorted(_provider(one)[0] or one.value for one in entries))
            return Broken(name, f"{packages} both claim this name", "")
        try:
            value: Any = entries[0].load()
        except Exception as problem:
            # A plug-in can fail to import in any way; none of them may take crm-sync along.
            words = str(problem).partition("\n")[0][:200]
            return Broken(name, f"{type(problem).__name__}: {words}", package)
        lacking = [member for member in self.needed if not hasattr(value, member)]
        if not isinstance(value, type):
            return Broken(name, f"{entries[0].value} is not a class", package)
        if lacking:
            return Broken(name, f"{value.__name__} has no {', '.join(lacking)}", package)
        return Loaded(name, value, package, version)


def _provider(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
