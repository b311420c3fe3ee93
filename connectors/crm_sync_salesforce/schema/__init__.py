"""The custom fields that crm-sync writes in Salesforce, declared once.

`setup` creates them, `check` looks for them, the sandbox starts with them, and
`mappings/salesforce.yaml` maps onto them.
"""

from __future__ import annotations

from crm_sync.connector import Entity, FieldSpec, FieldType


def _contact(
    name: str,
    type_: FieldType,
    label: str,
    help_: str,
    *,
    length: int | None = None,
    values: tuple[str, ...] = (),
) -> FieldSpec:
    return FieldSpec(
        entity=Entity.CONTACT,
        name=f"Crm_Sync_{name}__c",
        type=type_,
        label=label,
        length=length,
        values=values,
        restricted=bool(values),
        help=help_,
    )


TASK_KEY = FieldSpec(
    entity=Entity.TASK,
    name="Crm_Sync_Key__c",
    type=FieldType.TEXT,
    label="crm-sync key",
    length=80,
    unique=True,
    help="Makes each follow-up task exist once. External ID, unique, case-sensitive.",
)

SCHEMA: tuple[FieldSpec, ...] = (
    _contact(
        "Moved", FieldType.CHECKBOX, "No longer at this account", "Set when the person has left."
    ),
    _contact(
        "Job_Change",
        FieldType.PICKLIST,
        "Job change",
        "What happened to this person's job.",
        values=("Retitled", "Moved", "Left"),
    ),
    _contact("Moved_On", FieldType.DATE, "Moved on", "When the new job began, or the old ended."),
    _contact(
        "Previous_Company",
        FieldType.TEXT,
        "Previous company",
        "The employer that this record was kept for.",
        length=255,
    ),
    _contact("New_Company", FieldType.TEXT, "New company", "Where the person is now.", length=255),
    _contact("New_Title", FieldType.TEXT, "New title", "The person's title there.", length=255),
    _contact(
        "Last_Verified",
        FieldType.DATE,
        "Job last verified",
        "The date of the evidence behind the fields above.",
    ),
    _contact(
        "Evidence",
        FieldType.LONG_TEXT,
        "Job change evidence",
        "Sources, dates and the rule behind the fields above.",
        length=4000,
    ),
    TASK_KEY,
)
