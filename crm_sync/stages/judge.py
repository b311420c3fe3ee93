"""Observe, match and detect: from stored contacts and enrichment sources to stored verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingType
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.config import Config, Connection, Guards
from crm_sync.mapping import Mapping
from crm_sync.planning.inputs import SourceCount
from crm_sync.progress import Progress, silent
from crm_sync.store import judgements
from crm_sync.store.database import Store

if TYPE_CHECKING:
    from crm_sync.enrichment.source import Source, Staged


@dataclass(frozen=True)
class Judged:
    """What judging came to.

    Counts for the funnel, the size of each source now and before, and what each held and left out.
    """

    funnel: MappingType[str, int]
    sizes: MappingType[str, SourceCount]
    sources: MappingType[str, Staged]


def open_sources(config: Config, connection: Connection) -> list[Source]:
    """The enrichment sources of a connection, after a first look at each.

    Raises `InputError` or `ConfigError` for a file or vendor mapping that is absent or broken.
    """
    from crm_sync.enrichment.file import open_source

    opened: list[Source] = []
    for name in connection.settings.enrichment:
        settings = config.sources[name]
        opened.append(
            open_source(
                name,
                settings.path,
                mapping=config.folder / settings.mapping,
                as_of=settings.as_of,
                base_dir=config.folder,
            )
        )
    for source in opened:
        source.inspect()
    return opened


def judge_all(
    store: Store,
    connection: Connection,
    mapping: Mapping,
    sources: Sequence[Source],
    *,
    now: datetime,
    accounts_read: bool = True,
    progress: Progress = silent,
) -> Judged:
    """Compare every contact with every source and store the verdicts.

    Unless `accounts_read`, contacts whose account we do not know are `unknown`.
    """
    from crm_sync.matching.engine import judge
    from crm_sync.store.export import contacts_table

    progress("Comparing with the enrichment data", 0, None)
    contacts = contacts_table(store, connection.name, mapping, accounts_read=accounts_read)
    with _interruptible():
        judgement = judge(contacts, sources, now=now, progress=progress)
    with store.begin() as tx:
        before = judgements.last_profile_counts(tx, connection.name)
        judgements.save_judgement(
            tx,
            connection.name,
            matches=judgement.matches,
            job_changes=judgement.job_changes,
            observations=judgement.observations,
            profiles=_credible(judgement.profiles, before, connection.settings.guards),
            at=now,
        )
    sizes = {
        name: SourceCount(profiles=held, before=before.get(name))
        for name, held in judgement.profiles.items()
    }
    return Judged(judgement.funnel, sizes, judgement.sources)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C as everywhere else: DuckDB makes errors of its own of it."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except RuntimeError as problem:
        if "interrupted" in str(problem).lower():
            raise KeyboardInterrupt from None
        raise


def _credible(
    profiles: MappingType[str, int], before: MappingType[str, int], guards: Guards
) -> dict[str, int]:
    """The sizes to hold the next delivery against: a source that broke must not set the measure."""
    return {
        name: held
        for name, held in profiles.items()
        if held and held >= before.get(name, 0) * guards.min_source_share
    }
