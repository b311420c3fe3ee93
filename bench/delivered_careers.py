"""A vendor's delivery of simulated careers, in the shape of People Data Labs' records."""

from __future__ import annotations

import random
from datetime import date, timedelta

from recorded_careers import (
    SAID_OF_A_NEW_NAME,
    VENDOR,
    VERIFIED,
    Delivery,
    NewName,
    Row,
    World,
    alike,
)
from simulated_careers import Person, Role, Spell

Job = tuple[int, Row]


def deliver(world: World, day: date) -> Delivery:
    """Profiles of everybody who had a job by that day, but for those whom the vendor lacks."""
    profiles: list[Row] = []
    owners: dict[str, str] = {}
    listed: dict[str, list[tuple[int, bool]]] = {}
    for person in world.population.people.values():
        chance = world.chance("profile", day, person.id)
        if person.spells[0].start > day or world.errs("absent", chance):
            continue
        copies = 2 if world.errs("duplicate", chance) else 1
        for copy in range(copies):
            latest = day - timedelta(days=copy * chance.randint(365, 1095))
            name = f"{person.id}-{copy}"
            row, jobs = profile(world, person, latest, chance)
            profiles.append({"id": name, **row})
            owners[name] = person.id
            listed[name] = [(employer, job["end_date"] is None) for employer, job in jobs]
    return Delivery(day, profiles, owners, listed)


def profile(
    world: World, person: Person, latest: date, chance: random.Random
) -> tuple[Row, list[Job]]:
    """One record, and its jobs with their true employers."""
    verified = verified_on(latest, chance)
    known = verified or latest - timedelta(days=chance.randrange(1095))
    if world.errs("lagging", chance):
        known -= timedelta(days=chance.randrange(365))
    jobs = experience(world, person, known, chance)
    if world.errs("conflated", chance):
        jobs += experience(world, alike(world, person, chance), known, chance)
    named = world.population.collected.name(person.id, known.year) or (None, None, None)
    first, last = named[0] or person.first, named[2] or person.last
    if world.errs("other_last_name", chance):
        last = chance.choice(sorted(world.same_last))
    middle = f" {person.middle}" if person.middle and chance.random() < 0.3 else ""
    page = alike(world, person, chance) if world.errs("wrong_page", chance) else person
    row = {
        "first_name": first.lower(),
        "last_name": last.lower(),
        "full_name": f"{first}{middle} {last}".lower(),
        "linkedin_url": f"linkedin.com/in/{page.slug}"
        if chance.random() < VENDOR["page"] else None,
        "personal_emails": [reached(world, person, chance).mail]
        if chance.random() < VENDOR["private_mail"] else [],
        "emails": [{"address": world.address(spell)} for spell in person.spells
                   if spell.start <= known and chance.random() < VENDOR["work_mail"]],
        "mobile_phone": reached(world, person, chance).mobile
        if chance.random() < VENDOR["mobile"] else None,
        "location_locality": city_on(person, known) if chance.random() < VENDOR["city"] else None,
        "location_country": "united states",
        "job_last_verified": verified and verified.isoformat(),
        "experience": [job for _, job in jobs],
    }  # fmt: skip
    return row, jobs


def city_on(person: Person, day: date) -> str:
    """Where somebody lives: where the job of that day is, or the last one before."""
    spells = [spell for spell in person.spells if spell.start <= day] or person.spells[:1]
    return spells[-1].city.lower()


def verified_on(latest: date, chance: random.Random) -> date | None:
    drawn = chance.random()
    for share, least, most in VERIFIED:
        if drawn < share:
            return latest - timedelta(days=chance.randint(least, most))
        drawn -= share
    return None


def reached(world: World, person: Person, chance: random.Random) -> Person:
    wrong = world.errs("wrong_point", chance)
    return alike(world, person, chance) if wrong else person


def experience(world: World, person: Person, known: date, chance: random.Random) -> list[Job]:
    spells = [spell for spell in person.spells if spell.start <= known]
    _, beside = world.beside.get(person.id, (True, None))
    if beside and beside.start <= known:
        spells.append(beside)
    jobs: list[Job] = []
    for spell in spells:
        if world.errs("job_missing", chance):
            continue
        roles = [role for role in spell.roles if role.start <= known]
        if chance.random() < VENDOR["one_title"]:
            roles = [Role(roles[-1].title, spell.start, spell.end)]
        if world.errs("no_end", chance):
            roles[-1] = Role(roles[-1].title, roles[-1].start, None)
        for role in roles:
            listed = entries(world, spell, role, known, chance)
            jobs += [(spell.employer, job) for job in listed]
    chance.shuffle(jobs)
    return jobs


def entries(
    world: World, spell: Spell, role: Role, known: date, chance: random.Random
) -> list[Row]:
    """A role as it is listed: once, or twice where the employer took another name meanwhile."""
    old = company(world, spell.employer, chance)
    until = role.end if role.end and role.end <= known else None
    new = world.new_names.get(spell.employer)
    if new is None or new.day > known or (spell.end and spell.end < new.day):
        return [entry(world, old, role.title, role.start, until, known, chance)]
    renamed = company(world, spell.employer, chance, new)
    ways, shares = zip(*SAID_OF_A_NEW_NAME, strict=True)
    way = world.chance("way", spell.address, new.day).choices(ways, shares)[0]
    if spell.start >= new.day:
        way = "all_new"
    is_old = way == "all_old" or (way == "split" and until is not None and until < new.day)
    if is_old or way == "all_new" or role.start >= new.day:
        one = old if is_old else renamed
        return [entry(world, one, role.title, role.start, until, known, chance)]
    turn = new.day + timedelta(days=chance.randint(-60, 60))
    title = role.title if chance.random() < 0.85 else f"{role.title} II"
    return [
        entry(world, old, role.title, role.start, turn, known, chance),
        entry(world, renamed, title, turn, until, known, chance),
    ]


def company(world: World, employer: int, chance: random.Random, new: NewName | None = None) -> Row:
    name = new.name if new else world.population.employers[employer]
    site = new.domain if new else world.population.domains[employer]
    key = new.id if new else f"company-{employer}"
    if new is None and world.errs("spelt_otherwise", chance):
        name = chance.choice(world.ways_to_spell[employer])
    if world.errs("wrong_domain", chance):
        site = chance.choice(sorted(world.population.domains.values()))
    return {
        "name": world.spelt(employer, name).lower(),
        "website": None if world.errs("no_domain", chance) else site,
        "id": None if world.errs("no_id", chance) else key,
    }


def entry(
    world: World,
    company: Row,
    title: str,
    start: date,
    end: date | None,
    known: date,
    chance: random.Random,
) -> Row:
    if end is None and world.errs("ended_wrongly", chance):
        end = max(start, known - timedelta(days=chance.randrange(200)))
    no_start = world.errs("no_start", chance)
    return {
        "company": company,
        "title": {"name": title.lower()},
        "start_date": None if no_start else dated(world, start, known, chance),
        "end_date": dated(world, end, known, chance) if end else None,
    }


def dated(world: World, day: date, known: date, chance: random.Random) -> str:
    """The day as a vendor has it: mostly the month, sometimes another one."""
    if world.errs("date_off", chance):
        day = min(known, day + timedelta(days=chance.randint(-92, 92)))
    if world.errs("year_off", chance):
        day = min(known, day + timedelta(days=chance.choice((-365, 365))))
    return day.isoformat()[: 4 if world.errs("year_only", chance) else 7]
