"""Plans as rows: packed texts, the digest behind the hash, and plans of earlier versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from crm_sync.canonical import canonical_json, evidence_text, fields_text, scalar_text
from crm_sync.errors import PlanStale
from crm_sync.later import FromText, Later
from crm_sync.model import (
    Change,
    Disposition,
    Entity,
    Evidence,
    FieldChange,
    JobChangeKind,
    Mode,
    Operation,
    Plan,
    plain,
)
from crm_sync.sealed import Sealed
from crm_sync.store import plan_rows, plans
from crm_sync.store.database import Store
from crm_sync.store.tables import change as change_table
from crm_sync.store.tables import change_pack

NOW = datetime(2026, 6, 15, 5, tzinfo=UTC)
EVIDENCE = (
    Evidence("linkedin", "Same page", "vendor", date(2026, 6, 1), 12.5),
    Evidence("ended", "Was CFO"),
)
UPDATE = Change(
    key="k1",
    operation=Operation.UPDATE,
    entity=Entity.CONTACT,
    record_id="003A",
    contact_id="003A",
    kind=JobChangeKind.MOVED,
    fields=(
        FieldChange("moved", "Moved__c", None, True),
        FieldChange("title", "Title", "Chef d’équipe", None),
    ),
    disposition=Disposition.AUTO,
    reason="Moved to Norvex",
    confidence=0.97,
    evidence=EVIDENCE,
    rule="flag_and_task",
    watched=(FieldChange("title", "Title", "CFO", "CFO"),),
    source="vendor",
    identified_by="linkedin",
    band="auto",
)
TASK = replace(
    UPDATE,
    key="k2",
    operation=Operation.CREATE,
    entity=Entity.TASK,
    record_id="",
    fields=(
        FieldChange("subject", "Subject", None, "Norvex"),
        FieldChange("due_on", "ActivityDate", None, "2026-06-18"),
    ),
    disposition=Disposition.REVIEW,
    requires="k1",
    held_by="it waits",
    owner_id="005A",
    rule="moved",
    watched=(),
)
LINK = replace(
    TASK,
    key="k3",
    operation=Operation.LINK,
    fields=(FieldChange("contact_id", "associations.contacts", None, "003A"),),
    requires="k2",
    evidence=(),
)
PLAN = Plan(0, "emea", NOW, NOW + timedelta(days=7), Mode.REVIEW, (UPDATE, TASK, LINK))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(params=["in rows", "packed"])
def packing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param == "packed":
        monkeypatch.setattr(plans, "PACKED_FROM", 1)
        monkeypatch.setattr(plan_rows, "_PACK", 3)
    return bool(request.param == "packed")


def saved(store: Store, new: Plan) -> Plan:
    with store.begin() as tx:
        return plans.save_plan(tx, new)


def loaded(store: Store, plan_id: int) -> Plan:
    with store.read() as tx:
        return plans.load_plan(tx, plan_id)


def many(count: int) -> tuple[Change, ...]:
    """Updates whose keys come in another order than they do."""
    return tuple(
        replace(UPDATE, key=f"{n * 7919 % 10007:05d}", contact_id=f"c{n}", reason=f"{n}")
        for n in range(count)
    )


def test_changes_come_back_in_their_order_with_their_texts(store: Store, packing: bool) -> None:
    new = replace(PLAN, changes=(*many(11), UPDATE, TASK, LINK))
    kept = saved(store, new)
    again = loaded(store, kept.id)
    assert again == kept
    assert again.changes == new.changes
    assert again.hash == new.hash
    with store.read() as tx:
        held = tx.execute(select(change_table.c.pack).order_by(change_table.c.position)).scalars()
        assert [one is not None for one in held] == [packing] * 13 + [False]


def test_packs_of_several_plans_stay_apart(store: Store, packing: bool) -> None:
    first, second = saved(store, PLAN), saved(store, replace(PLAN, changes=many(7)))
    assert loaded(store, first.id).changes == PLAN.changes
    assert loaded(store, second.id).changes == many(7)


@pytest.mark.parametrize("data", [b"", b"nonsense", None])
def test_a_pack_that_was_altered_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch, data: bytes | None
) -> None:
    monkeypatch.setattr(plans, "PACKED_FROM", 1)
    kept = saved(store, PLAN)
    other = plan_rows.rows_of([replace(TASK, fields=UPDATE.fields)] * 2, packed=True).packs[0]
    with store.begin() as tx:
        size, made = other if data is None else (5, data)
        tx.execute(update(change_pack).values(size=size, data=made))
    with pytest.raises(PlanStale, match="altered"):
        loaded(store, kept.id)


@pytest.mark.parametrize(
    "altered", ["slot = 1 - slot", "pack = 99", "due_on = '2026-06-19'", "due_on = ''"]
)
def test_what_points_to_a_text_or_completes_it_is_covered(
    store: Store, monkeypatch: pytest.MonkeyPatch, altered: str
) -> None:
    monkeypatch.setattr(plans, "PACKED_FROM", 1)
    kept = saved(store, PLAN)
    with store.begin() as tx:
        tx.execute(text(f"UPDATE change SET {altered} WHERE operation != 'link'"))
    with pytest.raises(PlanStale, match="altered"):
        loaded(store, kept.id)


def test_text_moved_from_one_column_to_the_next_is_another_change() -> None:
    one = replace(UPDATE, fields=UPDATE.watched, watched=UPDATE.fields)
    assert Sealed.of(one).digest != Sealed.of(UPDATE).digest


def test_only_the_due_date_of_a_new_task_stands_apart() -> None:
    later = FieldChange("due_on", "ActivityDate", None, "2026-06-19")
    task = replace(TASK, fields=(TASK.fields[0], later))
    assert Sealed.of(task).digest == Sealed.of(TASK).digest
    assert replace(PLAN, changes=(UPDATE, task)).hash != replace(PLAN, changes=(UPDATE, TASK)).hash
    edited = replace(UPDATE, fields=(later,))
    assert Sealed.of(edited).due_on == ""
    assert "2026-06-19" in Sealed.of(edited).fields


OLD_UPDATE = (
    '[{"after":true,"before":null,"crm_field":"Moved__c","name":"moved"},{"after":null,"before":'
    '"Chef d’équipe","crm_field":"Title","name":"title"}]'
)
OLD_TASK = (
    '[{"after":"Norvex","before":null,"crm_field":"Subject","name":"subject"},'
    '{"after":"2026-06-18","before":null,"crm_field":"ActivityDate","name":"due_on"}]'
)
OLD_EVIDENCE = (
    '[{"as_of":"2026-06-01","detail":"Same page","rule":"linkedin","source":"vendor"},'
    '{"as_of":null,"detail":"Was CFO","rule":"ended","source":""}]'
)
OLD_HASH = "807bb6c1e4eeb77f441a8ce9502cea5f8f7507b27152df7dcdf2660370eb84b7"
"""What a version before this one stored, text for text."""


def old_plan(store: Store) -> int:
    columns = (
        "plan_id, key, position, operation, entity, record_id, contact_id, kind, fields, watched, "
        "disposition, reason, confidence, evidence, requires, held_by, owner_id, rule"
    )
    watched = '[{"after":"CFO","before":"CFO","crm_field":"Title","name":"title"}]'
    rows = [
        ("k1", 0, "update", "contact", "003A", "003A", "moved", OLD_UPDATE, watched, "auto",
         "Moved to Norvex", 0.97, OLD_EVIDENCE, "", "", "", "flag_and_task"),
        ("k2", 1, "create", "task", "", "003A", "moved", OLD_TASK, "[]", "review",
         "Moved to Norvex", 0.97, OLD_EVIDENCE, "k1", "it waits", "005A", "moved"),
    ]  # fmt: skip
    with store.begin() as tx:
        tx.exec_driver_sql(
            "INSERT INTO plan (id, connection, created_at, expires_at, mode, hash, guards, funnel, "
            "terms) VALUES (1, 'emea', ?, ?, 'review', ?, '[]', '{}', 'terms')",
            (NOW.isoformat(), (NOW + timedelta(days=7)).isoformat(), OLD_HASH),
        )
        for row in rows:
            marks = ", ".join("?" for _ in row)
            tx.exec_driver_sql(f"INSERT INTO change ({columns}) VALUES (1, {marks})", row)
    return 1


def test_a_plan_of_an_earlier_version_is_read_under_its_own_hash(store: Store) -> None:
    old = loaded(store, old_plan(store))
    assert (old.hash, old.edition) == (OLD_HASH, 1)
    assert [one.key for one in old.changes] == ["k1", "k2"]
    assert old.changes[1].fields == TASK.fields
    with store.begin() as tx:
        plans.decide(tx, old, ["k2"], plans.APPROVED, by="somebody", at=NOW)
        assert plans.decisions(tx, old) == {"k2": plans.APPROVED}


@pytest.mark.parametrize(
    ("column", "value"), [("fields", "[]"), ("fields", "not json"), ("reason", "x")]
)
def test_an_altered_plan_of_an_earlier_version_is_refused(
    store: Store, column: str, value: str
) -> None:
    old = old_plan(store)
    with store.begin() as tx:
        tx.execute(update(change_table).where(change_table.c.key == "k1").values({column: value}))
    with pytest.raises(PlanStale, match="altered"):
        loaded(store, old)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
fields = st.lists(st.builds(FieldChange, st.text(), st.text(), scalars, scalars), max_size=3)
evidence = st.lists(
    st.builds(
        Evidence, st.text(), st.text(), st.text(), st.none() | st.dates(),
        st.none() | st.floats(allow_nan=False),
    ),
    max_size=3,
)  # fmt: skip


@given(fields, evidence, scalars)
@settings(deadline=None)
def test_the_quick_ways_give_canonical_json(
    some: list[FieldChange], said: list[Evidence], value: str | float | bool | None
) -> None:
    assert fields_text(some) == canonical_json(plain(some))
    assert evidence_text(said) == canonical_json(plain(said))
    assert scalar_text(value) == canonical_json(value)


@given(fields, evidence)
@settings(deadline=None)
def test_texts_behave_as_the_tuples_they_are_read_as(
    some: list[FieldChange], said: list[Evidence]
) -> None:
    lazy = FromText(evidence_text(said), plan_rows.load_evidence)
    assert lazy == tuple(said)
    assert tuple(said) == lazy
    assert (*lazy,) == tuple(said)
    assert lazy[:1] == tuple(said[:1])
    assert (len(lazy), repr(lazy), hash(lazy)) == (len(said), repr(tuple(said)), hash(tuple(said)))
    assert FromText(fields_text(some), plan_rows.load_fields) == tuple(some)


def test_what_comes_later_is_counted_without_being_read() -> None:
    read: list[int] = []

    def load() -> list[Change]:
        read.append(1)
        return [UPDATE, TASK]

    later = Later(2, "digest", load)
    assert len(later) == 2
    assert read == []
    assert later == (UPDATE, TASK)
    assert list(later) == [UPDATE, TASK]
    assert read == [1]
