"""What asked sources answered: paid for, kept with its date, erased with the contact."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.store.arrow_io import read_arrow
from crm_sync.store.sql import stamp, upsert
from crm_sync.store.tables import answer, record

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from crm_sync.enrichment.asking import Answer
    from crm_sync.store.database import Store

_ASKED = """
    SELECT contact_id, question, asked_at FROM answer WHERE connection = ? AND source = ?
"""
_FOUND = """
    SELECT asked_at, document FROM answer
    WHERE connection = ? AND source = ? AND status = 'found' AND document IS NOT NULL
"""
_REST = ("question", "asked_at", "status", "document", "credits", "message")


def save_answers(
    tx: Connection,
    connection: str,
    source: str,
    answers: Collection[Answer],
    questions: Mapping[str, str],
    at: datetime,
) -> None:
    """Store answers in the place of earlier ones; `questions` are the hashes by contact id."""
    rows = [
        {
            "source": source,
            "connection": connection,
            "contact_id": one.contact_id,
            "question": questions[one.contact_id],
            "asked_at": stamp(at),
            "status": one.status,
            "document": one.document,
            "credits": one.credits,
            "message": one.message,
        }
        for one in answers
    ]
    upsert(tx, answer, rows, update=_REST)


def forget_gone(tx: Connection, connection: str) -> int:
    """Erase the answers about contacts that are gone from the CRM, or from the mapping's filter.

    Those that a pull merely missed stay until it is known what became of them. The number erased.
    """
    from sqlalchemy import delete, select

    from crm_sync.model import Entity

    gone = (
        select(record.c.id)
        .where((record.c.connection == connection) & (record.c.entity == Entity.CONTACT.value))
        .where(record.c.gone_at.is_not(None) & record.c.missed_at.is_(None))
    )
    mine = (answer.c.connection == connection) & answer.c.contact_id.in_(gone)
    return int(tx.execute(delete(answer).where(mine)).rowcount)


def asked_before(store: Store, connection: str, source: str) -> pa.Table:
    """Whom the source was asked about: contact_id, question (hash), asked_at (ISO 8601, UTC)."""
    return read_arrow(store, _ASKED, [connection, source])


@contextmanager
def found_documents(store: Store, connection: str, source: str) -> Iterator[pa.RecordBatchReader]:
    """The documents that the source answered with, as they stream: asked_at, document."""
    yield read_arrow(store, _FOUND, [connection, source]).to_reader()
