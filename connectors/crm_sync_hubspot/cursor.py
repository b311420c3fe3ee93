"""Pull cursors: opaque to the core, versioned, and good after a crash at any page."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

from crm_sync.connector import PositionLost

_PREFIX = "hs1."


class Phase(StrEnum):
    """What a pull reads next."""

    LIST = "list"
    SEARCH = "search"
    ARCHIVED = "archived"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a pull stands; moments are aware, in UTC.

    `since` bounds the pull that is under way (None: everything). `then` is where the next pull
    begins, by the server's clock; None only before the first answer, and never stored so.
    `after` is what the phase has read up to: HubSpot's own token, or the last id of a search.
    `total` is how many records the pull expects, where HubSpot said so.
    """

    object: str
    phase: Phase = Phase.LIST
    since: datetime | None = None
    then: datetime | None = None
    after: str = ""
    total: int | None = None

    @property
    def complete(self) -> bool:
        """Whether the pull that wrote this cursor saw its last page."""
        return self.phase is Phase.DONE


def following(last: Cursor, phase: Phase) -> Cursor:
    """The start of the pull after a complete one."""
    return Cursor(last.object, phase, since=last.then)


def dump(cursor: Cursor) -> str:
    """The cursor as the core stores it."""
    state = {name: _plain(value) for name, value in asdict(cursor).items()}
    return _PREFIX + base64.urlsafe_b64encode(json.dumps(state).encode()).decode()


def load(text: str, object_: str) -> Cursor:
    """The cursor of a pull of this object. Raises `PositionLost` when it is not one."""
    try:
        if not text.startswith(_PREFIX):
            raise ValueError
        state = json.loads(base64.urlsafe_b64decode(text.removeprefix(_PREFIX)))
        total = state["total"]
        cursor = Cursor(
            object=str(state["object"]),
            phase=Phase(state["phase"]),
            since=_moment(state["since"]) if state["since"] else None,
            then=_moment(state["then"]),
            after=str(state["after"]),
            total=None if total is None else int(total),
        )
    except (ValueError, KeyError, TypeError):
        raise PositionLost(
            f"the stored position of the {object_} pull cannot be read",
            fix="Pull everything again: crm-sync pull --full",
        ) from None
    if cursor.object != object_:
        raise PositionLost(
            f"the stored position belongs to {cursor.object[:80]}, not to {object_}",
            fix="Pull everything again: crm-sync pull --full",
        )
    return cursor


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)
