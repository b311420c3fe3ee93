"""What a change was judged by, beside the fields that it writes."""

from __future__ import annotations

from collections.abc import Iterable

from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import FieldChange
from crm_sync.planning.inputs import ContactState

WATCHED = ("title", "account_id")
"""Title and employer of the contact: the verdict is about them, so that it falls with them."""


def watched(
    mapping: CrmMapping, state: ContactState, written: Iterable[FieldChange] = ()
) -> tuple[FieldChange, ...]:
    """Title and account of the contact as they are now, save those that are `written`.

    For a task `written` are the fields of the update that goes before it. A field that the CRM
    did not give cannot be compared later, and is left out.
    """
    fields = ((name, mapping.model.contact.read.get(name)) for name in WATCHED)
    taken = {change.crm_field.casefold() for change in written}
    return tuple(
        FieldChange(name, field, state.live[field], state.live[field])
        for name, field in fields
        if field is not None and field in state.live and field.casefold() not in taken
    )
