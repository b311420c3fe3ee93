"""The stable keys of changes: the same claim about the same contact is one key, for ever.

Keys are 64 hexadecimal digits. They know nothing of runs, plans or dates of delivery, so that a
claim that comes again is recognised; a person's edit that newer evidence speaks against makes a
new business version, and so a new key.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from crm_sync.mapping import JobChangeAction
from crm_sync.model import Entity, stable_key


def update_key(
    connection: str,
    contact_id: str,
    action: JobChangeAction,
    claim: str,
    edits: Iterable[tuple[str, datetime]] = (),
) -> str:
    """The key of the update of a contact; `edits` are the edited fields that it would replace."""
    versions = sorted(f"{name}@{edited_at.isoformat()}" for name, edited_at in edits)
    return stable_key(connection, Entity.CONTACT, contact_id, action, claim, *versions)


def task_key(connection: str, contact_id: str, claim: str) -> str:
    """The key of a follow-up task. A renamed or rewritten playbook rule gives no second task."""
    return stable_key(connection, Entity.TASK, contact_id, claim)
