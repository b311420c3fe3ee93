"""The org that a sandbox plays: its sessions, allowance and clock, what it tells of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync_salesforce.sandbox import SalesforceSandbox

TASK_KEY = "Crm_Sync_Key__c"
VERSION = "/services/data/v60.0"


@dataclass
class Client:
    """A session with the sandbox."""

    url: str
    session: requests.Session

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        base = self.url if path.startswith(("/sandbox", "/services")) else f"{self.url}{VERSION}"
        return self.session.request(method, f"{base}{path}", **options)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with (
        SalesforceSandbox.open(tmp_path / "sandbox.db") as sandbox,
        requests.Session() as session,
    ):
        session.trust_env = False
        session.headers["Authorization"] = "Bearer sandbox-session"
        yield Client(sandbox.start().url, session)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


# Sessions and allowance


def test_a_token_opens_the_api_until_sessions_expire(client: Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": "any", "client_secret": "any"}
    token = client.call("POST", "/services/oauth2/token", data=form).json()
    assert token["instance_url"] == client.url
    assert token["token_type"] == "Bearer"
    client.session.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert client.call("GET", "/limits").status_code == 200
    client.call("POST", "/sandbox/expire-sessions")
    assert code(client.call("GET", "/limits")) == (401, "INVALID_SESSION_ID")
    renewed = client.call("POST", "/services/oauth2/token", data=form).json()["access_token"]
    client.session.headers["Authorization"] = f"Bearer {renewed}"
    assert client.call("GET", "/limits").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer unknown", "Basic sandbox-session"])
def test_without_a_session_nothing_is_answered(client: Client, header: str) -> None:
    client.session.headers["Authorization"] = header
    assert code(client.call("GET", "/query?q=SELECT+Id+FROM+User")) == (401, "INVALID_SESSION_ID")


def test_wrong_secrets_and_grants_are_refused_as_oauth_does(client: Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": "any", "client_secret": "wrong"}
    answer = client.call("POST", "/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    answer = client.call("POST", "/services/oauth2/token", data={**form, "grant_type": "magic"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_given_secret_is_the_only_one_accepted(tmp_path: Path) -> None:
    with SalesforceSandbox.open(tmp_path / "s.db", client_secret="right") as sandbox:
        token = f"{sandbox.start().url}/services/oauth2/token"
        form = {"grant_type": "client_credentials", "client_id": "any", "client_secret": "other"}
        assert requests.post(token, data=form).json()["error"] == "invalid_client"
        assert requests.post(token, data={**form, "client_secret": "right"}).status_code == 200


def test_every_answer_tells_the_allowance_and_its_end_is_a_403(client: Client) -> None:
    client.call("POST", "/sandbox/settings", json={"daily_calls": 2, "used_calls": 0})
    told = [client.call("GET", "/limits").headers["Sforce-Limit-Info"] for _ in range(2)]
    assert told == ["api-usage=1/2", "api-usage=2/2"]
    assert code(client.call("GET", "/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_the_clock_can_be_wrong_by_an_hour(client: Client) -> None:
    before = parsedate_to_datetime(client.call("GET", "/limits").headers["Date"])
    client.call("POST", "/sandbox/settings", json={"clock_offset_seconds": 3600})
    after = parsedate_to_datetime(client.call("GET", "/limits").headers["Date"])
    assert 3590 <= (after - before).total_seconds() <= 3660


# Describing


def test_describe_tells_what_may_be_written(client: Client) -> None:
    described = client.call("GET", "/sobjects/contact/describe").json()
    fields = {field["name"]: field for field in described["fields"]}
    assert described["name"] == "Contact"
    assert fields["Title"]["length"] == 128
    assert fields["FirstName"]["length"] == 40
    assert (fields["LastName"]["length"], fields["LastName"]["nillable"]) == (80, False)
    assert not fields["Name"]["createable"]
    assert not fields["MailingAddress"]["updateable"]
    assert fields["AccountId"]["referenceTo"] == ["Account"]
    job_change = fields["Crm_Sync_Job_Change__c"]
    assert job_change["restrictedPicklist"]
    assert {value["value"] for value in job_change["picklistValues"]} >= {"Moved", "Left"}


@pytest.mark.parametrize("activity", ["Task", "Event"])
def test_the_task_key_is_a_unique_external_id_of_every_activity(
    client: Client, activity: str
) -> None:
    described = client.call("GET", f"/sobjects/{activity}/describe").json()
    (key,) = [field for field in described["fields"] if field["name"] == TASK_KEY]
    assert key["unique"]
    assert key["externalId"]
    assert key["caseSensitive"]


def test_a_bare_org_has_no_custom_field(tmp_path: Path) -> None:
    with SalesforceSandbox.open(tmp_path / "s.db", bare=True) as sandbox:
        objects = sandbox.org.catalog.values()
        assert [f.name for one in objects for f in one.visible() if f.custom] == []


def test_a_hidden_field_is_as_if_absent_and_a_closed_one_is_refused(client: Client) -> None:
    made = client.call("POST", "/sobjects/Contact", json={"LastName": "One"}).json()["id"]
    hide = {"object": "Contact", "field": "Department", "hidden": True}
    close = {"object": "Contact", "field": "Title", "updateable": False}
    client.call("POST", "/sandbox/fields", json=hide)
    client.call("POST", "/sandbox/fields", json=close)
    described = client.call("GET", "/sobjects/Contact/describe").json()["fields"]
    assert "Department" not in {field["name"] for field in described}
    answer = client.call("GET", "/query", params={"q": "SELECT Department FROM Contact"})
    assert code(answer) == (400, "INVALID_FIELD")
    closed = client.call("PATCH", f"/sobjects/Contact/{made}", json={"Title": "x"})
    assert code(closed) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
