"""Follow-up tasks: whose they are, in which language, until when, and what names can do to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crm_sync.config import Guards
from crm_sync.mapping import load_mapping
from crm_sync.model import (
    Band,
    Baseline,
    Change,
    Disposition,
    Entity,
    Evidence,
    JobChange,
    JobChangeKind,
    Mode,
    Position,
    Scalar,
)
from crm_sync.planning.build import build_plan
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.playbooks import load_playbooks
from crm_sync.planning.tasks import working_day

SHIPPED = Path(__file__).parents[2] / "mappings"
MAPPING = load_mapping(SHIPPED / "salesforce.yaml")
PLAYBOOKS = load_playbooks(SHIPPED / "playbooks.yaml")
NOW = datetime(2026, 6, 16, 9, 0, tzinfo=UTC)  # a Tuesday
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


def _state(
    live: dict[str, Scalar] | None = None,
    baselines: dict[str, Baseline] | None = None,
    **canonical: Scalar,
) -> ContactState:
    return ContactState(CANONICAL | canonical, LIVE | (live or {}), baselines or {})


def _inputs(*job_changes: JobChange, state: ContactState | None = None, **more: Any) -> PlanInputs:
    contacts = {job_change.contact_id: state or _state() for job_change in job_changes}
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


def _plan(*job_changes: JobChange, **more: Any) -> tuple[Change | None, Change | None]:
    """The update and the task of a plan for one contact."""
    changes = build_plan(_inputs(*job_changes, **more)).changes
    updates = [change for change in changes if change.entity is Entity.CONTACT]
    tasks = [change for change in changes if change.entity is Entity.TASK]
    assert len(updates) <= 1
    assert len(tasks) <= 1
    return next(iter(updates), None), next(iter(tasks), None)


def _task(*job_changes: JobChange, **more: Any) -> Change:
    _, task = _plan(*job_changes, **more)
    assert task is not None
    return task


def _after(change: Change) -> dict[str, Scalar]:
    return {field.name: field.after for field in change.fields}


@pytest.mark.parametrize(
    ("contact_owner", "account_owner", "of_moved", "of_left"),
    [
        ("u1", "u2", "u1", "u2"),
        ("u3", "u2", "u2", "u2"),
        ("u1", "u3", "u1", "u1"),
        ("u3", "u3", "", ""),
        ("unknown", None, "", ""),
    ],
)
def test_the_task_goes_to_the_first_active_owner(
    contact_owner: str, account_owner: str | None, of_moved: str, of_left: str
) -> None:
    accounts = {"a1": {"name": "Vexalor", "owner_id": account_owner}}
    state = _state(owner_id=contact_owner)
    for job_change, wanted in ((MOVE, of_moved), (LEFT, of_left)):
        task = _task(job_change, state=state, accounts=accounts)
        assert task.owner_id == wanted
        assert ("owner_id" in _after(task)) == bool(wanted)
        assert ("no active colleague" in task.held_by) == (not wanted)


@pytest.mark.parametrize(
    ("spoken", "language", "word"),
    [
        ("fr", "en", "rejoint"),
        ("fr_CA", "en", "rejoint"),
        ("en_US", "fr", "moved"),
        ("de", "fr", "rejoint"),
        (None, "en", "moved"),
    ],
)
def test_the_colleague_reads_the_task_in_their_language(
    spoken: str | None, language: str, word: str
) -> None:
    colleagues = {"u1": {"name": "P", "active": True, "language": spoken}}
    task = _task(MOVE, colleagues=colleagues, language=language)
    assert word in str(_after(task)["subject"])


def test_the_contacts_own_account_is_not_offered_as_the_new_one() -> None:
    own = {"a1": {"name": "Norvex", "owner_id": "u2"}}
    assert "existe déjà" not in str(_after(_task(MOVE, accounts=own))["body"])
    assert "existe déjà" in str(_after(_task(MOVE))["body"])


def test_an_account_name_shared_by_two_accounts_is_not_claimed() -> None:
    twins = ACCOUNTS | {"a3": {"name": "Norvex Inc.", "owner_id": "u1"}}
    assert "existe déjà" not in str(_after(_task(MOVE, accounts=twins))["body"])


@pytest.mark.parametrize(
    ("now", "timezone", "days", "due"),
    [
        (datetime(2026, 6, 16, 9, tzinfo=UTC), "UTC", 3, date(2026, 6, 19)),
        (datetime(2026, 6, 18, 9, tzinfo=UTC), "UTC", 3, date(2026, 6, 23)),
        (datetime(2026, 6, 19, 22, 30, tzinfo=UTC), "Europe/Paris", 1, date(2026, 6, 22)),
        (datetime(2026, 6, 18, 22, 30, tzinfo=UTC), "Europe/Paris", 1, date(2026, 6, 22)),
        (datetime(2026, 6, 18, 22, 30, tzinfo=UTC), "America/New_York", 1, date(2026, 6, 19)),
        (datetime(2026, 6, 20, 9, tzinfo=UTC), "UTC", 0, date(2026, 6, 22)),
        (datetime(2026, 6, 16, 9, tzinfo=UTC), "UTC", 10, date(2026, 6, 30)),
    ],
)
def test_tasks_fall_due_after_working_days_in_the_connections_time_zone(
    now: datetime, timezone: str, days: int, due: date
) -> None:
    assert working_day(now, timezone, days) == due


def test_hostile_names_reach_the_crm_as_plain_text() -> None:
    state = _state(first_name="\x1b[31m{{ source }}\n", last_name="O'Brien\x00<script>")
    hostile = replace(MOVE, after=Position("CEO\r\nBcc: x", "Nor\x1b[0mvex\u202e"))
    update, task = _plan(hostile, state=state)
    assert update is not None
    assert task is not None
    assert _after(update)["new_organisation"] == "Norvex"
    assert _after(update)["new_title"] == "CEO Bcc: x"
    assert _after(task)["subject"] == "{{ source }} O'Brien<script> a rejoint Norvex"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_name_that_ends_in_a_stop_does_not_end_a_sentence_twice(language: str) -> None:
    move = replace(
        MOVE, before=Position("CEO", "Vexalor Corp."), after=Position("CEO", "Norvex, Inc.")
    )
    colleagues = {"u1": {**COLLEAGUES["u1"], "language": language}}
    body = str(_after(_task(move, colleagues=colleagues))["body"])
    assert "Norvex, Inc." in body
    assert ".." not in body.replace("...", "")


def test_a_task_that_nobody_active_would_own_waits_for_a_person() -> None:
    inactive = {"u1": {**COLLEAGUES["u1"], "active": False}}
    accounts = {"a1": {"name": "Vexalor", "owner_id": "u1"}}
    task = _task(MOVE, colleagues=inactive, accounts=accounts)
    assert task.disposition is Disposition.REVIEW
    assert "no active colleague" in task.held_by
