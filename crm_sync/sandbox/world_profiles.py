"""The vendor's file: profiles in the shape that People Data Labs gives to a person.

Of the contacts' people as far as the vendor sees them, and of strangers: namesakes, namesakes who
have left the same employer, and people to whom the vendor has pinned a contact's e-mail address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from crm_sync.model import JobChangeKind
from crm_sync.sandbox.world_companies import Organisation
from crm_sync.sandbox.world_contacts import mobile_of
from crm_sync.sandbox.world_names import Country, nickname, unaccented
from crm_sync.sandbox.world_people import (
    Career,
    Job,
    Person,
    Setting,
    career,
    contact_person,
    personal_email,
    renamed,
    stranger,
    work_email,
)
from crm_sync.sandbox.world_places import COUNTRY_NAMES, international
from crm_sync.sandbox.world_random import Draw, Purpose, pick, spread, stream
from crm_sync.sandbox.world_titles import spellings, titled
from crm_sync.sandbox.world_vendor import Entry, Sighting, entries, fresh, sight

Profile = dict[str, Any]

STRANGERS = 0.3
"""How many strangers there are for each contact."""

_NAMESAKE, _FORMER_COLLEAGUE, _RECYCLED = 0.28, 0.33, 0.42  # cumulative, among strangers
_OLD_EMAIL = 0.35  # how often the vendor still has the work address from before a move
_STRANGER_STREAMS = 1 << 32


def all_profiles(setting: Setting) -> Iterator[Profile]:
    """Every profile: those of the contacts' people in order, with the strangers in between."""
    strangers = 0
    for index in range(setting.contacts):
        profile = contact_profile(setting, index)
        if profile is not None:
            yield profile
        while strangers < int((index + 1) * STRANGERS):
            yield stranger_profile(setting, strangers)
            strangers += 1


def contact_profile(setting: Setting, index: int) -> Profile | None:
    """The vendor's profile of contact number `index`, None where it has none."""
    person = contact_person(setting, index)
    lived = career(setting, person)
    draw = stream(setting.seed, Purpose.VENDOR, index).random
    sighting = sight(setting, person, lived, draw)
    return None if sighting is None else _render(setting, person, lived, sighting, draw)


def stranger_profile(setting: Setting, index: int) -> Profile:
    """The profile of stranger number `index`, some of whom resemble a contact."""
    person = stranger(setting, index)
    lived = career(setting, person)
    draw = stream(setting.seed, Purpose.VENDOR, _STRANGER_STREAMS + index).random
    kind = draw()
    target = contact_person(setting, int(draw() * setting.contacts))
    email = ""
    if kind < _FORMER_COLLEAGUE:
        person = renamed(person, target.name)
    elif kind < _RECYCLED:
        email = work_email(setting, target, target.job.organisation)
        if draw() < 0.3:
            person = renamed(person, target.name)
    if _NAMESAKE <= kind < _RECYCLED and draw() < 0.6:
        lived = _who_left(setting, person, target.job.organisation, draw)
    sighting = fresh(setting, lived, draw())
    profile = _render(setting, person, lived, sighting, draw)
    return {**profile, "work_email": email} if email else profile


def _who_left(setting: Setting, person: Person, former: Organisation, draw: Draw) -> Career:
    """The career of somebody who has left `former` for their own employer since `start`."""
    since = spread(draw(), setting.start + 1, setting.later)
    before = Job(former, person.job.role, since - spread(draw(), 300, 2000), since)
    return Career((replace(person.job, started=since), before), JobChangeKind.MOVED, since)


def _render(
    setting: Setting, person: Person, lived: Career, sighting: Sighting, draw: Draw
) -> Profile:
    shown = entries(setting, person, lived, sighting, draw)
    experience = [_experience(person, entry, draw) for entry in shown]
    primary = _primary(shown, draw())
    if primary is not None:
        experience[primary]["is_primary"] = True
    main: Profile = experience[primary] if primary is not None else _NO_JOB
    employer = shown[primary].job.organisation if primary is not None else person.job.organisation
    if lived.kind is JobChangeKind.MOVED and draw() < _OLD_EMAIL:
        employer = person.job.organisation
    first, last, full = _names(person, draw)
    return {
        "id": person.profile_id,
        "full_name": full,
        "first_name": first,
        "last_name": last,
        "linkedin_url": f"linkedin.com/in/{person.handle}" if draw() < 0.85 else None,
        "work_email": work_email(setting, person, employer) if draw() < 0.55 else None,
        "personal_emails": [personal_email(person)] if draw() < 0.4 else [],
        "mobile_phone": _mobile(person) if draw() < 0.22 else None,
        "location_locality": person.place.city.lower() if draw() < 0.8 else None,
        "location_country": COUNTRY_NAMES[person.country].lower(),
        "job_title": main["title"]["name"],
        "job_company_name": main["company"]["name"],
        "job_company_website": main["company"]["website"],
        "job_start_date": main["start_date"],
        "job_last_verified": (
            date.fromordinal(sighting.seen).isoformat() if draw() < 0.96 else None
        ),
        "experience": experience,
    }


_NO_JOB: Profile = {
    "title": {"name": None},
    "company": {"name": None, "website": None},
    "start_date": None,
}


def _primary(shown: list[Entry], number: float) -> int | None:
    """Which current job the vendor holds for the main one: the newest, or one time in ten another
    that is current too. None when no job is current.
    """
    current = [at for at, entry in enumerate(shown) if entry.job.ended is None]
    if not current:
        return None
    main = [at for at in current if shown[at].main]
    others = [at for at in current if at != main[0]]
    return pick(others, number * 10) if others and number < 0.1 else main[0]


def _experience(person: Person, entry: Entry, draw: Draw) -> Profile:
    job = entry.job
    name, website = _company(job.organisation, draw)
    start, end = _dates(job, draw())
    return {
        "company": {"name": name, "website": website},
        "title": {"name": entry.side_title.lower() or _title(person, job, draw)},
        "start_date": start,
        "end_date": end,
        "is_primary": False,
    }


def _company(organisation: Organisation, draw: Draw) -> tuple[str, str | None]:
    """The employer's name and website: mostly plain, now and then written otherwise."""
    form = draw()
    if form < 0.88:
        name = organisation.base if form < 0.68 else organisation.name
        return name.lower(), organisation.domain if draw() < 0.88 else None
    if form < 0.9:
        return organisation.family.lower(), None
    otherwise = pick(_OTHERWISE[organisation.place.country], draw())
    return otherwise.format(organisation.base.lower()), None


_OTHERWISE: dict[Country, tuple[str, ...]] = {
    "FR": ("{} sas", "{} (sas)", "groupe {}", "{} group", "{} s.a.s."),
    "US": ("{} inc", "{}, inc.", "{} group", "{} corp.", "{} l.l.c."),
}


def _title(person: Person, job: Job, draw: Draw) -> str:
    """The title as the person writes it, which some French people do in English."""
    language = "US" if person.country == "FR" and draw() < 0.06 else person.country
    written = spellings(job.role, language, person.name.gender)
    title = written[0] if draw() < 0.5 else pick(written, draw())
    return titled(title, job.portfolio).lower()


def _dates(job: Job, number: float) -> tuple[str | None, str | None]:
    """First and last day, as exactly as the vendor knows them: to the day, the month or the year.

    The year alone occurs with jobs that have ended; the start may be missing altogether.
    """
    start = date.fromordinal(job.started).isoformat()
    end = date.fromordinal(job.ended).isoformat() if job.ended is not None else None
    if number < 0.3:
        return start[:7], end and end[:7]
    if number < 0.36 and end:
        return start[:4], end[:4]
    return (None if number >= 0.94 else start), end


def _names(person: Person, draw: Draw) -> tuple[str, str, str]:
    """First name and surname in lower case, and the full name, often as the person writes it."""
    first, last = person.name.first, person.name.last
    if draw() < 0.03:
        first = nickname(first)
    if draw() < 0.15:
        first, last = unaccented(first), unaccented(last)
    full = f"{first} {last}"
    return first.lower(), last.lower(), full if draw() < 0.5 else full.lower()


def _mobile(person: Person) -> str:
    return international(person.country, mobile_of(person))
