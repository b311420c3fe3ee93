"""Small helpers that every aggregate's statements share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from crm_sync.model import Scalar

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

T = TypeVar("T")

IN_LIMIT = 5_000
"""Values in one IN list; SQLite takes 32,766 parameters in a statement."""


def stamp(at: datetime) -> str:
    """A time as stored: UTC, microseconds, always the same length, so that text sorts as time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str | None) -> datetime | None:
    """A stored time as an aware datetime."""
    return datetime.fromisoformat(text) if text else None


def dump(value: Scalar) -> str:
    """One scalar as JSON text."""
    return json.dumps(value, ensure_ascii=False)


def load(text: str | None) -> Any:
    """JSON text as a value; None stays None."""
    return None if text is None else json.loads(text)


def chunks(values: Iterable[T], size: int = IN_LIMIT) -> Iterator[Sequence[T]]:
    """Consecutive lists of at most `size` values."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def upsert(
    tx: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    update: Sequence[str] = (),
) -> None:
    """Insert rows; where the primary key is taken, set the `update` columns, or leave it be."""
    if not rows:
        return
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        statement: Any = postgres_insert(table)
    else:
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        statement = sqlite_insert(table)
    keys = [column.name for column in table.primary_key.columns]
    if update:
        new = {name: statement.excluded[name] for name in update}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    tx.execute(statement, list(rows))
