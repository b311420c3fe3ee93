from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from crm_sync.errors import NotFound, PlanStale
from crm_sync.model import (
    Change,
    Disposition,
    Entity,
    Evidence,
    FieldChange,
    GuardResult,
    JobChangeKind,
    Mode,
    Operation,
    Plan,
)
from crm_sync.store import plans, runs
from crm_sync.store.database import Store
from crm_sync.store.plans import APPROVED, REJECTED
from crm_sync.store.tables import change as change_table
from crm_sync.views import find_changes

NOW = datetime(2026, 6, 15, 5, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        yield opened
    finally:
        opened.close()


def change(key: str, **more: object) -> Change:
    one = Change(
        key=key,
        operation=Operation.UPDATE,
        entity=Entity.CONTACT,
        record_id="003A",
        contact_id="003A",
        kind=JobChangeKind.MOVED,
        fields=(
            FieldChange("title", "Title", "O'Neill's\n\"CFO\"", None),
            FieldChange("moved", "Moved__c", None, True),
            FieldChange("share", "Share__c", 0.1, 3),
        ),
        disposition=Disposition.REVIEW,
        reason="moved 👋",
        confidence=0.1 + 0.2,
        evidence=(Evidence("r", "d", "s", date(2026, 6, 1)), Evidence("r", "d")),
        requires="k0",
        held_by="a policy",
        owner_id="005A",
        rule="moved",
    )
    return replace(one, **more)  # type: ignore[arg-type]


def plan(*changes: Change, connection: str = "emea", undo_of: int | None = None) -> Plan:
    return Plan(
        id=0,
        connection=connection,
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        mode=Mode.REVIEW,
        changes=changes,
        guards=(GuardResult("share", True, 0.3, 0.25, "too many", "look"),),
        funnel={"contacts": 5, "moved": 1},
        undo_of=undo_of,
    )


def saved(store: Store, new: Plan) -> Plan:
    with store.begin() as tx:
        return plans.save_plan(tx, new)


def loaded(store: Store, plan_id: int) -> Plan:
    with store.read() as tx:
        return plans.load_plan(tx, plan_id)


def test_a_plan_is_read_back_as_it_was_made(store: Store) -> None:
    new = plan(change("k2"), change("k1", operation=Operation.CREATE, entity=Entity.TASK))
    kept = saved(store, new)
    assert kept == replace(new, id=kept.id)
    assert loaded(store, kept.id) == kept
    assert loaded(store, kept.id).hash == new.hash


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
fields = st.builds(FieldChange, st.text(), st.text(), scalars, scalars)
evidence = st.builds(Evidence, st.text(), st.text(), st.text(), st.none() | st.dates())
changes = st.builds(
    change,
    st.text(),
    operation=st.sampled_from(Operation),
    entity=st.sampled_from(Entity),
    fields=st.lists(fields, max_size=3).map(tuple),
    evidence=st.lists(evidence, max_size=2).map(tuple),
    confidence=st.floats(0, 1),
    reason=st.text(),
)


@given(st.lists(changes, max_size=3, unique_by=lambda one: one.key))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_plan_is_read_back_as_it_was_made(some: list[Change]) -> None:
    some = [one for one in some if _storable(one)]
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "x.db")
        kept = saved(store, plan(*some))
        again = loaded(store, kept.id)
        store.close()
    assert again == kept
    assert again.hash == plan(*some).hash


def _storable(one: Change) -> bool:
    try:
        repr(one).encode()
        one.key.encode()
        one.reason.encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fields", '[{"name":"title","crm_field":"Title","before":"a","after":"b"}]'),
        ("fields", "not json"),
        ("fields", '[{"other": 1}]'),
        ("fields", "[3]"),
        ("evidence", "[]"),
        ("evidence", '[{"rule": 1}]'),
        ("evidence", '[{"rule":"r","detail":"d","source":"","as_of":"yesterday"}]'),
        ("operation", "delete"),
        ("operation", "explode"),
        ("record_id", "003B"),
        ("disposition", "auto"),
        ("confidence", 1.0),
        ("requires", ""),
    ],
)
def test_a_plan_whose_changes_were_altered_is_refused(
    store: Store, column: str, value: object
) -> None:
    kept = saved(store, plan(change("k1"), change("k2")))
    with store.begin() as tx:
        tx.execute(update(change_table).where(change_table.c.key == "k1").values({column: value}))
    with pytest.raises(PlanStale, match="altered") as caught:
        loaded(store, kept.id)
    assert caught.value.fix


def test_a_plan_that_lost_or_gained_a_change_is_refused(store: Store) -> None:
    kept = saved(store, plan(change("k1"), change("k2")))
    with store.begin() as tx:
        tx.execute(text("DELETE FROM change WHERE key = 'k2'"))
    with pytest.raises(PlanStale):
        loaded(store, kept.id)


def test_an_absent_plan_is_told(store: Store) -> None:
    with pytest.raises(NotFound, match="no plan 7"):
        loaded(store, 7)


def test_the_latest_plan_of_a_connection_is_no_undo(store: Store) -> None:
    with store.read() as tx:
        assert plans.latest_plan_id(tx) is None
    first = saved(store, plan(change("k1")))
    other = saved(store, plan(change("k1"), connection="apac"))
    saved(store, plan(change("u1"), undo_of=1))
    with store.read() as tx:
        assert plans.latest_plan_id(tx, "emea") == first.id
        assert plans.latest_plan_id(tx) == other.id
        assert plans.latest_plan_id(tx, "nowhere") is None


def decide(store: Store, of: Plan, keys: list[str], decision: str) -> None:
    with store.begin() as tx:
        plans.decide(tx, of, keys, decision, by="somebody", at=NOW)


def decisions(store: Store, of: Plan) -> dict[str, str]:
    with store.read() as tx:
        return plans.decisions(tx, of)


def never_again(store: Store, connection: str = "emea") -> frozenset[str]:
    with store.read() as tx:
        return plans.rejected_keys(tx, connection)


def test_a_decision_counts_for_this_plan_with_this_content_only(store: Store) -> None:
    kept = saved(store, plan(change("k1"), change("k2")))
    same = saved(store, plan(change("k1"), change("k2")))
    decide(store, kept, ["k1"], APPROVED)
    assert decisions(store, kept) == {"k1": APPROVED}
    assert decisions(store, same) == {}
    assert decisions(store, replace(kept, changes=(change("k1", reason="other"),))) == {}


def test_the_later_decision_counts_and_a_rejection_can_be_taken_back(store: Store) -> None:
    kept = saved(store, plan(change("k1"), change("k2")))
    decide(store, kept, ["k1", "k2"], REJECTED)
    assert never_again(store) == {"k1", "k2"}
    assert never_again(store, "apac") == frozenset()
    decide(store, kept, ["k1"], APPROVED)
    assert decisions(store, kept) == {"k1": APPROVED, "k2": REJECTED}
    assert never_again(store) == {"k2"}


def test_what_was_undone_comes_back_by_no_later_decision(store: Store) -> None:
    kept = saved(store, plan(change("k1")))
    decide(store, kept, ["k1"], APPROVED)
    with store.begin() as tx:
        plans.reject_keys(tx, "emea", ["k1"], "undone", NOW)
    for decision in (REJECTED, APPROVED):
        decide(store, kept, ["k1"], decision)
        assert never_again(store) == {"k1"}


def test_decisions_about_more_changes_than_a_statement_takes(store: Store) -> None:
    kept = saved(store, plan())
    keys = [str(n) for n in range(12_000)]
    decide(store, kept, keys, REJECTED)
    assert never_again(store) == set(keys)
    decide(store, kept, keys, APPROVED)
    assert never_again(store) == frozenset()


def test_changes_are_found_by_the_beginning_of_their_keys() -> None:
    of = plan(change("abc1"), change("abd2"))
    found, unclear = find_changes(of, ["ABC", "ab", "x", "", "abd2"])
    assert [one.key for one in found] == ["abc1", "abd2"]
    assert unclear == ["ab", "x", ""]
    assert find_changes(plan(change("abc1")), [""]) == ([], [""])


def test_dispositions_are_counted() -> None:
    of = plan(change("1"), change("2"), change("3", disposition=Disposition.AUTO))
    assert plans.counts_by_disposition(of) == {"auto": 1, "review": 2}


# Runs


def test_a_run_is_recorded_from_its_beginning_to_its_end(store: Store) -> None:
    with store.begin() as tx:
        id = runs.start_run(tx, "emea", "run", NOW)
    with store.read() as tx:
        begun = runs.get_run(tx, id)
    assert begun == runs.Run(id, "emea", "run", None, NOW, None, None, {}, "")
    with store.begin() as tx:
        runs.set_plan(tx, id, 4)
        runs.end_run(tx, id, NOW + timedelta(hours=1), "partial", {"done": 3}, "some")
    with store.read() as tx:
        ended = runs.get_run(tx, id)
        assert runs.get_run(tx, id + 1) is None
    later = NOW + timedelta(hours=1)
    assert ended == runs.Run(id, "emea", "run", 4, NOW, later, "partial", {"done": 3}, "some")


def test_runs_are_listed_newest_first_and_by_connection(store: Store) -> None:
    with store.begin() as tx:
        made = [runs.start_run(tx, c, "run", NOW) for c in ("emea", "apac", "emea", "emea")]
    with store.read() as tx:
        assert [one.id for one in runs.list_runs(tx)] == made[::-1]
        assert [one.id for one in runs.list_runs(tx, "emea", limit=2)] == [made[3], made[2]]


def test_numbers_of_plans_and_runs_are_never_used_again(store: Store) -> None:
    first = saved(store, plan())
    with store.begin() as tx:
        tx.execute(text("DELETE FROM plan"))
    assert saved(store, plan()).id > first.id
