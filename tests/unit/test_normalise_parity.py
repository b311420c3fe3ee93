"""A single value is normalised in Python exactly as a million are in SQL."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_sync.normalise import (
    companies,
    company_words,
    pauses,
    person_words,
    points,
    title_departments,
    title_levels,
    title_words,
    titles,
)
from crm_sync.normalise.people import parse_name
from crm_sync.normalise.text import fold, phrases
from tests.support.normalising import ASSIGNED, SIGNS, asked, named, titled

MANY = settings(max_examples=12, deadline=None)
WILD = st.text(ASSIGNED, max_size=25) | st.text(SIGNS, max_size=25)


def spaced(words: st.SearchStrategy[str], most: int = 6) -> st.SearchStrategy[str]:
    """Some of the words, with blanks or other signs between."""
    between = st.sampled_from(
        [" ", " ", " ", " ", ", ", "-", "  ", " (", ") ", "/", ".", "' ", "\u00a0"]
    )
    parts = st.lists(words | st.text(SIGNS, min_size=1, max_size=3), max_size=most)
    return st.builds(lambda some, sign: sign.join(some), parts, between) | st.builds(
        " ".join, parts
    )


def cased(words: list[str]) -> st.SearchStrategy[str]:
    """The words as they are, in capitals, and with one."""
    return st.sampled_from([form for w in words for form in (w, w.upper(), w.capitalize())])


NAME_WORDS = cased(
    [
        *("marie", "jean", "jean-pierre", "anne-sophie", "dupont", "o'brien", "d’almeida"),
        *("müller", "mcdonald", "roe-doe", "j.", "j.-p.", "jp", "é", "ng", "née", "épouse", "ép."),
        *("élodie", "ph. d", "m.b.a.", "m. et mme", '"bobby"', "(nikki)", "(née roe)", "(she/her)"),
        *("王", "小明", "жуков", "ßen", "ıl", "İlker", "d'", "'t"),
        *person_words.HONORIFICS, *person_words.POST_NOMINALS, *person_words.PARTICLES,
        *person_words.POST_NOMINALS_AFTER_COMMA,
    ]
)  # fmt: skip
NAMES = spaced(NAME_WORDS) | WILD
COMPANIES = WILD | spaced(
    cased(
        [
            *("the", "Acme", "Łódź", "L'Oréal", "Müller", "AT&T", "C++", "42", "S.à r.l."),
            *("(formerly Apex)", "formerly", "[ex-Apex]", "(née Apex)", "& Co. KG", "et Cie"),
            *company_words.LEGAL_FORMS_BEFORE, *company_words.LEGAL_FORMS_AFTER,
            *company_words.COMPANY_SYNONYMS, *company_words.GENERIC_COMPANY_WORDS,
        ]
    )
)  # fmt: skip
TITLE_WORDS = cased(
    sorted(
        {
            word.strip("^$!").replace("*", "x")
            for table in (title_levels.LEVELS, [title_departments.DEPARTMENTS])
            for step in table
            for said in step.values()
            for word in phrases(said)
        }
        | {
            word.replace("*", "x")
            for table in (title_levels.READ_AS, title_departments.DEPARTMENT_READ_AS)
            for said, _ in table
            for word in phrases(said)
        }
        | {*title_words.TITLE_PHRASES, *title_words.TITLE_SYNONYMS, *title_words.TITLE_FILLERS}
        | {"r&d", "R & D", "l'usine", "d’agence", "directeur·rice", "chargé(e)", "ingénieur.e"}
        | {"board member", "advisor", "retired", "en retraite", "étudiant", "parental leave"}
    )
)
TITLES = spaced(TITLE_WORDS, most=5) | WILD
PHONES = st.text("0123456789", min_size=4, max_size=12) | st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "+", "00", "+33 (0)", "tel:", "0", "+33", "0692", "Cell: ", "(+44) "]),
    st.text("0123456789 .-()/", min_size=6, max_size=18),
    st.text("0123456789", max_size=4),
    st.sampled_from(["", " x12", "ext. 4", " poste 33", "#5", " ", "é", "\u0660"]),
)
COUNTRIES = st.sampled_from(
    ["France", "FRANCE", "fr", "United Kingdom", "Belgique", "België", "Suisse", "Luxembourg",
     "USA", "Canada", "Deutschland", "España", "Italia", "La Réunion", "Atlantis", "", "!", None]
)  # fmt: skip
ADDRESSES = WILD | spaced(
    st.sampled_from(
        ["Jane.Roe", "jane+x", "info", "j.r", "@", "@gmail.com", "@Acme.example", "mailto:", "<",
         ">", "Jane Roe <jane@acme.example>", "?subject=x", ".", ";", "é@ü.de", "www.",
         "https://", "shop.acme.co.uk", ":8080", "/path", "//", "#!"]
    )
).map(lambda text: text.replace(" ", ""))  # fmt: skip
PAGES = WILD | st.lists(
    st.sampled_from(
        ["https://", "www.", "fr.", "linkedin.com", "LinkedIn.com", "linkedin.cn", "/", "/in/",
         "in/", "/pub/", "mwlite/", "m/", "jane-roe", "Jane-Röe", "%C3%A9", "%C3", "%25C3%25A9",
         "%00", "1/2a3/4b5", "12/3/b", "?trk=x", "/fr", "sales/lead/", "ACwAAABcdefghijklmnopqrstu",
         ",x", " ", "K", "ſ", "İ"]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@MANY
@given(st.lists(WILD, min_size=1, max_size=60))
def test_folding(texts: list[str]) -> None:
    assert [fold(text) or None for text in texts] == asked("fold(t)", texts)


@example([["DUPONT Marie", None, None], ["JP Dupont", None, None], ["Dr Marie", "Dr", "Roe, MBA"]])
@MANY
@given(
    st.lists(
        st.tuples(NAMES | st.none(), st.none() | NAME_WORDS | NAMES, st.none() | NAME_WORDS | NAMES)
        | st.tuples(NAMES, st.none(), st.none()),
        min_size=1,
        max_size=60,
    )
)
def test_names(rows: list[tuple[str | None, str | None, str | None]]) -> None:
    def comparable(said: dict[str, Any]) -> dict[str, Any]:
        keep = {field.name for field in dataclasses.fields(parse_name())}
        return {
            key: sorted(value) if isinstance(value, list | tuple) else value
            for key, value in said.items()
            if key in keep
        }

    for row, found in zip(rows, named(rows), strict=True):
        assert (row, comparable(found)) == (row, comparable(dataclasses.asdict(parse_name(*row))))


@example(["\x00¹", "Acme\x00Corp", "The SA", "Société Générale S.A."])
@MANY
@given(st.lists(COMPANIES, max_size=60))
def test_companies(texts: list[str]) -> None:
    assert [companies.company_key(text) or None for text in texts] == asked("company_key(t)", texts)
    marks = [list(companies.company_marks(text)) for text in texts]
    assert marks == [found or [] for found in asked("company_marks(t)", texts)]


@MANY
@given(st.lists(TITLES, max_size=60, unique=True))
def test_titles(texts: list[str]) -> None:
    found = titled(texts)
    assert sorted(found) == sorted(texts)
    for text in texts:
        level = titles.title_level(text)
        assert found[text] == {
            "title": text,
            "title_key": titles.title_key(text) or None,
            "title_letters": titles.title_letters(text) or None,
            "is_seat": titles.is_seat(text),
            "is_pause": titles.is_pause(text),
            "is_leave": titles.is_leave(text),
            "level": level,
            "level_rank": level and level.rank,
            "departments": list(titles.title_departments(text)),
        }


@MANY
@given(st.lists(PHONES | WILD, max_size=60), COUNTRIES)
def test_telephone_numbers(texts: list[str], country: str | None) -> None:
    said = "NULL" if country is None else f"'{country}'"
    keys = [points.phone_key(text, country) for text in texts]
    assert keys == asked(f"phone_key(t, {said})", texts)
    some = [key for key in keys if key]
    assert [points.is_mobile_number(key) for key in some] == asked("is_mobile_number(t)", some)
    assert [points.is_fixed_line(key) for key in some] == asked("is_fixed_line(t)", some)


@MANY
@given(st.lists(ADDRESSES, max_size=60))
def test_addresses(texts: list[str]) -> None:
    keys = [points.email_key(text) for text in texts]
    assert keys == asked("email_key(t)", texts)
    assert [points.host(text) for text in texts] == asked("host(t)", texts)
    some = [(text, key) for text, key in zip(texts, keys, strict=True) if key]
    assert [key for _, key in some] == asked("address_key(t)", [text for text, _ in some])


@MANY
@given(st.lists(PAGES, max_size=60))
def test_linkedin_pages(texts: list[str]) -> None:
    slugs = [points.linkedin_slug(text) for text in texts]
    assert slugs == asked("linkedin_slug(t)", texts)
    some = [slug for slug in slugs if slug]
    assert [points.is_opaque_slug(slug) for slug in some] == asked("is_opaque_slug(t)", some)


def test_free_mail() -> None:
    domains = [
        "gmail.com",
        "sfr.fr",
        "neuf.fr",
        "bbox.fr",
        "acme.example",
        "xgmail.com",
        "gmailxcom",
    ]
    assert [points.is_free_mail(one) for one in domains] == asked("is_free_mail(t)", domains)
    assert [one for one in domains if points.is_free_mail(one)] == domains[:4]


@MANY
@given(st.lists(TITLES, max_size=60))
def test_pauses_in_the_place_of_an_employer(texts: list[str]) -> None:
    import re

    pattern = pauses.PAUSE_EMPLOYER_PATTERN
    told = [bool(re.fullmatch(pattern, fold(text), re.ASCII)) for text in texts]
    assert told == asked("is_pause_employer(t)", texts)
