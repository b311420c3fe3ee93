"""Properties in the shape of the API: described, and read from what a client sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.definitions import Definition
from crm_sync_hubspot.sandbox.problems import invalid
from crm_sync_hubspot.sandbox.standard import YES_NO
from crm_sync_hubspot.sandbox.types import ObjectType

PROPERTIES = rf"/crm/(?:properties/(?P<dated>{DATED})|v3/properties)/(?P<type>[^/]+)"
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
FIELD_TYPES = {
    "string": ("text", "textarea", "html", "phonenumber", "file"),
    "number": ("number",),
    "date": ("date",),
    "datetime": ("date",),
    "bool": ("booleancheckbox",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
}
"""Which fieldTypes fit a type."""
Json = dict[str, Any]
Options = tuple[tuple[str, str], ...]


def described(kind: ObjectType, one: Definition) -> Json:
    """A property as the API shows it."""
    return {
        "name": one.name,
        "label": one.label or one.name,
        "type": one.type,
        "fieldType": one.field_type,
        "description": one.description,
        "groupName": one.group,
        "options": [
            {
                "label": label,
                "value": value,
                "description": "",
                "displayOrder": order,
                "hidden": False,
            }
            for order, (value, label) in enumerate(one.options)
        ],
        **({"referencedObjectType": "OWNER"} if one.owners else {}),
        "displayOrder": one.display_order,
        "calculated": one.calculated,
        "externalOptions": one.owners,
        "archived": False,
        "hasUniqueValue": one.unique,
        "hidden": False,
        "hubspotDefined": one.standard,
        "modificationMetadata": {
            "archivable": not one.standard,
            "readOnlyDefinition": one.standard,
            "readOnlyOptions": one.standard and one.owners,
            "readOnlyValue": one.read_only,
        },
        "formField": not one.read_only and kind.name in ("contacts", "companies", "deals"),
        "dataSensitivity": "non_sensitive",
    }


def made(body: Mapping[str, Any]) -> Definition:
    """The property that a create describes. Raises 400."""
    for name in ("name", "label", "type", "fieldType", "groupName"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise invalid(f"Invalid input JSON: some required fields were not set: [{name}]")
    name, type_, field_type = body["name"], body["type"], body["fieldType"]
    if not NAME.fullmatch(name):
        raise invalid(f"Property name '{name[:120]}' must be lower case letters, digits and _")
    if field_type not in FIELD_TYPES.get(type_, ()):
        raise invalid(f"Property type '{type_}' and fieldType '{field_type}' do not fit together")
    options: Options = YES_NO if type_ == "bool" else ()
    if body.get("options"):
        options = _options(body["options"])
    if type_ == "bool" and {value for value, _ in options} != {"true", "false"}:
        raise invalid("A boolean property has exactly the options `true` and `false`")
    unique = body.get("hasUniqueValue") is True
    if unique and type_ not in ("string", "number"):
        raise invalid(f"A property of type {type_} cannot have unique values")
    return Definition(
        name,
        type_,
        field_type,
        body["label"],
        body["groupName"],
        options,
        str(body.get("description") or ""),
        unique=unique,
        standard=False,
        display_order=whole(body.get("displayOrder", -1)),
    )


def changed(known: Definition, body: Mapping[str, Any]) -> Definition:
    """The property after a change. Raises 400 for what cannot change."""
    if known.standard and set(body) - {"options"}:
        raise invalid(f"{known.name} is defined by HubSpot; only its options can be changed")
    if any(name in body and body[name] != kept for name, kept in (("type", known.type),)):
        raise invalid("The type of a property cannot be changed")
    field_type = str(body.get("fieldType", known.field_type))
    if field_type not in FIELD_TYPES[known.type]:
        raise invalid(f"fieldType '{field_type}' does not fit type '{known.type}'")
    return replace(
        known,
        field_type=field_type,
        label=str(body.get("label", known.label)),
        group=str(body.get("groupName", known.group)),
        description=str(body.get("description", known.description)),
        options=_options(body["options"]) if "options" in body else known.options,
        display_order=whole(body.get("displayOrder", known.display_order)),
    )


def _options(value: Any) -> Options:
    if not isinstance(value, list):
        raise invalid("Invalid input JSON: `options` must be a list")
    found: dict[str, str] = {}
    for one in value:
        option = one.get("value") if isinstance(one, dict) else None
        if not isinstance(option, str) or not option or not one.get("label"):
            raise invalid("Every option needs a `value` and a `label`")
        if option in found:
            raise invalid(f"The option '{option}' is there twice")
        found[option] = str(one["label"])
    return tuple(found.items())


def whole(value: Any) -> int:
    """A whole number of a body. Raises 400."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid("displayOrder must be a whole number")
    return value
