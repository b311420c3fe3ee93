"""What properties an object has, as the portal describes them, and the relations we add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from crm_sync.connector import ConfigError, Entity, FieldSpec, FieldType
from crm_sync_hubspot.objects import OBJECT_ID, OWNERS
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.portal import Portal
from crm_sync_hubspot.records import not_understood, rows_of
from crm_sync_hubspot.relations import is_relation, relation_specs

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient

_TYPES = {
    "string": FieldType.TEXT,
    "phone_number": FieldType.TEXT,
    "number": FieldType.NUMBER,
    "bool": FieldType.CHECKBOX,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "enumeration": FieldType.PICKLIST,
}
_LONG = frozenset({"textarea", "html"})
_REFERRING = {"OWNER": Entity.COLLEAGUE}
_UNIQUE = frozenset({("contacts", "email")})
"""Properties by which records are looked up exactly, though their descriptions do not say so."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of one object, as the portal describes it.

    `options` are the values that an enumeration takes, in the portal's order; with
    `external_options` HubSpot takes them from elsewhere (the owners) and they are not listed.
    `unique` says that HubSpot refuses a second record with the same value.
    """

    name: str
    label: str
    type: str
    field_type: str
    options: tuple[str, ...] = ()
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    group: str = ""
    external_options: bool = False
    referenced: str = ""
    description: str = ""

    @property
    def writable(self) -> bool:
        """Whether a value can be written at all."""
        return not (self.read_only or self.calculated)


class Metadata:
    """The descriptions of a portal's objects, each asked for once; safe between threads."""

    def __init__(self, client: HubSpotClient) -> None:
        self.portal = Portal(client)
        self._client = client
        self._lock = Lock()
        self._known: dict[str, Mapping[str, Property]] = {}

    def properties(self, object_name: str) -> Mapping[str, Property]:
        """Every property of an object that this user can see, by name."""
        with self._lock:
            found = self._known.get(object_name)
        if found is None:
            # Not under the lock: one slow answer would hold up every other object.
            answer = self._client.call("GET", path("properties", object=object_name))
            properties = [_property(row) for row in rows_of(answer.body)]
            found = {one.name: one for one in properties}
            with self._lock:
                self._known[object_name] = found
        return found

    def forget(self, object_name: str) -> None:
        """Ask again next time: the properties were just changed."""
        with self._lock:
            self._known.pop(object_name, None)

    def require(self, object_name: str, names: Iterable[str]) -> None:
        """Raise `ConfigError` unless every one of these names, in any capitals, is a property.

        HubSpot leaves out a property that it does not have without a word, and a field that is
        always blank looks as if somebody had emptied it everywhere. Relations are not looked at,
        and nothing is where the list cannot be the whole one (see `is_whole`).
        """
        known = self.properties(object_name)
        if not is_whole(known):
            return
        wanted = (name for name in names if not is_relation(name))
        absent = next((name for name in wanted if name.lower() not in known), None)
        if absent is not None and absent.lower() != OBJECT_ID:
            raise ConfigError(
                f"{object_name} have no property {absent[:100]!r}, or this app may not see it",
                fix="Correct the mapping, or create the property.",
            )

    def is_unique(self, object_name: str, name: str) -> bool:
        """Whether a record can be looked up by this property exactly and without delay."""
        described = self.properties(object_name).get(name.lower())
        return (object_name, name.lower()) in _UNIQUE or bool(described and described.unique)

    def field_specs(self, entity: Entity, object_name: str) -> list[FieldSpec]:
        """Every field of an object: its properties, then its relations."""
        if object_name == OWNERS:
            from crm_sync_hubspot.colleagues import SPECS

            return list(SPECS)
        properties = self.properties(object_name).values()
        return [_spec(entity, one) for one in properties] + relation_specs(entity, object_name)


def is_whole(known: Mapping[str, Property]) -> bool:
    """Whether a list of properties can be all that an object has: every object has its id.

    A server that only acts HubSpot's published description lists something else; what is absent
    from such a list may be there all the same.
    """
    return OBJECT_ID in known


def _property(row: Mapping[str, Any]) -> Property:
    name, options = row.get("name"), row.get("options") or ()
    metadata = row.get("modificationMetadata") or {}
    if not isinstance(name, str) or not isinstance(metadata, Mapping):
        raise not_understood()
    if not isinstance(options, list | tuple):
        raise not_understood()
    return Property(
        name=name,
        label=str(row.get("label") or ""),
        type=str(row.get("type") or ""),
        field_type=str(row.get("fieldType") or ""),
        options=tuple(str(one.get("value")) for one in options if isinstance(one, Mapping)),
        read_only=bool(metadata.get("readOnlyValue")),
        calculated=bool(row.get("calculated")),
        unique=bool(row.get("hasUniqueValue")),
        group=str(row.get("groupName") or ""),
        external_options=bool(row.get("externalOptions")),
        referenced=str(row.get("referencedObjectType") or ""),
        description=str(row.get("description") or ""),
    )


def _spec(entity: Entity, one: Property) -> FieldSpec:
    type_ = _type(one)
    closed = type_ is FieldType.PICKLIST and not one.external_options
    return FieldSpec(
        entity=entity,
        name=one.name,
        type=type_,
        label=one.label,
        values=one.options if type_ is FieldType.PICKLIST else (),
        restricted=closed,
        createable=one.writable,
        updateable=one.writable,
        unique=one.unique,
        help=one.description,
        targets=(_REFERRING[one.referenced.upper()],) if type_ is FieldType.REFERENCE else (),
    )


def _type(one: Property) -> FieldType:
    if one.field_type == "booleancheckbox":
        return FieldType.CHECKBOX  # HubSpot keeps it as an enumeration of true and false
    if one.referenced.upper() in _REFERRING:
        return FieldType.REFERENCE
    if one.type == "string" and one.field_type in _LONG:
        return FieldType.LONG_TEXT
    return _TYPES.get(one.type, FieldType.OTHER)
