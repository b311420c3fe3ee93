"""Which HubSpot object holds what, and what each kind of object can do."""

from __future__ import annotations

from collections.abc import Mapping

from crm_sync.connector import ConfigError, Entity

OBJECTS: Mapping[Entity, str] = {
    Entity.CONTACT: "contacts",
    Entity.ACCOUNT: "companies",
    Entity.COLLEAGUE: "owners",
    Entity.DEAL: "deals",
    Entity.TASK: "tasks",
}
"""The object that holds each entity. Interactions are held by several: see `INTERACTIONS`."""

INTERACTIONS = ("emails", "calls", "meetings", "notes", "tasks")
"""The objects that hold interactions. Their ids are unique per object only."""

OWNERS = "owners"
"""Colleagues: no CRM object of HubSpot's own, and read by other means."""

TYPE_IDS: Mapping[str, str] = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tasks": "0-27",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
}
"""HubSpot's own name for each type of object, as in the addresses of its pages."""

MERGED = frozenset({"contacts", "companies", "deals"})
"""Objects whose records can be merged, and then name what was merged into them."""

MERGED_IDS = "hs_merged_object_ids"
OBJECT_ID = "hs_object_id"

_COMMERCIAL = ("contacts", "companies", "deals")

RELATED: Mapping[str, tuple[str, ...]] = {
    "contacts": ("companies", "deals"),
    "companies": ("contacts", "deals"),
    "deals": ("contacts", "companies"),
    **dict.fromkeys(INTERACTIONS, _COMMERCIAL),
}
"""The objects whose ids can be read through associations, by the object that has them."""

PRIMARY: Mapping[tuple[str, str], int] = {("contacts", "companies"): 1, ("deals", "companies"): 5}
"""HubSpot's association type of the primary one among several, by both ends."""


def modified_property(object_: str) -> str:
    """The property that says when a record was last changed, and by which changes are found."""
    return "lastmodifieddate" if object_ == "contacts" else "hs_lastmodifieddate"


def object_of(entity: Entity, object_name: str = "") -> str:
    """The object that holds an entity, in HubSpot's plural spelling.

    Raises `ConfigError` when the entity needs a name and has none, or the name is not known.
    """
    known = INTERACTIONS if entity is Entity.INTERACTION else (OBJECTS[entity],)
    name = object_name.strip().lower()
    if not name and len(known) == 1:
        return known[0]
    if name not in known:
        named = f"no {object_name[:80]!r} object" if name else "no one object"
        raise ConfigError(
            f"HubSpot has {named} for {entity.value}s", fix=f"Name {_one_of(known)} in the mapping."
        )
    return name


def _one_of(names: tuple[str, ...]) -> str:
    return " or ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} or {names[-1]}"
