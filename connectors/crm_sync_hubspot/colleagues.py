"""Colleagues: the portal's owners. They are few, and always read as a whole.

A user who was deactivated is an archived owner, and stays a record whose `active` is false: the
records that she owned still name her.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from crm_sync.connector import (
    ConfigError,
    Entity,
    FieldSpec,
    FieldType,
    Gone,
    Page,
    Record,
    Scalar,
)
from crm_sync_hubspot import cursor as cursors
from crm_sync_hubspot.cursor import Cursor, Phase
from crm_sync_hubspot.objects import OWNERS
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.records import id_of, moment_of, next_after, rows_of

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient
    from crm_sync_hubspot.conditions import Condition
    from crm_sync_hubspot.http import Answer

_PAGE = 500
"""The most owners that HubSpot gives at once."""

_TYPES = {
    "id": FieldType.TEXT,
    "email": FieldType.TEXT,
    "firstName": FieldType.TEXT,
    "lastName": FieldType.TEXT,
    "name": FieldType.TEXT,
    "active": FieldType.CHECKBOX,
    "userId": FieldType.NUMBER,
    "type": FieldType.TEXT,
    "createdAt": FieldType.DATETIME,
    "updatedAt": FieldType.DATETIME,
}
_BY_LOWER = {name.lower(): name for name in _TYPES}

SPECS: tuple[FieldSpec, ...] = tuple(
    FieldSpec(
        Entity.COLLEAGUE,
        name,
        type_,
        label=name[0].upper() + name[1:],
        createable=False,
        updateable=False,
        unique=name == "id",
    )
    for name, type_ in _TYPES.items()
)
"""What is known of an owner. `name` and `active` are made of what HubSpot says."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Reads some fields of the portal's owners."""

    client: HubSpotClient
    fields: Sequence[str]

    def pages(self, stored: str | None, where: Condition | None) -> Iterator[Page]:
        """All owners, active ones first; with a cursor of a complete pull, all of them again.

        With `where` and such a cursor, those that do not satisfy it are told as gone.
        """
        _known([*self.fields, *(where.names if where else ())])
        at = cursors.load(stored, OWNERS) if stored else Cursor(OWNERS)
        if at.complete:
            at = cursors.following(at, Phase.LIST)
        while not at.complete:
            archived = at.phase is Phase.ARCHIVED
            answer = self._page(at.after, archived=archived)
            rows, after = rows_of(answer.body), next_after(answer.body)
            phase = at.phase
            if not after or after == at.after:
                after, phase = "", Phase.DONE if archived else Phase.ARCHIVED
            at = replace(at, then=at.then or answer.asked_at, after=after, phase=phase)
            kept = [row for row in rows if where is None or where.holds(partial(_value, row))]
            inside = {id_of(row) for row in kept}
            left = {id_of(row) for row in rows} - inside if at.since else set()
            yield Page(
                [self._record(row) for row in kept],
                [Gone(Entity.COLLEAGUE, id) for id in sorted(left)],
                cursors.dump(at),
                complete=at.complete,
            )

    def read(self, ids: Sequence[str]) -> list[Record]:
        """The owners of these ids, deactivated ones too."""
        wanted = set(ids)
        return [one for one in self._all() if one.id in wanted]

    def find(self, field: str, values: Sequence[str]) -> list[Record]:
        """The owners whose field is one of the values, whatever the letter case."""
        wanted = {value.strip().lower() for value in values if value.strip()}
        return [one for one in self._all() if str(one.fields[field] or "").lower() in wanted]

    def _all(self) -> Iterator[Record]:
        for page in self.pages(None, None):
            yield from page.records

    def _page(self, after: str, *, archived: bool) -> Answer:
        params = {"limit": str(_PAGE), "archived": "true" if archived else "false"}
        if after:
            params["after"] = after
        return self.client.call("GET", path("owners"), params=params)

    def _record(self, row: Mapping[str, Any]) -> Record:
        return Record(
            entity=Entity.COLLEAGUE,
            id=id_of(row),
            fields={name: _value(row, name) for name in self.fields},
            modified=moment_of(row.get("updatedAt")),
        )


def _known(names: Sequence[str]) -> None:
    absent = next((name for name in names if name.lower() not in _BY_LOWER), None)
    if absent is not None:
        raise ConfigError(
            f"owners have no field {absent[:100]!r}",
            fix=f"The fields of owners: {', '.join(_TYPES)}.",
        )


def _value(row: Mapping[str, Any], name: str) -> Scalar:
    known = _BY_LOWER[name.lower()]
    if known == "name":
        parts = (row.get("firstName"), row.get("lastName"))
        return " ".join(str(part).strip() for part in parts if part) or None
    if known == "active":
        return "false" if row.get("archived") is True else "true"
    if known == "userId":
        # A deactivated user keeps her number under another name.
        number = row.get("userId") or row.get("userIdIncludingInactive")
        return str(number) if number else None
    value = row.get(known)
    return str(value) if isinstance(value, str | int) and value != "" else None
