"""From a source's records to the profiles that could match: counted, filtered, made typed.

The same three passes for every source: count and reject, find the records that share a key with
some contact, and keep the newest version of those. Nothing else of the source is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from crm_sync.enrichment.source import Staged
from crm_sync.errors import InputError
from crm_sync.matching import few

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_COUNT = """
    SELECT count(*),
           count(*) FILTER (profile_id IS NULL),
           count(*) FILTER (profile_id IS NOT NULL AND nameless),
           count(DISTINCT profile_id) FILTER (NOT nameless)
    FROM (SELECT profile_id, coalesce(full_name, first_name, last_name) IS NULL AS nameless
          FROM source_row)
"""


_READ = """
    partial_date(verified_on) AS verified_on,
    verified_on IS NOT NULL AND partial_date(verified_on) IS NULL AS is_unread
"""
_NEWEST = "SELECT * EXCLUDE (verified_on), {read}, FALSE AS is_contradicted FROM ({kept})"
_NEWEST_OF_SEVERAL = """
    SELECT * EXCLUDE (verified_on, newest, contradicted), {read},
        coalesce(contradicted, FALSE) AS is_contradicted
    FROM ({kept})
    LEFT JOIN (SELECT profile_id, version AS newest, is_contradicted AS contradicted
               FROM source_twice) USING (profile_id)
    WHERE newest IS NULL OR newest = version
    QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY version) = 1
"""

KEPT = "SELECT * FROM source_row WHERE profile_id IN (SELECT profile_id FROM source_strong)"
"""The records that were found, for a source whose records are taken apart already."""


def create_tables(db: DuckDBPyConnection) -> None:
    """Make the empty tables that `stage` fills (see `sql/tables.sql`)."""
    db.execute(_statement("tables"))


def stage(
    db: DuckDBPyConnection,
    source: str,
    *,
    latest: date,
    dated: Literal["by_record", "by_delivery", "never"],
    paths: Sequence[Path] = (),
    kept: str = KEPT,
) -> Staged:
    """Take what could match out of `source_row` into `profile`, `employment` and `hit`.

    `latest` is the newest date that the source can speak of. `dated` says who tells as of when a
    profile speaks: each record (where it does not, that is unknown), the delivery as a whole, or
    nobody. Raises `InputError` when not one
    record has an id and a name: the mapping does not fit the files.
    """
    rows, no_id, no_name, profiles = db.execute(_COUNT).fetchone() or (0, 0, 0, 0)
    if rows and not profiles:
        raise InputError(
            "no record has an id and a name where the mapping looks for them",
            place=", ".join(str(path) for path in paths[:3]) or source,
            fix="Compare `profile:` of the mapping with a record of the file.",
        )
    db.execute("SET VARIABLE stage_source = $source", {"source": source})
    db.execute("SET VARIABLE stage_latest = $latest", {"latest": latest})
    db.execute("SET VARIABLE stage_dated = $dated", {"dated": dated})
    repeated = rows - no_id - no_name - profiles
    contradicted = _each_id_once(db, repeated > 0)
    few.use(db, rows=rows)
    db.execute(_statement("find"))
    newest = _NEWEST_OF_SEVERAL if repeated else _NEWEST
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE source_newest AS {newest.format(kept=kept, read=_READ)}"
    )
    db.execute(_statement("stage"))
    (unread,) = db.execute("SELECT dates FROM source_unread").fetchone() or (0,)
    rejected = {"has no id": no_id, "has no name": no_name}
    doubted = {
        "profiles come in versions that contradict each other": contradicted,
        "dates cannot be read": unread,
    }
    return Staged(
        profiles=profiles,
        staged=_count(db, "profile WHERE source = getvariable('stage_source')"),
        rejected={reason: count for reason, count in rejected.items() if count},
        doubted={what: count for what, count in doubted.items() if count},
        duplicates=repeated,
    )


def _each_id_once(db: DuckDBPyConnection, repeated: bool) -> int:
    """Make `source_once`; how many ids come with contents of which nobody knows the newer."""
    if repeated:
        db.execute(_statement("twice"))
        return _count(db, "source_twice WHERE is_contradicted")
    # Comparing versions reads every column of every record: only where it must be.
    db.execute(
        "CREATE OR REPLACE TEMP VIEW source_once AS FROM source_row WHERE profile_id IS NOT NULL "
        "AND coalesce(full_name, first_name, last_name) IS NOT NULL"
    )
    return 0


def _count(db: DuckDBPyConnection, rows: str) -> int:
    found = db.execute(f"SELECT count(*) FROM {rows}").fetchone()  # noqa: S608 - names of ours
    return int(found[0]) if found else 0


def _statement(name: str) -> str:
    return files("crm_sync.enrichment").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
