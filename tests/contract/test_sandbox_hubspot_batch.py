"""Records of the HubSpot sandbox by the hundred: what spoils a call, and what only a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.objects.tasks import BatchInputSimplePublicObjectBatchInput as Updates
from hubspot.crm.objects.tasks import BatchInputSimplePublicObjectId as Ids
from hubspot.crm.objects.tasks import SimplePublicObjectBatchInput as Update
from hubspot.crm.objects.tasks import SimplePublicObjectId as Id
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hubspot_http import DATED, Api, Json, running


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


def path(act: str, kind: str = "contacts") -> str:
    return f"/crm/objects/{DATED}/{kind}/batch/{act}"


def read(api: Api, ids: list[str], *properties: str, **more: Any) -> dict[str, Json]:
    body = {
        "inputs": [{"id": one} for one in ids],
        "properties": list(properties),
        "propertiesWithHistory": [],
        **more,
    }
    answer = api.ok("POST", path("read"), body)
    return {one["id"]: one["properties"] for one in answer["results"]}


def made(api: Api, count: int) -> list[str]:
    inputs = [
        {"properties": {"email": f"p{one}@one.example", "lastname": f"L{one}"}, "associations": []}
        for one in range(count)
    ]
    answer = api.ok("POST", path("create"), {"inputs": inputs})
    by_name = {one["properties"]["lastname"]: one["id"] for one in answer["results"]}
    return [by_name[f"L{one}"] for one in range(count)]


def unique(api: Api, kind: str = "contacts", name: str = "our_key") -> None:
    group = "contactinformation" if kind == "contacts" else "task"
    definition = {
        "name": name,
        "label": "Key",
        "type": "string",
        "fieldType": "text",
        "groupName": group,
        "hasUniqueValue": True,
    }
    api.ok("POST", f"/crm/properties/{DATED}/{kind}", definition)


def update(*rows: tuple[str, Json], **more: Any) -> Json:
    return {"inputs": [{"id": one, "properties": values, **more} for one, values in rows]}


def test_results_come_in_another_order_with_their_trace(api: Api) -> None:
    inputs = [
        {"properties": {"lastname": name}, "associations": [], "objectWriteTraceId": f"t-{name}"}
        for name in ("A", "B", "C")
    ]
    answer = api.call("POST", path("create"), {"inputs": inputs})
    assert answer.status_code == 201
    results = answer.json()["results"]
    assert [one["properties"]["lastname"] for one in results] != ["A", "B", "C"]
    assert {one["objectWriteTraceId"]: one["properties"]["lastname"] for one in results} == {
        "t-A": "A",
        "t-B": "B",
        "t-C": "C",
    }


def test_an_update_writes_what_is_there_and_names_what_is_not(api: Api) -> None:
    first, second = made(api, 2)
    body = {
        "inputs": [
            {"id": first, "properties": {"lastname": "New"}, "objectWriteTraceId": "t1"},
            {"id": "77", "properties": {"lastname": "New"}, "objectWriteTraceId": "t2"},
            {"id": second, "properties": {"lastname": ""}, "objectWriteTraceId": "t3"},
        ]
    }
    answer = api.call("POST", path("update"), body)
    assert answer.status_code == 200
    told = answer.json()
    assert {one["objectWriteTraceId"]: one["id"] for one in told["results"]} == {
        "t1": first,
        "t3": second,
    }
    (error,) = told["errors"]
    assert told["numErrors"] == 1
    assert (error["category"], error["status"]) == ("OBJECT_NOT_FOUND", "error")
    assert error["context"] == {"ids": ["77"], "objectWriteTraceId": ["t2"]}
    values = read(api, [first, second], "lastname")
    assert [values[one]["lastname"] for one in (first, second)] == ["New", None]


def test_the_official_client_sees_a_207(api: Api) -> None:
    task = api.create("tasks", hs_timestamp="2026-06-20T10:00:00Z")
    client = HubSpot(access_token="any", host=api.url, base_url=api.url).crm.objects.tasks
    answer = client.batch_api.update(
        Updates(inputs=[Update(id=one, properties={"hs_task_subject": "S"}) for one in (task, "7")])
    )
    assert (answer.num_errors, [one.id for one in answer.results]) == (1, [task])
    assert answer.errors[0].context["ids"] == ["7"]
    client.batch_api.archive(Ids(inputs=[Id(id=task), Id(id="7")]))
    assert client.basic_api.get_page().results == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"nonsense": "x"}, "PROPERTY_DOESNT_EXIST"),
        ({"lifecyclestage": "Lead"}, "INVALID_OPTION"),
        ({"lastmodifieddate": "1"}, "READ_ONLY_VALUE"),
        ({"hubspot_owner_id": "12"}, "INVALID_OWNER_ID"),
    ],
)
def test_a_bad_value_spoils_the_whole_call(api: Api, values: Json, code: str) -> None:
    first, second = made(api, 2)
    before = read(api, [first, second], "lastname")
    answer = api.call(
        "POST", path("update"), update((first, {"lastname": "New"}), (second, values))
    )
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    listed = json.loads(answer.json()["message"].partition(": ")[2])
    assert [(one["isValid"], one["error"], one["name"]) for one in listed] == [
        (False, code, next(iter(values)))
    ]
    assert read(api, [first, second], "lastname") == before


def test_what_no_batch_may_be(api: Api) -> None:
    (first,) = made(api, 1)
    too_many: list[tuple[str, Json]] = [(str(one), {}) for one in range(101)]
    twice = [(first, {"lastname": "A"}), (first, {"lastname": "B"})]
    bodies: list[Any] = [update(*too_many), update(*twice), {"inputs": []}, {"inputs": {}}, {}, []]
    for body in bodies:
        answer = api.call("POST", path("update"), body)
        assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    ids = [{"id": str(one)} for one in range(51)]
    history = {"inputs": ids, "properties": [], "propertiesWithHistory": ["email"]}
    assert api.call("POST", path("read"), history).status_code == 400
    assert read(api, [first], "lastname")[first]["lastname"] == "L0"


def test_a_taken_value_refuses_a_create_and_explains_an_update(api: Api) -> None:
    first, second = made(api, 2)
    body: Json = {
        "inputs": [{"properties": {"email": one}} for one in ("n@one.example", "P0@one.example")]
    }
    answer = api.call("POST", path("create"), body)
    assert (answer.status_code, answer.json()["category"]) == (409, "CONFLICT")
    assert first in answer.json()["message"]
    body = {"inputs": [{"properties": {"email": "n@one.example"}}] * 2}
    assert api.call("POST", path("create"), body).status_code == 409
    assert len(api.ok("GET", f"/crm/objects/{DATED}/contacts")["results"]) == 2
    told = api.ok(
        "POST",
        path("update"),
        update((first, {"email": "p1@one.example"}), (second, {"lastname": "New"})),
    )
    assert [one["id"] for one in told["results"]] == [second]
    (error,) = told["errors"]
    assert (error["category"], error["context"]["ids"]) == ("CONFLICT", [first])


def test_a_read_follows_merges_and_names_what_is_missing(api: Api) -> None:
    old, other, third = made(api, 3)
    merge = {"primaryObjectId": old, "objectIdToMerge": other}
    new = api.ok("POST", f"/crm/objects/{DATED}/contacts/merge", merge)["id"]
    api.ok("DELETE", f"/crm/objects/{DATED}/contacts/{third}")
    body = {
        "inputs": [{"id": one} for one in (old, other, third, "x")],
        "properties": ["email"],
        "propertiesWithHistory": [],
    }
    told = api.ok("POST", path("read"), body)
    assert [one["id"] for one in told["results"]] == [new]
    assert told["errors"][0]["context"]["ids"] == [third, "x"]
    v3 = api.call("POST", "/crm/v3/objects/contacts/batch/read", body)
    assert v3.status_code == 207
    gone = api.ok(
        "POST", path("read"), {**body, "inputs": [{"id": third}]}, params={"archived": "true"}
    )
    assert [(one["id"], one["archived"]) for one in gone["results"]] == [(third, True)]


def test_a_read_by_a_unique_property(api: Api) -> None:
    first, _ = made(api, 2)
    found = read(api, ["P0@one.example", "nobody@one.example"], "email", idProperty="email")
    assert list(found) == [first]
    body = {"inputs": [{"id": "L0"}], "properties": [], "idProperty": "lastname"}
    assert api.call("POST", path("read"), body).status_code == 400


def test_an_upsert_updates_or_creates(api: Api) -> None:
    unique(api, "tasks")
    due = {"hs_timestamp": "2026-06-20T10:00:00Z"}

    def upsert(*keys: str) -> dict[str, bool]:
        inputs = [
            {"id": one, "idProperty": "our_key", "properties": {**due, "hs_task_subject": "S"}}
            for one in keys
        ]
        answer = api.ok("POST", path("upsert", "tasks"), {"inputs": inputs})
        return {one["properties"]["our_key"]: one["new"] for one in answer["results"]}

    assert upsert("a", "b") == {"a": True, "b": True}
    assert upsert("b", "c") == {"b": False, "c": True}
    assert len(api.ok("GET", f"/crm/objects/{DATED}/tasks")["results"]) == 3
    without_time = {"inputs": [{"id": "d", "idProperty": "our_key", "properties": {}}]}
    assert api.call("POST", path("upsert", "tasks"), without_time).status_code == 400


def test_a_unique_task_key_keeps_a_task_single(api: Api) -> None:
    unique(api, "tasks")
    task = {"properties": {"hs_timestamp": "2026-06-20T10:00:00Z", "our_key": "k"}}
    api.ok("POST", path("create", "tasks"), {"inputs": [task]})
    answer = api.call("POST", path("create", "tasks"), {"inputs": [task]})
    assert (answer.status_code, answer.json()["category"]) == (409, "CONFLICT")
    assert answer.json()["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"


def test_rows_written_are_counted(api: Api) -> None:
    ids = made(api, 3)
    api.ok("POST", path("update"), update(*[(one, {"city": "Tours"}) for one in [*ids, "9"]]))
    api.ok("POST", path("archive"), {"inputs": [{"id": one} for one in ids[:2]]})
    counted = api.ok("GET", "/sandbox/calls")
    assert counted["rows"] == {"contacts.archive": 2, "contacts.create": 3, "contacts.update": 3}
    assert counted["calls"]["POST batch.update"] == 1


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.text(max_size=40).filter(lambda one: one.isprintable())),
        max_size=8,
        unique_by=lambda one: one[0],
    )
)
def test_whatever_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]]
) -> None:
    with running(tmp_path_factory.mktemp("portal") / "portal.db") as api:
        ids = made(api, 6)
        if rows:
            changes = [(ids[one], {"jobtitle": text}) for one, text in rows]
            api.ok("POST", path("update"), update(*changes))
        expected = {**dict.fromkeys(ids), **{ids[one]: text or None for one, text in rows}}
        found = read(api, ids, "jobtitle")
        assert {one: values["jobtitle"] for one, values in found.items()} == expected
