"""Simulated people with their true careers, from the tax records of `pseudopeople`.

`pseudopeople` publishes simulated W-2 and 1099 records, year on year, with the true person
(`simulant_id`) and employer (`employer_id`) on every row, and draws realistic errors over them.
From the rows without errors comes the truth: who was employed where, when. The data know years;
the day on which one employer follows another within a year is drawn, and so are titles, addresses
and pages, which tax records do not have. Everything follows from one seed.
"""

from __future__ import annotations

import bisect
import logging
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

FUNCTIONS = (
    "Sales", "Marketing", "Finance", "Operations", "Logistics", "Purchasing", "Quality",
    "Engineering", "Customer Service", "Legal", "IT", "Facilities",
)  # fmt: skip
LADDER = (
    ("{f} Assistant", "{f} Coordinator", "{f} Administrator"),
    ("{f} Analyst", "{f} Associate", "{f} Representative"),
    ("{f} Specialist", "{f} Officer", "{f} Advisor"),
    ("Senior {f} Specialist", "Senior {f} Officer", "Senior {f} Advisor"),
    ("{f} Manager", "{f} Lead", "Head of {f}"),
    ("Senior {f} Manager", "Senior {f} Lead", "Regional {f} Manager"),
    ("Director of {f}", "{f} Director", "Executive Director of {f}"),
    ("Vice President of {f}", "Chief {f} Officer", "Senior Vice President of {f}"),
)
"""The rungs, each in the words of three kinds of employers."""
RISES_ON_MOVING = 0.4
RISES_PER_YEAR = 0.12
CHANGES_FUNCTION = 0.15
GAPS = ((0.5, 0, 14), (0.3, 15, 60), (0.2, 61, 150))
"""Days between two jobs: share, least, most."""
MAIL_FORMATS = ("{first}.{last}", "{first}.{last}", "{initial}{last}", "{first}_{last}")
CITIES = tuple(a + b for a in ("Alder", "Birch", "Cedar", "Elm", "Maple", "Oak", "Pine", "Willow")
               for b in ("ton", "ville", "field", "ford", "port"))  # fmt: skip
CHANGES_CITY = 0.1
"""Share of the moves to another employer that are moves to another city as well."""
REUSES_ADDRESSES = 0.5
"""Share of the addresses of somebody who left that a namesake who comes later is given."""


@dataclass
class Role:
    """One title at an employer."""

    title: str
    start: date
    end: date | None


@dataclass
class Spell:
    """An employment, with its roles in order; `end` is the last day, None where it goes on."""

    employer: int
    start: date
    end: date | None
    roles: list[Role] = field(default_factory=list)
    address: str = ""
    city: str = ""

    def lasts(self, day: date) -> bool:
        """Whether it is a present one on that day."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass
class Person:
    """Somebody with a true name and a true career, in order of time."""

    id: str
    first: str
    middle: str
    last: str
    spells: list[Spell]
    slug: str = ""
    mail: str = ""
    mobile: str = ""

    def spell(self, day: date) -> Spell | None:
        """The employment of that day."""
        return next((s for s in reversed(self.spells) if s.lasts(day)), None)


@dataclass(frozen=True)
class Records:
    """One drawing of the tax records: what it writes for a person and an employer, by year."""

    names: Mapping[str, Mapping[int, tuple[str | None, str | None, str | None]]]
    employers: Mapping[tuple[str, int, int], str | None]

    def name(self, person: str, year: int) -> tuple[str | None, str | None, str | None] | None:
        """First name, middle initial and last name in the newest record up to that year."""
        by_year = self.names.get(person, {})
        years = sorted(by_year)
        found = bisect.bisect_right(years, year)
        return by_year[years[found - 1]] if found else None


@dataclass(frozen=True)
class Population:
    """Everybody, the employers' names and domains, and two drawings of the records with errors."""

    people: Mapping[str, Person]
    employers: Mapping[int, str]
    domains: Mapping[int, str]
    typed: Records
    collected: Records
    years: tuple[int, int]


def populate(seed: int) -> Population:
    """All people of the sample that comes with `pseudopeople`, about 17,600, from 2019 to 2040."""
    import pseudopeople

    chance = random.Random(seed)
    rows = _rows(seed, pseudopeople.NO_NOISE)
    employed: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    names: dict[str, tuple[str, str, str]] = {}
    employers: dict[int, str] = {}
    for person, year, employer, organisation, first, middle, last in rows:
        employed[person][year].add(employer)
        names[person] = (first or "", middle or "", last or "")
        employers[employer] = organisation or ""
    last_year = max(year for years in employed.values() for year in years)
    first_year = min(year for years in employed.values() for year in years)
    people = {}
    for person in sorted(employed):
        spells = career(employed[person], last_year, chance)
        add_roles(spells, date(last_year, 12, 31), chance)
        people[person] = Person(person, *names[person], spells)
    domains = {number: domain(number, name) for number, name in employers.items()}
    add_points(list(people.values()), domains, chance)
    return Population(
        people,
        employers,
        domains,
        typed=_records(_rows(seed + 1, None)),
        collected=_records(_rows(seed + 2, None)),
        years=(first_year, last_year),
    )


Row = tuple[str, int, int, str | None, str | None, str | None, str | None]


def _rows(seed: int, noise: object) -> list[Row]:
    """Person, year, employer, its name, first name, initial, last name; None where left blank."""
    import pseudopeople

    logging.disable(logging.INFO)
    try:
        frame = pseudopeople.generate_taxes_w2_and_1099(
            seed=seed, config=noise, year=None, verbose=False
        )
    finally:
        logging.disable(logging.NOTSET)
    texts = ("employer_name", "first_name", "middle_initial", "last_name")
    columns = [frame["simulant_id"].astype(str), frame["tax_year"].astype(int),
               frame["employer_id"].astype(int)]  # fmt: skip
    columns += [frame[name].astype(object).where(frame[name].notna(), None) for name in texts]
    return sorted(zip(*columns, strict=True), key=lambda row: tuple(str(one) for one in row))


def _records(rows: Sequence[Row]) -> Records:
    names: dict[str, dict[int, tuple[str | None, str | None, str | None]]] = defaultdict(dict)
    employers: dict[tuple[str, int, int], str | None] = {}
    for person, year, employer, organisation, first, middle, last in rows:
        names[person][year] = (first, middle, last)
        employers[person, year, employer] = organisation
    return Records(names, employers)


def career(employed: Mapping[int, set[int]], last_year: int, chance: random.Random) -> list[Spell]:
    """Employments in order of time, one after the other, from the employers of each year.

    Who paid in the year before as well comes first, who pays in the year after as well comes last.
    """
    stays: list[tuple[int, date, date | None]] = []
    before: int | None = None
    for year in sorted(employed):
        order = in_order(employed, year, before, chance)
        cuts = [day_of(year, of_year) for of_year in sorted(chance.sample(range(365), len(order)))]
        if year - 1 in employed:
            cuts[0] = date(year, 1, 1)
        for employer, cut, until in zip(order, cuts, [*cuts[1:], None], strict=True):
            begin = cut
            if stays and stays[-1][2] is None and stays[-1][0] == employer:
                begin = stays.pop()[1]
            elif stays and stays[-1][2] is None:
                stays.append((*stays.pop()[:2], begin))
            stays.append((employer, begin, until))
        before = order[-1]
        if year + 1 not in employed and year < last_year:
            employer, begin, _ = stays.pop()
            ending = chance.randint(max(begin, cuts[-1]).toordinal(), day_of(year, 364).toordinal())
            stays.append((employer, begin, date.fromordinal(ending + 1)))
            before = None
    return [spell_of(stay, chance) for stay in stays]


def spell_of(stay: tuple[int, date, date | None], chance: random.Random) -> Spell:
    """An employment up to the day before `until`, which a gap may have delayed."""
    employer, begin, until = stay
    delay = gap(chance)
    if until is not None:
        delay = min(delay, (until - begin).days // 3)
    return Spell(employer, begin + timedelta(days=delay), until and until - timedelta(days=1))


def day_of(year: int, number: int) -> date:
    return date(year, 1, 1) + timedelta(days=number)


def in_order(
    employed: Mapping[int, set[int]], year: int, before: int | None, chance: random.Random
) -> list[int]:
    """The employers of a year, each once, in the order in which they can have followed."""
    left = sorted(employed[year])
    chance.shuffle(left)
    first = [before] if before in left else []
    left = [one for one in left if one not in first]
    after = [one for one in left if one in employed.get(year + 1, ())]
    return [*first, *(one for one in left if one not in after[:1]), *after[:1]]


def gap(chance: random.Random) -> int:
    shares = [share for share, _, _ in GAPS]
    _, least, most = chance.choices(GAPS, shares)[0]
    return chance.randint(least, most)


def add_roles(spells: Sequence[Spell], until: date, chance: random.Random) -> None:
    """Titles of a career: a function and a rung of the ladder, rising now and then."""
    function, level = chance.choice(FUNCTIONS), chance.randrange(4)
    for number, spell in enumerate(spells):
        if number and chance.random() < CHANGES_FUNCTION:
            function = chance.choice(FUNCTIONS)
        if number and chance.random() < RISES_ON_MOVING:
            level = min(level + 1, len(LADDER) - 1)
        begin, end = spell.start, spell.end or until
        while True:
            stays = timedelta(days=round(365 * chance.expovariate(RISES_PER_YEAR)) + 60)
            title = LADDER[level][spell.employer % 3].format(f=function)
            if begin + stays >= end or level == len(LADDER) - 1:
                spell.roles.append(Role(title, begin, spell.end))
                break
            spell.roles.append(Role(title, begin, begin + stays))
            begin, level = begin + stays + timedelta(days=1), level + 1


def domain(number: int, name: str) -> str:
    words = re.findall(r"[a-z]+", name.lower().replace("'", ""))
    return f"{''.join(words[:2]) or 'firm'}{number}.example"


def add_points(people: Sequence[Person], domains: Mapping[int, str], chance: random.Random) -> None:
    """A page, a private address, a number, and a mailbox at each employer, given out in time."""
    weights = [1 / rank for rank in range(1, len(CITIES) + 1)]
    formats = {employer: chance.choice(MAIL_FORMATS) for employer in sorted(domains)}
    for number, person in enumerate(people):
        name = f"{letters(person.first)}{letters(person.last)}"
        ending = f"{chance.randrange(16**6):06x}"
        person.slug = f"{letters(person.first)}-{letters(person.last)}-{ending}"
        person.mail = f"{name}{number}@gmail.com"
        person.mobile = f"+1206{2_000_000 + number * 97}"
        city = ""
        for spell in person.spells:
            if not city or chance.random() < CHANGES_CITY:
                city = chance.choices(CITIES, weights)[0]
            spell.city = city
    held: dict[str, tuple[str, date | None]] = {}
    spells = sorted(
        ((spell, person) for person in people for spell in person.spells),
        key=lambda pair: (pair[0].start, pair[1].id),
    )
    for spell, person in spells:
        parts = {"first": letters(person.first), "last": letters(person.last),
                 "initial": letters(person.first)[:1]}  # fmt: skip
        local = formats[spell.employer].format(**parts)
        number = 1
        while True:
            address = f"{local}{number if number > 1 else ''}@{domains[spell.employer]}"
            holder, until = held.get(address, (person.id, None))
            gone = until is not None and until < spell.start
            if holder == person.id or (gone and chance.random() < REUSES_ADDRESSES):
                break
            number += 1
        held[address] = (person.id, spell.end)
        spell.address = address


def letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
