"""Owners from a CSV file, and owners as other files name them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from crm_sync.sandbox.csvfiles import CsvFile, CsvRow
from crm_sync.yamlfile import did_you_mean
from crm_sync_hubspot.sandbox.editing import number_of
from crm_sync_hubspot.sandbox.seeding import next_owner

_COLUMNS = ("id", "email", "firstName", "lastName", "userId", "active", "archived")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def load_owners(sql: sqlite3.Connection, file: CsvFile) -> int:
    """Insert the owners of a file; how many there were. Raises `InputError`."""
    places = _places(file)
    count = 0
    for row in file.rows:
        cells = {name: row.cells[place].strip() for name, place in places.items()}
        number = _number(sql, file, row, cells.get("id", ""))
        user = cells.get("userId") or str(number)
        if number_of(user) is None:
            raise file.error(row.line, f"userId: `{user[:40]}` is no number")
        names = ("email", "firstName", "lastName")
        known = {**{name: cells.get(name, "") for name in names}, "userId": int(user)}
        archived = _flag(file, row, cells, "archived") is True
        archived = archived or _flag(file, row, cells, "active") is False
        text = json.dumps(known, ensure_ascii=False)
        sql.execute("INSERT INTO owner VALUES (?, ?, ?)", (number, text, int(archived)))
        count += 1
    return count


def owners_of(sql: sqlite3.Connection, texts: Iterable[str]) -> Mapping[str, int]:
    """The owners that ids or e-mail addresses mean; unknown ones are left out."""
    rows = sql.execute("SELECT fold(json_extract(definition, '$.email')), id FROM owner").fetchall()
    known = {str(email): int(owner) for email, owner in rows if email}
    ids = {int(owner) for _, owner in rows}
    found: dict[str, int] = {}
    for text in texts:
        number = number_of(text)
        meant = known.get(text.casefold()) if number is None else number
        if meant is not None and meant in ids:
            found[text] = meant
    return found


def _places(file: CsvFile) -> dict[str, int]:
    names = {name.lower(): name for name in _COLUMNS}
    places: dict[str, int] = {}
    for place, heading in enumerate(file.columns):
        name = names.get(heading.lower().replace("_", ""))
        if name is None:
            guess = did_you_mean(heading, _COLUMNS)
            fix = f"Did you mean `{guess}`?" if guess else f"Known: {', '.join(_COLUMNS)}."
            raise file.error(1, f"owners have no column `{heading}`", fix)
        places[name] = place
    return places


def _number(sql: sqlite3.Connection, file: CsvFile, row: CsvRow, text: str) -> int:
    if not text:
        return next_owner(sql)
    number = number_of(text)
    if not number:
        raise file.error(row.line, f"id: `{text[:40]}` is no owner's id")
    if sql.execute("SELECT 1 FROM owner WHERE id = ?", (number,)).fetchone():
        raise file.error(row.line, f"id: `{text}` is there already", "Each id may be there once.")
    return number


def _flag(file: CsvFile, row: CsvRow, cells: Mapping[str, str], name: str) -> bool | None:
    text = cells.get(name, "")
    if not text:
        return None
    if text.lower() not in _FLAGS:
        raise file.error(row.line, f"{name}: `{text[:40]}` is neither true nor false")
    return _FLAGS[text.lower()]
