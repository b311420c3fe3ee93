"""What a decision about a plan says of the job changes behind it: right, wrong, or nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from crm_sync.model import Band, Change, Decision, Entity, Plan

MEASURED = "measured"
"""What the evidence cites where a job change waits only because its group was demoted."""


class Group(NamedTuple):
    """What precision is measured for: the source, the kind of job change, and the rule.

    `rule` names how the person was identified (`linkedin`, `email+name_company`).
    """

    source: str
    kind: str
    rule: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's word on one job change, with what the plan held of it.

    `claim` is the key of the change that carries it. `band` is what the evidence was worth by
    itself: `auto` also where the job change waited only because its group was demoted.
    """

    claim: str
    plan_id: int
    contact_id: str
    group: Group
    band: Band
    confidence: float
    right: bool
    decided_by: str
    at: datetime
    reason: str = ""


def claim_of(change: Change) -> str:
    """The key that an update and its task have in common: that of the update."""
    return change.requires or change.key


def judged(of: Plan, keys: Collection[str], decision: Decision) -> list[Change]:
    """The changes by which this decision judges job changes, one for each.

    Approving an update or its task says that the job change is right. Rejecting an update says that
    it is wrong; rejecting a task alone says no more than that nobody wants the task. Undoing says
    nothing, nor does a change whose source is not known.
    """
    if of.undo_of is not None:
        return []
    chosen: dict[str, Change] = {}
    for one in of.proposed:
        speaks = decision is Decision.APPROVED or one.entity is Entity.CONTACT
        if speaks and one.key in keys and one.source and one.identified_by:
            chosen.setdefault(claim_of(one), one)
    return list(chosen.values())


def verdict_on(
    change: Change, plan_id: int, decision: Decision, *, by: str, at: datetime, reason: str
) -> Verdict:
    """The verdict that a decision about a change of a plan comes to."""
    held_back = any(one.rule == MEASURED for one in change.evidence)
    return Verdict(
        claim=claim_of(change),
        plan_id=plan_id,
        contact_id=change.contact_id,
        group=Group(change.source, change.kind.value, change.identified_by),
        band=Band.AUTO if held_back else Band(change.band),
        confidence=change.confidence,
        right=decision is Decision.APPROVED,
        decided_by=by,
        at=at,
        reason=reason,
    )
