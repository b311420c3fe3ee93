"""Which Salesforce object holds what, and what each kind of object can do."""

from __future__ import annotations

from crm_sync.connector import Entity

OBJECTS = {
    Entity.CONTACT: "Contact",
    Entity.ACCOUNT: "Account",
    Entity.COLLEAGUE: "User",
    Entity.DEAL: "Opportunity",
    Entity.TASK: "Task",
    Entity.INTERACTION: "Task",
}
"""The object that holds each entity; of interactions the main one, events are another."""

MERGED = frozenset({"account", "contact", "lead", "case"})
"""Objects whose records can be merged, and then name the survivor."""

UNDELETABLE = frozenset({"user"})
"""Objects that have no IsDeleted: their records are deactivated instead."""

ARCHIVED = frozenset({"task", "event"})
"""Objects whose old rows an ordinary query leaves out."""


def live_only(object_: str) -> tuple[bool, str]:
    """How to ask for all live rows: whether by `queryAll`, and the condition it then needs."""
    archived = object_.casefold() in ARCHIVED
    return archived, "IsDeleted = false" if archived else ""
