"""Whom to ask next: the contacts about whom a source was never asked, or asked too long ago.

Without network, clock or store: the tables of contacts and of earlier answers in, an order out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.enrichment.asking import ASKED_WITH, Question

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

Ranking = Callable[[Sequence[str]], Mapping[str, float]]
"""How much it matters to know more of each of these contacts, by id; who is left out comes last."""

_PIECE = 1_000

# What tells who it is. An employer does so only where nothing else does: it changes when we write
# a move back, and that is no reason to pay for the same answer again.
_WHO = ("first_name", "last_name", "name")
_POINTS = ("email", "personal_email", "phone", "mobile", "linkedin_url")
_EMPLOYER = ("organisation", "organisation_domain")


@dataclass(frozen=True, slots=True)
class DueContact:
    """A contact to ask about; `digest` changes when what tells who it is has changed."""

    question: Question
    digest: str


@dataclass(frozen=True, slots=True)
class Due:
    """How many contacts are due, and they themselves in the order in which to ask."""

    total: int
    contacts: Iterator[DueContact]


@contextmanager
def due_contacts(
    contacts: pa.Table, asked: pa.Table, *, before: datetime, ranking: Ranking | None = None
) -> Iterator[Due]:
    """Those never asked about, or as somebody else, and those asked about earlier than `before`.

    The highest ranked first; among equals those never asked about, then those whose answer is the
    oldest. `contacts` has the columns of `export.contacts_table`, `asked` those of
    `answers.asked_before`.
    """
    import duckdb

    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("contact", contacts)
        db.register("answered", asked)
        _find_due(db, before)
        _rank(db, ranking)
        total = db.execute("SELECT count(*) FROM due").fetchone() or (0,)
        columns = ", ".join(f"CAST(contact.{name} AS VARCHAR)" for name in ASKED_WITH)
        cursor = db.execute(
            f"SELECT {columns}, due.digest FROM due JOIN contact USING (contact_id) "  # noqa: S608 - our own column names
            "ORDER BY due.rank DESC NULLS LAST, due.asked_at NULLS FIRST, contact_id"
        )
        yield Due(int(total[0]), _read(cursor))


def _find_due(db: DuckDBPyConnection, before: datetime) -> None:
    """Table `due`: contact_id, digest, asked_at (null when never asked about as who they are)."""
    point = f"coalesce({', '.join(_POINTS)})"
    employer = [f"CASE WHEN {point} IS NULL THEN {name} END" for name in _EMPLOYER]
    said = ", ".join(f"coalesce(lower(trim({one})), '')" for one in (*_WHO, *_POINTS, *employer))
    db.execute(
        f"""
        CREATE TABLE due AS
        WITH wanted AS (
            SELECT contact_id, sha256(concat_ws(chr(31), {said})) AS digest FROM contact
        )
        SELECT w.contact_id, w.digest,
               CASE WHEN CAST(a.question AS VARCHAR) = w.digest
                    THEN CAST(CAST(a.asked_at AS VARCHAR) AS TIMESTAMPTZ) END AS asked_at,
               CAST(NULL AS DOUBLE) AS rank
        FROM wanted w LEFT JOIN answered a ON CAST(a.contact_id AS VARCHAR) = w.contact_id
        WHERE coalesce(CAST(a.question AS VARCHAR) <> w.digest
                       OR CAST(CAST(a.asked_at AS VARCHAR) AS TIMESTAMPTZ) < $before, true)
        """,  # noqa: S608 - our own column names
        {"before": before},
    )


def _rank(db: DuckDBPyConnection, ranking: Ranking | None) -> None:
    if ranking is None:
        return
    import pyarrow as pa

    ids = [str(row[0]) for row in db.execute("SELECT contact_id FROM due").fetchall()]
    ranks = ranking(ids)
    columns = {
        "contact_id": pa.array(list(ranks), pa.string()),
        "rank": pa.array([float(rank) for rank in ranks.values()], pa.float64()),
    }
    db.register("ranked", pa.table(columns))
    db.execute("UPDATE due SET rank = r.rank FROM ranked r WHERE r.contact_id = due.contact_id")


def _read(cursor: DuckDBPyConnection) -> Iterator[DueContact]:
    while rows := cursor.fetchmany(_PIECE):
        for *values, digest in rows:
            yield DueContact(Question(*values), digest)
