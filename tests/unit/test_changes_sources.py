"""Several sources on one person: who is believed, what agreement lifts, what it never lifts."""

from __future__ import annotations

import json
from typing import Any

import pytest

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

PAGE = {"linkedin_url": "linkedin.com/in/jane-roe~"}
OTHER_PAGE = {"linkedin_url": "linkedin.com/in/another-roe~"}
MAIL = {"personal_email": "jane.roe~@free.fr"}
AT_VENDOR = {"personal_emails": ["jane.roe~@free.fr"]}
TRUST = {"two": 0.9, "weak": 0.3}
MOVED = (WAS_AT_ACME, AT_NEWCO)
OLD_TITLE = job("Acme~", "Sales Director", "2020-01-01", "2025-03-31")
NEW_TITLE = job("Acme~", "Chief Revenue Officer", "2025-04-01")
SAME_WORK = job("Newco~", "Sales Director", "2025-10-01")
UNTIL_2024 = job("Acme~", "Sales Director", "2020-01-01", "2024-06-30")
NEWCO_OVER = job("Newco~", "VP Sales", "2025-10-01", "2026-03-01")
EARLIER_AT_NEWCO = job("Newco~", "Analyst", "2012", "2019-12")
DEMOTED = {("often_wrong", "moved", "linkedin+name_company"): "Right in 80 % of 50"}
AT_THIRD = job("Third~", "VP Sales", "2026-03-01")

Jobs = tuple[dict[str, Any], ...]


def told(vendor: Jobs, as_of: str | None = "2026-06-15", **others: tuple[Jobs, str]) -> Case:
    """Jane as `vendor` and the others have her, all of them surely."""
    return Case(
        [contact(**PAGE)],
        [profile(*vendor, **PAGE, job_last_verified=as_of)],
        {
            name: [profile(*jobs, **PAGE, job_last_verified=seen)]
            for name, (jobs, seen) in others.items()
        },
    )


NO_START = (WAS_AT_ACME, job("Newco~", "VP Sales"))
NO_SITE = (WAS_AT_ACME, job("Newco~", "VP Sales", "2025-10-01", website=None))
NO_END = (
    {**job("Acme~", "Sales Director", "2020"), "end_date": None, "is_current": False},
    AT_NEWCO,
)
TWO_JOBS = (*MOVED, job("Fourth~", "Partner", "2025-11-01"))
IN_GROUP = (WAS_AT_ACME, job("Newco~", "VP Sales", "2025-10-01", website="acme~.fr"))

CASES: dict[str, tuple[Case, str]] = {
    "one alone": (told(MOVED), "moved auto Newco"),
    "two agree": (told(MOVED, two=(MOVED, "2026-06-10")), "moved auto Newco"),
    "two agree, spelt otherwise": (
        told(MOVED, two=((WAS_AT_ACME, job("NEWCO~, Inc.", "VP, Sales", "2025-10")), "2026-06-10")),
        "moved auto Newco",
    ),
    "an older one agrees on the company": (
        told(
            (WAS_AT_ACME, job("Newco~", "Chief Revenue Officer", "2026-02-01")),
            two=(MOVED, "2025-12-01"),
        ),
        "moved auto Newco",
    ),
    "another title there": (
        told(MOVED, two=((WAS_AT_ACME, job("Newco~", "Chief of Staff", "2025-10")), "2026-06-10")),
        "moved review Newco",
    ),
    "the other one spoke too early": (
        told(MOVED, two=((AT_ACME,), "2025-06-01")),
        "moved auto Newco",
    ),
    "the other one says still there": (
        told(MOVED, two=((AT_ACME,), "2026-05-01")),
        "moved review Newco",
    ),
    "the newest says still there": (
        told(MOVED, "2026-05-01", two=((AT_ACME,), "2026-06-10")),
        "unchanged review Acme",
    ),
    "on equal days trust decides": (
        told((AT_ACME,), two=(MOVED, "2026-06-15")),
        "unchanged review Acme",
    ),
    "the newest says elsewhere": (
        told(MOVED, "2026-05-01", two=((WAS_AT_ACME, AT_THIRD), "2026-06-10")),
        "moved review Third",
    ),
    "a further move that the other could not know": (
        told(MOVED, "2026-02-01", two=((WAS_AT_ACME, AT_THIRD), "2026-06-10")),
        "moved auto Third",
    ),
    "the other only knows that it ended": (
        told(MOVED, two=((WAS_AT_ACME,), "2026-06-10")),
        "moved auto Newco",
    ),
    "the newest only knows that it ended": (
        told((WAS_AT_ACME,), two=(MOVED, "2026-06-10")),
        "moved auto Newco",
    ),
    "the other has a present job without the past": (
        told(MOVED, two=((AT_NEWCO,), "2026-06-10")),
        "moved auto Newco",
    ),
    "the other has another present job without the past": (
        told(MOVED, two=((AT_THIRD,), "2026-06-10")),
        "moved review Newco",
    ),
    # the new job is over too
    "the newest has the new job among the former ones": (
        told(MOVED, "2026-01-15", two=((WAS_AT_ACME, NEWCO_OVER), "2026-06-12")),
        "moved review Newco",
    ),
    "the newest has the new job among the former ones, and a seat": (
        told(
            MOVED,
            "2026-01-15",
            two=((WAS_AT_ACME, NEWCO_OVER, job("Newco~", "Board Member", "2026-03")), "2026-06-12"),
        ),
        "moved review Newco",
    ),
    "the other only has an earlier time at the new employer": (
        told(MOVED, two=((EARLIER_AT_NEWCO, WAS_AT_ACME), "2026-06-10")),
        "moved auto Newco",
    ),
    "still there between the end and the new job": (
        told((OLD_TITLE, job("Newco~", "VP Sales", "2026-03-01")), two=((AT_ACME,), "2026-02-15")),
        "moved review Newco",
    ),
    "both left": (told((WAS_AT_ACME,), two=((WAS_AT_ACME,), "2026-06-10")), "left auto"),
    "left, or still there": (told((WAS_AT_ACME,), two=((AT_ACME,), "2026-06-10")), "left review"),
    "both retitled": (
        told((OLD_TITLE, NEW_TITLE), two=((OLD_TITLE, NEW_TITLE), "2026-06-10")),
        "retitled auto Acme",
    ),
    "retitled, another title": (
        told(
            (OLD_TITLE, NEW_TITLE), two=((OLD_TITLE, job("Acme~", "CEO", "2025-04")), "2026-06-10")
        ),
        "retitled review Acme",
    ),
    "retitled, the other spoke too early": (
        told((OLD_TITLE, NEW_TITLE), two=((AT_ACME,), "2025-02-01")),
        "retitled auto Acme",
    ),
    "both unchanged": (told((AT_ACME,), two=((AT_ACME,), "2026-06-10")), "unchanged auto Acme"),
    # what one does not know, the other does
    "no start, but the other has it": (
        told(NO_START, two=(MOVED, "2026-06-10")),
        "moved auto Newco",
    ),
    "no site, but the other has it": (told(NO_SITE, two=(MOVED, "2026-06-10")), "moved auto Newco"),
    "no start, and the other's is from before the record": (
        told(
            (UNTIL_2024, job("Acme~", "VP Sales")),
            two=((UNTIL_2024, job("Acme~", "VP Sales", "2024-07-01")), "2026-06-10"),
        ),
        "retitled review Acme",
    ),
    "no site, and the other means another Acme": (
        told(
            (
                job("Acme~", "Sales Director", "2020", "2025-09-30", website=None),
                job("Newco~", "VP Sales", "2025-10-01", website=None),
            ),
            two=(
                (
                    job("Acme~", "Sales Director", "2020", "2025-09-30", website="acme~.test"),
                    AT_NEWCO,
                ),
                "2026-06-10",
            ),
        ),
        "moved review Newco",
    ),
    "no site, and the other is often wrong": (
        told(NO_SITE, often_wrong=(MOVED, "2026-06-10")),
        "moved review Newco",
    ),
    "no start, as little as the other": (
        told(NO_START, two=(NO_START, "2026-06-10")),
        "moved review Newco",
    ),
    "no start, and the other spoke too early": (
        told(NO_START, two=((AT_ACME,), "2025-06-01")),
        "moved review Newco",
    ),
    # what stays, whoever agrees
    "perhaps renamed, say both": (
        told((WAS_AT_ACME, SAME_WORK), two=((WAS_AT_ACME, SAME_WORK), "2026-06-10")),
        "moved review Newco",
    ),
    "several employers, says one": (
        told(TWO_JOBS, two=(MOVED, "2026-06-10")),
        "moved review Fourth",
    ),
    "one group, as the other shows": (
        told(MOVED, two=(IN_GROUP, "2026-06-10")),
        "moved review Newco",
    ),
    # little trust
    "a weak one alone": (
        Case([contact(**PAGE)], [], {"weak": [profile(*MOVED, **PAGE)]}),
        "moved review Newco",
    ),
    "a weak one that is backed": (
        told(MOVED, "2026-06-10", weak=(MOVED, "2026-06-15")),
        "moved auto Newco",
    ),
    "a weak one lifts nothing": (told(NO_START, weak=(MOVED, "2026-06-15")), "moved review Newco"),
    "a weak one does not outdo": (
        told(MOVED, "2026-06-10", weak=((AT_ACME,), "2026-06-15")),
        "moved review Newco",
    ),
    "a weak one with news": (
        told((AT_ACME,), "2025-08-01", weak=(MOVED, "2026-06-15")),
        "moved review Newco",
    ),
    # who is who
    "another LinkedIn page": (
        Case(
            [contact(**MAIL)],
            [profile(*MOVED, **PAGE, **AT_VENDOR)],
            {"two": [profile(AT_ACME, **OTHER_PAGE)]},
        ),
        "moved auto Newco",
    ),
    "two pages, equally well founded": (
        Case([contact()], [profile(*MOVED, **PAGE)], {"two": [profile(AT_ACME, **OTHER_PAGE)]}),
        "unknown ignored",
    ),
    "the same page": (
        Case(
            [contact(**MAIL)],
            [profile(*MOVED, **PAGE, **AT_VENDOR)],
            {"two": [profile(*MOVED, **PAGE)]},
        ),
        "moved auto Newco",
    ),
    "found by name only, and says otherwise": (
        Case(
            [contact(**PAGE)],
            [profile(*MOVED, **PAGE, job_last_verified="2026-06-01")],
            {"two": [profile(AT_ACME)]},
        ),
        "moved review Newco",
    ),
    "found by name only, before the other": (
        Case(
            [contact(**PAGE)],
            [profile(AT_ACME, **PAGE, job_last_verified="2025-08-01")],
            {"two": [profile(*MOVED)]},
        ),
        "moved review Newco",
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    cases = {name: case for name, (case, _) in CASES.items()}
    folder = tmp_path_factory.mktemp("sources")
    return judge_cases(cases, folder, trust=TRUST, demoted=DEMOTED)


@pytest.mark.parametrize("case", CASES)
def test_kind_band_and_employer(verdicts: dict[str, Verdict], case: str) -> None:
    row = verdicts[case].change
    found = f"{row['kind']} {row['band']} {row['to_organisation']}"
    assert found.rstrip().startswith(CASES[case][1]), verdicts[case].words


def said_by(verdict: Verdict, source: str) -> list[tuple[str, str]]:
    evidence = json.loads(verdict.change["evidence"])
    return [(one["rule"], one["detail"]) for one in evidence if one["source"] == source]


@pytest.mark.parametrize(
    ("case", "rule", "words"),
    [
        (
            "two agree",
            "agrees",
            ["two agrees", "2026-06-10", "trusted at 90 %", "linkedin", "Newco"],
        ),
        ("the other one spoke too early", "earlier", ["before that", "2025-06-01", "Acme"]),
        ("the other one says still there", "held", ["otherwise", "2026-05-01", "Sales Director"]),
        ("the newest says elsewhere", "held", ["otherwise", "2026-05-01", "Newco"]),
        ("the other only knows that it ended", "agrees", ["the old job ended"]),
        (
            "the newest has the new job among the former ones",
            "held",
            ["otherwise", "2026-06-12", "the new job is over"],
        ),
        ("the same page", "agrees", ["matched by name company"]),
        ("another LinkedIn page", "set_aside", ["another LinkedIn page"]),
    ],
)
def test_the_evidence_names_the_other_source(
    verdicts: dict[str, Verdict], case: str, rule: str, words: list[str]
) -> None:
    source = "vendor" if case == "the newest says elsewhere" else "two"
    told_so = [detail for given, detail in said_by(verdicts[case], source) if given == rule]
    assert len(told_so) == 1, verdicts[case].words
    assert all(word in told_so[0] for word in words), told_so


def test_agreement_raises_and_contradiction_lowers_the_confidence_in_the_change(
    verdicts: dict[str, Verdict],
) -> None:
    def sure(case: str) -> float:
        return float(verdicts[case].change["change_confidence"])

    assert sure("two agree") > sure("one alone") > sure("the other one says still there")
    assert sure("a weak one alone") < 0.5 * sure("one alone")
    assert sure("one alone") < sure("a weak one that is backed") < sure("two agree")
    assert sure("no start, but the other has it") > sure("no start, as little as the other")
    assert {
        row["match_confidence"]
        for row in (verdicts["two agree"].change, verdicts["one alone"].change)
    } == {verdicts["one alone"].change["match_confidence"]}


def test_the_confidence_is_the_product_of_the_two(verdicts: dict[str, Verdict]) -> None:
    for verdict in verdicts.values():
        row = verdict.change
        product = row["match_confidence"] * row["change_confidence"]
        assert row["confidence"] == pytest.approx(product, abs=2e-4)


def test_a_start_that_one_source_lacks_is_taken_from_the_other(
    verdicts: dict[str, Verdict],
) -> None:
    assert verdicts["no start, but the other has it"].change["since"] == "2025-10-01"
    assert verdicts["no start, as little as the other"].change["since"] is None


def test_a_source_that_is_trusted_little_says_so(verdicts: dict[str, Verdict]) -> None:
    assert "decides nothing alone" in verdicts["a weak one alone"].words
    assert "decides nothing alone" not in verdicts["a weak one that is backed"].words


def test_of_two_profiles_with_different_pages_the_weaker_match_is_set_aside(
    verdicts: dict[str, Verdict],
) -> None:
    bands = {row["source"]: row["band"] for row in verdicts["another LinkedIn page"].matches}
    assert bands == {"vendor": "auto", "two": "ignored"}
    both = {
        row["source"]: row["band"] for row in verdicts["two pages, equally well founded"].matches
    }
    assert both == {"vendor": "ignored", "two": "ignored"}
    assert "different LinkedIn pages" in verdicts["two pages, equally well founded"].words
