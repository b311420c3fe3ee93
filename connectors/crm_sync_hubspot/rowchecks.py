"""What is known of a row to be refused before it is sent.

HubSpot refuses a whole batch for one bad value. Looking first spares the others that detour, and
says which value and why; what HubSpot alone can know is left to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from crm_sync.connector import Scalar, Write, WriteResult
from crm_sync_hubspot.describing import is_whole
from crm_sync_hubspot.records import is_id
from crm_sync_hubspot.relations import is_relation
from crm_sync_hubspot.rowanswers import rejected

if TYPE_CHECKING:
    from crm_sync_hubspot.describing import Property

LONGEST = 65_536
"""Characters that a text property of HubSpot's holds."""

_YES_NO = frozenset({"true", "false"})

Properties = Mapping[str, "Property"]


def refusals(
    writes: Sequence[Write], known: Callable[[], Properties], again: Callable[[], Properties]
) -> dict[int, WriteResult]:
    """The rows that must not be sent, by their place.

    `known` gives the properties of the object; where it condemns a row, `again` is asked once for
    fresh ones: an option may have been added since.
    """
    found = _judged(writes, known())
    return _judged(writes, again()) if found else {}


def repeated(writes: Sequence[Write]) -> dict[int, WriteResult]:
    """All but the first row about a record: HubSpot refuses a batch that repeats an id."""
    seen: set[str] = set()
    found: dict[int, WriteResult] = {}
    for place, write in enumerate(writes):
        if write.record_id in seen:
            told = "the batch names this record twice; this row was not sent"
            found[place] = rejected(write, "TWICE_IN_ONE_BATCH", told, retry=True)
        elif write.record_id:
            seen.add(write.record_id)
    return found


def no_ids(writes: Sequence[Write]) -> dict[int, WriteResult]:
    """The rows whose record cannot exist: HubSpot's ids are numbers, and others spoil a batch."""
    return {
        place: rejected(write, "OBJECT_NOT_FOUND", "this is not the id of a record")
        for place, write in enumerate(writes)
        if not is_id(write.record_id)
    }


def _judged(writes: Sequence[Write], known: Properties) -> dict[int, WriteResult]:
    found = {}
    for place, write in enumerate(writes):
        for name, value in write.fields.items():
            reason = _reason(name, value, known)
            if reason is not None:
                found[place] = rejected(write, *reason)
                break
    return found


def _reason(name: str, value: Scalar, known: Properties) -> tuple[str, str] | None:
    """A code and words about one value, or None when it may be sent."""
    if is_relation(name):
        return "PROPERTY_DOESNT_EXIST", f"{name} is a relation and is linked, not written"
    one = known.get(name.lower())
    if one is None and not is_whole(known):
        return None
    if one is None:
        return "PROPERTY_DOESNT_EXIST", f"there is no property {name}, or this app may not see it"
    if not one.writable:
        return "READ_ONLY_VALUE", f"{name} is kept by HubSpot and cannot be written"
    return None if value is None or value == "" else _unfit(name, value, one)


def _unfit(name: str, value: Scalar, one: Property) -> tuple[str, str] | None:
    if _not_an_option(one, value):
        return "INVALID_OPTION", f"{name} has no option of this value"
    if isinstance(value, float) and not math.isfinite(value):
        return "INVALID_NUMBER", f"{name}: this is not a number"
    if isinstance(value, str) and len(value) > LONGEST:
        return "INVALID_LENGTH", f"{name} holds {LONGEST} characters at most"
    return None


def _not_an_option(one: Property, value: Scalar) -> bool:
    if one.type == "bool" or one.field_type == "booleancheckbox":
        return str(value).lower() not in _YES_NO
    if one.type != "enumeration" or one.external_options or not one.options:
        return False
    chosen = str(value).split(";") if one.field_type == "checkbox" else [str(value)]
    return any(part not in one.options for part in chosen if part or len(chosen) == 1)
