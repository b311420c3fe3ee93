from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from crm_sync_salesforce.config import SalesforceConfig

CANARY = "canary-2f9a"


def config(url: str = "https://acme.my.salesforce.com", **more: Any) -> SalesforceConfig:
    auth = {"flow": "client_credentials", "client_id": "id", "client_secret": CANARY}
    return SalesforceConfig.model_validate({"instance_url": url, "auth": auth, **more})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://Acme.My.Salesforce.com/", "https://acme.my.salesforce.com"),
        ("https://acme.my.salesforce.com:8443", "https://acme.my.salesforce.com:8443"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://127.0.0.1:8080", "https://127.0.0.1:8080"),
    ],
)
def test_an_address_is_kept_in_one_form(given: str, kept: str) -> None:
    assert config(given).instance_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.my.salesforce.com",
        "ftp://acme.my.salesforce.com",
        "http://acme.my.salesforce.com",
        "https://user:pw@acme.my.salesforce.com",
        "https://acme.my.salesforce.com/services",
        "https://acme.my.salesforce.com?x=1",
        "https://acme.my.salesforce.com:port",
        "http://127.0.0.1.evil.example",
        "https://169.254.169.254",
        "http://169.254.169.254",
        "https://10.0.0.1",
        "https://2852039166",
        "https://[fe80::1]",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_must_not_be_sent_a_secret_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(url)
    assert CANARY not in "".join(error["msg"] for error in caught.value.errors())


def test_secrets_do_not_show() -> None:
    shown = config()
    assert CANARY not in repr(shown)
    assert CANARY not in str(shown.model_dump())
    assert CANARY not in shown.model_dump_json()


@pytest.mark.parametrize(("given", "kept"), [("59.0", "59.0"), (62.0, "62.0"), (60, "60.0")])
def test_an_api_version_may_be_written_as_a_number(given: object, kept: str) -> None:
    assert config(api_version=given).api_version == kept


@pytest.mark.parametrize(
    "more",
    [
        {"api_version": "62"},
        {"api_version": "../x"},
        {"page_size": 50},
        {"read_timeout": 0},
        {"unknown": 1},
        {"auth": {"flow": "password", "client_id": "x", "client_secret": "y"}},
        {"auth": {"flow": "client_credentials", "client_id": "x"}},
        {"auth": {"flow": "client_credentials", "client_id": "x", "client_secret": ""}},
        {"auth": {"flow": "session_id", "session_id": "x", "client_id": "y"}},
        {"auth": {"flow": "session_id", "session_id": ""}},
        {"auth": {"flow": "session_id", "session_id": "x\r\nHost: evil.example"}},
        {"auth": {"flow": "session_id", "session_id": "sésame"}},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**more)


def test_importing_the_connector_loads_no_http_library() -> None:
    code = (
        "import sys, crm_sync_salesforce\n"
        "heavy = {'requests', 'simple_salesforce', 'urllib3', 'tenacity'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("url", "given", "patience"),
    [
        ("https://acme.my.salesforce.com", {}, 600.0),
        ("http://127.0.0.1:8080", {}, 2.0),
        ("http://localhost:8080", {}, 2.0),
        ("http://127.0.0.1:8080", {"late_seconds": 30}, 30.0),
        ("https://acme.my.salesforce.com", {"late_seconds": 0}, 0.0),
    ],
)
def test_an_org_is_given_ten_minutes_and_a_sandbox_two_seconds(
    url: str, given: dict[str, float], patience: float
) -> None:
    auth = {"flow": "session_id", "session_id": "x"}
    config = SalesforceConfig.model_validate({"instance_url": url, "auth": auth, **given})
    assert config.patience == patience
