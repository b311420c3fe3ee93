"""Scripted faults really happen on the wire, and effects are there exactly when they should be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync_salesforce.sandbox import SalesforceSandbox

HEADERS = {"Authorization": "Bearer sandbox-session"}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with SalesforceSandbox.open(tmp_path / "sandbox.db", bare=True) as sandbox:
        yield sandbox.start().url


def script(url: str, *faults: dict[str, Any]) -> None:
    requests.post(f"{url}/sandbox/faults", json=list(faults)).raise_for_status()


def create(url: str, name: str, **options: Any) -> requests.Response:
    path = f"{url}/services/data/v60.0/sobjects/Account"
    return requests.post(path, json={"Name": name}, headers=HEADERS, **options)


def names(url: str) -> list[str]:
    path = f"{url}/services/data/v60.0/query"
    found = requests.get(path, params={"q": "SELECT Name FROM Account"}, headers=HEADERS).json()
    return sorted(record["Name"] for record in found["records"])


def test_a_connection_dropped_before_has_no_effect(url: str) -> None:
    script(url, {"match": {"method": "POST"}, "fault": "drop_before"})
    with pytest.raises(requests.ConnectionError):
        create(url, "lost")
    assert names(url) == []
    assert create(url, "kept").status_code == 201


def test_a_connection_dropped_after_has_its_effect(url: str) -> None:
    script(url, {"match": {"method": "POST"}, "fault": "drop_after"})
    with pytest.raises(requests.ConnectionError):
        create(url, "there")
    assert names(url) == ["there"]


def test_a_status_is_answered_instead_of_the_effect(url: str) -> None:
    fault = {"match": {"path": "sobjects/Account"}, "fault": "status", "status": 503}
    script(url, {**fault, "headers": {"Retry-After": "7"}, "body": [{"errorCode": "BUSY"}]})
    answer = create(url, "refused")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json() == [{"errorCode": "BUSY"}]
    assert names(url) == []


def test_a_late_request_takes_effect_after_its_client_gave_up(url: str) -> None:
    script(url, {"match": {"method": "POST"}, "fault": "delay", "seconds": 0.4})
    with pytest.raises(requests.Timeout):
        create(url, "late", timeout=0.1)
    assert names(url) == []
    deadline = time.monotonic() + 10
    while names(url) != ["late"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert names(url) == ["late"]


def test_a_late_answer_has_its_effect_at_once(url: str) -> None:
    script(url, {"match": {"method": "POST"}, "fault": "delay_after", "seconds": 0.5})
    with pytest.raises(requests.Timeout):
        create(url, "done", timeout=0.2)
    assert names(url) == ["done"]


def test_a_fault_waits_for_its_turn_and_ends(url: str) -> None:
    script(url, {"match": {"body": "turn"}, "nth": 2, "times": 2, "fault": "status"})
    statuses = [create(url, f"turn {number}").status_code for number in range(5)]
    assert statuses == [201, 503, 503, 201, 201]
    assert create(url, "other").status_code == 201
    (told,) = requests.get(f"{url}/sandbox/faults").json()
    assert (told["seen"], told["fired"]) == (5, 2)


def test_faults_can_be_taken_back(url: str) -> None:
    script(url, {"fault": "status", "times": 0})
    assert create(url, "a").status_code == 503
    assert requests.delete(f"{url}/sandbox/faults").status_code == 204
    assert create(url, "a").status_code == 201


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "explode"},
        {"fault": "delay", "seconds": 1e9},
        {"fault": "status", "match": {"path": "("}},
        {"fault": "status", "mach": {}},
        {"fault": "status", "nth": "many"},
        "drop",
    ],
)
def test_a_script_that_cannot_be_meant_is_refused_in_words(url: str, fault: Any) -> None:
    answer = requests.post(f"{url}/sandbox/faults", json=[fault])
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert requests.get(f"{url}/sandbox/faults").json() == []


def test_of_many_creates_at_once_exactly_one_gets_the_key(tmp_path: Path) -> None:
    with SalesforceSandbox.open(tmp_path / "keyed.db") as sandbox:
        path = f"{sandbox.start().url}/services/data/v60.0/sobjects/Task"

        def attempt(number: int) -> int:
            values = {"Subject": f"n{number}", "Crm_Sync_Key__c": "the key"}
            return requests.post(path, json=values, headers=HEADERS).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = sorted(pool.map(attempt, range(16)))
        assert statuses == [201] + [400] * 15
        assert sandbox.counts()["Task"] == 1


def test_calls_and_rows_are_counted_by_kind(url: str) -> None:
    requests.post(f"{url}/sandbox/calls/reset")
    create(url, "one")
    create(url, "")
    names(url)
    counted = requests.get(f"{url}/sandbox/calls").json()
    assert counted == {
        "total": 3,
        "calls": {"GET query": 1, "POST row.create": 2},
        "rows": {"Account.create": 1},
    }
