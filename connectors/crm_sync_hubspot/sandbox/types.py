"""The kinds of records that a portal has, under all the names that paths use for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crm_sync_hubspot.sandbox.problems import not_found


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One kind: `name` is the plural that tables use, `type_id` what HubSpot numbers it.

    `created` and `modified` name the properties that tell when; `shown` is what an answer holds
    when no property is asked for; `keys` are the standard properties whose value may be there
    once, without regard to case.
    """

    name: str
    singular: str
    type_id: str
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    shown: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


TYPES: Mapping[str, ObjectType] = {
    one.name: one
    for one in (
        ObjectType(
            "contacts",
            "contact",
            "0-1",
            "createdate",
            "lastmodifieddate",
            ("email", "firstname", "lastname"),
            ("email",),
        ),
        ObjectType("companies", "company", "0-2", "createdate", shown=("domain", "name")),
        ObjectType(
            "deals",
            "deal",
            "0-3",
            "createdate",
            shown=("amount", "closedate", "dealname", "dealstage", "pipeline"),
        ),
        ObjectType("emails", "email", "0-49"),
        ObjectType("calls", "call", "0-48"),
        ObjectType("meetings", "meeting", "0-47"),
        ObjectType("notes", "note", "0-46"),
        ObjectType("tasks", "task", "0-27"),
    )
}
"""By plural name, in the order in which files are loaded."""

ENGAGEMENTS = ("emails", "calls", "meetings", "notes", "tasks")

_ALIASES = {alias: one for one in TYPES.values() for alias in (one.name, one.singular, one.type_id)}


def resolve(name: str) -> ObjectType:
    """The kind of that name (`contacts`, `contact`, `0-1`). Raises the 404 of an unknown one."""
    found = _ALIASES.get(name.lower())
    if found is None:
        raise not_found(f"Unable to infer object type from: {name}")
    return found
