"""A synthetic world of some size, read once, and how its titles and names are understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from crm_sync.sandbox import world_titles as titles
from crm_sync.sandbox.world import World, WorldContact, WorldTruth
from crm_sync.sandbox.world_names import Country, Gender

LEGAL_FORMS = {"SAS", "SA", "SARL", "Inc", "Inc.", "LLC", "Corp", "Corp."}
KINDS: tuple[tuple[Country, Gender], ...] = (("FR", "f"), ("FR", "m"), ("US", "f"), ("US", "m"))

ROLES_BY_SPELLING: dict[str, set[titles.Role]] = {}
for _country, _gender in KINDS:
    for _function in range(titles.GENERAL + 1):
        for _level in titles.levels(_country, _function):
            _role = titles.Role(_function, _level)
            for _spelling in titles.spellings(_role, _country, _gender):
                ROLES_BY_SPELLING.setdefault(_spelling.casefold(), set()).add(_role)


def stem(organisation: str) -> str:
    """The invented word that a company's name is built on."""
    return next(word for word in organisation.replace(",", "").split() if word not in LEGAL_FORMS)


def role_of(title: str) -> titles.Role | None:
    found = ROLES_BY_SPELLING.get(re.sub(r" \(.*\)$", "", title).casefold())
    return min(found) if found else None


def at(entry: dict[str, Any], organisation: str) -> bool:
    return stem(organisation).casefold() in entry["company"]["name"]


def current(profile: dict[str, Any], later: date) -> list[dict[str, Any]]:
    return [
        entry
        for entry in profile["experience"]
        if entry["end_date"] is None and (entry["start_date"] or "") <= later.isoformat()
    ]


@dataclass(frozen=True)
class Sample:
    """One world and everything that it says."""

    world: World
    contacts: list[WorldContact]
    truths: list[WorldTruth]
    profiles: dict[str, dict[str, Any]]


@cache
def sample() -> Sample:
    """The world that most tests look at; made once in each process."""
    world = World(seed=3, contacts=6000)
    profiles = {profile["id"]: profile for profile in world.profiles()}
    return Sample(world, list(world.contacts()), list(world.truth()), profiles)
