"""Reading back what was done, and only then moving the base of the human lock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from crm_sync.applying.verdicts import is_linked, shown
from crm_sync.applying.work import Work, read_live
from crm_sync.model import Entity, Operation, Record, Scalar
from crm_sync.store import baselines, journal_entries
from crm_sync.store.intents import Intent, Seen
from crm_sync.store.states import Verified

LATE = timedelta(seconds=60)
"""A stamp that is further than this, and the settling, from the sending may be somebody else's."""


Live = Mapping[tuple[Entity, str], Record]


def verify(work: Work, done: Sequence[Intent], *, late: bool = False) -> Live:
    """Read the records behind these intents once, and store what they show.

    A field that holds our value gets it as its baseline, in the same transaction; one that does
    not is drift and keeps the base it had, so that whoever changed it is respected. What the CRM
    held without our sending it moves no baseline: it is not our field.

    With `late` (not right after the sending), a record's stamp is believed only if it is about as
    old as the sending, by our clock: undo deletes nothing on a stamp that may be a person's.
    Returns what was read.
    """
    if not done:
        return {}
    live = read_live(work.crm, done)
    seen = [_seen(work, one, live.get((one.entity, one.record_id)), late=late) for one in done]
    bases: dict[Entity, dict[str, dict[str, Scalar]]] = defaultdict(dict)
    for one in done:
        record = live.get((one.entity, one.record_id))
        if record is not None and one.operation is Operation.UPDATE and one.sent_at is not None:
            bases[one.entity].setdefault(one.record_id, {}).update(shown(one.fields, record))
    _store(work, seen, bases)
    return live


def _store(
    work: Work, seen: Sequence[Seen], bases: Mapping[Entity, Mapping[str, Mapping[str, Scalar]]]
) -> None:
    at = work.now()
    with work.store.begin() as tx:
        journal_entries.note_seen(tx, work.scope.run_id, seen, at)
        for entity, values in bases.items():
            baselines.verified_many(tx, work.scope.connection, entity, values, at)


def _seen(work: Work, one: Intent, live: Record | None, *, late: bool) -> Seen:
    if one.operation is Operation.DELETE:
        if live is None:
            return Seen(one, Verified.CONFIRMED)
        return Seen(one, Verified.DRIFT, detail="still in the CRM")
    if live is None:
        return Seen(one, Verified.DRIFT, detail="no longer in the CRM")
    stamp = live.modified if not late or _prompt(work, one, live.modified) else None
    if one.operation is Operation.LINK:
        other = [] if is_linked(one.fields, live) else [one.fields[0].crm_field]
    else:
        ours = shown(one.fields, live)
        other = [field.crm_field for field in one.fields if field.crm_field not in ours]
    if other:
        return Seen(one, Verified.DRIFT, stamp, f"another value in: {', '.join(other)}")
    return Seen(one, Verified.CONFIRMED, stamp)


def _prompt(work: Work, one: Intent, modified: datetime | None) -> bool:
    if modified is None or one.sent_at is None:
        return False
    settle = timedelta(seconds=work.crm.capabilities.settle_seconds)
    return abs(modified - one.sent_at) <= settle + LATE
