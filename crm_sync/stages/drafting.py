"""The changes of a plan, part by part: in this process, or in a second one beside it.

Contacts do not depend on each other, so that parts of them can be planned apart and joined again.
What a part comes to is rows that are ready to be stored: small, since their texts are packed.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from crm_sync.canonical import canonical_json
from crm_sync.model import Band, Change, Entity, Evidence, JobChange
from crm_sync.planning.build import Outcome, PlanNotes, outcomes_of
from crm_sync.planning.fingerprints import Fingerprints, LookedUp
from crm_sync.planning.guards import Tally
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.tasks import AccountNames
from crm_sync.progress import Progress
from crm_sync.store import drafting
from crm_sync.store.database import Store
from crm_sync.store.drafting import Part
from crm_sync.store.plan_rows import Rows, rows_of
from crm_sync.store.planned import PlannedRow

if TYPE_CHECKING:
    from sqlalchemy import Connection as Transaction

PART = 20_000
"""Contacts judged in one part; a quarter of them may have changed job."""

SHARED_FROM = 20_000
"""Job changes from which on a second process is worth its start."""


@dataclass(frozen=True)
class Setting:
    """What is the same for all contacts; `inputs` has neither job changes nor contacts yet.

    `held` is why every job change waits for a person, where one does. With `fingerprints` it is
    noted what each contact was planned from; with `again`, what is the same is not planned again.
    """

    store: Store
    inputs: PlanInputs
    names: AccountNames
    packed: bool
    held: str = ""
    fingerprints: Fingerprints | None = None
    again: bool = False


@dataclass
class Drafted:
    """What some contacts come to.

    The changes of the contacts `kept` are those of the earlier plan, and `counts` is how often
    what is counted of them; `planned` is what the others were planned from.
    """

    rows: Rows = field(default_factory=Rows)
    tally: Tally = field(default_factory=Tally)
    left_out: Counter[str] = field(default_factory=Counter)
    job_changes: int = 0
    kept: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    planned: list[PlannedRow] = field(default_factory=list)


def draft_parts(
    setting: Setting, tx: Transaction, parts: Sequence[Part], total: int, progress: Progress
) -> list[Drafted]:
    """What the contacts of all parts come to, in the order of the parts."""
    made: dict[int, Drafted] = {}
    done = 0
    shared = total >= SHARED_FROM and len(parts) > 1 and _may_share()
    for at, drafted in _shared(setting, tx, parts) if shared else _alone(setting, tx, parts):
        done += drafted.job_changes
        progress("Planning", done, total)
        made[at] = drafted
    return [made[at] for at in range(len(parts))]


def draft_part(setting: Setting, tx: Transaction, part: Part) -> Drafted:
    """What the contacts of one part come to."""
    with _no_cycles():
        return _draft(setting, tx, part)


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Spare the search for cycles among millions of values that have none."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _draft(setting: Setting, tx: Transaction, part: Part) -> Drafted:
    made = Drafted()
    edits = drafting.edits_in(tx, setting.inputs.connection, part)
    changed: dict[str, drafting.Raw] = {}
    for raw, known in drafting.judged_in(tx, setting.inputs.connection, part):
        made.job_changes += 1
        if setting.again and _is_same(setting, (*raw, edits.get(raw[0])), known):
            made.kept.append(raw[0])
            made.counts[known[-1]] += 1
        else:
            changed[raw[0]] = raw
    _plan(setting, changed, edits, made)
    for counted, times in made.counts.items():
        tally, left_out = _counted(counted)
        made.tally.merge(tally, times)
        made.left_out.update({why: count * times for why, count in left_out.items()})
    return made


def _is_same(setting: Setting, raw: drafting.Raw, known: drafting.Raw) -> bool:
    """Whether a contact would be planned from what it was planned from the last time."""
    fingerprint, update_key, task_key, account_id, owner_id, company, _ = known
    if fingerprint is None or setting.fingerprints is None:
        return False
    looked_up = LookedUp(account_id, owner_id, company)
    return bool(setting.fingerprints.of(raw, looked_up, (update_key, task_key)) == fingerprint)


def _plan(
    setting: Setting,
    changed: Mapping[str, drafting.Raw],
    edits: Mapping[str, list[drafting.Raw]],
    made: Drafted,
) -> None:
    mapping = setting.inputs.mapping
    job_changes: dict[str, JobChange] = {}
    contacts: dict[str, ContactState] = {}
    for id, raw in changed.items():
        job_change, fields = drafting.job_change_of(raw), drafting.fields_of(raw)
        job_changes[id] = _held(job_change, setting.held) if setting.held else job_change
        if fields is not None:
            canonical = mapping.canonical_fields(Entity.CONTACT, fields)
            baselines = drafting.baselines_of(edits.get(id, ()))
            contacts[id] = ContactState(canonical, fields, baselines)
    inputs = replace(setting.inputs, job_changes=tuple(job_changes.values()), contacts=contacts)
    changes: list[Change] = []
    for outcome in outcomes_of(inputs, setting.names):
        changes += outcome.changes
        id = outcome.contact_id
        counted = _counts(outcome)
        made.counts[counted] += 1
        if setting.fingerprints is None or outcome.keys is None or id in inputs.merged_ids:
            continue  # what was merged into a contact has keys of its own, to be looked for too
        looked_up = LookedUp.by(job_changes[id], contacts[id])
        raw = (*changed[id], edits.get(id))
        fingerprint = setting.fingerprints.of(raw, looked_up, outcome.keys)
        made.planned.append((id, fingerprint, *outcome.keys, *looked_up, counted))
    made.rows = rows_of(changes, packed=setting.packed)


def _counts(outcome: Outcome) -> str:
    """What is counted of a contact, as text: few contacts differ in it."""
    one = Tally.of(outcome.changes)
    counted = [one.changes, one.auto, dict(one.tasks), one.auto_contacts, one.blanks]
    left_out = PlanNotes(tuple(outcome.left_out)).counts() if outcome.left_out else {}
    return canonical_json([counted, left_out])


@lru_cache(maxsize=65_536)
def _counted(text: str) -> tuple[Tally, Mapping[str, int]]:
    (changes, auto, tasks, auto_contacts, blanks), left_out = json.loads(text)
    return Tally(changes, auto, Counter(tasks), auto_contacts, blanks), left_out


def _held(change: JobChange, why: str) -> JobChange:
    """The same job change, for a person to decide on."""
    if change.band is not Band.AUTO:
        return change
    reason = Evidence("accounts_unread", f"Not by itself: {why}")
    return replace(change, band=Band.REVIEW, evidence=(*change.evidence, reason))


def _alone(
    setting: Setting, tx: Transaction, parts: Sequence[Part]
) -> Iterator[tuple[int, Drafted]]:
    return ((at, draft_part(setting, tx, part)) for at, part in enumerate(parts))


# A second process. It is forked, so that it has all that it needs, and opens the store anew.

_GIVEN = 2
"""Parts that the other process has at a time: one in hand, and the next."""

_setting: Setting | None = None


def _may_share() -> bool:
    """Whether a process can be forked here and would have a core of its own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return sys.platform == "linux" and cores > 1


def _shared(
    setting: Setting, tx: Transaction, parts: Sequence[Part]
) -> Iterator[tuple[int, Drafted]]:
    """The other process takes the parts from the beginning, this one from the end.

    A part at which the other one failed is done again here: so an error is told as it always is.
    """
    left = deque(range(len(parts)))
    given: deque[tuple[int, Future[Drafted] | None]] = deque()
    with _helper(setting) as pool:
        while left or given:
            while left and len(given) < _GIVEN:
                at = left.popleft()
                given.append((at, _give(pool, parts[at])))
            if left:
                at = left.pop()
                yield at, draft_part(setting, tx, parts[at])
            while given and (not left or _is_done(given[0][1])):
                at, future = given.popleft()
                yield at, _result(future) or draft_part(setting, tx, parts[at])


@contextmanager
def _helper(setting: Setting) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(setting,))
    try:
        yield pool
    except BaseException:
        for process in list(pool._processes.values()):
            process.terminate()  # what it does is of no use any more
        raise
    finally:
        pool.shutdown()


def _begin(setting: Setting) -> None:
    global _setting  # noqa: PLW0603 - one process, one setting
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _setting = replace(setting, store=Store.open(setting.store.path))


def _help(part: Part) -> Drafted:
    assert _setting is not None  # noqa: S101 - set when the process began
    with _setting.store.read() as tx:
        return draft_part(_setting, tx, part)


def _give(pool: ProcessPoolExecutor, part: Part) -> Future[Drafted] | None:
    try:
        return pool.submit(_help, part)
    except BrokenProcessPool:
        return None


def _is_done(future: Future[Drafted] | None) -> bool:
    return future is None or future.done()


def _result(future: Future[Drafted] | None) -> Drafted | None:
    try:
        return None if future is None else future.result()
    except Exception:
        return None
