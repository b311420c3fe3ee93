"""The properties that a portal starts with besides the standard ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crm_sync.connector import Entity, FieldSpec, FieldType
from crm_sync_hubspot.sandbox.definitions import Definition, text_property
from crm_sync_hubspot.sandbox.propertyforms import NAME
from crm_sync_hubspot.sandbox.standard import YES_NO
from crm_sync_hubspot.sandbox.types import TYPES
from crm_sync_hubspot.schema.labels import GROUP

_KINDS = {
    Entity.CONTACT: ("contacts",),
    Entity.ACCOUNT: ("companies",),
    Entity.DEAL: ("deals",),
    Entity.TASK: ("tasks",),
}
_TYPES = {
    FieldType.LONG_TEXT: ("string", "textarea"),
    FieldType.NUMBER: ("number", "number"),
    FieldType.CHECKBOX: ("bool", "booleancheckbox"),
    FieldType.DATE: ("date", "date"),
    FieldType.DATETIME: ("datetime", "date"),
    FieldType.PICKLIST: ("enumeration", "select"),
}


def schema_properties(
    schema: tuple[FieldSpec, ...], *, unique_tasks: bool
) -> Iterator[tuple[str, Definition]]:
    """What a connector declares, with the kind of records that each belongs to.

    Without `unique_tasks` no property of tasks has unique values, as in a portal that refuses it.
    """
    for spec in schema:
        for kind in _KINDS.get(spec.entity, ()):
            yield kind, _declared(spec, unique=spec.unique and (unique_tasks or kind != "tasks"))


def mapping_properties(mapping: Path) -> Iterator[tuple[str, Definition]]:
    """The properties that a mapping names, as text properties; relations are none.

    Raises `ConfigError` when the file cannot be read as YAML.
    """
    from crm_sync.yamlfile import load_yaml

    data = load_yaml(mapping).data
    aliases = {alias: kind for kind, one in TYPES.items() for alias in (kind, one.singular)}
    for section in data.values() if isinstance(data, dict) else ():
        if isinstance(section, dict) and str(section.get("object")) in aliases:
            for name in sorted(set(_named(section))):
                if NAME.fullmatch(name):
                    yield aliases[str(section["object"])], text_property(name)


def _named(section: dict[Any, Any]) -> Iterator[str]:
    for part in ("read", "write"):
        fields = section.get(part)
        for one in fields.values() if isinstance(fields, dict) else ():
            named = one.get("field") if isinstance(one, dict) else one
            if isinstance(named, str):
                yield named


def _declared(spec: FieldSpec, *, unique: bool) -> Definition:
    type_, field_type = _TYPES.get(spec.type, ("string", "text"))
    options = YES_NO if type_ == "bool" else tuple((one, one) for one in spec.values)
    return Definition(
        spec.name,
        type_,
        field_type,
        spec.label or spec.name,
        GROUP,
        options,
        spec.help,
        unique=unique,
        standard=False,
    )
