"""Runs SOQL: one page at a time, with a locator for the rest.

A result larger than a page is remembered as a list of row numbers in the database, so that later
pages show the same records in the same order whatever is written meanwhile, and memory stays
bounded by the page.
"""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from crm_sync_salesforce.sandbox.ids import INSTANCE, make_id, row_number
from crm_sync_salesforce.sandbox.org import Org
from crm_sync_salesforce.sandbox.problems import ApiProblem
from crm_sync_salesforce.sandbox.soql.compiler import Compiled, compile_query
from crm_sync_salesforce.sandbox.soql.parser import parse

SMALLEST_PAGE, LARGEST_PAGE = 200, 2000
KEPT_LOCATORS = 50
LOCATOR_SECONDS = 2 * 24 * 3600
_PREFIX = "01g"


def create_locator_tables(connection: sqlite3.Connection) -> None:
    """The tables that remember results which are read in pages."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS _locators (number INTEGER PRIMARY KEY AUTOINCREMENT, "
        "soql TEXT, deleted INTEGER, page INTEGER, total INTEGER, made REAL)"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS _located (number INTEGER, position INTEGER, row INTEGER, "
        "PRIMARY KEY (number, position)) WITHOUT ROWID"
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """What an answer depends on beside the query: the path of the version that was asked."""

    base: str

    @property
    def records(self) -> str:
        """The path of records, with a closing slash."""
        return f"{self.base}/sobjects/"


def run_query(
    org: Org, caller: Caller, text: str, *, deleted: bool, page: int
) -> dict[str, object]:
    """The first page of a query's answer; `page` is the number of records per page.

    Raises `ApiProblem` when the query is not one.
    """
    compiled = _compiled(org, text, deleted=deleted)
    with org.database.reading() as connection:
        if compiled.count_only:
            (total,) = connection.execute(
                f"SELECT count(*) FROM {_source(compiled)}", compiled.parameters
            ).fetchone()
            return {"totalSize": total, "done": True, "records": []}
        if compiled.keys:
            return _aggregated(connection, compiled)
        sql = f"SELECT {compiled.columns} FROM {_source(compiled)}{_ordered(compiled)}"
        wanted = page + 1 if compiled.limit is None else min(compiled.limit, page + 1)
        rows = connection.execute(
            f"{sql} LIMIT {wanted} OFFSET {compiled.offset}", compiled.parameters
        ).fetchall()
    if len(rows) <= page:
        records = [compiled.shape.render(row, caller.records) for row in rows]
        return {"totalSize": len(rows), "done": True, "records": records}
    number = _remember(org, text, compiled, deleted=deleted, page=page)
    return read_page(org, caller, f"{make_id(_PREFIX, number)}-0")


def read_page(org: Org, caller: Caller, locator: str) -> dict[str, object]:
    """A page of a remembered result, from `id-offset`.

    Raises `ApiProblem` INVALID_QUERY_LOCATOR when it is unknown or has expired.
    """
    number, start = _parsed_locator(locator)
    with org.database.reading() as connection:
        found = connection.execute(
            "SELECT soql, deleted, page, total FROM _locators WHERE number = ? AND made > ?",
            (number, time.time() - LOCATOR_SECONDS),
        ).fetchone()
        if found is None or not 0 <= start < found[3]:
            raise _invalid_locator()
        text, deleted, page, total = found
        compiled = _compiled(org, text, deleted=bool(deleted))
        rows = connection.execute(
            f"SELECT {compiled.columns} FROM _located l "
            f'CROSS JOIN "{compiled.target.name}" {compiled.root} '
            f"ON {compiled.root}._row = l.row {compiled.joins} "
            "WHERE l.number = ? AND l.position > ? AND l.position <= ? ORDER BY l.position",
            (number, start, start + page),
        ).fetchall()
    records = [compiled.shape.render(row, caller.records) for row in rows]
    answer: dict[str, object] = {"totalSize": total, "done": start + page >= total}
    if not answer["done"]:
        rest = f"{make_id(_PREFIX, number)}-{start + page}"
        answer["nextRecordsUrl"] = f"{caller.base}/query/{rest}"
    return {**answer, "records": records}


def forget_locators(org: Org) -> None:
    """Let every remembered result expire."""
    with org.database.writing() as connection:
        connection.execute("DELETE FROM _locators")
        connection.execute("DELETE FROM _located")


def page_size(options: str) -> int:
    """The page size that a `Sforce-Query-Options` header asks for, within bounds."""
    for option in options.split(","):
        name, _, value = option.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdigit():
            return min(max(int(value), SMALLEST_PAGE), LARGEST_PAGE)
    return LARGEST_PAGE


def _compiled(org: Org, text: str, *, deleted: bool) -> Compiled:
    return compile_query(parse(text), text, org.catalog, org.now().date(), deleted=deleted)


def _source(compiled: Compiled) -> str:
    group = f" GROUP BY {compiled.group}" if compiled.group else ""
    return f"{compiled.tables} WHERE {compiled.where}{group}"


def _ordered(compiled: Compiled) -> str:
    return f" ORDER BY {compiled.order}" if compiled.order else ""


def _aggregated(connection: sqlite3.Connection, compiled: Compiled) -> dict[str, object]:
    limit = LARGEST_PAGE if compiled.limit is None else min(compiled.limit, LARGEST_PAGE)
    rows = connection.execute(
        f"SELECT {compiled.columns} FROM {_source(compiled)}{_ordered(compiled)} "
        f"LIMIT {limit} OFFSET {compiled.offset}",
        compiled.parameters,
    ).fetchall()
    records = [
        {"attributes": {"type": "AggregateResult"}, **dict(zip(compiled.keys, row, strict=True))}
        for row in rows
    ]
    return {"totalSize": len(rows), "done": True, "records": records}


def _remember(org: Org, text: str, compiled: Compiled, *, deleted: bool, page: int) -> int:
    """Write down which rows the result has; the number of its locator."""
    limit = -1 if compiled.limit is None else compiled.limit
    with org.database.writing() as connection:
        cursor = connection.execute(
            "INSERT INTO _locators (soql, deleted, page, total, made) VALUES (?, ?, ?, 0, ?)",
            (text, int(deleted), page, time.time()),
        )
        number = int(cursor.lastrowid or 0)
        over = f"ORDER BY {compiled.order}" if compiled.order else ""
        found = (
            f"SELECT {compiled.root}._row AS row, row_number() OVER ({over}) AS position "
            f"FROM {_source(compiled)} ORDER BY position LIMIT {limit} OFFSET {compiled.offset}"
        )
        total = connection.execute(
            f"INSERT INTO _located SELECT ?, position - {compiled.offset}, row FROM ({found})",
            [number, *compiled.parameters],
        ).rowcount
        connection.execute("UPDATE _locators SET total = ? WHERE number = ?", (total, number))
        oldest = number - KEPT_LOCATORS
        connection.execute("DELETE FROM _locators WHERE number <= ?", (oldest,))
        connection.execute("DELETE FROM _located WHERE number <= ?", (oldest,))
    return number


def _parsed_locator(locator: str) -> tuple[int, int]:
    record_id, _, start = locator.partition("-")
    known = len(record_id) in (15, 18) and record_id.startswith(f"{_PREFIX}{INSTANCE}")
    if not known or not record_id.isalnum() or not record_id.isascii() or not start.isdigit():
        raise _invalid_locator()
    return row_number(record_id) or 0, int(start[:12])


def _invalid_locator() -> ApiProblem:
    return ApiProblem(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
