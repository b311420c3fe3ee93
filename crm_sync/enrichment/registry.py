"""Enrichment sources by name, through the entry-point group `crm_sync.enrichment`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from crm_sync.errors import UsageError
from crm_sync.plugins import Broken, Loaded, PlugIns

if TYPE_CHECKING:
    from crm_sync.config import SourceSettings
    from crm_sync.enrichment.source import AnySource, SourcePlugIn

GROUP = "crm_sync.enrichment"

_SOURCES: PlugIns[SourcePlugIn] = PlugIns(GROUP, "enrichment source", ("Config", "open"))


def sources() -> Mapping[str, Loaded[SourcePlugIn] | Broken]:
    """Every installed kind of source by name, sorted; loads them all and raises nothing."""
    return _SOURCES.all()


def find(name: str) -> type[SourcePlugIn]:
    """The kind of source of that name; loads no other.

    Raises `UsageError` where there is none, or it cannot be loaded: see `PlugIns.find`.
    """
    return _SOURCES.find(name)


def open_source(settings: SourceSettings) -> AnySource:
    """The source that an entry of the configuration describes, its secrets resolved.

    Raises `ConfigError`, with the place in the file, for a kind that is not installed and for
    every setting that its kind does not know or take; `InputError` for files that are not there;
    `UsageError` when the plug-in is not what it should be.
    """
    try:
        kind = find(settings.kind)
    except UsageError as problem:
        raise settings.place.error(problem.message, "source", fix=problem.fix) from None
    source = kind.open(settings.name, settings.resolved(kind.Config), settings.place)
    lacking = _lacking(source)
    if lacking:
        raise UsageError(
            f"the enrichment source `{settings.kind}` cannot be used: what it opens has no "
            f"{', '.join(lacking)}",
            fix="Update or remove the package that provides it.",
        )
    return source


def _lacking(source: object) -> list[str]:
    """The members without which it is no source, of the one sort or of the other."""
    from crm_sync.enrichment.asking import AskingSource
    from crm_sync.enrichment.source import Source

    wanted = AskingSource if hasattr(source, "ask") else Source
    members = [name for name in vars(wanted) if not name.startswith("_")]
    return [name for name in members if not hasattr(source, name)]
