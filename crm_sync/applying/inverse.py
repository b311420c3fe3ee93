"""From the intents of an undo back to the intents that they take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.model import stable_key
from crm_sync.store import journal, plans
from crm_sync.store.database import Store
from crm_sync.store.intents import Intent

if TYPE_CHECKING:
    from sqlalchemy import Connection


def undo_key(key: str, run_id: int, portion: int = 0) -> str:
    """The key of the change that takes back `key` as carried out in a run: the same every time.

    What could not be taken back at first, because a later run had written over it, is a further
    portion once that run is undone too.
    """
    return stable_key("undo", key, run_id, *([portion] if portion else []))


def originals(tx: Connection, undo_of: int | None) -> Mapping[str, Intent]:
    """The intents of the run that is taken back, by the key of the change that takes them back."""
    if undo_of is None:
        return {}
    return {undo_key(one.key, undo_of): one for one in journal.intents_of_run(tx, undo_of)}


def stamps_of(store: Store, deletes: Sequence[Intent]) -> Mapping[str, datetime]:
    """When the CRM last dated the records that these intents delete, as we read them back."""
    stamps: dict[str, datetime] = {}
    if not deletes:
        return stamps
    with store.read() as tx:
        for plan_id in dict.fromkeys(one.plan_id for one in deletes):
            found = originals(tx, plans.load_plan(tx, plan_id).undo_of)
            stamps.update({key: one.modified_at for key, one in found.items() if one.modified_at})
    return stamps
