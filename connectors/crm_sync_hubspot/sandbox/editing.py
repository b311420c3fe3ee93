"""Writes to records: values checked, unique ones kept unique, everything in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync_hubspot.sandbox.associations import remove_all
from crm_sync_hubspot.sandbox.portal import Portal
from crm_sync_hubspot.sandbox.problems import ApiProblem, conflict, invalid
from crm_sync_hubspot.sandbox.rows import (
    Row,
    claim,
    folded,
    holders,
    next_id,
    release,
    save,
    survivors,
    touch,
)
from crm_sync_hubspot.sandbox.types import ObjectType
from crm_sync_hubspot.sandbox.values import ValueProblem, checked, checked_email, derived

Values = dict[str, str | None]
ADDITIONAL_EMAILS = "hs_additional_emails"


@dataclass(frozen=True, slots=True)
class Taken:
    """A unique value that another record holds; `holder` is None for one of the same batch."""

    kind: ObjectType
    name: str
    value: str
    holder: int | None

    @property
    def message(self) -> str:
        """The refusal in HubSpot's words."""
        if self.name in self.kind.keys:
            noun = self.kind.singular.capitalize()
            existing = "" if self.holder is None else f". Existing ID: {self.holder}"
            return f"{noun} already exists{existing}"
        other = "another input" if self.holder is None else str(self.holder)
        return f"Cannot set {self.name}={self.value}. {other} already has that value."

    def problem(self) -> ApiProblem:
        """The 409 of a request that fails for it."""
        code = "CONFLICTING_UNIQUE_VALUE"
        detail = {
            "message": self.message,
            "code": code,
            "context": {"propertyName": [self.name]},
        }
        return conflict(self.message, errors=[detail])


class Editor:
    """Writes records of one kind within one transaction."""

    def __init__(self, portal: Portal, sql: sqlite3.Connection, kind: ObjectType) -> None:
        self._portal = portal
        self._sql = sql
        self._kind = kind
        self._definitions = portal.definitions(sql, kind.name)
        self._unique = [one.name for one in self._definitions.values() if one.unique]

    def checked(self, given: Sequence[Any], *, creating: bool) -> list[Values]:
        """The values of each input's `properties`, ready to be stored.

        Raises 400 for all of them when one value of one input cannot be stored.
        """
        problems: list[ValueProblem] = []
        found = [self._checked(properties, problems) for properties in given]
        self._check_owners(found, problems)
        if problems:
            told = json.dumps([one.told() for one in problems], ensure_ascii=False)
            raise invalid(
                f"Property values were not valid: {told}",
                errors=[one.detail() for one in problems],
            )
        if creating:
            self._check_required(found)
        return found

    def taken(self, wanted: Sequence[tuple[int | None, Values]]) -> dict[int, Taken]:
        """Which inputs (record id or None, values) want a unique value that they cannot have.

        By position. Of two inputs that want the same, the first may have it.
        """
        found: dict[int, Taken] = {}
        for name in self._unique:
            values = [one for _, given in wanted if (one := given.get(name))]
            if not values:
                continue
            held = dict(holders(self._sql, self._kind.name, name, values))
            claimed: set[str] = set()
            for position, (record_id, given) in enumerate(wanted):
                value = given.get(name)
                if not value or position in found:
                    continue
                key = folded(self._kind.name, name, value)
                holder = held.get(key)
                if key in claimed or (holder is not None and holder != record_id):
                    found[position] = Taken(self._kind, name, value, holder)
                claimed.add(key)
        return found

    def create(self, values: Values) -> Row:
        """A new record; `taken` has been asked before."""
        now = self._portal.now_ms()
        row = Row(self._kind.name, next_id(self._sql), {}, now, now)
        self._put(row, values)
        return row

    def update(self, row: Row, values: Values) -> Row:
        """Set values of a record that is there; its modified date moves in any case."""
        touch(self._portal, row)
        self._put(row, values)
        return row

    def archive(self, row: Row) -> None:
        """Delete as people do: restorable for a while, and listed as archived."""
        row.archived_ms = self._portal.now_ms()
        release(self._sql, row.type, row.id)
        remove_all(self._sql, row.type, row.id)
        save(self._sql, self._portal, row)

    def find(self, key: str, values: Iterable[str]) -> dict[str, Row]:
        """Live records by id or by a unique property, under the values asked for.

        A merged-away id finds what the record was merged into. Raises 400 when `key` is not
        unique.
        """
        asked = list(values)
        if key in ("", "hs_object_id"):
            ids = {text: number for text in asked if (number := number_of(text)) is not None}
        elif key in self._unique:
            held = holders(self._sql, self._kind.name, key, asked)
            keys = {text: folded(self._kind.name, key, text) for text in asked}
            ids = {text: held[one] for text, one in keys.items() if one in held}
        else:
            raise invalid(f"Property '{key}' is not a unique identifier property")
        rows = survivors(self._sql, self._kind.name, ids.values())
        return {
            text: rows[one] for text, one in ids.items() if one in rows and not rows[one].archived
        }

    def _put(self, row: Row, values: Values) -> None:
        for name, value in values.items():
            if value is None:
                row.properties.pop(name, None)
            else:
                row.properties[name] = value
        further = row.properties.get(ADDITIONAL_EMAILS)
        if further and (email := values.get("email")):
            kept = [one for one in further.split(";") if one != email]
            row.properties[ADDITIONAL_EMAILS] = ";".join(kept) or None
        row.properties.update(derived(row.type, row.properties))
        for name in self._unique:
            if name in values:
                claim(self._sql, row.type, name, row.id, held_values(row, name))
        save(self._sql, self._portal, row)

    def _checked(self, properties: Any, problems: list[ValueProblem]) -> Values:
        if not isinstance(properties, Mapping):
            raise invalid("Invalid input JSON: `properties` must be an object")
        found: Values = {}
        for name, raw in properties.items():
            try:
                found[name] = self._value(str(name), raw)
            except ValueProblem as problem:
                problems.append(problem)
        return found

    def _value(self, name: str, raw: object) -> str | None:
        definition = self._definitions.get(name)
        if definition is None:
            message = f'Property "{name}" does not exist'
            raise ValueProblem(name, "PROPERTY_DOESNT_EXIST", message)
        if definition.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            raise ValueProblem(name, "READ_ONLY_VALUE", message)
        value = checked(definition, raw)
        return checked_email(definition, value) if name in self._kind.keys else value

    def _check_owners(self, found: Sequence[Values], problems: list[ValueProblem]) -> None:
        names = [one.name for one in self._definitions.values() if one.owners]
        wanted = {(name, text) for given in found for name in names if (text := given.get(name))}
        numbers = [number for _, text in wanted if (number := number_of(text)) is not None]
        rows = self._sql.execute(
            "SELECT id FROM owner WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers),),
        )
        known = {str(one) for (one,) in rows} if numbers else set()
        for name, text in sorted(wanted):
            if text not in known:
                message = f"Owner {text[:40]} does not exist"
                problems.append(ValueProblem(name, "INVALID_OWNER_ID", message))

    def _check_required(self, found: Sequence[Values]) -> None:
        required = [one.name for one in self._definitions.values() if one.required]
        for given in found:
            missing = [name for name in required if not given.get(name)]
            if missing:
                noun = self._kind.singular.upper()
                message = f"Error creating {noun}. Some required properties were not set."
                raise ApiProblem(400, "VALIDATION_ERROR", message, context={"properties": missing})


def held_values(row: Row, name: str) -> list[str]:
    """What a record holds of a unique property; a contact's further addresses count as well."""
    held = [row.properties.get(name) or ""]
    if row.type == "contacts" and name == "email":
        held += (row.properties.get(ADDITIONAL_EMAILS) or "").split(";")
    return [one for one in held if one]


def number_of(text: str) -> int | None:
    """The id that a text means, None when it is no id."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
