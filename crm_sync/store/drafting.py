"""What planning reads: job changes with their contacts, a part of the connection at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from crm_sync.later import FromText
from crm_sync.model import Band, Baseline, Entity, JobChange, JobChangeKind, Position, Scalar
from crm_sync.store.plan_rows import load_evidence
from crm_sync.store.sql import load, moment

if TYPE_CHECKING:
    from sqlalchemy import Connection

Part = tuple[str, str | None]
"""Contacts from the first id on, and before the second one, where there is one."""

_KINDS = {kind.value: kind for kind in JobChangeKind}
_BANDS = {band.value: band for band in Band}
_CHANGES = tuple(kind.value for kind in JobChangeKind if kind.is_change)
_COLUMNS = (
    "contact_id", "kind", "confidence", "band", "from_title", "from_organisation", "to_title",
    "to_organisation", "since", "as_of", "source", "profile_id", "evidence", "rule", "direction",
    "match_confidence", "change_confidence",
)  # fmt: skip
# By contact id through the primary key: an index on kinds would only lead to a sort.
_WHERE = (
    "j.connection = ? AND j.contact_id >= ? AND (? IS NULL OR j.contact_id < ?) "
    f"AND +j.kind IN ({', '.join('?' for _ in _CHANGES)}) AND j.band != ?"
)


def count_of(tx: Connection, connection: str) -> int:
    """How many job changes there are that may be acted upon."""
    query = f"SELECT count(*) FROM job_change j WHERE {_WHERE}"  # noqa: S608 - our own text
    return int(tx.exec_driver_sql(query, _values(connection, ("", None))).scalar_one())


def parts(tx: Connection, connection: str, size: int) -> list[Part]:
    """The contacts that were judged, in parts of about that size, which together are all."""
    query = "SELECT contact_id FROM job_change WHERE connection = ? ORDER BY contact_id"
    ids = [id for (id,) in tx.exec_driver_sql(query, (connection,))]
    starts = ["", *ids[size::size]]
    return list(zip(starts, [*starts[1:], None], strict=True))


def job_changes_in(
    tx: Connection, connection: str, part: Part
) -> Iterator[tuple[JobChange, Mapping[str, Scalar] | None]]:
    """Verdicts that may be acted upon, by contact id, with the fields of the contact.

    None instead where the contact is gone. Evidence is read when it is looked at.
    """
    names = ", ".join(f"j.{name}" for name in _COLUMNS)
    query = (
        f"SELECT {names}, r.fields FROM job_change j LEFT JOIN record r "  # noqa: S608 - our own
        "ON r.connection = j.connection AND r.entity = 'contact' AND r.id = j.contact_id "
        f"AND r.gone_at IS NULL WHERE {_WHERE} ORDER BY j.contact_id"
    )
    for row in tx.exec_driver_sql(query, _values(connection, part)):
        fields = row[-1]
        yield _job_change(row), None if fields is None else json.loads(fields)


def baselines_in(tx: Connection, connection: str, part: Part) -> dict[str, dict[str, Baseline]]:
    """Baselines of contacts by id and CRM field; only of fields that changed since first seen."""
    query = (
        "SELECT record_id, field, value, basis, at, edited_at, live FROM baseline "
        "WHERE connection = ? AND entity = ? AND record_id >= ? AND (? IS NULL OR record_id < ?)"
    )
    since, until = part
    values = (connection, Entity.CONTACT.value, since, until, until)
    found: dict[str, dict[str, Baseline]] = {}
    for record_id, field, value, basis, at, edited_at, live in tx.exec_driver_sql(query, values):
        first = moment(at)
        assert first is not None  # noqa: S101 - the column is not nullable
        held = Baseline(load(value), basis, first, moment(edited_at), load(live))
        found.setdefault(record_id, {})[field] = held
    return found


def _values(connection: str, part: Part) -> tuple[Any, ...]:
    since, until = part
    return (connection, since, until, until, *_CHANGES, Band.IGNORED.value)


def _job_change(row: Any) -> JobChange:
    return JobChange(
        row[0],
        _KINDS[row[1]],
        row[2],
        _BANDS[row[3]],
        Position(row[4], row[5]),
        Position(row[6], row[7]),
        _date(row[8]),
        _date(row[9]),
        row[10],
        row[11],
        FromText(row[12], load_evidence),
        row[13],
        row[14],
        row[15],
        row[16],
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
