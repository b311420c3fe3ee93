"""What a change was judged by, beside the fields that it writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import FieldChange

if TYPE_CHECKING:
    from crm_sync.planning.inputs import ContactState

WATCHED = ("title", "account_id")
"""Title and employer of the contact: the verdict is about them, so that it falls with them."""


def watched(
    fields: Sequence[tuple[str, str, str]],
    state: ContactState,
    written: Iterable[FieldChange] = (),
) -> tuple[FieldChange, ...]:
    """Title and account of the contact as they are now, save those that are `written`.

    `fields` are those of `watched_fields`. For a task `written` are the fields of the update that
    goes before it. A field that the CRM did not give cannot be compared later, and is left out.
    """
    taken = {folded(change.crm_field) for change in written}
    live = state.live
    return tuple(
        [
            FieldChange(name, field, live[field], live[field])
            for name, field, as_folded in fields
            if field in live and as_folded not in taken
        ]
    )


def watched_fields(mapping: CrmMapping) -> tuple[tuple[str, str, str], ...]:
    """The fields to watch: our name, the CRM's, and that one without letter case."""
    read = mapping.model.contact.read
    return tuple((name, read[name], folded(read[name])) for name in WATCHED if name in read)


@lru_cache(maxsize=1024)
def folded(crm_field: str) -> str:
    """A field's name as it is compared: the CRM tells no letter case apart."""
    return crm_field.casefold()
