"""A HubSpot sandbox over HTTP with its clock in hand, and what its tests do again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from crm_sync.calls.steady import Steady
from crm_sync.connector import (
    Connector,
    Entity,
    Operation,
    Outcome,
    Page,
    Scalar,
    Write,
    WriteResult,
)
from crm_sync.sandbox.http import Request, Response
from crm_sync.testing import Harness
from crm_sync_hubspot import HubSpotConnector
from crm_sync_hubspot.client import HubSpotClient
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.sandbox import HubSpotSandbox
from crm_sync_hubspot.sandbox.portal import Settings
from tests.support.hubspot_models import judge

RECORDS = {"path": "^/crm/(objects|associations)/"}
WRITES = {"method": "POST", "path": "/batch/(create|update|archive)(\\?|$)"}
UPDATES = {"method": "POST", "path": "/batch/update(\\?|$)"}
CREATES = {"method": "POST", "path": "/crm/objects/.*/batch/create(\\?|$)"}
LINKS = {"method": "POST", "path": "/crm/associations/.*/batch/create(\\?|$)"}
DELETES = {"method": "POST", "path": "/batch/archive(\\?|$)"}
VERSION = "2026-09"
START = datetime(2026, 6, 1, 8, tzinfo=UTC)

NO_LIMITS: Mapping[str, Any] = {"ten_secondly": 1_000_000, "search": 1_000_000}
"""Settings of a sandbox in which limits are not what is tried."""


SOMEBODY_ELSE = "somebody-else"
"""The token of another client of the same portal."""

Respond = Callable[[Request], Response | None]


class Clock:
    """The one time of a sandbox and of the connectors on it: the real one, and what is slept."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._ahead = 0.0
        self._began = time.monotonic()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds() - self._began)

    def seconds(self) -> float:
        with self._guard:
            return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        with self._guard:
            self._ahead += max(0.0, seconds)


class Portal:
    """A sandbox over HTTP, and hands to break it with."""

    def __init__(self, sandbox: HubSpotSandbox, clock: Clock) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.asked: list[Request] = []
        """What connectors asked for; not the control end points, nor what `api` sends."""
        sandbox.respond = self._noting(sandbox.respond)  # type: ignore[method-assign]
        self.url = sandbox.start().url

    def _noting(self, respond: Respond) -> Respond:
        def noting(request: Request) -> Response | None:
            ours = request.headers.get("authorization") != f"Bearer {SOMEBODY_ELSE}"
            if ours and not request.path.startswith("/sandbox/"):
                self.asked.append(request)
            return respond(request)

        return noting

    def config(self, token: str = "sandbox-token", **more: Any) -> HubSpotConfig:
        settings = {
            "base_url": self.url,
            "auth": {"flow": "token", "access_token": token},
            "settle_seconds": 0,
            **more,
        }
        return HubSpotConfig.model_validate(settings)

    def connect(self, token: str = "sandbox-token", **more: Any) -> HubSpotConnector:
        """A connector that waits for limits by moving the clock, never for real."""
        config = self.config(token, **more)
        client = HubSpotClient(config, clock=self.clock.seconds, sleep=self.clock.sleep)
        return HubSpotConnector(config, client)

    def connect_by_oauth(self, **more: Any) -> HubSpotConnector:
        auth = {
            "flow": "refresh_token",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh-token",
        }
        return self.connect(auth=auth, **more)

    def advance(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def settle(self) -> None:
        """Let time pass until search and an incremental pull show what was just written."""
        self.advance(self.sandbox.portal.settings.index_delay + 10)

    def fault(self, kind: str, match: Mapping[str, str] | None = None, **more: Any) -> None:
        self.control("faults", [{"match": match or {}, "fault": kind, **more}])

    def control(self, path: str, body: Any = None) -> None:
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()

    def calls(self) -> dict[str, int]:
        return dict(requests.get(f"{self.url}/sandbox/calls", timeout=10).json()["calls"])

    def rows(self) -> dict[str, int]:
        return dict(requests.get(f"{self.url}/sandbox/calls", timeout=10).json()["rows"])

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the vendor's API, as another client of the portal makes it."""
        answer = requests.request(
            method,
            f"{self.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {SOMEBODY_ELSE}"},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def merge(self, primary: str, other: str, kind: str = "contacts") -> str:
        """Merge two records; the id of what is left."""
        body = {"primaryObjectId": primary, "objectIdToMerge": other}
        return str(self.api("POST", f"/crm/objects/{VERSION}/{kind}/merge", body)["id"])

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        found = self.api("GET", f"/crm/properties/{VERSION}/{kind}")["results"]
        return {one["name"]: one for one in found}


@contextmanager
def a_portal(folder: Path, *, bare: bool = False, **settings: Any) -> Iterator[Portal]:
    """A running sandbox; `settings` are those of `crm_sync_hubspot.sandbox.portal.Settings`."""
    clock = Clock()
    chosen = Settings(**{**NO_LIMITS, **settings})
    with HubSpotSandbox.open(
        folder / "portal.db", bare=bare, clock=clock.now, settings=chosen
    ) as sandbox:
        yield Portal(sandbox, clock)


def steady(crm: Connector, sleeps: list[float] | None = None, **more: Any) -> Steady:
    pauses = [] if sleeps is None else sleeps
    return Steady(crm, sleep=pauses.append, **more)


def write_all(crm: Steady, writes: Sequence[Write]) -> list[WriteResult]:
    size = crm.capabilities.write_batch
    starts = range(0, len(writes), size)
    return [result for at in starts for result in crm.write_chunk(writes[at : at + size])]


def seed(crm: Connector, titles: Sequence[Scalar]) -> list[str]:
    """The ids of new contacts with these job titles."""
    creates = [
        Write(
            Operation.CREATE,
            Entity.CONTACT,
            f"seed-{n}",
            fields={"lastname": "Seed", "jobtitle": t},
        )
        for n, t in enumerate(titles)
    ]
    results = write_all(steady(crm), creates)
    assert {result.outcome for result in results} <= {Outcome.APPLIED}
    return [result.record_id for result in results]


def retitle(ids: Sequence[str], title: Scalar = "new") -> list[Write]:
    return [
        Write(Operation.UPDATE, Entity.CONTACT, f"retitle-{id}", id, {"jobtitle": title})
        for id in ids
    ]


def titles(crm: Connector, ids: Sequence[str]) -> list[Scalar]:
    records = {one.id: one for one in steady(crm).read(Entity.CONTACT, ids, ["jobtitle"])}
    return [records[id].fields["jobtitle"] if id in records else None for id in ids]


def outcomes(results: Sequence[WriteResult]) -> list[Outcome]:
    return [result.outcome for result in results]


def pull(crm: Connector, cursor: str | None = None, where: str = "") -> list[Page]:
    return list(crm.pull(Entity.CONTACT, ["jobtitle"], cursor=cursor, where=where))


class HubSpotHarness(Harness):
    """The sandbox for the contract suite; a contact's job title, which is found by search.

    Every request that a connector sends while it is used can be judged: also what the suite seeds
    and has refused, since that goes through a connector as well. What people do in the portal
    (merges) and the control end points are left out: no connector sends them.
    """

    text_field = "jobtitle"
    link_entity = Entity.CONTACT
    link_field = "associations.contacts"

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self._before = len(portal.asked)

    def judge(self) -> set[str]:
        """The names of the paths that were asked for; fails for what HubSpot does not document."""
        return {judge(request) for request in self.portal.asked[self._before :]}

    def connect(self) -> Connector:
        # By OAuth: only such a session can end and be renewed.
        return self.portal.connect_by_oauth(page_size=10)

    def new_record(self, text: Scalar) -> Mapping[str, Scalar]:
        return {"lastname": "Contract", "jobtitle": text}

    def refused_fields(self) -> Mapping[str, Scalar]:
        # HubSpot alone knows whether a text is an address: it refuses the whole batch for it.
        return {"email": "no address"}

    def normalise(self, value: Scalar) -> Scalar:
        return value or None  # HubSpot keeps an empty text as no value

    def settle(self) -> None:
        self.portal.settle()

    def new_task(self, key: str) -> Mapping[str, Scalar]:
        return {"hs_task_subject": "Call", "hs_timestamp": "2026-06-15", "crm_sync_key": key}

    def new_link(self) -> tuple[Mapping[str, Scalar], str]:
        [contact] = self.seed(["to be linked"])
        return self.new_task(f"link-{uuid4().hex}"), contact

    def where(self, text: str) -> str:
        return f"jobtitle EQ '{text}'"

    def merge(self, survivor: str, victim: str) -> str:
        return self.portal.merge(survivor, victim)

    def lose_next_request(self) -> None:
        self.portal.fault("drop_before", WRITES)

    def lose_next_answer(self) -> None:
        self.portal.fault("drop_after", WRITES)

    def answer_next(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        # Calls about records: what a property is like may be asked in between.
        self.portal.fault("status", RECORDS, status=status, headers=headers or {})

    def expire_sessions(self) -> None:
        self.portal.control("tokens/expire")

    def call_count(self) -> int:
        return sum(self.portal.calls().values())
