"""Parquet columns as a layout reads them, without a detour through JSON text.

Parquet has types of its own. Where a column already has the shape that the mapping reads, it is
taken as it is; otherwise it is made so key by key: what is missing is null, a scalar is its text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from crm_sync.enrichment.layout import Layout, identifier
from crm_sync.enrichment.mapping import EmploymentPaths, ProfilePaths, VendorMapping

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

Column = tuple[str, "DuckDBPyType"]
M = TypeVar("M", ProfilePaths, EmploymentPaths)
_NESTED = frozenset({"list", "array", "struct", "map", "union"})

Structure = Any
"""A key's wanted shape: `"VARCHAR"`, a list of one shape, or a mapping of keys to shapes."""


def typed_columns(layout: Layout, there: Sequence[Column]) -> dict[str, str]:
    """For each top key of the layout, SQL over the columns `there`, of the wanted shape."""
    types = dict(there)
    wanted: dict[str, Structure] = json.loads(layout.structure)
    return {
        key: _shaped(identifier(key), types[key], shape, 0) if key in types else _nothing(shape)
        for key, shape in wanted.items()
    }


def without_absent(mapping: VendorMapping, there: Sequence[Column]) -> VendorMapping:
    """The mapping without those paths that lead nowhere, so that nothing has to be made for them.

    A required path stays if none is there: the files' columns are checked elsewhere.
    """
    types = dict(there)
    groups = []
    for group in mapping.employments:
        inside: Mapping[str, DuckDBPyType] | None = types
        if group.each is not None:
            inside = _inside(types, group.each)
        groups.append(_present(group, inside))
    update = {"profile": _present(mapping.profile, types), "employments": tuple(groups)}
    return mapping.model_copy(update=update)


def _present(section: M, types: Mapping[str, DuckDBPyType] | None) -> M:
    kept: dict[str, tuple[str, ...]] = {}
    for name in type(section).model_fields:
        paths = getattr(section, name)
        if isinstance(paths, tuple) and paths and types is not None:
            found = tuple(path for path in paths if _leads(types, path))
            kept[name] = found or (paths[:1] if name in {"id", "organisation"} else ())
    return section.model_copy(update=kept)


def _inside(types: Mapping[str, DuckDBPyType], path: str) -> Mapping[str, DuckDBPyType] | None:
    """The keys of a list's items; None where the path leads to no list of structs."""
    found = _reached(types, path)
    while found is not None and found.id in {"list", "array"}:
        found = _children(found)["child"]
    return _children(found) if found is not None and found.id == "struct" else None


def _leads(types: Mapping[str, DuckDBPyType], path: str) -> bool:
    return _reached(types, path) is not None


def _reached(types: Mapping[str, DuckDBPyType], path: str) -> DuckDBPyType | None:
    found: DuckDBPyType | None = None
    for key in path.split("."):
        if found is not None:
            while found.id in {"list", "array"}:
                found = _children(found)["child"]
            if found.id != "struct":
                return None
            types = _children(found)
        found = types.get(key.removesuffix("[]"))
        if found is None:
            return None
    return found


def _shaped(sql: str, given: DuckDBPyType, wanted: Structure, depth: int) -> str:
    if _fits(given, wanted):
        return sql
    if isinstance(wanted, list):
        if given.id not in {"list", "array"}:
            return _nothing(wanted)
        item = f"item{depth}"
        inner = _shaped(item, _children(given)["child"], wanted[0], depth + 1)
        return f"list_transform({sql}, lambda {item}: {inner})"
    if isinstance(wanted, dict):
        if given.id != "struct":
            return _nothing(wanted)
        keys = _children(given)
        parts = [
            f"{identifier(key)} := "
            + (
                _shaped(f"{sql}.{identifier(key)}", keys[key], shape, depth)
                if key in keys
                else _nothing(shape)
            )
            for key, shape in wanted.items()
        ]
        return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(parts)}) END"
    return f"CAST({f'to_json({sql})' if given.id in _NESTED else sql} AS VARCHAR)"


def _fits(given: DuckDBPyType, wanted: Structure, *, in_struct: bool = False) -> bool:
    """Whether every key that is wanted can be read from the column as it stands.

    A single value inside a struct is made text where it is read; lists have to hold texts.
    """
    if isinstance(wanted, list):
        return given.id == "list" and _fits(_children(given)["child"], wanted[0])
    if isinstance(wanted, dict):
        if given.id != "struct":
            return False
        keys = _children(given)
        return all(
            key in keys and _fits(keys[key], shape, in_struct=True) for key, shape in wanted.items()
        )
    return given.id == "varchar" or (in_struct and given.id not in _NESTED)


def _children(of: DuckDBPyType) -> dict[str, DuckDBPyType]:
    return {name: cast("DuckDBPyType", kind) for name, kind in of.children if name != "size"}


def _nothing(wanted: Structure) -> str:
    return f"CAST(NULL AS {_type(wanted)})"


def _type(wanted: Structure) -> str:
    if isinstance(wanted, list):
        return f"{_type(wanted[0])}[]"
    if isinstance(wanted, dict):
        keys = ", ".join(f"{identifier(key)} {_type(shape)}" for key, shape in wanted.items())
        return f"STRUCT({keys})"
    return "VARCHAR"
