from __future__ import annotations

import pytest

from crm_sync.connector import ConfigError, Entity, Operation, Outcome, Ref, Write
from crm_sync_salesforce import SalesforceConnector
from tests.support.salesforce_org import Org, outcomes, retitle, seed, steady, titles


def test_three_bad_rows_of_two_hundred_are_the_only_ones_rejected(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 200)
    writes = retitle(ids)
    bad = {7, 77, 177}
    for n in bad:
        writes[n] = retitle([ids[n]], "x" * 200)[0]
    results = steady(crm).write_chunk(writes)
    assert {n for n, r in enumerate(results) if r.outcome is Outcome.REJECTED} == bad
    assert {results[n].code for n in bad} == {"STRING_TOO_LONG"}
    assert all(results[n].record_id == ids[n] and results[n].hint for n in bad)
    assert titles(crm, ids) == ["old" if n in bad else "new" for n in range(200)]
    assert org.calls()["PATCH collections.update"] == 1


def test_a_row_that_spoils_its_whole_batch_is_found_and_the_others_written(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 50)
    org.control(
        "row-faults",
        {"id": ids[31], "statusCode": "JSON_PARSER_ERROR", "message": "!", "whole_request": True},
    )
    results = steady(crm).write_chunk(retitle(ids))
    assert [n for n, r in enumerate(results) if r.outcome is not Outcome.APPLIED] == [31]
    assert (results[31].outcome, results[31].code) == (Outcome.REJECTED, "JSON_PARSER_ERROR")
    assert titles(crm, ids) == ["old" if n == 31 else "new" for n in range(50)]
    assert org.rows()["Contact.update"] == 49


def test_a_field_that_the_org_lacks_is_named_without_halving_the_batch(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 20)
    writes = [Write(Operation.UPDATE, Entity.CONTACT, id, id, {"Nope__c": 1}) for id in ids]
    with pytest.raises(ConfigError, match="Contact has no field Nope__c") as caught:
        steady(crm).write_chunk(writes)
    assert "mapping" in caught.value.fix
    assert org.calls()["PATCH collections.update"] == 1


def test_a_number_that_json_lacks_is_rejected_alone(crm: SalesforceConnector) -> None:
    ids = seed(crm, ["old"] * 4)
    writes = retitle(ids)
    writes[2] = retitle([ids[2]], float("nan"))[0]
    results = steady(crm).write_chunk(writes)
    assert [n for n, r in enumerate(results) if r.outcome is Outcome.REJECTED] == [2]


def test_a_locked_row_is_told_as_one_to_try_again_and_the_others_are_written(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 5)
    locked = {"id": ids[1], "statusCode": "UNABLE_TO_LOCK_ROW", "message": "!", "times": 1}
    org.control("row-faults", locked)
    results = steady(crm).write_chunk(retitle(ids))
    assert [n for n, one in enumerate(results) if one.outcome is not Outcome.APPLIED] == [1]
    assert (results[1].outcome, results[1].retry) == (Outcome.REJECTED, True)
    assert org.calls()["PATCH collections.update"] == 1
    assert org.rows()["Contact.update"] == 4


def test_two_hundred_records_can_be_deleted_at_once_and_a_bad_id_harms_only_itself(
    org: Org, crm: SalesforceConnector
) -> None:
    ids = seed(crm, ["old"] * 200)
    deletes = [Write(Operation.DELETE, Entity.CONTACT, id, id) for id in ids[:199]]
    deletes.append(Write(Operation.DELETE, Entity.CONTACT, "bad", "not,an,id"))
    results = steady(crm).write_chunk(deletes)
    assert outcomes(results) == [Outcome.APPLIED] * 199 + [Outcome.REJECTED]
    assert titles(crm, ids) == [None] * 199 + ["old"]


def test_an_operation_that_salesforce_lacks_is_a_rejected_row(crm: SalesforceConnector) -> None:
    link = Write(
        Operation.LINK, Entity.TASK, "l", "00T000000000001AAA", to=Ref(Entity.CONTACT, "003x")
    )
    [result] = steady(crm).write_chunk([link])
    assert (result.outcome, result.code) == (Outcome.REJECTED, "UNSUPPORTED")


def test_nothing_to_write_is_no_call(org: Org, crm: SalesforceConnector) -> None:
    assert crm.write([]) == []
    assert steady(crm).write_chunk([]) == []
    assert org.calls() == {}
