"""The changes of a plan, part by part: in this process, or in a second one beside it.

Contacts do not depend on each other, so that parts of them can be planned apart and joined again.
What a part comes to is rows that are ready to be stored: small, since their texts are packed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crm_sync.model import Band, Entity, Evidence, JobChange
from crm_sync.planning.guards import Tally
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.tasks import AccountNames
from crm_sync.progress import Progress
from crm_sync.store import drafting
from crm_sync.store.database import Store
from crm_sync.store.drafting import Part
from crm_sync.store.plan_rows import Rows, rows_of

if TYPE_CHECKING:
    from sqlalchemy import Connection as Transaction

PART = 20_000
"""Contacts judged in one part; a quarter of them may have changed job."""

SHARED_FROM = 20_000
"""Job changes from which on a second process is worth its start."""


@dataclass(frozen=True)
class Setting:
    """What is the same for all contacts; `inputs` has neither job changes nor contacts yet.

    `held` is why every job change waits for a person, where one does.
    """

    store: Store
    inputs: PlanInputs
    names: AccountNames
    packed: bool
    held: str = ""


@dataclass
class Drafted:
    """What some contacts come to."""

    rows: Rows = field(default_factory=Rows)
    tally: Tally = field(default_factory=Tally)
    left_out: Counter[str] = field(default_factory=Counter)
    job_changes: int = 0


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
    from crm_sync.planning.build import outcomes_of

    name, mapping = setting.inputs.connection, setting.inputs.mapping
    edits = drafting.baselines_in(tx, name, part)
    job_changes: list[JobChange] = []
    contacts: dict[str, ContactState] = {}
    for job_change, fields in drafting.job_changes_in(tx, name, part):
        job_changes.append(_held(job_change, setting.held) if setting.held else job_change)
        if fields is not None:
            id = job_change.contact_id
            canonical = mapping.canonical_fields(Entity.CONTACT, fields)
            contacts[id] = ContactState(canonical, fields, edits.get(id, {}))
    inputs = replace(setting.inputs, job_changes=job_changes, contacts=contacts)
    changes, notes, tally = outcomes_of(inputs, setting.names)
    rows = rows_of(changes, packed=setting.packed)
    return Drafted(rows, tally, Counter(notes.counts()), len(job_changes))


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

_setting: Setting | None = None


def _may_share() -> bool:
    """Whether a process can be forked here and would have a core of its own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return sys.platform == "linux" and cores > 1


def _shared(
    setting: Setting, tx: Transaction, parts: Sequence[Part]
) -> Iterator[tuple[int, Drafted]]:
    """This process takes the parts from the end that the other one has not begun.

    A part at which the other one failed is done again here: so an error is told as it always is.
    """
    with _helper(setting) as pool:
        futures = [pool.submit(_help, part) for part in parts]
        left = len(parts)
        while left and futures[left - 1].cancel():
            left -= 1
            yield left, draft_part(setting, tx, parts[left])
        for at, future in enumerate(futures[:left]):
            yield at, _result(future) or draft_part(setting, tx, parts[at])


@contextmanager
def _helper(setting: Setting) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(
        1, multiprocessing.get_context("fork"), initializer=_begin, initargs=(setting,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list((pool._processes or {}).values()):
            process.terminate()


def _begin(setting: Setting) -> None:
    global _setting  # noqa: PLW0603 - one process, one setting
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _setting = replace(setting, store=Store.open(setting.store.path))


def _help(part: Part) -> Drafted:
    assert _setting is not None  # noqa: S101 - set when the process began
    with _setting.store.read() as tx:
        return draft_part(_setting, tx, part)


def _result(future: Future[Drafted]) -> Drafted | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return None
    except Exception:
        return None
