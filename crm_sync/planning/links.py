"""The links of a task: what a CRM keeps as a relation is made after the task, each on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crm_sync.compare import is_blank
from crm_sync.mapping import WriteField
from crm_sync.model import Change, FieldChange, Operation, Scalar
from crm_sync.planning.keys import link_key


def links_of(
    task: Change, links: Mapping[str, WriteField], values: Mapping[str, Scalar]
) -> Iterator[Change]:
    """One change for each relation of this task that has another end; `values` are by our names.

    A link has no say of its own: it is approved, rejected and undone with its task, and what
    justifies it stands there.
    """
    for name, write in links.items():
        other = values.get(name)
        if is_blank(other):
            continue
        yield Change(
            key=link_key(task.key, name),
            operation=Operation.LINK,
            entity=task.entity,
            record_id="",
            contact_id=task.contact_id,
            kind=task.kind,
            fields=(FieldChange(name, write.field, None, other),),
            disposition=task.disposition,
            reason=task.reason,
            confidence=task.confidence,
            requires=task.key,
            rule=task.rule,
        )
