"""The verdicts of the latest judgement: observations, matches and job changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from crm_sync.model import Band, JobChange, JobChangeKind, Position
from crm_sync.store.plan_rows import load_evidence
from crm_sync.store.sql import chunks, stamp
from crm_sync.store.tables import job_change, match, observation, source_count

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection, Row, Table

_BATCH = 10_000


def save_judgement(
    tx: Connection,
    connection: str,
    *,
    matches: pa.Table,
    job_changes: pa.Table,
    observations: pa.Table,
    profiles: Mapping[str, int],
    at: datetime,
) -> None:
    """Replace the verdicts of a connection; keep every observation ever made.

    The tables have the columns of `match`, `job_change` and `observation`, without connection and
    time. `profiles` counts what each source held, for the next run's shrunken-source guard.
    """
    from sqlalchemy import delete, insert

    for table, rows in ((match, matches), (job_change, job_changes)):
        tx.execute(delete(table).where(table.c.connection == connection))
        _insert(tx, table, rows, {"connection": connection})
    _insert(tx, observation, observations, {"recorded_at": stamp(at)}, ignore=True)
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


def _insert(
    tx: Connection, table: Table, rows: pa.Table, more: dict[str, Any], *, ignore: bool = False
) -> None:
    """Insert Arrow rows through the driver: verdicts on a million contacts pass here."""
    names = [*more, *rows.column_names]
    marks = ", ".join("?" for _ in names)
    verb = "INSERT OR IGNORE" if ignore else "INSERT"
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f'{verb} INTO "{table.name}" ({columns}) VALUES ({marks})'
    for batch in rows.to_batches(max_chunksize=_BATCH):
        constants = [[value] * batch.num_rows for value in more.values()]
        values = [_plain(column.to_pylist()) for column in batch.columns]
        for some in chunks(zip(*constants, *values, strict=True), _BATCH):
            tx.exec_driver_sql(statement, list(some))


def _plain(values: list[Any]) -> list[Any]:
    """Dates as ISO text, as they are stored; everything else as it is."""
    return [value.isoformat() if isinstance(value, date) else value for value in values]


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
