"""Loads a folder of CSV files: one per kind of records, columns named after HubSpot's properties.

* `id` (or `hs_object_id`, `Record ID`), `createdate` and `lastmodifieddate` (or
  `hs_lastmodifieddate`) are kept as given; a property that is not there yet becomes a text.
* `hubspot_owner_id` is an owner's id or e-mail address.
* `companies.id`, `companies.name`, `companies.domain`, `contacts.id` and `contacts.email`
  associate; of a contact's or deal's companies the first is the primary one. A contact without
  any gets the company whose name is its `company`, where there is exactly one.
* All or nothing: a mistake anywhere leaves the database as it was.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from crm_sync.errors import InputError
from crm_sync.sandbox.csvfiles import CsvRow, open_csv
from crm_sync_hubspot.sandbox.associations import PRIMARY_COMPANY, associate_at_once
from crm_sync_hubspot.sandbox.columns import OWNER, Plan, plan_columns
from crm_sync_hubspot.sandbox.loadowners import load_owners, owners_of
from crm_sync_hubspot.sandbox.lookups import Lookup
from crm_sync_hubspot.sandbox.portal import Portal, instant
from crm_sync_hubspot.sandbox.rows import (
    Row,
    claim_at_once,
    folded,
    holders,
    insert_at_once,
    keep_above,
    next_ids,
)
from crm_sync_hubspot.sandbox.types import ENGAGEMENTS, TYPES, resolve
from crm_sync_hubspot.sandbox.values import derived

_BATCH = 2000
_ORDER = ("owners", "companies", "contacts", "deals", *ENGAGEMENTS)


def load_directory(portal: Portal, directory: Path) -> Mapping[str, int]:
    """Load every file that is named after a kind of records; rows per kind.

    Raises `InputError` that names file and line.
    """
    counts: dict[str, int] = {}
    files = _files(directory)
    with portal.database.writing() as sql:
        for name, path in files:
            with open_csv(path) as file:
                if name == "owners":
                    counts[name] = load_owners(sql, file)
                    continue
                plan = plan_columns(portal, sql, resolve(name), file)
                counts[name] = _FileLoader(portal, sql, plan).load()
    return counts


def _files(directory: Path) -> list[tuple[str, Path]]:
    """The files to load, in an order in which what is referred to comes first."""
    if not directory.is_dir():
        raise InputError("there is no such folder", place=str(directory))
    present = {path.name.lower(): path for path in sorted(directory.glob("*.[cC][sS][vV]"))}
    files = [(name, present[f"{name}.csv"]) for name in _ORDER if f"{name}.csv" in present]
    if not files:
        known = ", ".join(f"{name}.csv" for name in _ORDER)
        raise InputError("holds no file to load", place=str(directory), fix=f"Known: {known}.")
    return files


class _FileLoader:
    def __init__(self, portal: Portal, sql: sqlite3.Connection, plan: Plan) -> None:
        self._portal = portal
        self._sql = sql
        self._plan = plan
        self._kind = plan.kind
        self._now = portal.now_ms()
        self._unique = [one for _, one in plan.properties if one.unique]
        self._used: dict[str, set[str]] = {
            one.name: set() for _, one in plan.properties if one.closed and one.options
        }

    def load(self) -> int:
        """Insert every row; how many there were."""
        count = 0
        with closing(Lookup(self._sql, "companies", "name")) as companies:
            while lines := list(islice(self._plan.file.rows, _BATCH)):
                self._insert(lines, companies)
                count += len(lines)
        for relation in self._plan.relations:
            relation.lookup.close()
        self._learn_options()
        return count

    def _insert(self, lines: Sequence[CsvRow], companies: Lookup) -> None:
        rows = [self._row(line) for line in lines]
        self._number(lines, rows)
        self._own(lines, rows)
        related = {
            relation.to: self._plan.related(relation, lines) for relation in self._plan.relations
        }
        if self._kind.name == "contacts":
            if "companies" not in related:
                related["companies"] = _by_name(rows, companies)
            for row, (company, *_) in zip(rows, _padded(related["companies"]), strict=True):
                row.properties[PRIMARY_COMPANY] = None if company is None else str(company)
        for definition in self._unique:
            self._claim(definition.name, lines, rows)
        insert_at_once(self._sql, rows)
        for to, ends in related.items():
            self._associate(to, rows, ends)

    def _row(self, line: CsvRow) -> Row:
        values = self._plan.values(line)
        modified = self._plan.moment(line, self._plan.modified)
        created = self._plan.moment(line, self._plan.created)
        modified = self._now if modified is None else modified
        created = min(self._now, modified) if created is None else created
        if self._kind.name in ENGAGEMENTS and not values.get("hs_timestamp"):
            values["hs_timestamp"] = instant(created)
        for name, used in self._used.items():
            used.update((values.get(name) or "").split(";"))
        values = {**derived(self._kind.name, values), **values}
        return Row(self._kind.name, self._plan.record_id(line) or 0, values, created, modified)

    def _number(self, lines: Sequence[CsvRow], rows: Sequence[Row]) -> None:
        """Ids as given, each once, or new ones above all that were given."""
        given = {row.id: line for line, row in zip(lines, rows, strict=True) if row.id}
        seen: set[int] = set()
        for line, row in zip(lines, rows, strict=True):
            if row.id in seen:
                raise self._taken(line, "id", str(row.id))
            if row.id:
                seen.add(row.id)
        found = self._sql.execute(
            "SELECT id FROM object WHERE type = ? AND id IN (SELECT value FROM json_each(?))",
            (self._kind.name, json.dumps(list(given))),
        ).fetchone()
        if found is not None:
            raise self._taken(given[found[0]], "id", str(found[0]))
        if given:
            keep_above(self._sql, max(given))
        new = [row for row in rows if not row.id]
        if new:
            for number, row in enumerate(new, next_ids(self._sql, len(new))):
                row.id = number

    def _own(self, lines: Sequence[CsvRow], rows: Sequence[Row]) -> None:
        """Owners by id or e-mail address become ids. Raises `InputError` for unknown ones."""
        wanted = {text.strip() for row in rows if (text := row.properties.get(OWNER))}
        if not wanted:
            return
        known = owners_of(self._sql, wanted)
        for line, row in zip(lines, rows, strict=True):
            text = (row.properties.get(OWNER) or "").strip()
            if not text:
                continue
            if text not in known:
                fix = "Add it to owners.csv, or empty the cell."
                message = f"{OWNER}: there is no owner `{text}`"
                raise self._plan.file.error(line.line, message, fix)
            row.properties[OWNER] = str(known[text])

    def _claim(self, name: str, lines: Sequence[CsvRow], rows: Sequence[Row]) -> None:
        """Keep the values of a unique property. Raises `InputError` for one that is taken."""
        values = [one for row in rows if (one := row.properties.get(name))]
        held = set(holders(self._sql, self._kind.name, name, values))
        pairs = []
        for line, row in zip(lines, rows, strict=True):
            value = row.properties.get(name)
            if not value:
                continue
            key = folded(self._kind.name, name, value)
            if key in held:
                raise self._taken(line, name, value)
            held.add(key)
            pairs.append((value, row.id))
        claim_at_once(self._sql, self._kind.name, name, pairs)

    def _associate(self, to: str, rows: Sequence[Row], ends: Sequence[Sequence[int]]) -> None:
        """The first company of a contact or deal is its primary one, the others are not."""
        leads = to == "companies" and self._kind.name in ("contacts", "deals")
        first = [(row.id, some[0]) for row, some in zip(rows, ends, strict=True) if some]
        others = [(row.id, one) for row, some in zip(rows, ends, strict=True) for one in some[1:]]
        associate_at_once(self._sql, self._kind.name, to, first, as_primary=leads)
        associate_at_once(self._sql, self._kind.name, to, others)

    def _learn_options(self) -> None:
        """Options that the file uses and the portal did not know: its people have added them."""
        changed = []
        for _, definition in self._plan.properties:
            known = {"", *(value for value, _ in definition.options)}
            more = sorted(self._used.get(definition.name, set()) - known)
            if more:
                added = tuple((value, value) for value in more)
                changed.append(replace(definition, options=(*definition.options, *added)))
        if changed:
            self._portal.define(self._sql, self._kind.name, changed)

    def _taken(self, line: CsvRow, name: str, value: str) -> InputError:
        message = f"{name}: `{value}` is there already"
        return self._plan.file.error(line.line, message, "Each value may be there once.")


def _by_name(rows: Iterable[Row], companies: Lookup) -> list[list[int]]:
    """The company that each contact's `company` names, where exactly one does."""
    names = [(row.properties.get("company") or "").strip() for row in rows]
    found = companies.resolve(name for name in names if name)
    return [ids if len(ids := found.get(name, [])) == 1 else [] for name in names]


def _padded(ends: Iterable[Sequence[int]]) -> Iterator[Sequence[int | None]]:
    return (some or (None,) for some in ends)


assert set(_ORDER) == {"owners", *TYPES}  # noqa: S101 - every kind of records has its file
