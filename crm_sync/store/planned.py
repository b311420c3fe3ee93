"""What the latest drafted plan was made from, and that plan made again for what is the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_sync.model import EDITION
from crm_sync.store.sql import chunks

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = (
    "fingerprint", "update_key", "task_key", "account_id", "owner_id", "company", "counts",
)  # fmt: skip

PlannedRow = tuple[str, bytes, str, str, str, str, str, str]
"""A contact's id and `COLUMNS`."""

_BATCH = 10_000


@dataclass(frozen=True)
class Kept:
    """The contacts whose changes are those of an earlier plan, with the due dates of today.

    `due` is the due date of tasks by the name of their rule.
    """

    plan_id: int
    contacts: Sequence[str]
    due: Mapping[str, str]


def earlier_plan(tx: Connection, connection: str) -> int | None:
    """The plan that what is stored of a connection's contacts is about, if it is still there."""
    query = (
        "SELECT p.id FROM planned_in i JOIN plan p ON p.id = i.plan_id "
        "WHERE i.connection = ? AND p.connection = i.connection AND p.edition = ?"
    )
    found = tx.exec_driver_sql(query, (connection, EDITION)).scalar()
    return None if found is None else int(found)


def remember(
    tx: Connection,
    connection: str,
    plan_id: int,
    rows: Iterable[PlannedRow],
    kept: Sequence[str],
) -> None:
    """This plan was made from these rows; those of the contacts `kept` are known already."""
    _names(tx, kept)
    tx.exec_driver_sql(
        "DELETE FROM planned WHERE connection = ? "
        "AND contact_id NOT IN (SELECT contact_id FROM kept_contact)",
        (connection,),
    )
    marks = ", ".join("?" for _ in range(len(COLUMNS) + 2))
    names = ", ".join(COLUMNS)
    statement = f"INSERT INTO planned (connection, contact_id, {names}) VALUES ({marks})"  # noqa: S608 - our names
    for some in chunks(rows, _BATCH):
        tx.exec_driver_sql(statement, [(connection, *row) for row in some])
    tx.exec_driver_sql("DELETE FROM planned_in WHERE connection = ?", (connection,))
    tx.exec_driver_sql(
        "INSERT INTO planned_in (connection, plan_id) VALUES (?, ?)", (connection, plan_id)
    )


def copy_changes(tx: Connection, plan_id: int, kept: Kept, columns: Sequence[str]) -> None:
    """The changes of a plan: those of the contacts kept and those in `fresh_change`, in order."""
    due = kept.due
    _names(tx, kept.contacts)
    names = ", ".join(f'"{name}"' for name in columns)
    cases = " ".join("WHEN ? THEN ?" for _ in due)
    dated = f"CASE WHEN due_on = '' THEN '' ELSE CASE rule {cases} ELSE due_on END END AS due_on"
    copied = ", ".join(dated if name == "due_on" and due else f'"{name}"' for name in columns)
    statement = (
        f"INSERT INTO change (plan_id, position, {names}) "  # noqa: S608 - our names
        f"SELECT ?, row_number() OVER (ORDER BY contact_id, position) - 1, {names} FROM ("
        f"SELECT position, {copied} FROM change WHERE plan_id = ? "
        "AND contact_id IN (SELECT contact_id FROM kept_contact) "
        f"UNION ALL SELECT position, {names} FROM fresh_change)"
    )
    dates = [value for pair in due.items() for value in pair]
    tx.exec_driver_sql(statement, (plan_id, *dates, kept.plan_id))
    tx.exec_driver_sql("DELETE FROM fresh_change")


def make_fresh(tx: Connection) -> None:
    """An empty table of changes beside the real one, for this connection to the database."""
    tx.exec_driver_sql(
        "CREATE TEMPORARY TABLE IF NOT EXISTS fresh_change AS SELECT * FROM change WHERE 1 = 0"
    )
    tx.exec_driver_sql("DELETE FROM fresh_change")


def _names(tx: Connection, kept: Sequence[str]) -> None:
    tx.exec_driver_sql(
        "CREATE TEMPORARY TABLE IF NOT EXISTS kept_contact (contact_id VARCHAR PRIMARY KEY)"
    )
    tx.exec_driver_sql("DELETE FROM kept_contact")
    for some in chunks(kept, _BATCH):
        tx.exec_driver_sql("INSERT INTO kept_contact VALUES (?)", [(id,) for id in some])
