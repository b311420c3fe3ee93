"""Reads records by id, outside of queries."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

from collections.abc import Sequence

from crm_sync_salesforce.sandbox.fields import ObjectType
from crm_sync_salesforce.sandbox.org import Org
from crm_sync_salesforce.sandbox.problems import ApiProblem
from crm_sync_salesforce.sandbox.queries import Caller
from crm_sync_salesforce.sandbox.soql.compiler import Compiled, compile_query
from crm_sync_salesforce.sandbox.soql.syntax import FieldPath, Query

_AT_ONCE = 500


def retrieve(
    org: Org,
    base: str,
    target: ObjectType,
    ids: Sequence[str | None],
    fields: Sequence[str],
) -> list[dict[str, object] | None]:
    """The living records of these ids, in their order; None where there is none.

    Raises `ApiProblem` INVALID_FIELD for a field that there is not.
    """
    compiled = _selecting(org, target, fields)
    wanted = [one for one in ids if one is not None]
    found: dict[object, dict[str, object] | None] = {}
    with org.database.reading() as connection:
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            rows = connection.execute(
                f"SELECT {compiled.columns} FROM {compiled.tables} "
                f"WHERE {compiled.root}.Id IN ({marks}) AND {compiled.root}.IsDeleted = 0",
                some,
            )
            for row in rows:
                found[row[0]] = compiled.shape.render(row, Caller(base).records)
    return [found.get(one) for one in ids]


def _selecting(org: Org, target: ObjectType, fields: Sequence[str]) -> Compiled:
    known = dict.fromkeys(name.strip().lower() for name in fields if name.strip())
    for name in known:
        if "." not in name and target.field(name) is None:
            message = f"No such column '{name}' on sobject of type {target.name}"
            raise ApiProblem(400, "INVALID_FIELD", message)
    paths = tuple(FieldPath(tuple(name.split(".")), 0) for name in known)
    query = Query(paths or (FieldPath(("Id",), 0),), target.name, 0)
    return compile_query(query, ", ".join(known), org.catalog, org.now().date())
