"""The vendor's Python client against the sandbox: it must not see a difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from crm_sync_salesforce.sandbox import SalesforceSandbox


class PlainHttp(HTTPAdapter):
    """The client always speaks https; on loopback the sandbox does not."""

    def send(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> Any:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *rest, **more)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox.open(tmp_path / "sandbox.db") as opened:
        yield opened


@pytest.fixture
def url(sandbox: SalesforceSandbox) -> str:
    return sandbox.start().url


@pytest.fixture
def vendor(url: str) -> Iterator[Salesforce]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://127.0.0.1", PlainHttp())
        yield Salesforce(
            instance=urlsplit(url).netloc, session_id="sandbox-session", session=session
        )


def test_create_get_update_upsert_and_delete(vendor: Salesforce) -> None:
    made = vendor.Contact.create(
        {"LastName": "O'Brien \U0001f600", "MailingStreet": "1 Road\nTown"}
    )
    assert made["success"]
    record = vendor.Contact.get(made["id"])
    assert record["LastName"] == "O'Brien \U0001f600"
    assert record["MailingStreet"] == "1 Road\nTown"
    assert record["MailingAddress"]["street"] == "1 Road\nTown"
    assert vendor.Contact.update(made["id"], {"Title": "CEO"}) == 204
    assert vendor.Task.upsert("Crm_Sync_Key__c/k1", {"Subject": "x"}) == 201
    assert vendor.Task.upsert("Crm_Sync_Key__c/k1", {"Subject": "y"}) == 200
    assert vendor.Task.get_by_custom_id("Crm_Sync_Key__c", "k1")["Subject"] == "y"
    assert vendor.Contact.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        vendor.Contact.get(made["id"])


def test_query_all_walks_every_page(vendor: Salesforce) -> None:
    for start in range(0, 2200, 200):
        records = [
            {"attributes": {"type": "Account"}, "Name": f"A{start + number:04d}"}
            for number in range(200)
        ]
        results = vendor.restful("composite/sobjects", method="POST", json={"records": records})
        assert all(result["success"] for result in results)
    found = vendor.query_all("SELECT Name FROM Account WHERE Name LIKE 'A%' ORDER BY Name")
    assert found["totalSize"] == len(found["records"]) == 2200
    assert [record["Name"] for record in found["records"]] == [f"A{n:04d}" for n in range(2200)]


def test_describe_limits_and_deleted(vendor: Salesforce) -> None:
    names = {one["name"] for one in vendor.describe()["sobjects"]}
    assert {"Account", "Contact", "User", "Task", "Event", "Opportunity"} <= names
    assert vendor.Contact.describe()["keyPrefix"] == "003"
    assert vendor.limits()["DailyApiRequests"]["Max"] == 100_000
    assert vendor.is_sandbox()
    assert vendor.api_usage["api-usage"].total == 100_000


def test_errors_are_the_clients_own_exceptions(vendor: Salesforce, url: str) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        vendor.query("SELECT Nope FROM Contact")
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        vendor.Contact.create({"FirstName": "x"})
    requests.post(f"{url}/sandbox/expire-sessions")
    with pytest.raises(SalesforceExpiredSession):
        vendor.query("SELECT Id FROM Contact")
