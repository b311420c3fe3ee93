"""Up, down or sideways: how a new title stands to the old one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.judging import Case, Verdict, contact, job, judge_cases, profile

PAGE = {"linkedin_url": "linkedin.com/in/jane-roe~"}
UNTIL = "2025-09-30"
SINCE = "2025-10-01"


def titled(old: str | None, *jobs: dict[str, Any]) -> Case:
    return Case([contact(**PAGE, title=old)], [profile(*jobs, **PAGE)])


def retitled(old: str, new: str, since: str | None = SINCE) -> Case:
    return titled(old, job("Acme~", old, "2020", UNTIL), job("Acme~", new, since))


def moved(old: str | None, new: str | None, source_old: str | None = "Consultant") -> Case:
    return titled(old, job("Acme~", source_old, "2020", UNTIL), job("Newco~", new, "2026-01-01"))


CASES: dict[str, tuple[Case, str, str, str]] = {
    "manager to director": (
        retitled("Sales Manager", "Sales Director"),
        "retitled",
        "promoted",
        "A step up: manager → director",
    ),
    "in French": (
        retitled("Responsable commercial", "Directrice commerciale"),
        "retitled",
        "promoted",
        "A step up: manager → director",
    ),
    "across languages": (
        retitled("Directeur marketing", "VP Marketing"),
        "retitled",
        "promoted",
        "A step up: director → vp",
    ),
    "to the top": (
        retitled("VP Finance", "Chief Financial Officer"),
        "retitled",
        "promoted",
        "vp → cxo",
    ),
    "sideways": (
        retitled("Sales Director", "Marketing Director"),
        "retitled",
        "lateral",
        "The same level: director",
    ),
    "down": (
        retitled("Sales Director", "Sales Manager"),
        "retitled",
        "demoted",
        "A step down: director → manager",
    ),
    "no new start": (retitled("Sales Manager", "Sales Director", None), "retitled", "", ""),
    "began with the old role": (
        titled(
            "Sales Manager",
            job("Acme~", "Sales Manager", "2025-06-01", UNTIL),
            job("Acme~", "Sales Director", "2025-06-01"),
        ),
        "retitled",
        "",
        "",
    ),
    "a level that nobody can tell": (retitled("Sales Manager", "Ninja"), "retitled", "", ""),
    "moved up": (
        moved("Sales Manager", "VP Sales"),
        "moved",
        "promoted",
        "A step up: manager → vp",
    ),
    "moved down": (
        moved("VP Sales", "Sales Manager"),
        "moved",
        "demoted",
        "A step down: vp → manager",
    ),
    "moved sideways": (
        moved("Sales Director", "Directeur commercial"),
        "moved",
        "lateral",
        "The same level: director",
    ),
    "moved, the source knows the old title": (
        moved(None, "Sales Director", "Sales Manager"),
        "moved",
        "promoted",
        "A step up: manager → director",
    ),
    "moved, the CRM's title says no level": (
        moved("Ninja", "VP Sales", "Sales Manager"),
        "moved",
        "",
        "",
    ),
    "the old role has no start": (
        titled(
            "Sales Manager",
            job("Acme~", "Sales Manager", None, UNTIL),
            job("Acme~", "Sales Director", SINCE),
        ),
        "retitled",
        "",
        "",
    ),
    "moved, no title over there": (moved("Sales Manager", None), "moved", "", ""),
    "left": (titled("Sales Manager", job("Acme~", "Sales Manager", "2020", UNTIL)), "left", "", ""),
    "unchanged": (
        titled("Sales Manager", job("Acme~", "Sales Manager", "2020")),
        "unchanged",
        "",
        "",
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return judge_cases({n: case for n, (case, *_) in CASES.items()}, tmp_path_factory.mktemp("d"))


@pytest.mark.parametrize("case", CASES)
def test_direction_and_its_words(verdicts: dict[str, Verdict], case: str) -> None:
    _, kind, direction, words = CASES[case]
    verdict = verdicts[case]
    assert (verdict.change["kind"], verdict.change["direction"]) == (kind, direction), verdict.words
    assert words in verdict.words
    told = verdict.rules & {"promoted", "lateral", "demoted"}
    assert told == ({direction} if direction else set())
