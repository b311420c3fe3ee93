"""A person's decision about changes of a plan, and the verdicts that it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.config import Precision
from crm_sync.errors import NotFound
from crm_sync.model import Change, Decision, Plan
from crm_sync.store import journal, plans, verdicts
from crm_sync.verdicts.precision import standings
from crm_sync.verdicts.verdict import Group, claim_of, judged, verdict_on
from crm_sync.views import find_changes

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a decision.

    `keys` are the changes that it was recorded for, `written` counts those that were in effect
    before, `verdicts` the job changes that it calls right or wrong. By it, the groups in `demoted`
    wait for a person from the next plan on, and those in `restored` go by themselves again.
    """

    keys: tuple[str, ...]
    written: int
    verdicts: int
    demoted: tuple[Group, ...] = ()
    restored: tuple[Group, ...] = ()


def decide(
    tx: Connection,
    of: Plan,
    ids: Sequence[str] | None,
    decision: Decision,
    *,
    by: str,
    at: datetime,
    reason: str = "",
    counts: bool = True,
    precision: Precision | None = None,
) -> Decided:
    """Record a decision about the changes whose ids are given, or about all of a plan.

    With it, in the same transaction, the verdicts on the job changes behind them; unless it
    `counts`, what was said about those before is taken back instead. What is in effect already can
    no longer be decided, but named by its id it is still found right or wrong. `precision` says
    how often a group has to be right. Raises `NotFound` for an id that names no change, or several.
    """
    precision = precision or Precision()
    chosen = _chosen(of, ids, decision)
    done = journal.done_keys(tx, of.connection)
    keys = tuple(one.key for one in chosen if one.key not in done)
    plans.decide(tx, of, keys, decision, by=by, at=at, reason=reason)
    speaking = judged(of, keys if ids is None else {one.key for one in chosen}, decision)
    before = _demoted(tx, of.connection, precision)
    if counts:
        given = [verdict_on(one, of.id, decision, by=by, at=at, reason=reason) for one in speaking]
        verdicts.save_verdicts(tx, of.connection, given)
    else:
        verdicts.drop_verdicts(tx, of.connection, [claim_of(one) for one in speaking])
    after = _demoted(tx, of.connection, precision)
    return Decided(
        keys,
        written=len(chosen) - len(keys),
        verdicts=len(speaking) if counts else 0,
        demoted=tuple(sorted(after - before)),
        restored=tuple(sorted(before - after)),
    )


def _demoted(tx: Connection, connection: str, precision: Precision) -> set[Group]:
    found = standings(verdicts.verdicts_of(tx, connection), precision)
    return {one.group for one in found if one.demoted}


def _chosen(of: Plan, ids: Sequence[str] | None, decision: Decision) -> list[Change]:
    """The changes meant, with what belongs to them.

    A task goes with the update that it waits for: approving either approves both, and rejecting
    the update rejects the task. A task can be rejected alone.
    """
    if ids is None:
        return list(of.proposed)
    found, unclear = find_changes(of, ids)
    if unclear:
        raise NotFound(
            f"plan {of.id} has no single change {', '.join(unclear)}",
            fix=f"`crm-sync changes {of.id}` lists the ids.",
        )
    keys = {one.key for one in found}
    if decision is Decision.APPROVED:
        keys |= {one.requires for one in found if one.requires}
    keys |= {one.key for one in of.proposed if one.requires and one.requires in keys}
    return [one for one in of.proposed if one.key in keys]
