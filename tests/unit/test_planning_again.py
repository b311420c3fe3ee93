"""What was done, refused or told already is not proposed again, however it is delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from crm_sync.model import Baseline, Entity, JobChange, Position, Scalar
from crm_sync.planning.build import Why, build_plan, plan_with_notes
from tests.support.planning import (
    LEFT,
    LIVE,
    MOVE,
    NOW,
    RETITLED,
    SEEN,
    after_of,
    applied,
    make_inputs,
    make_state,
    plan_of,
    update_of,
    whys_of,
)


def test_nothing_is_proposed_twice() -> None:
    first = build_plan(make_inputs(MOVE))
    settled = frozenset(change.key for change in first.changes)
    assert whys_of(MOVE, settled=settled) == [
        (Entity.CONTACT, Why.SETTLED),
        (Entity.TASK, Why.SETTLED),
    ]
    later = replace(MOVE, as_of=date(2026, 7, 15), confidence=0.99, source="other-file")
    assert {why for _, why in whys_of(later, settled=settled)} == {Why.SETTLED}


def test_a_task_that_is_still_missing_is_made_after_its_update() -> None:
    update = update_of(MOVE)
    live = applied(update, LIVE)
    ours = {field.crm_field: Baseline(field.after, "verified", SEEN) for field in update.fields}
    again, task = plan_of(MOVE, settled=frozenset({update.key}), state=make_state(live, ours))
    assert again is None
    assert task is not None
    assert task.requires == update.key


def test_what_a_person_refused_is_not_proposed_again_and_makes_no_task() -> None:
    update, task = plan_of(MOVE)
    assert update is not None
    assert task is not None
    assert whys_of(MOVE, rejected=frozenset({update.key})) == [(Entity.CONTACT, Why.REJECTED)]
    kept, dropped = plan_of(MOVE, rejected=frozenset({task.key}))
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
    keys = frozenset(change.key for change in build_plan(make_inputs(claimed)).changes)
    assert {why for _, why in whys_of(again, rejected=keys)} == {Why.REJECTED}
    assert {why for _, why in whys_of(again, settled=keys)} <= {Why.SETTLED, Why.NO_TASK_RULE}


def test_a_renamed_connection_proposes_under_the_same_keys() -> None:
    one, other = (build_plan(make_inputs(MOVE, connection=name)) for name in ("emea", "europe"))
    assert [change.key for change in one.changes] == [change.key for change in other.changes]


def test_two_sources_that_spell_one_move_otherwise_do_not_contradict_each_other() -> None:
    other = replace(MOVE, confidence=0.5, after=Position("Sales Head", "NORVEX"), source="b")
    assert after_of(update_of(other, MOVE))["new_organisation"] == "Norvex"


TOLD_TWICE = [(Entity.CONTACT, Why.ALREADY_TOLD), (Entity.TASK, Why.ALREADY_TOLD)]
MOVE_TOLD: dict[str, Scalar] = {
    "Crm_Sync_Moved__c": "true",
    "Crm_Sync_New_Company__c": "NORVEX, Inc.",
}
LEFT_TOLD: dict[str, Scalar] = {"Crm_Sync_Moved__c": True, "Crm_Sync_Job_Change__c": "Left"}


@pytest.mark.parametrize(("job_change", "live"), [(MOVE, MOVE_TOLD), (LEFT, LEFT_TOLD)])
def test_what_the_record_says_already_is_not_told_again_whoever_wrote_it(
    job_change: JobChange, live: dict[str, Scalar]
) -> None:
    by_a_person = {field: Baseline(None, "seen", SEEN, NOW, value) for field, value in live.items()}
    assert whys_of(job_change, state=make_state(live)) == TOLD_TWICE
    assert whys_of(job_change, state=make_state(live, by_a_person)) == TOLD_TWICE
    for field in live:
        assert plan_of(job_change, state=make_state(live | {field: None}))[1] is not None


def test_a_company_that_a_colleague_tidied_in_our_field_makes_no_second_task() -> None:
    update = update_of(MOVE)
    live = applied(update, LIVE) | {"Crm_Sync_New_Company__c": "NORVEX"}
    ours = {field.crm_field: Baseline(field.after, "verified", SEEN) for field in update.fields}
    tidied = ours | {"Crm_Sync_New_Company__c": Baseline("Norvex", "verified", SEEN, NOW, "NORVEX")}
    later = replace(MOVE, before=Position("Sales Manager", "Vexalor Group"), as_of=NOW.date())
    assert whys_of(later, state=make_state(live, tidied)) == TOLD_TWICE


def test_what_was_done_or_refused_for_a_merged_contact_holds_for_the_survivor() -> None:
    update, task = build_plan(make_inputs(MOVE)).changes
    survivor = replace(MOVE, contact_id="c2", before=Position("Sales Manager", "VEXALOR SA"))
    merged = {"c2": ("c0", "c1")}
    keys = frozenset({update.key, task.key})
    assert len(build_plan(make_inputs(survivor, settled=keys, rejected=keys)).changes) == 2
    assert whys_of(survivor, merged_ids=merged, settled=keys) == [
        (Entity.CONTACT, Why.SETTLED),
        (Entity.TASK, Why.SETTLED),
    ]
    refused = frozenset({update.key})
    assert whys_of(survivor, merged_ids=merged, rejected=refused) == [
        (Entity.CONTACT, Why.REJECTED)
    ]
    kept, dropped = plan_of(survivor, merged_ids=merged, rejected=frozenset({task.key}))
    assert kept is not None
    assert dropped is None


def test_a_task_that_a_merge_overtook_waits_for_the_update_of_the_merged_contact() -> None:
    done = update_of(MOVE)
    survivor = replace(MOVE, contact_id="c2")
    merged = {"c2": ("c1",)}
    update, task = plan_of(survivor, merged_ids=merged, settled=frozenset({done.key}))
    assert update is None
    assert task is not None
    assert task.requires == done.key
    assert task.contact_id == "c2"


def test_what_may_be_in_effect_for_a_merged_contact_is_not_sent_for_the_survivor() -> None:
    update, task = build_plan(make_inputs(MOVE)).changes
    survivor = replace(MOVE, contact_id="c2")
    merged = {"c2": ("c0", "c1")}
    kept, dropped = plan_of(survivor, merged_ids=merged, unsettled=frozenset({task.key}))
    assert kept is not None
    assert dropped is None
    assert whys_of(survivor, merged_ids=merged, unsettled=frozenset({update.key})) == [
        (Entity.CONTACT, Why.UNSETTLED)
    ]
    _, notes = plan_with_notes(
        make_inputs(survivor, merged_ids=merged, unsettled=frozenset({task.key}))
    )
    assert [(one.entity, one.why) for one in notes.left_out] == [(Entity.TASK, Why.UNSETTLED)]
    assert notes.counts() == {"left_out_unsettled": 1}
    assert len(build_plan(make_inputs(survivor, unsettled=frozenset({task.key}))).changes) == 2


def test_what_is_unsettled_under_its_own_key_stays_to_be_seen_in_the_plan() -> None:
    keys = frozenset(change.key for change in build_plan(make_inputs(MOVE)).changes)
    again = build_plan(make_inputs(MOVE, unsettled=keys, merged_ids={"c1": ("c0",)}))
    assert {change.key for change in again.changes} == keys


def test_a_newer_delivery_of_what_is_there_already_is_no_change() -> None:
    live = applied(update_of(MOVE), LIVE)
    update, _ = plan_of(replace(MOVE, as_of=date(2026, 9, 1)), state=make_state(live))
    assert update is None


def test_another_spelling_of_a_move_that_we_told_makes_neither_change_nor_task() -> None:
    update = update_of(MOVE)
    live = applied(update, LIVE)
    ours = {field.crm_field: Baseline(field.after, "verified", SEEN) for field in update.fields}
    respelled = replace(MOVE, after=Position("HEAD OF SALES", "Norvex S.A.S."))
    assert whys_of(respelled, state=make_state(live, ours)) == [
        (Entity.CONTACT, Why.ALREADY_TOLD),
        (Entity.TASK, Why.ALREADY_TOLD),
    ]
    elsewhere = replace(MOVE, after=Position("Head of Sales", "Tallory"))
    assert len(build_plan(make_inputs(elsewhere, state=make_state(live, ours))).changes) == 2
