"""Plans never break a policy or the human lock, and the same inputs give the same plan."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.mapping import Mapping
from crm_sync.model import (
    Band,
    Baseline,
    Disposition,
    Entity,
    Mode,
    Policy,
    Scalar,
)
from crm_sync.planning.build import Why, build_plan
from crm_sync.planning.inputs import ContactState, PlanInputs
from tests.support.planning import (
    AS_OF,
    CANONICAL,
    LEFT,
    MAPPING,
    MOVE,
    RETITLED,
    SEEN,
    after_of,
    make_inputs,
    make_state,
    plan_of,
    update_of,
    whys_of,
)


def _with_policies(**policies: Policy) -> Mapping:
    contact = MAPPING.model.contact
    write = {
        name: field.model_copy(update={"policy": policies.get(name, field.policy)})
        for name, field in contact.write.items()
    }
    model = MAPPING.model.model_copy(
        update={"contact": contact.model_copy(update={"write": write})}
    )
    return Mapping(model, MAPPING.file)


def _edited(value: Scalar, live: Scalar, on: date) -> Baseline:
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    return Baseline(value, "verified", SEEN, at, live)


# Policies and the human lock


def test_a_field_in_review_holds_the_update_and_its_task() -> None:
    update, task = plan_of(MOVE, mapping=_with_policies(new_title=Policy.REVIEW))
    assert update is not None
    assert task is not None
    assert (update.disposition, task.disposition) == (Disposition.REVIEW, Disposition.REVIEW)
    assert update.held_by == "new_title (its policy is review)"
    assert "waits for the update" in task.held_by


def test_a_field_with_policy_never_is_dropped_and_said() -> None:
    update = update_of(MOVE, mapping=_with_policies(previous_organisation=Policy.NEVER))
    assert "previous_organisation" not in after_of(update)
    assert update.disposition is Disposition.AUTO
    assert update.held_by == "left alone: previous_organisation (its policy is never)"


@pytest.mark.parametrize(
    ("band", "mode", "held"),
    [
        (Band.AUTO, Mode.AUTO, False),
        (Band.AUTO, Mode.REVIEW, False),
        (Band.AUTO, Mode.SHADOW, True),
        (Band.REVIEW, Mode.AUTO, True),
        (Band.REVIEW, Mode.REVIEW, True),
    ],
)
def test_band_and_mode_decide_whether_a_person_has_to_look(
    band: Band, mode: Mode, held: bool
) -> None:
    changes = build_plan(make_inputs(replace(MOVE, band=band), mode=mode)).changes
    assert len(changes) == 2
    for change in changes:
        assert (change.disposition is Disposition.REVIEW) == held
        assert bool(change.held_by) == held


def test_a_title_that_a_person_edited_after_the_evidence_is_left_with_all_that_goes_with_it() -> (
    None
):
    state = make_state({"Title": "Boss"}, {"Title": _edited("Sales Manager", "Boss", AS_OF)})
    assert whys_of(RETITLED, state=state) == [(Entity.CONTACT, Why.EDITED)]


def test_newer_evidence_than_the_edit_goes_to_review_under_a_new_key() -> None:
    edited = _edited("Sales Manager", "Boss", date(2026, 6, 1))
    state = make_state({"Title": "Boss"}, {"Title": edited})
    update = update_of(RETITLED, state=state)
    assert update.disposition is Disposition.REVIEW
    assert "2026-06-01" in update.held_by
    assert update.key != update_of(RETITLED).key
    settled = frozenset({update_of(RETITLED).key})
    assert update_of(RETITLED, state=state, settled=settled).key == update.key


def test_a_flag_that_a_person_took_off_is_not_set_again_and_makes_no_task() -> None:
    flag = _edited(True, False, AS_OF)
    state = make_state(baselines={"Crm_Sync_Moved__c": flag})
    assert whys_of(MOVE, state=state) == [(Entity.CONTACT, Why.EDITED)]


def test_a_flag_that_a_person_set_themselves_does_not_stop_the_rest() -> None:
    flag = _edited(False, True, AS_OF)
    update = update_of(
        MOVE, state=make_state({"Crm_Sync_Moved__c": True}, {"Crm_Sync_Moved__c": flag})
    )
    assert "moved" not in after_of(update)
    assert after_of(update)["new_organisation"] == "Norvex"


# Laws

_KINDS = {"moved": MOVE, "left": LEFT, "retitled": RETITLED}
_NAMES = list(MAPPING.model.contact.write)
_EDITS = st.sampled_from([None, date(2026, 6, 1), date(2026, 6, 20)])


@st.composite
def _worlds(draw: st.DrawFn) -> PlanInputs:
    job_changes, contacts = [], {}
    for index in range(draw(st.integers(1, 6))):
        contact_id = f"c{index}"
        kind = _KINDS[draw(st.sampled_from(sorted(_KINDS)))]
        band = draw(st.sampled_from(Band))
        job_changes.append(replace(kind, contact_id=contact_id, band=band))
        live, baselines = {}, {}
        for name in _NAMES:
            field = MAPPING.model.contact.write[name].field
            live[field] = draw(st.sampled_from([None, "", "other", True, "Norvex", "Moved"]))
            edit = draw(_EDITS)
            if edit is not None:
                baselines[field] = _edited("base", live[field], edit)
        owner = draw(st.sampled_from(["u1", "u2", "u3", "u9"]))
        contacts[contact_id] = ContactState(CANONICAL | {"owner_id": owner}, live, baselines)
    policies = {name: draw(st.sampled_from(Policy)) for name in _NAMES}
    mode = draw(st.sampled_from(Mode))
    mapping = _with_policies(**policies)
    return make_inputs(*job_changes, contacts=contacts, mapping=mapping, mode=mode)


@settings(max_examples=60, deadline=None)
@given(_worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_does_not_change_the_plan(
    inputs: PlanInputs, chance: random.Random
) -> None:
    def shuffled(items: Any) -> Any:
        items = list(items)
        chance.shuffle(items)
        return items

    other = replace(
        inputs,
        job_changes=shuffled(inputs.job_changes),
        contacts=dict(shuffled(inputs.contacts.items())),
        accounts=dict(shuffled(inputs.accounts.items())),
    )
    assert build_plan(inputs).hash == build_plan(other).hash


@settings(max_examples=60, deadline=None)
@given(_worlds())
def test_no_change_breaks_a_policy_a_lock_or_a_live_value(inputs: PlanInputs) -> None:
    plan = build_plan(inputs)
    keys = [change.key for change in plan.changes]
    assert len(set(keys)) == len(keys)
    for change in plan.changes:
        if change.disposition is Disposition.REVIEW:
            assert change.held_by
        if change.entity is Entity.TASK:
            assert change.requires in {"", *keys}
            continue
        state = inputs.contacts[change.contact_id]
        for field in change.fields:
            write = inputs.mapping.model.contact.write[field.name]
            baseline = state.baselines.get(field.crm_field)
            assert field.crm_field == write.field
            assert field.before == state.live.get(field.crm_field)
            assert write.policy is not Policy.NEVER
            if baseline is not None and baseline.edited_at is not None:
                assert baseline.edited_at.date() < AS_OF
                assert change.disposition is Disposition.REVIEW


@settings(max_examples=40, deadline=None)
@given(_worlds())
def test_planning_again_after_everything_was_carried_out_leaves_nothing(
    inputs: PlanInputs,
) -> None:
    settled = frozenset(change.key for change in build_plan(inputs).changes)
    assert build_plan(replace(inputs, settled=settled)).changes == ()
