"""The Salesforce sandbox as clients see it: records, pages, and the refusal of bad ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync_salesforce.sandbox import SalesforceSandbox

Json = dict[str, Any]
TASK_KEY = "Crm_Sync_Key__c"


@dataclass
class Client:
    """A session with the sandbox, and the few calls that the tests make of it."""

    url: str
    session: requests.Session

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        base = self.url if path.startswith(("/sandbox", "/services")) else f"{self.url}{VERSION}"
        return self.session.request(method, f"{base}{path}", **options)

    def create(self, kind: str, **values: Any) -> str:
        answer = self.call("POST", f"/sobjects/{kind}", json=values)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def read(self, kind: str, record_id: str) -> Json:
        return dict(self.call("GET", f"/sobjects/{kind}/{record_id}").json())

    def query(self, text: str, path: str = "/query") -> Json:
        return dict(self.call("GET", path, params={"q": text}).json())

    def rows(self, method: str, kind: str, *records: Json, **options: Any) -> list[Json]:
        typed = [{"attributes": {"type": kind}, **record} for record in records]
        path = options.pop("path", "/composite/sobjects")
        answer = self.call(method, path, json={"records": typed, **options})
        assert answer.status_code == 200, answer.text
        return list(answer.json())


VERSION = "/services/data/v60.0"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox.open(tmp_path / "sandbox.db") as opened:
        yield opened


@pytest.fixture
def client(sandbox: SalesforceSandbox) -> Iterator[Client]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = "Bearer sandbox-session"
        yield Client(sandbox.start().url, session)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def row_code(result: Json) -> str:
    assert result["success"] is False
    return str(result["errors"][0]["statusCode"])


# Single records


def test_a_record_lives_changes_and_goes(client: Client) -> None:
    record_id = client.create("Contact", LastName="  Núñez ", Title="", Email="a@b.example")
    record = client.read("Contact", record_id[:15])
    assert record_id.startswith("003")
    assert record["Id"] == record_id
    assert (record["LastName"], record["Title"], record["Name"]) == ("Núñez", None, "Núñez")
    assert record["OwnerId"].startswith("005")
    path = f"/sobjects/Contact/{record_id}"
    assert client.call("PATCH", path, json={"Title": "CTO"}).status_code == 204
    some = client.call("GET", path, params={"fields": "Title,Account.Name"}).json()
    assert (some["Title"], some["Account"]) == ("CTO", None)
    assert client.call("DELETE", path).status_code == 204
    assert code(client.call("GET", path)) == (404, "ENTITY_IS_DELETED")
    living = "SELECT Id, IsDeleted FROM Contact"
    assert client.query(living)["records"] == []
    assert [r["IsDeleted"] for r in client.query(living, "/queryAll")["records"]] == [True]


def test_an_unknown_record_path_or_method_is_refused(client: Client) -> None:
    assert code(client.call("GET", "/sobjects/Contact/003000000000000AAA")) == (404, "NOT_FOUND")
    assert code(client.call("GET", "/sobjects/Nope/describe")) == (404, "NOT_FOUND")
    assert code(client.call("GET", "/nothing/here")) == (404, "NOT_FOUND")
    assert client.call("PUT", "/limits").status_code == 405


def test_a_write_on_condition_fails_when_somebody_was_quicker(client: Client) -> None:
    record_id = client.create("Contact", LastName="One")
    path = f"/sobjects/Contact/{record_id}"
    past = {"If-Unmodified-Since": "Wed, 01 Jan 2020 00:00:00 GMT"}
    future = {"If-Unmodified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert client.call("PATCH", path, json={"Title": "x"}, headers=past).status_code == 412
    assert client.read("Contact", record_id)["Title"] is None
    assert client.call("PATCH", path, json={"Title": "x"}, headers=future).status_code == 204


def test_an_upsert_by_key_creates_once_and_then_updates(client: Client) -> None:
    path = f"/sobjects/Task/{TASK_KEY}/a%2Fb%20'c"
    assert client.call("GET", path).status_code == 404
    made = client.call("PATCH", path, json={"Subject": "first"})
    again = client.call("PATCH", path, json={"Subject": "second"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    assert (again.status_code, again.json()["created"]) == (200, False)
    task = client.call("GET", path).json()
    assert (task["Subject"], task[TASK_KEY], task["Status"]) == ("second", "a/b 'c", "Not Started")


def test_writes_move_the_stamp_and_reads_do_not(client: Client) -> None:
    record_id = client.create("Contact", LastName="One")
    before = client.read("Contact", record_id)
    client.call("POST", "/sandbox/settings", json={"clock_offset_seconds": 60})
    assert client.read("Contact", record_id)["SystemModstamp"] == before["SystemModstamp"]
    client.rows("PATCH", "Contact", {"id": record_id, "Title": "x"})
    after = client.read("Contact", record_id)
    assert after["SystemModstamp"] > before["SystemModstamp"]
    assert after["LastModifiedDate"] > before["LastModifiedDate"]
    assert after["CreatedDate"] == before["CreatedDate"]


# Refusals


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Title": "x" * 129}, "STRING_TOO_LONG"),
        ({"LastName": None}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "  "}, "REQUIRED_FIELD_MISSING"),
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ({"Crm_Sync_Job_Change__c": "Promoted"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Name": "Other"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"SystemModstamp": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"AccountId": "nonsense"}, "MALFORMED_ID"),
        ({"AccountId": "003000000000000AAA"}, "MALFORMED_ID"),
        ({"AccountId": "001000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_a_bad_value_spoils_its_row_only(client: Client, values: Json, expected: str) -> None:
    one, other = client.create("Contact", LastName="One"), client.create("Contact", LastName="Two")
    results = client.rows("PATCH", "Contact", {"id": one, **values}, {"id": other, "Title": "ok"})
    assert row_code(results[0]) == expected
    assert results[1] == {"id": other, "success": True, "errors": []}
    assert client.read("Contact", other)["Title"] == "ok"
    single = client.call("PATCH", f"/sobjects/Contact/{one}", json=values)
    assert code(single) == (400, expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Nope__c": "x"}, "INVALID_FIELD"),
        ({"HasOptedOutOfEmail": "perhaps"}, "JSON_PARSER_ERROR"),
        ({"Birthdate": "31/01/1980"}, "JSON_PARSER_ERROR"),
        ({"Title": ["x"]}, "JSON_PARSER_ERROR"),
        ({"Title": "half \ud800 a character"}, "JSON_PARSER_ERROR"),
    ],
)
def test_an_unreadable_row_spoils_the_request_and_nothing_is_done(
    client: Client, values: Json, expected: str
) -> None:
    one, other = client.create("Contact", LastName="One"), client.create("Contact", LastName="Two")
    typed = {"attributes": {"type": "Contact"}}
    records = [{**typed, "id": other, "Title": "ok"}, {**typed, "id": one, **values}]
    answer = client.call("PATCH", "/composite/sobjects", json={"records": records})
    assert code(answer) == (400, expected)
    assert client.read("Contact", other)["Title"] is None


def test_ids_that_mean_nothing_are_refused_row_by_row(client: Client) -> None:
    gone = client.create("Contact", LastName="Gone")
    client.call("DELETE", f"/sobjects/Contact/{gone}")
    results = client.rows(
        "PATCH",
        "Contact",
        {"id": gone, "Title": "x"},
        {"id": "003000000000000AAA", "Title": "x"},
        {"id": "x", "Title": "x"},
        {"Title": "x"},
    )
    assert [row_code(result) for result in results] == [
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
    ]


def test_a_taken_key_is_refused_and_the_other_record_named(client: Client) -> None:
    first = client.create("Task", Subject="one", **{TASK_KEY: "k"})
    taken, lower = client.rows("POST", "Task", {TASK_KEY: "k"}, {TASK_KEY: "K"})
    assert row_code(taken) == "DUPLICATE_VALUE"
    assert first[:15] in taken["errors"][0]["message"]
    assert lower["success"]  # the key minds case
    client.call("DELETE", f"/sobjects/Task/{first}")
    assert client.rows("POST", "Task", {TASK_KEY: "k"})[0]["success"]


def test_an_inactive_colleague_gets_no_task(client: Client) -> None:
    gone = client.create(
        "User", Username="g@x.example", LastName="G", Email="g@x.example", IsActive=False
    )
    (result,) = client.rows("POST", "Task", {"Subject": "x", "OwnerId": gone})
    assert row_code(result) == "INACTIVE_OWNER_OR_USER"


def test_all_or_none_undoes_the_good_rows_too(client: Client) -> None:
    good, bad = client.rows(
        "POST", "Contact", {"LastName": "Good"}, {"FirstName": "Bad"}, allOrNone=True
    )
    assert row_code(good) == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert row_code(bad) == "REQUIRED_FIELD_MISSING"
    assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 0


def test_more_than_200_rows_are_refused_as_a_whole(client: Client) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": "x"}] * 201
    answer = client.call("POST", "/composite/sobjects", json={"records": records})
    assert code(answer) == (400, "EXCEEDED_ID_LIMIT")
    assert client.query("SELECT COUNT() FROM Account")["totalSize"] == 0


def test_collections_upsert_delete_and_retrieve(client: Client) -> None:
    path = f"/composite/sobjects/Task/{TASK_KEY}"
    first = client.rows("PATCH", "Task", {TASK_KEY: "a"}, {TASK_KEY: "b"}, path=path)
    again = client.rows(
        "PATCH", "Task", {TASK_KEY: "a", "Subject": "x"}, {"Subject": "no key"}, path=path
    )
    assert [result["created"] for result in first] == [True, True]
    assert (again[0]["id"], again[0]["created"]) == (first[0]["id"], False)
    assert row_code(again[1]) == "MISSING_ARGUMENT"
    twice = client.rows("PATCH", "Task", {TASK_KEY: "c"}, {TASK_KEY: "c"}, path=path)
    assert [row_code(result) for result in twice] == ["DUPLICATE_VALUE"] * 2
    ids = [result["id"] for result in first]
    body = {"ids": [ids[1], "00T000000000000AAA", ids[0]], "fields": ["Subject"]}
    read = client.call("POST", "/composite/sobjects/Task", json=body).json()
    assert [record and record["Subject"] for record in read] == [None, None, "x"]
    assert read[1] is None
    gone = client.call("DELETE", "/composite/sobjects", params={"ids": ",".join(ids)}).json()
    assert [result["success"] for result in gone] == [True, True]
    assert client.query("SELECT COUNT() FROM Task")["totalSize"] == 0


def test_a_merge_deletes_the_victim_points_to_the_master_and_moves_its_tasks(
    client: Client,
) -> None:
    master, victim = (client.create("Contact", LastName=name) for name in ("Master", "Victim"))
    task = client.create("Task", WhoId=victim, Subject="x")
    merge = {"object": "Contact", "master": master, "victims": [victim]}
    assert client.call("POST", "/sandbox/merge", json=merge).status_code == 200
    text = "SELECT Id, MasterRecordId FROM Contact WHERE IsDeleted = true"
    (gone,) = client.query(text, "/queryAll")["records"]
    assert (gone["Id"], gone["MasterRecordId"]) == (victim, master)
    assert client.read("Task", task)["WhoId"] == master


def test_a_scripted_row_is_refused_and_its_neighbours_are_written(client: Client) -> None:
    one, other = (client.create("Contact", LastName=name) for name in ("One", "Two"))
    fault = {"object": "Contact", "id": one, "statusCode": "UNABLE_TO_LOCK_ROW", "times": 1}
    client.call("POST", "/sandbox/row-faults", json=fault)
    updates = [{"id": one, "Title": "x"}, {"id": other, "Title": "x"}]
    locked, written = client.rows("PATCH", "Contact", *updates)
    assert row_code(locked) == "UNABLE_TO_LOCK_ROW"
    assert written["success"]
    assert all(result["success"] for result in client.rows("PATCH", "Contact", *updates))


def test_a_related_name_follows_polymorphic_references(client: Client) -> None:
    account = client.create("Account", Name="Acme")
    contact = client.create("Contact", LastName="One", AccountId=account)
    client.create("Task", WhoId=contact, WhatId=account, Subject="x")
    (task,) = client.query("SELECT What.Name, What.Type, Who.Name, AccountId FROM Task")["records"]
    assert task["What"] == {
        "attributes": {"type": "Account", "url": f"{VERSION}/sobjects/Account/{account}"},
        "Name": "Acme",
        "Type": "Account",
    }
    assert task["Who"]["Name"] == "One"
    assert task["AccountId"] == account


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        with SalesforceSandbox.open(tmp_path / "s.db") as sandbox, requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = "Bearer sandbox-session"
            client = Client(sandbox.start().url, session)
            client.create("Account", Name="Acme")
            assert client.query("SELECT COUNT() FROM Account")["totalSize"] == expected


def test_nothing_odd_in_a_body_ends_in_a_server_error(client: Client) -> None:
    bodies: list[Any] = [None, [], {}, {"records": {}}, {"records": [1]}, {"records": [{}]}]
    bodies.append({"records": [{"attributes": {"type": "Nope"}}]})
    bodies.append({"records": [{"attributes": {"type": "Contact"}, "id": {"a": 1}}]})
    for body in bodies:
        for method in ("POST", "PATCH"):
            answer = client.call(method, "/composite/sobjects", json=body)
            assert answer.status_code in (200, 400), (body, answer.text)
    answer = client.call("POST", "/sobjects/Contact", data="{not json")
    assert code(answer) == (400, "JSON_PARSER_ERROR")


# Pages


def test_pages_show_each_record_once_whatever_is_written_meanwhile(client: Client) -> None:
    for start in range(0, 450, 150):
        records = [{"Name": f"A{start + number:03d}"} for number in range(150)]
        client.rows("POST", "Account", *records)
    options = {"Sforce-Query-Options": "batchSize=200"}
    text = "SELECT Id, Name FROM Account WHERE Name LIKE 'A%' ORDER BY Name"
    page = client.call("GET", "/query", params={"q": text}, headers=options).json()
    names = []
    sizes = []
    while True:
        names += [record["Name"] for record in page["records"]]
        sizes.append(len(page["records"]))
        if page["done"]:
            break
        client.create("Account", Name="A000 late")
        page = client.call("GET", page["nextRecordsUrl"]).json()
    assert sizes == [200, 200, 50]
    assert page["totalSize"] == 450
    assert names == [f"A{number:03d}" for number in range(450)]


def test_limit_and_offset_reach_across_pages(client: Client) -> None:
    for start in range(0, 600, 200):
        client.rows("POST", "Account", *[{"Name": f"A{start + n:03d}"} for n in range(200)])
    options = {"Sforce-Query-Options": "batchSize=1"}  # less than 200 is taken as 200
    text = "SELECT Name FROM Account ORDER BY Name DESC LIMIT 300 OFFSET 100"
    first = client.call("GET", "/query", params={"q": text}, headers=options).json()
    second = client.call("GET", first["nextRecordsUrl"]).json()
    assert (len(first["records"]), len(second["records"])) == (200, 100)
    assert (first["totalSize"], second["done"]) == (300, True)
    assert first["records"][0]["Name"] == "A499"
    assert second["records"][-1]["Name"] == "A200"


@pytest.mark.parametrize("locator", ["01gSb0000000099IAA-200", "nonsense", "01gSb0000000001IAA-x"])
def test_an_unknown_locator_is_refused(client: Client, locator: str) -> None:
    assert code(client.call("GET", f"/query/{locator}")) == (400, "INVALID_QUERY_LOCATOR")


# Composite


def test_parts_of_one_call_can_build_on_each_other(client: Client) -> None:
    parts = [
        ("POST", "/sobjects/Account", "company", {"Name": "Acme"}),
        ("POST", "/sobjects/Contact", "who", {"LastName": "One", "AccountId": "@{company.id}"}),
        ("POST", "/sobjects/Contact", "bad", {"FirstName": "x"}),
        ("PATCH", "/sobjects/Contact/@{bad.id}", "halted", {"Title": "x"}),
        ("GET", "/query?q=SELECT+Account.Name+FROM+Contact", "read", None),
    ]
    used = client.call("GET", "/sandbox/settings").json()["used_calls"]
    body = [
        {"method": method, "url": VERSION + path, "referenceId": name, "body": values}
        for method, path, name, values in parts
    ]
    answer = client.call("POST", "/composite", json={"compositeRequest": body}).json()
    results = {one["referenceId"]: one for one in answer["compositeResponse"]}
    assert [one["httpStatusCode"] for one in results.values()] == [201, 201, 400, 400, 200]
    assert results["bad"]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert results["halted"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert results["read"]["body"]["records"][0]["Account"]["Name"] == "Acme"
    assert client.call("GET", "/sandbox/settings").json()["used_calls"] == used + 1


def test_a_part_keeps_its_own_condition(client: Client) -> None:
    record_id = client.create("Contact", LastName="One")
    part = {
        "method": "PATCH",
        "url": f"{VERSION}/sobjects/Contact/{record_id}",
        "referenceId": "a",
        "httpHeaders": {"If-Unmodified-Since": "Wed, 01 Jan 2020 00:00:00 GMT"},
        "body": {"Title": "x"},
    }
    answer = client.call("POST", "/composite", json={"compositeRequest": [part]}).json()
    assert answer["compositeResponse"][0]["httpStatusCode"] == 412
    too_many = client.call("POST", "/composite", json={"compositeRequest": [part] * 26})
    assert code(too_many) == (400, "LIMIT_EXCEEDED")
