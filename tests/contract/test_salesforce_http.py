from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from structlog.testing import capture_logs

from crm_sync.calls.breaker import Breaker
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.retry import RetryPolicy
from crm_sync.calls.steady import Steady
from crm_sync.connector import (
    AccessDenied,
    ConfigError,
    Entity,
    Gone,
    Operation,
    Outcome,
    Page,
    QuotaReached,
    RateLimited,
    Scalar,
    ServerFault,
    Unreachable,
    Write,
    WriteResult,
)
from crm_sync.errors import BreakerOpen, CrmSyncError
from crm_sync.sandbox.http import Request, Response, json_response
from crm_sync.sandbox.server import RunningServer
from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce import cursor as cursors
from crm_sync_salesforce.config import SalesforceConfig
from crm_sync_salesforce.sandbox import SalesforceSandbox

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


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox.open(tmp_path / "org.db") as sandbox:
        yield sandbox


@pytest.fixture
def org(sandbox: SalesforceSandbox) -> Org:
    return Org(sandbox.start().url)


@pytest.fixture
def crm(org: Org) -> Iterator[SalesforceConnector]:
    with closing(org.connect()) as connector:
        yield connector


def steady(crm: SalesforceConnector, sleeps: list[float] | None = None, **more: Any) -> Steady:
    pauses = [] if sleeps is None else sleeps
    return Steady(crm, sleep=pauses.append, **more)


def seed(crm: SalesforceConnector, titles: Sequence[Scalar], last_name: str = "Test") -> list[str]:
    writes = [
        Write(
            Operation.CREATE, Entity.CONTACT, f"s{n}", fields={"LastName": last_name, "Title": one}
        )
        for n, one in enumerate(titles)
    ]
    results = Steady(crm, floor=QuotaFloor(0)).write(writes)
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


# Signing in


def test_eight_threads_with_an_ended_session_fetch_one_new_token(org: Org) -> None:
    crm = org.connect()
    ids = seed(crm, ["old"] * 8)
    tokens = org.calls()["POST token"]
    org.control("expire-sessions")
    got: list[Sequence[WriteResult]] = []
    start = threading.Barrier(8)

    def work(id: str) -> None:
        start.wait(timeout=10)
        got.append(crm.write(retitle([id])))

    threads = [threading.Thread(target=work, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [outcomes(results) for results in got] == [[Outcome.APPLIED]] * 8
    assert org.calls()["POST token"] == tokens + 1
    assert titles(crm, ids) == ["new"] * 8


def test_wrong_credentials_are_told_in_salesforces_words_after_one_call(org: Org) -> None:
    crm = org.connect(secret="wrong")
    with pytest.raises(AccessDenied, match="invalid client credentials") as caught:
        steady(crm).read(Entity.CONTACT, ["003000000000001"], ["Title"])
    assert caught.value.exit_code == 5
    assert "client_secret" in caught.value.fix
    assert org.calls() == {"POST token": 1}


def test_tokens_that_are_always_refused_end_in_access_denied_without_a_loop(
    org: Org, crm: SalesforceConnector
) -> None:
    expired = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
    org.fault("status", {"path": "/services/data"}, status=401, body=expired, times=0)
    with pytest.raises(AccessDenied, match="Session expired or invalid"):
        steady(crm).read(Entity.CONTACT, ["003000000000001"], ["Title"])
    assert org.calls() == {"POST token": 2, "POST collections.retrieve": 2}


def test_a_401_that_is_no_json_is_survived(org: Org, crm: SalesforceConnector) -> None:
    [id] = seed(crm, ["old"])
    org.fault("status", status=401, body="<html>no</html>")
    assert titles(crm, [id]) == ["old"]


def test_a_given_session_works_until_it_ends_and_then_says_what_to_do(org: Org) -> None:
    crm = org.connect(auth={"flow": "session_id", "session_id": "sandbox-session"})
    [id] = seed(crm, ["old"])
    org.control("expire-sessions")
    with pytest.raises(AccessDenied, match="no longer valid") as caught:
        steady(crm).write(retitle([id]))
    assert "session" in caught.value.fix
    assert titles(org.connect(), [id]) == ["old"]


def test_a_token_end_point_that_fails_leaves_a_write_not_sent(org: Org) -> None:
    crm = org.connect()
    org.fault("drop_after", {"path": "oauth2/token"}, times=0)
    with pytest.raises(ServerFault) as caught:
        crm.write(retitle(["003000000000001AAA"]))
    assert caught.value.sent is False


def test_no_secret_shows_in_any_error_or_log(org: Org) -> None:
    crm = org.connect(secret=CANARY)
    [id] = seed(crm, ["old"])
    shown: list[str] = [repr(crm), repr(vars(crm))]
    with capture_logs() as logs:
        for kind in ("drop_before", "drop_after", "status"):
            org.fault(kind, times=0)
            with pytest.raises(CrmSyncError) as caught:
                steady(crm).read(Entity.CONTACT, [id], ["Title"])
            shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
            requests.delete(f"{org.url}/sandbox/faults", timeout=10)
    with pytest.raises(AccessDenied) as denied:
        org.connect(auth={"flow": "session_id", "session_id": CANARY}).check()
    shown += [str(denied.value), repr(denied.value), *map(str, logs)]
    assert logs
    assert [text for text in shown if CANARY in text or "Bearer" in text] == []


# Faults


def test_a_pause_that_salesforce_asks_for_is_kept_to(org: Org, crm: SalesforceConnector) -> None:
    [id] = seed(crm, ["old"])
    org.fault("status", WRITES, status=429, headers={"Retry-After": "7"})
    sleeps: list[float] = []
    assert outcomes(steady(crm, sleeps).write(retitle([id]))) == [Outcome.APPLIED]
    assert len(sleeps) == 1
    assert 7 <= sleeps[0] < 9


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
    results = steady(crm).write(retitle(ids))
    assert outcomes(results) == [Outcome.UNKNOWN] * 3
    assert org.rows().get("Contact.update", 0) == written
    assert org.calls()["PATCH collections.update"] == 1


def test_a_write_that_times_out_is_unknown(org: Org) -> None:
    crm = org.connect(read_timeout=0.3)
    [id] = seed(crm, ["old"])
    org.fault("delay_after", WRITES, seconds=1)
    [result] = steady(crm).write(retitle([id]))
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
    assert outcomes(steady(crm).write(retitle([id]))) == [Outcome.UNKNOWN]


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


# Writing


def test_three_bad_rows_of_two_hundred_are_the_only_ones_rejected(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 200)
    writes = retitle(ids)
    bad = {7, 77, 177}
    for n in bad:
        writes[n] = retitle([ids[n]], "x" * 200)[0]
    results = steady(crm).write(writes)
    assert {n for n, r in enumerate(results) if r.outcome is Outcome.REJECTED} == bad
    assert {results[n].code for n in bad} == {"STRING_TOO_LONG"}
    assert all(results[n].record_id == ids[n] and results[n].hint for n in bad)
    assert titles(crm, ids) == ["old" if n in bad else "new" for n in range(200)]
    assert org.calls()["PATCH collections.update"] == 1


def test_a_row_that_spoils_its_whole_batch_is_found_and_the_others_written(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 50)
    org.control(
        "row-faults",
        {"id": ids[31], "statusCode": "JSON_PARSER_ERROR", "message": "!", "whole_request": True},
    )
    results = steady(crm).write(retitle(ids))
    assert [n for n, r in enumerate(results) if r.outcome is not Outcome.APPLIED] == [31]
    assert (results[31].outcome, results[31].code) == (Outcome.REJECTED, "JSON_PARSER_ERROR")
    assert titles(crm, ids) == ["old" if n == 31 else "new" for n in range(50)]
    assert org.rows()["Contact.update"] == 49


def test_a_field_that_the_org_lacks_is_named_without_halving_the_batch(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 20)
    writes = [Write(Operation.UPDATE, Entity.CONTACT, id, id, {"Nope__c": 1}) for id in ids]
    with pytest.raises(ConfigError, match="Contact has no field Nope__c") as caught:
        steady(crm).write(writes)
    assert "mapping" in caught.value.fix
    assert org.calls()["PATCH collections.update"] == 1


def test_a_number_that_json_lacks_is_rejected_alone(crm: SalesforceConnector) -> None:
    ids = seed(crm, ["old"] * 4)
    writes = retitle(ids)
    writes[2] = retitle([ids[2]], float("nan"))[0]
    results = steady(crm).write(writes)
    assert [n for n, r in enumerate(results) if r.outcome is Outcome.REJECTED] == [2]


def test_a_locked_row_is_written_in_the_end_and_the_others_once(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 5)
    locked = {"id": ids[1], "statusCode": "UNABLE_TO_LOCK_ROW", "message": "!", "times": 2}
    org.control("row-faults", locked)
    assert outcomes(steady(crm).write(retitle(ids))) == [Outcome.APPLIED] * 5
    assert org.calls()["PATCH collections.update"] == 3
    assert org.rows()["Contact.update"] == 5


def test_two_hundred_records_can_be_deleted_at_once_and_a_bad_id_harms_only_itself(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 200)
    deletes = [Write(Operation.DELETE, Entity.CONTACT, id, id) for id in ids[:199]]
    deletes.append(Write(Operation.DELETE, Entity.CONTACT, "bad", "not,an,id"))
    results = steady(crm).write(deletes)
    assert outcomes(results) == [Outcome.APPLIED] * 199 + [Outcome.REJECTED]
    assert titles(crm, ids) == [None] * 199 + ["old"]


# Reading


@pytest.mark.parametrize("name", ["O'Brien", "D'Alembert \\", 'the "boss"', "a'; DELETE--"])
def test_a_name_with_quotes_is_found(crm: SalesforceConnector, name: str) -> None:
    [wanted] = seed(crm, ["t"], last_name=name)
    seed(crm, ["t"])
    assert [r.id for r in crm.find(Entity.CONTACT, "LastName", [name])] == [wanted]


def test_more_ids_than_fit_one_call_are_all_read(org: Org, crm: SalesforceConnector) -> None:
    ids = seed(crm, [f"t{n}" for n in range(1100)])
    assert titles(crm, [*ids, "not an id"]) == [*(f"t{n}" for n in range(1100)), None]
    assert org.calls()["POST collections.retrieve"] == 3


def test_fields_of_related_records_are_read_and_pulled(crm: SalesforceConnector) -> None:
    account = Write(Operation.CREATE, Entity.ACCOUNT, "a", fields={"Name": "Acme & Söhne"})
    [made] = crm.write([account])
    fields = {"LastName": "Test", "AccountId": made.record_id}
    [contact] = crm.write([Write(Operation.CREATE, Entity.CONTACT, "c", fields=fields)])
    wanted = ["Account.Name", "LastName"]
    [record] = crm.read(Entity.CONTACT, [contact.record_id], wanted)
    assert dict(record.fields) == {"Account.Name": "Acme & Söhne", "LastName": "Test"}
    [page] = crm.pull(Entity.CONTACT, wanted, cursor=None)
    assert page.records[0].fields == record.fields


def test_what_changed_is_told_by_salesforces_clock_and_old_rows_stay_away(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 10)
    org.control("settings", {"clock_offset_seconds": 7200})
    cursor = pull(crm)[-1].cursor
    crm.write(retitle([ids[3]]))
    pages = pull(crm, cursor)
    assert [(r.id, r.fields) for p in pages for r in p.records] == [(ids[3], {"Title": "new"})]


def test_a_slow_first_answer_does_not_move_the_next_start(
    org: Org, crm: SalesforceConnector
) -> None:
    org.fault("delay", {"path": "/query"}, seconds=2)
    asked = datetime.now(UTC)
    cursor = cursors.load(pull(crm)[-1].cursor, "Contact")
    assert cursor.then + cursors.OVERLAP <= asked + timedelta(seconds=1)


def test_a_deleted_record_that_is_read_all_the_same_is_left_out(
    org: Org, crm: SalesforceConnector
) -> None:
    live, deleted = seed(crm, ["a", "b"])
    rows = [
        {"Id": live, "Title": "a", "IsDeleted": False},
        {"Id": deleted, "Title": "b", "IsDeleted": True},
        None,
    ]
    org.fault("status", {"path": "composite/sobjects/Contact"}, status=200, body=rows)
    assert [r.id for r in crm.read(Entity.CONTACT, [live, deleted], ["Title"])] == [live]


def test_a_deleted_record_is_told_though_it_no_longer_satisfies_where(
    org: Org, crm: SalesforceConnector
) -> None:
    kept, deleted = seed(crm, ["boss", "boss"])
    cursor = pull(crm, where="Title = 'boss'")[-1].cursor
    crm.write(retitle([deleted], "clerk"))
    crm.write([Write(Operation.DELETE, Entity.CONTACT, "d", deleted)])
    pages = pull(crm, cursor, where="Title = 'boss' OR Title = 'chief'")
    assert ids_of(pages) == [kept]
    assert [gone for page in pages for gone in page.gone] == [Gone(Entity.CONTACT, deleted)]


def test_a_query_that_salesforce_forgot_is_made_again_and_skips_nothing(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, [f"t{n}" for n in range(500)])
    pages = crm.pull(Entity.CONTACT, ["Title"], cursor=None)
    first = next(pages)
    org.control("expire-locators")
    rest = list(pages)
    assert set(ids_of([first, *rest])) == set(ids)
    assert rest[-1].complete
    org.control("expire-locators")
    resumed = pull(org.connect(), first.cursor)
    assert set(ids_of(resumed)) == set(ids)
    assert resumed[-1].complete


def test_a_pull_through_many_faults_skips_nothing(org: Org, crm: SalesforceConnector) -> None:
    ids = seed(crm, [f"t{n}" for n in range(900)])
    org.fault("drop_after", {"path": "/query"}, nth=2, times=1)
    org.fault("status", {"path": "/query"}, nth=4, times=2, status=503)
    org.fault("status", {"path": "/query"}, nth=7, times=1, status=200, body="<html>")
    pages = list(steady(crm).pull(Entity.CONTACT, ["Title"], cursor=None))
    assert set(ids_of(pages)) == set(ids)
    assert [page.complete for page in pages].count(True) == 1


@pytest.mark.parametrize(
    ("entity", "object_name"),
    [
        (Entity.CONTACT, ""),
        (Entity.ACCOUNT, ""),
        (Entity.COLLEAGUE, ""),
        (Entity.DEAL, ""),
        (Entity.TASK, ""),
        (Entity.INTERACTION, ""),
        (Entity.INTERACTION, "Event"),
    ],
)
def test_every_entity_can_be_pulled_twice(
    crm: SalesforceConnector, entity: Entity, object_name: str
) -> None:
    first = list(crm.pull(entity, ["CreatedDate"], cursor=None, object_name=object_name))
    assert first[-1].complete
    cursor = first[-1].cursor
    second = list(crm.pull(entity, ["CreatedDate"], cursor=cursor, object_name=object_name))
    assert second[-1].complete


@pytest.mark.parametrize(
    ("fields", "where", "object_name", "words"),
    [
        (["Titel"], "", "", "Contact has no field Titel"),
        (["Title"], "Titel = 'x'", "", "no field Titel"),
        (["Title"], "Title ==", "", "MALFORMED_QUERY"),
        (["Title"], "", "Kontakt", "INVALID_TYPE"),
        (["Title) FROM User--"], "", "", "not the name of a Salesforce field"),
    ],
)
def test_a_mistake_of_the_mapping_is_told_as_one(
    crm: SalesforceConnector, fields: list[str], where: str, object_name: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        list(crm.pull(Entity.CONTACT, fields, cursor=None, where=where, object_name=object_name))
    assert words in caught.value.message
    assert "mapping" in caught.value.fix
    assert caught.value.exit_code == 2


# Allowance, schema, check


def test_the_allowance_is_followed_and_its_end_stops_the_run(
    org: Org, crm: SalesforceConnector
) -> None:
    [id] = seed(crm, ["old"])
    org.control("settings", {"daily_calls": 100, "used_calls": 85})
    assert titles(crm, [id]) == ["old"]
    usage = crm.usage()
    assert usage is not None
    assert usage.allowed == 100
    with pytest.raises(QuotaReached, match="of 100 calls"):
        steady(crm).read(Entity.CONTACT, [id], ["Title"])
    org.control("settings", {"used_calls": 100})
    with pytest.raises(QuotaReached, match="REQUEST_LIMIT_EXCEEDED"):
        crm.read(Entity.CONTACT, [id], ["Title"])


def test_too_many_at_once_is_a_pause_and_not_the_end(org: Org, crm: SalesforceConnector) -> None:
    body = [
        {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}
    ]
    [id] = seed(crm, ["old"])
    org.fault("status", status=403, body=body)
    with pytest.raises(RateLimited):
        crm.read(Entity.CONTACT, [id], ["Title"])


def test_the_schema_is_complete_in_a_prepared_org_and_told_in_a_bare_one(
    crm: SalesforceConnector, tmp_path: Path
) -> None:
    assert crm.missing_schema(crm.schema) == []
    with SalesforceSandbox.open(tmp_path / "bare.db", bare=True) as bare:
        lacking = Org(bare.start().url).connect().missing_schema(crm.schema)
    assert [change.wanted for change in lacking] == list(crm.schema)
    assert all(change.action.startswith("create ") for change in lacking)


def test_a_hidden_and_a_closed_field_are_missing(org: Org, crm: SalesforceConnector) -> None:
    hidden = {"object": "Contact", "field": "Crm_Sync_Moved__c", "hidden": True}
    closed = {"object": "Contact", "field": "Crm_Sync_New_Title__c", "updateable": False}
    org.control("fields", hidden)
    org.control("fields", closed)
    lacking = {change.wanted.name: change for change in crm.missing_schema(crm.schema)}
    assert set(lacking) == {"Crm_Sync_Moved__c", "Crm_Sync_New_Title__c"}
    assert "may not see it" in lacking["Crm_Sync_Moved__c"].reason
    assert "may not write it" in lacking["Crm_Sync_New_Title__c"].reason


def test_check_names_an_object_that_cannot_be_seen(org: Org, crm: SalesforceConnector) -> None:
    gone = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    org.fault("status", {"path": "sobjects/Opportunity/describe"}, status=404, body=gone)
    problems = [finding for finding in crm.check() if finding.level == "problem"]
    assert [(one.subject, "access to Opportunity" in one.fix) for one in problems] == [
        ("Opportunity", True)
    ]


def test_check_warns_when_the_day_is_nearly_used_up(org: Org, crm: SalesforceConnector) -> None:
    org.control("settings", {"daily_calls": 1000, "used_calls": 900})
    [finding] = [one for one in crm.check() if one.subject == "sign-in"]
    assert finding.level == "warning"
    assert "of 1000" in finding.message


def test_a_field_list_too_long_for_a_url_is_asked_for_in_a_body(
    sandbox: SalesforceSandbox,
) -> None:
    longest = 0

    def with_composite(request: Request) -> Response | None:
        """Salesforce's composite end point before the sandbox: one part, carried out inside."""
        nonlocal longest
        longest = max(longest, len(request.target))
        if not request.path.endswith("/composite"):
            return sandbox.respond(request)
        [part] = json.loads(request.body)["compositeRequest"]
        inner = requests.request(
            part["method"],
            inside.url + part["url"],
            headers={**part["httpHeaders"], "Authorization": request.headers["authorization"]},
            timeout=10,
        )
        told = {"body": inner.json(), "httpStatusCode": inner.status_code, "referenceId": "query"}
        return json_response({"compositeResponse": [told]})

    inside = sandbox.start()
    many = [f"A_Field_With_A_Long_Name_{n:02}__c" for n in range(90)]
    org = Org(inside.url)
    for name in many:
        org.control("fields", {"object": "Contact", "field": name})
    with RunningServer(with_composite) as outside, closing(Org(outside.url).connect()) as crm:
        ids = seed(crm, ["t"] * 250)
        pages = list(crm.pull(Entity.CONTACT, many, cursor=None))
        assert set(ids_of(pages)) == set(ids)
        assert set(pages[0].records[0].fields) == set(many)
        assert len(pages) == 2
        assert pages[-1].complete
        with pytest.raises(ConfigError, match="no field Absent__c"):
            list(crm.pull(Entity.CONTACT, [*many, "Absent__c"], cursor=None))
    assert longest < 2_200


# Encryption


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[str]:
    """A server with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_sent_no_secret(encrypted: str) -> None:
    with pytest.raises(ConfigError, match="certificate") as caught:
        Org(encrypted).connect(secret=CANARY).check()
    assert CANARY not in str(caught.value)


def test_speaking_https_to_a_plain_server_is_a_clear_error(org: Org) -> None:
    plain = org.url.replace("http://", "https://")
    with pytest.raises(ServerFault, match="the encrypted connection failed"):
        Org(plain).connect().check()
