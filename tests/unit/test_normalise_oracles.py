"""Our rules beside two libraries that know one part each: telephone numbers and legal forms.

Where they disagree, and why ours stay as they are, is said here.
"""

from __future__ import annotations

import phonenumbers
import pytest
from cleanco import basename
from cleanco.termdata import terms_by_type
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from crm_sync.normalise.companies import company_key
from crm_sync.normalise.points import is_fixed_line, is_mobile_number, phone_key
from crm_sync.normalise.text import each

COUNTRIES = {
    "FR": "France", "GB": "United Kingdom", "BE": "Belgique", "CH": "Suisse", "LU": "Luxembourg",
    "US": "USA", "CA": "Canada", "DE": "Allemagne", "NL": "Pays-Bas", "ES": "España",
    "IT": "Italia", "RE": "La Réunion", "GP": "Guadeloupe", "MQ": "Martinique", "GF": "Guyane",
    "YT": "Mayotte",
}  # fmt: skip
KINDS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)


def _example(region: str, kind: int) -> tuple[phonenumbers.PhoneNumber, str]:
    number = phonenumbers.example_number_for_type(region, kind)
    assert number is not None
    return number, phonenumbers.format_number(number, PhoneNumberFormat.E164).lstrip("+")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("region", COUNTRIES)
def test_a_number_has_one_key_however_it_is_written(region: str, kind: int) -> None:
    number, key = _example(region, kind)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    everywhere = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    assert phone_key(national, COUNTRIES[region]) == key
    assert phone_key(national.replace(" ", "."), region.lower()) == key
    assert phone_key(key, COUNTRIES[region]) == key
    for written in (everywhere, f"00{key}", f"tel:+{key}", f"Tel. {everywhere} ext. 12"):
        assert phone_key(written, None) == key


@pytest.mark.parametrize(
    "region", [r for r in COUNTRIES if r not in {"US", "CA", "IT", "LU", "ES"}]
)
def test_the_zero_of_the_country_may_stand_after_the_code(region: str) -> None:
    number, key = _example(region, PhoneNumberType.MOBILE)
    code, rest = number.country_code, number.national_number
    assert phone_key(f"+{code} (0){rest}") == phone_key(f"+{code}0{rest}") == key


@pytest.mark.parametrize("region", [r for r in COUNTRIES if r not in {"US", "CA"}])
def test_mobile_numbers_are_told_from_the_others(region: str) -> None:
    assert is_mobile_number(_example(region, PhoneNumberType.MOBILE)[1])
    assert not is_mobile_number(_example(region, PhoneNumberType.FIXED_LINE)[1])
    assert is_fixed_line(_example(region, PhoneNumberType.FIXED_LINE)[1])
    assert not is_fixed_line(_example(region, PhoneNumberType.MOBILE)[1])


def test_overseas_numbers_typed_as_french_ones_are_the_same() -> None:
    # phonenumbers reads them under +33, where nobody has them.
    for region in ("RE", "GP", "MQ", "GF", "YT"):
        number, key = _example(region, PhoneNumberType.MOBILE)
        assert phone_key(f"0{number.national_number}", "France") == key
        assert phone_key(f"+33 {number.national_number}") == key


OTHER_FORMS = frozenset(
    each(
        """
    3at aat ae aj comm.v cpt d.n.o. d.o.o.e.l. da dat e.c. e.e. e.u. ee esv et fie fop gte. ij
    j.t.d. k.d. k.d.a. kd kda kht. ks kt kv. mb mchj nl o.d. o.e. oaj obrt oe pp private pt qk
    s.cra. s.f. s.k.a. s.l.n.e. s.m.b.a. s.p. s.s. sd secs ses. soc.col. stg t:mi tapui teo tmi tov
    vat xk xt yoaj zat a.e.
        """
    )
)
"""Forms of law that cleanco strips and we do not: other alphabets and small countries, and letters
that begin or end too many names (`PT`, `NL`, `ET`, `Private`). Two spellings with and without
one stay two names, which holds a change back and never makes one."""


def test_a_legal_form_that_cleanco_knows_makes_no_other_name() -> None:
    terms = {term.strip() for terms in terms_by_type.values() for term in terms}
    known = [term for term in sorted(terms - OTHER_FORMS) if term.isascii()]
    stripped = [term for term in known if basename(f"Vexalor {term}") == "Vexalor"]
    assert len(stripped) > 100
    assert [term for term in stripped if company_key(f"Vexalor {term}") != "vexalor"] == []


@pytest.mark.parametrize(
    "name",
    [
        "SA Vexalor",
        "EURL Vexalor",
        "Vexalor EURL",
        "SELARL Vexalor",
        "Vexalor SELARL",
        "SCOP Vexalor",
        "Ets Vexalor",
        "Vexalor S.à r.l.",
        "Vexalor S. à r.l.",
        "VEXALOR SPA",
        "Vexalor S.p.A.",
        "Vexalor Pty Ltd",
        "Vexalor GmbH & Co. KG",
        "Vexalor & Cie",
        "Vexalor et Compagnie SAS U",
        "Vexalor (formerly Norvex)",
        "The Vexalor Company",
        "Vexalor.com, Inc.",
    ],
)
def test_forms_that_cleanco_leaves_or_mangles(name: str) -> None:
    assert company_key(name) == "vexalor"


@pytest.mark.parametrize("name", ["Co", "Company", "SA", "The Co", "Limited", "& Co"])
def test_a_name_that_is_nothing_but_a_form_stays(name: str) -> None:
    assert company_key(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Co", "Inc"),
        ("Vexalor", "Vexalor France"),
        ("Société Vexalor Générale", "Vexalor"),
        ("AG Vexalor", "Vexalor"),
        ("Vexalor Sea", "Vexalor"),
        ("Vexalor Group", "Vexalor Holding"),
    ],
)
def test_names_that_stay_apart(one: str, other: str) -> None:
    assert company_key(one) != company_key(other)
