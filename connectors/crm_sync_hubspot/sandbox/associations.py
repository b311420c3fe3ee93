"""Associations between records, as stored: both directions, each with all its kinds.

They never move a record's modified date: a client that polls by it does not see them change.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync_hubspot.sandbox.linktypes import (
    HOLDERS,
    LinkType,
    Spec,
    fitting,
    kinds,
    parse_specs,
    plain,
    primary,
    target_of,
)
from crm_sync_hubspot.sandbox.problems import invalid
from crm_sync_hubspot.sandbox.rows import set_silently
from crm_sync_hubspot.sandbox.types import TYPES

PRIMARY_COMPANY = "associatedcompanyid"


@dataclass(frozen=True, slots=True)
class Link:
    """One associated record, and every kind of association with it, the plain one first."""

    to_id: int
    types: tuple[LinkType, ...]


def associate(
    sql: sqlite3.Connection,
    from_type: str,
    from_id: int,
    to_type: str,
    to_id: int,
    specs: Sequence[Spec] = (),
) -> list[LinkType]:
    """Associate two live records; without `specs` plainly. The kinds that they now have.

    Every association is also a plain one. A new primary company demotes the old one, and the
    first company of a contact or deal becomes its primary one. Raises 400 for a kind that does
    not fit the pair. That the records exist is the caller's to check.
    """
    found = kinds(sql, from_type, to_type)
    wanted = fitting(found, specs)
    first = primary(found)
    if first is not None and first not in wanted and not _has_primary(sql, from_id, to_id, first):
        wanted.append(first)
    _put(sql, from_id, to_id, wanted)
    if first is not None:
        holder, holder_id, _ = _holder(from_id, to_id, first)
        _tell_primary(sql, holder, [holder_id])
    return wanted


def associate_new(sql: sqlite3.Connection, from_type: str, from_id: int, wanted: Any) -> None:
    """Carry out the `associations` of a create: a list of `{to: {id}, types: […]}`, or None.

    Raises 400 when one is malformed, does not fit, or leads to a record that is not there.
    """
    if not isinstance(wanted or [], list):
        raise invalid("associations must be a list")
    for one in wanted or []:
        specs = parse_specs(one.get("types") if isinstance(one, dict) else None)
        to_type = target_of(sql, from_type, specs[0])
        to_id = record_id(one.get("to"))
        if to_id not in live(sql, to_type, [to_id]):
            raise invalid(f"{TYPES[to_type].singular} {to_id} does not exist")
        associate(sql, from_type, from_id, to_type, to_id, specs)


def associate_at_once(
    sql: sqlite3.Connection,
    from_type: str,
    to_type: str,
    pairs: Iterable[tuple[int, int]],
    *,
    as_primary: bool = False,
) -> None:
    """Associate many live records at a time, for loading; no property is touched.

    `as_primary`: the pairs are the primary ones, at most one for each record of `from_type`.
    """
    found = kinds(sql, from_type, to_type)
    first = primary(found)
    wanted = [plain(found), *([first] if as_primary and first is not None else [])]
    for from_id, to_id in pairs:
        _write(sql, from_id, to_id, wanted)


def of(
    sql: sqlite3.Connection, type: str, ids: Iterable[int], to_type: str
) -> dict[int, list[Link]]:
    """The associations of records with records of one kind, by id and in the order of ids.

    Records without any are left out.
    """
    found = kinds(sql, type, to_type)
    rows = sql.execute(
        "SELECT from_id, to_id, category, type_id FROM association"
        " WHERE from_type = ? AND to_type = ? AND from_id IN (SELECT value FROM json_each(?))"
        " ORDER BY from_id, to_id",
        (type, to_type, json.dumps(list(ids))),
    )
    links: dict[int, dict[int, list[LinkType]]] = defaultdict(lambda: defaultdict(list))
    for from_id, to_id, category, type_id in rows:
        one = found.get(Spec(category, type_id))
        if one is not None:
            links[from_id][to_id].append(one)
    return {
        from_id: [Link(to_id, tuple(sorted(types, key=_order))) for to_id, types in ends.items()]
        for from_id, ends in links.items()
    }


def answered(
    sql: sqlite3.Connection, type: str, ids: Iterable[int], to_types: Iterable[str]
) -> dict[int, dict[str, Any]]:
    """The `associations` of records as reads of records show them: `{id, type}` per kind."""
    shown: dict[int, dict[str, Any]] = defaultdict(dict)
    listed = list(ids)
    for to_type in to_types:
        for from_id, links in of(sql, type, listed, to_type).items():
            shown[from_id][to_type] = {"results": [end for one in links for end in named(one)]}
    return dict(shown)


def named(link: Link) -> list[dict[str, str]]:
    """An association in the older form: one entry per kind, named like `contact_to_company`."""
    return [{"id": str(link.to_id), "type": one.name} for one in link.types]


def dissociate(
    sql: sqlite3.Connection,
    from_type: str,
    from_id: int,
    to_type: str,
    to_id: int,
    specs: Sequence[Spec] = (),
) -> None:
    """Take associations of these kinds away; all of them without `specs` or with the plain one."""
    found = kinds(sql, from_type, to_type)
    going = fitting(found, specs)[1:] if specs else []
    if not specs or plain(found).spec in specs:
        going = list(found.values())
    _drop(sql, from_id, to_id, going)
    first = primary(found)
    if first is not None and first in going:
        holder, holder_id, _ = _holder(from_id, to_id, first)
        _tell_primary(sql, holder, [holder_id])


def remove_all(sql: sqlite3.Connection, type: str, id: int) -> None:
    """Take every association of a record away, as when it is archived."""
    held = _held(sql, type, id)
    sql.execute("DELETE FROM association WHERE from_type = ? AND from_id = ?", (type, id))
    for to_type in TYPES:
        ends = [(to_type, one, type, id) for found_type, one, _ in held if found_type == to_type]
        sql.executemany(
            "DELETE FROM association"
            " WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?",
            ends,
        )
    if type == "companies":
        _tell_primary(sql, "contacts", sorted({one for kind, one, _ in held if kind == "contacts"}))
    _tell_primary(sql, type, [id])


def move_all(sql: sqlite3.Connection, type: str, old: int, new: int) -> None:
    """Give a record's associations to the record that it was merged into.

    A primary company that the survivor has stays its primary one.
    """
    held = _held(sql, type, old)
    remove_all(sql, type, old)
    for to_type in TYPES:
        found = kinds(sql, type, to_type)
        ends: dict[int, list[LinkType]] = defaultdict(list)
        for kind, to_id, spec in held:
            if kind == to_type and spec in found and (kind, to_id) != (type, new):
                ends[to_id].append(found[spec])
        for to_id, types in ends.items():
            kept = [
                one for one in types if not one.primary or not _has_primary(sql, new, to_id, one)
            ]
            _put(sql, new, to_id, kept)
        if type == "companies" and to_type == "contacts":
            _tell_primary(sql, to_type, sorted(ends))
    _tell_primary(sql, type, [new])


def live(sql: sqlite3.Connection, type: str, ids: Iterable[int]) -> set[int]:
    """Which of these records are there: neither archived nor merged away."""
    rows = sql.execute(
        "SELECT id FROM object WHERE type = ? AND id IN (SELECT value FROM json_each(?))"
        " AND archived_ms IS NULL AND merged_into IS NULL",
        (type, json.dumps(list(ids))),
    )
    return {int(id) for (id,) in rows}


def record_id(value: Any) -> int:
    """The id in `{"id": …}`; 0, which no record has, for text that is none. Raises 400."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str | int):
        raise invalid("An id is required at each end of an association")
    text = str(value["id"])
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def _put(sql: sqlite3.Connection, from_id: int, to_id: int, types: Sequence[LinkType]) -> None:
    for one in types:
        if one.primary:
            _demote(sql, from_id, to_id, one)
    _write(sql, from_id, to_id, types)


def _write(sql: sqlite3.Connection, from_id: int, to_id: int, types: Sequence[LinkType]) -> None:
    sql.executemany(
        "INSERT OR IGNORE INTO association VALUES (?, ?, ?, ?, ?, ?)",
        [row for one in types for row in _both(from_id, to_id, one)],
    )


def _drop(sql: sqlite3.Connection, from_id: int, to_id: int, types: Iterable[LinkType]) -> None:
    sql.executemany(
        "DELETE FROM association WHERE from_type = ? AND from_id = ? AND to_type = ?"
        " AND to_id = ? AND category = ? AND type_id = ?",
        [row for one in types for row in _both(from_id, to_id, one)],
    )


def _both(from_id: int, to_id: int, one: LinkType) -> list[tuple[object, ...]]:
    return [
        (one.from_type, from_id, one.to_type, to_id, *one.spec),
        (one.to_type, to_id, one.from_type, from_id, *one.inverse),
    ]


def _has_primary(sql: sqlite3.Connection, from_id: int, to_id: int, one: LinkType) -> bool:
    """Whether the holder among the two has a primary company, whichever that is."""
    return bool(_primaries(sql, *_holder(from_id, to_id, one)))


def _demote(sql: sqlite3.Connection, from_id: int, to_id: int, one: LinkType) -> None:
    holder, holder_id, spec = _holder(from_id, to_id, one)
    back = one.inverse if one.from_type == holder else one.spec
    kind = LinkType(holder, "companies", spec, back.type_id, one.name, one.label, True)
    for company in _primaries(sql, holder, holder_id, spec):
        _drop(sql, holder_id, company, [kind])


def _holder(from_id: int, to_id: int, one: LinkType) -> tuple[str, int, Spec]:
    """Who has the primary company, and the kind of association as seen from there."""
    if one.from_type in HOLDERS:
        return one.from_type, from_id, one.spec
    return one.to_type, to_id, one.inverse


def _primaries(sql: sqlite3.Connection, holder: str, id: int, spec: Spec) -> list[int]:
    rows = sql.execute(
        "SELECT to_id FROM association WHERE from_type = ? AND from_id = ?"
        " AND to_type = 'companies' AND category = ? AND type_id = ?",
        (holder, id, *spec),
    )
    return [int(to_id) for (to_id,) in rows]


def _tell_primary(sql: sqlite3.Connection, type: str, ids: Iterable[int]) -> None:
    """Let contacts name their primary company in a property, as HubSpot does by itself."""
    if type != "contacts":
        return
    first = primary(kinds(sql, "contacts", "companies"))
    assert first is not None  # noqa: S101 - contacts have a primary company by definition
    for id in ids:
        company = next(iter(_primaries(sql, "contacts", id, first.spec)), None)
        set_silently(
            sql, "contacts", id, PRIMARY_COMPANY, None if company is None else str(company)
        )


def _held(sql: sqlite3.Connection, type: str, id: int) -> list[tuple[str, int, Spec]]:
    rows = sql.execute(
        "SELECT to_type, to_id, category, type_id FROM association"
        " WHERE from_type = ? AND from_id = ?",
        (type, id),
    )
    return [(kind, int(to_id), Spec(category, number)) for kind, to_id, category, number in rows]


def _order(one: LinkType) -> tuple[bool, int]:
    return one.label is not None, one.spec.type_id
