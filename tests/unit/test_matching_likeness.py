"""Contacts without a key: who is found by likeness, and what never follows from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crm_sync.matching.probabilistic.model import LEVELS
from crm_sync.matching.tail import MODEL, default_parameters
from crm_sync.matching.weights import FACTOR_WORDS, PRIOR, chance
from tests.support.judging import (
    AT_ACME,
    AT_NEWCO,
    WAS_AT_ACME,
    Case,
    Verdict,
    contact,
    job,
    judge_cases,
    profile,
)

PAGE = "https://www.linkedin.com/in/jane-roe~"
LYON = {"city": "Lyon"}
MISTYPED = {"last_name": "Montegard~", "name": None}


def named(last: str, *jobs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return profile(
        *jobs, full_name=f"Jane {last}", last_name=last, location_locality="lyon", **fields
    )


CASES = {
    "last name mistyped": Case(
        [contact(**MISTYPED, **LYON)], [named("Montegrad~", WAS_AT_ACME, AT_NEWCO)]
    ),
    "another last name, the same mailbox": Case(
        [contact(**MISTYPED, **LYON, email="jmontegard@acme~.example")],
        [named("Xylander~", AT_ACME, personal_emails=["jmontegard@gmail.com"])],
    ),
    "another last name": Case([contact(**MISTYPED, **LYON)], [named("Xylander~", AT_ACME)]),
    "two alike": Case(
        [contact(**MISTYPED, **LYON)],
        [named("Montegrad~", AT_ACME, id="a"), named("Montegadr~", WAS_AT_ACME, id="b")],
    ),
    "alike, but another page": Case(
        [contact(**MISTYPED, **LYON, linkedin_url=PAGE)],
        [named("Montegrad~", AT_ACME, linkedin_url=PAGE + "-2")],
    ),
    "alike, but another middle name": Case(
        [contact(first_name="Jane A.", last_name="Montegard~", **LYON)],
        [
            profile(
                AT_ACME,
                full_name="Jane B. Montegrad~",
                first_name="Jane",
                last_name="Montegrad~",
                location_locality="lyon",
            )
        ],
    ),
    "alike, and somebody else's by a key": Case(
        [contact(**MISTYPED, **LYON), contact(last_name="Montegrad~", title="CTO", **LYON)],
        [named("Montegrad~", AT_ACME)],
    ),
    "a key beats likeness": Case(
        [contact(**MISTYPED, **LYON)],
        [named("Montegard~", AT_ACME, id="key"), named("Montegrad~", AT_ACME, id="alike")],
    ),
    "a page against two families": Case(
        [contact(linkedin_url=PAGE, email="jane@acme~.example", personal_email="roe~@gmail.com")],
        [
            profile(job("Other~", "CTO", "2020"), id="page", linkedin_url=PAGE),
            profile(
                AT_ACME,
                id="both",
                work_email="jane@acme~.example",
                personal_emails=["roe~@gmail.com"],
            ),
        ],
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return judge_cases(CASES, tmp_path_factory.mktemp("likeness"))


@pytest.mark.parametrize(
    ("case", "bands"),
    [
        ("last name mistyped", {"p": "review"}),
        ("another last name, the same mailbox", {"p": "review"}),
        ("another last name", {}),
        ("two alike", {}),
        ("alike, but another page", {}),
        ("alike, but another middle name", {}),
        ("alike, and somebody else's by a key", {}),
        ("a key beats likeness", {"key": "auto"}),
        ("a page against two families", {"page": "review", "both": "ignored"}),
    ],
)
def test_who_is_found_by_likeness(
    verdicts: dict[str, Verdict], case: str, bands: dict[str, str]
) -> None:
    matched = verdicts[case].matched
    if case == "alike, and somebody else's by a key":
        matched = {id: band for id, band in matched.items() if band != "ignored"}
    assert matched == bands


def test_what_likeness_finds_is_a_move_to_look_at(verdicts: dict[str, Verdict]) -> None:
    verdict = verdicts["last name mistyped"]
    assert verdict.kind_and_band == ("moved", "review")
    assert verdict.change["rule"] == "probabilistic"
    assert {"probabilistic", "last_name", "first_name", "employer", "city", "held"} <= verdict.rules
    assert "differ by a letter or two" in verdict.words
    assert 0.8 <= verdict.change["match_confidence"] < 1


def test_every_confidence_is_the_sum_of_its_weights(verdicts: dict[str, Verdict]) -> None:
    rows = [row for verdict in verdicts.values() for row in verdict.matches]
    assert rows
    for row in rows:
        weights = [one["weight"] for one in json.loads(row["evidence"])]
        said = PRIOR + sum(weight for weight in weights if weight is not None)
        assert row["confidence"] == pytest.approx(chance(said), abs=2e-4)


def test_the_shipped_parameters_fit_the_model() -> None:
    shipped = default_parameters()
    assert shipped.prior_weight == pytest.approx(PRIOR, abs=0.01)
    assert [one.name for one in shipped.fields] == [one.name for one in MODEL.fields]
    for field, trained in zip(MODEL.fields, shipped.fields, strict=True):
        assert tuple(level.label for level in trained.levels) == LEVELS[field.kind]
        best, worst = trained.levels[0], trained.levels[-1]
        assert best.weight >= 0 >= worst.weight
        assert set(FACTOR_WORDS[field.name]) == set(LEVELS[field.kind])
