"""Decisions and the verdicts that they come to, kept in a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm_sync.errors import NotFound
from crm_sync.model import (
    Band,
    Change,
    Decision,
    Disposition,
    Entity,
    Evidence,
    FieldChange,
    JobChangeKind,
    Mode,
    Operation,
    Plan,
)
from crm_sync.stages.deciding import Decided, decide
from crm_sync.store import plans, verdicts
from crm_sync.store.database import Store
from crm_sync.store.tables import intent
from crm_sync.verdicts.verdict import MEASURED, Group, Verdict

NOW = datetime(2026, 6, 15, 5, tzinfo=UTC)
APPROVED, REJECTED = Decision.APPROVED, Decision.REJECTED

UPDATE = Change(
    key="a" * 64,
    operation=Operation.UPDATE,
    entity=Entity.CONTACT,
    record_id="003A",
    contact_id="003A",
    kind=JobChangeKind.MOVED,
    fields=(FieldChange("moved", "Moved__c", None, True),),
    disposition=Disposition.REVIEW,
    reason="Moved to Norvex",
    confidence=0.85,
    source="vendor",
    identified_by="linkedin",
    band="review",
)
TASK = replace(
    UPDATE, key="b" * 64, operation=Operation.CREATE, entity=Entity.TASK, record_id="",
    requires=UPDATE.key,
)  # fmt: skip
OTHER = replace(UPDATE, key="c" * 64, record_id="003B", contact_id="003B", band="auto")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        yield opened
    finally:
        opened.close()


def saved(store: Store, *changes: Change, undo_of: int | None = None) -> Plan:
    new = Plan(
        id=0,
        connection="emea",
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        mode=Mode.REVIEW,
        changes=changes,
        undo_of=undo_of,
    )
    with store.begin() as tx:
        return plans.save_plan(tx, new)


class Person:
    """Somebody who decides, an hour after the other, and what the store then holds."""

    def __init__(self, store: Store, of: Plan) -> None:
        self.store, self.of, self.at = store, of, NOW

    def says(self, decision: Decision, *ids: str, counts: bool = True, reason: str = "") -> Decided:
        self.at += timedelta(hours=1)
        with self.store.begin() as tx:
            return decide(
                tx, self.of, ids or None, decision, by="ann", at=self.at, reason=reason,
                counts=counts,
            )  # fmt: skip

    @property
    def held(self) -> list[Verdict]:
        with self.store.read() as tx:
            return verdicts.verdicts_of(tx, "emea")

    @property
    def rights(self) -> dict[str, bool]:
        return {one.contact_id: one.right for one in self.held}


A, B, C = (one.key[:10] for one in (UPDATE, TASK, OTHER))


@pytest.mark.parametrize(
    ("decisions", "rights"),
    [
        ([(APPROVED, A)], {"003A": True}),
        ([(APPROVED, B)], {"003A": True}),
        ([(REJECTED, A)], {"003A": False}),
        ([(REJECTED, B)], {}),
        ([(APPROVED, A), (REJECTED, B)], {"003A": True}),
        ([(REJECTED, A), (APPROVED, B)], {"003A": True}),
        ([(APPROVED, B), (REJECTED, A)], {"003A": False}),
        ([(APPROVED, "")], {"003A": True, "003B": True}),
        ([(REJECTED, "")], {"003A": False, "003B": False}),
        ([(APPROVED, ""), (REJECTED, C)], {"003A": True, "003B": False}),
    ],
)
def test_each_job_change_has_the_verdict_last_given(
    store: Store, decisions: list[tuple[Decision, str]], rights: dict[str, bool]
) -> None:
    person = Person(store, saved(store, UPDATE, TASK, OTHER))
    for decision, id in decisions:
        person.says(decision, *([id] if id else []))
    assert person.rights == rights


def test_a_verdict_keeps_what_the_plan_held(store: Store) -> None:
    person = Person(store, saved(store, UPDATE, TASK))
    assert person.says(APPROVED, B, reason="met her").verdicts == 1
    assert person.held == [
        Verdict(
            claim=UPDATE.key,
            plan_id=person.of.id,
            contact_id="003A",
            group=Group("vendor", "moved", "linkedin"),
            band=Band.REVIEW,
            confidence=0.85,
            right=True,
            decided_by="ann",
            at=NOW + timedelta(hours=1),
            reason="met her",
        )
    ]


def test_a_later_plan_with_the_same_claim_has_no_second_verdict(store: Store) -> None:
    Person(store, saved(store, UPDATE)).says(REJECTED, A)
    later = Person(store, saved(store, UPDATE))
    later.says(APPROVED, A)
    assert [(one.plan_id, one.right) for one in later.held] == [(later.of.id, True)]


def test_what_waited_only_because_its_group_was_demoted_counts_as_without_a_doubt(
    store: Store,
) -> None:
    held = replace(UPDATE, evidence=(Evidence(MEASURED, "Measured: …", "vendor"),))
    person = Person(store, saved(store, held, OTHER))
    person.says(APPROVED)
    assert [one.band for one in person.held] == [Band.AUTO, Band.AUTO]


def test_a_decision_that_does_not_count_takes_back_what_was_said(store: Store) -> None:
    person = Person(store, saved(store, UPDATE, TASK, OTHER))
    person.says(APPROVED)
    assert person.says(REJECTED, A, counts=False) == Decided((UPDATE.key, TASK.key), 0, 0)
    assert person.rights == {"003B": True}
    with store.read() as tx:
        assert plans.rejected_keys(tx, "emea") == {UPDATE.key, TASK.key}


def test_what_is_written_is_judged_only_where_it_is_named(store: Store) -> None:
    person = Person(store, saved(store, UPDATE, TASK, OTHER))
    with store.begin() as tx:
        tx.execute(
            intent.insert().values(
                connection="emea", key=OTHER.key, run_id=1, plan_id=person.of.id, state="done",
                operation="update", entity="contact", record_id="003B", contact_id="003B",
                fields="[]", attempts=1, code="", message="",
            )
        )  # fmt: skip
    assert person.says(APPROVED) == Decided((UPDATE.key, TASK.key), 1, 1)
    assert person.rights == {"003A": True}
    assert person.says(REJECTED, C) == Decided((), 1, 1)
    assert person.rights == {"003A": True, "003B": False}
    with store.read() as tx:
        assert plans.rejected_keys(tx, "emea") == set()


def test_an_undo_is_no_verdict_and_is_counted_beside(store: Store) -> None:
    original = saved(store, UPDATE, TASK)
    with store.begin() as tx:
        for one in (UPDATE, TASK):
            tx.execute(
                intent.insert().values(
                    connection="emea", key=one.key, run_id=1, plan_id=original.id, state="done",
                    operation=one.operation.value, entity=one.entity.value, record_id="003A",
                    contact_id="003A", fields="[]", attempts=1, code="", message="",
                )
            )  # fmt: skip
        plans.reject_keys(tx, "emea", [UPDATE.key, TASK.key], "undone", NOW)
    taken_back = replace(UPDATE, key="d" * 64)
    person = Person(store, saved(store, taken_back, undo_of=1))
    person.says(APPROVED)
    assert person.held == []
    with store.read() as tx:
        assert verdicts.undone_updates(tx, "emea") == {Group("vendor", "moved", "linkedin"): 1}


def test_a_change_from_before_sources_were_kept_gives_no_verdict(store: Store) -> None:
    person = Person(store, saved(store, replace(UPDATE, source="", identified_by="", band="")))
    assert person.says(APPROVED) == Decided((UPDATE.key,), 0, 0)


def test_nothing_is_kept_of_a_decision_about_a_change_that_is_not_there(store: Store) -> None:
    person = Person(store, saved(store, UPDATE))
    with pytest.raises(NotFound):
        person.says(APPROVED, A, "ffff")
    assert person.held == []
    with store.read() as tx:
        assert plans.decisions(tx, person.of) == {}


def test_verdicts_of_connections_are_apart(store: Store) -> None:
    Person(store, saved(store, UPDATE)).says(APPROVED)
    with store.read() as tx:
        assert verdicts.verdicts_of(tx, "apac") == []
        assert verdicts.undone_updates(tx, "apac") == {}


def test_it_is_told_what_a_decision_demotes_and_restores(store: Store) -> None:
    group = Group("vendor", "moved", "linkedin")
    some = [
        replace(UPDATE, key=letter * 64, record_id=letter, contact_id=letter, band="auto")
        for letter in "abc"
    ]
    person = Person(store, saved(store, *some))
    assert person.says(REJECTED, A).demoted == ()
    assert person.says(REJECTED, B).demoted == (group,)  # none of two: an upper bound of 0.84
    assert person.says(REJECTED, C).demoted == ()  # it is demoted already
    done = person.says(APPROVED, A, B, C, counts=False)
    assert (done.demoted, done.restored) == ((), (group,))
