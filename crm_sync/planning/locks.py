"""The human lock: what a person has edited, we keep off.

A three-way comparison per field. The base is what we last verified there, else what we first saw.
A live value that is no longer the base was edited by a person or another system, and stays until
there is evidence from a later day than the edit; even then a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from crm_sync.compare import same
from crm_sync.model import Baseline, Scalar


class LockState(StrEnum):
    """Whether a field is ours to write: never edited, edited, or edited before the evidence."""

    FREE = "free"
    LOCKED = "locked"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Lock:
    """The state of one field, since when it is edited, and the same in words."""

    state: LockState
    edited_at: datetime | None = None
    why: str = ""


FREE = Lock(LockState.FREE)


def lock_of(baseline: Baseline | None, live: Scalar, as_of: date | None) -> Lock:
    """The lock on a field with this live value, toward evidence that was true at `as_of`.

    A field that was never seen is free. Evidence of the very day of the edit, or without a date,
    is not newer.
    """
    if baseline is None:
        return FREE
    if baseline.edited_at is None:
        if same(baseline.value, live):
            return FREE
        return Lock(LockState.LOCKED, None, "somebody edited it since we last looked")
    edited = baseline.edited_at
    day = edited.date()
    if as_of is not None and as_of > day:
        why = f"somebody edited it on {day}; the evidence is newer ({as_of})"
        return Lock(LockState.REOPENED, edited, why)
    seen = f"the evidence is of {as_of}" if as_of else "the evidence has no date"
    return Lock(LockState.LOCKED, edited, f"somebody edited it on {day}; {seen}")
