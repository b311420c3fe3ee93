"""What counts as the same name, company, title or address, and what does not."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_sync.matching.employers import add_nicknames
from crm_sync.matching.normalise import install
from crm_sync.normalise import companies
from crm_sync.normalise import company_words as names


@cache
def _db() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect(config={"threads": 1})
    install(db)
    return db


def _normalised(macro: str, texts: list[str | None]) -> list[str | None]:
    if macro == "title_key":
        return _title_keys(texts)
    query = f"SELECT list_transform($texts::VARCHAR[], lambda t: {macro}(t))"
    row = _db().execute(query, {"texts": texts}).fetchone()
    assert row is not None
    return list(row[0])


def _title_keys(texts: list[str | None]) -> list[str | None]:
    db = _db()
    db.execute("CREATE OR REPLACE TABLE given AS SELECT unnest($texts) AS title", {"texts": texts})
    keys = dict(db.execute("SELECT title, title_key FROM titled('given')").fetchall())
    return [keys[text] for text in texts]


def _named(full: str | None, first: str | None, last: str | None) -> tuple[Any, ...]:
    db = _db()
    db.execute("CREATE OR REPLACE TABLE person (full_name TEXT, first_name TEXT, last_name TEXT)")
    db.execute("INSERT INTO person VALUES (?, ?, ?)", [full, first, last])
    row = db.execute(
        "SELECT last_key, last_parts, firsts, first_initials, suffix FROM named('person')"
    ).fetchone()
    assert row is not None
    return row


def _same(macro: str, one: str, other: str) -> bool:
    left, right = _normalised(macro, [one, other])
    return left is not None and left == right


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "Acme, Inc."),
        ("Acme", "ACME LLC"),
        ("Acme Corporation", "Acme Corp."),
        ("The Acme Company", "Acme Co"),
        ("Michelin", "SA Michelin"),
        ("Durand", "EURL Durand"),
        ("Martin & Fils", "SARL Martin & Fils"),
        ("Cabinet Lebrun", "SELARL Cabinet Lebrun"),
        ("Société Générale", "SOCIETE GENERALE S.A."),
        ("L'Oréal", "LOREAL SA"),
        ("Müller", "Muller GmbH & Co. KG"),
        ("J.P. Morgan", "JP Morgan"),
        ("Data Dog", "DataDog"),
        ("Example.com, Inc.", "Example"),
        ("Smith & Sons Ltd", "Smith and Sons Limited"),
    ],
)
def test_a_legal_form_or_spelling_makes_no_other_company(one: str, other: str) -> None:
    assert _same("company_key", one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", "Acme Robotics"),
        ("Groupe Acme", "Acme"),
        ("Acme France", "Acme"),
        ("Delta Air", "Delta Faucet"),
        ("United Senate", "United House"),
        ("Co", "Inc"),
    ],
)
def test_related_or_similar_companies_stay_apart(one: str, other: str) -> None:
    assert not _same("company_key", one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("VP Sales", "Vice President, Sales"),
        ("VP Sales", "Vice President of Sales"),
        ("V.P. of Sales", "vice-president sales"),
        ("DG", "Directeur Général"),
        ("Directrice générale", "Directeur Général"),
        ("CEO", "Chief Executive Officer"),
        ("PDG", "Président-directeur général"),
        ("Présidente-directrice générale", "PDG"),
        ("Sales Director", "Director of Sales"),
        ("Directrice commerciale", "Directeur Commercial"),
        ("Directeur commercial", "Sales Director"),
        ("Resp. Marketing", "Responsable marketing"),
        ("Responsable du marketing", "Marketing Manager"),
        ("DRH", "Directrice des Ressources Humaines"),
        ("HR Director", "Director, Human Resources"),
        ("R&D Manager", "Responsable recherche et développement"),
        ("Sr. Engineer", "Senior Engineer"),
        ("Ingénieure", "Ingénieur"),
        ("Ingénieur logiciel", "ingenieur LOGICIEL"),
        ("Founder & CEO", "CEO and Founder"),
        ("U.S. Senator", "US senator"),
        ("Cheffe de projet", "Chef de Projet"),
        ("Directeur de l’agence", "Directrice d'agence"),
        ("Directrice administrative et financière", "Directeur administratif et financier"),
    ],
)
def test_a_title_written_otherwise_is_the_same_title(one: str, other: str) -> None:
    assert _same("title_key", one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("House Majority Whip", "House Minority Whip"),
        ("Vice Chair", "Chair"),
        ("PDG", "CEO"),
        ("DAF", "CFO"),
        ("Sales Manager", "Sales Director"),
        ("Senior Engineer", "Engineer"),
        ("Assistant to the CEO", "CEO"),
        ("Directeur général adjoint", "Directeur général"),
        ("Minister (Health)", "Minister (Defence)"),
        ("VP Sales", "SVP Sales"),
        ("Head of Sales", "Sales Director"),
    ],
)
def test_another_rank_or_portfolio_is_another_title(one: str, other: str) -> None:
    assert not _same("title_key", one, other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.linkedin.com/in/Jane-Roe/", "fr.linkedin.com/in/jane-roe?trk=x", True),
        ("linkedin.com/in/am%C3%A9lie-roe", "https://linkedin.com/in/amélie-roe", True),
        ("linkedin.com/in/jane-roe", "linkedin.com/in/jane-roe-2", False),
        ("linkedin.com/company/acme", "linkedin.com/company/acme", False),
    ],
)
def test_linkedin_pages(one: str, other: str, same: bool) -> None:
    assert _same("linkedin_slug", one, other) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jane.Roe@Acme.example", "mailto:jane.roe@acme.example", True),
        ("jane.roe+crm@acme.example", "jane.roe@acme.example", True),
        ("j.roe@gmail.com", "jroe@googlemail.com", True),
        ("j.roe@acme.example", "jroe@acme.example", False),
        ("info@acme.example", "info@acme.example", False),
        ("not an address", "not an address", False),
    ],
)
def test_email_addresses(one: str, other: str, same: bool) -> None:
    assert _same("email_key", one, other) is same


@pytest.mark.parametrize(
    ("one", "other", "country", "same"),
    [
        ("06 39 98 12 34", "+33 6 39 98 12 34", "France", True),
        ("0033639981234", "+33 (0)6 39 98 12 34", None, True),
        ("(202) 555-0143", "+1 202 555 0143", "United States", True),
        ("202-555-0143 x12", "2025550143", None, True),
        ("01 99 00 12 34", "01 99 00 12 35", "France", False),
        ("12345", "12345", None, False),
    ],
)
def test_telephone_numbers(one: str, other: str, country: str | None, same: bool) -> None:
    query = "SELECT phone_key($one, $country), phone_key($other, $country)"
    row = _db().execute(query, {"one": one, "other": other, "country": country}).fetchone()
    assert row is not None
    assert (row[0] is not None and row[0] == row[1]) is same


@pytest.mark.parametrize(
    ("full", "first", "last", "last_key", "some_first"),
    [
        ("DUPONT Marie", None, None, "dupont", "marie"),
        ("Marie DUPONT", None, None, "dupont", "marie"),
        ("Dupont, Marie", None, None, "dupont", "marie"),
        ("Mme Marie Dupont", None, None, "dupont", "marie"),
        ("Dr. Marie Dupont, PhD", None, None, "dupont", "marie"),
        ("Maria de la Cruz", None, None, "delacruz", "maria"),
        (None, "Jean-Pierre", "O'Neil", "oneil", "jeanpierre"),
        (None, "Jean Pierre", "Dupont", "dupont", "jeanpierre"),
        ("Søren Łukasz", None, None, "lukasz", "soren"),
        ('Robert C. "Bobby" Roe, Jr.', "robert", "roe", "roe", "bobby"),
        ("Nikki Roe", "nicole (nikki)", "roe", "roe", "nikki"),
        ("J. French Roe", "j.", "roe", "roe", "french"),
    ],
)
def test_names_are_taken_apart(
    full: str | None, first: str | None, last: str | None, last_key: str, some_first: str
) -> None:
    row = _named(full, first, last)
    assert row[0] == last_key
    assert some_first in row[2]


def test_parts_of_a_double_name_and_its_suffix_are_kept() -> None:
    row = _named("Ann Roe-Van Doe III", "Ann", "Roe-Van Doe III")
    assert set(row[1]) == {"roevandoe", "roe", "doe"}
    assert row[4] == "iii"


def test_familiar_forms_lead_both_ways_in_both_languages() -> None:
    db = duckdb.connect()
    add_nicknames(db)
    table = dict(db.execute("SELECT name, others FROM nickname").fetchall())
    for one, other in [("bill", "william"), ("jp", "jeanpierre"), ("seb", "sebastien")]:
        assert other in table[one]
        assert one in table[other]
    assert "jeanpaul" not in table["jeanpierre"]


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_case_and_doubling_of_blanks_never_make_a_difference(text: str) -> None:
    spaced = text.replace(" ", "   ")
    for macro in ("fold", "company_key", "title_key"):
        plain, wide = _normalised(macro, [text, spaced])
        assert plain == wide


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet="abcdefgéèçàüñ '-.,", max_size=40))
def test_upper_case_never_makes_a_difference(text: str) -> None:
    for macro in ("fold", "company_key", "title_key"):
        lower, upper = _normalised(macro, [text, text.upper()])
        assert lower == upper


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_what_is_normalised_stays_as_it_is(text: str) -> None:
    (once,) = _normalised("fold", [text])
    assert _normalised("fold", [once]) == [once]


WORDS = ["the", "Acme", "Łódź", "L'Oréal", "Müller", "Straße", "œuvre", "J.P.", "Données", "AT&T",
         "Ströer", "Søren", "O’Neil", "C++", "Co", "Société", "42", "Жук", "Αθήνα"]  # fmt: skip
FORMS = [*names.LEGAL_FORMS_BEFORE, *names.LEGAL_FORMS_AFTER, "S.A.", "S.A.S.", "Inc.", "L.L.C.",
         "& Co. KG", "and Company", "et Cie", "S.A.R.L", "s.p.a."]  # fmt: skip
COMPANY_NAMES = st.builds(
    lambda parts, between: between.join(parts),
    st.lists(
        st.sampled_from([*WORDS, *FORMS, *(form.upper() for form in FORMS)])
        | st.text("aAéÉçñüß.&'’-", max_size=5),
        max_size=6,
    ),
    st.sampled_from([" ", " ", ", ", ".", "-", "/", "  ", " (", "_", "&"]),
)

# What Unicode assigned lately one of the two may know before the other.
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn"])


@example(["\x00¹", "Acme\x00Corp"])
@settings(max_examples=60, deadline=None)
@given(st.lists(COMPANY_NAMES | st.text(ASSIGNED, max_size=25), min_size=1, max_size=30))
def test_one_company_has_the_same_key_in_a_plan_as_in_a_judgement(texts: list[str]) -> None:
    judged = _normalised("company_key", list(texts))
    assert [companies.company_key(text) or None for text in texts] == judged


@given(COMPANY_NAMES, st.sampled_from(names.LEGAL_FORMS_AFTER))
def test_a_legal_form_after_the_name_never_makes_a_difference(name: str, form: str) -> None:
    key = companies.company_key(f"Acme {name} x")
    assert companies.company_key(f"Acme {name} x {form}") == key
    assert companies.company_key(f"The ACME {name} x, {form.upper()}") == key
