"""Names, sites and ids that do not tell two companies apart, or make one of two."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.judging import (
    WAS_AT_ACME,
    Case,
    Verdict,
    contact,
    job,
    judge_cases,
    profile,
)

PAGE = {"linkedin_url": "linkedin.com/in/jane-roe~"}
UNTIL, SINCE = "2025-09-30", "2025-10-01"
NO_SITE = {"organisation_domain": None}


def entry(company: dict[str, Any], title: str, start: str, end: str | None) -> dict[str, Any]:
    return {"company": company, "title": {"name": title}, "start_date": start, "end_date": end}


def between(old: dict[str, Any], new: dict[str, Any], crm: dict[str, Any] | None = None) -> Case:
    """Jane left the one company and works at the other."""
    jobs = [
        entry(old, "Sales Director", "2020-01-01", UNTIL),
        entry(new, "VP Sales", SINCE, None),
    ]
    return Case([contact(**PAGE, **(crm or {}))], [profile(*jobs, **PAGE)])


def renamed(long: str, site: str, short: str, new_site: str) -> Case:
    crm = {"organisation": long, "organisation_domain": site}
    return between({"name": long, "website": site}, {"name": short, "website": new_site}, crm)


def page(name: str) -> str:
    return f"linkedin.com/company/{name}"


ONE_GROUP = {
    "initials of two words": renamed("Blue Garden~", "blue-g~.example", "BG", "bg.example"),
    "initials without the and": renamed("Pear & Grape~", "pear~.example", "P&G", "pg.example"),
    "initials as the site's label": renamed("Oak Hill Elm~", "oak~.example", "Zed~", "ohe.example"),
    "a known short name": renamed(
        "PricewaterhouseCoopers", "pricewater~.example", "PwC", "pwc~.example"
    ),
    "a label that goes on after a hyphen": between(
        {"name": "Acme~", "website": "acme~.example"},
        {"name": "Zed~", "website": "acme~-zed.example"},
    ),
    "an id and a page that end alike": between(
        {"name": "Acme~", "linkedin_url": page("zed~")}, {"name": "Zed~", "id": "zed~"}, NO_SITE
    ),
}

BY_NAME_ONLY = {
    "an id and a page": between(
        {"name": "Acme~", "linkedin_url": page("acme~")}, {"name": "Zed~", "id": "zed~"}, NO_SITE
    ),
    "a page with a number and one with words": between(
        {"name": "Acme~", "linkedin_url": page("12345")},
        {"name": "Zed~", "linkedin_url": page("zed~")},
        NO_SITE,
    ),
    "a job board's site": between(
        {"name": "Acme~", "website": "welcometothejungle.com/acme"},
        {"name": "Zed~", "website": "welcometothejungle.com/zed"},
        {"organisation_domain": "welcometothejungle.com"},
    ),
    "a directory's site": between(
        {"name": "Acme~", "website": "bloomberg.com/profile/acme"},
        {"name": "Zed~", "website": "bloomberg.com/profile/zed"},
        {"organisation_domain": "bloomberg.com"},
    ),
}

TWO_COMPANIES = {
    "two ids": between({"name": "Acme~", "id": "acme~"}, {"name": "Zed~", "id": "zed~"}, NO_SITE),
    "two pages": between(
        {"name": "Acme~", "linkedin_url": page("acme~")},
        {"name": "Zed~", "linkedin_url": page("zed~/")},
        NO_SITE,
    ),
}

ANOTHER_NAME = {
    "a parent's site": between(
        {"name": "Acme~", "website": "acme~.example"}, {"name": "Zed~", "website": "acme~.example"}
    ),
    "an institution's site": renamed(
        "Northern Court~", "court.inst~.org", "Northern Bureau~", "bureau.inst~.org"
    ),
}

SAME_EMPLOYER = {
    "a department's name": between(
        {"name": "Acme~", "website": "acme~.example"},
        {"name": "Acme~ Robotics", "website": "acme~.example"},
    ),
    "the name of the site": between(
        {"name": "Holding~", "website": "acme~.example"},
        {"name": "Acme~", "website": "acme~.example"},
        {"organisation": "Holding~"},
    ),
    "initials at the same site": renamed(
        "Blue Garden Hill", "blue-g~.example", "BGH", "blue-g~.example"
    ),
    "the CRM's title was held under that name": between(
        {"name": "Zed~", "website": "acme~.example"}, {"name": "Zed~", "website": "acme~.example"}
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    cases = {**ONE_GROUP, **BY_NAME_ONLY, **TWO_COMPANIES, **ANOTHER_NAME, **SAME_EMPLOYER}
    cases["left under quite another name"] = Case(
        [contact(**PAGE)],
        [
            profile(
                job("Zed~", "Sales Director", "2020-01-01", UNTIL, website="acme~.example"),
                job("Newco~", "VP Sales", SINCE),
                **PAGE,
            )
        ],
    )
    cases["left under its own name"] = Case(
        [contact(**PAGE)], [profile(WAS_AT_ACME, job("Newco~", "VP Sales", SINCE), **PAGE)]
    )
    return judge_cases(cases, tmp_path_factory.mktemp("companies"))


@pytest.mark.parametrize("case", ONE_GROUP)
def test_what_may_be_one_group_waits(verdicts: dict[str, Verdict], case: str) -> None:
    assert verdicts[case].kind_and_band == ("moved", "review"), verdicts[case].words
    assert "The two companies may be one" in verdicts[case].words


@pytest.mark.parametrize("case", BY_NAME_ONLY)
def test_ids_of_two_kinds_and_shared_sites_tell_nothing(
    verdicts: dict[str, Verdict], case: str
) -> None:
    assert verdicts[case].kind_and_band == ("moved", "review"), verdicts[case].words
    assert "Only names tell the two companies apart" in verdicts[case].words


@pytest.mark.parametrize("case", TWO_COMPANIES)
def test_two_ids_of_one_kind_are_two_companies(verdicts: dict[str, Verdict], case: str) -> None:
    assert verdicts[case].kind_and_band == ("moved", "auto"), verdicts[case].words


@pytest.mark.parametrize("case", ANOTHER_NAME)
def test_another_name_at_the_employers_site_waits(verdicts: dict[str, Verdict], case: str) -> None:
    assert verdicts[case].kind_and_band == ("retitled", "review"), verdicts[case].words
    assert "another name stands there" in verdicts[case].words


@pytest.mark.parametrize("case", SAME_EMPLOYER)
def test_a_form_of_the_name_at_the_employers_site_is_the_employer(
    verdicts: dict[str, Verdict], case: str
) -> None:
    assert verdicts[case].kind_and_band == ("retitled", "auto"), verdicts[case].words


def test_a_move_from_the_employers_site_under_another_name_waits(
    verdicts: dict[str, Verdict],
) -> None:
    assert verdicts["left under quite another name"].kind_and_band == ("moved", "review")
    assert verdicts["left under its own name"].kind_and_band == ("moved", "auto")
