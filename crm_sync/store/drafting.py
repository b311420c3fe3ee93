"""What planning reads: job changes with their contacts, a part of the connection at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from crm_sync.later import FromText
from crm_sync.model import Band, Baseline, Entity, JobChange, JobChangeKind, Position, Scalar
from crm_sync.store import planned
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


Raw = tuple[Any, ...]
"""What is stored of a contact: its verdict, and last the JSON of its fields (None: it is gone)."""


def judged_in(tx: Connection, connection: str, part: Part) -> Iterator[tuple[Raw, Raw]]:
    """Verdicts that may be acted upon, by contact id, with what was planned from.

    That is `planned.COLUMNS`; the first of them is None where nothing is known.
    """
    names = ", ".join([f"j.{name}" for name in _COLUMNS])
    known = ", ".join([f"p.{name}" for name in planned.COLUMNS])
    query = (
        f"SELECT {names}, r.fields, {known} FROM job_change j "  # noqa: S608 - our own names
        "LEFT JOIN record r ON r.connection = j.connection AND r.entity = 'contact' "
        "AND r.id = j.contact_id AND r.gone_at IS NULL "
        "LEFT JOIN planned p ON p.connection = j.connection AND p.contact_id = j.contact_id "
        f"WHERE {_WHERE} ORDER BY j.contact_id"
    )
    width = len(_COLUMNS) + 1
    for row in map(tuple, tx.exec_driver_sql(query, _values(connection, part))):
        yield row[:width], row[width:]


def job_change_of(raw: Raw) -> JobChange:
    """The verdict; its evidence is read when it is looked at."""
    return JobChange(
        raw[0],
        _KINDS[raw[1]],
        raw[2],
        _BANDS[raw[3]],
        Position(raw[4], raw[5]),
        Position(raw[6], raw[7]),
        _date(raw[8]),
        _date(raw[9]),
        raw[10],
        raw[11],
        FromText(raw[12], load_evidence),
        raw[13],
        raw[14],
        raw[15],
        raw[16],
    )


def fields_of(raw: Raw) -> Mapping[str, Scalar] | None:
    """The contact's fields under the CRM's names; None when it is gone."""
    fields: Mapping[str, Scalar] | None = None if raw[-1] is None else json.loads(raw[-1])
    return fields


def edits_in(tx: Connection, connection: str, part: Part) -> dict[str, list[Raw]]:
    """What is stored of the fields that changed since they were first seen, by contact id."""
    query = (
        "SELECT record_id, field, value, basis, at, edited_at, live FROM baseline "
        "WHERE connection = ? AND entity = ? AND record_id >= ? AND (? IS NULL OR record_id < ?) "
        "ORDER BY record_id, field"
    )
    since, until = part
    values = (connection, Entity.CONTACT.value, since, until, until)
    found: dict[str, list[Raw]] = {}
    for row in map(tuple, tx.exec_driver_sql(query, values)):
        found.setdefault(row[0], []).append(row[1:])
    return found


def baselines_of(edits: Sequence[Raw]) -> dict[str, Baseline]:
    """The same as baselines by CRM field."""
    found: dict[str, Baseline] = {}
    for field, value, basis, at, edited_at, live in edits:
        first = moment(at)
        assert first is not None  # noqa: S101 - the column is not nullable
        found[field] = Baseline(load(value), basis, first, moment(edited_at), load(live))
    return found


def _values(connection: str, part: Part) -> tuple[Any, ...]:
    since, until = part
    return (connection, since, until, until, *_CHANGES, Band.IGNORED.value)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
