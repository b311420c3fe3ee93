"""What holds for every judgement, whoever is in it."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.matching.engine import Judgement, judge
from crm_sync.matching.settings import MatchSettings
from crm_sync.matching.weights import PRIOR, chance
from crm_sync.model import canonical_json, stable_key
from crm_sync.store.tables import job_change, match, observation
from tests.support.judging import (
    NOW,
    contact_table,
    delivery,
    job,
    judge_rows,
    profile,
)

FIRST = ["Jane", "Élodie", "Robert", "Bob", "Jean-Pierre"]
LAST = ["Roe", "Dupont", "Doe-Stein", "de la Cruz"]
COMPANIES = ["Acme", "Newco SAS", "Vandelay, Inc."]
TITLES = ["Sales Director", "Directrice commerciale", "VP Sales", "Board Member", "CTO"]
DATES = st.sampled_from([None, "2019", "2021-05", "2024-02-01", "2025-10-01", "2027-01-01"])

maybe = st.none() | st.integers(0, 5)


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    company = draw(st.sampled_from(COMPANIES))
    return job(
        company,
        draw(st.sampled_from([*TITLES, None])),
        draw(DATES),
        draw(DATES),
        website=draw(st.sampled_from([None, f"{company.split()[0].strip(',').lower()}.example"])),
        primary=draw(st.booleans()),
    )


@st.composite
def profiles(draw: st.DrawFn) -> dict[str, Any]:
    first, last = draw(st.sampled_from(FIRST)), draw(st.sampled_from(LAST))
    page, mail = draw(maybe), draw(maybe)
    return profile(
        *draw(st.lists(jobs(), max_size=3)),
        full_name=f"{first} {last}",
        first_name=first.lower(),
        last_name=last.lower(),
        linkedin_url=None if page is None else f"linkedin.com/in/p{page}",
        personal_emails=[] if mail is None else [f"m{mail}@gmail.com"],
        job_last_verified=draw(st.sampled_from([None, "2024-01-01", "2026-06-01"])),
    )


@st.composite
def contacts(draw: st.DrawFn) -> dict[str, Any]:
    page, mail = draw(maybe), draw(maybe)
    return {
        "first_name": draw(st.sampled_from([*FIRST, None])),
        "last_name": draw(st.sampled_from(LAST)),
        "title": draw(st.sampled_from([*TITLES, None])),
        "organisation": draw(st.sampled_from([*COMPANIES, None])),
        "linkedin_url": None if page is None else f"https://www.linkedin.com/in/P{page}/",
        "email": None if mail is None else f"m{mail}@gmail.com",
        "changed_at": draw(st.sampled_from([None, datetime(2025, 1, 1, tzinfo=UTC)])),
        "changed_basis": draw(st.sampled_from(["history", "first_pull", "record_date"])),
    }


WORLD = st.tuples(
    st.lists(contacts(), min_size=1, max_size=8), st.lists(profiles(), max_size=8)
).map(
    lambda world: (
        [{**row, "contact_id": f"c{n}"} for n, row in enumerate(world[0])],
        [{**row, "id": f"p{n}"} for n, row in enumerate(world[1])],
    )
)


def judged(contacts: list[dict[str, Any]], profiles: list[dict[str, Any]]) -> Judgement:
    with TemporaryDirectory() as folder:
        return judge_rows(contacts, profiles, Path(folder))


def assert_explained(row: dict[str, Any]) -> None:
    """A match's confidence is the sum of its weights, and nothing doubtful goes by itself."""
    said = {one["rule"]: one["weight"] for one in json.loads(row["evidence"])}
    total = PRIOR + sum(weight for weight in said.values() if weight is not None)
    assert row["confidence"] == pytest.approx(chance(total), abs=2e-4)
    if row["band"] == "auto":
        assert row["rule"] != "probabilistic"
        assert "held" not in said
        own = PRIOR + sum(w for rule, w in said.items() if w is not None and rule != "rivals")
        others = 2 ** -(said.get("rivals") or 0.0) - 1
        assert others / (1 + others + 2**own) < 0.05, "the runner-up is far behind"


@settings(max_examples=8, deadline=None)
@given(WORLD, st.randoms(use_true_random=False))
def test_every_contact_has_one_verdict_whatever_the_order_of_rows(
    world: tuple[list[dict[str, Any]], list[dict[str, Any]]], shuffler: random.Random
) -> None:
    people, seen = world
    once = judged(people, seen)
    rows = once.job_changes.to_pylist()
    assert [row["contact_id"] for row in rows] == sorted(row["contact_id"] for row in people)
    for row in rows:
        assert row["kind"] in {"moved", "retitled", "left", "unchanged", "unknown"}
        assert (row["band"] == "ignored") == (row["kind"] == "unknown")
        assert 0 <= row["confidence"] <= 1
        assert json.loads(row["evidence"]), "nothing without evidence"
    for row in once.matches.to_pylist():
        assert_explained(row)
    shuffler.shuffle(people)
    shuffler.shuffle(seen)
    for one in seen:
        shuffler.shuffle(one["experience"])
    again = judged(people, seen)
    assert again.job_changes.to_pylist() == rows
    assert again.matches.equals(once.matches)


@settings(max_examples=5, deadline=None)
@given(WORLD)
def test_a_stranger_changes_nothing_for_others(
    world: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    people, seen = world
    stranger = profile(
        job("Acme", "CTO", "2020"),
        id="stranger",
        full_name="Wilhelmina Quetzal",
        first_name="Wilhelmina",
        last_name="Quetzal",
        linkedin_url="linkedin.com/in/wilhelmina-quetzal",
    )
    before, after = judged(people, seen), judged(people, [*seen, stranger])
    assert after.job_changes.equals(before.job_changes)
    assert after.matches.equals(before.matches)


@settings(max_examples=5, deadline=None)
@given(WORLD)
def test_capitals_and_accents_in_the_crm_make_no_change(
    world: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    people, seen = world
    loud = [
        {**row, **{name: row[name] and row[name].upper().replace("É", "E") for name in
                   ("first_name", "last_name", "title", "organisation")}}
        for row in people
    ]  # fmt: skip
    kinds = judged(people, seen).job_changes.select(["contact_id", "kind", "band", "profile_id"])
    same = judged(loud, seen).job_changes.select(["contact_id", "kind", "band", "profile_id"])
    assert same.equals(kinds)


def test_no_contacts_and_no_profiles_are_no_error(tmp_path: Path) -> None:
    nobody = judge_rows([], [], tmp_path)
    assert nobody.job_changes.num_rows == nobody.matches.num_rows == 0
    assert judge(contact_table([]), [], now=NOW).job_changes.num_rows == 0


@pytest.fixture
def one_move(tmp_path: Path) -> Judgement:
    return judge_rows(
        [{"contact_id": "1", "first_name": "Jane", "last_name": "Roe", "organisation": "Acme",
          "title": "CTO", "linkedin_url": "linkedin.com/in/roe", "changed_basis": "record_date",
          "changed_at": datetime(2025, 1, 1, tzinfo=UTC)}],
        [profile(job("Acme", "CTO", "2020", "2025-08-31"), job("Newco", "CEO", "2025-09-01"),
                 id="p", full_name="Jane Roe", last_name="Roe", linkedin_url="linkedin.com/in/roe"),
         {"full_name": "No Id"}, {"id": "no name"}],
        tmp_path,
    )  # fmt: skip


def test_the_tables_have_the_columns_that_are_stored(one_move: Judgement) -> None:
    for table, judged_table, added in (
        (match, one_move.matches, {"connection"}),
        (job_change, one_move.job_changes, {"connection"}),
        (observation, one_move.observations, {"recorded_at"}),
    ):
        assert set(judged_table.column_names) == {c.name for c in table.columns} - added


def test_evidence_and_observations_are_canonical(one_move: Judgement) -> None:
    for row in [*one_move.matches.to_pylist(), *one_move.job_changes.to_pylist()]:
        assert row["evidence"] == canonical_json(json.loads(row["evidence"]))
    (seen,) = one_move.observations.to_pylist()
    assert seen["payload"] == canonical_json(json.loads(seen["payload"]))
    body = [seen["source"], seen["profile_id"], seen["as_of"], seen["payload"]]
    assert seen["id"] == stable_key(*body)
    assert len(json.loads(seen["payload"])["employments"]) == 2


def test_what_was_left_out_is_counted(one_move: Judgement) -> None:
    count = one_move.sources["vendor"]
    assert (count.profiles, count.staged) == (1, 1)
    assert count.rejected == {"has no id": 1, "has no name": 1}
    assert [place.rsplit(":", 1)[1] for place in count.places] == ["2", "3"]
    assert one_move.profiles == {"vendor": 1}
    assert one_move.funnel["moved_auto"] == one_move.funnel["contacts"] == 1


def test_a_later_source_that_says_otherwise_holds_a_move_back(tmp_path: Path) -> None:
    page = {"linkedin_url": "linkedin.com/in/roe", "full_name": "Jane Roe", "last_name": "Roe"}
    moved = [job("Acme", "CTO", "2020", "2025-08-31"), job("Newco", "CEO", "2025-09-01")]
    person = {
        "contact_id": "1", "first_name": "Jane", "last_name": "Roe", "organisation": "Acme",
        "title": "CTO", "linkedin_url": "linkedin.com/in/roe", "changed_basis": "record_date",
        "changed_at": datetime(2025, 1, 1, tzinfo=UTC),
    }  # fmt: skip

    def verdict(other_as_of: str) -> dict[str, Any]:
        sources = [
            delivery([profile(*moved, **page)], tmp_path, name="one"),
            delivery(
                [profile(job("Acme", "CTO", "2020"), **page, job_last_verified=other_as_of)],
                tmp_path,
                name="two",
            ),
        ]
        judged = judge(contact_table([person]), sources, now=NOW)
        row: dict[str, Any] = judged.job_changes.to_pylist()[0]
        return row

    assert (verdict("2025-06-01")["kind"], verdict("2025-06-01")["band"]) == ("moved", "auto")
    doubted = verdict("2026-01-01")
    assert (doubted["kind"], doubted["band"]) == ("moved", "review")
    assert "two says otherwise" in doubted["evidence"]


def test_a_date_after_today_is_not_believed(tmp_path: Path) -> None:
    person = {
        "contact_id": "1",
        "first_name": "Jane",
        "last_name": "Roe",
        "organisation": "Acme",
        "changed_at": datetime(2025, 1, 1, tzinfo=UTC),
        "changed_basis": "record_date",
    }
    seen = profile(
        job("Acme", "CTO", "2020"), full_name="Jane Roe", last_name="Roe",
        job_last_verified="2029-01-01",
    )  # fmt: skip
    row = judge_rows([person], [seen], tmp_path, as_of=date(2030, 1, 1)).job_changes.to_pylist()[0]
    assert row["as_of"] == NOW.date().isoformat()


def test_little_memory_and_one_thread_give_the_same_verdicts(tmp_path: Path) -> None:
    people = [
        {"contact_id": f"{n}", "first_name": "Jane", "last_name": f"Roe{n}", "organisation": "Acme"}
        for n in range(500)
    ]
    source = delivery(
        [
            profile(job("Acme", "CTO", "2020"), id=f"{n}", full_name=f"Jane Roe{n}", last_name=None)
            for n in range(500)
        ],
        tmp_path,
    )
    usual = judge(contact_table(people), [source], now=NOW)
    small = judge(
        contact_table(people), [source], now=NOW, settings=MatchSettings(memory_mb=120, threads=1)
    )
    assert usual.funnel["unchanged"] == 500
    assert small.job_changes.equals(usual.job_changes)
