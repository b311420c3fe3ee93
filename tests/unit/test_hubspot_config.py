from __future__ import annotations

import subprocess
import sys
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_sync.connector import ConfigError
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.paths import PATHS, VERSION, path

CANARY = "canary-7d1c"
OAUTH = {
    "flow": "refresh_token",
    "client_id": "id",
    "client_secret": CANARY,
    "refresh_token": CANARY,
}
TOKEN = {"flow": "token", "access_token": CANARY}


def config(**settings: Any) -> HubSpotConfig:
    return HubSpotConfig.model_validate({"auth": TOKEN, **settings})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.hubapi.com", "https://api.hubapi.com"),
        ("https://API.HubAPI.com/", "https://api.hubapi.com"),
        ("https://api-eu1.hubapi.com:8443", "https://api-eu1.hubapi.com:8443"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_kept_in_one_form(given: str, kept: str) -> None:
    assert config(base_url=given).base_url == kept
    assert config(app_url=given).app_url == kept


@pytest.mark.parametrize("name", ["base_url", "app_url"])
@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.hubapi.com",
        "ftp://api.hubapi.com",
        "http://api.hubapi.com",
        "https://user:pw@api.hubapi.com",
        "https://api.hubapi.com/crm",
        "https://api.hubapi.com?x=1",
        "https://api.hubapi.com:port",
        "http://127.0.0.1.evil.example",
        "https://169.254.169.254",
        "http://169.254.169.254",
        "https://2852039166",
        "https://[fe80::1]",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_must_not_be_sent_a_secret_is_refused(name: str, url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(**{name: url})
    assert CANARY not in "".join(error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize("auth", [TOKEN, OAUTH])
def test_secrets_do_not_show(auth: dict[str, str]) -> None:
    shown = config(auth=auth)
    assert CANARY not in repr(shown)
    assert CANARY not in str(shown.model_dump())
    assert CANARY not in shown.model_dump_json()


@pytest.mark.parametrize(
    "more",
    [
        {"page_size": 5},
        {"page_size": 101},
        {"read_timeout": 0},
        {"portal_id": 0},
        {"index_delay_seconds": -1},
        {"unknown": 1},
        {"auth": {"flow": "api_key", "api_key": "x"}},
        {"auth": {"flow": "token"}},
        {"auth": {"flow": "token", "access_token": ""}},
        {"auth": {"flow": "token", "access_token": "x\r\nHost: evil.example"}},
        {"auth": {"flow": "token", "access_token": "sésame"}},
        {"auth": {"flow": "token", "access_token": "x", "client_id": "y"}},
        {"auth": {**OAUTH, "refresh_token": ""}},
        {"auth": {"flow": "refresh_token", "client_id": "x", "client_secret": "y"}},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**more)


@pytest.mark.parametrize(
    ("url", "given", "late", "delay"),
    [
        ("https://api.hubapi.com", {}, 120.0, 60.0),
        ("http://127.0.0.1:8080", {}, 2.0, 3.0),
        ("http://localhost:8080", {}, 2.0, 3.0),
        ("http://[::1]:8080", {"late_seconds": 30, "index_delay_seconds": 9}, 30.0, 9.0),
        ("https://api.hubapi.com", {"late_seconds": 0, "index_delay_seconds": 0}, 0.0, 0.0),
    ],
)
def test_a_portal_is_given_its_delays_and_a_sandbox_short_ones(
    url: str, given: dict[str, float], late: float, delay: float
) -> None:
    settings = config(base_url=url, **given)
    assert (settings.patience, settings.index_delay) == (late, delay)


def test_every_path_is_of_one_version() -> None:
    assert all(f"/{VERSION}" in template for template in PATHS.values())
    assert path("batch_read", object="contacts") == "/crm/objects/2026-09/contacts/batch/read"


@given(st.text(min_size=1).filter(lambda text: text.strip() not in {"", ".", ".."}))
def test_a_part_of_a_path_stays_one_segment(part: str) -> None:
    try:
        part.encode()
    except UnicodeEncodeError:
        return
    before, after = path("property", object="contacts", name=part).rsplit("/", 1)
    assert before == path("properties", object="contacts")
    assert unquote(after) == part
    assert set(after) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%")


@pytest.mark.parametrize("part", ["", " ", ".", ".."])
def test_a_part_that_would_climb_is_refused(part: str) -> None:
    with pytest.raises(ConfigError, match="no name"):
        path("list", object=part)


def test_importing_the_client_loads_no_http_library() -> None:
    code = (
        "import sys, crm_sync_hubspot, crm_sync_hubspot.client\n"
        "heavy = {'requests', 'hubspot', 'urllib3', 'tenacity', 'structlog'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
