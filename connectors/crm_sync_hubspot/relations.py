"""Relation fields: dotted names that are read through associations, never as properties.

`associations.companies` is the ids of all associated companies, ascending and joined by `;`;
`associations.companies.primary` is the id of the primary one. Reading them moves nothing in
HubSpot, and changing them does not either: a new association alone does not make a record come
in an incremental pull.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_sync.connector import ConfigError, Entity, FieldSpec, FieldType, Scalar
from crm_sync_hubspot.objects import INTERACTIONS, OBJECTS, PRIMARY, RELATED
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.records import batch_of, id_of, next_after, not_understood

if TYPE_CHECKING:
    from crm_sync_hubspot.client import HubSpotClient

_ROOT = "associations"
_MARK = "primary"
_READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Relation:
    """What a relation field asks for: ids of `target`, all of them or the primary one."""

    target: str
    primary: bool = False


def is_relation(name: str) -> bool:
    """Whether a field is a relation; no property has a dot in its name."""
    return "." in name


def relation(object_: str, name: str) -> Relation:
    """The relation that a field names. Raises `ConfigError` when the object has no such one."""
    root, _, rest = name.lower().partition(".")
    target, _, mark = rest.partition(".")
    known = target in RELATED.get(object_, ())
    if root == _ROOT and known and (not mark or (mark == _MARK and (object_, target) in PRIMARY)):
        return Relation(target, primary=bool(mark))
    named = ", ".join(_names(object_)) or "none"
    raise ConfigError(
        f"{object_} have no relation {name[:100]!r}", fix=f"The relations of {object_}: {named}."
    )


def relation_specs(entity: Entity, object_: str) -> list[FieldSpec]:
    """The relations of an object as fields; of a new task they can be set, later never."""
    return [
        FieldSpec(
            entity=entity,
            name=name,
            type=FieldType.REFERENCE,
            label=name.replace(".", " ").capitalize(),
            createable=entity is Entity.TASK and object_ in INTERACTIONS,
            updateable=False,
            targets=tuple(of for of, held in OBJECTS.items() if held == leads.target),
            many=not leads.primary,
        )
        for name in _names(object_)
        for leads in [relation(object_, name)]
    ]


def related(
    client: HubSpotClient, object_: str, ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Scalar]]:
    """The values of these relation fields, by record id and then by name.

    Every id has every name; None where nothing is associated.
    """
    asked = {name: relation(object_, name) for name in names}
    targets = dict.fromkeys(one.target for one in asked.values())
    links = {target: _links(client, object_, target, ids) for target in targets}
    return {
        id: {
            name: _value(object_, one, links[one.target].get(id, {})) for name, one in asked.items()
        }
        for id in ids
    }


_Types = frozenset[tuple[str, int]]


def _links(
    client: HubSpotClient, source: str, target: str, ids: Sequence[str]
) -> dict[str, dict[str, _Types]]:
    """The ids at the other end of each record's associations, with their types."""
    address = path("associations_read", source=source, target=target)
    found: dict[str, dict[str, _Types]] = {id: {} for id in ids}
    for some in _chunks(list(found)):
        inputs = [{"id": id} for id in some]
        while inputs:
            body = client.call("POST", address, body={"inputs": inputs}).body
            tokens = {one["id"]: one.get("after", "") for one in inputs}
            inputs = []
            for row in batch_of(body):
                id = _end(row.get("from"))
                if id not in tokens:
                    continue
                _add(found[id], row)
                after = next_after(row)
                if after and after != tokens[id]:
                    inputs.append({"id": id, "after": after})
    return found


def _add(found: dict[str, _Types], row: Mapping[str, Any]) -> None:
    ends = row.get("to")
    if not isinstance(ends, list):
        raise not_understood()
    for end in ends:
        # The id is text in the dated API and a number in the ones before it.
        id = _end({"id": end.get("toObjectId")} if isinstance(end, Mapping) else None)
        types = end.get("associationTypes")
        if not isinstance(types, list):
            raise not_understood()
        found[id] = found.get(id, frozenset()) | {_type(one) for one in types}


def _end(end: Any) -> str:
    if not isinstance(end, Mapping):
        raise not_understood()
    return id_of(end)


def _type(one: Any) -> tuple[str, int]:
    if not isinstance(one, Mapping) or not isinstance(one.get("typeId"), int):
        raise not_understood()
    return str(one.get("category")), one["typeId"]


def _value(object_: str, asked: Relation, links: Mapping[str, _Types]) -> Scalar:
    ids = sorted(links, key=lambda id: (len(id), id))
    if not asked.primary:
        return ";".join(ids) or None
    mark = ("HUBSPOT_DEFINED", PRIMARY[object_, asked.target])
    first = next((id for id in ids if mark in links[id]), None)
    return first or (ids[0] if len(ids) == 1 else None)


def _names(object_: str) -> list[str]:
    names = []
    for target in RELATED.get(object_, ()):
        names.append(f"{_ROOT}.{target}")
        if (object_, target) in PRIMARY:
            names.append(f"{_ROOT}.{target}.{_MARK}")
    return names


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + _READ_AT_ONCE] for at in range(0, len(ids), _READ_AT_ONCE))
