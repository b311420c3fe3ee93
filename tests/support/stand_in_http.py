"""Vendors of people as an HTTP client meets them: Apollo, Coresignal and Enrich Layer, on loopback.

Each answers in its own shape about the same made-up people, and first with whatever replies a test
has put into `faults`: used up one by one, before anybody is looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.scripted_http import Asked, Reply, Scripted, reply, scripted

KEY = "stand-in-key-0123456789"


@dataclass(frozen=True)
class Job:
    """One employment; dates are `YYYY-MM`."""

    organisation: str
    title: str
    start: str
    end: str | None = None

    @property
    def domain(self) -> str:
        return f"{self.organisation.lower().replace(' ', '-')}.example"

    @property
    def company_id(self) -> str:
        return f"c-{self.organisation.lower().replace(' ', '-')}"


@dataclass(frozen=True)
class Person:
    """Somebody whom the vendor knows; `seen` is when it last looked (`YYYY-MM-DD`)."""

    slug: str
    first: str
    last: str
    jobs: Sequence[Job]
    email: str | None = None
    seen: str = "2026-06-20"
    gone: bool = False


@dataclass
class StandIn:
    """One vendor: what it knows, the replies that it gives instead, and what it was asked."""

    vendor: str
    people: Sequence[Person]
    script: Scripted
    faults: list[Reply] = field(default_factory=list)
    credits: int = 1000

    @property
    def url(self) -> str:
        return self.script.url

    @property
    def asked(self) -> list[Asked]:
        return self.script.asked

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Reply to the request that came last."""
        if self.faults:
            self.faults.pop(0)(handler)
            return
        asked = self.asked[-1]
        _VENDORS[self.vendor](self, asked)(handler)

    def by_slug(self, slug: str) -> Person | None:
        return next((one for one in self.people if one.slug == slug), None)


@contextmanager
def stand_in(vendor: str, people: Sequence[Person], *faults: Reply) -> Iterator[StandIn]:
    """A running vendor on loopback."""
    holder: list[StandIn] = []

    def current(handler: BaseHTTPRequestHandler) -> None:
        holder[0].answer(handler)

    with scripted(current) as script:
        holder.append(StandIn(vendor, people, script, list(faults)))
        yield holder[0]


def sent_values(asked: Sequence[Asked]) -> str:
    """Everything that left the house: addresses, headers and bodies, as one text."""
    parts = [f"{one.path} {dict(one.headers)} {one.body.decode()}" for one in asked]
    return unquote("\n".join(parts))


def _apollo(vendor: StandIn, asked: Asked) -> Reply:
    if asked.headers.get("X-Api-Key") != KEY:
        return reply(401, {"error": "Invalid access credentials."})
    if urlsplit(asked.path).path != "/api/v1/people/bulk_match" or asked.method != "POST":
        return reply(404, {})
    details = json.loads(asked.body)["details"]
    if len(details) > 10:
        return reply(422, {"error": "no more than 10"})
    matches = [_apollo_person(_found_by(vendor, one)) for one in details]
    found = sum(one is not None for one in matches)
    vendor.credits -= found
    body = {
        "status": "success",
        "total_requested_enrichments": len(details),
        "missing_records": len(details) - found,
        "credits_consumed": found,
        "matches": matches,
    }
    headers = {"x-rate-limit-minute": "200", "x-minute-requests-left": "150"}
    return reply(200, body, headers)


def _found_by(vendor: StandIn, told: dict[str, str]) -> Person | None:
    for one in vendor.people:
        if told.get("linkedin_url", "").endswith(f"/in/{one.slug}"):
            return one
        if one.email and told.get("email") == one.email:
            return one
        domains = {job.domain for job in one.jobs}
        named = (told.get("first_name"), told.get("last_name")) == (one.first, one.last)
        if named and told.get("domain") in domains:
            return one
    return None


def _apollo_person(person: Person | None) -> dict[str, Any] | None:
    if person is None:
        return None
    return {
        "id": f"apollo-{person.slug}",
        "first_name": person.first,
        "last_name": person.last,
        "name": f"{person.first} {person.last}",
        "linkedin_url": f"http://www.linkedin.com/in/{person.slug}",
        "email": person.email,
        "employment_history": [
            {
                "organization_id": job.company_id,
                "organization_name": job.organisation,
                "title": job.title,
                "start_date": f"{job.start}-01",
                "end_date": f"{job.end}-01" if job.end else None,
                "current": job.end is None,
            }
            for job in person.jobs
        ],
    }


def _coresignal(vendor: StandIn, asked: Asked) -> Reply:
    if asked.headers.get("apikey") != KEY:
        return reply(401, {"detail": "Invalid API key"})
    if vendor.credits <= 0:
        return reply(402, {"detail": "Insufficient credits"})
    before, _, slug = asked.path.rpartition("/")
    person = vendor.by_slug(unquote(slug))
    if before != "/cdapi/v2/employee_multi_source/collect" or person is None:
        return reply(404, {"detail": "Not found"})
    vendor.credits -= 2
    body = {
        "id": sum(map(ord, person.slug)),
        "full_name": f"{person.first} {person.last}",
        "first_name": person.first,
        "last_name": person.last,
        "is_deleted": int(person.gone),
        "checked_at": f"{person.seen}T05:50:09.000",
        "linkedin_url": f"https://www.linkedin.com/in/{person.slug}",
        "primary_professional_email": person.email,
        "experience": [
            {
                "company_id": job.company_id,
                "company_name": job.organisation,
                "company_website": f"https://www.{job.domain}",
                "position_title": job.title,
                **_year_and_month("date_from", job.start),
                **_year_and_month("date_to", job.end),
                "active_experience": int(job.end is None),
                "deleted_at": None,
            }
            for job in person.jobs
        ],
    }
    return reply(200, body, {"x-credits-remaining": str(vendor.credits)})


def _year_and_month(name: str, date: str | None) -> dict[str, Any]:
    year, month = (int(part) for part in date.split("-")) if date else (None, None)
    return {name: date, f"{name}_year": year, f"{name}_month": month}


def _enrichlayer(vendor: StandIn, asked: Asked) -> Reply:
    if asked.headers.get("Authorization") != f"Bearer {KEY}":
        return reply(401, {"code": 401, "description": "Invalid API Key"})
    url = urlsplit(asked.path)
    if url.path == "/api/v2/credit-balance":
        return reply(200, {"credit_balance": vendor.credits})
    if vendor.credits <= 0:
        return reply(403, {"code": 403, "description": "Out of credits"})
    told = parse_qs(url.query).get("profile_url", [""])[0]
    person = vendor.by_slug(told.rpartition("/in/")[2])
    if url.path != "/api/v2/profile" or person is None:
        return reply(404, {"code": 404, "description": "Person profile does not exist"})
    vendor.credits -= 2
    body = {
        "public_identifier": person.slug,
        "first_name": person.first,
        "last_name": person.last,
        "full_name": f"{person.first} {person.last}",
        "experiences": [
            {
                "starts_at": _day(job.start),
                "ends_at": _day(job.end),
                "company": job.organisation,
                "company_linkedin_profile_url": f"https://www.linkedin.com/company/{job.company_id}",
                "title": job.title,
            }
            for job in person.jobs
        ],
        "personal_emails": [person.email] if person.email else [],
        "meta": {"last_updated": f"{person.seen}T11:34:30Z", "thin_profile": False},
    }
    return reply(200, body)


def _day(date: str | None) -> dict[str, int] | None:
    if date is None:
        return None
    year, month = (int(part) for part in date.split("-"))
    return {"day": 1, "month": month, "year": year}


_VENDORS = {"apollo": _apollo, "coresignal": _coresignal, "enrichlayer": _enrichlayer}
