"""The properties API of the HubSpot sandbox, and the properties that it starts with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.properties import PropertyCreate, PropertyGroupCreate

from crm_sync.connector import Entity
from crm_sync_hubspot.sandbox import HubSpotSandbox
from crm_sync_hubspot.sandbox.portal import Settings
from crm_sync_hubspot.sandbox.types import TYPES
from crm_sync_hubspot.schema import SCHEMA
from tests.support.hubspot_http import DATED, Api, Json, running

CONTACTS = f"/crm/properties/{DATED}/contacts"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


def body(name: str, **more: Any) -> Json:
    plain = {"type": "string", "fieldType": "text", "groupName": "contactinformation"}
    return {"name": name, "label": name.title(), **plain, **more}


def options(*values: str) -> list[Json]:
    return [
        {"value": one, "label": one.title(), "displayOrder": place, "hidden": False}
        for place, one in enumerate(values)
    ]


def problem(api: Api, method: str, path: str, sent: Any = None) -> tuple[int, str]:
    answer = api.call(method, path, sent)
    return answer.status_code, answer.json()["category"]


def test_every_kind_has_its_standard_properties(api: Api) -> None:
    for kind, one in TYPES.items():
        listed = api.ok("GET", f"/crm/properties/{DATED}/{kind}")["results"]
        known = {found["name"]: found for found in listed}
        assert {one.created, one.modified, "hs_object_id", "hubspot_owner_id"} <= set(known)
        assert all(found["hubspotDefined"] for found in listed)
        assert known[one.modified]["modificationMetadata"]["readOnlyValue"]
        assert known["hubspot_owner_id"]["externalOptions"]
    stage = api.ok("GET", f"{CONTACTS}/lifecyclestage")
    assert (stage["type"], stage["fieldType"]) == ("enumeration", "radio")
    assert "marketingqualifiedlead" in {one["value"] for one in stage["options"]}
    optout = api.ok("GET", f"{CONTACTS}/hs_email_optout")
    assert [one["value"] for one in optout["options"]] == ["true", "false"]
    assert problem(api, "GET", f"{CONTACTS}/nonsense") == (404, "OBJECT_NOT_FOUND")


def test_a_property_through_the_official_client(api: Api) -> None:
    client = HubSpot(access_token="any", host=api.url, base_url=api.url).crm.properties
    client.groups_api.create("contacts", PropertyGroupCreate(name="ours", label="Ours"))
    made = client.core_api.create(
        "contacts",
        PropertyCreate(
            name="our_kind",
            label="Kind",
            type="enumeration",
            field_type="select",
            group_name="ours",
            options=options("one", "two"),
        ),
    )
    assert (made.name, made.group_name, made.hubspot_defined) == ("our_kind", "ours", False)
    contact = api.create("contacts", our_kind="two")
    path = f"/crm/objects/{DATED}/contacts/{contact}"
    three = {"properties": {"our_kind": "three"}}
    assert problem(api, "PATCH", path, three) == (400, "VALIDATION_ERROR")
    changed = api.ok("PATCH", f"{CONTACTS}/our_kind", {"options": options("two", "three")})
    assert [one["value"] for one in changed["options"]] == ["two", "three"]
    assert api.ok("PATCH", path, three)["properties"]["our_kind"] == "three"
    assert problem(api, "DELETE", f"{CONTACTS}/groups/ours") == (400, "VALIDATION_ERROR")
    client.core_api.archive("contacts", "our_kind")
    assert problem(api, "PATCH", path, three) == (400, "VALIDATION_ERROR")
    # What was deleted does not come back with the name.
    api.ok("POST", CONTACTS, body("our_kind"))
    shown = api.ok("GET", path, params={"properties": "our_kind"})
    assert shown["properties"]["our_kind"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Upper"},
        {"name": "1st"},
        {"label": ""},
        {"type": "text"},
        {"fieldType": "date"},
        {"groupName": "nowhere"},
        {"type": "bool", "fieldType": "booleancheckbox", "options": options("yes", "no")},
        {"type": "enumeration", "fieldType": "select", "options": options("a", "a")},
        {"type": "date", "fieldType": "date", "hasUniqueValue": True},
        {"displayOrder": "first"},
    ],
)
def test_a_property_that_makes_no_sense_is_refused(api: Api, wrong: Json) -> None:
    sent = {**body("ours"), **wrong}
    assert problem(api, "POST", CONTACTS, sent) == (400, "VALIDATION_ERROR")


def test_a_name_is_there_once(api: Api) -> None:
    api.ok("POST", CONTACTS, body("ours"))
    answer = api.call("POST", CONTACTS, body("ours"))
    assert (answer.status_code, answer.json()["subCategory"]) == (409, "Properties.PROPERTY_EXISTS")
    assert api.call("POST", CONTACTS, body("jobtitle")).status_code == 409


def test_what_hubspot_defined_stays(api: Api) -> None:
    assert problem(api, "DELETE", f"{CONTACTS}/jobtitle") == (400, "VALIDATION_ERROR")
    assert problem(api, "PATCH", f"{CONTACTS}/jobtitle", {"label": "x"}) == (
        400,
        "VALIDATION_ERROR",
    )
    api.ok("POST", CONTACTS, body("ours"))
    assert problem(api, "PATCH", f"{CONTACTS}/ours", {"type": "number"}) == (
        400,
        "VALIDATION_ERROR",
    )


def test_ten_unique_properties_and_no_more(api: Api) -> None:
    for one in range(10):
        api.ok("POST", CONTACTS, body(f"key_{one}", hasUniqueValue=True))
    eleventh = body("key_10", hasUniqueValue=True)
    assert problem(api, "POST", CONTACTS, eleventh) == (400, "VALIDATION_ERROR")
    assert api.ok("GET", f"{CONTACTS}/key_3")["hasUniqueValue"] is True


def test_batches_of_properties(api: Api) -> None:
    names = ("one", "two")
    made = api.ok("POST", f"{CONTACTS}/batch/create", {"inputs": [body(name) for name in names]})
    assert [one["name"] for one in made["results"]] == ["one", "two"]
    clash = {"inputs": [body("three"), body("one")]}
    assert api.call("POST", f"{CONTACTS}/batch/create", clash).status_code == 409
    wanted = {"inputs": [{"name": name} for name in ("one", "three")], "archived": False}
    found = api.ok("POST", f"{CONTACTS}/batch/read", wanted)
    assert ([one["name"] for one in found["results"]], found["numErrors"]) == (["one"], 1)
    assert api.call("POST", "/crm/v3/properties/contacts/batch/read", wanted).status_code == 207
    api.ok("POST", f"{CONTACTS}/batch/archive", {"inputs": [{"name": "one"}, {"name": "two"}]})
    assert api.call("GET", f"{CONTACTS}/one").status_code == 404


def test_groups(api: Api) -> None:
    made = api.ok("POST", f"{CONTACTS}/groups", {"name": "ours", "label": "Ours"})
    assert made == {"name": "ours", "label": "Ours", "displayOrder": -1, "archived": False}
    assert problem(api, "POST", f"{CONTACTS}/groups", made) == (409, "CONFLICT")
    assert problem(api, "POST", f"{CONTACTS}/groups", {"name": "X Y"}) == (400, "VALIDATION_ERROR")
    api.ok("PATCH", f"{CONTACTS}/groups/ours", {"label": "Nôtres"})
    listed = api.ok("GET", f"{CONTACTS}/groups")["results"]
    assert {one["name"]: one["label"] for one in listed} == {
        "contactinformation": "Contact information",
        "ours": "Nôtres",
    }
    assert api.call("GET", f"/crm/properties/{DATED}/tasks/groups/ours").status_code == 404
    api.ok("DELETE", f"{CONTACTS}/groups/ours")
    assert api.call("GET", f"{CONTACTS}/groups/ours").status_code == 404


def opened(path: Path, **more: Any) -> dict[str, dict[str, Any]]:
    """The properties by kind of a sandbox that is opened with these arguments."""
    with HubSpotSandbox.open(path, **more) as sandbox, sandbox.portal.database.reading() as sql:
        return {kind: dict(sandbox.portal.definitions(sql, kind)) for kind in TYPES}


def test_it_starts_with_what_the_schema_declares(tmp_path: Path) -> None:
    full = opened(tmp_path / "full.db")
    bare = opened(tmp_path / "bare.db", bare=True)
    kinds = {Entity.CONTACT: "contacts", Entity.ACCOUNT: "companies", Entity.TASK: "tasks"}
    for spec in SCHEMA:
        kind = kinds[spec.entity]
        assert spec.name not in bare[kind]
        found = full[kind][spec.name]
        assert found.unique == spec.unique
        assert not spec.restricted or {value for value, _ in found.options} == set(spec.values)


def test_it_starts_with_what_the_mapping_names(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "contact:\n"
        "  object: contacts\n"
        "  read: {title: my_title, account_id: associations.companies.primary}\n"
        "  write: {moved: {field: my_flag, policy: overwrite}}\n"
        "colleague: {object: owners, read: {name: my_name}}\n"
        "account: {object: companies, read: {name: name, tier: my_tier}}\n"
    )
    found = opened(tmp_path / "portal.db", mapping=mapping)
    assert {"my_title", "my_flag"} <= set(found["contacts"])
    assert "my_tier" in found["companies"]
    assert not any("." in name or name == "my_name" for kind in found.values() for name in kind)


def test_a_portal_may_refuse_unique_properties_of_tasks(tmp_path: Path) -> None:
    settings = Settings(unique_task_properties=False)
    keys = [spec.name for spec in SCHEMA if spec.entity is Entity.TASK and spec.unique]
    found = opened(tmp_path / "portal.db", settings=settings)["tasks"]
    assert keys
    assert not any(found[name].unique for name in keys)
    with running(tmp_path / "bare.db", settings) as api:
        tasks = f"/crm/properties/{DATED}/tasks"
        sent = body("key", hasUniqueValue=True, groupName="task")
        assert problem(api, "POST", tasks, sent) == (400, "VALIDATION_ERROR")
        api.ok("POST", tasks, {**sent, "hasUniqueValue": False})
