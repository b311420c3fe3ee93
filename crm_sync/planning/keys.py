"""The stable keys of changes: the same claim about the same contact is one key, for ever.

Keys are 64 hexadecimal digits. They know nothing of runs, plans, connections or dates of delivery,
so that a claim that comes again is recognised; a person's edit that newer evidence speaks against
makes a new business version, and so a new key.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from crm_sync.mapping import JobChangeAction
from crm_sync.model import Entity, JobChange, JobChangeKind, Operation, stable_key
from crm_sync.normalise.companies import company_key
from crm_sync.normalise.titles import title_key


def claim_of(job_change: JobChange) -> str:
    """What is claimed, whoever claims it, when, and in which spelling: 64 hexadecimal digits.

    Who moved went from one company to another; who was retitled has that title now; who left is
    no longer there. Neither the day nor, for a move, the title over there makes another claim.
    """
    parts = [job_change.kind.value, _company(job_change.before.organisation)]
    if job_change.kind is JobChangeKind.MOVED:
        parts.append(_company(job_change.after.organisation))
    elif job_change.kind is JobChangeKind.RETITLED:
        title = job_change.after.title
        parts.append(title_key(title) or title.strip().casefold())
    return stable_key(*parts)


@lru_cache(maxsize=65_536)
def _company(name: str) -> str:
    """A name without a letter or digit has no key: it is compared as it stands."""
    return company_key(name) or name.strip()


def update_key(
    contact_id: str,
    action: JobChangeAction,
    claim: str,
    edits: Iterable[tuple[str, datetime]] = (),
) -> str:
    """The key of the update of a contact; `edits` are the edited fields that it would replace.

    The name of the connection is no part of it, so that renaming it makes no second task: ids are
    unique within a CRM, and what is done or rejected is kept per connection all the same.
    """
    versions = sorted(f"{name}@{edited_at.isoformat()}" for name, edited_at in edits)
    return stable_key(Entity.CONTACT, contact_id, action, claim, *versions)


def task_key(contact_id: str, claim: str) -> str:
    """The key of a follow-up task. A renamed or rewritten playbook rule gives no second task."""
    return stable_key(Entity.TASK, contact_id, claim)


def link_key(task: str, name: str) -> str:
    """The key of a task's link by our name for it; to whom it goes is the task's business."""
    return stable_key(task, Operation.LINK, name)
