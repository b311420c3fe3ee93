"""When something happened, when it was said, and when the CRM was edited; who came back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
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


def at(*jobs: dict[str, Any], crm: dict[str, Any] | None = None, **vendor: Any) -> Case:
    return Case([contact(**PAGE, **(crm or {}))], [profile(*jobs, **{**PAGE, **vendor})])


def edited(year: int, month: int, day: int, basis: str = "first_pull") -> dict[str, Any]:
    return {"changed_at": datetime(year, month, day, tzinfo=UTC), "changed_basis": basis}


OLD_TITLE = job("Acme~", "Sales Director", "2020-01-01", "2025-09-30")
NEW_TITLE = job("Acme~", "Chief Revenue Officer", "2025-10-01")
IN_NOVEMBER = (
    job("Acme~", "Sales Director", "2020", "2025-11"),
    job("Newco~", "VP Sales", "2025-11"),
)
BEFORE_ACME = job("Newco~", "Analyst", "2012-01-01", "2019-12")
UNTIL_MAY = job("Acme~", "Sales Director", "2020-01-01", "2026-05-31")
FROM_JULY = job("Acme~", "VP Sales", "2026-07-01")
OWN_BUSINESS = job("Consulting~", "Owner", "2026-03-01")
SINCE_OCTOBER = job("", None, "2025-10-01", website=None)
A_STINT = job("Newco~", "VP Sales", "2018-04", "2021-12")
FIRST_STINT = job("Acme~", "Sales Director", "2014-01-01", "2018-03-31")

CASES: dict[str, tuple[Case, str, str]] = {
    # the CRM was edited
    "moved before an edit": (
        at(WAS_AT_ACME, AT_NEWCO, crm=edited(2025, 12, 1)),
        "unknown",
        "ignored",
    ),
    "left before an edit": (at(WAS_AT_ACME, crm=edited(2025, 12, 1)), "unknown", "ignored"),
    "retitled before an edit": (
        at(OLD_TITLE, NEW_TITLE, crm=edited(2025, 12, 1)),
        "unknown",
        "ignored",
    ),
    "moved after an edit": (at(WAS_AT_ACME, AT_NEWCO, crm=edited(2025, 8, 1)), "moved", "auto"),
    "an edit within that month": (at(*IN_NOVEMBER, crm=edited(2025, 11, 20)), "moved", "review"),
    "moved before a write of ours": (
        at(WAS_AT_ACME, AT_NEWCO, crm=edited(2025, 12, 1, "history")),
        "moved",
        "review",
    ),
    "moved before the record's date": (
        at(WAS_AT_ACME, AT_NEWCO, crm=edited(2025, 12, 1, "record_date")),
        "moved",
        "review",
    ),
    "said before an edit": (
        at(WAS_AT_ACME, AT_NEWCO, crm=edited(2026, 6, 20)),
        "unknown",
        "ignored",
    ),
    # the date of the source
    "said tomorrow": (
        at(WAS_AT_ACME, AT_NEWCO, job_last_verified="2027-01-01"),
        "moved",
        "auto",
    ),
    "begins after the delivery": (
        at(WAS_AT_ACME, job("Newco~", "VP Sales", "2026-06-20"), job_last_verified="2027-01-01"),
        "unknown",
        "ignored",
    ),
    "left, undated": (at(WAS_AT_ACME, job_last_verified=None), "left", "review"),
    "retitled, undated": (at(OLD_TITLE, NEW_TITLE, job_last_verified=None), "retitled", "review"),
    "said two years ago": (
        at(
            job("Acme~", "Sales Director", "2018", "2024-03-31"),
            job("Newco~", "VP Sales", "2024-04-01"),
            crm=edited(2024, 1, 1, "record_date"),
            job_last_verified="2024-06-01",
        ),
        "moved",
        "review",
    ),
    "nobody knows when the CRM was edited": (
        at(WAS_AT_ACME, AT_NEWCO, crm={"changed_at": None, "changed_basis": None}),
        "moved",
        "review",
    ),
    "left this year": (
        at(job("Acme~", "Sales Director", "2020", "2026"), job_last_verified="2026-02-01"),
        "left",
        "review",
    ),
    "left this month": (at(job("Acme~", "Sales Director", "2020", "2026-06")), "left", "review"),
    "left last month": (at(job("Acme~", "Sales Director", "2020", "2026-05")), "left", "auto"),
    # what is announced
    "a role there is announced": (at(UNTIL_MAY, FROM_JULY), "unknown", "ignored"),
    "a role there is announced, and a business of her own": (
        at(UNTIL_MAY, OWN_BUSINESS, FROM_JULY),
        "unknown",
        "ignored",
    ),
    "a role there with a start that nobody lives to see": (
        at(WAS_AT_ACME, job("Acme~", "VP Sales", "2052-10-01")),
        "unknown",
        "ignored",
    ),
    "a job elsewhere is announced": (
        at(WAS_AT_ACME, AT_NEWCO, job_last_verified="2025-09-30"),
        "unknown",
        "ignored",
    ),
    "a job elsewhere is announced, and a business of her own": (
        at(UNTIL_MAY, OWN_BUSINESS, job("Newco~", "VP Sales", "2026-07-01")),
        "moved",
        "review",
    ),
    "still there, another role is announced": (at(AT_ACME, FROM_JULY), "unchanged", "auto"),
    # entries that say little
    "a job with only a start": (at(WAS_AT_ACME, SINCE_OCTOBER), "unknown", "ignored"),
    "an entry without anything": (at(WAS_AT_ACME, job("", None, website=None)), "left", "auto"),
    "a job without an employer began after the new one": (
        at(
            WAS_AT_ACME,
            job("Consulting~", "Owner", "2025-09-15"),
            job("", "VP Sales", "2025-10-01", website=None),
        ),
        "moved",
        "review",
    ),
    # who came back
    "back at a former employer": (at(BEFORE_ACME, WAS_AT_ACME, AT_NEWCO), "moved", "auto"),
    "back at the CRM's employer": (
        at(FIRST_STINT, A_STINT, job("Acme~", "Sales Director", "2022-01-01")),
        "unchanged",
        "auto",
    ),
    "back at the CRM's employer, with another title": (
        at(
            job("Acme~", "Sales Director", "2020-01-01", "2025-01-31"),
            job("Newco~", "VP Sales", "2025-02-01", "2025-09-30"),
            NEW_TITLE,
        ),
        "retitled",
        "auto",
    ),
    "two stints without a job between": (
        at(FIRST_STINT, job("Acme~", "Sales Director", "2022-01-01")),
        "unchanged",
        "auto",
    ),
    # no word is no news
    "no jobs at all": (at(), "unknown", "ignored"),
    "only former jobs elsewhere": (at(BEFORE_ACME), "unknown", "ignored"),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    cases = {name: case for name, (case, _, _) in CASES.items()}
    return judge_cases(cases, tmp_path_factory.mktemp("freshness"))


@pytest.mark.parametrize("case", CASES)
def test_kind_and_band(verdicts: dict[str, Verdict], case: str) -> None:
    assert verdicts[case].kind_and_band == CASES[case][1:], verdicts[case].words


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("moved before an edit", "after all this had happened"),
        ("left before an edit", "after all this had happened"),
        ("retitled before an edit", "after all this had happened"),
        ("an edit within that month", "after this had happened, it seems"),
        ("moved before a write of ours", "after this had happened, it seems"),
        ("moved before the record's date", "well after"),
        ("said before an edit", "newer than what the source knows"),
        ("left, undated", "as of when"),
        ("said two years ago", "more than a year and a half old"),
        ("nobody knows when the CRM was edited", "Nobody says when the contact"),
        ("left this year", "only after the date of the source"),
        ("left this month", "only after the date of the source"),
        ("a role there is announced", "announced that has not begun"),
        ("a job elsewhere is announced", "has not begun"),
        ("a job elsewhere is announced, and a business of her own", "further job is announced"),
        ("a job with only a start", "does not name the employer of a present job"),
        ("a job without an employer began after the new one", "of another present job"),
        ("back at a former employer", "Had been there before, until 2019-12"),
        ("back at the CRM's employer", "Came back"),
        ("back at the CRM's employer, with another title", "Came back"),
    ],
)
def test_the_evidence_says_so(verdicts: dict[str, Verdict], case: str, said: str) -> None:
    assert said in verdicts[case].words


def test_only_who_worked_elsewhere_came_back(verdicts: dict[str, Verdict]) -> None:
    back = {name for name, verdict in verdicts.items() if "returned" in verdict.rules}
    assert back == {name for name in CASES if name.startswith("back at")}


def test_no_claim_is_newer_than_its_delivery(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["said tomorrow"].change["as_of"] == "2026-06-15"
    assert verdicts["left, undated"].change["as_of"] is None


def test_what_was_wrong_too_often_waits_and_says_so(tmp_path: Path) -> None:
    cases = {
        "moved": at(WAS_AT_ACME, AT_NEWCO),
        "doubtful": at(WAS_AT_ACME, job("Newco~", "VP Sales")),
        "unchanged": at(AT_ACME),
    }
    free = judge_cases(cases, tmp_path)
    assert free["moved"].kind_and_band == ("moved", "auto")
    group = ("vendor", "moved", free["moved"].change["rule"])
    held = judge_cases(cases, tmp_path, demoted={group: "Right in 80 % of 50"})
    assert held["moved"].kind_and_band == ("moved", "review")
    assert "measured" in held["moved"].rules
    assert "Right in 80 % of 50" in held["moved"].words
    assert "measured" not in held["doubtful"].rules
    assert held["unchanged"].change == free["unchanged"].change
    for one in ("confidence", "match_confidence", "change_confidence"):
        assert held["moved"].change[one] == free["moved"].change[one]
