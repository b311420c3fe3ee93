"""A stand-in for the People Data Labs API, v5: bulk and single enrichment over HTTP on loopback.

It knows the people that it is given (records as the vendor sells them) and finds them by LinkedIn
page, e-mail address, telephone number, or name and company. Credits, limits, statuses, headers and
error bodies are as the vendor documents them; faults are scripted as in the CRM's sandboxes
(`crm_sync.sandbox.faults`), from Python or through `POST /sandbox/faults`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_sync.sandbox.calls import Calls
from crm_sync.sandbox.faults import Faults, parse_fault
from crm_sync.sandbox.http import HttpProblem, Request, Response, Router, json_response, route
from crm_sync.sandbox.server import RunningServer

KEY = "stand-in-key"
ENOUGH = ("profile", "email", "phone", "email_hash", "lid", "pdl_id")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")

Json = dict[str, Any]


def error(status: int, kind: str, message: str) -> Json:
    """An error as the vendor writes it."""
    return {"status": status, "error": {"type": kind, "message": message}}


NOT_FOUND = error(404, "not_found", "No records were found matching your request")


@dataclass
class StandInPdl:
    """One account at the vendor's."""

    people: Sequence[Json]
    credits: int = 1_000_000
    per_minute: int | None = None
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=Calls)
    questions: list[Json] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    spent: int = 0

    def __post_init__(self) -> None:
        self._router = Router(
            [
                route("POST", "/v5/person/bulk", "bulk", self._bulk),
                route("GET", "/v5/person/enrich", "enrich", self._enrich),
                route("HEAD", "/v5/person/enrich", "enrich", self._enrich),
                route("GET", "/sandbox/faults", "faults", self._list_faults, public=True),
                route("POST", "/sandbox/faults", "faults", self._add_faults, public=True),
            ]
        )
        self._window: list[float] = []

    @contextmanager
    def served(self) -> Iterator[str]:
        """The base address, version included, while it listens."""
        with RunningServer(self.respond) as server:
            yield f"{server.url}/v5"

    def script(self, **fault: Any) -> None:
        """Let something go wrong: see `crm_sync.sandbox.faults`."""
        self.faults.add([parse_fault(fault)])

    @property
    def asked(self) -> int:
        """How many contacts it was asked about in calls that it answered."""
        return len(self.questions)

    def respond(self, request: Request) -> Response | None:
        try:
            found = self._router.find(request)
        except HttpProblem as problem:
            return problem.response()
        if found is None:
            return json_response(error(404, "not_found", "Not found"), status=404)
        target, request = found
        if target.public:
            return target.handler(request)
        self.calls.called(target.name)
        self.headers.append(request.headers)
        self.targets.append(request.target)
        fault = self.faults.take(request)
        if fault is not None and fault.kind == "drop_before":
            return None
        if fault is not None and fault.kind == "status":
            return fault.response()
        if fault is not None and fault.kind == "delay":
            time.sleep(fault.seconds)
        response = self._guarded(target.handler, request)
        if fault is not None and fault.kind == "delay_after":
            time.sleep(fault.seconds)
        return None if fault is not None and fault.kind == "drop_after" else response

    def _guarded(self, handler: Any, request: Request) -> Response:
        key = request.headers.get("x-api-key") or request.query.get("api_key")
        if key != KEY:
            refusal = error(401, "authentication_error", "Request contained a missing or bad key")
            return json_response(refusal, status=401)
        if self._over_limit():
            slow = error(429, "rate_limit_error", "You have hit your account maximum")
            return json_response(slow, status=429, headers=self._limits(0))
        if self.credits <= 0:
            poor = error(402, "payment_required", "You have reached your account maximum")
            return json_response(poor, status=402, headers=self._limits(0))
        before = self.spent
        try:
            response: Response = handler(request)
        except HttpProblem as problem:
            response = problem.response()
        return response.adding(self._limits(self.spent - before))

    def _bulk(self, request: Request) -> Response:
        try:
            body = request.json()
            entries = body["requests"]
            if not isinstance(entries, list) or not 1 <= len(entries) <= 100:
                raise ValueError
            asked = [one["params"] for one in entries]
        except (ValueError, KeyError, TypeError):
            raise HttpProblem(
                400, error(400, "invalid_request_error", "Request object must be valid")
            ) from None
        for params in asked:
            _refuse_malformed(params)
        self.bodies.append(body)
        return json_response([self._one(body, entry) for entry in entries])

    def _one(self, body: Json, entry: Json) -> Json:
        terms = {name: value for name, value in body.items() if name != "requests"}
        answer = self._look_up({**terms, **entry["params"]})
        return answer | ({"metadata": entry["metadata"]} if "metadata" in entry else {})

    def _enrich(self, request: Request) -> Response:
        params: Json = dict(request.query)
        params.pop("api_key", None)
        if not params:
            problem = error(400, "invalid_request_error", "Please provide some parameters")
            raise HttpProblem(400, problem)
        _refuse_malformed(params)
        answer = self._look_up(params)
        return json_response(answer, status=answer["status"])

    def _look_up(self, params: Json) -> Json:
        self.questions.append(params)
        for person in self.people:
            likelihood = _likelihood(person, params)
            if likelihood < max(2, int(params.get("min_likelihood", 2))):
                continue
            if any(not person.get(name) for name in _required(params)):
                continue
            self.spent += 1
            self.credits -= 1
            data = _included(person, params.get("data_include"))
            return {"status": 200, "likelihood": likelihood, "data": data}
        return dict(NOT_FOUND)

    def _over_limit(self) -> bool:
        if self.per_minute is None:
            return False
        now = time.monotonic()
        self._window = [at for at in self._window if at > now - 60]
        if len(self._window) >= self.per_minute:
            return True
        self._window.append(now)
        return False

    def _limits(self, spent: int) -> dict[str, str]:
        left = None if self.per_minute is None else self.per_minute - len(self._window)
        reset = datetime.now(UTC) + timedelta(seconds=2)
        return {
            "x-call-credits-spent": str(spent),
            "x-call-credits-type": "enrich",
            "x-ratelimit-reset": reset.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-ratelimit-remaining": repr({"minute": left, "day": None, "month": None}),
            "x-ratelimit-limit": repr({"minute": self.per_minute, "day": None, "month": None}),
            "x-lifetime-used": str(self.spent),
            "x-totallimit-remaining": str(self.credits),
        }

    def _list_faults(self, _: Request) -> Response:
        return json_response(self.faults.described())

    def _add_faults(self, request: Request) -> Response:
        self.faults.add([parse_fault(one) for one in request.json()])
        return json_response(self.faults.described(), status=201)


def _refuse_malformed(params: Json) -> None:
    """One malformed question is a malformed call, as the vendor has it."""
    emails = params.get("email") or []
    for one in emails if isinstance(emails, list) else [emails]:
        if not _EMAIL.fullmatch(one):
            problem = error(400, "invalid_request_error", f"Invalid email: {one}")
            raise HttpProblem(400, problem)
    named = params.get("name") or (params.get("first_name") and params.get("last_name"))
    if not any(params.get(name) for name in ENOUGH) and not (
        named and (params.get("company") or params.get("locality") or params.get("location"))
    ):
        problem = error(400, "invalid_request_error", "minimum combination of data points")
        raise HttpProblem(400, problem)


def _likelihood(person: Json, params: Json) -> int:
    """10 by page or address, 8 by number, 7 by name and company, 0 for somebody else."""
    if _meet(_slug(person.get("linkedin_url")), [_slug(one) for one in _all(params, "profile")]):
        return 10
    addresses = [person.get("work_email"), *(person.get("personal_emails") or [])]
    if any(_meet(_low(one), [_low(x) for x in _all(params, "email")]) for one in addresses):
        return 10
    numbers = [person.get("mobile_phone"), *(person.get("phone_numbers") or [])]
    if any(_meet(one, _all(params, "phone")) for one in numbers):
        return 8
    name = _low(params.get("name")) or _low(
        f"{params.get('first_name', '')} {params.get('last_name', '')}"
    )
    if name != _low(person.get("full_name")):
        return 0
    companies = [_low((one.get("company") or {}).get("name")) for one in person["experience"]]
    return (
        7 if any(_meet(one, [_low(x) for x in _all(params, "company")]) for one in companies) else 0
    )


def _meet(value: str | None, others: Sequence[str | None]) -> bool:
    return bool(value) and value in others


def _all(params: Json, name: str) -> list[str]:
    value = params.get(name) or []
    return value if isinstance(value, list) else [value]


def _slug(url: str | None) -> str:
    return (url or "").rstrip("/").rpartition("/")[2].lower()


def _low(text: object) -> str:
    """A text for comparing; `True` stands where an account may not see the value."""
    return " ".join(text.lower().split()) if isinstance(text, str) else ""


def _required(params: Json) -> list[str]:
    return [one for one in re.split(r"\s+AND\s+", params.get("required", "")) if one]


def _included(person: Json, wanted: str | None) -> Json:
    if not wanted:
        return dict(person)
    return {name: person.get(name) for name in wanted.split(",")}
