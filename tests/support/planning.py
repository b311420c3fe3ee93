"""A contact, what a vendor claims about it, and the plan for both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from crm_sync.config import Guards
from crm_sync.mapping import load_mapping
from crm_sync.model import (
    Band,
    Baseline,
    Change,
    Entity,
    Evidence,
    JobChange,
    JobChangeKind,
    Mode,
    Position,
    Scalar,
)
from crm_sync.planning.build import Why, build_plan, plan_with_notes
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.playbooks import load_playbooks

SHIPPED = Path(__file__).parents[2] / "mappings"
MAPPING = load_mapping(SHIPPED / "salesforce.yaml")
PLAYBOOKS = load_playbooks(SHIPPED / "playbooks.yaml")
NOW = datetime(2026, 6, 16, 9, 0, tzinfo=UTC)  # a Tuesday
SEEN = datetime(2025, 1, 1, tzinfo=UTC)
AS_OF = date(2026, 6, 15)

MOVE = JobChange(
    contact_id="c1",
    kind=JobChangeKind.MOVED,
    confidence=0.93,
    band=Band.AUTO,
    before=Position("Sales Manager", "Vexalor"),
    after=Position("Head of Sales", "Norvex"),
    since=date(2026, 3, 1),
    as_of=AS_OF,
    source="vendor-file",
    profile_id="p1",
    evidence=(Evidence("linkedin", "the same page", "vendor-file", AS_OF),),
)
LEFT = replace(MOVE, kind=JobChangeKind.LEFT, after=Position())
RETITLED = replace(MOVE, kind=JobChangeKind.RETITLED, after=Position("Head of Sales", "Vexalor"))

CANONICAL: dict[str, Scalar] = {
    "first_name": "Claire",
    "last_name": "Sample",
    "title": "Sales Manager",
    "account_id": "a1",
    "owner_id": "u1",
    "last_activity": "2025-11-04",
}
LIVE: dict[str, Scalar] = {"Title": "Sales Manager", "Crm_Sync_Moved__c": False}
COLLEAGUES: dict[str, dict[str, Scalar]] = {
    "u1": {"name": "Paul Essai", "active": True, "language": "fr"},
    "u2": {"name": "Ann Probe", "active": "true", "language": "en_US"},
    "u3": {"name": "Gone Probe", "active": False, "language": "fr"},
}
ACCOUNTS: dict[str, dict[str, Scalar]] = {
    "a1": {"name": "Vexalor", "owner_id": "u2"},
    "a2": {"name": "NORVEX SAS", "owner_id": "u2"},
}


def make_state(
    live: dict[str, Scalar] | None = None,
    baselines: dict[str, Baseline] | None = None,
    **canonical: Scalar,
) -> ContactState:
    return ContactState(CANONICAL | canonical, LIVE | (live or {}), baselines or {})


def make_inputs(
    *job_changes: JobChange, state: ContactState | None = None, **more: Any
) -> PlanInputs:
    contacts = {job_change.contact_id: state or make_state() for job_change in job_changes}
    values: dict[str, Any] = {
        "connection": "emea",
        "mapping": MAPPING,
        "playbooks": PLAYBOOKS,
        "mode": Mode.REVIEW,
        "guards": Guards(),
        "now": NOW,
        "job_changes": job_changes,
        "contacts": contacts,
        "contacts_total": 100,
        "accounts": ACCOUNTS,
        "colleagues": COLLEAGUES,
    }
    return PlanInputs(**(values | more))


def plan_of(*job_changes: JobChange, **more: Any) -> tuple[Change | None, Change | None]:
    """The update and the task of a plan for one contact."""
    changes = build_plan(make_inputs(*job_changes, **more)).changes
    updates = [change for change in changes if change.entity is Entity.CONTACT]
    tasks = [change for change in changes if change.entity is Entity.TASK]
    assert len(updates) <= 1
    assert len(tasks) <= 1
    return next(iter(updates), None), next(iter(tasks), None)


def update_of(*job_changes: JobChange, **more: Any) -> Change:
    update, _ = plan_of(*job_changes, **more)
    assert update is not None
    return update


def after_of(change: Change) -> dict[str, Scalar]:
    return {field.name: field.after for field in change.fields}


def whys_of(*job_changes: JobChange, **more: Any) -> list[tuple[Entity, Why]]:
    plan, notes = plan_with_notes(make_inputs(*job_changes, **more))
    assert plan.changes == ()
    return [(note.entity, note.why) for note in notes.left_out]


def applied(change: Change, live: dict[str, Scalar]) -> dict[str, Scalar]:
    """The live values once the change was carried out."""
    return live | {field.crm_field: field.after for field in change.fields}
