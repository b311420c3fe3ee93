"""Runs: what was done when, on which connection, with which counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.model import canonical_json
from crm_sync.store.sql import moment, stamp
from crm_sync.store.tables import run

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True, slots=True)
class Run:
    """One run; `outcome` is None while it runs, and stays None if it was killed."""

    id: int
    connection: str
    kind: str
    plan_id: int | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    counts: Mapping[str, Any]
    message: str


def start_run(
    tx: Connection, connection: str, kind: str, at: datetime, plan_id: int | None = None
) -> int:
    """Record that a run begins; returns its id."""
    from sqlalchemy import insert

    values = {
        "connection": connection,
        "kind": kind,
        "plan_id": plan_id,
        "started_at": stamp(at),
        "counts": "{}",
        "message": "",
    }
    result = tx.execute(insert(run).values(values))
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def set_plan(tx: Connection, run_id: int, plan_id: int) -> None:
    """Name the plan that a run made or applies."""
    from sqlalchemy import update

    tx.execute(update(run).where(run.c.id == run_id).values(plan_id=plan_id))


def end_run(
    tx: Connection,
    run_id: int,
    at: datetime,
    outcome: str,
    counts: Mapping[str, Any],
    message: str = "",
) -> None:
    """Record how a run ended: done, partial, refused, failed or later."""
    from sqlalchemy import update

    tx.execute(
        update(run)
        .where(run.c.id == run_id)
        .values(
            ended_at=stamp(at),
            outcome=outcome,
            counts=canonical_json(dict(counts)),
            message=message,
        )
    )


def get_run(tx: Connection, run_id: int) -> Run | None:
    """One run, or None."""
    from sqlalchemy import select

    row = tx.execute(select(run).where(run.c.id == run_id)).first()
    return _run(row) if row else None


def list_runs(tx: Connection, connection: str | None = None, limit: int = 20) -> list[Run]:
    """The newest runs, newest first."""
    from sqlalchemy import select

    query = select(run).order_by(run.c.id.desc()).limit(limit)
    if connection is not None:
        query = query.where(run.c.connection == connection)
    return [_run(row) for row in tx.execute(query)]


def _run(row: Row[Any]) -> Run:
    started = moment(row.started_at)
    assert started is not None  # noqa: S101 - the column is not nullable
    return Run(
        row.id,
        row.connection,
        row.kind,
        row.plan_id,
        started,
        moment(row.ended_at),
        row.outcome,
        json.loads(row.counts),
        row.message,
    )
