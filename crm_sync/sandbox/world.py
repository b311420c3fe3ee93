"""A synthetic French and American business world with known truth, for demos, tests and benchmarks.

`World` shows it from three sides: the CRM as a team had it at `start`, a vendor's profiles as of
`later`, and what really happened in between. Everything follows from the seed, in any process.
Names of companies are invented, addresses stand under `.example`, telephone numbers in ranges set
aside for fiction. Contacts, profiles and truth are streams: memory grows with the number of
companies only.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TextIO

from crm_sync.errors import UsageError
from crm_sync.model import JobChangeKind
from crm_sync.sandbox.world_companies import (
    WorldAccount,
    WorldColleague,
    account_of,
    found_economy,
    hire_colleagues,
)
from crm_sync.sandbox.world_contacts import WorldContact, contact_id, type_contact
from crm_sync.sandbox.world_people import Setting, career, contact_person
from crm_sync.sandbox.world_profiles import Profile, all_profiles
from crm_sync.sandbox.world_random import Purpose, stream
from crm_sync.sandbox.world_titles import spellings, titled
from crm_sync.sandbox.world_vendor import sight

__all__ = [
    "MAX_CONTACTS",
    "World",
    "WorldAccount",
    "WorldColleague",
    "WorldContact",
    "WorldTruth",
]

MAX_CONTACTS = 5_000_000
"""More than this many contacts would need more invented company names than there are."""


@dataclass(frozen=True, slots=True)
class WorldTruth:
    """What is really the case at `later` for one contact.

    `new_title` (in its full form) and `new_organisation` (as the CRM spells it, where it has it)
    are the present ones, both empty for those who left. `since` is when that employment began, or
    when the last one ended. `profile_id` is the person's own profile, None where the vendor has
    none. `findable`: that profile shows what is the case, so that a detector can know it.
    """

    contact_id: str
    kind: JobChangeKind
    new_title: str
    new_organisation: str
    since: date
    profile_id: str | None
    findable: bool


class World:
    """A world of its seed. Equal arguments give equal worlds, on every machine.

    Raises `ValueError` when there is no contact or more than MAX_CONTACTS, or when `later` is not
    after `start`.
    """

    def __init__(
        self,
        seed: int = 1,
        contacts: int = 2000,
        start: date = date(2025, 6, 1),
        later: date = date(2026, 6, 1),
    ) -> None:
        if not 1 <= contacts <= MAX_CONTACTS:
            raise ValueError(f"a world has 1 to {MAX_CONTACTS:,} contacts, not {contacts:,}")
        if later <= start:
            raise ValueError(f"`later` ({later}) must come after `start` ({start})")
        self.seed = seed
        self.contact_count = contacts
        self.start = start
        self.later = later

    def __repr__(self) -> str:
        return (
            f"World(seed={self.seed}, contacts={self.contact_count}, "
            f"start={self.start}, later={self.later})"
        )

    def accounts(self) -> Sequence[WorldAccount]:
        """The CRM's accounts: about one for every twelve contacts, at least three."""
        return self._accounts

    def colleagues(self) -> Sequence[WorldColleague]:
        """The users of the CRM: one for every hundred contacts, at least twelve, two inactive."""
        return self._colleagues

    def contacts(self) -> Iterator[WorldContact]:
        """The CRM's contacts at `start`, in the order of their ids."""
        for index in range(self.contact_count):
            yield type_contact(self._setting, self._colleagues, index)

    def profiles(self) -> Iterator[Profile]:
        """The vendor's profiles as of `later`, as JSON values in People Data Labs' shape."""
        return all_profiles(self._setting)

    def truth(self) -> Iterator[WorldTruth]:
        """What became of each contact, in the order of `contacts()`."""
        for index in range(self.contact_count):
            yield self._truth_of(index)

    def write_profiles(self, path: Path) -> int:
        """Write the profiles as JSON lines; returns their number.

        Raises `UsageError` when the file cannot be written.
        """
        written = 0
        with _writing(path) as stream_out:
            for written, profile in enumerate(self.profiles(), start=1):  # noqa: B007
                stream_out.write(json.dumps(profile, ensure_ascii=False) + "\n")
        return written

    def write_truth_csv(self, path: Path) -> int:
        """Write the truth as CSV with a heading line; returns the number of contacts.

        Columns are the fields of `WorldTruth`; `findable` is `true` or `false`, None is empty.

        Raises `UsageError` when the file cannot be written.
        """
        with _writing(path) as stream_out:
            table = csv.writer(stream_out, lineterminator="\n")
            table.writerow(field.name for field in fields(WorldTruth))
            table.writerows(_row(truth) for truth in self.truth())
        return self.contact_count

    def _truth_of(self, index: int) -> WorldTruth:
        person = contact_person(self._setting, index)
        lived = career(self._setting, person)
        draw = stream(self.seed, Purpose.VENDOR, index).random
        sighting = sight(self._setting, person, lived, draw)
        gone = lived.kind is JobChangeKind.LEFT
        job = lived.jobs[0]
        title = spellings(job.role, person.country, person.name.gender)[0]
        return WorldTruth(
            contact_id=contact_id(index),
            kind=lived.kind,
            new_title="" if gone else titled(title, job.portfolio),
            new_organisation="" if gone else job.organisation.name,
            since=date.fromordinal(lived.since),
            profile_id=person.profile_id if sighting else None,
            findable=sighting is not None and sighting.faithful,
        )

    @cached_property
    def _setting(self) -> Setting:
        return Setting(
            seed=self.seed,
            contacts=self.contact_count,
            start=self.start.toordinal(),
            later=self.later.toordinal(),
            economy=found_economy(self.seed, self.contact_count),
        )

    @cached_property
    def _colleagues(self) -> tuple[WorldColleague, ...]:
        return hire_colleagues(self.seed, self.contact_count)

    @cached_property
    def _accounts(self) -> tuple[WorldAccount, ...]:
        economy = self._setting.economy
        return tuple(
            account_of(self.seed, organisation, self._colleagues)
            for organisation in economy.organisations[: economy.accounts]
        )


def _row(truth: WorldTruth) -> tuple[str, ...]:
    return (
        truth.contact_id,
        truth.kind,
        truth.new_title,
        truth.new_organisation,
        truth.since.isoformat(),
        truth.profile_id or "",
        "true" if truth.findable else "false",
    )


@contextmanager
def _writing(path: Path) -> Iterator[TextIO]:
    """The file, opened for UTF-8 text; what the system refuses becomes a `UsageError`."""
    try:
        with path.open("w", encoding="utf-8", newline="") as opened:
            yield opened
    except OSError as problem:
        raise UsageError(
            f"cannot be written: {problem.strerror}",
            place=str(path),
            fix="Name a file in an existing folder that you may write to.",
        ) from None
