from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from crm_sync import logs
from crm_sync.config import load_config
from crm_sync_salesforce.config import SalesforceConfig

SECRET = "hunter2-correct-horse"


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "_kept_out", set())
    yield
    structlog.reset_defaults()


def written(capsys: pytest.CaptureFixture[str], *, as_json: bool, **values: Any) -> str:
    logs.configure(verbose=True, json=as_json)
    structlog.get_logger().info("something", **values)
    return capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "values",
    [
        {"client_secret": SECRET},
        {"password": SECRET},
        {"refresh_token": SECRET},
        {"Authorization": f"Bearer {SECRET}"},
        {"session_id": SECRET},
        {"request": {"headers": {"Authorization": SECRET}}},
        {"requests": [{"api_key": SECRET}]},
        {"reason": f"refused: Authorization: Bearer {SECRET}"},
        {"reason": f"POST grant_type=x&client_secret={SECRET}&y=1"},
        {"reason": f'{{"access_token": "{SECRET}"}}'},
        {"url": f"https://user:{SECRET}@example.com/path"},
        {"problem": ValueError(f"token={SECRET}")},
        {"tried": (f"password: {SECRET}", 1)},
    ],
)
def test_no_secret_is_written(
    capsys: pytest.CaptureFixture[str], as_json: bool, values: dict[str, Any]
) -> None:
    text = written(capsys, as_json=as_json, **values)
    assert "something" in text
    assert "[redacted]" in text
    assert SECRET not in text


def test_what_is_no_secret_is_written_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    values = {
        "connection": "emea",
        "run": 3,
        "ratio": 0.5,
        "ok": True,
        "ids": ["003A", "003B"],
        "place": "config.yaml:3:5",
        "url": "https://example.com/a@b",
        "none": None,
    }
    told = json.loads(written(capsys, as_json=True, **values))
    assert {key: told[key] for key in values} == values
    assert told["event"] == "something"
    assert told["level"] == "info"


def test_a_secret_of_the_configuration_is_kept_out_of_every_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRM_SYNC_TEST_SECRET", SECRET)
    path = tmp_path / "config.yaml"
    path.write_text(
        "connections:\n  a:\n    connector: salesforce\n    mapping: m\n"
        "    instance_url: https://acme.my.salesforce.com\n"
        "    auth: {flow: session_id, session_id: env/CRM_SYNC_TEST_SECRET}\n"
    )
    load_config(path).connection("a").connector_config(SalesforceConfig)
    text = written(capsys, as_json=False, reason=f"the CRM said: who is {SECRET}?")
    assert "who is [redacted]?" in text
    assert SECRET not in text


def test_only_warnings_are_written_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    text = capsys.readouterr().err
    assert "quiet" not in text
    assert "loud" in text


def test_no_line_can_be_forged_by_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (True, False):
        text = written(capsys, as_json=as_json, name="x\n2026-01-01 [error] forged\x1b[31m")
        assert text.count("\n") == 1
        assert "\x1b" not in text


def test_a_traceback_shows_no_local_values() -> None:
    code = (
        "import structlog; from crm_sync.logs import configure; configure()\n"
        "def work():\n    person = 'Ann ' + 'Example'\n    return len(person) / 0\n"
        "try:\n    work()\nexcept ZeroDivisionError:\n    structlog.get_logger().exception('it')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "ZeroDivisionError" in done.stderr
    assert "Ann Example" not in done.stderr


@given(
    secret=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=40),
    before=st.text(max_size=20),
    key=st.sampled_from(["client_secret", "access_token", "password", "session_id"]),
)
def test_a_named_secret_never_stays_in_a_text(secret: str, before: str, key: str) -> None:
    shown = logs.redact(None, "info", {"event": f"{before} {key}={secret}"})["event"]
    assert f"={secret}" not in shown


def test_a_literal_toward_this_machine_blacks_out_no_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "connections:\n  a:\n    connector: salesforce\n    mapping: m\n"
        "    instance_url: http://127.0.0.1:8080\n"
        "    auth: {flow: client_credentials, client_id: sandbox, client_secret: sandbox}\n"
    )
    load_config(path).connection("a").connector_config(SalesforceConfig)
    assert "the sandbox is up" in written(capsys, as_json=False, reason="the sandbox is up")
