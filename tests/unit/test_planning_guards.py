"""Guards at, below and above their limits, at planning and again before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.config import Guards
from crm_sync.errors import GuardTripped
from crm_sync.mapping import load_mapping
from crm_sync.model import (
    Band,
    Change,
    Disposition,
    Entity,
    FieldChange,
    GuardResult,
    JobChange,
    JobChangeKind,
    Mode,
    Operation,
    Plan,
    Position,
    Scalar,
)
from crm_sync.planning.build import build_plan
from crm_sync.planning.guards import Tally, planned_guards, refusal, tripped
from crm_sync.planning.inputs import ContactState, PlanInputs, SourceCount
from crm_sync.planning.playbooks import Playbooks, load_playbooks

SHIPPED = Path(__file__).parents[2] / "mappings"
MAPPING = load_mapping(SHIPPED / "salesforce.yaml")
NOW = datetime(2026, 6, 16, 9, 0, tzinfo=UTC)
AUTO, REVIEW = Disposition.AUTO, Disposition.REVIEW


def _update(number: int, disposition: Disposition = AUTO, **fields: Any) -> Change:
    name, before, after = fields.get("field", ("moved", False, True))
    return Change(
        key=f"update-{number}",
        operation=Operation.UPDATE,
        entity=Entity.CONTACT,
        record_id=f"c{number}",
        contact_id=f"c{number}",
        kind=JobChangeKind.MOVED,
        fields=(FieldChange(name, f"CRM_{name}", before, after),),
        disposition=disposition,
        reason="Moved",
        confidence=0.9,
    )


def _task(number: int, owner: str, disposition: Disposition = AUTO) -> Change:
    update = _update(number, disposition)
    return replace(
        update,
        key=f"task-{number}",
        operation=Operation.CREATE,
        entity=Entity.TASK,
        record_id="",
        owner_id=owner,
        fields=(FieldChange("subject", "Subject", None, "x"),),
    )


def _inputs(**more: Any) -> PlanInputs:
    values: dict[str, Any] = {
        "connection": "emea",
        "mapping": MAPPING,
        "playbooks": Playbooks(),
        "mode": Mode.REVIEW,
        "guards": Guards(),
        "now": NOW,
        "job_changes": (),
        "contacts": {},
        "contacts_total": 100,
    }
    return PlanInputs(**(values | more))


def _guards(changes: Sequence[Change], **more: Any) -> dict[str, GuardResult]:
    return {guard.name: guard for guard in planned_guards(_inputs(**more), Tally.of(changes))}


def _plan(changes: Sequence[Change], **more: Any) -> Plan:
    guards = planned_guards(_inputs(**more), Tally.of(changes))
    return Plan(1, "emea", NOW, NOW, Mode.REVIEW, tuple(changes), guards)


@pytest.mark.parametrize(
    ("changed", "total", "stops"),
    [(25, 100, False), (26, 100, True), (24, 100, False), (49, 49, False), (13, 50, True)],
)
def test_the_share_of_contacts_written_unseen_is_limited(
    changed: int, total: int, stops: bool
) -> None:
    guard = _guards([_update(n) for n in range(changed)], contacts_total=total)["share_changed"]
    assert guard.tripped is stops
    assert guard.measured == pytest.approx(changed / total)


@pytest.mark.parametrize(("changed", "stops"), [(9, False), (10, False), (11, True)])
def test_the_number_of_contacts_written_unseen_is_limited(changed: int, stops: bool) -> None:
    limits = Guards(max_contacts_changed=10)
    changes = [*(_update(n) for n in range(changed)), *(_task(n, f"u{n}") for n in range(changed))]
    guard = _guards(changes, guards=limits, contacts_total=10_000)["contacts_changed"]
    assert (guard.tripped, guard.measured, guard.limit) == (stops, changed, 10)
    assert f"{changed} contacts" in guard.message
    assert "guards.max_contacts_changed" in guard.fix


def test_what_waits_for_a_person_does_not_count_for_share_and_number() -> None:
    guards = _guards([_update(n, REVIEW) for n in range(90)])
    assert (guards["share_changed"].measured, guards["contacts_changed"].measured) == (0, 0)


@pytest.mark.parametrize(("today", "stops"), [(0, False), (1, False), (2, True)])
def test_the_tasks_of_a_colleague_and_day_are_limited_with_those_made_before(
    today: int, stops: bool
) -> None:
    limits = Guards(max_tasks_per_colleague_per_day=3)
    changes = [_task(1, "u1", REVIEW), _task(2, "u1"), _task(3, "u2")]
    guard = _guards(changes, guards=limits, tasks_today={"u1": today})["tasks_per_colleague"]
    assert (guard.tripped, guard.measured) == (stops, 2 + today)
    assert "u1" in guard.message


def test_a_colleague_without_new_tasks_stops_nobody() -> None:
    guard = _guards([_task(1, "u1")], tasks_today={"u2": 1_000})["tasks_per_colleague"]
    assert not guard.tripped


@pytest.mark.parametrize(
    ("profiles", "before", "stops"),
    [
        (0, None, {"empty_source:file"}),
        (0, 10, {"empty_source:file", "shrunken_source:file"}),
        (49, 100, {"shrunken_source:file"}),
        (50, 100, set()),
        (1, None, set()),
        (1, 0, set()),
    ],
)
def test_a_source_that_is_empty_or_lost_most_of_itself_stops_the_plan(
    profiles: int, before: int | None, stops: set[str]
) -> None:
    guards = _guards([], source_counts={"file": SourceCount(profiles, before)})
    assert {name for name, guard in guards.items() if guard.tripped} == stops


@pytest.mark.parametrize(
    ("field", "stops"),
    [
        (("title", "CFO", None), True),
        (("title", "CFO", " "), True),
        (("title", "", None), False),
        (("new_title", "CFO", None), False),
    ],
)
def test_no_value_of_the_crm_is_replaced_by_a_blank_unseen(
    field: tuple[str, Scalar, Scalar], stops: bool
) -> None:
    assert _guards([_update(1, field=field)])["blanks_over_values"].tripped is stops
    assert not _guards([_update(1, REVIEW, field=field)])["blanks_over_values"].tripped


# Before anything is written


def test_approval_by_hand_lets_a_large_plan_through() -> None:
    plan = _plan([_update(n) for n in range(30)])
    assert [guard.name for guard in tripped(plan, {})] == ["share_changed"]
    some = {f"update-{n}": "approved" for n in range(4)}
    assert [guard.measured for guard in tripped(plan, some)] == [pytest.approx(0.26)]
    assert tripped(plan, some | {"update-4": "approved"}) == []
    assert tripped(plan, {f"update-{n}": "rejected" for n in range(5)}) == []


def test_task_caps_count_what_was_approved_and_not_what_was_rejected() -> None:
    limits = Guards(max_tasks_per_colleague_per_day=2)
    plan = _plan([_task(n, "u1", REVIEW) for n in range(4)], guards=limits)
    keys = [change.key for change in plan.changes]
    assert tripped(plan, {}) == []
    assert tripped(plan, dict.fromkeys(keys[:2], "approved")) == []
    assert [g.measured for g in tripped(plan, dict.fromkeys(keys[:3], "approved"))] == [3]
    two = dict.fromkeys(keys[:2], "approved") | dict.fromkeys(keys[2:], "rejected")
    assert tripped(plan, two) == []
    assert [g.measured for g in tripped(plan, two, tasks_today={"u1": 1})] == [3]


def test_what_is_done_already_is_not_counted_again_when_applying_is_resumed() -> None:
    limits = Guards(max_tasks_per_colleague_per_day=2)
    plan = _plan([_task(1, "u1"), _task(2, "u1")], guards=limits)
    assert tripped(plan, {}, tasks_today={"u1": 1}) != []
    assert tripped(plan, {}, settled={"task-1"}, tasks_today={"u1": 1}) == []


def test_an_empty_source_stops_even_a_plan_without_changes_until_a_person_approves() -> None:
    empty = {"file": SourceCount(0, 10)}
    assert tripped(_plan([], source_counts=empty), {}) != []
    plan = _plan([_update(1), _update(2, REVIEW)], source_counts=empty)
    assert tripped(plan, {"update-2": "approved"}) != []
    assert tripped(plan, {"update-1": "approved"}) == []


BROKEN = {"file": SourceCount(0, 10)}


@given(
    st.lists(
        st.tuples(st.sampled_from(Disposition), st.sampled_from(["approved", "rejected", None])),
        max_size=6,
    )
)
def test_a_broken_source_is_let_through_only_by_who_approved_all_that_would_be_written(
    some: list[tuple[Disposition, str | None]],
) -> None:
    plan = _plan([_update(n, of) for n, (of, _) in enumerate(some)], source_counts=BROKEN)
    decisions = {f"update-{n}": said for n, (_, said) in enumerate(some) if said}
    would_be_written = [
        said for of, said in some if said == "approved" or (of is Disposition.AUTO and said is None)
    ]
    falls = bool(would_be_written) and all(said == "approved" for said in would_be_written)
    names = {guard.name for guard in tripped(plan, decisions)}
    assert ("empty_source:file" not in names) == falls
    assert ("shrunken_source:file" not in names) == falls


def test_the_fix_of_a_broken_source_says_that_every_change_has_to_be_approved() -> None:
    guards = _guards([_update(1)], source_counts=BROKEN)
    for name in ("empty_source:file", "shrunken_source:file"):
        assert "approve every change that is to be written, the ready ones as well" in (
            guards[name].fix
        )


def test_an_undo_is_never_stopped() -> None:
    plan = _plan([_update(n) for n in range(100)])
    assert tripped(plan, {}) != []
    assert tripped(replace(plan, undo_of=7), {}) == []


def test_the_refusal_says_every_figure_and_what_to_do() -> None:
    plan = _plan(
        [_update(n) for n in range(30)], source_counts={"file": SourceCount(1_200, 30_000)}
    )
    error = refusal(tripped(plan, {}), place="plan 1")
    assert isinstance(error, GuardTripped)
    assert error.exit_code == 3
    assert "1,200 profiles, 4 % of the 30,000 of the last run" in error.message
    assert "30 contacts, 30 % of all" in error.message
    assert "guards.max_share_changed" in error.fix
    assert "guards.min_source_share" in error.fix


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(Disposition), st.sampled_from(["u1", "u2"])),
        max_size=12,
        unique_by=lambda each: each[0],
    ),
    st.integers(0, 12),
    st.floats(0, 1),
    st.sets(st.integers(0, 9)),
)
def test_more_approvals_never_trip_share_or_number(
    some: list[tuple[int, Disposition, str]], limit: int, share: float, approved: set[int]
) -> None:
    limits = Guards(max_contacts_changed=limit, max_share_changed=share, minimum_sample=0)
    changes = [_update(number, disposition) for number, disposition, _ in some]
    plan = _plan(changes, guards=limits, contacts_total=12)
    before = {guard.name for guard in tripped(plan, {})}
    after = {guard.name for guard in tripped(plan, {f"update-{n}": "approved" for n in approved})}
    assert after <= before
    assert before == {guard.name for guard in plan.guards if guard.tripped}


def test_a_plan_of_a_source_that_broke_is_stopped_before_it_is_applied() -> None:
    people = [f"c{n}" for n in range(60)]
    left = [
        JobChange(
            contact_id=contact_id,
            kind=JobChangeKind.LEFT,
            confidence=0.9,
            band=Band.AUTO,
            before=Position("CFO", "Vexalor"),
            after=Position(),
            as_of=date(2026, 6, 15),
        )
        for contact_id in people
    ]
    plan = build_plan(
        _inputs(
            playbooks=load_playbooks(SHIPPED / "playbooks.yaml"),
            job_changes=left,
            contacts={each: ContactState({"owner_id": "u1"}, {}) for each in people},
            colleagues={"u1": {"name": "Paul Essai", "active": True}},
        )
    )
    assert {guard.name for guard in tripped(plan, {})} == {"share_changed", "tasks_per_colleague"}
