"""The values that go into the journal and come out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from crm_sync.model import Change, Entity, FieldChange, Operation
from crm_sync.store.states import State, Verified


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose work it is: every row and event that is written carries it."""

    connection: str
    plan_id: int
    run_id: int


PROCESS_ENDED = "PROCESS_ENDED"
"""Code of an intent whose process ended between sending it and storing the answer."""

NOBODY_TELLS = "NOT_TO_BE_FOUND"
"""Code of an unknown intent that no reading of the CRM can settle: a person has to look."""

BY_HAND = "SETTLED_BY_HAND"
"""Code of an intent of which a person said what became of it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One intended effect. `sent_at` is None when the CRM had it without our sending it.

    `settled_at` is when it came into a state other than `sending`; `modified_at` is the CRM's own
    stamp on the record when we read it back.
    """

    id: int
    key: str
    run_id: int
    plan_id: int
    state: State
    operation: Operation
    entity: Entity
    record_id: str
    contact_id: str
    fields: tuple[FieldChange, ...]
    sent_at: datetime | None
    settled_at: datetime | None
    code: str
    message: str
    verified: Verified | None
    modified_at: datetime | None

    @property
    def left_at(self) -> datetime | None:
        """When its request had left us; None if none did.

        A batch is journaled before its token is renewed and its halves are tried, so that the
        moment at which the answer was missed is the one that is never too early. A process that
        was killed left only the earlier one behind.
        """
        missed = self.state is State.UNKNOWN and self.code != PROCESS_ENDED
        return self.settled_at if missed else self.sent_at


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that is taken up, in the state in which it begins (see `states.FIRST`)."""

    change: Change
    state: State
    record_id: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """An intent's next state, and why."""

    intent: Intent
    state: State
    record_id: str = ""
    code: str = ""
    message: str = ""

    @property
    def moved(self) -> Intent:
        """The intent as it stands afterwards."""
        record_id = self.record_id or self.intent.record_id
        return replace(self.intent, state=self.state, record_id=record_id)


@dataclass(frozen=True, slots=True)
class Seen:
    """What reading an intent's record back showed; `detail` names fields, never values."""

    intent: Intent
    verified: Verified
    modified: datetime | None = None
    detail: str = ""
