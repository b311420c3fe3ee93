"""What every enrichment source is to the judgement: a name, and profiles on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, Union

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from crm_sync.enrichment.asking import AskingSource
    from crm_sync.enrichment.config import SourceConfig, SourcePlace


@dataclass(frozen=True, slots=True)
class Staged:
    """What a source held: how many profiles in all, how many could match, and what was left out.

    `rejected` counts records by reason; `places` names the first few of them (`file:line`).
    `duplicates` are older versions of a profile that came more than once. `doubted` counts what was
    taken and cannot be relied on, by what it is.
    """

    profiles: int
    staged: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    duplicates: int = 0
    doubted: Mapping[str, int] = field(default_factory=dict)

    @property
    def rejected_total(self) -> int:
        """How many records were left out."""
        return sum(self.rejected.values())


class Source(Protocol):
    """An enrichment source.

    `restores_case` says that its texts come in lower case throughout and are shown as written text.
    """

    @property
    def name(self) -> str:
        """What the configuration calls it; evidence cites it."""
        ...

    @property
    def trust(self) -> float:
        """How far its word counts, from 0.0 to 1.0; below 0.5 it decides nothing alone."""
        ...

    @property
    def restores_case(self) -> bool:
        """Whether its texts lost their capitals."""
        ...

    def inspect(self) -> str | None:
        """Look at the source for a moment, and raise `InputError` for what is plainly damaged.

        Called before the CRM is read; `stage` checks the whole. What it returns is shown by
        `crm-sync check`.
        """
        ...

    def stage(self, db: DuckDBPyConnection, *, today: date) -> Staged:
        """Add the profiles that share a key with some contact to the tables of `db`.

        The connection has the macros of `crm_sync.matching.normalise`, the table `wanted(key)` and
        the tables `profile`, `employment` and `hit` of `sql/tables.sql`. Only profiles that could
        match are added, whatever the size of the source. Raises `InputError` before adding
        anything when the source is damaged.
        """
        ...


AnySource: TypeAlias = Union["Source", "AskingSource"]
"""What a plug-in opens: a source that holds its profiles, or one that is asked."""


class SourcePlugIn(Protocol):
    """A kind of source, as an entry point of the group `crm_sync.enrichment` names it: a class."""

    Config: ClassVar[type[SourceConfig]]

    @classmethod
    def open(cls, name: str, config: Any, place: SourcePlace) -> AnySource:
        """The source that an entry called `name` describes; `config` is a `Config`.

        Raises `ConfigError` (`place.error`) and `InputError` for what can be seen at once to be
        wrong; the network is left alone.
        """
        ...
