"""What a CRM and a vendor have written down of simulated careers: late, partly, and with mistakes.

Shares below are of the rows that they can concern. None was measured at a vendor: they are set so
that each mistake that vendors are known for happens often enough to be counted.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from simulated_careers import Person, Population, Role, Spell, letters

CRM = {
    "entered_late": 0.15,  # in the year before the delivery; the others up to 30 months before
    "former_employer": 0.01,  # typed from an old business card
    "edited_since": 0.40,  # of what was there at the first pull: edited before it for other reasons
    "no_title": 0.15,
    "no_domain": 0.40,
    "wrong_domain": 0.01,
    "legal_form": 0.30,
    "shortened": 0.03,
    "mail": 0.75,
    "private_mail": 0.15,  # of the addresses
    "former_mail": 0.03,  # of the work addresses
    "mobile": 0.40,
    "city": 0.70,
    "wrong_page": 0.01,  # of the pages: that of somebody of the same last name
    "initial": 0.15,
}
PULLED_FOR_DAYS = 730
"""So long before a delivery the CRM was pulled for the first time: of what is older than that, only
the date is known that the record had then."""
VENDOR = {
    "page": 0.92,
    "work_mail": 0.50,  # of each employment
    "private_mail": 0.50,
    "mobile": 0.40,
    "city": 0.85,
    "one_title": 0.30,  # only the last title at each employer
}
VERIFIED = ((0.60, 0, 90), (0.20, 91, 365), (0.15, 366, 1095))
"""Days before the delivery on which a profile was verified: share, least, most; the rest never."""
VENDOR_ERRS = {
    "absent": 0.15,
    "lagging": 0.02,  # verified on a day, but up to a year older than that
    "other_last_name": 0.01,
    "duplicate": 0.03,  # an older profile of the same person under another id
    "conflated": 0.005,  # two people's jobs in one profile
    "wrong_page": 0.003,
    "wrong_point": 0.01,  # an address or number that is somebody else's
    "job_missing": 0.03,
    "no_end": 0.03,  # an employment that ended, and seems to go on
    "ended_wrongly": 0.003,  # a job that goes on, said to have ended
    "no_start": 0.03,
    "year_only": 0.10,
    "date_off": 0.15,  # by up to three months
    "year_off": 0.02,
    "no_domain": 0.15,
    "wrong_domain": 0.01,
    "no_id": 0.20,
    "spelt_otherwise": 0.15,
}
BESIDE = {"seat": 0.04, "second_job": 0.03}
"""Shares of people who sit on a board, or have a second job that they keep."""
NEW_NAMES = {"renamed": 0.02, "bought": 0.01}
"""Shares of employers, a year, that take another name and domain or that another one takes over."""
SAID_OF_A_NEW_NAME = (("all_new", 0.4), ("split", 0.4), ("all_old", 0.2))
"""How profiles of those who were there show it: the new name throughout; two jobs; not at all."""
SHORTER = (("Senior ", "Sr. "), ("Vice President of ", "VP "), ("Director of ", "Director, "))
FORMS = (" Inc", ", Inc.", " LLC", " Corp.", ", Ltd.")

Row = dict[str, Any]


@dataclass(frozen=True)
class NewName:
    """From that day the employer is called so; its people stay where they are."""

    day: date
    name: str
    domain: str
    id: str


@dataclass
class World:
    """Everybody, with the seats and second jobs beside their careers, and the new names."""

    population: Population
    seed: int
    mistakes: float = 1.0
    beside: dict[str, tuple[bool, Spell]] = field(default_factory=dict)
    new_names: dict[int, NewName] = field(default_factory=dict)
    spellings: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    ways_to_spell: dict[int, list[str]] = field(default_factory=dict)
    same_last: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def chance(self, *what: object) -> random.Random:
        """Chance of its own for each thing, so that no draw shifts another."""
        return random.Random("/".join(str(one) for one in (self.seed, *what)))

    def errs(self, what: str, chance: random.Random) -> bool:
        """Whether the vendor makes this mistake now."""
        return chance.random() < VENDOR_ERRS[what] * self.mistakes

    def employers(self, person: Person, day: date) -> set[int]:
        """Who employs somebody on a day; seats are no employment."""
        here = {spell.employer for spell in person.spells if spell.lasts(day)}
        is_seat, spell = self.beside.get(person.id, (True, None))
        return here | {spell.employer} if spell and not is_seat and spell.lasts(day) else here

    def address(self, spell: Spell) -> str:
        """The mailbox at an employer: who came after its new name has one there."""
        new = self.new_names.get(spell.employer)
        if new is None or spell.start < new.day:
            return spell.address
        return f"{spell.address.partition('@')[0]}@{new.domain}"

    def spelt(self, employer: int, text: str) -> str:
        """Remember that this is how the employer is written somewhere."""
        self.spellings[letters_and_digits(text)].add(employer)
        return text


@dataclass(frozen=True)
class Contact:
    """A contact as the CRM has it, and what is true of it."""

    row: Row
    person: Person
    employer: int
    entered: date


@dataclass(frozen=True)
class Delivery:
    """A vendor's profiles, whose they are, and the jobs of each: employer, whether it goes on."""

    day: date
    profiles: Sequence[Row]
    owners: Mapping[str, str]
    listed: Mapping[str, Sequence[tuple[int, bool]]]


def make_world(population: Population, seed: int, mistakes: float = 1.0) -> World:
    world = World(population, seed, mistakes)
    for person in population.people.values():
        world.same_last[person.last].append(person.id)
    written = defaultdict(set)
    for (_, _, employer), name in population.collected.employers.items():
        written[employer].add(name or population.employers[employer])
    world.ways_to_spell.update({employer: sorted(names) for employer, names in written.items()})
    add_beside(world)
    add_new_names(world)
    return world


def add_beside(world: World) -> None:
    chance = world.chance("beside")
    employers = sorted(world.population.employers)
    for person in world.population.people.values():
        drawn = chance.random()
        start = chance.choice(person.spells).start + timedelta(days=chance.randrange(700))
        employer = chance.choice(employers)
        titles = ("Board Member", "Advisor", "Volunteer")
        is_seat = drawn < BESIDE["seat"]
        title = chance.choice(titles) if is_seat else "Consultant"
        spell = Spell(employer, start, None, [Role(title, start, None)])
        if drawn < sum(BESIDE.values()) and all(employer != one.employer for one in person.spells):
            world.beside[person.id] = (is_seat, spell)


def add_new_names(world: World) -> None:
    chance = world.chance("names")
    people = world.population
    words = sorted({word for name in people.employers.values() for word in name.split()
                    if len(word) > 4 and word.isalpha()})  # fmt: skip
    for employer in sorted(people.employers):
        for year in range(people.years[0] + 1, people.years[1] + 1):
            drawn = chance.random()
            if drawn >= sum(NEW_NAMES.values()) or employer in world.new_names:
                continue
            day = date(year, 1, 1) + timedelta(days=chance.randrange(365))
            if drawn < NEW_NAMES["renamed"]:
                name = " ".join(chance.sample(words, 2))
                own = f"{letters(name)}.example"
                site = own if chance.random() < 0.7 else people.domains[employer]
                key = f"company-{employer if chance.random() < 0.5 else letters(name)}"
            else:
                buyer = chance.choice([one for one in people.employers if one != employer])
                name, site, key = people.employers[buyer], people.domains[buyer], f"company-{buyer}"
            world.new_names[employer] = NewName(day, name, site, key)
            world.spelt(employer, name)


def enter(world: World, person: Person, delivered: date, pages: float) -> Contact | None:
    """A contact of that person, entered some time before the delivery; None if not employed then.

    `pages` is the share of contacts of which the CRM has the LinkedIn page.
    """
    chance = world.chance("contact", person.id)
    on_page = chance.random()
    least, most = (1, 365) if chance.random() < CRM["entered_late"] else (365, 910)
    entered = delivered - timedelta(days=chance.randint(least, most))
    now = person.spell(entered)
    if now is None:
        return None
    at = person.spells.index(now)
    spell = person.spells[at - 1] if at and chance.random() < CRM["former_employer"] else now
    first, middle, last = world.population.typed.name(person.id, entered.year) or (
        person.first, person.middle, person.last)  # fmt: skip
    if middle and first and chance.random() < CRM["initial"]:
        first = f"{first} {middle}"
    row: Row = {
        "contact_id": f"c{person.id}",
        "first_name": first,
        "last_name": last,
        "title": typed_title(role_on(spell, entered), chance),
        "mobile": person.mobile if chance.random() < CRM["mobile"] else None,
        "linkedin_url": typed_page(world, person, chance) if on_page < pages else None,
        "city": spell.city if chance.random() < CRM["city"] else None,
        "country": "US",
        **typed_employer(world, person, spell, entered, chance),
        **typed_mail(world, person, spell, chance),
        **typed_when(entered, delivered, chance),
    }
    return Contact(row, person, spell.employer, entered)


def role_on(spell: Spell, day: date) -> str:
    return next((r.title for r in reversed(spell.roles) if r.start <= day), spell.roles[0].title)


def typed_title(title: str, chance: random.Random) -> str | None:
    if chance.random() < CRM["no_title"]:
        return None
    for written, instead in SHORTER:
        if chance.random() < 0.4:
            title = title.replace(written, instead)
    return title


def typed_employer(
    world: World, person: Person, spell: Spell, entered: date, chance: random.Random
) -> Row:
    """The employer's name and site, under its new name if it had one for half a year."""
    people = world.population
    typed = people.typed.employers.get((person.id, entered.year, spell.employer))
    text, site = typed or people.employers[spell.employer], people.domains[spell.employer]
    new = world.new_names.get(spell.employer)
    if new and new.day + timedelta(days=180) < entered:
        text, site = new.name, new.domain
    if chance.random() < CRM["shortened"]:
        text = " ".join(text.split()[:2])
    if chance.random() < CRM["legal_form"]:
        text += chance.choice(FORMS)
    if chance.random() < CRM["wrong_domain"]:
        site = chance.choice(sorted(people.domains.values()))
    world.spelt(spell.employer, text)
    known = chance.random() >= CRM["no_domain"]
    return {"organisation": text, "organisation_domain": site if known else None}


def typed_page(world: World, person: Person, chance: random.Random) -> str:
    if chance.random() < CRM["wrong_page"]:
        person = alike(world, person, chance)
    return f"https://www.linkedin.com/in/{person.slug}"


def alike(world: World, person: Person, chance: random.Random) -> Person:
    """Somebody of the same last name: a namesake if there is one, else the same first letter."""
    people = world.population.people
    others = [people[one] for one in world.same_last[person.last] if one != person.id]
    for same in (lambda o: o.first == person.first, lambda o: o.first[:1] == person.first[:1]):
        if found := [other for other in others if same(other)]:
            return chance.choice(found)
    return chance.choice(others) if others else person


def typed_mail(world: World, person: Person, spell: Spell, chance: random.Random) -> Row:
    if chance.random() >= CRM["mail"]:
        return {"email": None}
    if chance.random() < CRM["private_mail"]:
        return {"email": person.mail}
    if chance.random() < CRM["former_mail"]:
        spell = person.spells[max(0, person.spells.index(spell) - 1)]
    return {"email": world.address(spell)}


def typed_when(entered: date, delivered: date, chance: random.Random) -> Row:
    """When the CRM's value was written, as far as the store knows it."""
    first_pull = delivered - timedelta(days=PULLED_FOR_DAYS)
    day = entered
    edited = chance.random() < CRM["edited_since"]
    if entered < first_pull and edited:
        day += timedelta(days=chance.randrange((first_pull - entered).days))
    return {"changed_at": datetime.combine(day, time(9), UTC), "changed_basis": "record_date"}


def letters_and_digits(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())
