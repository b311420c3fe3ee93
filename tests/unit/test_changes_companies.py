"""When two names are one company, and when they may be: neither is a move that goes by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.judging import (
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
NO_SITE = {"organisation_domain": None}
UNTIL = "2025-09-30"
SINCE = "2025-10-01"


def at(*jobs: dict[str, Any], crm: dict[str, Any] | None = None) -> Case:
    return Case([contact(**PAGE, **(crm or {}))], [profile(*jobs, **PAGE)])


def among(
    jane: list[dict[str, Any]],
    others: list[list[dict[str, Any]]],
    crm: dict[str, Any] | None = None,
) -> Case:
    """Jane, and other people whom the CRM and the source know as well."""
    contacts = [contact(**PAGE, **(crm or {}))]
    profiles = [profile(*jane, **PAGE)]
    for number, jobs in enumerate(others):
        name = {"first_name": f"Max{number * 'x'}", "last_name": "Poe~"}
        page = {"linkedin_url": f"linkedin.com/in/max~{number}"}
        contacts.append(contact(**name, **page, title="CTO", organisation="Elsewhere~", **NO_SITE))
        full = f"{name['first_name']} {name['last_name']}"
        profiles.append(profile(*jobs, id=f"max{number}", full_name=full, **name, **page))
    return Case(contacts, profiles)


def was(organisation: str = "Acme~", **more: Any) -> dict[str, Any]:
    return job(organisation, "Sales Director", "2020-01-01", UNTIL, **more)


def now(organisation: str = "Newco~", title: str = "VP Sales", **more: Any) -> dict[str, Any]:
    return job(organisation, title, SINCE, **more)


SITED = job("Acme~", "CTO", "2019-01-01")
NAMED = job("Acme~", "CTO", "2019-01-01", website=None)
MAILBOX = {**NO_SITE, "organisation": "Acme~ Polska", "email": "jane@acme~.example"}
AT_HOLDING = job("Holding~", "Sales Director", "2020-01-01", UNTIL, website="acme~.example")
ODD_MAIL = {"organisation": "Acme~", "email": "jane@odd~.example"}
MAX = contact(first_name="Max", last_name="Poe~", organisation="Acme~", email="max@odd~.example")

CASES: dict[str, tuple[Case, str, str]] = {
    # one company by its id
    "one id, another title": (
        at(was(company_id="c~"), now(company_id="c~")),
        "retitled",
        "review",
    ),
    "one id, the same title": (
        at(was(company_id="c~"), now(title="Sales Director", company_id="c~")),
        "unchanged",
        "auto",
    ),
    "one id, as others have it": (
        among([was(), now(company_id="c~")], [[job("Acme~", "CTO", "2019", company_id="c~")]]),
        "retitled",
        "review",
    ),
    "left what is the employer by its id": (
        at(
            job("Acme~", "Trainee", "2015", "2016", company_id="c~"),
            was("Oldname~", company_id="c~"),
            now(),
            crm={"title": "Sales Director"},
        ),
        "moved",
        "review",
    ),
    "two companies of that name, one of them in question": (
        among(
            [was(website=None), now(company_id="c2~")],
            [
                [job("Acme~", "CTO", "2019", website="air~.example", company_id="c1~")],
                [job("Acme~", "CTO", "2019", website="tap~.example", company_id="c2~")],
            ],
            NO_SITE,
        ),
        "moved",
        "review",
    ),
    "the id of another company of that name": (
        among(
            [was(), now(company_id="c2~")],
            [[job("Acme~", "CTO", "2019", website="tap~.example", company_id="c2~")]],
        ),
        "moved",
        "auto",
    ),
    "an id that is everybody's": (
        among(
            [was(company_id="0~"), now(company_id="0~")],
            [[job(f"Any{chr(97 + n) * 3}~", "CTO", "2019", company_id="0~") for n in range(21)]],
        ),
        "moved",
        "review",
    ),
    # the employer by its mailboxes
    "a mailbox that sounds like the employer": (
        at(AT_HOLDING, AT_NEWCO, crm=MAILBOX),
        "moved",
        "review",
    ),
    "still at the employer of the mailbox": (
        at(job("Holding~", "Sales Director", "2020", website="acme~.example"), crm=MAILBOX),
        "unchanged",
        "auto",
    ),
    "one mailbox of another name": (
        at(was("Holding~", website="odd~.example"), AT_NEWCO, crm=ODD_MAIL),
        "unknown",
        "ignored",
    ),
    "the same mailboxes as a colleague": (
        Case(
            [contact(**PAGE, **ODD_MAIL), MAX],
            [profile(was("Holding~", website="odd~.example"), AT_NEWCO, **PAGE)],
        ),
        "moved",
        "review",
    ),
    "a mailbox at another account": (
        Case(
            [
                contact(**PAGE, email="jane@newco~.example"),
                contact(first_name="Max", last_name="Poe~", email="max@newco~.example"),
                contact(
                    first_name="Ann", last_name="Coe~", organisation="Newco~",
                    organisation_domain="newco~.example",
                ),
            ],
            [profile(job("Newco~", "Sales Director", SINCE), **PAGE)],
        ),
        "unknown",
        "ignored",
    ),
    # an account without a site
    "its site is known from three others": (
        among([was(website=None), now()], [[SITED], [SITED], [SITED]], NO_SITE),
        "moved",
        "auto",
    ),
    "its site is known from two others": (
        among([was(website=None), now()], [[SITED], [SITED]], NO_SITE),
        "moved",
        "review",
    ),
    "others give it two sites": (
        among(
            [was(website=None), now()],
            [[SITED], [SITED], [SITED], [job("Acme~", "CTO", "2019", website="acme~.org")]],
            NO_SITE,
        ),
        "moved",
        "review",
    ),
    "the new one has no site": (
        among([was(website=None), now(website=None)], [[SITED], [SITED], [SITED]], NO_SITE),
        "moved",
        "review",
    ),
    "other profiles have no site either": (
        among([was(website=None), now()], [[NAMED], [NAMED], [NAMED]], NO_SITE),
        "moved",
        "review",
    ),
    "known by another name at that site": (
        among(
            [job("Polska~", "Sales Director", "2020", website="acme~.example")],
            [[SITED], [SITED], [SITED]],
            NO_SITE,
        ),
        "unchanged",
        "auto",
    ),
    # perhaps one group
    "one name inside the other": (at(WAS_AT_ACME, now("Neoacme~")), "moved", "review"),
    "a typing error": (at(WAS_AT_ACME, now("Acmme~")), "moved", "review"),
    "initials": (
        at(
            was("North Baltic Mills~"), now("NBM", website="nbm~.example"),
            crm={"organisation": "North Baltic Mills~", "organisation_domain": "mills~.example"},
        ),
        "moved",
        "review",
    ),
    "pages of one family": (
        at(
            was(company_id="linkedin.com/company/acme~"),
            now(company_id="linkedin.com/company/acme~-robotics"),
        ),
        "moved",
        "review",
    ),
    "a host of the same site": (
        at(
            was(website="acme~.org"),
            now("Shop~", "Sales Director", website="shop.acme~.org"),
            crm={"organisation_domain": "acme~.org"},
        ),
        "unchanged",
        "auto",
    ),
    "a host below the site": (
        at(was(), now("Shop~", website="shop.acme~.example")),
        "moved",
        "review",
    ),
    "pages of two families": (
        at(
            was(company_id="linkedin.com/company/acme~"),
            now(company_id="linkedin.com/company/newco~"),
        ),
        "moved",
        "auto",
    ),
    "the same name at another site": (
        at(
            job("Acme~", "Sales Director", "2020", "2025-03-31", website="acme~-foods.example"),
            job("Acme~", "Chief Revenue Officer", "2025-04-01", website="acme~-foods.example"),
        ),
        "retitled",
        "review",
    ),
}  # fmt: skip

WORDS = {
    "one id, another title": "Only the source's id",
    "one id, as others have it": "Only the source's id",
    "left what is the employer by its id": "Only the source's id",
    "one id, the same title": "goes by another name there: Newco",
    "an id that is everybody's": "may be one",
    "a mailbox that sounds like the employer": "inferred from mailboxes",
    "the same mailboxes as a colleague": "inferred from mailboxes",
    "a mailbox at another account": "not among the jobs",
    "its site is known from two others": "no domains or ids",
    "others give it two sites": "no domains or ids",
    "the new one has no site": "no domains or ids",
    "one name inside the other": "may be one",
    "a typing error": "may be one",
    "initials": "may be one",
    "pages of one family": "may be one",
    "a host below the site": "may be one",
    "the same name at another site": "another domain",
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return judge_cases({n: case for n, (case, _, _) in CASES.items()}, tmp_path_factory.mktemp("c"))


@pytest.mark.parametrize("case", CASES)
def test_kind_and_band(verdicts: dict[str, Verdict], case: str) -> None:
    assert verdicts[case].kind_and_band == CASES[case][1:], verdicts[case].words


@pytest.mark.parametrize("case", WORDS)
def test_the_evidence_says_why(verdicts: dict[str, Verdict], case: str) -> None:
    assert WORDS[case] in verdicts[case].words
