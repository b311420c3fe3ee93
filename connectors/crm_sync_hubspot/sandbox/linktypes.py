"""The kinds of associations: HubSpot's own by number, and labels that a portal adds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from crm_sync_hubspot.sandbox.problems import invalid
from crm_sync_hubspot.sandbox.types import TYPES

HUBSPOT, USER = "HUBSPOT_DEFINED", "USER_DEFINED"


class Spec(NamedTuple):
    """What a request names a kind of association by."""

    category: str
    type_id: int


@dataclass(frozen=True, slots=True)
class LinkType:
    """One kind of association in one direction; `inverse_id` is the same kind seen backwards.

    `label` is None for the plain association that every labelled one goes along with. A `primary`
    one may lead to one record only, seen from its `holder`'s side (the contact or the deal).
    """

    from_type: str
    to_type: str
    spec: Spec
    inverse_id: int
    name: str
    label: str | None = None
    primary: bool = False

    @property
    def inverse(self) -> Spec:
        """The same association as the other end names it."""
        return Spec(self.spec.category, self.inverse_id)

    def described(self) -> dict[str, Any]:
        """`{category, typeId, label}`, as answers show it."""
        return {
            "category": self.spec.category,
            "typeId": self.spec.type_id,
            "label": self.label,
        }


_PLAIN = (
    ("contacts", "contacts", 449, 449),
    ("companies", "companies", 450, 450),
    ("deals", "deals", 451, 451),
    ("contacts", "companies", 279, 280),
    ("deals", "companies", 341, 342),
    ("deals", "contacts", 3, 4),
    ("emails", "contacts", 198, 197),
    ("emails", "companies", 186, 185),
    ("emails", "deals", 210, 209),
    ("calls", "contacts", 194, 193),
    ("calls", "companies", 182, 181),
    ("calls", "deals", 206, 205),
    ("meetings", "contacts", 200, 199),
    ("meetings", "companies", 188, 187),
    ("meetings", "deals", 212, 211),
    ("notes", "contacts", 202, 201),
    ("notes", "companies", 190, 189),
    ("notes", "deals", 214, 213),
    ("tasks", "contacts", 204, 203),
    ("tasks", "companies", 192, 191),
    ("tasks", "deals", 216, 215),
)
_PRIMARY = (("contacts", "companies", 1, 2, "Contact"), ("deals", "companies", 5, 6, "Deal"))
HOLDERS = frozenset(holder for holder, *_ in _PRIMARY)
"""The kinds of records that have a primary company."""


def _standard() -> Iterator[LinkType]:
    with_primary = {(holder, to) for holder, to, *_ in _PRIMARY}
    for source, target, there, back in _PLAIN:
        suffix = "_unlabeled" if (source, target) in with_primary else ""
        yield LinkType(source, target, Spec(HUBSPOT, there), back, _name(source, target) + suffix)
        if source != target:
            name = _name(target, source) + suffix
            yield LinkType(target, source, Spec(HUBSPOT, back), there, name)
    for source, target, there, back, noun in _PRIMARY:
        name, backwards = _name(source, target), _name(target, source)
        yield LinkType(source, target, Spec(HUBSPOT, there), back, name, "Primary", True)
        label = f"{noun} with Primary Company"
        yield LinkType(target, source, Spec(HUBSPOT, back), there, backwards, label, True)


def _name(source: str, target: str) -> str:
    return f"{TYPES[source].singular}_to_{TYPES[target].singular}"


STANDARD = tuple(_standard())
Kinds = dict[Spec, LinkType]


def kinds(sql: sqlite3.Connection, from_type: str, to_type: str) -> Kinds:
    """Every kind of association between two kinds of records, the plain one first."""
    own = [one for one in STANDARD if (one.from_type, one.to_type) == (from_type, to_type)]
    return {one.spec: one for one in (*own, *_labels(sql, from_type, to_type))}


def plain(found: Kinds) -> LinkType:
    """The association without a label. Raises the 400 of a pair that has none."""
    for one in found.values():
        if one.label is None:
            return one
    raise invalid("These object types cannot be associated")


def primary(found: Kinds) -> LinkType | None:
    """The kind that leads to the one primary record, where the pair has it."""
    return next((one for one in found.values() if one.primary), None)


def fitting(found: Kinds, specs: Sequence[Spec]) -> list[LinkType]:
    """The kinds that `specs` name, the plain one among them. Raises 400 if one does not fit."""
    wanted = {plain(found).spec: plain(found)}
    for spec in specs:
        if spec not in found:
            raise invalid(
                f"One or more association types are not valid for this pair: {spec.type_id}",
            )
        wanted[spec] = found[spec]
    return list(wanted.values())


def target_of(sql: sqlite3.Connection, from_type: str, spec: Spec) -> str:
    """The kind of records that an association leads to. Raises the 400 of an unknown one."""
    for to_type in TYPES:
        if spec in kinds(sql, from_type, to_type):
            return to_type
    raise invalid(f"Association type {spec.type_id} does not start at {from_type}")


def parse_specs(value: Any) -> list[Spec]:
    """The kinds that a request's JSON names. Raises 400 when it is malformed or names none."""
    if not isinstance(value, list) or not value:
        raise invalid("At least one association type is required")
    return [_spec(one) for one in value]


def add_labels(
    sql: sqlite3.Connection, from_type: str, to_type: str, label: str, inverse: str, name: str
) -> list[LinkType]:
    """Define a label in both directions; the new kinds, this direction first."""
    known = kinds(sql, from_type, to_type)
    plain(known)
    if any(label == one.label or name == one.name for one in known.values()):
        raise invalid(f"The association label {name} is there already")
    (last,) = sql.execute("SELECT coalesce(max(type_id), 0) FROM association_label").fetchone()
    rows = [(from_type, to_type, last + 1, USER, label, name)]
    if from_type != to_type or inverse != label:
        rows.append((to_type, from_type, last + 2, USER, inverse, name))
    sql.executemany("INSERT INTO association_label VALUES (?, ?, ?, ?, ?, ?)", rows)
    return [_label(sql, *row) for row in rows]


def _labels(sql: sqlite3.Connection, from_type: str, to_type: str) -> list[LinkType]:
    rows = sql.execute(
        "SELECT * FROM association_label WHERE from_type = ? AND to_type = ? ORDER BY type_id",
        (from_type, to_type),
    ).fetchall()
    return [_label(sql, *row) for row in rows]


def _label(
    sql: sqlite3.Connection,
    from_type: str,
    to_type: str,
    type_id: int,
    category: str,
    label: str,
    name: str,
) -> LinkType:
    """A label with its inverse: the other one of that name, or itself if there is none."""
    row = sql.execute(
        "SELECT type_id FROM association_label"
        " WHERE from_type = ? AND to_type = ? AND name = ? AND type_id <> ?",
        (to_type, from_type, name, type_id),
    ).fetchone()
    inverse = type_id if row is None else int(row[0])
    return LinkType(from_type, to_type, Spec(category, type_id), inverse, name, label)


def _spec(value: Any) -> Spec:
    if not isinstance(value, dict):
        raise invalid("An association type is an object")
    category, number = value.get("associationCategory"), value.get("associationTypeId")
    if not isinstance(category, str) or not str(number).isdecimal():
        raise invalid("associationCategory and associationTypeId are required")
    return Spec(category, int(str(number)))
