from __future__ import annotations

from dataclasses import replace

import pytest

from crm_sync.connector import Entity, FieldSpec, FieldType
from crm_sync_salesforce.describing import field_specs, missing

FIELD = FieldSpec(
    Entity.CONTACT, "Kind__c", FieldType.PICKLIST, values=("A", "B"), restricted=True, unique=True
)
TEXT = FieldSpec(Entity.CONTACT, "Note__c", FieldType.TEXT, length=80)


@pytest.mark.parametrize(
    ("wanted", "there", "action", "reason"),
    [
        (TEXT, replace(TEXT, type=FieldType.DATE), "replace Note__c", "type date, not text"),
        (TEXT, replace(TEXT, length=40), "lengthen Note__c", "40 characters, not 80"),
        (FIELD, replace(FIELD, values=("A",)), "extend Kind__c", "lacks B"),
        (FIELD, replace(FIELD, unique=False), "make unique Kind__c", "not kept unique"),
        (TEXT, replace(TEXT, updateable=False), "grant Note__c", "may not write it"),
        (TEXT, replace(TEXT, createable=False), "grant Note__c", "may not write it"),
    ],
)
def test_each_difference_is_told_with_what_to_do(
    wanted: FieldSpec, there: FieldSpec, action: str, reason: str
) -> None:
    [change] = missing([wanted], [there])
    assert change.action == action
    assert reason in change.reason


def test_more_than_is_wanted_is_no_difference() -> None:
    assert missing([TEXT], [replace(TEXT, name="note__C", length=255)]) == []
    assert missing([FIELD], [replace(FIELD, values=("A", "B", "C"))]) == []


def test_a_field_is_described_as_salesforce_tells_it() -> None:
    raw = {
        "name": "Kind__c",
        "label": "Kind",
        "type": "picklist",
        "length": 255,
        "restrictedPicklist": True,
        "createable": True,
        "updateable": False,
        "nillable": False,
        "unique": False,
        "picklistValues": [
            {"value": "A", "active": True},
            {"value": "Old", "active": False},
            {"value": "B"},
        ],
    }
    [spec] = field_specs(Entity.CONTACT, {"fields": [raw, "odd"]})
    assert spec == FieldSpec(
        Entity.CONTACT,
        "Kind__c",
        FieldType.PICKLIST,
        label="Kind",
        values=("A", "B"),
        restricted=True,
        createable=True,
        updateable=False,
        nillable=False,
    )
    assert field_specs(Entity.CONTACT, {}) == []


@pytest.mark.parametrize(
    ("refers", "targets"),
    [
        (["Account"], (Entity.ACCOUNT,)),
        (["User"], (Entity.COLLEAGUE,)),
        (["Contact", "Lead"], (Entity.CONTACT,)),
        (["Account", "Opportunity"], (Entity.ACCOUNT, Entity.DEAL)),
        (["RecordType"], ()),
        ([], ()),
    ],
)
def test_a_reference_says_which_of_our_entities_it_leads_to(
    refers: list[str], targets: tuple[Entity, ...]
) -> None:
    raw = {"name": "X__c", "type": "reference", "referenceTo": refers}
    [spec] = field_specs(Entity.CONTACT, {"fields": [raw]})
    assert (spec.type, spec.targets, spec.many) == (FieldType.REFERENCE, targets, False)
