"""Contacts as a team types them into its CRM: the truth at `start`, with people's usual noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from crm_sync.sandbox.world_companies import Organisation, WorldColleague, any_owner, owner_of
from crm_sync.sandbox.world_names import nickname, unaccented
from crm_sync.sandbox.world_people import (
    Person,
    Setting,
    contact_person,
    personal_email,
    work_email,
)
from crm_sync.sandbox.world_places import (
    as_typed,
    country_as_typed,
    mobile_digits,
    phone_digits,
    postal_code,
    street,
)
from crm_sync.sandbox.world_random import Draw, Purpose, pick, scatter32, spread, stream
from crm_sync.sandbox.world_titles import spellings, titled

WITH_LINKEDIN = 0.55
WITH_WORK_EMAIL = 0.75
WITH_PERSONAL_EMAIL = 0.07  # instead of a work address


@dataclass(frozen=True, slots=True)
class WorldContact:
    """A row of the CRM; text that nobody typed is empty. Times are aware UTC."""

    id: str
    first_name: str
    last_name: str
    title: str
    account_id: str
    owner_id: str
    email: str
    phone: str
    mobile: str
    linkedin_url: str
    street: str
    city: str
    postal_code: str
    country: str
    created_at: datetime
    modified_at: datetime
    last_activity: date | None


def contact_id(index: int) -> str:
    """The id of contact number `index`, which counts from 0."""
    return f"c{index + 1:07d}"


def type_contact(
    setting: Setting, colleagues: Sequence[WorldColleague], index: int
) -> WorldContact:
    """Contact number `index` as it stands in the CRM at `start`."""
    person = contact_person(setting, index)
    draw = stream(setting.seed, Purpose.TYPING, index).random
    organisation = person.job.organisation
    first, last = _names(person, draw)
    country = person.country
    has_street = draw() < 0.6
    modified = spread(draw(), person.recorded, setting.start - 1)
    return WorldContact(
        id=contact_id(index),
        first_name=first,
        last_name=last,
        title=_title(person, draw),
        account_id=organisation.account_id,
        owner_id=_owner(setting, organisation, colleagues, draw),
        email=_email(setting, person, draw),
        phone=_phone(person, draw),
        mobile=_mobile(person, draw),
        linkedin_url=_linkedin(person, draw),
        street=street(country, draw) if has_street else "",
        city=person.place.city if has_street or draw() < 0.7 else "",
        postal_code=postal_code(person.place, draw()) if has_street else "",
        country=country_as_typed(country, draw()),
        created_at=_moment(person.recorded, draw() / 2),
        modified_at=_moment(modified, 0.5 + draw() / 2),
        last_activity=_last_activity(setting, person, draw),
    )


def mobile_of(person: Person) -> str:
    """The digits of the person's mobile telephone, without the country's prefix."""
    return mobile_digits(person.place, scatter32(person.index, 2) / 2**32)


def mistyped(word: str, number: float) -> str:
    """The word with two neighbouring letters exchanged, somewhere after its first letter."""
    if len(word) < 4:
        return word
    at = spread(number, 1, len(word) - 3)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _names(person: Person, draw: Draw) -> tuple[str, str]:
    first, last = person.name.first, person.name.last
    if draw() < 0.05:
        first = nickname(first)
    if draw() < 0.12:
        first, last = unaccented(first), unaccented(last)
    if draw() < 0.012:
        last = mistyped(last, draw())
    case = draw()
    if case < (0.12 if person.country == "FR" else 0.02):
        last = last.upper()
    elif case > 0.99:
        first, last = first.lower(), last.lower()
    return first, last


def _title(person: Person, draw: Draw) -> str:
    if draw() < 0.05:
        return ""
    written = spellings(person.job.role, person.country, person.name.gender)
    title = written[0] if draw() < 0.4 else pick(written, draw())
    chance = draw()
    if chance < 0.012:
        title = mistyped(title, draw())
    elif chance < 0.03:
        title = title.upper()
    elif chance < 0.06:
        title = title.lower()
    return titled(title, person.job.portfolio)


def _owner(
    setting: Setting, organisation: Organisation, colleagues: Sequence[WorldColleague], draw: Draw
) -> str:
    """The account's owner mostly, else another colleague of the same language."""
    if draw() < 0.85:
        return owner_of(setting.seed, organisation, colleagues)
    return any_owner(organisation, colleagues, 0.0, draw())


def _email(setting: Setting, person: Person, draw: Draw) -> str:
    chance = draw()
    if chance < WITH_WORK_EMAIL:
        return work_email(setting, person, person.job.organisation)
    return personal_email(person) if chance < WITH_WORK_EMAIL + WITH_PERSONAL_EMAIL else ""


def _phone(person: Person, draw: Draw) -> str:
    """The switchboard of the employer, shared by those who work there."""
    if draw() >= 0.6:
        return ""
    organisation = person.job.organisation
    digits = phone_digits(organisation.place, scatter32(organisation.index, 3) / 2**32)
    return as_typed(organisation.place.country, digits, draw())


def _mobile(person: Person, draw: Draw) -> str:
    if draw() >= 0.35:
        return ""
    return as_typed(person.country, mobile_of(person), draw())


def _linkedin(person: Person, draw: Draw) -> str:
    if draw() >= WITH_LINKEDIN:
        return ""
    form = draw()
    if form < 0.8:
        return f"https://www.linkedin.com/in/{person.handle}"
    if form < 0.9:
        return f"https://www.linkedin.com/in/{person.handle}/"
    if form < 0.95 and person.country == "FR":
        return f"https://fr.linkedin.com/in/{person.handle}"
    return f"linkedin.com/in/{person.handle}"


def _last_activity(setting: Setting, person: Person, draw: Draw) -> date | None:
    if draw() >= 0.7:
        return None
    backwards = draw() ** 2 * (setting.start - person.recorded)
    return date.fromordinal(setting.start - 1 - int(backwards))


def _moment(day: int, fraction: float) -> datetime:
    """A moment of a working day; `fraction` in [0, 1) runs from eight in the morning to six."""
    found = date.fromordinal(day)
    minutes = 8 * 60 + int(fraction * 600)
    return datetime(found.year, found.month, found.day, *divmod(minutes, 60), tzinfo=UTC)
