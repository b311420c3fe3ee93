"""Who else may be meant: other holders of an address, other contacts, names merely alike."""

from __future__ import annotations

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

PAGE = {"linkedin_url": "https://www.linkedin.com/in/jane-roe~"}
OTHER_PAGE = {"linkedin_url": "https://www.linkedin.com/in/jane-roe-2~"}
WORK, PRIVATE, FAMILY = "jane.roe@acme~.example", "jroe~@gmail.com", "family.roe~@orange.fr"
SHARED = "roe@acme~.example"


def mobile(number: int) -> str:
    """A mobile number of its own for each case: a number that two share counts for none."""
    return f"+336399855{number:02d}"


def moved(**fields: Any) -> dict[str, Any]:
    return profile(WAS_AT_ACME, AT_NEWCO, **fields)


def called(first: str, last: str = "Roe~") -> dict[str, str]:
    return {"first_name": first, "last_name": last, "full_name": f"{first} {last}"}


def shared(ours: str, theirs: dict[str, str], number: int, last: str = "Roe~") -> Case:
    """A mailbox at work and a mobile number in common, and these names."""
    return Case(
        [contact(first_name=ours, last_name=last, email=SHARED, mobile=mobile(number))],
        [moved(**theirs, work_email=SHARED, mobile_phone=mobile(number))],
    )


def freelance(employer: str) -> Case:
    """Nobody's employer, in the same city."""
    there = job(employer, "Consultant", "2020", website=None)
    return Case(
        [contact(organisation=employer, organisation_domain=None, city="Paris")],
        [profile(there, location_locality="paris")],
    )


CASES = {
    "page of a namesake, mailbox and mobile elsewhere": Case(
        [contact(**PAGE, email=WORK, mobile=mobile(1))],
        [
            moved(**PAGE),
            profile(AT_ACME, id="q", **OTHER_PAGE, work_email=WORK, mobile_phone=mobile(1)),
        ],
    ),
    "the other has no page": Case(
        [contact(**PAGE, personal_email=PRIVATE)],
        [moved(**PAGE), profile(AT_ACME, id="q", personal_emails=[PRIVATE])],
    ),
    "the other is in another source": Case(
        [contact(**PAGE, email=WORK)],
        [moved(**PAGE)],
        {"two": [profile(AT_ACME, id="q", **OTHER_PAGE, work_email=WORK)]},
    ),
    "page and address in one, an older copy beside it": Case(
        [contact(**PAGE, email=WORK)],
        [moved(**PAGE, work_email=WORK), profile(AT_ACME, id="q", work_email=WORK)],
    ),
    "address of another source without a page": Case(
        [contact(**PAGE, email=WORK)],
        [moved(**PAGE)],
        {"two": [moved(id="q", work_email=WORK)]},
    ),
    "address of somebody with another name": Case(
        [contact(**PAGE, email=WORK)],
        [moved(**PAGE), profile(AT_ACME, id="q", **called("Zoltan", "Quirk~"), work_email=WORK)],
    ),
    "father without a page, son with one": Case(
        [contact(personal_email=FAMILY), contact(**PAGE, personal_email=FAMILY)],
        [moved(**PAGE, personal_emails=[FAMILY])],
    ),
    "father with two addresses": Case(
        [contact(email=SHARED, personal_email=FAMILY), contact(**PAGE)],
        [moved(**PAGE, personal_emails=[FAMILY], work_email=SHARED)],
    ),
    "two contacts with both addresses": Case(
        [contact(personal_email=FAMILY), contact(personal_email=FAMILY)],
        [moved(personal_emails=[FAMILY])],
    ),
    "Michel and Michele": shared("Michel", called("Michele"), 2),
    "Jean and Jeanne": shared("Jean", called("Jeanne"), 3),
    "Julien and Julie": shared("Julien", called("Julie"), 4),
    "Martin and Martinez": shared("Jane", called("Jane", "Martinez~"), 5, "Martin~"),
    "Chris and Christine": shared("Chris", called("Christine"), 6),
    "J. and Julie": shared("J.", called("Julie"), 7),
    "Bob and Robert": shared("Bob", called("Robert"), 8),
    "the same names": shared("Jane", called("Jane"), 9),
    "half of a double name": shared("Jane", called("Jane", "Doe~-Roe~"), 10),
    "page and a close first name": Case(
        [contact(**PAGE, first_name="Jean")], [moved(**PAGE, **called("Jeanne"))]
    ),
    "page and another middle name": Case(
        [contact(**PAGE, first_name="Jane A.", last_name="Roe~ Sr")],
        [moved(**PAGE, full_name="Jane B. Roe~ Jr")],
    ),
    "page and a nickname for both": Case(
        [contact(**PAGE, first_name="Chris")], [moved(**PAGE, **called("Christine"))]
    ),
    "city, another of that name": Case(
        [contact(first_name="Bill", city="Paris")],
        [
            profile(AT_ACME, **called("William"), location_locality="paris"),
            profile(
                job("Other~", "Cook", "2020"), id="q", **called("Bill"), location_locality="lyon"
            ),
        ],
    ),
    "work address in the personal field": Case(
        [contact(personal_email=WORK)], [moved(work_email=WORK)]
    ),
    "another address of the mail's domain there": Case(
        [contact(email="j@mail~.example", personal_email="jane@mail~.example")],
        [moved(personal_emails=["jane@mail~.example"])],
    ),
    "address of the employer, a provider": Case(
        [
            contact(
                organisation="Orange~", organisation_domain="orange.fr", email="jane.~@orange.fr"
            )
        ],
        [profile(job("Orange~", "Sales Director", "2020"), personal_emails=["jane.~@orange.fr"])],
    ),
    "her own domain in the personal field": Case(
        [contact(personal_email="jane@roe~.example")],
        [moved(personal_emails=["jane@roe~.example"])],
    ),
    "two private addresses of one provider": Case(
        [contact(email="jane.~@gmail.com", personal_email=PRIVATE)],
        [moved(personal_emails=[PRIVATE])],
    ),
    "fixed line in the mobile field": Case(
        [contact(mobile="+33 1 99 00 55 11")], [moved(phone_numbers=["+33199005511"])]
    ),
    "mobile where numbers do not tell": Case(
        [contact(mobile="+1 202 555 0111")], [moved(phone_numbers=["+12025550111"])]
    ),
    "freelance, the same city": freelance("Freelance"),
    "self-employed, the same city": freelance("Self-employed"),
    "auto-entrepreneuse, the same city": freelance("Auto-Entrepreneuse"),
    "a title never held there": Case(
        [contact(personal_email=PRIVATE, title="President")], [moved(personal_emails=[PRIVATE])]
    ),
    "a title never held there, with a page": Case(
        [contact(**PAGE, title="President")], [moved(**PAGE)]
    ),
    "no title in the CRM": Case(
        [contact(personal_email=PRIVATE, title=None)], [moved(personal_emails=[PRIVATE])]
    ),
    "an address, and no name": Case(
        [contact(first_name=None, last_name=None, email=WORK)], [moved(work_email=WORK)]
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return judge_cases(CASES, tmp_path_factory.mktemp("rivals"))


@pytest.mark.parametrize(
    ("case", "band", "said"),
    [
        (
            "page of a namesake, mailbox and mobile elsewhere",
            "review",
            "holds an address or number",
        ),
        ("the other has no page", "review", "holds an address or number"),
        ("the other is in another source", "review", "holds an address or number"),
        ("page and address in one, an older copy beside it", "auto", ""),
        ("address of another source without a page", "auto", ""),
        ("address of somebody with another name", "auto", ""),
        ("father without a page, son with one", "review", "Another contact of the CRM"),
        ("father with two addresses", "review", "Another contact of the CRM"),
        ("two contacts with both addresses", "review", "Another contact of the CRM"),
        ("Michel and Michele", "review", "names are too different"),
        ("Jean and Jeanne", "review", "names are too different"),
        ("Julien and Julie", "review", "names are too different"),
        ("Martin and Martinez", "review", "names are too different"),
        ("Chris and Christine", "review", "names are too different"),
        ("J. and Julie", "review", "names are too different"),
        ("Bob and Robert", "auto", ""),
        ("the same names", "auto", ""),
        ("half of a double name", "auto", ""),
        ("page and a close first name", "review", "names are too different"),
        ("page and another middle name", "review", "Middle names or suffixes differ"),
        ("page and a nickname for both", "auto", ""),
        ("city, another of that name", "review", "Only one kind of evidence"),
        ("work address in the personal field", "review", "Only one kind of evidence"),
        ("another address of the mail's domain there", "review", "Only one kind of evidence"),
        ("address of the employer, a provider", "review", "Only one kind of evidence"),
        ("her own domain in the personal field", "auto", ""),
        ("two private addresses of one provider", "auto", ""),
        ("fixed line in the mobile field", "review", "Only one kind of evidence"),
        ("mobile where numbers do not tell", "auto", ""),
        ("freelance, the same city", None, "elsewhere, not matched"),
        ("self-employed, the same city", None, "elsewhere, not matched"),
        ("auto-entrepreneuse, the same city", None, "elsewhere, not matched"),
        ("a title never held there", "auto", "the CRM's title was never held there"),
        ("a title never held there, with a page", "auto", ""),
        ("no title in the CRM", "auto", ""),
        ("an address, and no name", "ignored", "no full name"),
    ],
)
def test_what_may_be_somebody_else_goes_to_review(
    verdicts: dict[str, Verdict], case: str, band: str | None, said: str
) -> None:
    assert verdicts[case].matched.get("p") == band
    assert said in verdicts[case].words


def test_every_case_is_asserted() -> None:
    marks = test_what_may_be_somebody_else_goes_to_review.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in marks[0].args[1]} == set(CASES)


def test_the_sons_own_match_goes_by_itself(verdicts: dict[str, Verdict]) -> None:
    """Only a page says whose the profile is, and it is enough."""
    assert verdicts["father without a page, son with one"].kind_and_band == ("moved", "review")
    assert verdicts["page and address in one, an older copy beside it"].kind_and_band == (
        "moved",
        "auto",
    )


@pytest.mark.parametrize(
    ("case", "band"),
    [
        ("a title never held there", "review"),
        ("a title never held there, with a page", "auto"),
        ("no title in the CRM", "auto"),
        ("the same names", "auto"),
    ],
)
def test_a_move_from_a_title_never_held_needs_a_page_to_go_by_itself(
    verdicts: dict[str, Verdict], case: str, band: str
) -> None:
    assert verdicts[case].kind_and_band == ("moved", band)


def test_who_works_there_is_told_under_the_profiles_name_where_names_differ(
    verdicts: dict[str, Verdict],
) -> None:
    words = verdicts["Michel and Michele"].words
    assert "Michele Roe" in words
    assert "Michel Roe" not in words.split(" works or worked at ")[0].splitlines()[-1]


def test_an_address_without_names_is_not_said_to_be_other_peoples(
    verdicts: dict[str, Verdict],
) -> None:
    assert verdicts["an address, and no name"].kind_and_band == ("unknown", "ignored")
    assert "other people" not in verdicts["an address, and no name"].words
