from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from crm_sync.connector import ConfigError, Entity, Gone, Record, Scalar
from crm_sync_hubspot import HubSpotConnector
from tests.support.hubspot_portal import VERSION, Portal, a_portal, seed

OBJECTS = ("emails", "calls", "meetings", "notes", "tasks")
FIELDS = ("hs_timestamp", "hubspot_owner_id", "associations.contacts")
EMAIL_FIELDS = (*FIELDS, "hs_email_direction")
AT = "2026-05-0{}T09:30:00Z"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with a_portal(tmp_path) as portal:
        yield portal


@pytest.fixture
def crm(portal: Portal) -> Iterator[HubSpotConnector]:
    with closing(portal.connect(page_size=10)) as crm:
        yield crm


def add(portal: Portal, kind: str, contacts: Mapping[str, int], **properties: str) -> str:
    """The id of a new record of this kind; `contacts` are ids with the type of association."""
    associations = [
        {
            "to": {"id": id},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}],
        }
        for id, type_id in contacts.items()
    ]
    body = {"properties": properties, "associations": associations}
    return str(portal.api("POST", f"/crm/objects/{VERSION}/{kind}", body)["id"])


def pulled(
    crm: HubSpotConnector, kind: str, cursor: str | None = None
) -> tuple[dict[str, Record], list[Gone], str]:
    fields = EMAIL_FIELDS if kind == "emails" else FIELDS
    pages = list(crm.pull(Entity.INTERACTION, fields, cursor=cursor, object_name=kind))
    records = {record.id: record for page in pages for record in page.records}
    return records, [one for page in pages for one in page.gone], pages[-1].cursor


TO_CONTACT = {"emails": 198, "calls": 194, "meetings": 200, "notes": 202, "tasks": 204}


@pytest.mark.parametrize("kind", OBJECTS)
def test_interactions_of_each_kind_come_with_time_and_contacts(
    portal: Portal, crm: HubSpotConnector, kind: str
) -> None:
    first, second = seed(crm, ["a", "b"])
    both = {first: TO_CONTACT[kind], second: TO_CONTACT[kind]}
    shared = add(portal, kind, both, hs_timestamp=AT.format(1))
    alone = add(portal, kind, {}, hs_timestamp=AT.format(2))
    records, gone, _ = pulled(crm, kind)
    ends = {id: one.fields["associations.contacts"] for id, one in records.items()}
    assert ends == {shared: f"{first};{second}", alone: None}
    assert gone == []
    assert str(records[shared].fields["hs_timestamp"]).startswith("2026-05-01T09:30:00")
    assert {one.entity for one in records.values()} == {Entity.INTERACTION}


@pytest.mark.parametrize("kind", OBJECTS)
def test_new_edited_and_deleted_interactions_come_with_the_next_pull(
    portal: Portal, crm: HubSpotConnector, kind: str
) -> None:
    ids = [add(portal, kind, {}, hs_timestamp=AT.format(1)) for _ in range(12)]
    records, _, cursor = pulled(crm, kind)
    assert set(records) == set(ids)
    portal.advance(2000)
    _, _, cursor = pulled(crm, kind, cursor)
    new = add(portal, kind, {}, hs_timestamp=AT.format(2))
    portal.api(
        "PATCH",
        f"/crm/objects/{VERSION}/{kind}/{ids[0]}",
        {"properties": {"hs_timestamp": AT.format(3)}},
    )
    portal.api("DELETE", f"/crm/objects/{VERSION}/{kind}/{ids[1]}")
    portal.settle()
    records, gone, _ = pulled(crm, kind, cursor)
    assert set(records) == {new, ids[0]}
    assert str(records[ids[0]].fields["hs_timestamp"]).startswith("2026-05-03")
    assert gone == [Gone(Entity.INTERACTION, ids[1])]


def test_an_email_says_in_which_direction_it_went_and_no_content_is_asked_for(
    portal: Portal, crm: HubSpotConnector
) -> None:
    id = add(
        portal,
        "emails",
        {},
        hs_timestamp=AT.format(1),
        hs_email_direction="INCOMING_EMAIL",
        hs_email_subject="canary-subject",
    )
    records, _, _ = pulled(crm, "emails")
    assert records[id].fields["hs_email_direction"] == "INCOMING_EMAIL"
    assert "canary" not in repr(records)


def test_interactions_need_the_name_of_their_object(crm: HubSpotConnector) -> None:
    for name in ("", "contacts", "faxes"):
        with pytest.raises(ConfigError, match="HubSpot has no") as caught:
            list(crm.pull(Entity.INTERACTION, ["hs_timestamp"], cursor=None, object_name=name))
        assert "emails, calls, meetings, notes or tasks" in caught.value.fix


def test_a_cursor_of_one_kind_is_refused_by_another(portal: Portal, crm: HubSpotConnector) -> None:
    add(portal, "calls", {}, hs_timestamp=AT.format(1))
    _, _, cursor = pulled(crm, "calls")
    with pytest.raises(ConfigError, match="belongs to calls, not to notes"):
        pulled(crm, "notes", cursor)


def test_deals_come_with_their_contacts_and_companies(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [contact] = seed(crm, ["a"])
    company = add(portal, "companies", {}, name="Acme")
    deal = add(
        portal,
        "deals",
        {contact: 3, company: 341},
        dealname="Big",
        dealstage="appointmentscheduled",
    )
    fields = ["dealname", "associations.contacts", "associations.companies.primary"]
    [page] = crm.pull(Entity.DEAL, fields, cursor=None)
    expected: dict[str, Scalar] = {
        "dealname": "Big",
        "associations.contacts": contact,
        "associations.companies.primary": company,
    }
    assert [(one.id, dict(one.fields)) for one in page.records] == [(deal, expected)]
    assert [dict(one.fields) for one in crm.read(Entity.DEAL, [deal], fields)] == [expected]
