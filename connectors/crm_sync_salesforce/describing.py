"""What fields an object has, and what an org lacks of the fields that we want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sync.connector import Entity, FieldSpec, FieldType, SchemaChange
from crm_sync_salesforce.objects import OBJECTS

_TYPES = {
    "string": FieldType.TEXT,
    "id": FieldType.TEXT,
    "email": FieldType.TEXT,
    "phone": FieldType.TEXT,
    "url": FieldType.TEXT,
    "encryptedstring": FieldType.TEXT,
    "combobox": FieldType.TEXT,
    "textarea": FieldType.LONG_TEXT,
    "int": FieldType.NUMBER,
    "long": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "currency": FieldType.NUMBER,
    "percent": FieldType.NUMBER,
    "boolean": FieldType.CHECKBOX,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "picklist": FieldType.PICKLIST,
    "reference": FieldType.REFERENCE,
}
_ENTITIES = {name: entity for entity, name in OBJECTS.items()}
_TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT})


def field_specs(entity: Entity, description: Mapping[str, Any]) -> list[FieldSpec]:
    """The fields of an object's describe result."""
    fields = description.get("fields") or ()
    return [_field_spec(entity, field) for field in fields if isinstance(field, Mapping)]


def missing(wanted: Sequence[FieldSpec], there: Sequence[FieldSpec]) -> list[SchemaChange]:
    """What has to change in one object so that `wanted` holds; a hidden field counts as absent."""
    known = {spec.name.casefold(): spec for spec in there}
    changes = []
    for spec in wanted:
        found = known.get(spec.name.casefold())
        changes += [_absent(spec)] if found is None else _differences(spec, found)
    return changes


def _field_spec(entity: Entity, field: Mapping[str, Any]) -> FieldSpec:
    type_ = _TYPES.get(str(field.get("type")), FieldType.OTHER)
    return FieldSpec(
        entity=entity,
        name=str(field.get("name")),
        type=type_,
        label=str(field.get("label") or ""),
        length=int(field.get("length") or 0) or None if type_ in _TEXTS else None,
        values=tuple(
            str(value.get("value"))
            for value in field.get("picklistValues") or ()
            if value.get("active", True)
        ),
        restricted=bool(field.get("restrictedPicklist")),
        createable=bool(field.get("createable")),
        updateable=bool(field.get("updateable")),
        nillable=bool(field.get("nillable", True)),
        unique=bool(field.get("unique")),
        help=str(field.get("inlineHelpText") or ""),
        targets=tuple(
            _ENTITIES[name] for name in field.get("referenceTo") or () if name in _ENTITIES
        ),
    )


def _absent(spec: FieldSpec) -> SchemaChange:
    return SchemaChange(
        spec,
        action=f"create {spec.name}",
        reason=f"there is no {spec.name}, or this user may not see it",
    )


def _differences(wanted: FieldSpec, found: FieldSpec) -> list[SchemaChange]:
    changes: list[SchemaChange] = []

    def differs(action: str, reason: str) -> None:
        changes.append(SchemaChange(wanted, action=f"{action} {wanted.name}", reason=reason))

    if found.type is not wanted.type:
        differs("replace", f"it is of type {found.type}, not {wanted.type}")
        return changes
    if wanted.length and found.length and found.length < wanted.length:
        differs("lengthen", f"it takes {found.length} characters, not {wanted.length}")
    absent = [value for value in wanted.values if value not in found.values]
    if absent and (found.restricted or wanted.restricted):
        differs("extend", f"its list lacks {', '.join(absent)}")
    if wanted.unique and not found.unique:
        differs("make unique", "its values are not kept unique")
    if not (found.createable and found.updateable):
        differs("grant", "this user may not write it")
    return changes
