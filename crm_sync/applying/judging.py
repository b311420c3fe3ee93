"""What the CRM says about each change of a batch, just before it would be sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_sync.applying.reconcile import find_tasks
from crm_sync.applying.verdicts import (
    ALREADY,
    BUSY,
    SEND,
    Verdict,
    as_planned,
    before_delete,
    before_link,
    before_update,
    unless_drifted,
)
from crm_sync.applying.work import Work, read_contacts, read_live
from crm_sync.model import Change, Entity, Operation, Record
from crm_sync.store import copies, journal
from crm_sync.store.intents import Entry, Intent
from crm_sync.store.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry, and the record that was just read to judge it; None where none was, or is."""

    entry: Entry
    seen: Record | None = None


def judge(work: Work, batch: Sequence[Change], bases: Mapping[str, Intent]) -> list[Judged]:
    """What becomes of each change of a batch of one operation, by what the CRM says now.

    `bases` are the intents that changes rest on (see `send.carry_out`). Reads only.
    """
    if batch[0].operation is Operation.CREATE:
        return _creates(work, batch)
    if batch[0].operation is Operation.LINK:
        return _links(work, batch)
    with work.store.read() as tx:
        left_open = journal.open_intents(tx, work.scope.connection)
    # A link stands in nobody's way: it writes no field, and goes with its task.
    left_open = [one for one in left_open if one.operation is not Operation.LINK]
    busy = {(one.entity, one.record_id) for one in left_open if one.record_id}
    live = read_live(work.crm, batch)
    judged = []
    for change in batch:
        at = (change.entity, change.record_id)
        seen = live.get(at)
        if at in busy:
            # Whichever of the two lands last would win; and what is there may be our own.
            verdict, seen = BUSY, None
        elif change.operation is Operation.DELETE:
            original = bases.get(change.key)
            verdict = before_delete(change.fields, seen, original.modified_at if original else None)
        else:
            verdict = before_update(change.fields, seen, change.watched)
        judged.append(Judged(_entry(change, verdict), seen))
    return judged


def _links(work: Work, batch: Sequence[Change]) -> list[Judged]:
    """Read just before, so that what is linked is not linked again, and a gone task is told."""
    live = read_live(work.crm, batch)
    judged = []
    for change in batch:
        seen = live.get((change.entity, change.record_id))
        judged.append(Judged(_entry(change, before_link(change.fields, seen)), seen))
    return judged


def _creates(work: Work, batch: Sequence[Change]) -> list[Judged]:
    """A task that was tried before is looked for by its key: a late write may have made it.

    It is not written again, since a colleague may have worked on it. A key that the journal has
    never seen is not looked for, which would cost more calls than the creating: should the CRM
    have it all the same (from a database that was lost), it refuses the second and the task is
    found then.

    A task that stands alone is checked against its contact. Where it requires an update, that one
    has been.
    """
    found: Mapping[str, Record] = {}
    keyed = [change.key for change in batch if work.search_field(change)]
    with work.store.read() as tx:
        tried = journal.states(tx, work.scope.connection, keyed)
    if tried:
        found = find_tasks(work, list(tried))
    there = Verdict(State.DONE, ALREADY, "a task with this key exists")
    alone = [one for one in batch if one.watched and not one.requires and one.key not in found]
    contacts = read_contacts(work.crm, alone)
    seen = {one.key: contacts.get(one.contact_id) for one in alone}
    grounds = {one.key: unless_drifted(one.watched, seen[one.key]) for one in alone}
    return [
        Judged(_entry(one, there, found[one.key].id))
        if one.key in found
        else Judged(_entry(one, grounds.get(one.key, SEND)), seen.get(one.key))
        for one in batch
    ]


def _entry(change: Change, verdict: Verdict, record_id: str = "") -> Entry:
    if verdict == SEND:
        return Entry(change, State.SENDING)
    return Entry(change, verdict.state, record_id, verdict.code, verdict.message)


def note_news(work: Work, tx: Connection, judged: Sequence[Judged]) -> None:
    """Keep what was read of records that are no longer as the plan saw them.

    The next plan judges by it, also where a CRM does not date what a person changed and no pull
    would bring it.
    """
    news: dict[Entity, list[Record]] = defaultdict(list)
    for one in judged:
        change, seen = one.entry.change, one.seen
        looked_at = change.fields if change.operation is Operation.UPDATE else ()
        if seen is not None and not as_planned((*looked_at, *change.watched), seen):
            news[seen.entity].append(seen)
    for entity, records in news.items():
        copies.note_read(tx, work.scope.connection, entity, records, work.now())
