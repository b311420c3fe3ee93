"""Whether a request is one that HubSpot's own client could have sent: its models judge the body."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from crm_sync.sandbox.http import Request
from crm_sync_hubspot.paths import PATHS

_OBJECTS = "hubspot.crm.objects.models"
_ASSOCIATIONS = "hubspot.crm.associations.v4.models"
_PROPERTIES = "hubspot.crm.properties.models"

BODIES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("POST", "batch_read"): (_OBJECTS, "BatchReadInputSimplePublicObjectId"),
    ("POST", "batch_create"): (_OBJECTS, "BatchInputSimplePublicObjectBatchInputForCreate"),
    ("POST", "batch_update"): (_OBJECTS, "BatchInputSimplePublicObjectBatchInput"),
    ("POST", "batch_archive"): (_OBJECTS, "BatchInputSimplePublicObjectId"),
    ("POST", "search"): (_OBJECTS, "PublicObjectSearchRequest"),
    ("POST", "associations_read"): (
        _ASSOCIATIONS,
        "BatchInputPublicFetchAssociationsBatchRequest",
    ),
    ("POST", "associations_create"): (_ASSOCIATIONS, "BatchInputPublicAssociationMultiPost"),
    ("POST", "properties"): (_PROPERTIES, "PropertyCreate"),
    ("PATCH", "property"): (_PROPERTIES, "PropertyUpdate"),
    ("POST", "groups"): (_PROPERTIES, "PropertyGroupCreate"),
}
"""The client's model of each body, by method and name of the path."""

READS: Mapping[str, frozenset[str]] = {
    "list": frozenset(
        {"after", "archived", "associations", "limit", "properties", "propertiesWithHistory"}
    ),
    "properties": frozenset({"archived", "dataSensitivity", "locale", "properties"}),
    "property": frozenset({"archived", "dataSensitivity", "locale", "properties"}),
    "groups": frozenset({"locale"}),
    "owners": frozenset({"after", "archived", "email", "limit"}),
    "account": frozenset(),
}
"""The parameters that each path takes with GET."""

FORMS: Mapping[str, frozenset[str]] = {
    "token": frozenset(
        {"client_id", "client_secret", "code", "grant_type", "redirect_uri", "refresh_token"}
    ),
    "introspect": frozenset({"client_id", "client_secret", "token", "token_type_hint"}),
}
"""The fields of the forms of OAuth's end points."""

_PLAIN: Mapping[str, type] = {"str": str, "int": int, "bool": bool, "float": float}


def name_of(path: str) -> str:
    """The name in `PATHS` of the one template that the path was made from; the longest wins."""
    fits = [name for name, template in PATHS.items() if _pattern(template).fullmatch(path)]
    assert fits, f"{path} is none of the paths in the table"
    return max(fits, key=lambda name: PATHS[name].count("/") * 100 - PATHS[name].count("{"))


def judge(request: Request) -> str:
    """The name of the request's path; fails when HubSpot's client would not have sent it."""
    name = name_of(request.path)
    query = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    if request.method == "GET":
        assert set(query) <= READS[name], f"{name}: {sorted(query)}"
        assert not request.body, f"{name} is asked for with a body"
    elif name in FORMS:
        fields = {key for key, _ in parse_qsl(request.body.decode())}
        assert request.method == "POST"
        assert fields <= FORMS[name], f"{name}: {sorted(fields)}"
    else:
        module, model = BODIES[request.method, name]
        assert set(query) <= ({"archived"} if name == "batch_read" else set())
        assert request.headers["content-type"].startswith("application/json")
        accept(getattr(importlib.import_module(module), model), request.json(), name)
    return name


def accept(model: Any, value: Any, at: str) -> Any:
    """An instance of the client's model made of this JSON; the model itself asks for what it needs.

    Fails for an attribute that the model lacks, and for a value of another type.
    """
    assert isinstance(value, dict), f"{at}: {value!r} is no {model.__name__}"
    names = {theirs: ours for ours, theirs in model.attribute_map.items()}
    assert set(value) <= set(names), f"{at}: {model.__name__} has no {set(value) - set(names)}"
    module = importlib.import_module(model.__module__.rpartition(".")[0])
    given = {
        names[key]: _typed(model.openapi_types[names[key]], one, f"{at}.{key}", module)
        for key, one in value.items()
    }
    return model(**given, local_vars_configuration=_asking(module))


def _asking(module: Any) -> Any:
    """The client's settings with its own checks of required attributes and of choices on."""
    package = module.__name__.rpartition(".")[0]
    configuration = importlib.import_module(f"{package}.configuration").Configuration()
    configuration.client_side_validation = True
    return configuration


def _typed(kind: str, value: Any, at: str, module: Any) -> Any:
    if match := re.fullmatch(r"list\[(.+)\]", kind):
        assert isinstance(value, list), f"{at} should be a list"
        return [_typed(match[1], one, f"{at}[{n}]", module) for n, one in enumerate(value)]
    if match := re.fullmatch(r"dict[\[(]str, (.+)[\])]", kind):
        assert isinstance(value, dict), f"{at} should be an object"
        return {key: _typed(match[1], one, f"{at}.{key}", module) for key, one in value.items()}
    if kind in _PLAIN:
        assert type(value) is _PLAIN[kind], f"{at} should be {kind}, not {type(value).__name__}"
        return value
    return accept(getattr(module, kind), value, at)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", template)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))
