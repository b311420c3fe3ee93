"""What a command did, for those who print it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crm_sync.model import Plan
from crm_sync.store import journal, plans, runs

if TYPE_CHECKING:
    from crm_sync.applying.apply import ApplyReport
    from crm_sync.applying.undo import UndoNotes
    from crm_sync.calls.steady import Steady
    from crm_sync.enrichment.source import Staged
    from crm_sync.stages.observe import Asked
    from crm_sync.stages.pull import Unread
    from crm_sync.stages.recording import RecordedRun
    from crm_sync.stages.whole import Whole
    from crm_sync.workspace import Workspace


@dataclass(frozen=True)
class Outcome:
    """What a command did: its run, the plan it made or applied, and what became of it.

    `waiting` counts the changes of the plan that still need a person's decision; `sources` is what
    each enrichment source held and left out, when it was read; `asked` what those that are asked
    answered; `unread` what the CRM kept closed; `whole` what was read as a whole.
    `in_effect` counts the changes of the plan that are in effect, by the run that wrote them and
    that takes them back, newest first; of an undo, those of the plan whose run was taken back.
    """

    run_id: int
    plan: Plan
    report: ApplyReport | None = None
    undo: UndoNotes | None = None
    waiting: int = 0
    sources: Mapping[str, Staged] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    unread: Sequence[Unread] = ()
    in_effect: Mapping[int, int] = field(default_factory=dict)
    whole: Sequence[Whole] = ()
    asked: Mapping[str, Asked] = field(default_factory=dict)


def outcome_of(
    workspace: Workspace,
    run: RecordedRun,
    of: Plan,
    report: ApplyReport | None,
    crm: Steady,
    undo: UndoNotes | None = None,
) -> Outcome:
    """The account of a run, with what the store knows of its plan."""
    with workspace.store.read() as tx:
        waiting = plans.count_waiting(tx, of.id)
        taken_back = runs.get_run(tx, of.undo_of) if of.undo_of is not None else None
        plan_id = of.id if taken_back is None else taken_back.plan_id
        in_effect = journal.runs_in_effect(tx, of.connection, plan_id) if plan_id else {}
    return Outcome(
        run.id,
        of,
        report,
        undo,
        waiting,
        run.sources,
        crm.calls,
        run.unread,
        in_effect,
        run.whole,
        run.asked,
    )
