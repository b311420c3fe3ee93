"""Associations in the HubSpot sandbox: kinds, primary companies, batches, pages and labels."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from crm_sync.sandbox.calls import Calls
from crm_sync_hubspot.sandbox.associations import associate, dissociate, move_all, of, remove_all
from crm_sync_hubspot.sandbox.linktypes import Spec
from crm_sync_hubspot.sandbox.portal import Portal
from crm_sync_hubspot.sandbox.rows import Row, get, insert_at_once
from tests.support.hubspot_http import DATED, Api, Json, running

PRIMARY = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
NEEDED = {"tasks": {"hs_timestamp": "2026-06-20T08:00:00Z", "hs_task_subject": "Call"}}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


def spec(type_id: int, category: str = "HUBSPOT_DEFINED") -> Json:
    return {"associationCategory": category, "associationTypeId": type_id}


def pair(one: str, other: str, *type_ids: int) -> Json:
    types = [spec(type_id) for type_id in type_ids]
    return {"from": {"id": one}, "to": {"id": other}, "types": types}


def batch(api: Api, ends: str, act: str, *inputs: Json) -> Json:
    path = f"/crm/associations/{DATED}/{ends}/batch/{act}"
    return dict(api.ok("POST", path, {"inputs": list(inputs)}))


def contact(api: Api, number: int = 1) -> str:
    return api.create("contacts", email=f"contact{number}@one.example")


def company(api: Api, number: int = 1) -> str:
    return api.create("companies", name=f"Company {number}")


def task(api: Api) -> str:
    return api.create("tasks", **NEEDED["tasks"])


def ends(api: Api, names: str, id: str) -> dict[str, list[int]]:
    """The associated ids of a record, each with the numbers of its kinds."""
    answer = batch(api, names, "read", {"id": id})
    found = [one for row in answer["results"] for one in row["to"]]
    return {
        one["toObjectId"]: [kind["typeId"] for kind in one["associationTypes"]] for one in found
    }


def primary_of(api: Api, contact_id: str) -> str | None:
    path = f"/crm/objects/{DATED}/contacts/{contact_id}?properties=associatedcompanyid"
    value = api.ok("GET", path)["properties"]["associatedcompanyid"]
    return None if value is None else str(value)


# Kinds and directions


def test_a_task_is_linked_to_contact_company_and_deal(api: Api) -> None:
    made, deal = task(api), api.create("deals", dealname="Deal")
    who, where = contact(api), company(api)
    for names, other, there, back in (
        ("contacts", who, 204, 203),
        ("companies", where, 192, 191),
        ("deals", deal, 216, 215),
    ):
        batch(api, f"tasks/{names}", "create", pair(made, other, there))
        assert ends(api, f"tasks/{names}", made) == {other: [there]}
        assert ends(api, f"{names}/tasks", other) == {made: [back]}


def test_linking_again_changes_nothing(api: Api) -> None:
    made, who = task(api), contact(api)
    for _ in range(2):
        answer = batch(api, "tasks/contacts", "create", pair(made, who, 204))
        assert answer["results"] == [
            {
                "fromObjectTypeId": "0-27",
                "fromObjectId": made,
                "toObjectTypeId": "0-1",
                "toObjectId": who,
                "labels": [],
            }
        ]
    assert ends(api, "tasks/contacts", made) == {who: [204]}


def test_a_kind_that_does_not_fit_refuses_the_whole_batch(api: Api) -> None:
    made, who = task(api), contact(api)
    answer = api.call(
        "POST",
        f"/crm/associations/{DATED}/tasks/contacts/batch/create",
        {"inputs": [pair(made, who, 204), pair(made, who, 192)]},
    )
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert ends(api, "tasks/contacts", made) == {}


def test_a_missing_record_is_told_and_the_others_are_done(api: Api) -> None:
    made, who = task(api), contact(api)
    gone = contact(api, 2)
    api.ok("DELETE", f"/crm/objects/{DATED}/contacts/{gone}")
    answer = batch(
        api,
        "tasks/contacts",
        "create",
        pair(made, gone, 204),
        pair(made, who, 204),
        pair("987", who, 204),
    )
    assert [one["toObjectId"] for one in answer["results"]] == [who]
    assert answer["numErrors"] == 2
    contexts = [one["context"] for one in answer["errors"]]
    assert [(c["fromObjectId"], c["toObjectId"]) for c in contexts] == [
        ([made], [gone]),
        (["987"], [who]),
    ]
    assert {one["category"] for one in answer["errors"]} == {"OBJECT_NOT_FOUND"}


def test_an_association_does_not_move_the_modified_date(api: Api) -> None:
    who, where = contact(api), company(api)
    before = api.ok("GET", f"/crm/objects/{DATED}/contacts/{who}")["updatedAt"]
    api.clock.advance(60)
    batch(api, "contacts/companies", "create", pair(who, where, 1))
    assert api.ok("GET", f"/crm/objects/{DATED}/contacts/{who}")["updatedAt"] == before
    assert primary_of(api, who) == where


# The primary company


def test_the_first_company_is_the_primary_one(api: Api) -> None:
    who, first, second = contact(api), company(api, 1), company(api, 2)
    batch(api, "contacts/companies", "create", pair(who, first, 279))
    batch(api, "contacts/companies", "create", pair(who, second, 279))
    assert ends(api, "contacts/companies", who) == {first: [279, 1], second: [279]}
    assert primary_of(api, who) == first


@pytest.mark.parametrize("backwards", [False, True])
def test_a_new_primary_company_demotes_the_old_one(api: Api, backwards: bool) -> None:
    who, first, second = contact(api), company(api, 1), company(api, 2)
    batch(api, "contacts/companies", "create", pair(who, first, 1))
    if backwards:
        batch(api, "companies/contacts", "create", pair(second, who, 2))
    else:
        batch(api, "contacts/companies", "create", pair(who, second, 1))
    assert ends(api, "contacts/companies", who) == {first: [279], second: [279, 1]}
    assert ends(api, "companies/contacts", first) == {who: [280]}
    assert ends(api, "companies/contacts", second) == {who: [280, 2]}
    assert primary_of(api, who) == second


def test_a_label_goes_alone_and_the_plain_kind_takes_all(api: Api) -> None:
    who, where = contact(api), company(api)
    batch(api, "contacts/companies", "create", pair(who, where, 1))
    batch(api, "contacts/companies", "labels/archive", pair(who, where, 1))
    assert ends(api, "contacts/companies", who) == {where: [279]}
    assert primary_of(api, who) is None
    batch(api, "contacts/companies", "create", pair(who, where, 1))
    batch(api, "contacts/companies", "labels/archive", pair(who, where, 279))
    assert ends(api, "contacts/companies", who) == {}


def test_archived_records_lose_their_associations(api: Api) -> None:
    who, where = contact(api), company(api)
    batch(api, "contacts/companies", "create", pair(who, where, 1))
    api.ok("DELETE", f"/crm/objects/{DATED}/companies/{where}")
    assert ends(api, "contacts/companies", who) == {}
    assert primary_of(api, who) is None


def test_a_merge_moves_what_the_merged_record_had(api: Api) -> None:
    made, first, second = task(api), company(api, 1), company(api, 2)
    stays, goes = contact(api, 1), contact(api, 2)
    batch(api, "contacts/companies", "create", pair(stays, first, 1), pair(goes, second, 1))
    batch(api, "tasks/contacts", "create", pair(made, goes, 204))
    body = {"primaryObjectId": stays, "objectIdToMerge": goes}
    new = api.ok("POST", f"/crm/objects/{DATED}/contacts/merge", body)["id"]
    assert ends(api, "contacts/companies", new) == {first: [279, 1], second: [279]}
    assert ends(api, "tasks/contacts", made) == {new: [204]}
    assert primary_of(api, new) == first


def test_contacts_follow_a_merged_company(api: Api) -> None:
    who, stays, goes = contact(api), company(api, 1), company(api, 2)
    batch(api, "contacts/companies", "create", pair(who, goes, 1))
    body = {"primaryObjectId": stays, "objectIdToMerge": goes}
    new = api.ok("POST", f"/crm/objects/{DATED}/companies/merge", body)["id"]
    assert ends(api, "contacts/companies", who) == {new: [279, 1]}
    assert primary_of(api, who) == new


# Batches, pages and single pairs


def test_records_without_associations_are_errors_of_a_read(api: Api) -> None:
    who, alone, where = contact(api, 1), contact(api, 2), company(api)
    batch(api, "contacts/companies", "create", pair(who, where, 1))
    answer = batch(api, "contacts/companies", "read", {"id": who}, {"id": alone}, {"id": "5"})
    assert [one["from"]["id"] for one in answer["results"]] == [who]
    assert [one["context"]["fromObjectId"] for one in answer["errors"]] == [[alone], ["5"]]
    codes = {one["subCategory"] for one in answer["errors"]}
    assert codes == {"crm.associations.NO_ASSOCIATIONS_FOUND"}
    inputs = {"inputs": [{"id": alone}]}
    older = api.call("POST", "/crm/v4/associations/contacts/companies/batch/read", inputs)
    assert older.status_code == 207


@pytest.mark.parametrize(("act", "most"), [("read", 1_000), ("create", 2_000)])
def test_a_batch_has_a_limit(api: Api, act: str, most: int) -> None:
    path = f"/crm/associations/{DATED}/contacts/companies/batch/{act}"
    one: Json = {"id": "1"} if act == "read" else pair("1", "2", 1)
    assert api.call("POST", path, {"inputs": [one] * most}).status_code == 200
    assert api.call("POST", path, {"inputs": [one] * (most + 1)}).status_code == 400


def test_more_than_five_hundred_associations_come_in_pages(api: Api) -> None:
    where = company(api)
    inputs = [{"properties": {"email": f"c{n}@one.example"}} for n in range(520)]
    made: list[str] = []
    for start in range(0, len(inputs), 100):
        body = {"inputs": inputs[start : start + 100]}
        answer = api.ok("POST", f"/crm/objects/{DATED}/contacts/batch/create", body)
        made += [one["id"] for one in answer["results"]]
    batch(api, "contacts/companies", "create", *(pair(one, where, 1) for one in made))
    first = batch(api, "companies/contacts", "read", {"id": where})["results"][0]
    assert len(first["to"]) == 500
    after = first["paging"]["next"]["after"]
    second = batch(api, "companies/contacts", "read", {"id": where, "after": after})["results"][0]
    assert "paging" not in second
    seen = [one["toObjectId"] for page in (first, second) for one in page["to"]]
    assert sorted(seen) == sorted(made)
    path = f"/crm/objects/{DATED}/companies/{where}/associations/contacts"
    page = api.ok("GET", path, params={"limit": "10", "after": after})
    assert [one["toObjectId"] for one in page["results"]] == seen[500:510]
    assert page["paging"]["next"]["after"] == seen[509]


def test_one_pair_is_put_and_deleted(api: Api) -> None:
    who, where = contact(api), company(api)
    path = f"/crm/objects/{DATED}/contacts/{who}/associations/companies/{where}"
    answer = api.call("PUT", path, [PRIMARY])
    assert (answer.status_code, answer.json()["labels"]) == (201, ["Primary"])
    assert ends(api, "contacts/companies", who) == {where: [279, 1]}
    assert api.call("DELETE", path).status_code == 204
    assert ends(api, "contacts/companies", who) == {}
    default = path.replace("/associations/", "/associations/default/")
    made = api.ok("PUT", default)["results"]
    assert [one["associationSpec"]["associationTypeId"] for one in made] == [279, 1]
    missing = path.replace(where, "12345")
    assert api.call("PUT", missing, [PRIMARY]).status_code == 404


def test_batches_of_defaults_and_archives(api: Api) -> None:
    made, who = task(api), contact(api)
    ids: Json = {"from": {"id": made}, "to": {"id": who}}
    answer = batch(api, "tasks/contacts", "associate/default", ids, {**ids, "to": {"id": "5"}})
    assert answer["results"] == [{**ids, "associationSpec": spec(204)}]
    assert answer["numErrors"] == 1
    batch(api, "tasks/contacts", "archive", {"from": {"id": made}, "to": [{"id": who}]})
    assert ends(api, "tasks/contacts", made) == {}


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("create", None),
        ("create", {"inputs": []}),
        ("create", {"inputs": ["1"]}),
        ("create", {"inputs": [{"from": {"id": "1"}, "to": {"id": "2"}}]}),
        ("create", {"inputs": [{"from": {"id": "1"}, "to": {"id": "2"}, "types": [7]}]}),
        ("create", {"inputs": [{"from": {"id": "1"}, "to": {"id": "2"}, "types": [{}]}]}),
        ("create", {"inputs": [{"from": {"id": "1"}, "types": [PRIMARY]}]}),
        ("create", {"inputs": [{"from": {"id": None}, "to": "2", "types": [PRIMARY]}]}),
        ("read", {"inputs": [{"id": "1"}, {}]}),
        ("archive", {"inputs": [{"from": {"id": "1"}}]}),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(api: Api, act: str, body: Any) -> None:
    for base in (f"/crm/associations/{DATED}", "/crm/v3/associations"):
        path = f"{base}/contacts/companies/batch/{act}"
        answer = api.call("POST", path, body)
        assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_pairs_without_associations_are_refused(api: Api) -> None:
    path = f"/crm/associations/{DATED}/tasks/notes/batch/read"
    assert api.call("POST", path, {"inputs": [{"id": "1"}]}).status_code == 400
    path = f"/crm/associations/{DATED}/tasks/rockets/batch/read"
    assert api.call("POST", path, {"inputs": [{"id": "1"}]}).status_code == 404
    for page in (f"/crm/objects/{DATED}", "/crm/v3/objects"):
        assert api.call("GET", f"{page}/contacts/5/associations/companies").status_code == 404


# Labels


def test_a_portal_adds_renames_and_removes_labels(api: Api) -> None:
    path = f"/crm/associations/{DATED}/contacts/companies/labels"
    listed = [one["typeId"] for one in api.ok("GET", path)["results"]]
    assert listed == [279, 1]
    body = {"label": "Advises", "inverseLabel": "Is advised by", "name": "advises"}
    mine, back = api.ok("POST", path, body)["results"]
    assert (mine["label"], back["label"]) == ("Advises", "Is advised by")
    who, where = contact(api), company(api)
    types = [spec(mine["typeId"], "USER_DEFINED")]
    inputs = {"inputs": [{**pair(who, where), "types": types}]}
    made = api.ok("POST", f"/crm/associations/{DATED}/contacts/companies/batch/create", inputs)
    assert made["results"][0]["labels"] == ["Advises"]
    assert ends(api, "companies/contacts", where) == {who: [280, back["typeId"], 2]}
    api.ok("PUT", path, {"associationTypeId": mine["typeId"], "label": "Counsels"})
    assert "Counsels" in [one["label"] for one in api.ok("GET", path)["results"]]
    assert api.call("POST", path, {"label": "Counsels", "name": "other"}).status_code == 400
    api.ok("DELETE", f"{path}/{mine['typeId']}")
    assert ends(api, "companies/contacts", where) == {who: [280, 2]}
    assert api.call("DELETE", f"{path}/1").status_code == 404


# Reads of records and older versions


def test_reads_of_records_name_their_associations(api: Api) -> None:
    who, where = contact(api), company(api)
    batch(api, "contacts/companies", "create", pair(who, where, 1))
    path = f"/crm/objects/{DATED}/contacts/{who}?associations=companies,deals"
    assert api.ok("GET", path)["associations"] == {
        "companies": {
            "results": [
                {"id": where, "type": "contact_to_company_unlabeled"},
                {"id": where, "type": "contact_to_company"},
            ]
        }
    }


def test_a_record_is_created_with_its_associations(api: Api) -> None:
    who = contact(api)
    body = {
        "properties": NEEDED["tasks"],
        "associations": [{"to": {"id": who}, "types": [spec(204)]}],
    }
    made = api.ok("POST", f"/crm/objects/{DATED}/tasks", body)["id"]
    assert ends(api, "tasks/contacts", made) == {who: [204]}
    body["associations"] = [{"to": {"id": who}, "types": [spec(192)]}]
    assert api.call("POST", f"/crm/objects/{DATED}/tasks", body).status_code == 400


def test_version_three_names_the_kinds(api: Api) -> None:
    made, who = task(api), contact(api)
    one = {"from": {"id": made}, "to": {"id": who}, "type": "task_to_contact"}
    base = "/crm/v3/associations/tasks/contacts"
    answer = api.call("POST", f"{base}/batch/create", {"inputs": [one]})
    assert (answer.status_code, answer.json()["results"]) == (201, [one])
    read = api.ok("POST", f"{base}/batch/read", {"inputs": [{"id": made}]})["results"]
    assert read == [{"from": {"id": made}, "to": [{"id": who, "type": "task_to_contact"}]}]
    single = f"/crm/v3/objects/tasks/{made}/associations/contacts"
    assert api.ok("GET", single)["results"] == read[0]["to"]
    api.ok("DELETE", f"{single}/{who}/204")
    assert api.ok("GET", single)["results"] == []
    api.ok("PUT", f"{single}/{who}/task_to_contact")
    api.ok("POST", f"{base}/batch/archive", {"inputs": [one]})
    assert api.ok("GET", single)["results"] == []
    assert api.ok("GET", f"{base}/types")["results"] == [{"id": "204", "name": "task_to_contact"}]


# Laws, whatever happens in whatever order

CONTACT_IDS, COMPANY_IDS = (1, 2, 3), (11, 12, 13)
HUBSPOT = "HUBSPOT_DEFINED"
_ENDS = {"contact": st.sampled_from(CONTACT_IDS), "company": st.sampled_from(COMPANY_IDS)}
_KINDS = st.sampled_from([1, 279])


class Associated(RuleBasedStateMachine):
    """Contacts and companies, associated and parted at random."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.portal = Portal(Path(self.folder.name) / "portal.db", Calls())
        with self.portal.database.writing() as sql:
            rows = [Row("contacts", id, {}, 0, 0) for id in CONTACT_IDS]
            rows += [Row("companies", id, {}, 0, 0) for id in COMPANY_IDS]
            insert_at_once(sql, rows)

    @rule(kind=_KINDS, **_ENDS)
    def join(self, contact: int, company: int, kind: int) -> None:
        with self.portal.database.writing() as sql:
            associate(sql, "contacts", contact, "companies", company, [Spec(HUBSPOT, kind)])
            assert (company in self.primaries(sql)[contact]) or kind == 279

    @rule(kind=_KINDS, **_ENDS)
    def join_backwards(self, contact: int, company: int, kind: int) -> None:
        with self.portal.database.writing() as sql:
            back = Spec(HUBSPOT, {1: 2, 279: 280}[kind])
            associate(sql, "companies", company, "contacts", contact, [back])

    @rule(kind=_KINDS, **_ENDS)
    def part(self, contact: int, company: int, kind: int) -> None:
        with self.portal.database.writing() as sql:
            dissociate(sql, "contacts", contact, "companies", company, [Spec(HUBSPOT, kind)])
            assert company not in self.primaries(sql)[contact]

    @rule(**_ENDS)
    def forget(self, contact: int, company: int) -> None:
        with self.portal.database.writing() as sql:
            remove_all(sql, "companies", company)
            assert company not in {one for held in self.primaries(sql).values() for one in held}

    @rule(old=_ENDS["contact"], new=_ENDS["contact"])
    def merge_contacts(self, old: int, new: int) -> None:
        if old != new:
            self.merge("contacts", old, new)

    @rule(old=_ENDS["company"], new=_ENDS["company"])
    def merge_companies(self, old: int, new: int) -> None:
        if old != new:
            self.merge("companies", old, new)

    def merge(self, kind: str, old: int, new: int) -> None:
        other = {"contacts": "companies", "companies": "contacts"}[kind]
        with self.portal.database.writing() as sql:
            both = of(sql, kind, [old, new], other)
            ends = {link.to_id for links in both.values() for link in links}
            move_all(sql, kind, old, new)
            after = of(sql, kind, [old, new], other)
        assert {link.to_id for link in after.get(new, [])} == ends
        assert old not in after

    def primaries(self, sql: Any) -> dict[int, list[int]]:
        links = of(sql, "contacts", CONTACT_IDS, "companies")
        return {
            id: [one.to_id for one in links.get(id, []) if any(kind.primary for kind in one.types)]
            for id in CONTACT_IDS
        }

    @invariant()
    def both_ends_say_the_same(self) -> None:
        with self.portal.database.reading() as sql:
            there = of(sql, "contacts", CONTACT_IDS, "companies")
            back = of(sql, "companies", COMPANY_IDS, "contacts")
        seen = {
            (id, one.to_id, kind.spec)
            for id, ls in there.items()
            for one in ls
            for kind in one.types
        }
        mirrored = {
            (one.to_id, id, kind.inverse)
            for id, ls in back.items()
            for one in ls
            for kind in one.types
        }
        assert seen == mirrored
        assert all(one.types[0].label is None for ls in there.values() for one in ls)

    @invariant()
    def the_property_names_the_one_primary_company(self) -> None:
        with self.portal.database.reading() as sql:
            rows, primaries = get(sql, "contacts", CONTACT_IDS), self.primaries(sql)
        for id, row in rows.items():
            told = row.properties.get("associatedcompanyid")
            assert [str(one) for one in primaries[id]] == ([] if told is None else [told])
            assert row.updated_ms == 0

    def teardown(self) -> None:
        self.portal.database.close()
        self.folder.cleanup()


TestAssociated = Associated.TestCase
TestAssociated.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
