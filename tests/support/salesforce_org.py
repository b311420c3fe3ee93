"""A Salesforce sandbox over HTTP, and what its tests do to it again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import requests

from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.steady import Steady
from crm_sync.connector import (
    Entity,
    Operation,
    Outcome,
    Page,
    Scalar,
    Write,
    WriteResult,
)
from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce.config import SalesforceConfig

CANARY = "canary-5b1e"
WRITES = {"method": "POST|PATCH|DELETE", "path": "composite/sobjects(\\?|$)"}


class Org:
    """A sandbox over HTTP, and hands to break it with."""

    def __init__(self, url: str) -> None:
        self.url = url

    def connect(self, secret: str = "sandbox", **more: Any) -> SalesforceConnector:
        auth = {"flow": "client_credentials", "client_id": "x", "client_secret": secret}
        settings = {"instance_url": self.url, "auth": auth, "page_size": 200, **more}
        return SalesforceConnector.connect(SalesforceConfig.model_validate(settings))

    def fault(self, kind: str, match: Mapping[str, str] | None = None, **more: Any) -> None:
        self.control("faults", [{"match": match or {}, "fault": kind, **more}])

    def control(self, path: str, body: Any = None) -> None:
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()

    def calls(self) -> dict[str, int]:
        return dict(requests.get(f"{self.url}/sandbox/calls", timeout=10).json()["calls"])

    def rows(self) -> dict[str, int]:
        return dict(requests.get(f"{self.url}/sandbox/calls", timeout=10).json()["rows"])


def steady(crm: SalesforceConnector, sleeps: list[float] | None = None, **more: Any) -> Steady:
    pauses = [] if sleeps is None else sleeps
    return Steady(crm, sleep=pauses.append, **more)


def write_all(crm: Steady, writes: Sequence[Write]) -> list[WriteResult]:
    size = crm.capabilities.write_batch
    starts = range(0, len(writes), size)
    return [result for at in starts for result in crm.write_chunk(writes[at : at + size])]


def seed(crm: SalesforceConnector, titles: Sequence[Scalar], last_name: str = "Test") -> list[str]:
    writes = [
        Write(
            Operation.CREATE, Entity.CONTACT, f"s{n}", fields={"LastName": last_name, "Title": one}
        )
        for n, one in enumerate(titles)
    ]
    results = write_all(Steady(crm, floor=QuotaFloor(0)), writes)
    assert {result.outcome for result in results} <= {Outcome.APPLIED}
    return [result.record_id for result in results]


def retitle(ids: Sequence[str], title: Scalar = "new") -> list[Write]:
    return [Write(Operation.UPDATE, Entity.CONTACT, f"k{id}", id, {"Title": title}) for id in ids]


def titles(crm: SalesforceConnector, ids: Sequence[str]) -> list[Scalar]:
    found = {r.id: r.fields["Title"] for r in Steady(crm).read(Entity.CONTACT, ids, ["Title"])}
    return [found.get(id) for id in ids]


def pull(crm: SalesforceConnector, cursor: str | None = None, where: str = "") -> list[Page]:
    return list(crm.pull(Entity.CONTACT, ["Title"], cursor=cursor, where=where))


def ids_of(pages: Sequence[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def outcomes(results: Sequence[WriteResult]) -> list[Outcome]:
    return [result.outcome for result in results]
