"""The plan: what a job change becomes, what is left out and why, and that it is always the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crm_sync.config import Guards
from crm_sync.errors import ConfigError
from crm_sync.mapping import Mapping, load_mapping
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
    Operation,
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


def _update(*job_changes: JobChange, **more: Any) -> Change:
    update, _ = _plan(*job_changes, **more)
    assert update is not None
    return update


def _after(change: Change) -> dict[str, Scalar]:
    return {field.name: field.after for field in change.fields}


def _whys(*job_changes: JobChange, **more: Any) -> list[tuple[Entity, Why]]:
    plan, notes = plan_with_notes(_inputs(*job_changes, **more))
    assert plan.changes == ()
    return [(note.entity, note.why) for note in notes.left_out]


def _mapping(tmp_path: Path, **replaced: str) -> Mapping:
    text = (SHIPPED / "salesforce.yaml").read_text(encoding="utf-8")
    for old, new in replaced.items():
        name = old.replace("__", " ")
        assert name in text
        text = text.replace(name, new)
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


# What a job change becomes


def test_a_move_keeps_title_and_account_and_flags_the_record() -> None:
    update = _update(MOVE)
    after = _after(update)
    evidence = str(after.pop("evidence"))
    assert after == {
        "moved": True,
        "job_change": "Moved",
        "moved_on": "2026-03-01",
        "previous_organisation": "Vexalor",
        "new_organisation": "Norvex",
        "new_title": "Head of Sales",
        "last_verified": "2026-06-15",
    }
    assert "vendor-file" in evidence
    assert "the same page" in evidence
    assert (update.operation, update.record_id) == (Operation.UPDATE, "c1")
    assert update.disposition is Disposition.AUTO


def test_a_new_title_is_written_with_the_value_that_it_replaces() -> None:
    update, task = _plan(RETITLED)
    assert update is not None
    assert task is None
    after = _after(update)
    assert after["title"] == "Head of Sales"
    assert after["job_change"] == "Retitled"
    assert not {"moved", "moved_on", "new_organisation", "previous_organisation"} & set(after)
    assert "Replaced title: Sales Manager" in str(after["evidence"])
    assert next(field for field in update.fields if field.name == "title").before == "Sales Manager"


def test_leaving_empties_what_an_earlier_move_of_ours_filled() -> None:
    live: dict[str, Scalar] = {
        "Crm_Sync_Moved__c": True,
        "Crm_Sync_Job_Change__c": "Moved",
        "Crm_Sync_New_Company__c": "Norvex",
        "Crm_Sync_New_Title__c": "Head of Sales",
    }
    ours = {field: Baseline(value, "verified", SEEN) for field, value in live.items()}
    update = _update(LEFT, state=_state(live, ours))
    after = _after(update)
    assert after["new_organisation"] is None
    assert after["new_title"] is None
    assert after["job_change"] == "Left"
    assert "moved" not in after
    assert update.disposition is Disposition.AUTO
    theirs = {field: replace(base, basis="seen") for field, base in ours.items()}
    for baselines in ({}, theirs):
        update = _update(LEFT, state=_state(live, baselines))
        assert update.disposition is Disposition.REVIEW
        assert "a value that is not ours" in update.held_by


def test_the_task_waits_for_the_flag_and_carries_its_own_key() -> None:
    update, task = _plan(MOVE)
    assert update is not None
    assert task is not None
    fields = {field.crm_field: field.after for field in task.fields}
    assert task.requires == update.key
    assert fields["Crm_Sync_Key__c"] == task.key
    assert fields["WhoId"] == "c1"
    assert fields["WhatId"] == "a1"
    assert fields["Status"] == "Not Started"
    assert fields["Subject"] == "Claire Sample a rejoint Norvex"
    assert "NORVEX SAS existe déjà dans notre CRM ; Ann Probe" in str(fields["Description"])
    assert all(field.before is None for field in task.fields)


def test_the_action_nothing_only_reports(tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, **{"moved:__flag_and_task": "moved: nothing"})
    assert _whys(MOVE, mapping=mapping) == [(Entity.CONTACT, Why.NO_ACTION)]


def test_a_retitled_contact_that_is_only_flagged_keeps_its_title(tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, **{"retitled:__update_title": "retitled: flag_and_task"})
    after = _after(_update(RETITLED, mapping=mapping))
    assert after["new_title"] == "Head of Sales"
    assert not {"title", "moved"} & set(after)


def test_update_title_for_a_move_is_refused_with_its_place(tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, **{"moved:__flag_and_task": "moved: update_title"})
    with pytest.raises(ConfigError, match=r"mapping\.yaml:\d+:3: `update_title` cannot be done"):
        build_plan(_inputs(MOVE, mapping=mapping))


def test_a_mapping_without_our_fields_still_makes_the_task(tmp_path: Path) -> None:
    lines = (SHIPPED / "salesforce.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "Crm_Sync" not in line or "Crm_Sync_Key" in line]
    path = tmp_path / "mapping.yaml"
    path.write_text("\n".join(kept), encoding="utf-8")
    update, task = _plan(MOVE, mapping=load_mapping(path))
    assert update is None
    assert task is not None
    assert task.requires == ""
    assert task.disposition is Disposition.AUTO


# What is left out


def test_nothing_is_proposed_twice() -> None:
    first = build_plan(_inputs(MOVE))
    settled = frozenset(change.key for change in first.changes)
    assert _whys(MOVE, settled=settled) == [
        (Entity.CONTACT, Why.SETTLED),
        (Entity.TASK, Why.SETTLED),
    ]
    later = replace(MOVE, as_of=date(2026, 7, 15), confidence=0.99, source="other-file")
    assert {why for _, why in _whys(later, settled=settled)} == {Why.SETTLED}


def test_a_task_that_is_still_missing_is_made_after_its_update() -> None:
    update = _update(MOVE)
    live = _applied(update, LIVE)
    ours = {field.crm_field: Baseline(field.after, "verified", SEEN) for field in update.fields}
    again, task = _plan(MOVE, settled=frozenset({update.key}), state=_state(live, ours))
    assert again is None
    assert task is not None
    assert task.requires == update.key


def test_what_a_person_refused_is_not_proposed_again_and_makes_no_task() -> None:
    update, task = _plan(MOVE)
    assert update is not None
    assert task is not None
    assert _whys(MOVE, rejected=frozenset({update.key})) == [(Entity.CONTACT, Why.REJECTED)]
    kept, dropped = _plan(MOVE, rejected=frozenset({task.key}))
    assert kept is not None
    assert dropped is None


RESPELLED = [
    (MOVE, replace(MOVE, after=Position("Head of Sales", "Norvex, Inc."))),
    (MOVE, replace(MOVE, after=Position("Sales Head", "NORVEX S.A.S."))),
    (MOVE, replace(MOVE, since=date(2026, 3, 2))),
    (MOVE, replace(MOVE, before=Position("Manager, Sales", "VEXALOR Ltd"))),
    (LEFT, replace(LEFT, since=date(2026, 3, 2), before=Position("Boss", "Vexalor SA"))),
    (RETITLED, replace(RETITLED, after=Position("Sales Head", "Vexalor"))),
    (RETITLED, replace(RETITLED, since=None)),
]


@pytest.mark.parametrize(("claimed", "again"), RESPELLED)
def test_what_a_person_refused_is_not_proposed_again_in_another_spelling(
    claimed: JobChange, again: JobChange
) -> None:
    keys = frozenset(change.key for change in build_plan(_inputs(claimed)).changes)
    assert {why for _, why in _whys(again, rejected=keys)} == {Why.REJECTED}
    assert {why for _, why in _whys(again, settled=keys)} <= {Why.SETTLED, Why.NO_TASK_RULE}


def test_a_renamed_connection_proposes_under_the_same_keys() -> None:
    one, other = (build_plan(_inputs(MOVE, connection=name)) for name in ("emea", "europe"))
    assert [change.key for change in one.changes] == [change.key for change in other.changes]


def test_two_sources_that_spell_one_move_otherwise_do_not_contradict_each_other() -> None:
    other = replace(MOVE, confidence=0.5, after=Position("Sales Head", "NORVEX"), source="b")
    assert _after(_update(other, MOVE))["new_organisation"] == "Norvex"


def _applied(change: Change, live: dict[str, Scalar]) -> dict[str, Scalar]:
    return live | {field.crm_field: field.after for field in change.fields}


def test_when_all_values_are_there_only_the_task_is_left() -> None:
    live = _applied(_update(MOVE), LIVE) | {"Crm_Sync_Moved__c": "true"}
    update, task = _plan(MOVE, state=_state(live))
    assert update is None
    assert task is not None
    assert task.requires == ""


def test_a_newer_delivery_of_what_is_there_already_is_no_change() -> None:
    live = _applied(_update(MOVE), LIVE)
    update, _ = _plan(replace(MOVE, as_of=date(2026, 9, 1)), state=_state(live))
    assert update is None


def test_another_spelling_of_a_move_that_we_told_makes_neither_change_nor_task() -> None:
    update = _update(MOVE)
    live = _applied(update, LIVE)
    ours = {field.crm_field: Baseline(field.after, "verified", SEEN) for field in update.fields}
    respelled = replace(MOVE, after=Position("HEAD OF SALES", "Norvex S.A.S."))
    assert _whys(respelled, state=_state(live, ours)) == [
        (Entity.CONTACT, Why.ALREADY_TOLD),
        (Entity.TASK, Why.ALREADY_TOLD),
    ]
    elsewhere = replace(MOVE, after=Position("Head of Sales", "Tallory"))
    assert len(build_plan(_inputs(elsewhere, state=_state(live, ours))).changes) == 2


def test_contradicting_claims_about_one_contact_are_left_out() -> None:
    other = replace(MOVE, after=Position("Head of Sales", "Tallory"))
    assert _whys(MOVE, other) == [(Entity.CONTACT, Why.CONTRADICTED)]


@pytest.mark.parametrize(
    ("job_change", "why"),
    [
        (replace(MOVE, kind=JobChangeKind.UNKNOWN), Why.NOT_A_CHANGE),
        (replace(MOVE, band=Band.IGNORED), Why.NOT_A_CHANGE),
        (replace(MOVE, after=Position("Head of Sales", " ")), Why.INCOMPLETE),
        (replace(RETITLED, after=Position("", "Vexalor")), Why.INCOMPLETE),
    ],
)
def test_what_says_too_little_is_left_out(job_change: JobChange, why: Why) -> None:
    assert _whys(job_change) == [(Entity.CONTACT, why)]


def test_a_contact_that_is_gone_is_left_out() -> None:
    assert _whys(MOVE, contacts={}) == [(Entity.CONTACT, Why.NO_CONTACT)]
