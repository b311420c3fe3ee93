"""What an enrichment vendor sees of a person, and how late: a sighting shows a career as of a day.

Most sightings are fresh. Some date from before the team made its record, some from before the
change that they miss, and some leave a job open that has ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from crm_sync.model import JobChangeKind
from crm_sync.sandbox.world_people import Career, Job, Person, Setting, elsewhere
from crm_sync.sandbox.world_random import Draw, spread
from crm_sync.sandbox.world_titles import sideways

COVERED = 0.85
"""The share of contacts of whom the vendor has a profile."""

_BEHIND, _UNNOTICED, _LEFT_OPEN = 0.05, 0.12, 0.03
_FRESHNESS = 300  # days before `later` within which most people were last seen


@dataclass(frozen=True, slots=True)
class Sighting:
    """When the vendor last saw the person, as an ordinal.

    `faithful` when it shows what is the case at `later`. `left_open`: it shows the job that a move
    has ended as if it still lasted.
    """

    seen: int
    faithful: bool
    left_open: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of experience as the vendor has it; `side_title` for a seat beside one's job."""

    job: Job
    side_title: str = ""
    main: bool = True


def sight(setting: Setting, person: Person, career: Career, draw: Draw) -> Sighting | None:
    """How the vendor sees a contact's person, None when it does not; takes three numbers."""
    covered, chance, when = draw(), draw(), draw()
    if covered >= COVERED:
        return None
    if chance < _BEHIND:
        low = max(career.jobs[-1].started, person.recorded - 500)
        return Sighting(spread(when, low, person.recorded - 1), faithful=False)
    event = _first_event(setting, career)
    if event and chance < _BEHIND + _UNNOTICED:
        low = max(person.recorded, setting.start - 150)
        return Sighting(spread(when, low, event - 1), faithful=False)
    open_job = career.kind is JobChangeKind.MOVED and chance >= 1 - _LEFT_OPEN
    return replace(fresh(setting, career, when), faithful=not open_job, left_open=open_job)


def fresh(setting: Setting, career: Career, number: float) -> Sighting:
    """A sighting from after all that happened, at `number` in [0, 1)."""
    low = max(setting.start, setting.later - _FRESHNESS)
    if career.kind is not JobChangeKind.UNCHANGED:
        low = max(low, career.since)
    return Sighting(spread(number, low, setting.later), faithful=True)


def entries(
    setting: Setting, person: Person, career: Career, sighting: Sighting, draw: Draw
) -> list[Entry]:
    """The experience that a sighting shows, newest first, with what stands beside the main job."""
    shown = [
        Entry(_as_of(person, job, sighting)) for job in career.jobs if job.started <= sighting.seen
    ]
    current = next((entry.job for entry in shown if entry.job.ended is None), None)
    if current is not None and career.kind is not JobChangeKind.LEFT:
        shown += _beside(setting, person, current, sighting, draw)
        shown.sort(key=lambda entry: -entry.job.started)
    return shown


def _first_event(setting: Setting, career: Career) -> int:
    """The day on which the job at `start` ended; 0 when it has not."""
    if career.kind is JobChangeKind.UNCHANGED:
        return 0
    return min(job.ended for job in career.jobs if job.ended and job.ended > setting.start)


def _as_of(person: Person, job: Job, sighting: Sighting) -> Job:
    """The job as of the sighting: what ended later had not ended yet."""
    if job.ended is None:
        return job
    left_open = sighting.left_open and job.started == person.job.started
    return replace(job, ended=None) if left_open or job.ended > sighting.seen else job


def _beside(
    setting: Setting, person: Person, current: Job, sighting: Sighting, draw: Draw
) -> list[Entry]:
    """Seats on boards, a second role at the same employer, or a job that begins in the future."""
    chance = draw()
    if chance >= 0.062:
        return []
    country = person.country
    family = current.organisation.family
    if chance < 0.04:
        title = _seat(person, draw())
        started = spread(draw(), current.started - 700, sighting.seen)
        organisation = elsewhere(setting.economy, country, family, draw)
        return [Entry(Job(organisation, current.role, started), title, main=False)]
    if chance < 0.055:
        role = sideways(current.role, country, draw())
        started = spread(draw(), current.started, sighting.seen)
        return [Entry(Job(current.organisation, role, started), main=False)]
    begins = setting.later + spread(draw(), 1, 180)
    organisation = elsewhere(setting.economy, country, family, draw)
    return [Entry(Job(organisation, current.role, begins), main=False)]


def _seat(person: Person, number: float) -> str:
    if person.country == "US":
        return ("Board Member", "Advisor", "Advisory Board Member")[int(number * 3)]
    if person.name.gender == "f":
        return ("Administratrice", "Conseillère", "Membre du comité stratégique")[int(number * 3)]
    return ("Administrateur", "Conseiller", "Membre du comité stratégique")[int(number * 3)]
