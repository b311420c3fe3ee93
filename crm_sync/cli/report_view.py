"""What `apply`, `run` and `undo` did, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from crm_sync.store import journal
from crm_sync.store.plans import counts_by_disposition
from crm_sync.views import asked_view, contact_names, funnel_steps, sources_view

if TYPE_CHECKING:
    from crm_sync.outcome import Outcome
    from crm_sync.stages.pull import Unread
    from crm_sync.stages.whole import Whole
    from crm_sync.store.intents import Intent
    from crm_sync.workspace import Workspace


def named_outcome_view(workspace: Workspace, outcome: Outcome) -> dict[str, Any]:
    """`outcome_view` with the names of the contacts that it speaks of."""
    view = outcome_view(outcome)
    rows = [*view.get("applied", {}).get("problems", []), *view.get("left_alone", [])]
    mapping = workspace.mapping(workspace.config.connection(outcome.plan.connection))
    with workspace.store.read() as tx:
        intents = journal.by_keys(tx, outcome.plan.connection, [row["key"] for row in rows])
        for row in rows:
            one = intents.get(row["key"])
            row.setdefault("contact_id", one.contact_id if one else "")
            row["subject"] = _subject(one) if one else ""
        ids = {row["contact_id"] or row["record_id"] for row in rows}
        names = contact_names(tx, outcome.plan.connection, mapping, ids)
    for row in rows:
        row["contact"] = names.get(row["contact_id"] or row["record_id"], "")
    return view


def _subject(one: Intent) -> str:
    """The subject of a task, as it is written or, by an undo, taken away."""
    subject = next((field for field in one.fields if field.name == "subject"), None)
    return str(subject.after or subject.before or "") if subject else ""


def outcome_view(outcome: Outcome) -> dict[str, Any]:
    """The run, its plan, counts by state, and every row that needs somebody."""
    plan, report = outcome.plan, outcome.report
    view: dict[str, Any] = {
        "run": outcome.run_id,
        "plan": plan.id,
        "connection": plan.connection,
        "mode": plan.mode.value,
        "undo_of": plan.undo_of,
        "funnel": funnel_steps(plan.funnel) if plan.undo_of is None else {},
        "changes": {"total": len(plan.proposed), **counts_by_disposition(plan)},
        "waiting": outcome.waiting,
        "sources": sources_view(outcome.sources),
        "asked": asked_view(outcome.asked),
        "calls": dict(outcome.calls),
        "unread": unread_view(outcome.unread),
        "whole": whole_view(outcome.whole),
        "undo_runs": [run for run in outcome.in_effect if run != plan.undo_of],
    }
    if report is not None:
        view["applied"] = {
            "written": report.done,
            "verified": report.confirmed,
            "drifted": report.drifted,
            "already_done": report.already_done,
            "by_state": {state.value: count for state, count in report.counts.items()},
            "settled": {state.value: count for state, count in report.settled.items()},
            "skipped": dict(report.skipped),
            "problems": [asdict(problem) for problem in report.problems],
            "problems_left_out": report.problems_left_out,
            "awaited": report.awaited,
            "notices": list(report.notices),
        }
    if outcome.undo is not None:
        view["undo"] = {"in_effect": outcome.undo.effects, "already_back": outcome.undo.already}
        view["left_alone"] = [asdict(note) for note in outcome.undo.kept]
    return view


def whole_view(whole: Iterable[Whole]) -> list[dict[str, Any]]:
    """What was read as a whole, and why: `first`, `other`, `resumed`, `asked`, `lost` or `due`."""
    return [
        {"entity": one.entity.value, "why": one.why.value, "reason": one.reason} for one in whole
    ]


def unread_view(unread: Iterable[Unread]) -> list[dict[str, Any]]:
    """What the CRM kept closed, and as of when it is known all the same."""
    return [
        {
            "entity": one.entity.value,
            "scopes": list(one.scopes),
            "as_of": one.as_of.date().isoformat() if one.as_of else None,
            "message": one.message,
            "fix": one.fix,
        }
        for one in unread
    ]
