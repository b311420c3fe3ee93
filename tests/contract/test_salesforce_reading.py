from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_sync.connector import ConfigError, Entity, Gone, Operation, Outcome, ServerFault, Write
from crm_sync.errors import Busy
from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce import cursor as cursors
from tests.support.salesforce_org import (
    WRITES,
    Org,
    ids_of,
    outcomes,
    pull,
    retitle,
    seed,
    steady,
    titles,
    write_all,
)

USER = {
    "LastName": "Example",
    "Email": "colleague@acme.example",
    "Username": "colleague@acme.example",
    "IsActive": True,
}


def _opt_out(id: str, out: bool) -> Write:
    fields = {"HasOptedOutOfEmail": out}
    return Write(Operation.UPDATE, Entity.CONTACT, f"o{id}", id, fields)


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


def test_a_contact_who_opts_out_leaves_a_filtered_pull_and_comes_back_with_an_opt_in(
    crm: SalesforceConnector,
) -> None:
    where = "HasOptedOutOfEmail = false"
    leaves, stays, _ = seed(crm, ["a", "b", "c"])
    cursor = pull(crm, where=where)[-1].cursor
    crm.write([_opt_out(leaves, True), *retitle([stays])])
    pages = pull(crm, cursor, where)
    assert [(r.id, r.fields) for p in pages for r in p.records if r.id == stays] == [
        (stays, {"Title": "new"})
    ]
    assert [gone for page in pages for gone in page.gone] == [Gone(Entity.CONTACT, leaves)]
    assert leaves not in ids_of(pages)
    crm.write([_opt_out(leaves, False)])
    back = pull(crm, pages[-1].cursor, where)
    assert leaves in ids_of(back)
    assert [gone for page in back for gone in page.gone] == []


def test_what_left_the_filter_is_told_over_many_pages_and_after_a_break_without_its_fields(
    org: Org, crm: SalesforceConnector
) -> None:
    where = "Title != 'outside' AND HasOptedOutOfEmail = false"
    ids = seed(crm, ["inside"] * 700)
    cursor = pull(crm, where=where)[-1].cursor
    left = ids[::2]
    write_all(steady(crm), retitle(left, "outside"))
    first = next(crm.pull(Entity.CONTACT, ["Title"], cursor=cursor, where=where))
    org.fault("status", {"path": "/query|composite$"}, nth=3, times=2, status=503)
    resumed = steady(org.connect())
    rest = list(resumed.pull(Entity.CONTACT, ["Title"], cursor=first.cursor, where=where))
    pages = [first, *rest]
    assert {gone.id for page in pages for gone in page.gone} == set(left)
    assert set(ids_of(pages)) == set(ids) - set(left)
    assert {r.fields["Title"] for page in pages for r in page.records} == {"inside"}
    assert len(pages) == 4
    assert max(len(page.records) + len(page.gone) for page in pages) <= 200


def test_a_colleague_who_is_deactivated_leaves_a_filtered_pull(crm: SalesforceConnector) -> None:
    # Users cannot be deleted: whether they are active is all that can be told of their end.
    where = "IsActive = true"
    made = Write(Operation.CREATE, Entity.COLLEAGUE, "u", fields=USER)
    [result] = crm.write([made])
    first = list(crm.pull(Entity.COLLEAGUE, ["Email"], cursor=None, where=where))
    assert result.record_id in ids_of(first)
    crm.write(
        [Write(Operation.UPDATE, Entity.COLLEAGUE, "d", result.record_id, {"IsActive": False})]
    )
    cursor = first[-1].cursor
    pages = list(crm.pull(Entity.COLLEAGUE, ["Email"], cursor=cursor, where=where))
    assert Gone(Entity.COLLEAGUE, result.record_id) in [g for page in pages for g in page.gone]
    assert result.record_id not in ids_of(pages)


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


def test_a_query_that_is_closed_again_and_again_ends_the_pull_instead_of_looping(
    org: Org, crm: SalesforceConnector
) -> None:
    seed(crm, [f"t{n}" for n in range(300)])
    gone = [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]
    org.fault("status", {"path": r"/query(All)?/\w"}, status=400, body=gone, times=0)
    with pytest.raises(Busy, match="keeps closing the query"):
        list(steady(crm).pull(Entity.CONTACT, ["Title"], cursor=None))


@pytest.mark.parametrize(
    "next_path", ["https://evil.example/x", "//evil.example/x", "/secur/logout.jsp", "../x"]
)
def test_a_next_page_elsewhere_is_not_fetched(
    org: Org, crm: SalesforceConnector, next_path: str
) -> None:
    seed(crm, ["t"])
    body = {"records": [], "done": False, "totalSize": 5, "nextRecordsUrl": next_path}
    org.fault("status", {"path": "/query"}, status=200, body=body)
    before = sum(org.calls().values())
    with pytest.raises(ServerFault, match="no address of Salesforce's"):
        pull(crm)
    assert sum(org.calls().values()) == before + 1


@pytest.mark.parametrize("body", [[], {"records": 3}, {}, "text", 5])
def test_an_answer_of_another_shape_is_a_fault_of_the_server(
    org: Org, crm: SalesforceConnector, body: object
) -> None:
    [id] = seed(crm, ["t"])
    org.fault("status", {"path": "/query"}, status=200, body=body)
    with pytest.raises(ServerFault):
        pull(crm)
    org.fault("status", {"path": "composite/sobjects/Contact"}, status=200, body={"odd": body})
    with pytest.raises(ServerFault):
        crm.read(Entity.CONTACT, [id], ["Title"])
    org.fault("status", WRITES, status=200, body={"odd": body})
    assert outcomes(steady(crm).write_chunk(retitle([id]))) == [Outcome.UNKNOWN]


def test_an_answer_without_end_is_cut_off(
    org: Org, crm: SalesforceConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(crm, ["t" * 100] * 50)
    monkeypatch.setattr("crm_sync_salesforce.http.MAX_ANSWER_BYTES", 5_000)
    with pytest.raises(ServerFault, match="without end"):
        pull(crm)


def test_values_that_match_more_records_than_one_page_are_all_found(
    crm: SalesforceConnector,
) -> None:
    ids = seed(crm, ["same"] * 450)
    found = crm.find(Entity.CONTACT, "Title", ["same", "", "  "])
    assert {record.id for record in found} == set(ids)
    assert crm.find(Entity.CONTACT, "Title", ["", " "]) == []


def test_a_field_list_too_long_for_a_url_is_asked_for_in_a_body(
    org: Org, crm: SalesforceConnector
) -> None:
    many = [f"A_Field_With_A_Long_Name_{n:02}__c" for n in range(90)]
    for name in many:
        org.control("fields", {"object": "Contact", "field": name})
    ids = seed(crm, ["t"] * 250)
    pages = list(crm.pull(Entity.CONTACT, many, cursor=None))
    assert set(ids_of(pages)) == set(ids)
    assert set(pages[0].records[0].fields) == set(many)
    assert [page.complete for page in pages] == [False, True]
    assert "GET query" not in org.calls()
    with pytest.raises(ConfigError, match="no field Absent__c"):
        list(crm.pull(Entity.CONTACT, [*many, "Absent__c"], cursor=None))


def test_whether_records_are_there_can_be_asked_without_a_field(crm: SalesforceConnector) -> None:
    ids = seed(crm, ["a", "b"])
    found = crm.read(Entity.CONTACT, [*ids, "003000000000000AAA"], ())
    assert sorted(one.id for one in found) == sorted(ids)
