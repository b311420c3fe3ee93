"""When a pull reads everything rather than what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm_sync.model import Entity
from crm_sync.store.records import SavedCursor


class Why(StrEnum):
    """Why a pull reads everything."""

    FIRST = "first"
    OTHER = "other"
    RESUMED = "resumed"
    ASKED = "asked"
    LOST = "lost"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Whole:
    """A pull of everything; `last` is when the one before it began, None where not known."""

    entity: Entity
    why: Why
    last: datetime | None = None

    @property
    def reason(self) -> str:
        """Why, in words."""
        last = f"the last time was {self.last:%Y-%m-%d}" if self.last else "it is not known when"
        reasons = {
            Why.FIRST: "for the first time",
            Why.OTHER: "the mapping asks for something else than before",
            Why.RESUMED: "going on where it was interrupted",
            Why.ASKED: "--full",
            Why.LOST: "the stored position cannot be used any more",
            Why.DUE: f"full_pull_days: {last}",
        }
        return reasons[self.why]


@dataclass(frozen=True, slots=True)
class Ask:
    """How much to read: everything if `full`, or when `days` have passed since (0: never)."""

    full: bool = False
    days: int = 0

    def why_whole(self, saved: SavedCursor | None, now: datetime, *, known: bool) -> Why | None:
        """Why the next pull is a whole one, None if it asks for what changed.

        `known` says that something of the entity was read before, if under other terms.
        """
        if saved is None:
            return Why.OTHER if known else Why.FIRST
        if saved.whole_since is not None:  # only as the same one has it seen everything
            return Why.RESUMED
        if self.full:
            return Why.ASKED
        return Why.DUE if self._is_due(saved.whole_at, now) else None

    def _is_due(self, last: datetime | None, now: datetime) -> bool:
        """By the date: a run that begins a little earlier than the one before is not put off."""
        if not self.days:
            return False
        return last is None or (now.date() - last.date()).days >= self.days


CHANGES = Ask()
"""What changed; everything only where nothing was read before, or not to its end."""
