from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crm_sync.connector import ConfigError, Entity, Gone, Operation, Page, ScopeMissing, Write
from crm_sync_hubspot import HubSpotConnector
from crm_sync_hubspot.sandbox.rows import get, save, touch
from tests.support.hubspot_portal import (
    VERSION,
    Portal,
    a_portal,
    pull,
    retitle,
    seed,
    titles,
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


def ids_of(pages: Sequence[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def gone(pages: Sequence[Page]) -> list[Gone]:
    return [one for page in pages for one in page.gone]


def lost(id: str, survivor: str | None = None) -> Gone:
    return Gone(Entity.CONTACT, id, survivor)


def create(portal: Portal, kind: str, **properties: str) -> str:
    body = {"properties": properties, "associations": []}
    return str(portal.api("POST", f"/crm/objects/{VERSION}/{kind}", body)["id"])


def associate(portal: Portal, source: str, target: str, pairs: Mapping[str, str]) -> None:
    inputs = [{"from": {"id": one}, "to": {"id": other}} for one, other in pairs.items()]
    where = f"/crm/associations/{VERSION}/{source}/{target}/batch/associate/default"
    portal.api("POST", where, {"inputs": inputs})


def archive(portal: Portal, id: str, kind: str = "contacts") -> None:
    portal.api("DELETE", f"/crm/objects/{VERSION}/{kind}/{id}")


def restore(portal: Portal, id: str) -> None:
    """What a person does in HubSpot's recycle bin; its API cannot."""
    inner = portal.sandbox.portal
    with inner.database.writing() as sql:
        row = get(sql, "contacts", [int(id)])[int(id)]
        row.archived_ms = None
        touch(inner, row)
        save(sql, inner, row)


def complete(portal: Portal, crm: HubSpotConnector, where: str = "") -> str:
    """The cursor after everything was pulled, with time gone by since."""
    cursor = pull(crm, where=where)[-1].cursor
    portal.settle()
    return cursor


def test_all_records_that_share_one_moment_are_pulled_though_a_page_holds_fewer(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    ids = seed(crm, ["one"] * 450)
    portal.settle()
    with portal.sandbox.portal.database.writing() as sql:
        (at,) = sql.execute("SELECT max(updated_ms) FROM object").fetchone()
        for table in ("object", "search_index", "search_pending"):
            sql.execute(f"UPDATE {table} SET updated_ms = ? WHERE type = 'contacts'", (at,))
    with closing(portal.connect(page_size=40)) as small:
        pages = pull(small, cursor)
    assert sorted(ids_of(pages)) == sorted(ids)
    assert {page.total for page in pages} == {450}
    assert max(len(page.records) for page in pages) == 40


def test_a_record_that_changes_all_the_time_is_pulled_all_the_same(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    [busy] = seed(crm, ["0"])
    for n in range(1, 9):
        # Never is its last change older than the index delay.
        crm.write(retitle([busy], str(n)))
        portal.advance(2.5)
        pages = pull(crm, cursor)
        cursor = pages[-1].cursor
        assert ids_of(pages) == [busy]


def test_what_search_does_not_show_yet_comes_with_a_later_pull(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    [late] = seed(crm, ["late"])
    hidden = pull(crm, cursor)
    assert ids_of(hidden) == []
    portal.settle()
    with closing(portal.connect(lookback_seconds=0)) as exact:
        assert ids_of(pull(exact, hidden[-1].cursor)) == [late]


def test_a_pull_goes_back_behind_the_last_one_but_not_for_ever(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [old] = seed(crm, ["old"])
    portal.advance(1000)
    cursor = complete(portal, crm)
    [new] = seed(crm, ["new"])
    portal.settle()
    first = pull(crm, cursor)
    again = pull(crm, first[-1].cursor)
    assert (ids_of(first), ids_of(again)) == ([new], [new])
    portal.advance(1000)
    after = pull(crm, again[-1].cursor)
    assert ids_of(pull(crm, after[-1].cursor)) == []
    assert old not in ids_of(after)


def test_only_the_portals_clock_counts(portal: Portal, crm: HubSpotConnector) -> None:
    # The sandbox lives months away from this machine, and drifts a day more.
    cursor = complete(portal, crm)
    portal.control("clock", {"advance": 86_400})
    [id] = seed(crm, ["tomorrow"])
    portal.settle()
    assert ids_of(pull(crm, cursor)) == [id]


def test_values_are_those_of_the_record_not_of_the_index(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    [id] = seed(crm, ["indexed"])
    portal.settle()
    crm.write(retitle([id], "fresh"))
    [record] = [record for page in pull(crm, cursor) for record in page.records]
    assert dict(record.fields) == {"jobtitle": "fresh"}


def test_a_record_that_is_archived_while_a_pull_is_under_way_is_gone_at_its_end(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    ids = seed(crm, ["t"] * 30)
    portal.settle()
    with closing(portal.connect(page_size=10)) as small:
        pages = small.pull(Entity.CONTACT, ["jobtitle"], cursor=cursor)
        first = next(pages)
        archive(portal, ids[0])  # was on the page
        archive(portal, ids[29])  # would be on a later one, and search shows it still
        rest = list(pages)
    assert ids_of([first, *rest]) == ids[:29]
    assert {one.id for one in gone(rest)} == {ids[0], ids[29]}


def test_a_record_that_is_archived_while_everything_is_pulled_is_told_next_time(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["t"] * 30)
    with closing(portal.connect(page_size=10)) as small:
        pages = small.pull(Entity.CONTACT, ["jobtitle"], cursor=None)
        first = next(pages)
        archive(portal, ids[0])
        crm.write(retitle([ids[1]], "edited behind the pull"))
        rest = list(pages)
    assert gone([first, *rest]) == []
    portal.settle()
    following = pull(crm, rest[-1].cursor)
    assert gone(following) == [lost(ids[0])]
    assert ids[1] in ids_of(following)


def test_a_restored_record_is_back(portal: Portal, crm: HubSpotConnector) -> None:
    [id] = seed(crm, ["t"])
    cursor = complete(portal, crm)
    archive(portal, id)
    portal.settle()
    archived = pull(crm, cursor)
    assert gone(archived) == [lost(id)]
    restore(portal, id)
    portal.settle()
    back = pull(crm, archived[-1].cursor)
    assert (ids_of(back), gone(back)) == ([id], [])


def test_every_record_of_a_chain_of_merges_names_who_survived(
    portal: Portal, crm: HubSpotConnector
) -> None:
    first, second, third = seed(crm, ["a", "b", "c"])
    cursor = complete(portal, crm)
    middle = portal.merge(first, second)
    last = portal.merge(third, middle)
    portal.settle()
    pages = pull(crm, cursor)
    assert ids_of(pages) == [last]
    assert set(gone(pages)) == {lost(id, last) for id in (first, second, third, middle)}
    whole = pull(crm)
    assert (ids_of(whole), set(gone(whole))) == ([last], set(gone(pages)))


def test_a_merge_into_one_of_the_two_does_not_tell_the_survivor_as_gone(tmp_path: Path) -> None:
    with a_portal(tmp_path, merge_keeps_id=True) as portal, closing(portal.connect()) as crm:
        kept, other = seed(crm, ["a", "b"])
        cursor = complete(portal, crm)
        assert portal.merge(kept, other) == kept
        portal.settle()
        pages = pull(crm, cursor)
    assert (ids_of(pages), gone(pages)) == ([kept], [lost(other, kept)])


def test_what_was_merged_into_a_record_that_was_then_archived_is_told(
    portal: Portal, crm: HubSpotConnector
) -> None:
    first, second = seed(crm, ["a", "b"])
    cursor = complete(portal, crm)
    both = portal.merge(first, second)
    archive(portal, both)
    portal.settle()
    pages = pull(crm, cursor)
    assert ids_of(pages) == []
    assert set(gone(pages)) == {lost(first, both), lost(second, both), lost(both)}


def test_a_merged_away_id_reads_as_nothing_and_not_as_its_survivor(
    portal: Portal, crm: HubSpotConnector
) -> None:
    first, second = seed(crm, ["a", "b"])
    both = portal.merge(first, second)
    assert titles(crm, [first, second, both, "no id", "1"]) == [None, None, "a", None, None]


def test_an_erased_person_is_left_out_of_a_whole_pull(
    portal: Portal, crm: HubSpotConnector
) -> None:
    kept, erased = seed(crm, ["kept", "erased"])
    cursor = complete(portal, crm)
    portal.api("POST", f"{CONTACTS}/gdpr-delete", {"objectId": erased})
    portal.settle()
    later = pull(crm, cursor)
    assert erased not in ids_of(later)
    assert gone(later) == []  # HubSpot keeps no trace that could tell
    assert ids_of(pull(crm)) == [kept]
    assert titles(crm, [erased]) == [None]


def test_more_properties_than_an_address_holds_are_pulled(
    portal: Portal, crm: HubSpotConnector
) -> None:
    names = [f"a_property_with_a_rather_long_name_{n:03}" for n in range(80)]
    portal.api(
        "POST",
        f"/crm/properties/{VERSION}/contacts/batch/create",
        {
            "inputs": [
                {
                    "name": name,
                    "label": name,
                    "type": "string",
                    "fieldType": "text",
                    "groupName": "contactinformation",
                }
                for name in names
            ]
        },
    )
    made = [create(portal, "contacts", lastname="Wide", **{names[-1]: str(n)}) for n in range(25)]
    with closing(portal.connect(page_size=10)) as small:
        pages = list(small.pull(Entity.CONTACT, names, cursor=None))
    records = {record.id: record for page in pages for record in page.records}
    assert [records[id].fields[names[-1]] for id in made] == [str(n) for n in range(25)]
    assert all(set(record.fields) == set(names) for record in records.values())
    assert len(pages) == 3


def test_a_property_that_is_not_there_is_refused_and_not_taken_for_blank(
    crm: HubSpotConnector,
) -> None:
    for ask in (
        lambda: list(crm.pull(Entity.CONTACT, ["jobtitle", "no_such"], cursor=None)),
        lambda: list(crm.pull(Entity.CONTACT, ["jobtitle"], cursor=None, where="no_such EQ x")),
        lambda: crm.read(Entity.CONTACT, ["1"], ["no_such"]),
        lambda: crm.find(Entity.CONTACT, "no_such", ["x"]),
    ):
        with pytest.raises(ConfigError, match="no_such"):
            ask()


def test_properties_are_asked_for_in_any_capitals_and_come_back_as_asked(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [id] = seed(crm, ["Boss"])
    wanted = {"JobTitle": "Boss", "City": None}
    [record] = crm.read(Entity.CONTACT, [id], list(wanted))
    [page] = crm.pull(Entity.CONTACT, list(wanted), cursor=None)
    assert dict(record.fields) == dict(page.records[0].fields) == wanted
    assert record.modified == page.records[0].modified
    assert record.modified
    assert record.modified.date() == portal.clock.now().date()


def test_a_filter_is_judged_on_values_that_search_does_not_know_yet(
    portal: Portal, crm: HubSpotConnector
) -> None:
    where = "jobtitle NEQ out AND city NOT_HAS_PROPERTY"
    stays, leaves = seed(crm, ["in", "in"])
    cursor = complete(portal, crm, where)
    crm.write(retitle([stays, leaves], "still in"))
    portal.settle()
    crm.write(retitle([leaves], "Out"))
    pages = pull(crm, cursor, where)
    assert (ids_of(pages), gone(pages)) == ([stays], [lost(leaves)])
    whole = pull(crm, where=where)
    assert (ids_of(whole), gone(whole)) == ([stays], [])


def test_a_filtered_pull_tells_merges_also_into_what_lies_outside(
    portal: Portal, crm: HubSpotConnector
) -> None:
    where = "jobtitle EQ in"
    outside, inside = seed(crm, ["out", "in"])
    cursor = complete(portal, crm, where)
    both = portal.merge(outside, inside)
    portal.settle()
    pages = pull(crm, cursor, where)
    assert ids_of(pages) == []
    assert set(gone(pages)) == {lost(outside, both), lost(inside, both), lost(both)}


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


def test_a_missing_scope_is_named(tmp_path: Path) -> None:
    scopes = frozenset({"crm.objects.companies.read"})
    with a_portal(tmp_path, missing_scopes=scopes) as portal, closing(portal.connect()) as crm:
        with pytest.raises(ScopeMissing):
            list(crm.pull(Entity.ACCOUNT, ["name"], cursor=None))
        assert pull(crm)[-1].complete


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
