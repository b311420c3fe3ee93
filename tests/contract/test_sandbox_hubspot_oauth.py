"""Tokens and scopes of the HubSpot sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync_hubspot.sandbox.oauth import REFRESH_TOKEN
from crm_sync_hubspot.sandbox.scopes import needed
from tests.support.hubspot_http import DATED, Api, running

CONTACTS = f"/crm/objects/{DATED}/contacts"
GOOD = {
    "grant_type": "refresh_token",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": REFRESH_TOKEN,
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


def ask(api: Api, version: str = DATED, **form: str) -> requests.Response:
    return api.call("POST", f"/oauth/{version}/token", data=form)


def reads(api: Api, token: str, path: str = CONTACTS) -> tuple[int, str]:
    answer = api.call("GET", path, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("category", "")


def issued(api: Api, **changes: str) -> Any:
    answer = ask(api, **{**GOOD, **changes})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("version", [DATED, "2026-03", "v1", "v3"])
def test_a_refresh_token_gives_an_access_token(api: Api, version: str) -> None:
    answer = ask(api, version, **GOOD)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("bearer", 1800)
    assert told["refresh_token"] == REFRESH_TOKEN
    assert reads(api, told["access_token"]) == (200, "")


def test_a_code_gives_a_refresh_token_of_its_own(api: Api) -> None:
    first = issued(
        api, grant_type="authorization_code", code="any", redirect_uri="https://x.example"
    )
    assert first["refresh_token"] != REFRESH_TOKEN
    assert reads(api, issued(api, refresh_token=first["refresh_token"])["access_token"])[0] == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_secret": "wrong"}, "BAD_CLIENT_SECRET"),
        ({"client_id": ""}, "BAD_CLIENT_ID"),
        ({"refresh_token": "unknown"}, "BAD_REFRESH_TOKEN"),
        ({"refresh_token": ""}, "BAD_REFRESH_TOKEN"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
        ({"grant_type": "authorization_code", "code": "wrong"}, "BAD_AUTH_CODE"),
    ],
)
def test_bad_credentials_get_no_token(api: Api, changes: dict[str, str], status: str) -> None:
    answer = ask(api, **{**GOOD, **changes})
    assert (answer.status_code, answer.json()["status"]) == (400, status)


def test_access_tokens_expire_by_the_portals_clock(api: Api) -> None:
    token = issued(api)["access_token"]
    api.clock.advance(1799)
    assert reads(api, token) == (200, "")
    api.clock.advance(1)
    assert reads(api, token) == (401, "EXPIRED_AUTHENTICATION")
    assert reads(api, issued(api)["access_token"]) == (200, "")


def test_control_end_points_expire_and_revoke(api: Api) -> None:
    token = issued(api)["access_token"]
    api.ok("POST", "/sandbox/tokens/expire")
    assert reads(api, token) == (401, "EXPIRED_AUTHENTICATION")
    assert reads(api, "sandbox-token") == (200, "")
    token = issued(api)["access_token"]
    api.ok("POST", "/sandbox/tokens/revoke")
    assert reads(api, token) == (401, "INVALID_AUTHENTICATION")
    assert reads(api, "sandbox-token") == (401, "INVALID_AUTHENTICATION")
    assert ask(api, **GOOD).json()["status"] == "BAD_REFRESH_TOKEN"
    api.ok("DELETE", "/sandbox/tokens/revoke")
    assert reads(api, token) == (200, "")


@pytest.mark.parametrize("header", ["", "Bearer ", "Basic abc", "Bearer wrong"])
def test_calls_without_a_good_token_are_refused(api: Api, header: str) -> None:
    answer = api.call("GET", CONTACTS, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_a_token_tells_what_it_is(api: Api) -> None:
    told = issued(api)
    token = told["access_token"]
    seen = api.ok("GET", f"/oauth/v1/access-tokens/{token}")
    assert (seen["hub_id"], seen["expires_in"]) == (20260901, 1800)
    assert "crm.objects.contacts.read" in seen["scopes"]
    path = f"/oauth/{DATED}/token/introspect"
    assert api.ok("POST", path, data={"token": token})["active"] is True
    api.ok("POST", f"/oauth/{DATED}/token/revoke", data={"token": token})
    assert api.ok("POST", path, data={"token": token}) == {"active": False}
    assert api.call("GET", f"/oauth/v1/access-tokens/{token}").status_code == 404
    kept = api.ok("GET", f"/oauth/v1/refresh-tokens/{REFRESH_TOKEN}")
    assert kept["token"] == REFRESH_TOKEN


def test_a_revoked_refresh_token_takes_its_access_tokens_along(api: Api) -> None:
    told = issued(api, grant_type="authorization_code", code="any")
    api.ok("DELETE", f"/oauth/v1/refresh-tokens/{told['refresh_token']}")
    assert ask(api, **{**GOOD, "refresh_token": told["refresh_token"]}).status_code == 400
    assert reads(api, told["access_token"])[0] == 401


# Scopes


def test_a_missing_scope_is_named(api: Api) -> None:
    api.sandbox.portal.settings.missing_scopes = frozenset({"crm.objects.owners.read"})
    answer = api.call("GET", f"/crm/owners/{DATED}")
    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    (detail,) = answer.json()["errors"]
    assert detail["context"]["requiredGranularScopes"] == ["crm.objects.owners.read"]
    assert reads(api, "sandbox-token") == (200, "")
    assert "crm.objects.owners.read" not in issued(api)["scopes"]


@pytest.mark.parametrize(
    ("method", "path", "scopes"),
    [
        ("GET", f"/crm/objects/{DATED}/contacts", ["crm.objects.contacts.read"]),
        ("POST", f"/crm/objects/{DATED}/0-2/search", ["crm.objects.companies.read"]),
        ("POST", "/crm/v3/objects/deals/batch/read", ["crm.objects.deals.read"]),
        ("POST", f"/crm/objects/{DATED}/contacts/batch/update", ["crm.objects.contacts.write"]),
        ("PATCH", "/crm/v3/objects/companies/1", ["crm.objects.companies.write"]),
        ("GET", f"/crm/objects/{DATED}/tasks", ["crm.objects.contacts.read"]),
        ("POST", f"/crm/objects/{DATED}/notes/batch/create", ["crm.objects.contacts.write"]),
        (
            "GET",
            f"/crm/objects/{DATED}/emails",
            ["crm.objects.contacts.read", "sales-email-read"],
        ),
        (
            "POST",
            f"/crm/associations/{DATED}/companies/contacts/batch/read",
            ["crm.objects.companies.read"],
        ),
        (
            "PUT",
            "/crm/v4/objects/contacts/1/associations/default/companies/2",
            ["crm.objects.contacts.write"],
        ),
        ("GET", f"/crm/properties/{DATED}/contacts", ["crm.schemas.contacts.read"]),
        ("POST", f"/crm/properties/{DATED}/tasks", ["crm.schemas.contacts.write"]),
        ("GET", "/crm/v3/owners/", ["crm.objects.owners.read"]),
        ("GET", f"/account-info/{DATED}/details", []),
    ],
)
def test_each_call_needs_its_scopes(method: str, path: str, scopes: list[str]) -> None:
    assert list(needed(method, path)) == scopes
