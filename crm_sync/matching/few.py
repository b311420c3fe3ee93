"""Names and titles of few rows, taken apart by the functions for single values.

The macros in SQL are made for millions of rows: to plan and compile them takes longer than a
hundred names take in Python. `crm_sync.normalise` gives the same, as its tests of parity hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FEW = 2_000
"""Rows up to which Python is the quicker."""

_NAME = """STRUCT(last_key VARCHAR, last_parts VARCHAR[], first_key VARCHAR, firsts VARCHAR[],
    first_initials VARCHAR[], middles VARCHAR[], suffix VARCHAR)"""
_TITLE = """STRUCT(title_key VARCHAR, title_letters VARCHAR, is_seat BOOLEAN, is_pause BOOLEAN,
    is_leave BOOLEAN, level VARCHAR, departments VARCHAR[])"""


def install(db: DuckDBPyConnection) -> None:
    """Define `named_few` and `titled_few`; `named` and `titled` are for many rows."""
    functions: tuple[tuple[str, Any, int, str], ...] = (
        ("name_read", _name, 3, _NAME),
        ("title_read", _title, 1, _TITLE),
    )
    for name, function, arguments, kind in functions:
        there = db.execute(
            "SELECT count(*) FROM duckdb_functions() WHERE function_name = $name", {"name": name}
        ).fetchall()
        if there == [(0,)]:
            given: Any = ["VARCHAR"] * arguments
            special: Any = "special"
            db.create_function(name, function, given, db.sqltype(kind), null_handling=special)
    db.execute(_MACROS)
    use(db, rows=FEW + 1)


def use(db: DuckDBPyConnection, *, rows: int) -> None:
    """Make `named` and `titled`, from here on, what serves so many rows best."""
    form = "few" if rows <= FEW else "many"
    for name in ("named", "titled"):
        db.execute(f"CREATE OR REPLACE MACRO {name}(rel) AS TABLE FROM {name}_{form}(rel)")


def _name(full_name: str | None, first_name: str | None, last_name: str | None) -> dict[str, Any]:
    from crm_sync.normalise.people import parse_name

    read = parse_name(full_name, first_name, last_name)
    return {
        "last_key": read.last_key,
        "last_parts": list(read.last_parts),
        "first_key": read.first_key,
        "firsts": list(read.firsts),
        "first_initials": list(read.first_initials),
        "middles": list(read.middles),
        "suffix": read.suffix,
    }


def _title(title: str | None) -> dict[str, Any]:
    from crm_sync.normalise import titles

    text = title or ""
    level = titles.title_level(text)
    return {
        "title_key": titles.title_key(text) or None,
        "title_letters": titles.title_letters(text) or None,
        "is_seat": titles.is_seat(text),
        "is_pause": titles.is_pause(text),
        "is_leave": titles.is_leave(text),
        "level": level.value if level else None,
        "departments": list(titles.title_departments(text)),
    }


_MACROS = """
CREATE OR REPLACE MACRO named_few(rel) AS TABLE
    SELECT * EXCLUDE (n_read), unnest(n_read) FROM (
        SELECT *, name_read(full_name, first_name, last_name) AS n_read FROM query_table(rel));

CREATE OR REPLACE MACRO titled_few(rel) AS TABLE
    SELECT title, t.title_key, t.title_letters, t.is_seat, t.is_pause, t.is_leave, t.level,
        level_rank(t.level) AS level_rank, t.departments
    FROM (SELECT title, title_read(title) AS t
        FROM (SELECT DISTINCT title FROM query_table(rel) WHERE title IS NOT NULL));
"""
