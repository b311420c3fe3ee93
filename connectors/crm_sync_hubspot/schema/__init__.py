"""The custom properties that crm-sync writes in HubSpot, declared once.

`setup` creates them, `check` looks for them, the sandbox starts with them, and
`mappings/hubspot.yaml` maps onto them. Their words in French and English are in `labels`.
"""

from __future__ import annotations

from crm_sync.connector import Entity, FieldSpec, FieldType
from crm_sync_hubspot.schema.labels import words


def _property(
    name: str,
    type_: FieldType,
    *,
    entity: Entity = Entity.CONTACT,
    values: tuple[str, ...] = (),
    unique: bool = False,
) -> FieldSpec:
    said, french = words(name, "en"), words(name, "fr")
    if said is None or french is None:
        raise ValueError(f"{name} has no label")
    return FieldSpec(
        entity=entity,
        name=name,
        type=type_,
        label=said.label,
        values=values,
        restricted=bool(values),
        unique=unique,
        help=said.description,
        labels=(("fr", french.label),),
    )


TASK_KEY = _property("crm_sync_key", FieldType.TEXT, entity=Entity.TASK, unique=True)

SCHEMA: tuple[FieldSpec, ...] = (
    _property("crm_sync_moved", FieldType.CHECKBOX),
    _property("crm_sync_job_change", FieldType.PICKLIST, values=("retitled", "moved", "left")),
    _property("crm_sync_moved_on", FieldType.DATE),
    _property("crm_sync_previous_company", FieldType.TEXT),
    _property("crm_sync_new_company", FieldType.TEXT),
    _property("crm_sync_new_title", FieldType.TEXT),
    _property("crm_sync_last_verified", FieldType.DATE),
    _property("crm_sync_evidence", FieldType.LONG_TEXT),
    TASK_KEY,
)
