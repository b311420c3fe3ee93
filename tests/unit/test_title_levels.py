"""Seniority and kind of work of titles, measured on titles labelled by hand."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.normalise.text import fold, phrases
from crm_sync.normalise.title_departments import DEPARTMENT_READ_AS, DEPARTMENTS
from crm_sync.normalise.title_levels import LEVELS, READ_AS, Level
from crm_sync.normalise.titles import title_departments, title_key, title_level
from tests.support.normalising import titled
from tests.support.pages import page

LABELLED = Path(__file__).parents[1] / "data" / "titles.csv"


@cache
def _labelled(part: str) -> Sequence[Mapping[str, str]]:
    """The rows of one part, or of both; whoever mends a rule reads those of `rules` only."""
    with LABELLED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if part in {"", row["part"]}]


@pytest.mark.parametrize("part", ["", "rules", "held_out"])
def test_the_level_is_right_in_95_of_100_titles(part: str) -> None:
    rows = _labelled(part)
    right = sum((title_level(row["title"]) or "") == row["level"] for row in rows)
    print(f"{part or 'all'}: level right in {right} of {len(rows)}")  # noqa: T201 - read with -s
    assert len(rows) >= 250
    assert right / len(rows) >= 0.95


@pytest.mark.parametrize(("part", "floor"), [("", 0.90), ("rules", 0.90), ("held_out", 0.85)])
def test_the_departments_are_right_in_most_titles(part: str, floor: float) -> None:
    rows = _labelled(part)
    right = sum("|".join(title_departments(row["title"])) == row["departments"] for row in rows)
    print(f"{part or 'all'}: departments right in {right} of {len(rows)}")  # noqa: T201
    assert right / len(rows) >= floor


def test_both_hold_in_sql_as_well() -> None:
    titles = [row["title"] for row in _labelled("")]
    found = titled(titles)
    for title in titles:
        said = found[title]
        assert (said["level"], tuple(said["departments"])) == (
            title_level(title),
            title_departments(title),
        )


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("Bénévole", "Stagiaire"),
        ("Stagiaire marketing", "Assistante marketing"),
        ("Junior Engineer", "Senior Engineer"),
        ("Senior Engineer", "Engineering Manager"),
        ("Responsable RH", "DRH"),
        ("Sales Director", "VP Sales"),
        ("VP Finance", "CFO"),
        ("Directrice générale adjointe", "Directrice générale"),
        ("CEO", "Associé"),
        ("Avocate associée", "Fondatrice"),
        ("Assistant to the CEO", "CEO"),
        ("Product Owner", "Product Manager"),
        ("HR Business Partner", "HR Director"),
        ("Assistante de direction", "Directrice"),
    ],
)
def test_ranks_are_in_order(lower: str, higher: str) -> None:
    one, other = title_level(lower), title_level(higher)
    assert one is not None
    assert other is not None
    assert one.rank < other.rank


@pytest.mark.parametrize("title", ["", "???", "Xyzzy", "Freelance", "Sénatrice", "Membre", "王"])
def test_a_title_that_tells_no_seniority_has_no_level(title: str) -> None:
    assert title_level(title) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Directeur·rice commercial·e", "Directrice commerciale"),
        ("Directeur(trice) général(e)", "DG"),
        ("Chargé.e de clientèle", "Chargée de clientèle"),
        ("Ingénieur(e) d’affaires", "Ingénieure d'affaires"),
        ("VP, Sales", "Vice-President of Sales"),
        ("Vice-présidente, ventes", "VP Sales"),
        ("Head, Sales", "Head of Sales"),
        ("Chef(fe) de projet", "Cheffe de projet"),
        ("Co-Founder & CEO", "Chief Executive Officer and Cofounder"),
        ("Sr. Mgr, Finance", "Senior Manager, Finance"),
        ("Responsable R & D", "R&D Manager"),
        ("DSI", "Directrice des systèmes d'information"),
        ("DAF", "Directeur Administratif et Financier"),
        ("Employés", "employée"),
        ("Infirmière", "Nurse"),
        ("Chargée de recrutement", "Recruitment Specialist"),
        ("Chef d'équipe", "Team Lead"),
    ],
)
def test_titles_written_otherwise(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)
    assert title_level(one) == title_level(other)


ORDINARY = [
    said
    for table in (*LEVELS, DEPARTMENTS)
    for phrase in table.values()
    for said in phrases(phrase)
] + [said for table in (READ_AS, DEPARTMENT_READ_AS) for left, _ in table for said in phrases(left)]


def test_the_rules_are_written_as_they_are_read() -> None:
    for said in ORDINARY:
        bare = said.translate({ord(sign): " " for sign in "^$!*"})
        assert fold(bare) == " ".join(bare.split()), said


@given(st.lists(st.sampled_from([row["title"] for row in _labelled("")]), min_size=1, max_size=3))
def test_case_and_blanks_never_make_a_difference(titles: list[str]) -> None:
    title = " - ".join(titles)
    for other in (title.upper(), title.lower(), f"  {title.replace(' ', '  ')} "):
        assert title_level(other) == title_level(title)
        assert title_departments(other) == title_departments(title)
        assert title_key(other) == title_key(title)


def test_every_level_and_department_is_described() -> None:
    text = page("reference/normalisation.md")
    assert all(f"| `{level}` | {level.rank} |" in text for level in Level)
    assert all(f"`{name}`" in text for name in DEPARTMENTS)


def test_levels_are_ranked_from_volunteers_to_owners() -> None:
    assert [level.rank for level in Level] == sorted((some.rank for some in Level), reverse=True)
    assert Level.OWNER.rank == 100
    assert Level.UNPAID.rank == 10
