"""What a live record says about a change: may it be sent, was it carried out. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_sync.compare import holds_id, same
from crm_sync.model import FieldChange, Record, Scalar
from crm_sync.store.states import State

GONE = "RECORD_GONE"
DRIFT = "DRIFT"
TOUCHED = "TOUCHED"
ALREADY = "ALREADY_THERE"
NOT_SHOWN = "NOT_CARRIED_OUT"
EARLIER = "EARLIER_WRITE_OPEN"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that follows, in a code and in words that name fields but no values.

    `planned` means: go on and send it.
    """

    state: State
    code: str = ""
    message: str = ""


SEND = Verdict(State.PLANNED)
NO_TASK = Verdict(State.CONFLICT, GONE, "the task is no longer in the CRM")
BUSY = Verdict(
    State.CONFLICT,
    EARLIER,
    "an earlier write to this record has no known outcome yet\nApply again once it has.",
)


def holds(live: Record, field: FieldChange) -> bool:
    """Whether the live field has the new value."""
    return same(live.fields.get(field.crm_field), field.after)


def untouched(live: Record, field: FieldChange) -> bool:
    """Whether the live field still has the value that the plan saw."""
    return same(live.fields.get(field.crm_field), field.before)


def as_planned(fields: Iterable[FieldChange], live: Record) -> bool:
    """Whether every live field still has the value that the plan saw."""
    return all(untouched(live, field) for field in fields)


def before_update(
    fields: Sequence[FieldChange], live: Record | None, watched: Sequence[FieldChange] = ()
) -> Verdict:
    """Read just before sending: any field that is no longer `before` stops the whole change.

    So does one of `watched`, which the change was judged by: its grounds are no longer there.
    """
    if live is not None and all(holds(live, field) for field in fields):
        return Verdict(State.DONE, ALREADY, "the CRM already holds these values")
    return unless_drifted([*fields, *watched], live)


def unless_drifted(fields: Sequence[FieldChange], live: Record | None) -> Verdict:
    """Go on if the record is there and every field is as the plan saw it."""
    if live is None:
        return Verdict(State.CONFLICT, GONE, "the record is no longer in the CRM")
    drifted = dict.fromkeys(field.crm_field for field in fields if not untouched(live, field))
    if drifted:
        return Verdict(State.CONFLICT, DRIFT, f"changed since the plan: {', '.join(drifted)}")
    return SEND


def before_delete(
    fields: Sequence[FieldChange], live: Record | None, stamp: datetime | None
) -> Verdict:
    """Only a record that nobody has touched since we made it may be deleted.

    `stamp` is the CRM's date on it when we read it back. A CRM that dates to the second shows an
    edit made in that very second only through the fields that we wrote ourselves.
    """
    if live is None:
        return Verdict(State.DONE, GONE, "the record is no longer in the CRM")
    edited = [field.crm_field for field in fields if not untouched(live, field)]
    if edited:
        return Verdict(State.CONFLICT, TOUCHED, f"edited since it was made: {', '.join(edited)}")
    if stamp is None or live.modified is None:
        return Verdict(State.CONFLICT, TOUCHED, "the CRM does not say whether anyone has edited it")
    if live.modified > stamp:
        return Verdict(State.CONFLICT, TOUCHED, "edited since it was made")
    return SEND


def is_final(verdict_state: State, code: str) -> bool:
    """Whether a write without an answer is known by this, however late it may still come."""
    return verdict_state is State.DONE or (verdict_state is State.CONFLICT and code == GONE)


def after_update(fields: Sequence[FieldChange], live: Record | None) -> Verdict:
    """What became of an update without an answer; `planned` means that it did not arrive.

    A record is written as a whole: one field with a value that only we were about to give it
    shows that the write took effect, even when a person has edited another field since.
    """
    if live is None:
        return Verdict(State.CONFLICT, GONE, "the record is no longer in the CRM")
    if any(holds(live, field) and not same(field.before, field.after) for field in fields):
        return Verdict(State.DONE, message="read back: it was carried out")
    if as_planned(fields, live):
        return Verdict(State.PLANNED, NOT_SHOWN, "read back: it was not carried out")
    edited = [field.crm_field for field in fields if not untouched(live, field)]
    return Verdict(State.CONFLICT, DRIFT, f"edited meanwhile: {', '.join(edited)}")


def after_delete(
    fields: Sequence[FieldChange], live: Record | None, stamp: datetime | None
) -> Verdict:
    """What became of a delete without an answer."""
    if live is None:
        return Verdict(State.DONE, message="read back: it was carried out")
    found = before_delete(fields, live, stamp)
    if found is SEND:
        return Verdict(State.PLANNED, NOT_SHOWN, "read back: it was not carried out")
    return found


def is_linked(fields: Sequence[FieldChange], live: Record) -> bool:
    """Whether the task's relation names the other end."""
    return all(holds_id(live.fields.get(field.crm_field), field.after) for field in fields)


def before_link(fields: Sequence[FieldChange], live: Record | None) -> Verdict:
    """A link that is there already need not be made; a task that is gone cannot be linked."""
    if live is not None and is_linked(fields, live):
        return Verdict(State.DONE, ALREADY, "linked already")
    return NO_TASK if live is None else SEND


def after_link(fields: Sequence[FieldChange], live: Record | None) -> Verdict:
    """What became of a link without an answer."""
    if live is None:
        return NO_TASK
    if is_linked(fields, live):
        return Verdict(State.DONE, message="read back: it was carried out")
    return Verdict(State.PLANNED, NOT_SHOWN, "read back: it was not carried out")


def shown(fields: Sequence[FieldChange], live: Record) -> Mapping[str, Scalar]:
    """The written fields that hold our value, with the value as this CRM spells it."""
    return {
        field.crm_field: live.fields.get(field.crm_field) for field in fields if holds(live, field)
    }
