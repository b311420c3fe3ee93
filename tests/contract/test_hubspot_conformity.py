"""Every request of the connector is one that HubSpot documents, by path, parameters and body."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hubspot.crm.objects.models import PublicObjectSearchRequest

from crm_sync.connector import Entity, FieldSpec, FieldType, Operation, Outcome, Ref, Write
from crm_sync.mapping import load_mapping
from crm_sync.sandbox.http import Request
from crm_sync.shipped import shipped
from crm_sync_hubspot import HubSpotConnector
from crm_sync_hubspot.paths import PATHS
from crm_sync_hubspot.schema import SCHEMA
from tests.support.hubspot_models import accept, judge, name_of
from tests.support.hubspot_portal import Portal, a_portal, outcomes, retitle, seed

Recorded = list[Request]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with a_portal(tmp_path, bare=True) as portal:
        yield portal


@pytest.fixture
def recorded(portal: Portal) -> Recorded:
    """What the portal was asked; its own control end points and other clients aside."""
    return portal.asked


def test_every_request_is_one_that_hubspot_documents(portal: Portal, recorded: Recorded) -> None:
    with closing(portal.connect_by_oauth(page_size=10)) as crm:
        walk(portal, crm)
    names = {judge(request) for request in recorded}
    assert names == set(PATHS)


def test_bodies_hold_what_the_published_description_wants_besides(
    portal: Portal, recorded: Recorded
) -> None:
    with closing(portal.connect(page_size=10)) as crm:
        walk(portal, crm)
    wanted: Mapping[str, set[str]] = {
        "search": {"after", "sorts", "properties", "limit", "filterGroups"},
        "batch_read": {"inputs", "properties", "propertiesWithHistory"},
    }
    seen = set()
    for request in recorded:
        name = name_of(request.path)
        body = request.json() if request.body.startswith(b"{") else {}
        assert wanted.get(name, set()) <= set(body), f"{name}: {sorted(body)}"
        if name == "batch_create":
            assert all("associations" in row for row in body["inputs"])
        if name == "search":
            assert len(request.body) <= 3_000
        seen.add(name)
    assert set(wanted) | {"batch_create"} <= seen


def test_no_batch_is_larger_than_hubspot_takes(portal: Portal, recorded: Recorded) -> None:
    with closing(portal.connect()) as crm:
        ids = seed(crm, ["old"] * 130)
        crm.write(retitle(ids[:100]))
        crm.read(Entity.CONTACT, ids[:100], ["jobtitle", "associations.companies"])
        list(crm.pull(Entity.CONTACT, ["jobtitle", "associations.companies.primary"], cursor=None))
    most = {"associations_read": 1_000, "associations_create": 2_000}
    batches = [one for one in recorded if one.body.startswith(b"{")]
    sizes = [(name_of(one.path), one.json().get("inputs", [])) for one in batches]
    assert sizes
    for name, inputs in sizes:
        assert len(inputs) <= most.get(name, 100)
        ids = [json.dumps(row.get("id") or row, sort_keys=True) for row in inputs]
        assert len(ids) == len(set(ids)), "no id twice in one batch"


@pytest.mark.parametrize(
    "body",
    [
        {"limit": "10"},
        {"limit": True},
        {"sorts": [{"propertyName": "x"}]},
        {"filterGroups": [{}]},
        {"filterGroups": [{"filters": [{"propertyName": "x", "operator": "LIKE"}]}]},
        {"page": 1},
    ],
)
def test_the_judge_itself_refuses_what_the_client_would_not_send(body: dict[str, Any]) -> None:
    good = {"limit": 10, "after": "0", "sorts": [], "properties": [], "filterGroups": []}
    accept(PublicObjectSearchRequest, good, "search")
    with pytest.raises((AssertionError, ValueError)):
        accept(PublicObjectSearchRequest, {**good, **body}, "search")


def walk(portal: Portal, crm: HubSpotConnector) -> None:
    """Everything that a connector is asked for, once."""
    assert crm.check()
    changes = crm.missing_schema(SCHEMA)
    assert [change.wanted for change in changes] == list(SCHEMA)
    crm.create_schema(changes, language="fr")
    assert crm.missing_schema(SCHEMA) == []
    longer = FieldSpec(Entity.CONTACT, "crm_sync_job_change", FieldType.PICKLIST,
                       values=("retitled", "moved", "left", "retired"))  # fmt: skip
    crm.create_schema(crm.missing_schema([longer]), language="en")
    for entity in crm.objects:
        assert crm.describe(entity)
    ids = seed(crm, ["old"] * 12)
    task = a_linked_task(crm, ids[0])
    portal.settle()
    look(crm, ids, task)
    mapping = load_mapping(shipped("mappings/hubspot.yaml"))
    cursors = {}
    for entity in (Entity.CONTACT, Entity.ACCOUNT, Entity.COLLEAGUE):
        pages = list(crm.pull(entity, mapping.pulled_fields(entity), cursor=None))
        cursors[entity] = pages[-1].cursor
    crm.write(retitle(ids))
    portal.settle()
    for entity, cursor in cursors.items():
        list(crm.pull(entity, mapping.pulled_fields(entity), cursor=cursor))
    deletes = [Write(Operation.DELETE, Entity.CONTACT, "d", id) for id in ids[:2]]
    assert set(outcomes(crm.write(deletes))) == {Outcome.APPLIED}


def a_linked_task(crm: HubSpotConnector, contact: str) -> str:
    fields = {"hs_task_subject": "Call", "hs_task_body": "a < b", "hs_timestamp": "2026-06-15",
              "hs_task_status": "NOT_STARTED", "crm_sync_key": "key"}  # fmt: skip
    [made] = crm.write([Write(Operation.CREATE, Entity.TASK, "key", fields=fields)])
    link = Write(Operation.LINK, Entity.TASK, "link", made.record_id,
                 {"associations.contacts": contact}, Ref(Entity.CONTACT, contact))  # fmt: skip
    assert outcomes(crm.write([link])) == [Outcome.APPLIED]
    return made.record_id


def look(crm: HubSpotConnector, ids: list[str], task: str) -> None:
    relations = ["jobtitle", "associations.companies", "associations.companies.primary"]
    assert len(crm.read(Entity.CONTACT, ids, relations)) == len(ids)
    assert {one.id for one in crm.find(Entity.CONTACT, "jobtitle", ["old"])} == set(ids)
    assert [one.id for one in crm.find(Entity.TASK, "crm_sync_key", ["key"])] == [task]
    assert crm.url(Entity.TASK, task)
