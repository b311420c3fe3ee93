"""Contacts out of the database as one Arrow table, for the set-based stages.

The rows leave the database as they are stored (JSON under the CRM's names) and are put under our
names by DuckDB, in one statement built from the mapping.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from crm_sync.columns import AS_READ
from crm_sync.mapping import Mapping
from crm_sync.model import Entity
from crm_sync.store.arrow_io import read_arrow
from crm_sync.store.database import Store

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# No column may hold nulls: the driver that reads many rows guesses a type from the first ones, and
# fails at a text that comes after many nulls.
_RECORDS = """
    SELECT id, fields, coalesce(first_modified_at, '') AS first_modified_at FROM record
    WHERE connection = ? AND entity = ? AND gone_at IS NULL
"""
_BASELINES = """
    SELECT record_id, basis, at, coalesce(edited_at, '') AS edited_at FROM baseline
    WHERE connection = ? AND entity = 'contact' AND field IN (?, ?)
"""


def contacts_table(
    store: Store, connection: str, mapping: Mapping, *, accounts_read: bool = True
) -> pa.Table:
    """Every live contact, one row each.

    Unless `accounts_read`, only an account that we know is an employer: what is typed into the
    contact itself may be a former one.

    Columns, all text unless said and null when blank: contact_id, first_name, last_name, name,
    title, organisation, organisation_domain, email, personal_email, phone, mobile, linkedin_url,
    city, country, changed_at (UTC timestamp: when title or employer last changed in the CRM, as
    far as is known), changed_basis (`first_pull` when we saw the edit, `history` when we wrote the
    value ourselves, `record_date` when only the record's own date is known). Where an edit and a
    write of ours both stand, the later one counts.
    """
    import duckdb

    db = duckdb.connect()
    try:
        for name, statement, parameters in _exports(connection, mapping):
            db.register(name, read_arrow(store, statement, parameters))
            # Of no rows at all the driver says that they are numbers.
            columns = "CAST(COLUMNS(*) AS VARCHAR)"
            db.execute(f"CREATE TABLE {name}_ AS SELECT {columns} FROM {name}")  # noqa: S608
            db.unregister(name)
        return _assemble(db, mapping, accounts_read=accounts_read)
    finally:
        db.close()


def _exports(connection: str, mapping: Mapping) -> list[tuple[str, str, list[str]]]:
    read = mapping.model.contact.read
    watched = [read.get("title", ""), read.get("account_id", "")]
    return [
        ("contacts", _RECORDS, [connection, Entity.CONTACT.value]),
        ("accounts", _RECORDS, [connection, Entity.ACCOUNT.value]),
        ("edits", _BASELINES, [connection, *watched]),
    ]


def _assemble(db: duckdb.DuckDBPyConnection, mapping: Mapping, *, accounts_read: bool) -> pa.Table:
    read = mapping.model.contact.read
    account = mapping.reads(Entity.ACCOUNT)
    named = account.read if account else {}
    last_verified = mapping.writes(Entity.CONTACT).get("last_verified")
    verified = last_verified.field if last_verified else None
    own_fields = (*(read.get(name) for name in AS_READ), read.get("account_id"))
    own = _Fields("c", (*own_fields, read.get("organisation"), verified))
    columns = ",\n".join(f"{own.text(read.get(name))} AS {name}" for name in AS_READ)
    verified_on = own.text(verified)
    own_organisation = own.text(read.get("organisation") if accounts_read else None)
    employer = _Fields("a", [named.get("name"), named.get("website")])
    query = f"""
        WITH edit AS (
            SELECT record_id,
                   max(TRY_CAST(edited_at AS TIMESTAMPTZ)) AS edited_at,
                   max(CAST("at" AS TIMESTAMPTZ)) FILTER (basis = 'verified') AS written_at
            FROM edits_ GROUP BY record_id
        ),
        account AS (SELECT id, {employer.taken} FROM accounts_),
        contact AS (SELECT id, first_modified_at, {own.taken} FROM contacts_)
        SELECT * EXCLUDE (ours_at) FROM (
        SELECT c.id AS contact_id,
               {columns},
               coalesce({employer.text(named.get("name"))}, {own_organisation}) AS organisation,
               {employer.text(named.get("website"))} AS organisation_domain,
               CASE WHEN e.written_at IS NOT NULL
                    THEN coalesce(TRY_CAST({verified_on} AS TIMESTAMPTZ), e.written_at)
               END AS ours_at,
               coalesce(greatest(e.edited_at, ours_at),
                        TRY_CAST(c.first_modified_at AS TIMESTAMPTZ)) AS changed_at,
               CASE WHEN e.edited_at >= coalesce(ours_at, e.edited_at) THEN 'first_pull'
                    WHEN ours_at IS NOT NULL THEN 'history'
                    ELSE 'record_date' END AS changed_basis
        FROM contact c
        LEFT JOIN account a ON a.id = {own.text(read.get("account_id"))}
        LEFT JOIN edit e ON e.record_id = c.id
        ) ORDER BY contact_id
    """  # noqa: S608 - identifiers come from a checked mapping and are quoted as literals
    db.execute("SET TimeZone = 'UTC'")
    return db.sql(query).to_arrow_table()


class _Fields:
    """The CRM fields of one table, all taken out of its JSON in one go."""

    def __init__(self, table: str, fields: Iterable[str | None]) -> None:
        self._table = table
        self._places = {name: n for n, name in enumerate(dict.fromkeys(filter(None, fields)), 1)}

    @property
    def taken(self) -> str:
        """SQL for the column `texts`."""
        paths = ", ".join(_path(name) for name in self._places)
        return f"json_extract_string(fields, [{paths}]::VARCHAR[]) AS texts"

    def text(self, field: str | None) -> str:
        """SQL for one field as text; blank and absent are null."""
        if field not in self._places:
            return "CAST(NULL AS VARCHAR)"
        return f"nullif(trim({self._table}.texts[{self._places[field]}]), '')"


def _path(field: str) -> str:
    path = '$."' + field.replace('"', "") + '"'
    return "'" + path.replace("'", "''") + "'"
