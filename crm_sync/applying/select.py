"""Which changes of a plan may go: the one place that reads approvals and the journal together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crm_sync.errors import PlanStale, Refused
from crm_sync.model import Change, Disposition, Mode, Operation, Plan
from crm_sync.store.journal import Terms
from crm_sync.store.plans import APPROVED, REJECTED
from crm_sync.store.states import TAKEABLE, State

WAITING = "waits for a person's approval"
REFUSED = "rejected by a person"
REFUSED_EARLIER = "rejected or undone earlier"
UNSETTLED = "sent earlier, outcome unknown: see whether it is in the CRM"
TAKEN_BACK = "taken back by an undo"
SUPERSEDED = "no longer proposed by the newest plan"
OUT_OF_SCOPE = "the contact is gone, or outside the mapping's filter by now"
UNABLE = "this CRM's connector cannot do that"
NO_REQUIREMENT = "waits for the change that it talks about"


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes, what is in effect already, and how many are left out for which reason."""

    go: tuple[Change, ...]
    already_done: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)


def refuse_stale(given: Plan, terms: Terms | None, now: datetime) -> None:
    """Raise unless the plan is the stored one, still valid, and may write at all."""
    if terms is None or given.hash != terms.hash:
        raise PlanStale(
            f"plan {given.id} is not what was stored", fix="Make a new plan: crm-sync plan"
        )
    if now >= terms.expires_at:
        raise PlanStale(
            f"plan {given.id} expired at {terms.expires_at:%Y-%m-%d %H:%M} UTC",
            fix="Make a new plan: crm-sync plan",
        )
    if terms.mode is Mode.SHADOW:
        raise Refused(
            f"plan {given.id} was made in shadow mode, which never writes",
            place=given.connection,
            fix="Set `mode: review` for this connection and make a new plan.",
        )


def select(
    plan: Plan,
    *,
    decisions: Mapping[str, str],
    rejected: Collection[str],
    held: Mapping[str, State],
    operations: Collection[Operation],
    undone: Collection[str] = (),
    superseded: Collection[str] = (),
    gone: Collection[str] = (),
) -> Selection:
    """The changes that may be sent now.

    `decisions` are people's, by key, given for this very content; `rejected` the keys of the
    connection that must not come again; `held` where this plan's keys stand, after settling.
    `undone` are keys taken back, `superseded` keys that the newest plan dropped, `gone` the ids
    of contacts that the CRM no longer gives us. Links are not among them: they follow their task
    (see `crm_sync.store.links`), and a task goes only if its links can be made.
    """
    go: list[Change] = []
    skipped: Counter[str] = Counter()
    done = 0
    for change in plan.proposed:
        state = held.get(change.key)
        if state is State.DONE:
            done += change.key not in undone
            skipped[TAKEN_BACK] += change.key in undone
            continue
        reason = _reason(change, decisions.get(change.key), rejected, state)
        if not reason and (change.key in superseded or change.contact_id in gone):
            reason = OUT_OF_SCOPE if change.contact_id in gone else SUPERSEDED
        lacks_links = change.key in plan.links and Operation.LINK not in operations
        if not reason and (change.operation not in operations or lacks_links):
            reason = UNABLE
        if reason:
            skipped[reason] += 1
        else:
            go.append(change)
    return Selection(tuple(go), done, dict(+skipped))


def _reason(
    change: Change, decision: str | None, rejected: Collection[str], state: State | None
) -> str:
    if decision == REJECTED:
        return REFUSED
    if change.key in rejected:
        return REFUSED_EARLIER
    if change.disposition is Disposition.REVIEW and decision != APPROVED:
        return WAITING
    if state is not None and state not in TAKEABLE:
        return UNSETTLED
    return ""


@dataclass(frozen=True, slots=True)
class Ready:
    """Changes whose requirement is met; those that wait; those given up, each with the reason."""

    go: tuple[Change, ...]
    waiting: tuple[Change, ...]
    given_up: tuple[tuple[Change, str], ...]


def ready(
    changes: Collection[Change], held: Mapping[str, State], rejected: Collection[str]
) -> Ready:
    """Split by what became of the change that each requires (`held`: where those keys stand)."""
    go: list[Change] = []
    waiting: list[Change] = []
    given_up: list[tuple[Change, str]] = []
    for change in changes:
        state = held.get(change.requires)
        if not change.requires:
            go.append(change)
        elif change.requires in rejected:
            given_up.append((change, "the change that it talks about was rejected or undone"))
        elif state is None:
            waiting.append(change)
        elif state is State.DONE:
            go.append(change)
        else:
            message = f"the change that it talks about is not in effect ({state})"
            given_up.append((change, message))
    return Ready(tuple(go), tuple(waiting), tuple(given_up))
