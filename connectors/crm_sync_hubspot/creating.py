"""What a portal lacks of the properties that we want, and creating it.

Adds only: a property that is there keeps its type, its label and all its options, and nothing is
deleted. What cannot be mended by adding is told, with what a person can do. Every step looks at
what is there first, so that creating can be repeated after a failure half-way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crm_sync.connector import (
    BatchRejected,
    ConfigError,
    Entity,
    FieldSpec,
    FieldType,
    Finding,
    Level,
    SchemaChange,
)
from crm_sync_hubspot.objects import OBJECTS, OWNERS
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.records import rows_of
from crm_sync_hubspot.schema.labels import GROUP, GROUP_LABEL, YES_NO, Language, Words, words

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient
    from crm_sync_hubspot.describing import Metadata, Property

_FORMS: Mapping[FieldType, tuple[str, str]] = {
    FieldType.TEXT: ("string", "text"),
    FieldType.LONG_TEXT: ("string", "textarea"),
    FieldType.NUMBER: ("number", "number"),
    FieldType.CHECKBOX: ("bool", "booleancheckbox"),
    FieldType.DATE: ("date", "date"),
    FieldType.DATETIME: ("datetime", "date"),
    FieldType.PICKLIST: ("enumeration", "select"),
}
"""HubSpot's type and kind of field for each of ours."""

_ARCHIVED_FIX = "Restore it in HubSpot (Settings, Properties, Archived properties), then run again."


def missing(metadata: Metadata, wanted: Sequence[FieldSpec]) -> list[SchemaChange]:
    """What of `wanted` the portal lacks, hides from this app, or has otherwise."""
    changes: list[SchemaChange] = []
    for spec in wanted:
        found = _known(metadata, spec.entity).get(spec.name.lower())
        changes += [_absent(spec)] if found is None else _differences(spec, found)
    return changes


def create_schema(
    client: HubSpotClient, metadata: Metadata, changes: Sequence[SchemaChange], language: str
) -> list[Finding]:
    """Create what is missing, labelled in French or (any other language) in English.

    One finding per change, in order. Raises `AccessDenied` where a permission is lacking, and
    `TryLater` when the portal cannot be asked any more: what was created stays, and the next
    attempt goes on from there.
    """
    spoken: Language = "fr" if language == "fr" else "en"
    findings: dict[FieldSpec, Finding] = {}
    for entity in dict.fromkeys(change.wanted.entity for change in changes):
        ours = [change.wanted for change in changes if change.wanted.entity is entity]
        specs = list(dict.fromkeys(ours))
        made = _Maker(client, metadata, entity, spoken).make(specs)
        findings |= zip(specs, made, strict=True)
    return [findings[change.wanted] for change in changes]


class _Maker:
    """Creates properties of one object."""

    def __init__(
        self, client: HubSpotClient, metadata: Metadata, entity: Entity, language: Language
    ) -> None:
        self._client = client
        self._metadata = metadata
        self._object = OBJECTS[entity]
        self._entity = entity
        self._language = language
        self._archived: frozenset[str] | None = None
        self._grouped = False

    def make(self, specs: Sequence[FieldSpec]) -> list[Finding]:
        self._metadata.forget(self._object)
        try:
            known = _known(self._metadata, self._entity)
            return [self._one(spec, known.get(spec.name.lower())) for spec in specs]
        finally:
            self._metadata.forget(self._object)

    def _one(self, spec: FieldSpec, found: Property | None) -> Finding:
        try:
            if found is None:
                return self._create(spec)
            return self._mend(spec, found)
        except (BatchRejected, ConfigError) as refusal:
            told = f"{self._object}: not created: {refusal.message}"
            return Finding(
                Level.PROBLEM, spec.name, told, "Create it in HubSpot (Settings, Properties)."
            )

    def _create(self, spec: FieldSpec) -> Finding:
        if self._object == OWNERS or spec.type not in _FORMS:
            told = f"{self._object}: a property of this kind cannot be created"
            return Finding(Level.PROBLEM, spec.name, told, "Take it out of the mapping.")
        if spec.name.lower() in self._archived_names():
            told = f"{self._object}: the property is archived"
            return Finding(Level.PROBLEM, spec.name, told, _ARCHIVED_FIX)
        self._group()
        body = _definition(spec, self._language)
        try:
            self._post(body)
        except BatchRejected as refusal:
            if self._appeared(spec):
                return Finding(Level.OK, spec.name, f"{self._object}: is there already")
            if not spec.unique:
                raise
            return self._without_uniqueness(spec, body, refusal)
        return Finding(Level.OK, spec.name, f"{self._object}: created")

    def _without_uniqueness(
        self, spec: FieldSpec, body: Mapping[str, Any], refusal: BatchRejected
    ) -> Finding:
        self._post({**body, "hasUniqueValue": False})
        told = f"{self._object}: created, but the portal keeps its values not unique"
        if self._entity is Entity.TASK:
            told += ": tasks are then created at most once"
        return Finding(
            Level.WARNING,
            spec.name,
            f"{told} ({refusal.message})",
            "Nothing has to be done; a write whose answer is lost is named in the report.",
        )

    def _mend(self, spec: FieldSpec, found: Property) -> Finding:
        lacking = _lacking(spec, found)
        if _fits(spec, found) and found.writable and lacking:
            self._extend(found.name, lacking, spec)
            told = f"{self._object}: options added: {', '.join(lacking)}"
            return Finding(Level.OK, spec.name, told)
        differences = _differences(spec, found)
        if not differences:
            return Finding(Level.OK, spec.name, f"{self._object}: is there already")
        told = f"{self._object}: {'; '.join(one.reason for one in differences)}"
        only_unique = _fits(spec, found) and found.writable
        return Finding(
            Level.WARNING if only_unique and self._entity is Entity.TASK else Level.PROBLEM,
            spec.name,
            told,
            "A property that is there is never changed: archive or rename it in HubSpot and run "
            "again, or map another property.",
        )

    def _extend(self, name: str, values: Sequence[str], spec: FieldSpec) -> None:
        """Add options after those that are there, which all have to be sent along."""
        where = path("property", object=self._object, name=name)
        body = self._client.call("GET", where).body
        there = body.get("options") if isinstance(body, Mapping) else None
        kept = [_kept(one) for one in there or () if isinstance(one, Mapping)]
        added = _options(spec, values, self._language, start=len(kept))
        self._client.call("PATCH", where, writes=True, body={"options": [*kept, *added]})

    def _post(self, body: Mapping[str, Any]) -> None:
        where = path("properties", object=self._object)
        self._client.call("POST", where, writes=True, body=dict(body))

    def _group(self) -> None:
        if self._grouped:
            return
        if not self._group_is_there():
            where = path("groups", object=self._object)
            body = {"name": GROUP, "label": GROUP_LABEL, "displayOrder": -1}
            try:
                self._client.call("POST", where, writes=True, body=body)
            except BatchRejected:
                if not self._group_is_there():  # else somebody else has just made it
                    raise
        self._grouped = True

    def _group_is_there(self) -> bool:
        groups = rows_of(self._client.call("GET", path("groups", object=self._object)).body)
        return any(one.get("name") == GROUP for one in groups)

    def _appeared(self, spec: FieldSpec) -> bool:
        """Whether somebody else, or a request of ours believed lost, has created it meanwhile."""
        self._metadata.forget(self._object)
        return spec.name.lower() in _known(self._metadata, self._entity)

    def _archived_names(self) -> frozenset[str]:
        if self._archived is None:
            where = path("properties", object=self._object)
            rows = rows_of(self._client.call("GET", where, params={"archived": "true"}).body)
            self._archived = frozenset(
                str(row.get("name")).lower() for row in rows if row.get("archived")
            )
        return self._archived


def _known(metadata: Metadata, entity: Entity) -> Mapping[str, Property]:
    object_ = OBJECTS.get(entity, OWNERS)
    return {} if object_ == OWNERS else metadata.properties(object_)


def _absent(spec: FieldSpec) -> SchemaChange:
    return SchemaChange(
        spec,
        action=f"create {spec.name}",
        reason=f"there is no property {spec.name}, or this app may not see it",
    )


def _differences(spec: FieldSpec, found: Property) -> list[SchemaChange]:
    if not _fits(spec, found):
        reason = f"it is of type {found.type}, not {_FORMS.get(spec.type, (spec.type, ''))[0]}"
        return [SchemaChange(spec, f"replace {spec.name}", reason, by_hand=True)]
    changes = []
    if lacking := _lacking(spec, found):
        reason = f"its list lacks {', '.join(lacking)}"
        changes.append(SchemaChange(spec, f"extend {spec.name}", reason))
    if spec.unique and not found.unique:
        reason = "its values are not kept unique, which HubSpot decides at creation for good"
        changes.append(SchemaChange(spec, f"replace {spec.name}", reason, by_hand=True))
    if not found.writable:
        reason = "HubSpot sets its value itself"
        changes.append(SchemaChange(spec, f"replace {spec.name}", reason, by_hand=True))
    return changes


def _fits(spec: FieldSpec, found: Property) -> bool:
    """Whether what is there can hold what we want to write."""
    checkbox = found.type == "bool" or found.field_type == "booleancheckbox"
    if spec.type is FieldType.CHECKBOX:
        return checkbox
    return not checkbox and found.type == _FORMS.get(spec.type, ("", ""))[0]


def _lacking(spec: FieldSpec, found: Property) -> list[str]:
    if spec.type is not FieldType.PICKLIST or found.external_options:
        return []
    return [value for value in spec.values if value not in found.options]


def _definition(spec: FieldSpec, language: Language) -> dict[str, Any]:
    said = words(spec.name, language) or Words(spec.label or spec.name, spec.help)
    type_, field_type = _FORMS[spec.type]
    values = ("true", "false") if spec.type is FieldType.CHECKBOX else spec.values
    body: dict[str, Any] = {
        "name": spec.name,
        "label": said.label,
        "description": said.description,
        "groupName": GROUP,
        "type": type_,
        "fieldType": field_type,
        "formField": False,
        "hasUniqueValue": spec.unique,
    }
    return body | ({"options": _options(spec, values, language)} if values else {})


def _options(
    spec: FieldSpec, values: Sequence[str], language: Language, *, start: int = 0
) -> list[dict[str, Any]]:
    if spec.type is FieldType.CHECKBOX:
        labels: Mapping[str, str] = dict(zip(values, YES_NO[language], strict=True))
    else:
        said = words(spec.name, language)
        labels = said.options if said else {}
    return [
        {"value": value, "label": labels.get(value, value), "displayOrder": at, "hidden": False}
        for at, value in enumerate(values, start)
    ]


def _kept(option: Mapping[str, Any]) -> dict[str, Any]:
    """An option that is there, as HubSpot wants it back."""
    kept = {
        "value": option.get("value"),
        "label": option.get("label"),
        "displayOrder": option.get("displayOrder") or 0,
        "hidden": bool(option.get("hidden")),
    }
    return kept | ({"description": option["description"]} if option.get("description") else {})
