"""Which evidence makes a contact and a profile the same person, and how sure that is."""

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

PAGE = "https://www.linkedin.com/in/jane-roe~"
ELSEWHERE = job("Other~", "Sales Director", "2020-01-01")


def one(with_contact: dict[str, Any], *profiles: dict[str, Any]) -> Case:
    return Case([contact(**with_contact)], profiles)


CASES = {
    "linkedin": one({"linkedin_url": PAGE}, profile(ELSEWHERE, linkedin_url=PAGE)),
    "linkedin, country host and case": one(
        {"linkedin_url": "fr.linkedin.com/in/Jane-Roe~/"}, profile(ELSEWHERE, linkedin_url=PAGE)
    ),
    "linkedin, nickname": one(
        {"linkedin_url": PAGE, "first_name": "Robert"},
        profile(ELSEWHERE, linkedin_url=PAGE, full_name="Bob Roe~", first_name="Bob"),
    ),
    "linkedin, another last name": one(
        {"linkedin_url": PAGE},
        profile(ELSEWHERE, linkedin_url=PAGE, full_name="Jane Xylander~", last_name="Xylander~"),
    ),
    "linkedin, another person": one(
        {"linkedin_url": PAGE},
        profile(
            ELSEWHERE,
            linkedin_url=PAGE,
            full_name="Boris Xylander~",
            first_name="Boris",
            last_name="Xylander~",
        ),
    ),
    "two linkedin pages veto": one(
        {"linkedin_url": PAGE, "email": "jane@acme~.example", "personal_email": "j~@gmail.com"},
        profile(
            AT_ACME,
            linkedin_url=PAGE + "-2",
            work_email="jane@acme~.example",
            personal_emails=["j~@gmail.com"],
        ),
    ),
    "linkedin beats e-mail": one(
        {"linkedin_url": PAGE, "email": "jane@acme~.example"},
        profile(ELSEWHERE, id="page", linkedin_url=PAGE),
        profile(AT_ACME, id="mail", work_email="jane@acme~.example"),
    ),
    "work e-mail": one(
        {"email": "jane@acme~.example"}, profile(ELSEWHERE, work_email="Jane@Acme~.example")
    ),
    "work e-mail with name and company": one(
        {"email": "jane@acme~.example"}, profile(AT_ACME, work_email="jane@acme~.example")
    ),
    "recycled work e-mail": one(
        {"email": "jane@acme~.example"},
        profile(
            AT_ACME,
            work_email="jane@acme~.example",
            full_name="Jana Stone~",
            first_name="Jana",
            last_name="Stone~",
        ),
    ),
    "personal e-mail": one(
        {"personal_email": "roe~@gmail.com"}, profile(ELSEWHERE, personal_emails=["roe~@gmail.com"])
    ),
    "free mail in the e-mail field": one(
        {"email": "roe~@gmail.com"}, profile(ELSEWHERE, personal_emails=["roe~@gmail.com"])
    ),
    "personal e-mail with name and company": one(
        {"personal_email": "roe~@gmail.com"}, profile(AT_ACME, personal_emails=["roe~@gmail.com"])
    ),
    "mobile with name and company": one(
        {"mobile": "06 39 98 77 01", "country": "France"},
        profile(AT_ACME, mobile_phone="+33 6 39 98 77 01"),
    ),
    "mobile of somebody else": one(
        {"mobile": "06 39 98 77 02", "country": "France"},
        profile(
            ELSEWHERE,
            mobile_phone="+33 6 39 98 77 02",
            full_name="Zoltan Quirk~",
            first_name="Zoltan",
            last_name="Quirk~",
        ),
    ),
    "role mailbox": one({"email": "info@acme~.example"}, profile(work_email="info@acme~.example")),
    "name and present company": one({}, profile(AT_ACME)),
    "name and former company": one({}, profile(WAS_AT_ACME, AT_NEWCO)),
    "name and company by domain": one(
        {"organisation": "Acme Worldwide~"},
        profile(job("Something~", "Sales Director", "2020", website="www.acme~.example/team")),
    ),
    "nickname and company": one(
        {"first_name": "Elizabeth"}, profile(AT_ACME, full_name="Liz Roe~", first_name="Liz")
    ),
    "middle initial": one({}, profile(AT_ACME, full_name="Jane B. Roe~")),
    "another middle initial": one(
        {"first_name": "Jane A."}, profile(AT_ACME, full_name="Jane B. Roe~")
    ),
    "father and son": one({"last_name": "Roe~ Sr."}, profile(AT_ACME, full_name="Jane Roe~, Jr.")),
    "name alone": one({}, profile(ELSEWHERE)),
    "two of the name there": one({}, profile(AT_ACME, id="a"), profile(WAS_AT_ACME, id="b")),
    "two of the name there, one by nickname": one(
        {"first_name": "Robert"},
        profile(AT_ACME, id="a", full_name="Robert Roe~", first_name="Robert"),
        profile(AT_ACME, id="b", full_name="Bob Roe~", first_name="Bob"),
    ),
    "namesakes told apart by e-mail": one(
        {"personal_email": "roe~@gmail.com"},
        profile(AT_ACME, id="a", personal_emails=["roe~@gmail.com"]),
        profile(AT_ACME, id="b"),
    ),
    "two contacts for one profile": Case([contact(), contact()], [profile(AT_ACME)]),
    "same city, rare name": one({"city": "Lyon"}, profile(AT_ACME, location_locality="lyon")),
    "same city, two of the name": one(
        {"city": "Lyon"},
        profile(AT_ACME, id="a", location_locality="lyon"),
        profile(ELSEWHERE, id="b", location_locality="lyon"),
    ),
    "accents and hyphens": one(
        {"first_name": "Jean Pierre", "last_name": "LEFÈVRE~"},
        profile(
            AT_ACME,
            full_name="jean-pierre lefevre~",
            first_name="jean-pierre",
            last_name="lefevre~",
        ),
    ),
    "half of a double name": one(
        {"last_name": "Doe~-Stein~"}, profile(AT_ACME, full_name="Jane Doe~", last_name="Doe~")
    ),
    "names in lower case": one(
        {"first_name": "Jane-Ann", "last_name": "ROE~"},
        profile(AT_ACME, full_name="jane-ann roe~", first_name="jane-ann", last_name="roe~"),
    ),
    "lower case, a nickname": one(
        {"first_name": "Robert"},
        profile(AT_ACME, full_name="bob roe~", first_name="bob", last_name="roe~"),
    ),
    "full name only": one(
        {"first_name": None, "last_name": None, "name": "Roe~, Jane"}, profile(AT_ACME)
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return judge_cases(CASES, tmp_path_factory.mktemp("rules"))


@pytest.mark.parametrize(
    ("case", "bands"),
    [
        ("linkedin", {"p": "auto"}),
        ("linkedin, country host and case", {"p": "auto"}),
        ("linkedin, nickname", {"p": "auto"}),
        ("linkedin, another last name", {"p": "review"}),
        ("linkedin, another person", {"p": "ignored"}),
        ("two linkedin pages veto", {"p": "ignored"}),
        ("linkedin beats e-mail", {"page": "review", "mail": "ignored"}),
        ("work e-mail", {"p": "review"}),
        ("work e-mail with name and company", {"p": "review"}),
        ("recycled work e-mail", {"p": "ignored"}),
        ("personal e-mail", {"p": "review"}),
        ("free mail in the e-mail field", {"p": "review"}),
        ("personal e-mail with name and company", {"p": "auto"}),
        ("mobile with name and company", {"p": "auto"}),
        ("mobile of somebody else", {"p": "ignored"}),
        ("role mailbox", {}),
        ("name and present company", {"p": "review"}),
        ("name and former company", {"p": "review"}),
        ("name and company by domain", {"p": "review"}),
        ("nickname and company", {"p": "review"}),
        ("middle initial", {"p": "review"}),
        ("another middle initial", {"p": "ignored"}),
        ("father and son", {"p": "ignored"}),
        ("name alone", {}),
        ("two of the name there", {"a": "ignored", "b": "ignored"}),
        ("two of the name there, one by nickname", {"a": "ignored", "b": "ignored"}),
        ("namesakes told apart by e-mail", {"a": "review", "b": "ignored"}),
        ("two contacts for one profile", {"p": "ignored"}),
        ("same city, rare name", {"p": "auto"}),
        ("same city, two of the name", {"a": "review"}),
        ("accents and hyphens", {"p": "review"}),
        ("half of a double name", {"p": "review"}),
        ("names in lower case", {"p": "review"}),
        ("lower case, a nickname", {"p": "review"}),
        ("full name only", {"p": "review"}),
    ],
)
def test_the_band_follows_the_families_of_evidence(
    verdicts: dict[str, Verdict], case: str, bands: dict[str, str]
) -> None:
    assert verdicts[case].matched == bands


def test_every_case_is_asserted() -> None:
    marks = test_the_band_follows_the_families_of_evidence.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in marks[0].args[1]} == set(CASES)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("two of the name there", "2 people of that name are known at Acme"),
        ("two contacts for one profile", "2 contacts of the CRM fit"),
        ("two linkedin pages veto", "another LinkedIn page"),
        ("recycled work e-mail", "other people"),
        ("name alone", "1 of that name elsewhere"),
    ],
)
def test_who_stays_unmatched_is_told_why(
    verdicts: dict[str, Verdict], case: str, said: str
) -> None:
    assert verdicts[case].kind_and_band == ("unknown", "ignored")
    assert said in verdicts[case].words


def test_evidence_masks_addresses_and_numbers(verdicts: dict[str, Verdict]) -> None:
    mail = verdicts["personal e-mail with name and company"]
    assert "r***@gmail.com" in mail.words
    assert "@gmail.com" not in mail.words.replace("r***@gmail.com", "")
    phone = verdicts["mobile with name and company"].words
    assert "ending in 01" in phone
    assert "39987701" not in phone.replace(" ", "")


def test_evidence_spells_names_as_the_crm_does_else_with_capitals(
    verdicts: dict[str, Verdict],
) -> None:
    assert "Jane-Ann ROE" in verdicts["names in lower case"].words
    assert "jane-ann" not in verdicts["names in lower case"].words
    told = verdicts["lower case, a nickname"].words
    assert "Robert Roe" in told
    assert ", Bob Roe" in told


def test_two_families_are_surer_than_one_and_a_veto_is_hardly_anything(
    verdicts: dict[str, Verdict],
) -> None:
    def sure(case: str) -> float:
        return float(max(row["confidence"] for row in verdicts[case].matches))

    assert sure("linkedin") > sure("name and present company")
    assert sure("personal e-mail with name and company") > sure("personal e-mail")
    assert sure("name and present company") > sure("nickname and company")
    assert sure("two linkedin pages veto") < 0.1
