"""Records of the HubSpot sandbox one at a time, in lists, merged and erased."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.contacts import ApiException, PublicGdprDeleteInput, PublicMergeInput
from hubspot.crm.contacts import SimplePublicObjectInput as Changes
from hubspot.crm.contacts import SimplePublicObjectInputForCreate as New
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.sandbox.server import RunningServer
from crm_sync_hubspot.sandbox import HubSpotSandbox
from crm_sync_hubspot.sandbox.portal import Settings
from tests.support.hubspot_http import DATED, Api, Json, running

MERGED = "hs_merged_object_ids"
CONTACTS = f"/crm/objects/{DATED}/contacts"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


def read(api: Api, record_id: str, *properties: str, kind: str = "contacts", **query: Any) -> Json:
    query["properties"] = ",".join(properties)
    found: Json = api.ok("GET", f"/crm/objects/{DATED}/{kind}/{record_id}", params=query)
    return found


def status(api: Api, method: str, path: str, body: Any = None, **query: Any) -> int:
    return api.call(method, path, body, params=query).status_code


def test_a_contact_through_the_official_client(api: Api) -> None:
    client = HubSpot(access_token="any", host=api.url, base_url=api.url)
    contacts = client.crm.contacts.basic_api
    made = contacts.create(
        New(properties={"email": "Ada@One.example", "jobtitle": "Chef « 🚀 »"}, associations=[])
    )
    # HubSpot keeps addresses in lower case.
    assert made.properties["email"] == "ada@one.example"
    changed = contacts.update(made.id, Changes(properties={"jobtitle": "", "city": "Tours"}))
    assert changed.properties["jobtitle"] is None
    found = contacts.get_by_id(made.id, properties=["email", "city", "jobtitle", "phone"])
    assert (found.id, found.archived) == (made.id, False)
    assert found.properties["city"] == "Tours"
    assert found.properties["jobtitle"] is found.properties["phone"] is None
    assert found.updated_at >= made.updated_at
    contacts.archive(made.id)
    with pytest.raises(ApiException) as refused:
        contacts.get_by_id(made.id)
    assert refused.value.status == 404
    (gone,) = contacts.get_page(archived=True).results
    assert (gone.id, gone.archived) == (made.id, True)
    assert gone.archived_at is not None


def test_objects_answer_under_every_name_of_their_kind(api: Api) -> None:
    made = api.create("companies", name="Acme")
    for path in ("objects/2026-09/company", "objects/2026-03/0-2", "v3/objects/companies"):
        assert api.ok("GET", f"/crm/{path}/{made}")["properties"]["name"] == "Acme"
    assert status(api, "GET", f"/crm/objects/{DATED}/spaceships") == 404


@pytest.mark.parametrize("version", ["2026-90", "2062-09", "2026-9", "2025-07", "v7"])
def test_a_version_that_does_not_exist_is_no_path(api: Api, version: str) -> None:
    assert status(api, "GET", f"/crm/objects/{version}/contacts") == 404
    assert status(api, "GET", f"/crm/owners/{version}") == 404


def test_lists_go_on_where_a_page_ended(api: Api) -> None:
    made = [api.create("contacts", email=f"p{one}@one.example") for one in range(5)]
    first = api.ok("GET", CONTACTS, params={"limit": 2, "properties": ["email", "nonsense"]})
    assert [one["id"] for one in first["results"]] == made[:2]
    assert set(first["results"][0]["properties"]) == {
        "email",
        "createdate",
        "lastmodifieddate",
        "hs_object_id",
    }
    # The link is the same question with another `after`, so that following it pages as well.
    link = first["paging"]["next"]["link"].removeprefix(api.url)
    second = api.ok("GET", link)
    assert [one["id"] for one in second["results"]] == made[2:4]
    last = api.ok("GET", CONTACTS, params={"limit": 2, "after": second["paging"]["next"]["after"]})
    assert [one["id"] for one in last["results"]] == made[4:]
    assert "paging" not in last
    assert status(api, "GET", CONTACTS, limit=101) == 400
    assert status(api, "GET", CONTACTS, limit="many") == 400
    assert status(api, "GET", CONTACTS, limit=51, propertiesWithHistory="email") == 400


def test_times_are_the_portals(api: Api) -> None:
    made = api.create("tasks", hs_timestamp="2026-06-20T10:00:00+02:00")
    api.clock.advance(1.5)
    api.ok("PATCH", f"/crm/objects/{DATED}/tasks/{made}", {"properties": {"hs_task_subject": "x"}})
    answer = api.call("GET", f"/crm/objects/{DATED}/tasks/{made}?properties=hs_timestamp")
    found = answer.json()
    assert parsedate_to_datetime(answer.headers["Date"]) == api.clock.now.replace(microsecond=0)
    assert found["createdAt"] == "2026-06-15T12:00:00Z"
    assert found["properties"] == {
        "hs_createdate": "2026-06-15T12:00:00Z",
        "hs_lastmodifieddate": "2026-06-15T12:00:01.500Z",
        "hs_object_id": made,
        "hs_timestamp": "2026-06-20T08:00:00Z",
    }


def test_every_write_moves_the_modified_date_even_when_nothing_changes(api: Api) -> None:
    made = api.create("contacts", lastname="Roy")
    path = f"{CONTACTS}/{made}"
    stamps = [read(api, made)["updatedAt"]]
    # The clock stands still: times must move none the less.
    same = {"properties": {"lastname": "Roy"}}
    stamps += [api.ok("PATCH", path, same)["updatedAt"] for _ in range(3)]
    assert len(set(stamps)) == 4


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("nonsense", "x", "PROPERTY_DOESNT_EXIST"),
        ("lifecyclestage", "Customer", "INVALID_OPTION"),
        ("hs_buying_role", "CHAMPION;nobody", "INVALID_OPTION"),
        ("hs_email_optout", "yes", "INVALID_BOOLEAN"),
        ("createdate", "2026-01-01T00:00:00Z", "READ_ONLY_VALUE"),
        ("hs_merged_object_ids", "1", "READ_ONLY_VALUE"),
        ("hubspot_owner_id", "7", "INVALID_OWNER_ID"),
        ("email", "nobody", "INVALID_EMAIL"),
        ("jobtitle", "x" * 65_537, "PROPERTY_VALUE_TOO_LONG"),
        ("jobtitle", ["x"], "INVALID_VALUE"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(api: Api, name: str, value: Any, code: str) -> None:
    answer = api.call("POST", CONTACTS, {"properties": {"lastname": "Roy", name: value}})
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["category"]) == ("error", "VALIDATION_ERROR")
    assert f'"error": "{code}"' in body["message"]
    assert body["errors"][0]["code"] == code
    assert body["errors"][0]["context"]["propertyName"] == [name]
    assert api.ok("GET", CONTACTS)["results"] == []


@pytest.mark.parametrize(
    ("kind", "name", "value", "stored"),
    [
        ("companies", "numberofemployees", "1,000", None),
        ("companies", "numberofemployees", 12.5, "12.5"),
        ("companies", "numberofemployees", "-3e2", "-3e2"),
        ("deals", "closedate", "1767225600000", "2026-01-01T00:00:00Z"),
        ("deals", "closedate", "2026-01-01", "2026-01-01T00:00:00Z"),
        ("deals", "closedate", "1.1.2026", None),
        ("contacts", "hs_email_optout", True, "true"),
        ("contacts", "hs_email_optout", "FALSE", "false"),
        ("contacts", "hs_buying_role", "CHAMPION;INFLUENCER", "CHAMPION;INFLUENCER"),
        ("contacts", "firstname", "  \u2028é\r\n", "  \u2028é\r\n"),
    ],
)
def test_values_are_kept_as_text(api: Api, kind: str, name: str, value: Any, stored: Any) -> None:
    answer = api.call("POST", f"/crm/objects/{DATED}/{kind}", {"properties": {name: value}})
    if stored is None:
        assert answer.status_code == 400
    else:
        assert answer.status_code == 201
        assert read(api, answer.json()["id"], name, kind=kind)["properties"][name] == stored


def test_what_the_portal_calculates(api: Api) -> None:
    deal = api.create("deals", dealname="D", dealstage="closedwon")
    names = ("hs_is_closed", "hs_is_closed_won")
    assert [read(api, deal, *names, kind="deals")["properties"][one] for one in names] == [
        "true",
        "true",
    ]
    task = f"/crm/objects/{DATED}/tasks"
    made = api.call("POST", task, {"properties": {"hs_task_subject": "no time"}})
    assert made.status_code == 400
    assert made.json()["context"] == {"properties": ["hs_timestamp"]}


def test_a_record_is_found_by_a_unique_value_in_any_case(api: Api) -> None:
    made = api.create("contacts", email="ada@one.example")
    assert read(api, "ADA@one.example", idProperty="email")["id"] == made
    assert status(api, "GET", f"{CONTACTS}/x", idProperty="lastname") == 400
    assert status(api, "GET", f"{CONTACTS}/bob@one.example", idProperty="email") == 404
    again = api.call("POST", CONTACTS, {"properties": {"email": "Ada@one.example"}})
    assert (again.status_code, again.json()["category"]) == (409, "CONFLICT")
    assert again.json()["message"] == f"Contact already exists. Existing ID: {made}"


def test_an_archived_contact_frees_its_address(api: Api) -> None:
    first = api.create("contacts", email="ada@one.example")
    for _ in range(2):  # archiving what is archived is no mistake
        assert status(api, "DELETE", f"{CONTACTS}/{first}") == 204
    assert status(api, "DELETE", f"{CONTACTS}/1") == 404
    second = api.create("contacts", email="ada@one.example")
    assert read(api, "ada@one.example", idProperty="email")["id"] == second
    assert read(api, first, "email", archived="true")["properties"]["email"] == "ada@one.example"
    assert status(api, "PATCH", f"{CONTACTS}/{first}", {"properties": {}}) == 404


def test_associations_come_with_a_record(api: Api) -> None:
    company = api.create("companies", name="Acme")
    body = {
        "properties": {"lastname": "Roy"},
        "associations": [
            {
                "to": {"id": company},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}],
            }
        ],
    }
    made = api.ok("POST", CONTACTS, body)["id"]
    shown = api.ok("GET", CONTACTS, params={"associations": "companies,deals"})["results"][0]
    assert {one["id"] for one in shown["associations"]["companies"]["results"]} == {company}
    assert read(api, made, "associatedcompanyid")["properties"]["associatedcompanyid"] == company
    body["associations"][0]["to"] = {"id": "1"}  # type: ignore[index]
    assert status(api, "POST", CONTACTS, body) == 400
    assert len(api.ok("GET", CONTACTS)["results"]) == 1


def test_a_merge_makes_a_new_record_that_answers_for_both(api: Api) -> None:
    old, other, third = (
        api.create("contacts", email=f"{name}@one.example", **more)
        for name, more in (("a", {"city": "Tours"}), ("b", {"phone": "1"}), ("c", {}))
    )
    client = HubSpot(access_token="any", host=api.url, base_url=api.url).crm.contacts
    merging = client.basic_api
    api.clock.advance(1)
    first = merging.merge(PublicMergeInput(primary_object_id=old, object_id_to_merge=other))
    assert first.id not in (old, other)
    # A chain: the survivor of the first merge is merged again, named by an id that is gone.
    last = merging.merge(PublicMergeInput(primary_object_id=third, object_id_to_merge=other))
    assert last.id not in (old, other, third, first.id)
    names = ("email", "city", "phone", "hs_merged_object_ids", "hs_additional_emails")
    for asked in (old, other, third, first.id, last.id):
        found = read(api, asked, *names)
        assert found["id"] == last.id
    held = found["properties"]
    assert set(held["hs_merged_object_ids"].split(";")) == {old, other, first.id, third}
    assert (held["email"], held["city"], held["phone"]) == ("c@one.example", "Tours", "1")
    assert set(held["hs_additional_emails"].split(";")) == {"a@one.example", "b@one.example"}
    assert [one["id"] for one in api.ok("GET", CONTACTS)["results"]] == [last.id]
    assert api.ok("GET", CONTACTS, params={"archived": "true"})["results"] == []
    # Every address still leads to the person, and belongs to nobody else.
    assert read(api, "a@one.example", idProperty="email")["id"] == last.id
    assert status(api, "POST", CONTACTS, {"properties": {"email": "b@one.example"}}) == 409
    itself = {"primaryObjectId": old, "objectIdToMerge": third}
    assert status(api, "POST", f"{CONTACTS}/merge", itself) == 400


def test_a_merge_may_keep_the_primary_id(tmp_path: Path) -> None:
    with running(tmp_path / "portal.db", Settings(merge_keeps_id=True)) as api:
        one, two = api.create("companies", name="One"), api.create("companies", name="Two")
        merged = api.ok(
            "POST",
            f"/crm/objects/{DATED}/companies/merge",
            {"primaryObjectId": one, "objectIdToMerge": two},
        )
        assert merged["id"] == one
        assert merged["properties"]["name"] == "One"
        assert merged["properties"]["hs_merged_object_ids"] == two
        assert read(api, two, kind="companies")["id"] == one


def test_a_person_is_erased_without_a_trace(api: Api) -> None:
    one, two = (api.create("contacts", email=f"{name}@one.example") for name in "ab")
    merged = api.ok("POST", f"{CONTACTS}/merge", {"primaryObjectId": one, "objectIdToMerge": two})[
        "id"
    ]
    client = HubSpot(access_token="any", host=api.url, base_url=api.url).crm.contacts
    client.basic_api.purge(PublicGdprDeleteInput(object_id="a@one.example", id_property="email"))
    for record_id in (one, two, merged):
        assert status(api, "GET", f"{CONTACTS}/{record_id}") == 404
        assert status(api, "GET", f"{CONTACTS}/{record_id}", archived="true") == 404
    assert api.ok("GET", CONTACTS, params={"archived": "true"})["results"] == []
    with api.sandbox.portal.database.reading() as sql:
        assert sql.execute("SELECT count(*) FROM object").fetchone() == (0,)
        assert sql.execute("SELECT count(*) FROM unique_value").fetchone() == (0,)


def test_what_there_is_survives_the_process(tmp_path: Path) -> None:
    with running(tmp_path / "portal.db") as api:
        made = api.create("contacts", email="ada@one.example")
    with running(tmp_path / "portal.db") as api:
        assert read(api, made, "email")["properties"]["email"] == "ada@one.example"
        assert api.create("contacts", email="bob@one.example") > made


def test_control_end_points(api: Api) -> None:
    settings = api.ok("POST", "/sandbox/settings", {"index_delay": 7, "missing_scopes": ["x"]})
    assert (settings["index_delay"], settings["missing_scopes"]) == (7.0, ["x"])
    assert api.ok("GET", "/sandbox/settings") == settings
    assert status(api, "POST", "/sandbox/settings", {"nonsense": 1}) == 400
    assert status(api, "POST", "/sandbox/settings", {"daily": -1}) == 400
    before = api.sandbox.portal.now()
    api.ok("POST", "/sandbox/clock", {"advance": 90})
    assert (api.sandbox.portal.now() - before).total_seconds() == 90
    assert status(api, "POST", "/sandbox/clock", {"advance": -1}) == 400
    api.ok("POST", "/sandbox/tokens/revoke")
    assert status(api, "GET", CONTACTS) == 401
    api.ok("DELETE", "/sandbox/tokens/revoke")
    assert status(api, "GET", CONTACTS) == 200


def test_an_unknown_path_and_a_broken_body_are_told_in_hubspots_shape(api: Api) -> None:
    lost = api.call("GET", "/crm/nonsense")
    assert (lost.status_code, lost.json()["status"]) == (404, "error")
    broken = api.session.post(f"{api.url}{CONTACTS}", data=b"{")
    assert (broken.status_code, broken.json()["category"]) == (400, "VALIDATION_ERROR")


def test_the_sandbox_says_what_it_holds_and_how_to_connect(api: Api) -> None:
    api.create("contacts", lastname="Roy")
    up = api.ok("GET", "/")
    assert (up["name"], up["rows"]["contacts"]) == ("hubspot", 1)
    block = HubSpotSandbox.connection_block(api.sandbox, api.url)
    assert f"base_url: {api.url}" in block
    assert isinstance(api.sandbox.start(), RunningServer)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("cuamd"), st.integers(0, 9), st.integers(0, 9))))
def test_whatever_happens_each_person_and_each_address_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    """Creates, updates, archives, merges and erasures in any order, refused ones included."""
    ids: list[str] = []
    erased: set[str] = set()
    with running(tmp_path_factory.mktemp("portal") / "portal.db") as api:
        api.sandbox.portal.settings.ten_secondly = 10_000
        for act, one, two in steps:
            _carry_out(api, act, one, two, ids)
        api.clock.advance(10)
        live = {one["id"]: one for one in listed(api, "email", "hs_additional_emails", MERGED)}
        gone = {one["id"] for one in listed(api, MERGED, archived="true")}
        merged = [
            one
            for record in live.values()
            for one in (record["properties"][MERGED] or "").split(";")
            if one
        ]
        assert len(merged) == len(set(merged))  # nobody went into two records
        assert not {*merged} & {*live}
        for record_id in ids:
            answer = api.call("GET", f"{CONTACTS}/{record_id}")
            if answer.status_code == 200:
                assert answer.json()["id"] in live
                assert record_id in live or record_id in merged
            else:
                erased.add(record_id)
                assert record_id not in live
        assert {*live} | gone | {*merged} | erased >= {*ids}
        held = [address for record in live.values() for address in addresses(record)]
        assert len(held) == len(set(held))
        for address in held:
            found = read(api, address, idProperty="email")
            assert address in addresses(live[found["id"]])
        assert sorted(api.found("contacts", limit=200)) == sorted(live)


def _carry_out(api: Api, act: str, one: int, two: int, ids: list[str]) -> None:
    """One step: the numbers choose among the records made so far, and among ten addresses."""
    email = {"properties": {"email": f"p{two}@one.example"}}
    if act == "c":
        answer = api.call("POST", CONTACTS, email)
    elif not ids:
        return
    elif act == "u":
        answer = api.call("PATCH", f"{CONTACTS}/{ids[one % len(ids)]}", email)
    elif act == "a":
        answer = api.call("DELETE", f"{CONTACTS}/{ids[one % len(ids)]}")
    elif act == "m":
        pair = {"primaryObjectId": ids[one % len(ids)], "objectIdToMerge": ids[two % len(ids)]}
        answer = api.call("POST", f"{CONTACTS}/merge", pair)
    else:
        answer = api.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": ids[one % len(ids)]})
    assert answer.status_code in (200, 201, 204, 400, 404, 409), answer.text
    made = answer.json().get("id") if answer.ok and answer.content else None
    if act in "cm" and made is not None:
        ids.append(made)


def listed(api: Api, *properties: str, **query: str) -> list[Json]:
    asked = {"limit": "100", "properties": ",".join(properties), **query}
    found: list[Json] = api.ok("GET", CONTACTS, params=asked)["results"]
    return found


def addresses(record: Json) -> list[str]:
    held = [record["properties"]["email"] or ""]
    held += (record["properties"]["hs_additional_emails"] or "").split(";")
    return [one for one in held if one]
