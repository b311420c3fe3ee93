"""The verdicts of the latest judgement: observations, matches and job changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm_sync.model import Band, JobChange, JobChangeKind, Position
from crm_sync.store.plan_rows import load_evidence
from crm_sync.store.sql import stamp
from crm_sync.store.tables import job_change, match, observation, source_count

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection, Row

    from crm_sync.store.arrow_io import Bulk


def save_verdicts(
    bulk: Bulk,
    connection: str,
    *,
    matches: pa.Table,
    job_changes: pa.Table,
    observations: pa.Table,
    at: datetime,
) -> None:
    """Replace the verdicts of a connection; keep every observation ever made.

    The tables have the columns of `match`, `job_change` and `observation`, without connection and
    time.
    """
    bulk.replace(match, matches, of={"connection": connection})
    bulk.replace(job_change, job_changes, of={"connection": connection})
    bulk.add(observation, observations, of={"recorded_at": stamp(at)})


def save_profile_counts(
    tx: Connection, connection: str, profiles: Mapping[str, int], at: datetime
) -> None:
    """Keep how many profiles each source held, for the next run's shrunken-source guard."""
    from sqlalchemy import insert

    counts = [
        {"connection": connection, "source": source, "profiles": held, "at": stamp(at)}
        for source, held in profiles.items()
    ]
    if counts:
        tx.execute(insert(source_count), counts)


def last_profile_counts(tx: Connection, connection: str) -> dict[str, int]:
    """How many profiles each source held when it was last read."""
    from sqlalchemy import select

    query = select(source_count).where(source_count.c.connection == connection)
    return {row.source: row.profiles for row in tx.execute(query.order_by(source_count.c.id))}


def job_changes_of(
    tx: Connection, connection: str, *, changes_only: bool = True
) -> Iterator[JobChange]:
    """The latest verdicts, by contact id; with `changes_only` those that may be acted upon."""
    from sqlalchemy import select

    query = select(job_change).where(job_change.c.connection == connection)
    if changes_only:
        kinds = [kind.value for kind in JobChangeKind if kind.is_change]
        query = query.where(job_change.c.kind.in_(kinds) & (job_change.c.band != Band.IGNORED))
    for row in tx.execute(query.order_by(job_change.c.contact_id)):
        yield _job_change(row)


def job_change_of(tx: Connection, connection: str, contact_id: str) -> JobChange | None:
    """The latest verdict on one contact; None if nothing was judged of it."""
    from sqlalchemy import select

    here = (job_change.c.connection == connection) & (job_change.c.contact_id == contact_id)
    row = tx.execute(select(job_change).where(here)).one_or_none()
    return _job_change(row) if row is not None else None


def _job_change(row: Row[Any]) -> JobChange:
    return JobChange(
        contact_id=row.contact_id,
        kind=JobChangeKind(row.kind),
        confidence=row.confidence,
        band=Band(row.band),
        before=Position(row.from_title, row.from_organisation),
        after=Position(row.to_title, row.to_organisation),
        since=_date(row.since),
        as_of=_date(row.as_of),
        source=row.source,
        profile_id=row.profile_id,
        evidence=load_evidence(row.evidence),
        rule=row.rule,
        direction=row.direction,
        match_confidence=row.match_confidence,
        change_confidence=row.change_confidence,
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
