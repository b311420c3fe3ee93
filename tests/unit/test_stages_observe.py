"""Asking: whom, in which order, within the budget, and what is kept when it ends early."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sync.calls.retry import RetryPolicy
from crm_sync.columns import CONTACT_COLUMNS
from crm_sync.enrichment.asking import Answer, AskingSource, Question
from crm_sync.enrichment.mapping import VendorMapping, load_mapping
from crm_sync.errors import (
    AccessDenied,
    BatchRejected,
    QuotaReached,
    RateLimited,
    ServerFault,
    Unreachable,
)
from crm_sync.shipped import shipped
from crm_sync.stages.observe import Asked, observe_all
from crm_sync.stages.whom import Ranking
from crm_sync.store import answers
from crm_sync.store.database import Store
from tests.support.judging import NOW, job

Reply = Callable[[Sequence[Question]], Sequence[Answer]]
MAPPING = load_mapping(shipped("mappings/people_data_labs.yaml"))


def found(question: Question, credits: float = 1.0) -> Answer:
    document = {"id": f"p{question.contact_id}", "full_name": "jane roe", "experience": []}
    return Answer(question.contact_id, "found", json.dumps(document), credits)


def all_found(questions: Sequence[Question]) -> Sequence[Answer]:
    return [found(one) for one in questions]


@dataclass
class Scripted:
    """A source that answers as a script says, then everybody; notes whom it was asked about."""

    script: list[Reply | BaseException] = field(default_factory=list)
    budget: float = 1000
    batch_size: int = 3
    max_cost: float = 1.0
    max_age_days: int = 30
    name: str = "vendor"
    trust: float = 0.9
    mapping: VendorMapping = MAPPING
    usual: Reply = all_found
    calls: list[list[str]] = field(default_factory=list)

    def inspect(self) -> str | None:
        return None

    def answerable(self, question: Question) -> bool:
        return question.email is not None

    def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        self.calls.append([one.contact_id for one in questions])
        step = self.script.pop(0) if self.script else self.usual
        if isinstance(step, BaseException):
            raise step
        return step(questions)

    def close(self) -> None: ...

    @property
    def asked(self) -> list[str]:
        return [one for call in self.calls for one in call]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "crm.db")
    yield opened
    opened.close()


def people(count: int, **more: str) -> list[dict[str, Any]]:
    return [
        {"contact_id": f"c{number:04}", "last_name": "Roe", "email": f"c{number}@acme.example"}
        | more
        for number in range(count)
    ]


def table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    columns = {
        name: pa.array([row.get(name) for row in rows], pa.string()) for name in CONTACT_COLUMNS
    }
    return pa.table(columns)


def observe(
    store: Store,
    source: Scripted,
    rows: Sequence[Mapping[str, Any]],
    *,
    now: datetime = NOW,
    ranking: Ranking | None = None,
    pauses: list[float] | None = None,
) -> Asked:
    assert isinstance(source, AskingSource)
    slept = pauses if pauses is not None else []
    observed = observe_all(
        store,
        "main",
        lambda: table(rows),
        [source],
        now=now,
        ranking=ranking,
        policy=RetryPolicy(attempts=3),
        sleep=slept.append,
    )
    return observed.asked["vendor"]


def kept(store: Store) -> dict[str, str]:
    """The status of every stored answer by contact."""
    with store.read() as tx:
        rows = tx.exec_driver_sql("SELECT contact_id, status FROM answer").all()
    return {row[0]: row[1] for row in rows}


# Whom


def test_everybody_is_asked_about_once_and_not_again_before_the_answer_is_old(store: Store) -> None:
    first, again, later = Scripted(), Scripted(), Scripted()
    assert observe(store, first, people(7)) == Asked(7, found=7, credits=7)
    assert [len(call) for call in first.calls] == [3, 3, 1]
    assert observe(store, again, people(7), now=NOW + timedelta(days=30)) == Asked()
    assert again.calls == []
    assert observe(store, later, people(7), now=NOW + timedelta(days=31)).asked == 7


def test_absent_is_an_answer_too(store: Store) -> None:
    def nobody(questions: Sequence[Question]) -> Sequence[Answer]:
        return [Answer(one.contact_id, "absent") for one in questions]

    assert observe(store, Scripted(usual=nobody), people(2)) == Asked(2, absent=2)
    assert observe(store, Scripted(), people(2)) == Asked()


def test_who_holds_too_little_is_not_asked_about_and_does_not_wait(store: Store) -> None:
    rows = [*people(2), {"contact_id": "x", "last_name": "Doe"}]
    assert observe(store, Scripted(), rows) == Asked(2, found=2, credits=2)


@pytest.mark.parametrize(
    ("more", "asked_again"),
    [
        ({"email": "other@acme.example"}, True),
        ({"last_name": "Roe-Doe"}, True),
        ({"linkedin_url": "linkedin.com/in/jane"}, True),
        ({"title": "Founder"}, False),  # we write it ourselves
        ({"organisation": "Newco"}, False),
        ({"city": "Paris"}, False),
        ({"last_name": " ROE "}, False),
    ],
)
def test_asked_again_when_what_tells_who_it_is_has_changed(
    store: Store, more: dict[str, str], asked_again: bool
) -> None:
    observe(store, Scripted(), people(1))
    assert observe(store, Scripted(), [people(1)[0] | more]).asked == int(asked_again)


def test_an_employer_counts_where_nothing_else_tells_who_it_is(store: Store) -> None:
    class NameAndEmployer(Scripted):
        def answerable(self, question: Question) -> bool:
            return True

    row = {"contact_id": "c", "last_name": "Roe", "organisation": "Acme"}
    assert observe(store, NameAndEmployer(), [row]).asked == 1
    assert observe(store, NameAndEmployer(), [row]).asked == 0
    assert observe(store, NameAndEmployer(), [row | {"organisation": "Newco"}]).asked == 1


def test_never_asked_first_then_the_oldest_answers(store: Store) -> None:
    rows = people(6)
    observe(store, Scripted(), rows[4:5], now=NOW - timedelta(days=60))
    observe(store, Scripted(), rows[2:4], now=NOW - timedelta(days=90))
    observe(store, Scripted(), rows[5:6], now=NOW - timedelta(days=10))
    source = Scripted()
    observe(store, source, rows)
    assert source.asked == ["c0000", "c0001", "c0002", "c0003", "c0004"]


def test_the_ranking_decides_before_age_and_those_it_leaves_out_come_last(store: Store) -> None:
    rows = people(4)
    observe(store, Scripted(), rows[1:2], now=NOW - timedelta(days=60))
    seen: list[Sequence[str]] = []

    def ranking(ids: Sequence[str]) -> Mapping[str, float]:
        seen.append(sorted(ids))
        return {"c0003": 5, "c0001": 80.5}

    source = Scripted()
    observe(store, source, rows, ranking=ranking)
    assert source.asked == ["c0001", "c0003", "c0000", "c0002"]
    assert seen == [["c0000", "c0001", "c0002", "c0003"]]


def test_each_connection_has_answers_of_its_own(store: Store) -> None:
    observe(store, Scripted(), people(1))
    other = observe_all(store, "other", lambda: table(people(1)), [Scripted()], now=NOW)
    assert other.asked["vendor"].asked == 1


# The budget


def test_no_call_is_made_that_could_exceed_the_budget(store: Store) -> None:
    source = Scripted(budget=5)
    done = observe(store, source, people(20))
    assert [len(call) for call in source.calls] == [3, 2]
    assert done == Asked(5, found=5, credits=5, waiting=15, note=done.note)
    assert "budget" in done.note


def test_what_costs_nothing_is_not_counted_against_the_budget(store: Store) -> None:
    def one_in_three(questions: Sequence[Question]) -> Sequence[Answer]:
        return [found(questions[0]), *(Answer(one.contact_id, "absent") for one in questions[1:])]

    source = Scripted(budget=5, usual=one_in_three)
    assert observe(store, source, people(9)) == Asked(9, found=3, absent=6, credits=3)


def test_without_a_budget_nobody_is_asked(store: Store) -> None:
    source = Scripted(budget=0)
    assert observe(store, source, people(2)).waiting == 2
    assert source.calls == []


def test_a_call_without_an_answer_may_have_been_paid(store: Store) -> None:
    source = Scripted([ServerFault("did not answer in time")], budget=4)
    done = observe(store, source, people(9))
    # 3 of 4 credits may be gone: the same three cannot be asked again.
    assert source.calls == [["c0000", "c0001", "c0002"]]
    assert done.asked == 0
    assert "budget" in done.note
    assert kept(store) == {}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    budget=st.integers(0, 12),
    size=st.integers(1, 5),
    cost=st.sampled_from([0.5, 1.0, 2.5]),
    steps=st.lists(st.sampled_from(["all", "none", "fault", "slow", "refuse", "cut"]), max_size=12),
)
def test_law_never_above_budget_nobody_twice_and_every_answer_kept(
    tmp_path_factory: pytest.TempPathFactory, budget: int, size: int, cost: float, steps: list[str]
) -> None:
    paid: list[float] = []
    answered: set[str] = set()

    def reply(kind: str) -> Reply:
        def give(questions: Sequence[Question]) -> Sequence[Answer]:
            given = [
                found(one, cost) if kind != "none" else Answer(one.contact_id, "absent")
                for one in questions
            ]
            given = given[: len(given) // 2] if kind == "cut" else given
            paid.extend(one.credits for one in given)
            answered.update(one.contact_id for one in given)
            return given

        return give

    def step(kind: str) -> Reply | BaseException:
        if kind == "fault":
            return ServerFault("hung up")
        if kind == "slow":
            return RateLimited("slow down", retry_after=1)
        if kind == "refuse":
            return BatchRejected("bad", "bad")
        return reply(kind)

    source = Scripted(
        [step(kind) for kind in steps],
        budget=budget,
        batch_size=size,
        max_cost=cost,
        usual=reply("all"),
    )
    opened = Store.open(tmp_path_factory.mktemp("law") / "crm.db")
    try:
        done = observe(opened, source, people(10))
        held = kept(opened)
    finally:
        opened.close()
    assert sum(paid) <= budget + 1e-6
    assert answered <= set(held)
    assert {id for id, status in held.items() if status != "refused"} == answered
    assert done.asked == len(held)
    assert done.credits == pytest.approx(sum(paid))
    assert done.waiting == 10 - len(held)


# When it does not go well


def test_out_of_credit_ends_the_asking_and_keeps_what_was_answered(store: Store) -> None:
    source = Scripted([all_found, QuotaReached("it is out of credits")])
    done = observe(store, source, people(9))
    assert done == Asked(3, found=3, credits=3, waiting=6, note="it is out of credits")
    assert len(kept(store)) == 3
    assert observe(store, Scripted(), people(9)).asked == 6


def test_it_waits_as_long_as_it_is_told_to_and_goes_on(store: Store) -> None:
    pauses: list[float] = []
    source = Scripted([RateLimited("slow", retry_after=7), Unreachable("no connection")])
    assert observe(store, source, people(2), pauses=pauses).asked == 2
    assert len(source.calls) == 3
    assert 7 <= pauses[0] <= 8


def test_a_source_that_stays_down_is_told_of_and_ends_no_run(store: Store) -> None:
    faults: list[Reply | BaseException] = [Unreachable("no connection can be made")] * 9
    done = observe(store, Scripted(faults), people(2))
    assert done.asked == 0
    assert done.waiting == 2
    assert "no connection can be made" in done.note


def test_refused_credentials_end_the_run_and_what_was_paid_stays(store: Store) -> None:
    with pytest.raises(AccessDenied):
        observe(store, Scripted([all_found, AccessDenied("the key is refused")]), people(9))
    assert len(kept(store)) == 3


def test_ctrl_c_loses_no_answer(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        observe(store, Scripted([all_found, KeyboardInterrupt()]), people(9))
    assert len(kept(store)) == 3


def test_one_malformed_question_is_found_and_the_others_are_answered(store: Store) -> None:
    def strict(questions: Sequence[Question]) -> Sequence[Answer]:
        if any(one.contact_id == "c0004" for one in questions):
            raise BatchRejected("invalid_request_error", "jane@@acme.example is no address")
        return all_found(questions)

    done = observe(store, Scripted(usual=strict, batch_size=8), people(8))
    assert done == Asked(8, found=7, refused=1, credits=7)
    assert kept(store)["c0004"] == "refused"
    with store.read() as tx:
        words = tx.exec_driver_sql("SELECT message FROM answer WHERE status = 'refused'").scalar()
    assert "invalid_request_error" in str(words)
    assert "jane" not in str(words)
    assert observe(store, Scripted(), people(8)).asked == 0


def test_a_source_that_takes_no_question_at_all_is_not_believed(store: Store) -> None:
    def never(questions: Sequence[Question]) -> Sequence[Answer]:
        raise BatchRejected("unknown_field", "")

    source = Scripted(usual=never, batch_size=8)
    done = observe(store, source, people(50))
    assert done.asked == 0
    assert "unknown_field" in done.note
    assert len(source.calls) < 15
    assert kept(store) == {}


@pytest.mark.parametrize(
    "document",
    ["", "not JSON", "[1]", '"text"', '{"a": "\\ud800"}', '{"a": ' + '"x"' * 2, "[" * 5000],
)
def test_an_answer_that_cannot_be_read_spoils_nothing(store: Store, document: str) -> None:
    def odd(questions: Sequence[Question]) -> Sequence[Answer]:
        first, *rest = questions
        return [Answer(first.contact_id, "found", document, 1), *all_found(rest)]

    assert observe(store, Scripted(usual=odd), people(3)) == Asked(3, 2, 0, 1, credits=3)


def test_answers_that_nobody_asked_for_are_dropped(store: Store) -> None:
    def chatty(questions: Sequence[Question]) -> Sequence[Answer]:
        given = list(all_found(questions))
        return [*given, *given, Answer("somebody", "found", "{}", 1)]

    assert observe(store, Scripted(usual=chatty), people(2)) == Asked(2, found=2, credits=2)
    assert set(kept(store)) == {"c0000", "c0001"}


# What becomes of the answers


def test_the_answers_of_contacts_that_are_gone_are_erased(store: Store) -> None:
    observe(store, Scripted(), people(3))
    with store.begin() as tx:
        insert = (
            "INSERT INTO record (connection, entity, id, fields, seen_at, gone_at, missed_at) "
            "VALUES ('main', 'contact', ?, '{}', '2026', ?, ?)"
        )
        tx.exec_driver_sql(insert, ("c0000", "2026-07-01", None))  # deleted, or opted out
        tx.exec_driver_sql(insert, ("c0001", "2026-07-01", "2026-07-01"))  # nobody knows yet
        tx.exec_driver_sql(insert, ("c0002", None, None))
        assert answers.forget_gone(tx, "other") == 0
        assert answers.forget_gone(tx, "main") == 1
    assert set(kept(store)) == {"c0001", "c0002"}


def test_what_was_answered_is_read_as_of_the_day_of_the_answer_at_the_latest(store: Store) -> None:
    def dated(questions: Sequence[Question]) -> Sequence[Answer]:
        days = ["2026-12-31", "2026-05-01", None]
        return [
            Answer(
                one.contact_id,
                "found",
                json.dumps(
                    {
                        "id": one.contact_id,
                        "full_name": "jane roe",
                        "work_email": one.email,
                        "job_last_verified": day,
                        "experience": [job("Acme", "Buyer", "2020-01-01")],
                    }
                ),
            )
            for one, day in zip(questions, days, strict=True)
        ]

    rows = people(3, first_name="Jane", organisation="Acme", title="Buyer")
    observed = observe_all(store, "main", lambda: table(rows), [Scripted(usual=dated)], now=NOW)
    (source,) = observed.sources
    assert (source.name, source.trust, source.restores_case) == ("vendor", 0.9, True)
    assert as_of_profiles(source, rows) == {
        "c0000": NOW.date().isoformat(),
        "c0001": "2026-05-01",
        "c0002": None,
    }


def as_of_profiles(source: Any, rows: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    from crm_sync.matching.engine import judge

    judged = judge(table(rows).append_column(*_changed(len(rows))), [source], now=NOW)
    return {
        row["contact_id"]: str(row["as_of"]) if row["as_of"] else None
        for row in judged.job_changes.to_pylist()
    }


def _changed(count: int) -> tuple[str, pa.Array]:
    day = datetime(2025, 1, 1, tzinfo=UTC)
    return "changed_at", pa.array([day] * count, pa.timestamp("us", "UTC"))


def test_a_source_without_answers_is_read_as_empty(store: Store) -> None:
    with answers.found_documents(store, "main", "vendor") as reader:
        assert reader.read_all().num_rows == 0
    observed = observe_all(store, "main", lambda: table([]), [Scripted()], now=NOW)
    assert as_of_profiles(observed.sources[0], people(1)) == {"c0000": None}
