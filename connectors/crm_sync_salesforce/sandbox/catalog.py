"""The objects that a sandbox has, kept in its database file so that a reopened one has them too.

Custom fields come from the connector's schema, from the shipped mapping and from loaded files.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crm_sync.connector import Entity, FieldSpec, FieldType
from crm_sync_salesforce.sandbox.fields import NUMBERS, Field, Kind, ObjectType
from crm_sync_salesforce.sandbox.objects import ACTIVITIES, STANDARD

Catalog = Mapping[str, ObjectType]
"""Objects by lower-case name."""

TEXT_LENGTH = 255
_CUSTOM_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c")
_CUSTOM_WORD = re.compile(r"\b[A-Za-z]\w*__c\b")
_OBJECTS = {
    Entity.CONTACT: ("Contact",),
    Entity.ACCOUNT: ("Account",),
    Entity.COLLEAGUE: ("User",),
    Entity.DEAL: ("Opportunity",),
    Entity.TASK: ACTIVITIES,
    Entity.INTERACTION: ACTIVITIES,
}
_KINDS = {
    FieldType.TEXT: Kind.STRING,
    FieldType.LONG_TEXT: Kind.TEXTAREA,
    FieldType.NUMBER: Kind.DOUBLE,
    FieldType.CHECKBOX: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
    FieldType.PICKLIST: Kind.PICKLIST,
}


def standard_catalog() -> dict[str, ObjectType]:
    """The objects of an org in which nobody has added a field."""
    return {one.name.lower(): one for one in STANDARD}


def read_catalog(connection: sqlite3.Connection) -> dict[str, ObjectType]:
    """The standard objects with the custom and changed fields of this database."""
    catalog = standard_catalog()
    rows = connection.execute('SELECT object, definition FROM "_fields" ORDER BY rowid')
    for name, definition in rows:
        catalog[name.lower()] = catalog[name.lower()].adding(_field(json.loads(definition)))
    return catalog


def create_tables(connection: sqlite3.Connection) -> None:
    """Create what a new database lacks; an existing one is left as it is."""
    connection.execute(
        'CREATE TABLE IF NOT EXISTS "_fields" '
        "(object TEXT, name TEXT, definition TEXT, UNIQUE (object, name))"
    )
    for one in STANDARD:
        _create_object(connection, one)


def add_field(connection: sqlite3.Connection, target: ObjectType, extra: Field) -> ObjectType:
    """Add or redefine a field of an object, in the database and in the returned type."""
    known = target.fields.get(extra.name.lower())
    if known is None and extra.stored:
        connection.execute(f'ALTER TABLE "{target.name}" ADD COLUMN {_column(extra)}')
        _index(connection, target.name, extra)
    connection.execute(
        'INSERT INTO "_fields" VALUES (?, ?, ?) '
        "ON CONFLICT (object, name) DO UPDATE SET definition = excluded.definition",
        (target.name, extra.name, json.dumps(asdict(extra))),
    )
    return target.adding(extra)


def schema_fields(schema: tuple[FieldSpec, ...]) -> Iterator[tuple[str, Field]]:
    """The fields that a connector declares, with the object that each belongs to."""
    for spec in schema:
        for name in _OBJECTS[spec.entity]:
            yield name, _declared(spec)


def mapping_fields(mapping: Path) -> Iterator[tuple[str, Field]]:
    """The `__c` names of a mapping with their objects, as text fields.

    Raises `ConfigError` when the file cannot be read as YAML.
    """
    from crm_sync.yamlfile import load_yaml

    data = load_yaml(mapping).data
    for section in data.values() if isinstance(data, dict) else ():
        if isinstance(section, dict) and "object" in section:
            name = str(section["object"])
            for word in sorted(set(_custom_words(section))):
                for owner in ACTIVITIES if name in ACTIVITIES else (name,):
                    yield owner, text_field(word)


def text_field(name: str) -> Field:
    """A custom text field; one named like `External_Id__c` is a unique external id."""
    external = name.lower().endswith("external_id__c")
    label = name.removesuffix("__c").replace("_", " ")
    return Field(name, Kind.STRING, label, TEXT_LENGTH, external_id=external, unique=external)


def custom_name(name: str) -> bool:
    """Whether this can be the name of a custom field."""
    return _CUSTOM_NAME.fullmatch(name) is not None


def _custom_words(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _custom_words(value)
    elif isinstance(node, list):
        for value in node:
            yield from _custom_words(value)
    elif isinstance(node, str):
        yield from _CUSTOM_WORD.findall(node)


def _declared(spec: FieldSpec) -> Field:
    kind = _KINDS.get(spec.type, Kind.STRING)
    return Field(
        spec.name,
        kind,
        spec.label or spec.name,
        spec.length or (TEXT_LENGTH if kind in (Kind.STRING, Kind.PICKLIST) else 0),
        createable=spec.createable,
        updateable=spec.updateable,
        required=not spec.nillable,
        default=0 if kind is Kind.BOOLEAN else None,
        values=spec.values,
        restricted=spec.restricted,
        unique=spec.unique,
        external_id=spec.unique,
        case_sensitive=spec.unique,
        help=spec.help,
    )


def _field(definition: dict[str, Any]) -> Field:
    definition["kind"] = Kind(definition["kind"])
    for name in ("values", "targets"):
        definition[name] = tuple(definition[name])
    return Field(**definition)


def _create_object(connection: sqlite3.Connection, one: ObjectType) -> None:
    columns = ",\n".join(_column(field) for field in one.fields.values() if field.stored)
    connection.execute(
        f'CREATE TABLE IF NOT EXISTS "{one.name}" '
        f"(_row INTEGER PRIMARY KEY, {columns}, _changed_at TEXT NOT NULL)"
    )
    for field in one.fields.values():
        _index(connection, one.name, field)


def _column(field: Field) -> str:
    if field.kind is Kind.ID:
        return f"{field.column} TEXT NOT NULL UNIQUE"
    if field.kind is Kind.BOOLEAN:
        definition = "INTEGER"
    elif field.kind in NUMBERS:
        definition = "INTEGER" if field.kind is Kind.INTEGER else "REAL"
    else:
        collate = "" if field.case_sensitive or field.targets else " COLLATE NOCASE"
        definition = f"TEXT{collate}"
    if field.computed:
        return f"{field.column} {definition} GENERATED ALWAYS AS ({field.computed}) VIRTUAL"
    if field.kind is Kind.BOOLEAN:
        return f"{field.column} {definition} NOT NULL DEFAULT {int(field.default or 0)}"
    return f"{field.column} {definition}"


_INDEXED = {"name", "email", "systemmodstamp", "accountid", "whoid", "whatid", "opportunityid"}


def _index(connection: sqlite3.Connection, table: str, field: Field) -> None:
    """Index what records are looked up by; a unique field also as a last line of defence."""
    if field.unique:
        connection.execute(
            f'CREATE UNIQUE INDEX IF NOT EXISTS "{table}.{field.name}" '
            f'ON "{table}" ({field.column}) WHERE "IsDeleted" = 0'
        )
    if field.unique or field.name.lower() in _INDEXED:
        connection.execute(
            f'CREATE INDEX IF NOT EXISTS "{table}.{field.name}.all" ON "{table}" ({field.column})'
        )
