"""Employers of the synthetic world, and the colleagues of the team that keeps the CRM.

Company names are made of syllables, so that they are plainly nobody's, and every address stands
under the reserved ending `.example`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from crm_sync.sandbox.world_names import Country, draw_name, slug
from crm_sync.sandbox.world_places import COUNTRY_NAMES, Place, draw_place
from crm_sync.sandbox.world_random import Purpose, pick, scatter32, stream

OWN_DOMAIN = "atelier-bellegarde.example"
"""The domain of the team whose CRM this is."""

_LEADS = """
Vex Zun Quo Bri Tyl Kre Ost Plo Dri Fje Gwa Hux Ixo Jor Kly Lum Myr Nyx Oph Pry Qua Ryk Sko Tru
Uln Vyr Wex Xan Yor Zep Bly Cro Dax Elv Fro Gri Hel Irk Jux Kva Lyx Moz Nul Orv Pax Rho Syl Thy Umb
Vok Wyn Yld Zil Aph Byr Dwe Egr Fyl Glo Hyd
"""
_VOWELS = "aeiou"
_CONSONANTS = "bdfglmnrstvz"
_ENDINGS = "or ane ium ara ence ix on eos aris elle ac is oria um ente ova alis ar ette and ode ux"
_PREFIXES = ("", "Neo", "Alta", "Ultra", "Terra", "Omni", "Inter", "Para")

_INDUSTRIES: tuple[tuple[str, str, str], ...] = (
    ("Software", "Logiciels", "Software"),
    ("Logistics", "Logistique", "Logistics"),
    ("Manufacturing", "Industrie", "Manufacturing"),
    ("Healthcare", "Santé", "Health"),
    ("Energy", "Énergie", "Energy"),
    ("Retail", "Distribution", "Retail"),
    ("Financial Services", "Finance", "Capital"),
    ("Construction", "Bâtiment", "Building"),
    ("Consulting", "Conseil", "Consulting"),
    ("Food", "Alimentaire", "Foods"),
)
_FORMS: dict[Country, tuple[str, ...]] = {
    "FR": ("{} SAS", "{} SAS", "{} SA", "{} SARL", "SARL {}", "{}"),
    "US": ("{} Inc", "{}, Inc.", "{} LLC", "{} Corp", "{} Corp.", "{}"),
}


@dataclass(frozen=True, slots=True)
class Organisation:
    """An employer. `family` is shared by parents, subsidiaries and companies of the same name.

    `base` is the name without its legal form. `account_id` is empty when the CRM does not have it.
    """

    index: int
    name: str
    base: str
    family: str
    domain: str
    industry: str
    place: Place
    account_id: str


@dataclass(frozen=True, slots=True)
class WorldAccount:
    """An account of the CRM, which every contact belongs to."""

    id: str
    name: str
    domain: str
    industry: str
    city: str
    country: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class WorldColleague:
    """A user of the CRM; `language` is the one that she works in."""

    id: str
    first_name: str
    last_name: str
    email: str
    language: Literal["fr", "en"]
    active: bool


@dataclass(frozen=True, slots=True)
class Economy:
    """All employers: the first `accounts` of them are the CRM's, the others it does not know."""

    organisations: tuple[Organisation, ...]
    accounts: int
    _weights: array[float]

    def account_at(self, number: float) -> Organisation:
        """An account at `number` in [0, 1), the large ones more often (Zipf-like)."""
        found = bisect_right(self._weights, number * self._weights[-1])
        return self.organisations[min(found, self.accounts - 1)]

    def headcount(self, organisation: Organisation, contacts: int) -> float:
        """How many of `contacts` contacts are expected at the organisation; 0 outside the CRM."""
        if organisation.index >= self.accounts:
            return 0.0
        before = self._weights[organisation.index - 1] if organisation.index else 0.0
        return contacts * (self._weights[organisation.index] - before) / self._weights[-1]


def found_economy(seed: int, contacts: int) -> Economy:
    """The employers of a world with this many contacts: an account for every twelve, at least
    three, and half as many employers again that the CRM does not know, at least six.
    """
    accounts = max(3, round(contacts / 12))
    organisations = tuple(islice(_organisations(seed, accounts), accounts + max(6, accounts // 2)))
    weights = array("d")
    total = 0.0
    for rank in range(accounts):
        total += (rank + 5) ** -0.8
        weights.append(total)
    return Economy(organisations, accounts, weights)


def hire_colleagues(seed: int, contacts: int) -> tuple[WorldColleague, ...]:
    """One colleague for every hundred contacts, at least twelve; the last two are inactive.

    Even places speak French, odd places English.
    """
    number = max(12, contacts // 100)
    return tuple(_colleague(seed, place, active=place < number - 2) for place in range(number))


def account_of(
    seed: int, organisation: Organisation, colleagues: Sequence[WorldColleague]
) -> WorldAccount:
    """The CRM's account of the organisation."""
    return WorldAccount(
        id=organisation.account_id,
        name=organisation.name,
        domain=organisation.domain,
        industry=organisation.industry,
        city=organisation.place.city,
        country=COUNTRY_NAMES[organisation.place.country],
        owner_id=owner_of(seed, organisation, colleagues),
    )


def owner_of(seed: int, organisation: Organisation, colleagues: Sequence[WorldColleague]) -> str:
    """The id of the account's owner, who mostly speaks the language of its country."""
    token = scatter32(organisation.index, seed)
    return any_owner(organisation, colleagues, token % 1000 / 1000, token / 2**32)


def any_owner(
    organisation: Organisation, colleagues: Sequence[WorldColleague], language: float, number: float
) -> str:
    """The id of a colleague at `number` in [0, 1), among those of the language at `language`."""
    french = (organisation.place.country == "FR") == (language < 0.92)
    return pick(colleagues[0 if french else 1 :: 2], number).id


def _colleague(seed: int, place: int, *, active: bool) -> WorldColleague:
    french = place % 2 == 0
    name = draw_name("FR" if french else "US", stream(seed, Purpose.COLLEAGUE, place).random)
    email = f"{slug(name.first)}.{slug(name.last)}.{place + 1}@{OWN_DOMAIN}"
    language: Literal["fr", "en"] = "fr" if french else "en"
    return WorldColleague(f"u{place + 1:05d}", name.first, name.last, email, language, active)


@dataclass(frozen=True, slots=True)
class _Bearer:
    base: str
    country: Country
    domain: str


def _organisations(seed: int, accounts: int) -> Iterator[Organisation]:
    """Organisations without end; the first `accounts` of them are accounts of the CRM."""
    index = 0
    for number, stem in enumerate(_stems(seed)):
        industry = _INDUSTRIES[(number * 7 + seed) % len(_INDUSTRIES)]
        home: Country = "FR" if (number * 5 + seed) % 11 % 2 else "US"
        local_word = industry[1] if home == "FR" else industry[2]
        for bearer in _bearers(number, stem, home, local_word):
            draw = stream(seed, Purpose.ORGANISATION, index).random
            yield Organisation(
                index=index,
                name=pick(_FORMS[bearer.country], draw()).format(bearer.base),
                base=bearer.base,
                family=stem,
                domain=f"{bearer.domain}.example",
                industry=industry[0],
                place=draw_place(bearer.country, draw()),
                account_id=f"a{index + 1:06d}" if index < accounts else "",
            )
            index += 1


def _bearers(number: int, stem: str, home: Country, local_word: str) -> tuple[_Bearer, ...]:
    """The companies that bear a name: one of twenty names is a family (parent and subsidiaries),
    one of twenty-five is borne by two companies that have nothing to do with each other.
    """
    domain = stem.lower()
    if number % 20 == 3:
        return (
            _Bearer(stem, home, domain),
            _Bearer(f"{stem} France", "FR", f"{domain}-france"),
            _Bearer(f"{stem} Americas", "US", f"{domain}-americas"),
        )
    if number % 25 == 7:
        return (_Bearer(stem, "FR", domain), _Bearer(stem, "US", f"{domain}-us"))
    if number % 4 == 1:
        return (_Bearer(f"{stem} {local_word}", home, domain),)
    return (_Bearer(stem, home, domain),)


def _stems(seed: int) -> Iterator[str]:
    """Some 600,000 invented names, all different, in an order of the seed's."""
    middles = [vowel + consonant for vowel in _VOWELS for consonant in _CONSONANTS]
    leads, endings = _LEADS.split(), _ENDINGS.split()
    total = len(leads) * len(middles) * len(endings)
    step, place = 30_011, (seed * 7_919) % total  # a prime step visits every place once
    for prefix in _PREFIXES:
        for _ in range(total):
            lead, rest = divmod(place, len(middles) * len(endings))
            middle, ending = divmod(rest, len(endings))
            yield (prefix + leads[lead] + middles[middle] + endings[ending]).capitalize()
            place = (place + step) % total
