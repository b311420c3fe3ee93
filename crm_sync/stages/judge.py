"""Observe, match and detect: from stored contacts and enrichment sources to stored verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingType
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.config import Config, Connection, Guards
from crm_sync.errors import ConfigError, TryLater
from crm_sync.planning.inputs import SourceCount
from crm_sync.progress import Progress, silent
from crm_sync.store import judgements, verdicts
from crm_sync.store.arrow_io import bulk
from crm_sync.store.database import Store
from crm_sync.store.learned import learned_of, save_learned
from crm_sync.verdicts.precision import demoted_groups, standings
from crm_sync.yamlfile import together

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection as Transaction

    from crm_sync.enrichment.source import AnySource, Staged
    from crm_sync.matching.settings import MatchSettings
    from crm_sync.stages.observe import Observed


@dataclass(frozen=True)
class Judged:
    """What judging came to.

    Counts for the funnel, the size of each source now and before, and what each held and left out.
    """

    funnel: MappingType[str, int]
    sizes: MappingType[str, SourceCount]
    sources: MappingType[str, Staged]


def match_settings(config: Config) -> MatchSettings:
    """How to judge, as configured.

    Raises `ConfigError` when the engine is Spark and what it needs is not installed.
    """
    from crm_sync.matching.settings import MatchSettings, SparkSettings

    given = config.matching
    if given.engine == "duckdb":
        return MatchSettings()
    from crm_sync.matching.probabilistic.spark_session import check_spark

    try:
        check_spark()
    except ConfigError as problem:
        raise config.file.error(problem.message, ("matching", "engine"), problem.fix) from None
    folder = given.spark_folder and config.folder / given.spark_folder
    return MatchSettings(spark=SparkSettings(given.spark_master, given.spark_memory_mb, folder))


@contextmanager
def open_sources(config: Config, names: Sequence[str]) -> Iterator[list[AnySource]]:
    """The enrichment sources of these names, in their order; closed in the end.

    Raises `ConfigError` with every mistake of their settings, and `InputError` for files that are
    not there. None of them is looked into yet.
    """
    from crm_sync.enrichment.asking import AskingSource
    from crm_sync.enrichment.registry import open_source

    opened: list[AnySource] = []
    problems: list[ConfigError] = []
    with ExitStack() as stack:
        for name in names:
            try:
                source = open_source(config.sources[name])
            except ConfigError as problem:
                problems.append(problem)
                continue
            if isinstance(source, AskingSource):
                stack.callback(source.close)
            opened.append(source)
        if problems:
            raise together(problems)
        yield opened


def inspect_sources(sources: Sequence[AnySource]) -> None:
    """Look at each for a moment, before the CRM is read, which may take long.

    Raises `InputError` for damaged files and `AccessDenied` for credentials that are refused. One
    that does not answer now is asked later, and told of then.
    """
    for source in sources:
        with suppress(TryLater):
            source.inspect()


def judge_all(
    store: Store,
    connection: Connection,
    contacts: Callable[[], pa.Table],
    observed: Observed,
    *,
    now: datetime,
    settings: MatchSettings | None = None,
    progress: Progress = silent,
) -> Judged:
    """Compare every contact with every source and store the verdicts.

    `contacts` makes the table of contacts (see `export.contacts_table`).
    """
    from crm_sync.matching.engine import judge

    with store.read() as tx:
        demoted = demoted_now(tx, connection)
        known = learned_of(tx, connection.name)
    progress("Comparing with the enrichment data", 0, None)
    with _interruptible():
        judgement = judge(
            contacts(),
            observed.sources,
            now=now,
            settings=settings,
            demoted=demoted,
            learned=known,
            progress=progress,
        )
    with bulk(store) as loads:
        judgements.save_verdicts(
            loads,
            connection.name,
            matches=judgement.matches,
            job_changes=judgement.job_changes,
            observations=judgement.observations,
            at=now,
        )
    with store.begin() as tx:
        before = judgements.last_profile_counts(tx, connection.name)
        held = _credible(judgement.profiles, before, connection.settings.guards)
        judgements.save_profile_counts(tx, connection.name, held, now)
        save_learned(tx, connection.name, judgement.learned, now)
    sizes = {
        name: SourceCount(profiles=held, before=before.get(name))
        for name, held in judgement.profiles.items()
        if held or name not in observed.asked  # that nobody was found says nothing of the source
    }
    return Judged(judgement.funnel, sizes, judgement.sources)


def demoted_now(tx: Transaction, connection: Connection) -> MappingType[tuple[str, str, str], str]:
    """What people found wrong too often to go on by itself, with how often; see `verdicts`."""
    found = standings(verdicts.verdicts_of(tx, connection.name), connection.settings.precision)
    return demoted_groups(found)


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
