"""Loading files into the HubSpot sandbox: what comes in is what clients then see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_sync.errors import InputError
from tests.support.hubspot_http import DATED, Api, Json, running


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


def shown(api: Api, kind: str, *properties: str, to: str = "") -> list[Json]:
    """Every record of a kind, with the ids that it is associated with, by kind."""
    query = {"properties": ",".join(properties), "associations": to, "limit": "100"}
    records: list[Json] = api.ok("GET", f"/crm/objects/{DATED}/{kind}", params=query)["results"]
    for one in records:
        ends = one.pop("associations", {})
        one["ends"] = {
            name: sorted({end["id"] for end in found["results"]}) for name, found in ends.items()
        }
    return records


def values(record: Json, *names: str) -> list[str | None]:
    return [record["properties"][name] for name in names]


def primary(api: Api, contact: str) -> list[str]:
    """The companies that a contact has as its primary one."""
    body = {"inputs": [{"id": contact}]}
    answer = api.ok("POST", f"/crm/associations/{DATED}/contacts/companies/batch/read", body)
    return [
        one["toObjectId"]
        for found in answer["results"]
        for one in found["to"]
        if any(kind["typeId"] == 1 for kind in one["associationTypes"])
    ]


def test_files_refer_to_each_other(api: Api, folder: Path) -> None:
    (folder / "owners.csv").write_text(
        "id,email,firstName,lastName,active\n"
        "501,ana@us.example,Ana,Roy,true\n"
        "502,bo@us.example,Bo,Lee,false\n"
    )
    (folder / "companies.csv").write_text(
        "id,name,domain,hubspot_owner_id,loyalty\n"
        "11,Acme,acme.example,ana@us.example,gold\n"
        "12,Bolt,bolt.example,502,\n"
    )
    (folder / "contacts.csv").write_text(
        "Record ID,email,lastname,companies.domain,hubspot_owner_id\n"
        '21,A@one.example,"Senior, ""the"" boss",ACME.example,501\n'
        "22,b@one.example,Junior,,\n"
    )
    (folder / "deals.csv").write_text(
        "dealname,dealstage,amount,companies.name,contacts.email\n"
        "Big,closedwon,1000.5,Bolt;Acme,a@one.example;b@one.example\n"
    )
    (folder / "emails.csv").write_text(
        "hs_timestamp,hs_email_direction,contacts.id,companies.id\n"
        "2026-03-01T10:00:00Z,INCOMING_EMAIL,21;22,11\n"
    )
    (folder / "tasks.csv").write_text("hs_task_subject,hs_timestamp\nCall,1772359200000\n")
    (folder / "readme.csv").write_text("not,ours\n")
    loaded = api.sandbox.load(folder)
    assert loaded == {
        "owners": 2,
        "companies": 2,
        "contacts": 2,
        "deals": 1,
        "emails": 1,
        "tasks": 1,
    }
    acme, bolt = shown(api, "companies", "name", "hubspot_owner_id", "loyalty")
    assert (acme["id"], *values(acme, "hubspot_owner_id", "loyalty")) == ("11", "501", "gold")
    assert (bolt["id"], *values(bolt, "hubspot_owner_id", "loyalty")) == ("12", "502", None)
    senior, junior = shown(
        api, "contacts", "lastname", "associatedcompanyid", "email", to="companies"
    )
    assert values(senior, "lastname", "associatedcompanyid") == ['Senior, "the" boss', "11"]
    assert (senior["ends"], primary(api, "21")) == ({"companies": ["11"]}, ["11"])
    assert (junior["ends"], primary(api, "22")) == ({}, [])
    (deal,) = shown(api, "deals", "amount", "hs_is_closed_won", to="companies,contacts")
    assert values(deal, "amount", "hs_is_closed_won") == ["1000.5", "true"]
    assert deal["ends"] == {"companies": ["11", "12"], "contacts": ["21", "22"]}
    (mail,) = shown(api, "emails", "hs_email_direction", to="contacts,companies")
    assert mail["ends"] == {"companies": ["11"], "contacts": ["21", "22"]}
    (task,) = shown(api, "tasks", "hs_timestamp")
    assert values(task, "hs_timestamp") == ["2026-03-01T10:00:00Z"]
    owners = api.ok("GET", f"/crm/owners/{DATED}")["results"]
    assert [(one["id"], one["email"]) for one in owners] == [("501", "ana@us.example")]


def test_what_is_loaded_is_found_at_once(api: Api, folder: Path) -> None:
    (folder / "contacts.csv").write_text("email,lastname\na@one.example,Roy\n")
    api.sandbox.load(folder)
    (found,) = shown(api, "contacts")
    one: Json = {"propertyName": "lastname", "operator": "EQ", "value": "Roy"}
    assert api.found("contacts", one) == [found["id"]]


def test_times_are_kept_as_loaded(api: Api, folder: Path) -> None:
    (folder / "contacts.csv").write_text(
        "email,createdate,lastmodifieddate\n"
        "a@one.example,2024-01-02T03:04:05.678Z,2025-06-01\n"
        "b@one.example,1704164645678,\n"
        "c@one.example,,2025-06-01T10:00:00+02:00\n"
    )
    (folder / "companies.csv").write_text("name,hs_lastmodifieddate\nAcme,2025-06-01\n")
    api.sandbox.load(folder)
    now = "2026-06-15T12:00:00Z"
    assert [(one["createdAt"], one["updatedAt"]) for one in shown(api, "contacts")] == [
        ("2024-01-02T03:04:05.678Z", "2025-06-01T00:00:00Z"),
        ("2024-01-02T03:04:05.678Z", now),
        ("2025-06-01T08:00:00Z", "2025-06-01T08:00:00Z"),
    ]
    (acme,) = shown(api, "companies", "hs_lastmodifieddate")
    assert values(acme, "hs_lastmodifieddate") == ["2025-06-01T00:00:00Z"]


def test_a_contacts_company_is_found_by_its_name_where_it_is_clear(api: Api, folder: Path) -> None:
    (folder / "companies.csv").write_text("id,name\n11,Acme\n12,Twin\n13,Twin\n14,ACME\n")
    (folder / "contacts.csv").write_text(
        "id,lastname,company\n21,A,Acme\n22,B,Twin\n23,C,Elsewhere\n24,D,\n25,E,acme\n"
    )
    api.sandbox.load(folder)
    found = shown(api, "contacts", "company", "associatedcompanyid")
    assert [values(one, "associatedcompanyid")[0] for one in found] == [
        "11",
        None,
        None,
        None,
        None,
    ]
    assert primary(api, "21") == ["11"]


def test_ids_given_and_ids_made(api: Api, folder: Path) -> None:
    (folder / "contacts.csv").write_text("id,lastname\n,A\n99000000000,B\n,C\n")
    api.sandbox.load(folder)
    ids = [one["id"] for one in shown(api, "contacts")]
    assert "99000000000" in ids
    assert len(set(ids)) == 3
    assert int(api.create("contacts", lastname="D")) > max(map(int, ids))


def test_options_that_a_file_uses_are_the_portals_own(api: Api, folder: Path) -> None:
    (folder / "contacts.csv").write_text("lastname,lifecyclestage\nRoy,partner\n")
    api.sandbox.load(folder)
    stage = api.ok("GET", f"/crm/properties/{DATED}/contacts/lifecyclestage")
    assert {"lead", "partner"} <= {one["value"] for one in stage["options"]}
    api.create("contacts", lifecyclestage="partner")


@pytest.mark.parametrize(
    ("name", "text", "place", "words"),
    [
        ("contacts", "id,email\nx,a@one.example\n", 2, "no record id"),
        ("contacts", "id,lastname\n7,A\n7,B\n", 3, "there already"),
        ("contacts", "email\na@one.example\nA@one.example\n", 3, "there already"),
        ("contacts", "lastname,hs_email_optout\nA,maybe\n", 2, "valid boolean"),
        ("contacts", "lastname,createdate\nA,yesterday\n", 2, "no time"),
        ("contacts", "lastname,hubspot_owner_id\nA,me@us.example\n", 2, "no owner"),
        ("contacts", "lastname,companies.name\nA,Nowhere\n", 2, "no company"),
        ("contacts", "lastname,companies.size\nA,1\n", 1, "no relation"),
        ("contacts", "lastname,companies.id,companies.name\nA,1,\n", 1, "same records"),
        ("contacts", "First Name\nA\n", 1, "no property's name"),
        ("companies", "name,contacts.id\nA,1\n", 1, "no relation"),
        ("companies", "name,numberofemployees\nA,many\n", 2, "valid number"),
        ("owners", "id,mail\n1,a\n", 1, "no column"),
        ("owners", "id\n1\n1\n", 3, "there already"),
        ("owners", "id,active\n1,perhaps\n", 2, "neither true nor false"),
    ],
)
def test_a_mistake_names_its_line_and_loads_nothing(
    api: Api, folder: Path, name: str, text: str, place: int, words: str
) -> None:
    (folder / "tasks.csv").write_text("hs_task_subject,our_own\nCall,x\n")
    (folder / f"{name}.csv").write_text(text)
    with pytest.raises(InputError) as told:
        api.sandbox.load(folder)
    assert told.value.place == f"{folder / name}.csv:{place}"
    assert words in str(told.value)
    assert not any(api.sandbox.counts().values())
    assert api.call("GET", f"/crm/properties/{DATED}/tasks/our_own").status_code == 404


def test_an_ambiguous_company_is_a_mistake_where_it_is_named_on_purpose(
    api: Api, folder: Path
) -> None:
    (folder / "companies.csv").write_text("name\nTwin\nTwin\n")
    (folder / "contacts.csv").write_text("lastname,companies.name\nA,Twin\n")
    with pytest.raises(InputError, match="names 2 companies"):
        api.sandbox.load(folder)


def test_a_folder_without_files_is_told(api: Api, folder: Path) -> None:
    with pytest.raises(InputError, match="no file to load"):
        api.sandbox.load(folder)
    with pytest.raises(InputError, match="no such folder"):
        api.sandbox.load(folder / "nowhere")


def test_many_rows_are_loaded_in_order(api: Api, folder: Path) -> None:
    count = 4500  # more than two batches
    lines = [f"p{one}@one.example,N{one},C{one % 7}" for one in range(count)]
    (folder / "contacts.csv").write_text("\n".join(["email,lastname,companies.name", *lines, ""]))
    companies = [f"C{one}" for one in range(7)]
    (folder / "companies.csv").write_text("\n".join(["name", *companies, ""]))
    assert api.sandbox.load(folder)["contacts"] == count
    body = {
        "inputs": [{"id": f"p{one}@one.example"} for one in (0, 2001, 4499)],
        "idProperty": "email",
        "properties": ["lastname", "associatedcompanyid"],
    }
    found = api.ok("POST", f"/crm/objects/{DATED}/contacts/batch/read", body)["results"]
    names = {one["id"]: values(one, "name")[0] for one in shown(api, "companies", "name")}
    told = {
        one["properties"]["lastname"]: names[one["properties"]["associatedcompanyid"]]
        for one in found
    }
    assert told == {"N0": "C0", "N2001": f"C{2001 % 7}", "N4499": f"C{4499 % 7}"}
