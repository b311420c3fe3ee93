"""Pull cursors: opaque to the core, versioned, and good after a crash at any page."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from crm_sync.connector import PositionLost

VERSION = 1
_PREFIX = "sf1."

OVERLAP = timedelta(minutes=15)
"""Rows become visible some time after the moment that their SystemModstamp names."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a pull stands; moments are aware, in UTC.

    `since` bounds the pull that is under way (None: everything). `then` is where the next pull
    begins. `next_path` is the page to go on with; empty when the pull is complete.
    """

    object: str
    since: datetime | None
    then: datetime
    next_path: str = ""

    @property
    def complete(self) -> bool:
        """Whether the pull that wrote this cursor saw its last page."""
        return not self.next_path


def next_start(asked_at: datetime) -> datetime:
    """Where the pull after this one begins, by the server's clock."""
    return asked_at.astimezone(UTC).replace(microsecond=0) - OVERLAP


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
        cursor = Cursor(
            object=str(state["object"]),
            since=_moment(state["since"]) if state["since"] else None,
            then=_moment(state["then"]),
            next_path=str(state["next_path"]),
        )
    except (ValueError, KeyError, TypeError):
        raise PositionLost(
            f"the stored position of the {object_} pull cannot be read",
            fix="Pull everything again: crm-sync pull --full",
        ) from None
    if cursor.object.casefold() != object_.casefold():
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
    return moment
