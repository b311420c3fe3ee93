"""People of the synthetic world and their careers: what is the case, whoever types it.

Dates are proleptic ordinals (`date.toordinal`) in here, which add and compare quickly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

from crm_sync.model import JobChangeKind
from crm_sync.sandbox.world_companies import Economy, Organisation
from crm_sync.sandbox.world_names import Country, Name, draw_name, slug
from crm_sync.sandbox.world_places import Place, draw_place
from crm_sync.sandbox.world_random import Draw, Purpose, pick, scatter32, scatter64, spread, stream
from crm_sync.sandbox.world_titles import (
    CHIEF,
    DIRECTOR,
    FUNCTIONS,
    GENERAL,
    MANAGER,
    SENIOR,
    STAFF,
    VICE_PRESIDENT,
    Role,
    below,
    levels,
    portfolio,
    promoted,
    sideways,
)

MOVED, RETITLED, LEFT = 0.12, 0.07, 0.02
"""The shares of contacts to whom this happens between `start` and `later`."""

YEAR = 365
_LEVEL_MIX = (*[STAFF] * 4, *[SENIOR] * 4, *[MANAGER] * 6, *[DIRECTOR] * 5, VICE_PRESIDENT, CHIEF)
_STRANGERS = 1 << 31  # where the indexes of people who are not contacts begin
_LARGE = 12.0  # from this many contacts on, e-mail addresses of a company carry a number


@dataclass(frozen=True, slots=True)
class Setting:
    """What everybody in one world has in common; `start` and `later` are ordinals."""

    seed: int
    contacts: int
    start: int
    later: int
    economy: Economy


@dataclass(frozen=True, slots=True)
class Job:
    """A role at an organisation; `ended` is None while it lasts."""

    organisation: Organisation
    role: Role
    started: int
    ended: int | None = None
    portfolio: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody and the job that they have at `start`.

    `handle` is the last part of the LinkedIn address, unique in the world, as is `profile_id`.
    `recorded` is the day on which the team made its record of a contact.
    """

    index: int
    name: Name
    country: Country
    place: Place
    handle: str
    profile_id: str
    recorded: int
    job: Job


@dataclass(frozen=True, slots=True)
class Career:
    """All jobs at `later`, the newest first; what happened since `start`, and when.

    `since` is the start of the present job, or the end of the last one for those who left.
    """

    jobs: tuple[Job, ...]
    kind: JobChangeKind
    since: int


def contact_person(setting: Setting, index: int) -> Person:
    """The person behind contact number `index`."""
    draw = stream(setting.seed, Purpose.PERSON, index).random
    return _person(setting, index, setting.economy.account_at(draw()), draw)


def stranger(setting: Setting, index: int) -> Person:
    """Somebody whom the team does not know, employed anywhere, often outside the CRM."""
    draw = stream(setting.seed, Purpose.STRANGER, index).random
    return _person(setting, _STRANGERS + index, any_organisation(setting.economy, draw), draw)


def renamed(person: Person, name: Name) -> Person:
    """The same person under another name, with the address that goes with it."""
    token = person.handle.rpartition("-")[2]
    return replace(person, name=name, handle=_handle(name, token))


def any_organisation(economy: Economy, draw: Draw) -> Organisation:
    """An employer: of five, three are accounts of the CRM and two it does not know."""
    known = economy.accounts
    if draw() < 0.6:
        return economy.organisations[int(draw() * known)]
    return economy.organisations[known + int(draw() * (len(economy.organisations) - known))]


def elsewhere(economy: Economy, country: Country, family: str, draw: Draw) -> Organisation:
    """An employer outside the family; in the same country, as long as chance finds one there."""
    for _ in range(10):
        found = any_organisation(economy, draw)
        if found.family != family and found.place.country == country:
            return found
    return next(other for other in economy.organisations if other.family != family)


def career(setting: Setting, person: Person) -> Career:
    """What the person did before, and what became of them between `start` and `later`."""
    draw = stream(setting.seed, Purpose.CAREER, person.index).random
    fate = draw()
    since = spread(draw(), setting.start + 1, setting.later)
    earlier = _earlier(setting.economy, person, draw)
    job = person.job
    if fate < MOVED:
        ended = spread(draw(), max(setting.start + 1, since - 75), since)
        organisation = elsewhere(setting.economy, person.country, job.organisation.family, draw)
        new = Job(organisation, _role_elsewhere(job.role, person.country, draw), since)
        return Career((new, replace(job, ended=ended), *earlier), JobChangeKind.MOVED, since)
    if fate < MOVED + RETITLED:
        new = Job(job.organisation, _role_inside(job.role, person.country, draw), since)
        return Career((new, replace(job, ended=since), *earlier), JobChangeKind.RETITLED, since)
    if fate < MOVED + RETITLED + LEFT:
        return Career((replace(job, ended=since), *earlier), JobChangeKind.LEFT, since)
    return Career((job, *earlier), JobChangeKind.UNCHANGED, job.started)


def work_email(setting: Setting, person: Person, organisation: Organisation) -> str:
    """The address that the organisation gives the person; large ones number their people."""
    first, last = slug(person.name.first), slug(person.name.last)
    local = f"{first[0]}{last}" if organisation.index % 4 == 0 else f"{first}.{last}"
    if setting.economy.headcount(organisation, setting.contacts) > _LARGE:
        local += str(scatter32(person.index, 1) % 1000)
    return f"{local}@{organisation.domain}"


def personal_email(person: Person) -> str:
    """The person's private address, nobody else's."""
    provider = "courriel.example" if person.country == "FR" else "mailbox.example"
    return f"{slug(person.name.first)}.{person.handle.rpartition('-')[2]}@{provider}"


def _person(setting: Setting, index: int, organisation: Organisation, draw: Draw) -> Person:
    country = organisation.place.country
    if draw() < 0.04:
        country = "US" if country == "FR" else "FR"
    name = draw_name(country, draw)
    role = _role(country, draw)
    tenure = 30 + int(-log(1.0 - draw()) * 3.2 * YEAR)
    hired = setting.start - min(tenure, 25 * YEAR)
    at_home = draw() < 0.8 and organisation.place.country == country
    place = organisation.place if at_home else draw_place(country, draw())
    in_charge = MANAGER <= role.level <= VICE_PRESIDENT and draw() < 0.06
    return Person(
        index=index,
        name=name,
        country=country,
        place=place,
        handle=_handle(name, f"{scatter32(index, setting.seed):08x}"),
        profile_id=f"profile-{scatter64(index, setting.seed):016x}",
        recorded=spread(draw(), max(hired + 1, setting.start - 4 * YEAR), setting.start - 1),
        job=Job(
            organisation, role, hired, portfolio=portfolio(country, draw()) if in_charge else ""
        ),
    )


def _handle(name: Name, token: str) -> str:
    return f"{slug(name.first)}-{slug(name.last)}-{token}"


def _role(country: Country, draw: Draw) -> Role:
    level = pick(_LEVEL_MIX, draw())
    function = int(draw() * len(FUNCTIONS))
    if level not in levels(country, function) or (level == CHIEF and draw() < 0.4):
        return Role(GENERAL, CHIEF)
    return Role(function, level)


def _earlier(economy: Economy, person: Person, draw: Draw) -> tuple[Job, ...]:
    """The jobs before the one at `start`, newest first: at most three, without overlap."""
    jobs: list[Job] = []
    present = person.job.organisation
    organisation, role, ended = present, person.job.role, person.job.started
    for _ in range(spread(draw(), 0, min(3, 1 + role.level))):
        lower = below(role, person.country) if draw() < 0.8 else role
        if lower == role or organisation is not present or draw() < 0.7:
            organisation = elsewhere(economy, person.country, present.family, draw)
            ended -= spread(draw(), 0, 90)
        started = ended - spread(draw(), 300, 5 * YEAR)
        jobs.append(Job(organisation, lower, started, ended))
        role, ended = lower, started
    return tuple(jobs)


def _role_elsewhere(role: Role, country: Country, draw: Draw) -> Role:
    """People change employer for the same work, for more of it, and now and then for another."""
    chance = draw()
    if chance < 0.5:
        return role
    return promoted(role, country) if chance < 0.9 else sideways(role, country, draw())


def _role_inside(role: Role, country: Country, draw: Draw) -> Role:
    """Another role at the same employer: a promotion mostly, else another function."""
    if role.function == GENERAL or draw() < 0.2:
        return sideways(role, country, draw())
    return promoted(role, country)
