from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crm_sync.connector import (
    BatchRejected,
    ConfigError,
    Entity,
    Operation,
    Outcome,
    Ref,
    Scalar,
    ServerFault,
    Write,
)
from crm_sync_hubspot import HubSpotConnector
from tests.support.hubspot_portal import (
    CREATES,
    DELETES,
    LINKS,
    UPDATES,
    VERSION,
    Portal,
    a_portal,
    outcomes,
    pull,
    retitle,
    seed,
    steady,
    titles,
)

APPLIED, REJECTED, UNKNOWN = Outcome.APPLIED, Outcome.REJECTED, Outcome.UNKNOWN
KEYS = {"hs_task_subject": "Call", "hs_timestamp": "2026-06-15"}


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with a_portal(tmp_path) as portal:
        yield portal


@pytest.fixture
def crm(portal: Portal) -> Iterator[HubSpotConnector]:
    with closing(portal.connect()) as connector:
        yield connector


def a_task(key: str, **more: Any) -> Write:
    return Write(Operation.CREATE, Entity.TASK, key, fields={**KEYS, "crm_sync_key": key, **more})


def a_link(task: str, contact: str, to: Entity = Entity.CONTACT, key: str = "l") -> Write:
    fields = {"associations.contacts": contact}
    return Write(Operation.LINK, Entity.TASK, key, task, fields, Ref(to, contact))


def answer(results: list[Any], errors: list[Any], **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": "",
                            "completedAt": "", **more}  # fmt: skip
    return body | ({"errors": errors, "numErrors": len(errors)} if errors else {})


def error(message: str = "!", category: str = "VALIDATION_ERROR", **context: Any) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "context": context,
            "errors": [], "links": {}}  # fmt: skip


def test_rows_whose_record_is_gone_are_the_only_ones_rejected(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["old"] * 100)
    gone = {7, 50, 99}
    crm.write([Write(Operation.DELETE, Entity.CONTACT, "d", ids[n]) for n in gone])
    results = steady(crm).write_chunk(retitle(ids))
    assert {n for n, one in enumerate(results) if one.outcome is REJECTED} == gone
    assert {results[n].code for n in gone} == {"OBJECT_NOT_FOUND"}
    assert all(results[n].record_id == ids[n] and results[n].hint for n in gone)
    assert titles(crm, ids) == [None if n in gone else "new" for n in range(100)]
    assert portal.calls()["POST batch.update"] == 1


def test_values_that_the_portal_would_refuse_are_held_back_and_the_others_written(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["old"] * 6)
    writes = retitle(ids)
    bad: dict[int, tuple[str, dict[str, Any]]] = {
        0: ("INVALID_OPTION", {"crm_sync_job_change": "promoted"}),
        1: ("READ_ONLY_VALUE", {"createdate": "2026-01-01"}),
        2: ("PROPERTY_DOESNT_EXIST", {"no_such_property": "x"}),
        3: ("INVALID_NUMBER", {"jobtitle": float("nan")}),
        4: ("PROPERTY_DOESNT_EXIST", {"associations.companies": "1"}),
    }
    for n, (_, fields) in bad.items():
        more = {"jobtitle": "new", **fields}
        writes[n] = Write(Operation.UPDATE, Entity.CONTACT, f"k{n}", ids[n], more)
    before = portal.calls().get("POST batch.update", 0)
    results = crm.write(writes)
    assert outcomes(results) == [REJECTED] * 5 + [APPLIED]
    assert {n: results[n].code for n in bad} == {n: code for n, (code, _) in bad.items()}
    assert all(results[n].message for n in bad)
    assert titles(crm, ids) == ["old"] * 5 + ["new"]
    assert portal.calls()["POST batch.update"] == before + 1


def test_an_option_that_was_added_meanwhile_is_accepted(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [id] = seed(crm, ["old"])
    write = Write(Operation.UPDATE, Entity.CONTACT, "k", id, {"crm_sync_job_change": "promoted"})
    assert outcomes(crm.write([write])) == [REJECTED]
    there = portal.properties("contacts")["crm_sync_job_change"]["options"]
    extra = {"value": "promoted", "label": "Promoted", "displayOrder": 9, "hidden": False}
    where = f"/crm/properties/{VERSION}/contacts/crm_sync_job_change"
    portal.api("PATCH", where, {"options": [*there, extra]})
    assert outcomes(crm.write([write])) == [APPLIED]


def test_a_row_that_spoils_its_whole_batch_is_found_and_the_others_written(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["old"] * 50)
    writes = retitle(ids)
    bad = {"jobtitle": "new", "email": "not an address"}
    writes[31] = Write(Operation.UPDATE, Entity.CONTACT, "bad", ids[31], bad)
    with pytest.raises(BatchRejected):
        crm.write(writes)
    results = steady(crm).write_chunk(writes)
    assert [n for n, one in enumerate(results) if one.outcome is not APPLIED] == [31]
    assert (results[31].outcome, results[31].code) == (REJECTED, "INVALID_EMAIL")
    assert results[31].hint
    assert "not an address" not in results[31].message
    assert "email" in results[31].message
    assert titles(crm, ids) == ["old" if n == 31 else "new" for n in range(50)]


@pytest.mark.parametrize("status", [200, 201, 207])
def test_an_answer_that_is_a_success_in_part_is_told_row_by_row(
    portal: Portal, crm: HubSpotConnector, status: int
) -> None:
    ids = seed(crm, ["old"] * 5)
    writes = retitle(ids)
    body = answer(
        [{"id": ids[4], "properties": {}}, {"id": ids[0], "properties": {}}],
        [
            error("gone", "OBJECT_NOT_FOUND", ids=[ids[1]]),
            error("locked", objectWriteTraceId=[writes[2].key]),
        ],
    )
    portal.fault("status", UPDATES, status=status, body=body)
    results = crm.write(writes)
    assert outcomes(results) == [APPLIED, REJECTED, REJECTED, UNKNOWN, APPLIED]
    assert [one.record_id for one in results] == ids
    assert (results[1].code, results[2].code) == ("OBJECT_NOT_FOUND", "VALIDATION_ERROR")


def test_an_error_that_names_no_row_is_of_the_one_that_is_not_told_of(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["old"] * 3)
    there = [{"id": id, "properties": {}} for id in ids[1:]]
    portal.fault("status", UPDATES, status=207, body=answer(there, [error("a portal's rule")]))
    results = crm.write(retitle(ids))
    assert outcomes(results) == [REJECTED, APPLIED, APPLIED]
    assert "a portal's rule" in results[0].message


def test_an_error_that_names_none_of_several_rows_is_no_verdict_on_any(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["old"] * 3)
    body = answer([{"id": ids[1], "properties": {}}], [error("a portal's rule")])
    portal.fault("status", UPDATES, status=207, body=body)
    assert outcomes(crm.write(retitle(ids))) == [UNKNOWN, APPLIED, UNKNOWN]


GONE = {
    "status": "error",
    "category": "OBJECT_NOT_FOUND",
    "message": "Object not found. objectId are usually numeric.",
}


def test_a_batch_not_found_for_one_record_is_halved_and_that_row_rejected(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["old"] * 4)
    portal.fault("status", UPDATES, status=404, body=GONE, times=3)
    results = steady(crm).write_chunk(retitle(ids))
    assert outcomes(results) == [REJECTED, APPLIED, APPLIED, APPLIED]
    assert results[0].code == "OBJECT_NOT_FOUND"
    assert results[0].hint
    assert titles(crm, ids) == ["old", "new", "new", "new"]


@pytest.mark.parametrize("body", ["<h1>Not Found</h1>", {"message": "no such page"}])
def test_a_page_not_found_is_no_matter_of_rows(
    portal: Portal, crm: HubSpotConnector, body: Any
) -> None:
    ids = seed(crm, ["old"] * 2)
    portal.fault("status", UPDATES, status=404, body=body)
    with pytest.raises(ConfigError, match="base_url"):
        crm.write(retitle(ids))


@pytest.mark.parametrize(
    "body",
    [
        {"status": "COMPLETE", "results": []},
        *(
            {"status": status, "results": [], "errors": [error()] * 2, "numErrors": 2}
            for status in ("PENDING", "PROCESSING", "CANCELED")
        ),
    ],
)
def test_rows_of_which_the_answer_says_nothing_are_unknown(
    portal: Portal, crm: HubSpotConnector, body: dict[str, Any]
) -> None:
    ids = seed(crm, ["old"] * 2)
    portal.fault("status", UPDATES, status=200, body=body)
    assert outcomes(crm.write(retitle(ids))) == [UNKNOWN] * 2


def test_a_row_called_written_and_refused_at_once_is_unknown(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [id] = seed(crm, ["old"])
    body = answer([{"id": id, "properties": {}}], [error("!", ids=[id])])
    portal.fault("status", UPDATES, status=207, body=body)
    assert outcomes(crm.write(retitle([id]))) == [UNKNOWN]


@pytest.mark.parametrize("body", [[], "null", {"results": "x"}, {"errors": 3, "results": []}])
def test_an_answer_of_another_shape_leaves_the_rows_unknown(
    portal: Portal, crm: HubSpotConnector, body: Any
) -> None:
    ids = seed(crm, ["old"] * 2)
    portal.fault("status", UPDATES, status=200, body=body, times=2)
    with pytest.raises(ServerFault) as caught:
        crm.write(retitle(ids))
    assert caught.value.sent
    assert outcomes(steady(crm).write_chunk(retitle(ids))) == [UNKNOWN] * 2


def test_results_in_another_order_are_given_to_the_right_rows(crm: HubSpotConnector) -> None:
    texts = [f"title {n}" for n in range(20)]
    assert titles(crm, seed(crm, texts)) == texts


@pytest.mark.parametrize("by", ["trace", "key", "order"])
def test_new_records_are_known_by_trace_else_by_key_else_by_order(
    portal: Portal, crm: HubSpotConnector, by: str
) -> None:
    writes = [a_task(f"key-{n}", hs_task_subject=f"s{n}") for n in range(3)]
    rows: list[dict[str, Any]] = [{"id": str(90 + n), "properties": {}} for n in range(3)]
    if by == "trace":
        for n, row in enumerate(rows):
            row["objectWriteTraceId"] = f"key-{n}"
    if by == "key":
        for n, row in enumerate(rows):
            row["properties"]["crm_sync_key"] = f"key-{n}"
    told = rows if by == "order" else rows[::-1]
    portal.fault("status", CREATES, status=201, body=answer(told, []))
    results = crm.write(writes)
    assert [one.record_id for one in results] == ["90", "91", "92"]
    assert outcomes(results) == [APPLIED] * 3


def test_new_records_that_cannot_be_told_apart_are_unknown(
    portal: Portal, crm: HubSpotConnector
) -> None:
    writes = [a_task(f"key-{n}", hs_task_subject=f"s{n}") for n in range(3)]
    rows = [{"id": str(90 + n), "properties": {"hs_task_subject": f"s{n}"}} for n in range(3)]
    portal.fault("status", CREATES, status=201, body=answer(rows[::-1], []))
    assert outcomes(crm.write(writes)) == [UNKNOWN, APPLIED, UNKNOWN]
    portal.fault("status", CREATES, status=201, body=answer(rows[:2], []))
    assert outcomes(crm.write(writes)) == [UNKNOWN] * 3


def test_a_key_that_is_taken_is_told_and_the_other_tasks_are_made(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [first] = crm.write([a_task("taken")])
    results = steady(crm).write_chunk([a_task("a"), a_task("taken"), a_task("b")])
    assert outcomes(results) == [APPLIED, REJECTED, APPLIED]
    assert (results[1].duplicate_key, results[1].record_id) == (True, "")
    assert results[1].hint
    assert first.record_id not in {one.record_id for one in results}
    assert portal.rows()["tasks.create"] == 3


def test_an_update_to_a_value_that_is_taken_is_rejected_for_its_row(crm: HubSpotConnector) -> None:
    ids = seed(crm, ["old"] * 2)
    mail = {"email": "someone@example.test"}
    [done] = crm.write([Write(Operation.UPDATE, Entity.CONTACT, "a", ids[0], mail)])
    [taken] = crm.write([Write(Operation.UPDATE, Entity.CONTACT, "b", ids[1], mail)])
    assert (done.outcome, taken.outcome) == (APPLIED, REJECTED)
    assert taken.duplicate_key
    assert taken.record_id == ids[1]


def test_a_record_that_comes_twice_in_a_batch_is_written_once_and_the_other_row_told(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [id, other] = seed(crm, ["old"] * 2)
    first, second = retitle([id], "first") + retitle([id], "second")
    results = crm.write([first, second, *retitle([other])])
    assert outcomes(results) == [APPLIED, REJECTED, APPLIED]
    assert results[1].retry
    assert titles(crm, [id, other]) == ["first", "new"]


def test_what_is_no_id_of_a_record_harms_only_itself(crm: HubSpotConnector) -> None:
    [id] = seed(crm, ["old"])
    for bad in ("x", "1/../2", "٣", "9" * 40):
        results = crm.write([*retitle([bad]), *retitle([id])])
        assert outcomes(results) == [REJECTED, APPLIED]
        assert outcomes(crm.write([Write(Operation.DELETE, Entity.CONTACT, "d", bad)])) == [
            REJECTED
        ]


def test_deleting_tells_what_was_not_there_and_never_touches_a_survivor(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [one, other, kept, gone] = seed(crm, ["a", "b", "c", "d"])
    survivor = portal.merge(one, other)
    crm.write([Write(Operation.DELETE, Entity.CONTACT, "d", gone)])
    deletes = [Write(Operation.DELETE, Entity.CONTACT, "d", id) for id in (one, gone, kept)]
    results = crm.write(deletes)
    assert outcomes(results) == [REJECTED, REJECTED, APPLIED]
    assert [result.code for result in results[:2]] == ["OBJECT_NOT_FOUND"] * 2
    assert titles(crm, [survivor, kept]) == ["a", None]


def test_an_archive_that_failed_in_part_is_not_guessed_at(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["a", "b"])
    deletes = [Write(Operation.DELETE, Entity.CONTACT, "d", id) for id in ids]
    told = answer([], [error("no", "FORBIDDEN", ids=[ids[0]])])
    portal.fault("status", DELETES, status=207, body=told)
    assert outcomes(crm.write(deletes)) == [REJECTED, APPLIED]
    open_ends = (
        answer([], [error("no")]),
        told | {"numErrors": 2},
        *(answer([], [], status=status) for status in ("PENDING", "PROCESSING", "CANCELED")),
        [],
    )
    for body in open_ends:
        portal.fault("status", DELETES, status=200, body=body)
        assert outcomes(steady(crm).write_chunk(deletes)) == [UNKNOWN, UNKNOWN]


def test_links_of_any_kind_are_read_back(portal: Portal, crm: HubSpotConnector) -> None:
    [contact] = seed(crm, ["x"])
    made = {
        kind: str(portal.api("POST", f"/crm/objects/{VERSION}/{kind}",
                             {"properties": {name: "x"}, "associations": []})["id"])
        for kind, name in (("companies", "name"), ("deals", "dealname"))
    }  # fmt: skip
    [task] = crm.write([a_task("k")])
    ends = [
        (Entity.CONTACT, contact),
        (Entity.ACCOUNT, made["companies"]),
        (Entity.DEAL, made["deals"]),
    ]
    for entity, id in ends:
        [result] = crm.write([a_link(task.record_id, id, entity)])
        assert (result.outcome, result.record_id) == (APPLIED, task.record_id)
    names = ["associations.contacts", "associations.companies", "associations.deals"]
    [record] = crm.read(Entity.TASK, [task.record_id], names)
    assert [record.fields[name] for name in names] == [id for _, id in ends]


def test_a_link_that_a_batch_repeats_is_sent_once_and_told_twice(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [contact] = seed(crm, ["x"])
    [task] = crm.write([a_task("k")])
    links = [a_link(task.record_id, contact, key=key) for key in ("one", "two")]
    portal.fault("status", {**LINKS, "body": '("from".*){2}'}, status=400)
    assert outcomes(crm.write(links)) == [APPLIED, APPLIED]


def test_links_that_share_an_end_are_told_apart(portal: Portal, crm: HubSpotConnector) -> None:
    contacts = seed(crm, ["x", "y"])
    [task] = crm.write([a_task("k")])
    crm.write([Write(Operation.DELETE, Entity.CONTACT, "d", contacts[1])])
    links = [a_link(task.record_id, contact) for contact in contacts]
    assert outcomes(steady(crm).write_chunk(links)) == [APPLIED, REJECTED]


@pytest.mark.parametrize("to", [Entity.COLLEAGUE, Entity.TASK])
def test_ends_that_hubspot_does_not_link_are_refused_before_anything_is_sent(
    portal: Portal, crm: HubSpotConnector, to: Entity
) -> None:
    with pytest.raises(BatchRejected, match="cannot be linked"):
        crm.write([a_link("1", "2", to), a_link("3", "4", to)])
    [result] = steady(crm).write_chunk([a_link("1", "2", to)])
    assert (result.outcome, result.code) == (REJECTED, "UNSUPPORTED")
    assert portal.calls() == {}


def test_owners_cannot_be_written(crm: HubSpotConnector) -> None:
    [result] = steady(crm).write_chunk([Write(Operation.UPDATE, Entity.COLLEAGUE, "o", "1", {})])
    assert (result.outcome, result.code) == (REJECTED, "UNSUPPORTED")


def test_a_task_is_stored_as_hubspot_shows_it_and_read_as_it_was_written(
    portal: Portal, crm: HubSpotConnector
) -> None:
    body = 'Ana & Bob <b>moved</b>\n"Call" them'
    [task] = crm.write([a_task("k", hs_task_body=body)])
    names = ["hs_task_body", "hs_timestamp", "hs_task_subject"]
    where = f"/crm/objects/{VERSION}/tasks/{task.record_id}?properties={','.join(names)}"
    kept = portal.api("GET", where)["properties"]
    assert kept["hs_task_body"] == (
        "Ana &amp; Bob &lt;b&gt;moved&lt;/b&gt;<br>&quot;Call&quot; them"
    )
    assert kept["hs_timestamp"].startswith("2026-06-15T")
    [record] = crm.read(Entity.TASK, [task.record_id], names)
    assert record.fields == {
        "hs_task_body": body,
        "hs_timestamp": "2026-06-15",
        "hs_task_subject": "Call",
    }


def test_a_person_who_moves_the_hour_of_a_task_has_edited_it(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [task] = crm.write([a_task("k")])
    later = {"properties": {"hs_timestamp": "2026-06-15T15:30:00Z"}}
    portal.api("PATCH", f"/crm/objects/{VERSION}/tasks/{task.record_id}", later)
    [record] = crm.read(Entity.TASK, [task.record_id], ["hs_timestamp"])
    assert record.fields["hs_timestamp"] == "2026-06-15T15:30:00Z"


def test_flags_dates_and_blanks_are_written_as_hubspot_takes_them(crm: HubSpotConnector) -> None:
    [id] = seed(crm, ["old"])
    fields: dict[str, Scalar] = {
        "crm_sync_moved": True,
        "crm_sync_moved_on": "2026-02-28",
        "jobtitle": None,
        "Crm_Sync_New_Title": "CFO",
    }
    assert outcomes(crm.write([Write(Operation.UPDATE, Entity.CONTACT, "k", id, fields)])) == [
        APPLIED
    ]
    [record] = crm.read(Entity.CONTACT, [id], [name.lower() for name in fields])
    assert dict(record.fields) == {"crm_sync_moved": "true", "crm_sync_moved_on": "2026-02-28",
                                   "jobtitle": None, "crm_sync_new_title": "CFO"}  # fmt: skip


def test_what_we_write_is_brought_by_the_next_pull(portal: Portal, crm: HubSpotConnector) -> None:
    [id] = seed(crm, ["old"])
    portal.settle()
    cursor = pull(crm)[-1].cursor
    crm.write(retitle([id]))
    portal.settle()
    records = [one for page in pull(crm, cursor) for one in page.records]
    assert {one.id: one.fields["jobtitle"] for one in records}[id] == "new"


def test_nothing_to_write_is_no_call(portal: Portal, crm: HubSpotConnector) -> None:
    assert crm.write([]) == []
    assert portal.calls() == {}
