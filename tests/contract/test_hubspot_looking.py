from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crm_sync.connector import ConfigError, Entity, Gone, Operation, Write
from crm_sync_hubspot import HubSpotConnector
from tests.support.hubspot_portal import (
    VERSION,
    Portal,
    a_portal,
    retitle,
    seed,
    titles,
)
from tests.support.hubspot_reading import (
    associate,
    create,
    gone,
    ids_of,
)

CONTACTS = f"/crm/objects/{VERSION}/contacts"
PRIMARY = "associations.companies.primary"
ALL = "associations.companies"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with a_portal(tmp_path) as portal:
        yield portal


@pytest.fixture
def crm(portal: Portal) -> Iterator[HubSpotConnector]:
    with closing(portal.connect()) as crm:
        yield crm


def test_a_merged_away_id_reads_as_nothing_and_not_as_its_survivor(
    portal: Portal, crm: HubSpotConnector
) -> None:
    first, second = seed(crm, ["a", "b"])
    both = portal.merge(first, second)
    assert titles(crm, [first, second, both, "no id", "1"]) == [None, None, "a", None, None]


def test_relations_are_read_and_pulled_primary_and_all(
    portal: Portal, crm: HubSpotConnector
) -> None:
    one, other, third = (create(portal, "companies", name=name) for name in "abc")
    alone, two, none = seed(crm, ["alone", "two", "none"])
    associate(portal, "contacts", "companies", {alone: third, two: one})
    associate(portal, "contacts", "companies", {two: other})
    wanted = {alone: (third, third), two: (one, f"{one};{other}"), none: (None, None)}
    fields = ["lastname", PRIMARY, ALL]
    read = {one.id: one.fields for one in crm.read(Entity.CONTACT, list(wanted), fields)}
    [page] = crm.pull(Entity.CONTACT, fields, cursor=None)
    pulled = {one.id: one.fields for one in page.records}
    assert {id: (got[PRIMARY], got[ALL]) for id, got in read.items()} == wanted
    assert pulled == read
    assert set(read[none]) == set(fields)
    [company] = crm.read(Entity.ACCOUNT, [one], ["name", "associations.contacts"])
    assert dict(company.fields) == {"name": "a", "associations.contacts": two}


def test_relations_cost_one_call_per_page_and_kind(portal: Portal, crm: HubSpotConnector) -> None:
    seed(crm, ["t"] * 250)
    before = portal.calls()
    pages = list(crm.pull(Entity.CONTACT, [PRIMARY, ALL], cursor=None))
    after = portal.calls()
    assert [len(page.records) for page in pages] == [100, 100, 50]
    asked = {name: n - before.get(name, 0) for name, n in after.items() if "associations" in name}
    assert sum(asked.values()) == 3


def test_a_company_with_more_contacts_than_one_answer_holds_has_them_all(
    portal: Portal, crm: HubSpotConnector
) -> None:
    company = create(portal, "companies", name="large")
    ids = seed(crm, ["t"] * 1100)
    associate(portal, "contacts", "companies", dict.fromkeys(ids, company))
    [record] = crm.read(Entity.ACCOUNT, [company], ["associations.contacts"])
    assert record.fields["associations.contacts"] == ";".join(sorted(ids, key=int))


@pytest.mark.parametrize(
    "name", ["associations.tickets", "associations.deals.primary", "Account.Name", "a.b.c.d", "."]
)
def test_a_relation_that_is_not_there_is_refused(crm: HubSpotConnector, name: str) -> None:
    with pytest.raises(ConfigError, match="no relation") as caught:
        crm.read(Entity.CONTACT, ["1"], [name])
    assert ALL in caught.value.fix
    with pytest.raises(ConfigError, match="cannot look records up"):
        crm.find(Entity.CONTACT, ALL, ["1"])


def test_a_unique_property_finds_at_once_and_another_once_search_shows_it(
    portal: Portal, crm: HubSpotConnector
) -> None:
    id = create(portal, "contacts", email="ada@acme.example", jobtitle="Boss")
    found = crm.find(Entity.CONTACT, "email", [" ADA@acme.example ", "nobody@acme.example"])
    assert [(one.id, dict(one.fields)) for one in found] == [(id, {"email": "ada@acme.example"})]
    assert crm.find(Entity.CONTACT, "jobtitle", ["boss"]) == []
    portal.settle()
    assert [one.id for one in crm.find(Entity.CONTACT, "jobtitle", ["boss", "chief"])] == [id]
    crm.write(retitle([id], "Clerk"))
    # Search still says Boss; the record no longer does.
    assert crm.find(Entity.CONTACT, "jobtitle", ["Boss"]) == []


def test_a_task_is_found_by_its_key_at_once(crm: HubSpotConnector) -> None:
    fields = {"hs_task_subject": "Call", "hs_timestamp": "2026-06-15", "crm_sync_key": "key-1"}
    [made] = crm.write([Write(Operation.CREATE, Entity.TASK, "t", fields=fields)])
    found = crm.find(Entity.TASK, "crm_sync_key", ["key-0", "key-1"])
    assert [one.id for one in found] == [made.record_id]


def test_long_values_are_looked_for_in_searches_that_hubspot_takes(
    portal: Portal, crm: HubSpotConnector
) -> None:
    wanted = [f"{n} " + "名" * 90 for n in range(40)] + ["x" * 2000, "y" * 2000]
    ids = seed(crm, wanted)
    portal.settle()
    found = crm.find(Entity.CONTACT, "jobtitle", [*wanted, "absent", " "])
    assert sorted(one.id for one in found) == sorted(ids)
    with pytest.raises(ConfigError, match="too long"):
        crm.find(Entity.CONTACT, "jobtitle", ["z" * 3000])


def test_more_records_than_a_page_share_a_value_and_are_all_found(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["Boss"] * 230)
    portal.settle()
    found = crm.find(Entity.CONTACT, "jobtitle", ["boss"])
    assert sorted(one.id for one in found) == sorted(ids)


def test_nothing_to_look_for_costs_no_search(portal: Portal, crm: HubSpotConnector) -> None:
    assert crm.find(Entity.CONTACT, "jobtitle", ["", "  "]) == []
    assert crm.read(Entity.CONTACT, ["no id", ""], ["jobtitle"]) == []
    assert {name for name in portal.calls() if "search" in name or "batch" in name} == set()


def test_an_object_describes_its_properties_and_relations(crm: HubSpotConnector) -> None:
    contact = {spec.name: spec for spec in crm.describe(Entity.CONTACT)}
    assert contact["jobtitle"].updateable
    assert not contact["hs_object_id"].updateable
    assert contact["crm_sync_job_change"].values == ("retitled", "moved", "left")
    assert contact["crm_sync_job_change"].restricted
    assert not contact["hubspot_owner_id"].restricted
    assert {name for name in contact if "." in name} == {ALL, PRIMARY, "associations.deals"}
    task = {spec.name: spec for spec in crm.describe(Entity.TASK)}
    assert task["crm_sync_key"].unique
    ends = {name: (spec.createable, spec.updateable) for name, spec in task.items() if "." in name}
    assert ends == {
        f"associations.{one}": (True, False) for one in ("contacts", "companies", "deals")
    }
    assert not contact[ALL].createable
    leads = {name: (one.targets, one.many) for name, one in contact.items() if one.targets}
    assert leads == {
        "hubspot_owner_id": ((Entity.COLLEAGUE,), False),
        ALL: ((Entity.ACCOUNT,), True),
        PRIMARY: ((Entity.ACCOUNT,), False),
        "associations.deals": ((Entity.DEAL,), True),
    }
    assert task["associations.contacts"].targets == (Entity.CONTACT,)


def put_owners(portal: Portal, *owners: Mapping[str, Any]) -> None:
    with portal.sandbox.portal.database.writing() as sql:
        sql.execute("DELETE FROM owner")
        for owner in owners:
            cells = (int(owner["id"]), json.dumps(owner), int(owner.get("archived", False)))
            sql.execute("INSERT INTO owner VALUES (?, ?, ?)", cells)


def owner(number: int, *, archived: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "email": f"colleague{number}@acme.example",
        "firstName": "Colleague",
        "lastName": str(number),
        "userId": 900 + number,
        "type": "PERSON",
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-02-01T00:00:00Z",
        "archived": archived,
        **more,
    }


def test_colleagues_are_always_pulled_as_a_whole_deactivated_ones_too(
    portal: Portal, crm: HubSpotConnector
) -> None:
    put_owners(portal, *(owner(n) for n in range(1, 604)), owner(700, archived=True))
    fields = ["name", "email", "active", "userId"]
    pages = list(crm.pull(Entity.COLLEAGUE, fields, cursor=None))
    records = {record.id: record for page in pages for record in page.records}
    assert (len(records), len(pages)) == (604, 3)
    assert [page.complete for page in pages] == [False, False, True]
    assert dict(records["7"].fields) == {
        "name": "Colleague 7",
        "email": "colleague7@acme.example",
        "active": "true",
        "userId": "907",
    }
    assert records["700"].fields["active"] == "false"
    modified = records["7"].modified
    assert modified
    assert modified.isoformat() == "2026-02-01T00:00:00+00:00"
    put_owners(portal, owner(1), owner(2, archived=True))
    resumed = list(crm.pull(Entity.COLLEAGUE, fields, cursor=pages[1].cursor))
    assert ids_of(resumed) == ["2"]
    again = list(crm.pull(Entity.COLLEAGUE, fields, cursor=pages[-1].cursor))
    assert {one.id: one.fields["active"] for page in again for one in page.records} == {
        "1": "true",
        "2": "false",
    }


def test_a_colleague_who_is_deactivated_leaves_a_filtered_pull(
    portal: Portal, crm: HubSpotConnector
) -> None:
    where = "active EQ true"
    put_owners(portal, owner(1), owner(2))
    [*_, last] = crm.pull(Entity.COLLEAGUE, ["name"], cursor=None, where=where)
    put_owners(portal, owner(1), owner(2, archived=True))
    pages = list(crm.pull(Entity.COLLEAGUE, ["name"], cursor=last.cursor, where=where))
    assert (ids_of(pages), gone(pages)) == (["1"], [Gone(Entity.COLLEAGUE, "2")])


def test_colleagues_are_read_and_found(portal: Portal, crm: HubSpotConnector) -> None:
    put_owners(portal, owner(1), owner(2, archived=True), owner(3, firstName=None, email=""))
    read = crm.read(Entity.COLLEAGUE, ["2", "3", "4"], ["Name", "email", "firstName"])
    assert {one.id: dict(one.fields) for one in read} == {
        "2": {
            "Name": "Colleague 2",
            "email": "colleague2@acme.example",
            "firstName": "Colleague",
        },
        "3": {"Name": "3", "email": None, "firstName": None},
    }
    found = crm.find(Entity.COLLEAGUE, "email", ["COLLEAGUE1@acme.example", ""])
    assert [one.id for one in found] == ["1"]
    assert [spec.name for spec in crm.describe(Entity.COLLEAGUE) if spec.updateable] == []
    with pytest.raises(ConfigError, match="owners have no field 'phone'"):
        crm.read(Entity.COLLEAGUE, ["1"], ["phone"])
