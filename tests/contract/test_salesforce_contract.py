from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync.connector import Connector, Scalar
from crm_sync.testing import ConnectorContract, Harness
from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce.config import SalesforceConfig
from crm_sync_salesforce.sandbox import SalesforceSandbox

WRITES = {"method": "POST|PATCH|DELETE", "path": "composite/sobjects(\\?|$)"}


class SalesforceHarness(Harness):
    """The Salesforce sandbox over HTTP; a text of a contact's title, which is found by SOQL."""

    text_field = "Title"

    def __init__(self, url: str) -> None:
        self.url = url

    def connect(self) -> Connector:
        auth = {"flow": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}
        return SalesforceConnector.connect(
            SalesforceConfig.model_validate(
                {"instance_url": self.url, "auth": auth, "page_size": 200, "settle_seconds": 0}
            )
        )

    def new_record(self, text: Scalar) -> Mapping[str, Scalar]:
        return {"LastName": "Contract", "Title": text}

    def refused_fields(self) -> Mapping[str, Scalar]:
        return {"Title": "x" * 129}

    def normalise(self, value: Scalar) -> Scalar:
        # Salesforce trims blanks around a text and keeps an empty one as null.
        return (value.strip(" \t\r\n\f\v") or None) if isinstance(value, str) else value

    def new_task(self, key: str) -> Mapping[str, Scalar]:
        return {"Subject": "Call", "Crm_Sync_Key__c": key}

    def where(self, text: str) -> str:
        return f"Title = '{text}'"

    def merge(self, survivor: str, victim: str) -> str:
        self.control("merge", {"object": "Contact", "master": survivor, "victims": [victim]})
        return survivor

    def lose_next_request(self) -> None:
        self.control("faults", [{"match": WRITES, "fault": "drop_before"}])

    def lose_next_answer(self) -> None:
        self.control("faults", [{"match": WRITES, "fault": "drop_after"}])

    def answer_next(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        self.control("faults", [{"fault": "status", "status": status, "headers": headers or {}}])

    def expire_sessions(self) -> None:
        self.control("expire-sessions")

    def call_count(self) -> int:
        answer = requests.get(f"{self.url}/sandbox/calls", timeout=10)
        answer.raise_for_status()
        return int(sum(answer.json()["calls"].values()))

    def control(self, path: str, body: Any = None) -> None:
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database: Path = tmp_path_factory.mktemp("salesforce") / "org.db"
    with SalesforceSandbox.open(database) as sandbox:
        yield sandbox.start().url


class TestSalesforce(ConnectorContract):
    @pytest.fixture
    def harness(self, url: str) -> Harness:
        return SalesforceHarness(url)
