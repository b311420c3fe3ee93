"""The two tables as Splink reads them, and Splink on a connection of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crm_sync.matching.probabilistic.settings import LEFT, RIGHT

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from splink import Linker, SettingsCreator
    from splink.internals.database_api import DatabaseAPISubClass
    from splink.internals.duckdb.database_api import DuckDBAPI


@contextmanager
def staged(db: DuckDBPyConnection, left: str, right: str, columns: Iterable[str]) -> Iterator[None]:
    """Have both tables as `linkage_left` and `linkage_right`, with rows numbered by id.

    They are tables that other connections to this database see too. Empty lists count as absent.
    """
    wanted = tuple(dict.fromkeys(columns))
    try:
        for table, given in (("linkage_left", left), ("linkage_right", right)):
            db.execute(_stage(db, table, given, wanted))
        yield
    finally:
        _drop_all(db)


def _stage(db: DuckDBPyConnection, table: str, given: str, columns: tuple[str, ...]) -> str:
    types = {name: str(kind) for name, kind in _columns(db, given)}
    values = (
        f'CASE WHEN len("{name}") > 0 THEN "{name}" END AS "{name}"'
        if types[name].endswith("[]")
        else f'"{name}"'
        for name in columns
    )
    return (
        f"CREATE OR REPLACE TABLE {table} AS "  # noqa: S608
        "SELECT CAST(row_number() OVER (ORDER BY id) AS INTEGER) "
        f"AS n, id, {', '.join(values)} FROM {given}"
    )


def _columns(db: DuckDBPyConnection, table: str) -> list[tuple[str, Any]]:
    shape = db.sql(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608 - names of ours
    return list(zip(shape.columns, shape.types, strict=True))


def _drop_all(db: DuckDBPyConnection) -> None:
    names = db.execute(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_name LIKE 'linkage\\_%' ESCAPE '\\' "
        "OR table_name LIKE '\\_\\_splink\\_\\_%' ESCAPE '\\' "
    ).fetchall()
    for (name,) in names:
        db.execute(f'DROP TABLE IF EXISTS "{name}"')


@contextmanager
def splink(db: DuckDBPyConnection) -> Iterator[DuckDBAPI]:
    """Splink on another connection to the same database.

    It shares the memory, threads and temporary folder that bound `db`, but a result that is only
    half read on one does not block the other.
    """
    import logging

    from splink.backends.duckdb import DuckDBAPI

    logging.getLogger("splink").setLevel(logging.ERROR)
    own = db.cursor()
    try:
        yield DuckDBAPI(connection=own)
    finally:
        own.close()


def linker(api: DatabaseAPISubClass, tables: tuple[str, str], settings: SettingsCreator) -> Linker:
    """A linker over two tables that have the model's columns and a numeric `id`."""
    from splink import Linker

    given = [
        api.register(table, dataset_display_name=alias)
        for table, alias in zip(tables, (LEFT, RIGHT), strict=True)
    ]
    return Linker(given, settings, log_level=None)
