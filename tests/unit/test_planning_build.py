"""The plan: what a job change becomes, what is left out and why, and that it is always the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crm_sync.errors import ConfigError
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.model import (
    Band,
    Baseline,
    Disposition,
    Entity,
    JobChange,
    JobChangeKind,
    Operation,
    Position,
    Scalar,
)
from crm_sync.planning.build import Why, build_plan
from tests.support.planning import (
    LEFT,
    MOVE,
    RETITLED,
    SEEN,
    SHIPPED,
    after_of,
    make_inputs,
    make_state,
    plan_of,
    update_of,
    whys_of,
)


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
    update = update_of(MOVE)
    after = after_of(update)
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
    update, task = plan_of(RETITLED)
    assert update is not None
    assert task is None
    after = after_of(update)
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
    update = update_of(LEFT, state=make_state(live, ours))
    after = after_of(update)
    assert after["new_organisation"] is None
    assert after["new_title"] is None
    assert after["job_change"] == "Left"
    assert "moved" not in after
    assert update.disposition is Disposition.AUTO
    theirs = {field: replace(base, basis="seen") for field, base in ours.items()}
    for baselines in ({}, theirs):
        update = update_of(LEFT, state=make_state(live, baselines))
        assert update.disposition is Disposition.REVIEW
        assert "a value that is not ours" in update.held_by


def test_the_task_waits_for_the_flag_and_carries_its_own_key() -> None:
    update, task = plan_of(MOVE)
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
    assert whys_of(MOVE, mapping=mapping) == [(Entity.CONTACT, Why.NO_ACTION)]


def test_a_retitled_contact_that_is_only_flagged_keeps_its_title(tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, **{"retitled:__update_title": "retitled: flag_and_task"})
    after = after_of(update_of(RETITLED, mapping=mapping))
    assert after["new_title"] == "Head of Sales"
    assert not {"title", "moved"} & set(after)


def test_update_title_for_a_move_is_refused_with_its_place(tmp_path: Path) -> None:
    mapping = _mapping(tmp_path, **{"moved:__flag_and_task": "moved: update_title"})
    with pytest.raises(ConfigError, match=r"mapping\.yaml:\d+:3: `update_title` cannot be done"):
        build_plan(make_inputs(MOVE, mapping=mapping))


def test_a_mapping_without_our_fields_still_makes_the_task(tmp_path: Path) -> None:
    lines = (SHIPPED / "salesforce.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "Crm_Sync" not in line or "Crm_Sync_Key" in line]
    path = tmp_path / "mapping.yaml"
    path.write_text("\n".join(kept), encoding="utf-8")
    update, task = plan_of(MOVE, mapping=load_mapping(path))
    assert update is None
    assert task is not None
    assert task.requires == ""
    assert task.disposition is Disposition.AUTO


# What is left out


def test_contradicting_claims_about_one_contact_are_left_out() -> None:
    other = replace(MOVE, after=Position("Head of Sales", "Tallory"))
    assert whys_of(MOVE, other) == [(Entity.CONTACT, Why.CONTRADICTED)]


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
    assert whys_of(job_change) == [(Entity.CONTACT, why)]


def test_a_contact_that_is_gone_is_left_out() -> None:
    assert whys_of(MOVE, contacts={}) == [(Entity.CONTACT, Why.NO_CONTACT)]
