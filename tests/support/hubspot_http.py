"""A HubSpot sandbox over HTTP with its clock in hand, for tests of the sandbox itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from crm_sync_hubspot.sandbox import HubSpotSandbox
from crm_sync_hubspot.sandbox.portal import Settings

Json = dict[str, Any]
DATED = "2026-09"


@dataclass
class Clock:
    """A clock that moves only when told to."""

    now: datetime = field(default_factory=lambda: datetime(2026, 6, 15, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def ms(self) -> int:
        """Milliseconds since 1970."""
        return (self.now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@dataclass
class Api:
    """A session with the sandbox, and the few calls that tests make of it."""

    sandbox: HubSpotSandbox
    clock: Clock
    url: str
    session: requests.Session

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        if body is not None:
            options["json"] = body
        return self.session.request(method, f"{self.url}{path}", **options)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of an answer that must be a success."""
        answer = self.call(method, path, body, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def create(self, kind: str, **properties: str) -> str:
        made = self.ok(
            "POST", f"/crm/objects/{DATED}/{kind}", {"properties": properties, "associations": []}
        )
        return str(made["id"])

    def search(self, kind: str, *filters: Json, **more: Any) -> Any:
        """An answer to one group of filters; the clock moves on, so that no limit is met."""
        self.clock.advance(0.25)
        body = {"filterGroups": [{"filters": list(filters)}] if filters else [], **more}
        return self.ok("POST", f"/crm/objects/{DATED}/{kind}/search", body)

    def found(self, kind: str, *filters: Json, **more: Any) -> list[str]:
        """The ids that a search answers, in its order."""
        return [one["id"] for one in self.search(kind, *filters, **more)["results"]]


@contextmanager
def running(path: Path, settings: Settings | None = None) -> Iterator[Api]:
    """A sandbox over a new database file with only the standard fields."""
    clock = Clock()
    sandbox = HubSpotSandbox.open(path, bare=True, clock=clock, settings=settings)
    with sandbox, requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = "Bearer sandbox-token"
        yield Api(sandbox, clock, sandbox.start().url, session)


def where(name: str, operator: str, *values: str) -> Json:
    """A search filter: one value, two for BETWEEN, a list for IN and NOT_IN."""
    one: Json = {"propertyName": name, "operator": operator}
    if operator in {"IN", "NOT_IN"}:
        return {**one, "values": list(values)}
    if operator == "BETWEEN":
        return {**one, "value": values[0], "highValue": values[1]}
    return {**one, "value": values[0]} if values else one
