"""The judgement: contacts and sources in, matches, job changes and observations out.

Pure: no network, no clock, no store. Everything over many rows is SQL in a DuckDB connection of
its own, which goes to a temporary folder when its memory is used up, and leaves nothing behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sync.changes.detect import detect
from crm_sync.columns import CONTACT_COLUMNS
from crm_sync.enrichment.source import Source, Staged
from crm_sync.matching import bands, calibration, employers, few, normalise, tail
from crm_sync.matching.probabilistic import Scoring, score
from crm_sync.matching.settings import MatchSettings
from crm_sync.progress import Progress, silent

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


Demoted = Mapping[tuple[str, str, str], str]
"""Sources, kinds of job change and rules that people found wrong too often, with how often."""

Learned = Mapping[tuple[str, str], str]
"""Documents by kind (`parameters`, `calibration`) and source: see `tail` and `calibration`."""


@dataclass(frozen=True)
class Judgement:
    """The verdicts of one run.

    `matches`, `job_changes` and `observations` have the columns of the tables of those names,
    without connection and time of recording; every contact has exactly one row in `job_changes`.
    `sources` counts what each source held, `funnel` what each step let through. `learned` holds
    what was learnt from the sources in this run, JSON documents by kind and source.
    """

    matches: pa.Table
    job_changes: pa.Table
    observations: pa.Table
    sources: Mapping[str, Staged]
    funnel: Mapping[str, int]
    learned: Learned = field(default_factory=dict)

    @property
    def profiles(self) -> dict[str, int]:
        """How many profiles each source held."""
        return {name: count.profiles for name, count in self.sources.items()}


def judge(
    contacts: pa.Table,
    sources: Sequence[Source],
    *,
    now: datetime,
    settings: MatchSettings | None = None,
    demoted: Demoted | None = None,
    learned: Learned | None = None,
    progress: Progress = silent,
) -> Judgement:
    """Match contacts with profiles and say what happened to each contact's employment.

    `contacts` has `CONTACT_COLUMNS` (text, null when absent) and `changed_at`; columns may be
    missing, ids may not repeat. No source may speak of a day after `now`. What is `demoted` goes
    to review where it would go by itself. What earlier runs `learned` of a source is used while it
    holds. The verdicts do not depend on the order of rows. Raises `InputError` when a source is
    damaged.
    """
    settings = settings or MatchSettings()
    with _engine(settings, contacts.num_rows) as db:
        normalise.install(db)
        bands.set_variables(db, settings)
        few.use(db, rows=contacts.num_rows)
        _take_contacts(db, contacts)
        counts = _take_sources(db, sources, now, progress)
        _take_demoted(db, demoted or {})
        few.use(db, rows=contacts.num_rows + sum(count.staged for count in counts.values()))
        progress("Matching contacts", 0, contacts.num_rows)
        db.execute(normalise.statement("pairs"))
        with _scoring(settings) as scoring:
            learnt, looked = _look_for_likeness(db, counts, learned or {}, now, scoring)
        for step in ("bands", "matches"):
            db.execute(normalise.statement(step))
        progress("Telling job changes", 0, contacts.num_rows)
        detect(db, slack_days=settings.slack_days, today=now.date())
        progress("Telling job changes", contacts.num_rows, contacts.num_rows)
        return Judgement(
            matches=_table(db, _MATCHES),
            job_changes=_table(db, _JOB_CHANGES),
            observations=_table(db, _OBSERVATIONS),
            sources=counts,
            funnel={**_funnel(db), **looked},
            learned=learnt,
        )


def _take_contacts(db: DuckDBPyConnection, contacts: pa.Table) -> None:
    import pyarrow as pa

    there = set(contacts.column_names)
    missing = [name for name in CONTACT_COLUMNS if name not in there]
    for name in missing:
        contacts = contacts.append_column(name, pa.nulls(contacts.num_rows, pa.string()))
    if "changed_at" not in there:
        stamps = pa.nulls(contacts.num_rows, pa.timestamp("us", "UTC"))
        contacts = contacts.append_column("changed_at", stamps)
    db.register("contact_given", contacts)
    columns = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in CONTACT_COLUMNS)
    db.execute(
        f"CREATE TEMP TABLE contact_input AS SELECT {columns}, "  # noqa: S608 - names of ours
        "CAST(changed_at AS TIMESTAMPTZ) AS changed_at FROM contact_given"
    )
    db.unregister("contact_given")
    employers.add_nicknames(db)
    employers.add_sites(
        db,
        "SELECT host(typed) FROM (SELECT DISTINCT organisation_domain AS typed FROM contact_input) "
        "UNION ALL SELECT email_parts('x@' || domain).domain FROM "
        "(SELECT DISTINCT split_part(email, '@', 2) AS domain FROM contact_input)",
    )
    db.execute(normalise.statement("contacts"))
    db.execute(normalise.statement("probabilistic_blocks"))


def _take_sources(
    db: DuckDBPyConnection, sources: Sequence[Source], now: datetime, progress: Progress
) -> dict[str, Staged]:
    from crm_sync.enrichment.staging import create_tables

    create_tables(db)
    counts: dict[str, Staged] = {}
    for number, source in enumerate(sources):
        progress(f"Reading {source.name}", number, len(sources))
        counts[source.name] = source.stage(db, today=now.date())
    db.execute("CREATE TEMP TABLE restoring (source VARCHAR)")
    db.execute("CREATE TEMP TABLE source_trust (source VARCHAR, trust DOUBLE)")
    for source in sources:
        db.execute("INSERT INTO source_trust VALUES (?, ?)", [source.name, source.trust])
        if source.restores_case:
            db.execute("INSERT INTO restoring VALUES ($name)", {"name": source.name})
    employers.add_sites(db, "SELECT domain FROM employment")
    return counts


def _look_for_likeness(
    db: DuckDBPyConnection,
    sources: Mapping[str, Staged],
    learned: Learned,
    now: datetime,
    scoring: Scoring,
) -> tuple[dict[tuple[str, str], str], dict[str, int]]:
    """Add the pairs that no key makes, and `calibration`; what was learnt, and what was counted."""
    learnt: dict[tuple[str, str], str] = {}
    calibrations: dict[str, str] = {}
    crowded = db.execute("SELECT coalesce(sum(keys), 0) FROM crowded_block").fetchone()
    looked = {"pairs_by_likeness": 0, "crowded_blocks": int(crowded[0]) if crowded else 0}
    for name, held in sorted(sources.items()):
        earlier = learned.get((tail.PARAMETERS, name))
        found = tail.parameters(db, name, held.profiles, earlier, now.date())
        if found.document is not None:
            learnt[tail.PARAMETERS, name] = found.document
        earlier = learned.get((calibration.CALIBRATION, name))
        document, is_new = calibration.calibrate(
            db, name, held.profiles, found.trained, earlier, now.date()
        )
        if document is not None:
            calibrations[name] = document
            if is_new:
                learnt[calibration.CALIBRATION, name] = document
        scored = tail.add_pairs(db, name, found.trained, scoring)
        looked["pairs_by_likeness"] += scored.pairs
        looked["crowded_blocks"] += scored.keys_dropped
    calibration.load(db, calibrations)
    for table in ("hit", "contact_block"):
        db.execute(f"DROP TABLE {table}")
    return learnt, looked


def _take_demoted(db: DuckDBPyConnection, demoted: Demoted) -> None:
    db.execute(
        "CREATE TEMP TABLE demoted (source VARCHAR, kind VARCHAR, rule VARCHAR, detail VARCHAR)"
    )
    for group, detail in demoted.items():
        db.execute("INSERT INTO demoted VALUES (?, ?, ?, ?)", [*group, detail])


@contextmanager
def _engine(settings: MatchSettings, contacts: int) -> Iterator[DuckDBPyConnection]:
    """A database of its own, bounded, that loads no code and cleans up behind itself."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="crm-sync-") as folder:
        config: dict[str, Any] = {
            "threads": settings.threads,
            "memory_limit": f"{settings.memory_for(contacts)}MB",
            "temp_directory": str(Path(folder) / "spill"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        }
        db = duckdb.connect(":memory:", config=config)
        try:
            db.execute("SET TimeZone = 'UTC'")
            yield db
        finally:
            db.close()


@contextmanager
def _scoring(settings: MatchSettings) -> Iterator[Scoring]:
    """What compares the contacts without a key; learning and calibrating take small samples."""
    if settings.spark is None:
        yield score
        return
    from crm_sync.matching.probabilistic.spark import SparkEngine

    with SparkEngine(settings.spark) as spark:
        yield spark.score


def _table(db: DuckDBPyConnection, query: str) -> pa.Table:
    return db.sql(query).to_arrow_table()


def _funnel(db: DuckDBPyConnection) -> dict[str, int]:
    rows = db.execute(_FUNNEL).fetchall()
    return {str(name): int(count) for name, count in rows}


_MATCHES = """
    SELECT contact_id, source, profile_id, CAST(confidence AS DOUBLE) AS confidence, band, rule,
           CAST(to_json(evidence) AS VARCHAR) AS evidence
    FROM match_row ORDER BY contact_id, source, profile_id
"""

_JOB_CHANGES = """
    SELECT contact_id, kind, CAST(confidence AS DOUBLE) AS confidence, band,
           CAST(since AS VARCHAR) AS since, CAST(as_of AS VARCHAR) AS as_of,
           from_title, from_organisation, to_title, to_organisation, source, profile_id,
           CAST(to_json(evidence) AS VARCHAR) AS evidence, rule, direction,
           CAST(match_confidence AS DOUBLE) AS match_confidence,
           CAST(change_confidence AS DOUBLE) AS change_confidence
    FROM job_change_row ORDER BY contact_id
"""

_OBSERVATIONS = """
    WITH listed AS (
        SELECT source, profile_id,
            list(struct_pack(
                domain := domain, end_on := end_on, is_primary := is_primary,
                organisation := organisation, organisation_id := organisation_id,
                start_on := start_on, title := title
            ) ORDER BY position) AS employments
        FROM employment SEMI JOIN best_match USING (source, profile_id)
        GROUP BY ALL
    ),
    claimed AS (
        SELECT source, profile_id, CAST(as_of AS VARCHAR) AS as_of,
            CAST(to_json(struct_pack(
                employments := coalesce(employments, []), first_name := first_name,
                full_name := full_name, last_name := last_name
            )) AS VARCHAR) AS payload
        FROM profile SEMI JOIN best_match USING (source, profile_id)
        LEFT JOIN listed USING (source, profile_id)
    )
    SELECT
        sha256(CAST(to_json([source, profile_id, coalesce(as_of, ''), payload]) AS VARCHAR)) AS id,
        source, profile_id, as_of, payload
    FROM claimed ORDER BY source, profile_id
"""

_FUNNEL = """
    SELECT 'contacts', count(*) FROM contact_person
    UNION ALL SELECT 'with_candidates', count(DISTINCT contact_id) FROM match_row
    UNION ALL SELECT 'matched_' || band, count(DISTINCT contact_id) FROM best_match GROUP BY band
    UNION ALL SELECT 'matched_by_likeness', count(DISTINCT contact_id) FROM best_match
        WHERE rule = 'probabilistic'
    UNION ALL SELECT 'ambiguous', count(*) FROM unmatched
        WHERE finding IN ('ambiguous', 'claimed_twice')
    UNION ALL SELECT kind, count(*) FROM job_change_row GROUP BY kind
    UNION ALL SELECT kind || '_' || band, count(*) FROM job_change_row
        WHERE kind IN ('moved', 'retitled', 'left') GROUP BY kind, band
"""
