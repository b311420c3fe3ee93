"""Names as people type them, in French and English; SQL says the same (see the parity tests)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.normalise.people import PersonName, parse_name
from crm_sync.normalise.person_words import french_nicknames
from crm_sync.normalise.text import fold


def _agree(one: PersonName, other: PersonName) -> bool:
    """As a match by name reads it: one last name, and a first name that may stand for the other."""
    return one.last_key == other.last_key and bool(set(one.firsts) & set(other.firsts))


@pytest.mark.parametrize(
    "name",
    [
        "Marie Dupont",
        "DUPONT Marie",
        "Dupont, Marie",
        "DUPONT, MARIE",
        "Marie DUPONT",
        "marie dupont",
        "MARIE DUPONT",
        "Mme Marie Dupont",
        "Mme. DUPONT Marie",
        "Maître Marie DUPONT",
        "Me Marie Dupont",
        "Dr Marie Dupont, PhD",
        "Marie Dupont PhD",
        "Marie Dupont, M.B.A., CPA",
        "Prof. Dr. Marie Dupont",
        "Marie  Dupont",
        "\u200bMarie\u00a0Dupont ",
        "Marie (Mimi) Dupont",
        "Marie “Mimi” Dupont",
        "Marie Dupont (she/her)",
        "Marie Dupont (née Roe)",
        "Marie Dupont née Roe",
        "Marie Dupont (MBA)",
        "Marie Dupont \N{ROCKET}\ufe0f",
        "Marie\x00Dupont",
        "DUPONT marie",
        "Marie C. Dupont",
        "Marie Dupont -",
        "- Marie Dupont",
    ],
)
def test_spellings_of_one_name(name: str) -> None:
    assert _agree(parse_name(name), parse_name(None, "Marie", "Dupont"))


@pytest.mark.parametrize(
    ("name", "last", "first"),
    [
        ("DE LA TOUR Marie", "delatour", "marie"),
        ("Marie DE LA TOUR", "delatour", "marie"),
        ("Marie de La Tour", "delatour", "marie"),
        ("Marie de LA TOUR", "delatour", "marie"),
        ("Jan van den Berg", "vandenberg", "jan"),
        ("VAN DEN BERG Jan", "vandenberg", "jan"),
        ("Luís dos Santos", "dossantos", "luis"),
        ("Jean-Pierre LE GALL", "legall", "jeanpierre"),
        ("LE GALL Jean-Pierre", "legall", "jeanpierre"),
        ("Charles d'Almeida", "dalmeida", "charles"),
        ("D'ALMEIDA Charles", "dalmeida", "charles"),
        ("Anne-Sophie ROE-DOE", "roedoe", "annesophie"),
        ("ROE-DOE Anne-Sophie", "roedoe", "annesophie"),
        ("JP Dupont", "dupont", "jp"),
        ("J.-P. Dupont", "dupont", "jp"),
        ("J. P. Dupont", "dupont", "j"),
        ("Conor O’Roe", "oroe", "conor"),
        ("Søren Łukasz", "lukasz", "soren"),
        ("M. et Mme Paul Dupont", "dupont", "paul"),
        ("MARTIN épouse DUPONT Anne", "martindupont", "anne"),
        ("王小明", "王小明", None),
        ("Жуков Иван", "иван", "жуков"),
        ("Vieira Pe", "pe", "vieira"),
        ("Max Born", "born", "max"),
        ("Li Nee Wang", "wang", "li"),
    ],
)
def test_where_a_last_name_begins(name: str, last: str, first: str | None) -> None:
    said = parse_name(name)
    assert (said.last_key, said.first_key) == (last, first)


@pytest.mark.parametrize(
    ("last", "parts"),
    [
        ("Roe-Van Doe", {"roevandoe", "roe", "doe"}),
        ("Roe Doe", {"roedoe", "roe", "doe"}),
        ("Saint-Denis", {"saintdenis", "denis"}),
        ("d’Almeida", {"dalmeida", "almeida"}),
        ("de la Tour", {"delatour", "tour"}),
        ("Doe (née Roe)", {"doe", "roe"}),
        ("Doe née de la Tour", {"doe", "delatour", "tour"}),
    ],
)
def test_parts_of_a_last_name(last: str, parts: set[str]) -> None:
    assert set(parse_name(None, "Ann", last).last_parts) == parts


def test_what_stands_in_brackets_is_no_name_unless_it_may_be_one() -> None:
    for other in ("(MBA)", "(she/her)", "(il/lui)", "(ret.)", "(Acme Corporation Ltd)", "[PhD]"):
        assert parse_name(f"Jane Roe {other}").firsts == ("jane",), other
        assert parse_name(None, f"Jane {other}", "Roe").last_key == "roe"
    assert parse_name(None, "Nicole (Nikki)", "Roe").firsts == ("nicole", "nikki")
    assert "nikki" in parse_name("Nicole (Nikki) Roe").firsts
    assert "bobby" in parse_name('Robert C. "Bobby" Roe, Jr.').firsts


def test_initials_and_suffixes_are_kept_apart() -> None:
    said = parse_name("J. French Roe III")
    assert (said.first_initials, said.firsts, said.middles) == (("j",), ("french",), ("f",))
    assert said.suffix == "iii"
    assert parse_name(None, "J. P.", "Dupont").first_initials == ("j",)
    assert parse_name(None, "Robert", "Roe Jr").suffix == "jr"
    assert parse_name("Robert Roe").suffix is None


def test_the_full_name_adds_to_the_fields_beside_it() -> None:
    said = parse_name("Jean-Pierre Paul Roe-Doe", "JP", "Roe Doe")
    assert said.first_key == "jp"
    assert set(said.firsts) == {"jp", "jeanpierre", "jeanpierrepaul"}
    assert said.last_key == "roedoe"
    assert parse_name("Marie Claire Dupont", None, "Dupont").firsts == ("marie", "marieclaire")
    assert parse_name("Dupont Marie", None, "Dupont").first_key == "marie"
    assert parse_name("Someone Else", None, "Dupont") == parse_name(None, None, "Dupont")


@pytest.mark.parametrize("nothing", [None, "", " ", "…", "\x00", "()", ","])
def test_nothing_is_no_name(nothing: str | None) -> None:
    assert parse_name(nothing, nothing, nothing) == PersonName()


def test_french_familiar_forms_are_written_as_names_are_compared() -> None:
    table = french_nicknames()
    assert "jeanpierre" in table["jp"]
    assert table["cath"] == table["cathy"] == ("catherine",)
    for short, names in table.items():
        assert names
        for name in (short, *names):
            assert parse_name(None, name, "Roe").firsts == (name,) == (fold(name),)


_WORDS = st.sampled_from(["marie", "jean-pierre", "élodie", "anne", "noël", "zoé"])
_LASTS = st.sampled_from(["dupont", "de la tour", "o'roe", "d’almeida", "van den berg", "roe-doe"])


@given(_WORDS, _LASTS)
def test_upper_case_last_names_read_alike_before_and_after(first: str, last: str) -> None:
    given = "-".join(part.capitalize() for part in first.split("-"))
    before, after = parse_name(f"{last.upper()} {given}"), parse_name(f"{given} {last.upper()}")
    fields = parse_name(None, first, last)
    assert before == after == fields
