"""HubSpot's own client for Python, with its typed classes, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4 import models as link_models
from hubspot.crm.contacts import models as contact_models
from hubspot.crm.contacts.exceptions import ApiException, NotFoundException
from hubspot.crm.objects.tasks import models as task_models
from hubspot.crm.properties import models as property_models

from crm_sync_hubspot.sandbox.oauth import REFRESH_TOKEN
from tests.support.hubspot_http import Api, running

Client = Any
"""The client publishes no types."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "portal.db") as opened:
        yield opened


@pytest.fixture
def client(api: Api) -> Client:
    return HubSpot(access_token="sandbox-token", host=api.url, base_url=api.url)


def create(client: Client, *names: str) -> dict[str, str]:
    """Contacts with these first names; their ids by name."""
    inputs = [
        contact_models.SimplePublicObjectBatchInputForCreate(
            associations=[],
            properties={
                "email": f"{name}@one.example",
                "firstname": name,
                "lastname": "Novak",
            },
        )
        for name in names
    ]
    body = contact_models.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
    made = client.crm.contacts.batch_api.create(body)
    assert type(made).__name__ == "BatchResponseSimplePublicObject"
    return {one.properties["firstname"]: one.id for one in made.results}


def test_lists_lead_from_page_to_page(client: Client) -> None:
    ids = create(client, "ada", "bea", "cid")
    basic = client.crm.contacts.basic_api
    first = basic.get_page(limit=2, properties=["email"])
    second = basic.get_page(limit=2, after=first.paging.next.after, properties=["email"])
    assert second.paging is None
    listed = [one.id for page in (first, second) for one in page.results]
    assert listed == sorted(ids.values(), key=int)
    assert len(client.crm.contacts.get_all()) == 3


def test_searches_lead_from_page_to_page(api: Api, client: Client) -> None:
    create(client, "ada", "bea", "cid")
    api.clock.advance(10)
    search = client.crm.contacts.search_api
    one = {"propertyName": "lastname", "operator": "EQ", "value": "Novak"}
    seen: list[str] = []
    after = None
    while True:
        request = contact_models.PublicObjectSearchRequest(
            filter_groups=[{"filters": [one]}],
            sorts=["-firstname"],
            properties=["firstname"],
            limit=2,
            after=after,
        )
        page = search.do_search(request)
        assert page.total == 3
        seen += [row.properties["firstname"] for row in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert seen == ["cid", "bea", "ada"]


def test_batches_update_and_read(client: Client) -> None:
    ids = create(client, "ada", "bea")
    batch = client.crm.contacts.batch_api
    inputs = [
        contact_models.SimplePublicObjectBatchInput(id=ids["ada"], properties={"jobtitle": "CEO"}),
        contact_models.SimplePublicObjectBatchInput(id="987", properties={"jobtitle": "CEO"}),
    ]
    body = contact_models.BatchInputSimplePublicObjectBatchInput(inputs=inputs)
    answer = batch.update(body)
    assert type(answer).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert [one.id for one in answer.results] == [ids["ada"]]
    assert (answer.num_errors, answer.errors[0].category) == (1, "OBJECT_NOT_FOUND")
    wanted = [contact_models.SimplePublicObjectId(id=id) for id in ids.values()]
    read = batch.read(
        contact_models.BatchReadInputSimplePublicObjectId(
            inputs=wanted, properties=["jobtitle"], properties_with_history=[]
        )
    )
    assert {one.id: one.properties["jobtitle"] for one in read.results} == {
        ids["ada"]: "CEO",
        ids["bea"]: None,
    }


def test_batches_upsert_by_email(client: Client) -> None:
    ids = create(client, "ada")
    inputs = [
        contact_models.SimplePublicObjectBatchInputUpsert(
            id=f"{name}@one.example", id_property="email", properties={"jobtitle": title}
        )
        for name, title in (("ada", "Buyer"), ("bea", "Seller"))
    ]
    answer = client.crm.contacts.batch_api.upsert(
        contact_models.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs)
    )
    new = {one.properties["email"]: one.new for one in answer.results}
    assert new == {"ada@one.example": False, "bea@one.example": True}
    kept = client.crm.contacts.basic_api.get_by_id(ids["ada"], properties=["jobtitle"])
    assert kept.properties["jobtitle"] == "Buyer"


def test_a_task_is_created_with_its_association(client: Client) -> None:
    who = create(client, "ada")["ada"]
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}]
    body = task_models.SimplePublicObjectInputForCreate(
        properties={"hs_timestamp": "2026-06-20T08:00:00Z", "hs_task_subject": "Congratulate"},
        associations=[{"to": {"id": who}, "types": types}],
    )
    made = client.crm.objects.tasks.basic_api.create(body)
    links = client.crm.associations.v4
    page = links.basic_api.get_page("tasks", made.id, "contacts")
    (link,) = page.results
    assert (link.to_object_id, link.association_types[0].type_id) == (who, 204)
    wanted = link_models.PublicFetchAssociationsBatchRequest(id=who)
    back = links.batch_api.get_page(
        "contacts",
        "tasks",
        link_models.BatchInputPublicFetchAssociationsBatchRequest(inputs=[wanted]),
    )
    assert [one.to_object_id for one in back.results[0].to] == [made.id]


def test_associations_in_batches_and_one_at_a_time(client: Client) -> None:
    who = create(client, "ada")["ada"]
    where = client.crm.companies.basic_api.create({"properties": {"name": "One"}}).id
    links = client.crm.associations.v4
    spec = link_models.AssociationSpec("HUBSPOT_DEFINED", 1)
    one = link_models.PublicAssociationMultiPost(
        _from=link_models.PublicObjectId(id=who),
        to=link_models.PublicObjectId(id=where),
        types=[spec],
    )
    body = link_models.BatchInputPublicAssociationMultiPost(inputs=[one])
    made = links.batch_api.create("contacts", "companies", body)
    assert type(made).__name__ == "BatchResponseLabelsBetweenObjectPair"
    assert made.results[0].labels == ["Primary"]
    kinds = links.basic_api.get_page("companies", where, "contacts").results[0].association_types
    assert [(kind.type_id, kind.label) for kind in kinds] == [
        (280, None),
        (2, "Contact with Primary Company"),
    ]
    links.basic_api.archive("contacts", who, "companies", where)
    assert links.basic_api.get_page("contacts", who, "companies").results == []
    links.basic_api.create_default("contacts", who, "companies", where)
    assert len(links.basic_api.get_page("contacts", who, "companies").results) == 1
    labels = links.schema.definitions_api.get_all("contacts", "companies").results
    assert [label.type_id for label in labels] == [279, 1]


def test_owners_are_listed_and_read(api: Api, client: Client) -> None:
    with api.sandbox.portal.database.writing() as sql:
        for number, archived in ((71, 0), (72, 0), (73, 1)):
            text = f'{{"email":"owner{number}@one.example","userId":{number + 100}}}'
            sql.execute("INSERT INTO owner VALUES (?, ?, ?)", (number, text, archived))
    owners = client.crm.owners.owners_api
    first = owners.get_page(limit=1)
    second = owners.get_page(limit=1, after=first.paging.next.after)
    assert [one.id for page in (first, second) for one in page.results] == ["71", "72"]
    assert second.paging is None
    assert [one.id for one in owners.get_page(email="OWNER72@one.example").results] == ["72"]
    (gone,) = owners.get_page(archived=True).results
    assert (gone.id, gone.archived, gone.user_id) == ("73", True, None)
    assert gone.user_id_including_inactive == 173
    assert owners.get_by_id(171, id_property="userId").id == "71"


def test_properties_and_pipelines_are_read(client: Client) -> None:
    known = {one.name: one for one in client.crm.properties.core_api.get_all("contacts").results}
    assert known["lifecyclestage"].type == "enumeration"
    assert known["hs_object_id"].modification_metadata.read_only_value
    body = property_models.PropertyCreate(
        name="proximity",
        label="Proximity",
        type="number",
        field_type="number",
        group_name=known["email"].group_name,
    )
    assert client.crm.properties.core_api.create("contacts", body).name == "proximity"
    (pipeline,) = client.crm.pipelines.pipelines_api.get_all("deals").results
    won = next(stage for stage in pipeline.stages if stage.id == "closedwon")
    assert won.metadata == {"isClosed": "true", "probability": "1.0"}
    stages = client.crm.pipelines.pipeline_stages_api.get_all("tickets", "0").results
    assert stages[0].label == "New"


def test_a_refresh_token_gives_a_token_that_works(api: Api) -> None:
    nobody: Client = HubSpot(host=api.url, base_url=api.url)
    told = nobody.oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id="sandbox-client",
        client_secret="sandbox-secret",
        refresh_token=REFRESH_TOKEN,
    )
    somebody: Client = HubSpot(access_token=told.access_token, host=api.url, base_url=api.url)
    assert somebody.crm.contacts.basic_api.get_page().results == []
    seen = nobody.oauth.access_tokens_api.get(told.access_token)
    assert (seen.hub_id, seen.token) == (20260901, told.access_token)


def test_problems_are_the_clients_own_exceptions(client: Client) -> None:
    with pytest.raises(NotFoundException):
        client.crm.contacts.basic_api.get_by_id("1")
    with pytest.raises(ApiException) as caught:
        client.crm.contacts.basic_api.create({"properties": {"no_such_property": "1"}})
    assert caught.value.status == 400
