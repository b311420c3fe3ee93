"""What happened to a contact's employment, when it is said, and what holds it back."""

from __future__ import annotations

from datetime import UTC, datetime
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
AUTO, REVIEW, IGNORED = "auto", "review", "ignored"
EDITED_LATER = datetime(2026, 6, 20, tzinfo=UTC)
EDITED_THAT_DAY = datetime(2026, 6, 15, 8, tzinfo=UTC)


def at(*jobs: dict[str, Any], crm: dict[str, Any] | None = None, **vendor: Any) -> Case:
    """A contact and a profile that are surely the same person."""
    return Case([contact(**PAGE, **(crm or {}))], [profile(*jobs, **{**PAGE, **vendor})])


OLD_TITLE = job("Acme~", "Sales Director", "2020-01-01", "2025-03-31")
NEW_TITLE = job("Acme~", "Chief Revenue Officer", "2025-04-01")

EXPECTED: dict[str, tuple[Case, str, str]] = {
    # moved
    "moved": (at(WAS_AT_ACME, AT_NEWCO), "moved", AUTO),
    "moved, one family of evidence": (
        Case([contact()], [profile(WAS_AT_ACME, AT_NEWCO)]),
        "moved",
        REVIEW,
    ),
    "moved, city is no second family": (
        Case([contact(city="Lyon")], [profile(WAS_AT_ACME, AT_NEWCO, location_locality="lyon")]),
        "moved",
        REVIEW,
    ),
    "moved, no start": (at(WAS_AT_ACME, job("Newco~", "VP Sales")), "moved", REVIEW),
    "moved, two present employers": (
        at(WAS_AT_ACME, AT_NEWCO, job("Third~", "VP Sales", "2025-11-01")),
        "moved",
        REVIEW,
    ),
    "moved, companies known by name only": (
        at(
            job("Acme~", "Sales Director", "2020", "2025-09", website=None),
            job("Newco~", "VP Sales", "2025-10", website=None),
            crm={"organisation_domain": None},
        ),
        "moved",
        REVIEW,
    ),
    "moved within the group": (
        at(WAS_AT_ACME, job("Acme~ Robotics", "VP Sales", "2025-10-01")),
        "moved",
        REVIEW,
    ),
    "moved, the same label of a domain": (
        at(WAS_AT_ACME, job("Renamed~", "VP Sales", "2025-10-01", website="acme~.fr")),
        "moved",
        REVIEW,
    ),
    "moved long before the record": (
        at(
            job("Acme~", "Sales Director", "2015-01-01", "2018-12-31"),
            job("Newco~", "VP Sales", "2019-01-01"),
        ),
        "moved",
        REVIEW,
    ),
    "moved, nobody says as of when": (
        at(WAS_AT_ACME, AT_NEWCO, job_last_verified=None),
        "moved",
        REVIEW,
    ),
    "moved, record edited since": (
        at(WAS_AT_ACME, AT_NEWCO, crm={"changed_at": EDITED_LATER}),
        "moved",
        REVIEW,
    ),
    "moved, record edited that day": (
        at(WAS_AT_ACME, AT_NEWCO, crm={"changed_at": EDITED_THAT_DAY, "changed_basis": "history"}),
        "moved",
        REVIEW,
    ),
    "moved to a job that had long begun": (
        at(WAS_AT_ACME, job("Newco~", "Owner", "2012-01-01")),
        "moved",
        REVIEW,
    ),
    "moved, former employer of another domain": (
        at(
            job("Acme~", "Sales Director", "2020", "2025-09-30", website="acme~-foods.example"),
            AT_NEWCO,
        ),
        "moved",
        REVIEW,
    ),
    # no move
    "value in the CRM is newer": (
        at(WAS_AT_ACME, AT_NEWCO, crm={"changed_at": EDITED_LATER, "changed_basis": "history"}),
        "unknown",
        IGNORED,
    ),
    "employer not in the history": (at(AT_NEWCO), "unknown", IGNORED),
    "only a board seat elsewhere": (
        at(WAS_AT_ACME, job("Newco~", "Board Member", "2025-10-01")),
        "unknown",
        IGNORED,
    ),
    "only an advisor elsewhere": (
        at(WAS_AT_ACME, job("Newco~", "Advisor", "2025-10-01")),
        "unknown",
        IGNORED,
    ),
    "only an investor elsewhere": (
        at(WAS_AT_ACME, job("Newco~", "Angel investor", "2025-10-01")),
        "unknown",
        IGNORED,
    ),
    "stays on the board only": (
        at(WAS_AT_ACME, AT_NEWCO, job("Acme~", "Board Member", "2025-10-01")),
        "unknown",
        IGNORED,
    ),
    "a board seat ended": (
        at(
            job("Acme~", "Board Member", "2020", "2025-09-30"),
            AT_NEWCO,
            crm={"title": "Board Member"},
        ),
        "unknown",
        IGNORED,
    ),
    "employer missing in the CRM": (
        at(WAS_AT_ACME, AT_NEWCO, crm={"organisation": None, "organisation_domain": None}),
        "unknown",
        IGNORED,
    ),
    "an end that cannot be read": (
        at(job("Acme~", "Sales Director", "2020", "some time"), AT_NEWCO),
        "unknown",
        IGNORED,
    ),
    "same title under the group's name": (
        at(
            job("Acme~", "Sales Manager", "2018", "2025-09-30"),
            job("Acme~ Group", "Sales Director", "2025-10-01"),
        ),
        "unknown",
        IGNORED,
    ),
    # left
    "left": (at(WAS_AT_ACME), "left", AUTO),
    "left, one family of evidence": (Case([contact()], [profile(WAS_AT_ACME)]), "left", REVIEW),
    "left, but a seat elsewhere is present": (
        at(WAS_AT_ACME, job("Newco~", "Trustee", "2024-01-01")),
        "unknown",
        IGNORED,
    ),
    "next job begins after the claim": (
        at(WAS_AT_ACME, job("Newco~", "VP Sales", "2026-09-01")),
        "unknown",
        IGNORED,
    ),
    # still there
    "unchanged": (at(AT_ACME), "unchanged", AUTO),
    "title written otherwise": (
        at(job("Acme~", "Director of Sales", "2020")),
        "unchanged",
        AUTO,
    ),
    "title in French": (at(job("Acme~", "Directrice commerciale", "2020")), "unchanged", AUTO),
    "everything in lower case": (at(job("acme~", "sales director", "2020")), "unchanged", AUTO),
    "a typing error in the CRM": (
        at(job("Acme~", "Sales Director", "2025-02-01"), crm={"title": "Sales Direcotr"}),
        "unchanged",
        AUTO,
    ),
    "blank title in the CRM": (at(AT_ACME, crm={"title": None}), "unchanged", AUTO),
    "two present jobs, one is the CRM's": (at(AT_ACME, AT_NEWCO), "unchanged", AUTO),
    "primary flag elsewhere": (
        at(AT_ACME, job("Newco~", "VP Sales", "2025-10-01", primary=True)),
        "unchanged",
        AUTO,
    ),
    "the end lies in the future": (
        at(job("Acme~", "Sales Director", "2020", "2026-12-31"), AT_NEWCO),
        "unchanged",
        AUTO,
    ),
    "company by domain": (
        at(job("Renamed~", "Sales Director", "2020", website="https://www.acme~.example/")),
        "unchanged",
        AUTO,
    ),
    # retitled
    "retitled": (at(OLD_TITLE, NEW_TITLE), "retitled", AUTO),
    "retitled, newest of several": (
        at(OLD_TITLE, NEW_TITLE, job("Acme~", "Chief Executive Officer", "2026-01-01")),
        "retitled",
        REVIEW,
    ),
    "retitled, old title unknown to the source": (at(NEW_TITLE), "retitled", REVIEW),
    "other words for an old role": (
        at(job("Acme~", "Head of Sales", "2020-01-01")),
        "unknown",
        IGNORED,
    ),
    "title edited in the CRM after the role began": (
        at(
            job("Acme~", "Head of Sales", "2025-04-01"),
            crm={"changed_at": datetime(2025, 5, 1, tzinfo=UTC), "changed_basis": "first_pull"},
        ),
        "unknown",
        IGNORED,
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    cases = {name: case for name, (case, _, _) in EXPECTED.items()}
    return judge_cases(cases, tmp_path_factory.mktemp("changes"))


@pytest.mark.parametrize(
    ("case", "kind", "band"), [(name, kind, band) for name, (_, kind, band) in EXPECTED.items()]
)
def test_kind_and_band(verdicts: dict[str, Verdict], case: str, kind: str, band: str) -> None:
    assert verdicts[case].kind_and_band == (kind, band), verdicts[case].words


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("moved, no start", "since when"),
        ("moved, two present employers", "Several present employers"),
        ("moved, companies known by name only", "no domains or ids"),
        ("moved within the group", "may be one"),
        ("moved, the same label of a domain", "may be one"),
        ("moved long before the record", "well after"),
        ("moved, nobody says as of when", "as of when"),
        ("moved, record edited since", "edited in the CRM"),
        ("moved to a job that had long begun", "long before"),
        ("moved, former employer of another domain", "another domain"),
        ("value in the CRM is newer", "newer than what the source knows"),
        ("employer not in the history", "not among the jobs"),
        ("only a board seat elsewhere", "seats"),
        ("employer missing in the CRM", "who the employer is"),
        ("an end that cannot be read", "cannot be read"),
        ("blank title in the CRM", "no title to compare"),
        ("retitled, newest of several", "Several present titles"),
        ("other words for an old role", "other words"),
    ],
)
def test_what_holds_a_verdict_back_is_said(
    verdicts: dict[str, Verdict], case: str, said: str
) -> None:
    assert said in verdicts[case].words


def test_a_move_tells_where_to_since_when_and_by_what_evidence(
    verdicts: dict[str, Verdict],
) -> None:
    moved = verdicts["moved"]
    assert moved.change["from_title"] == "Sales Director"
    assert moved.change["from_organisation"].startswith("Acme")
    assert moved.change["to_title"] == "VP Sales"
    assert moved.change["to_organisation"].startswith("Newco")
    assert moved.change["since"] == "2025-10-01"
    assert moved.change["as_of"] == "2026-06-15"
    assert {"linkedin", "ended", "new_employer"} <= moved.rules
    assert "until 2025-09-30" in moved.words
    assert "since 2025-10-01" in moved.words


def test_the_newest_title_is_taken_and_the_last_started_job(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["retitled, newest of several"].change["to_title"] == "Chief Executive Officer"
    third = verdicts["moved, two present employers"].change
    assert third["to_organisation"].startswith("Third")
    assert third["since"] == "2025-11-01"


def test_who_left_is_dated_by_the_end_of_the_old_job(verdicts: dict[str, Verdict]) -> None:
    left = verdicts["left"].change
    assert left["since"] == "2025-09-30"
    assert left["to_title"] == left["to_organisation"] == ""


def test_doubts_lower_the_confidence_and_the_unknown_has_none(
    verdicts: dict[str, Verdict],
) -> None:
    sure = verdicts["moved"].change["confidence"]
    assert 0.9 < sure <= 1
    assert verdicts["moved, no start"].change["confidence"] < sure
    assert verdicts["employer not in the history"].change["confidence"] == 0
