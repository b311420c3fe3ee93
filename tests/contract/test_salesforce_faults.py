from __future__ import annotations

import socket

import pytest

from crm_sync.calls.breaker import Breaker
from crm_sync.calls.retry import RetryPolicy
from crm_sync.connector import (
    ConfigError,
    Entity,
    Outcome,
    RateLimited,
    ServerFault,
    Unreachable,
)
from crm_sync.errors import BreakerOpen
from crm_sync_salesforce import SalesforceConnector
from tests.support.salesforce_org import WRITES, Org, outcomes, retitle, seed, steady, titles


def test_a_pause_that_salesforce_asks_for_is_kept_to(org: Org, crm: SalesforceConnector) -> None:
    [id] = seed(crm, ["old"])
    org.fault("status", {"path": "composite/sobjects/Contact"}, status=429,
              headers={"Retry-After": "7"})  # fmt: skip
    sleeps: list[float] = []
    assert len(steady(crm, sleeps).read(Entity.CONTACT, [id], ["Title"])) == 1
    assert len(sleeps) == 1
    assert 7 <= sleeps[0] < 9


def test_a_pause_that_is_asked_for_a_write_is_left_to_whoever_reads_again_after_it(
    org: Org, crm: SalesforceConnector
) -> None:
    [id] = seed(crm, ["old"])
    org.fault("status", WRITES, status=429, headers={"Retry-After": "7"})
    sleeps: list[float] = []
    with pytest.raises(RateLimited) as caught:
        steady(crm, sleeps).write_chunk(retitle([id]))
    assert (caught.value.retry_after, caught.value.sent, sleeps) == (7, False, [])
    assert titles(crm, [id]) == ["old"]


def test_a_storm_of_503_opens_the_breaker(org: Org, crm: SalesforceConnector) -> None:
    [id] = seed(crm, ["old"])
    before = sum(org.calls().values())
    org.fault("status", status=503, times=0)
    way = steady(crm, policy=RetryPolicy(attempts=4), breaker=Breaker(threshold=6))
    with pytest.raises(ServerFault):
        way.read(Entity.CONTACT, [id], ["Title"])
    for _ in range(5):
        with pytest.raises(BreakerOpen):
            way.read(Entity.CONTACT, [id], ["Title"])
    assert sum(org.calls().values()) == before + 6


@pytest.mark.parametrize(("fault", "written"), [("drop_before", 0), ("drop_after", 3)])
def test_a_dropped_connection_makes_rows_unknown_and_they_are_sent_once(
    org: Org, crm: SalesforceConnector, fault: str, written: int
) -> None:
    ids = seed(crm, ["old"] * 3)
    org.fault(fault, WRITES)
    results = steady(crm).write_chunk(retitle(ids))
    assert outcomes(results) == [Outcome.UNKNOWN] * 3
    assert org.rows().get("Contact.update", 0) == written
    assert org.calls()["PATCH collections.update"] == 1


def test_a_write_that_times_out_is_unknown(org: Org) -> None:
    crm = org.connect(read_timeout=0.3)
    [id] = seed(crm, ["old"])
    org.fault("delay_after", WRITES, seconds=1)
    [result] = steady(crm).write_chunk(retitle([id]))
    assert result.outcome is Outcome.UNKNOWN
    assert "in time" in result.message


def test_a_read_that_times_out_is_tried_again(org: Org) -> None:
    crm = org.connect(read_timeout=0.3)
    [id] = seed(crm, ["old"])
    org.fault("delay", {"path": "composite/sobjects/Contact"}, seconds=1)
    assert [r.id for r in steady(crm).read(Entity.CONTACT, [id], ["Title"])] == [id]


def test_a_port_where_nobody_listens_is_unreachable_and_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        crm = Org(f"http://127.0.0.1:{taken.getsockname()[1]}").connect()
        with pytest.raises(Unreachable) as caught:
            crm.write(retitle(["003000000000001AAA"]))
    assert not caught.value.sent
    assert caught.value.exit_code == 75


def test_a_maintenance_page_is_a_fault_of_the_server(org: Org, crm: SalesforceConnector) -> None:
    [id] = seed(crm, ["old"])
    org.fault("status", status=200, body="<html>We are down</html>")
    with pytest.raises(ServerFault, match="not JSON"):
        crm.read(Entity.CONTACT, [id], ["Title"])
    org.fault("status", WRITES, status=200, body="<html>We are down</html>")
    assert outcomes(steady(crm).write_chunk(retitle([id]))) == [Outcome.UNKNOWN]


def test_a_redirect_is_named_and_not_followed(org: Org, crm: SalesforceConnector) -> None:
    seed(crm, ["old"])
    before = sum(org.calls().values())
    location = f"{org.url.replace('127.0.0.1', 'localhost')}/elsewhere"
    org.fault("status", status=302, headers={"Location": location})
    with pytest.raises(ConfigError, match="redirects to localhost"):
        crm.describe(Entity.CONTACT)
    assert sum(org.calls().values()) == before + 1


def test_proxies_of_the_environment_are_not_used(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    crm = org.connect()
    assert titles(crm, seed(crm, ["old"])) == ["old"]
