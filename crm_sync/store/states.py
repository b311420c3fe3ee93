"""The life of an intent: its states, and which may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where an intent stands.

    * `planned`: certainly not carried out so far, and nothing is on its way; may be sent.
    * `sending`: committed before the first byte leaves. Found at a start, it means unknown.
    * `done`: in effect. Permanent: the same key is never sent again.
    * `rejected`: the CRM refused it.
    * `unknown`: sent, and nobody knows what became of it.
    * `conflict`: the record is no longer what the plan saw; not written.
    * `cancelled`: given up before it was sent, for a reason that is not the record's.
    """

    PLANNED = "planned"
    SENDING = "sending"
    DONE = "done"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    CANCELLED = "cancelled"


class Verified(StrEnum):
    """What reading back showed: our value, or something else."""

    CONFIRMED = "confirmed"
    DRIFT = "drift"


_TAKEN_UP = frozenset({State.SENDING, State.DONE, State.CONFLICT, State.CANCELLED})

NEXT: Mapping[State, frozenset[State]] = {
    State.PLANNED: _TAKEN_UP,
    State.SENDING: frozenset({State.DONE, State.REJECTED, State.UNKNOWN, State.PLANNED}),
    State.UNKNOWN: frozenset({State.DONE, State.REJECTED, State.CONFLICT, State.PLANNED}),
    State.REJECTED: _TAKEN_UP,
    State.CONFLICT: _TAKEN_UP,
    State.CANCELLED: _TAKEN_UP,
    State.DONE: frozenset(),
}
"""The whole table of transitions; a new intent begins in one of `FIRST`."""

FIRST = _TAKEN_UP
"""Sent, or settled without sending: already there, drifted, or given up."""

OPEN = frozenset({State.SENDING, State.UNKNOWN})
"""The CRM may hold the effect and the journal does not know: to be settled before anything else."""

TAKEABLE = frozenset(state for state, after in NEXT.items() if State.SENDING in after)
"""A plan that holds the key may take the intent up (again)."""


def before(state: State) -> frozenset[State]:
    """The states from which `state` may be reached."""
    return frozenset(earlier for earlier, after in NEXT.items() if state in after)
