"""SOQL syntax to SQL over the sandbox's tables."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from crm_sync_salesforce.sandbox.catalog import Catalog
from crm_sync_salesforce.sandbox.fields import Field, Kind, ObjectType
from crm_sync_salesforce.sandbox.objects import ADDRESS_PARTS
from crm_sync_salesforce.sandbox.problems import ApiProblem
from crm_sync_salesforce.sandbox.soql.conditions import ConditionWriter
from crm_sync_salesforce.sandbox.soql.scope import Column, Hop, Scope
from crm_sync_salesforce.sandbox.soql.shape import Shape
from crm_sync_salesforce.sandbox.soql.syntax import (
    Aggregate,
    AllFields,
    FieldPath,
    Order,
    Query,
    invalid_field,
    malformed_query,
)

MAX_OFFSET = 2000
MAX_ALL_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready to run.

    `target` is the object; `columns`, `tables`, `where`, `order` and `group` are SQL, and
    `parameters` belong to `where`. `root` is the alias of the object's table and `joins` its
    joins alone, for reading rows that are known already. `keys` is set instead of `shape` for a
    query that aggregates; `count_only` for `COUNT()`.
    """

    target: ObjectType
    columns: str
    tables: str
    joins: str
    root: str
    where: str
    order: str
    group: str
    limit: int | None
    offset: int
    shape: Shape
    parameters: list[object] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    count_only: bool = False


def compile_query(
    query: Query, text: str, catalog: Catalog, today: date, *, deleted: bool = False
) -> Compiled:
    """SQL for a query; `deleted` also finds deleted and archived records (queryAll).

    Raises `ApiProblem` in Salesforce's words: INVALID_TYPE, INVALID_FIELD, MALFORMED_QUERY.
    """
    if query.offset > MAX_OFFSET:
        message = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
        raise ApiProblem(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
    scope = Scope(catalog, text, query)
    aggregates = [one for one in query.selected if isinstance(one, Aggregate)]
    selection = _Selection(scope, query)
    if aggregates or query.group:
        selection.aggregate()
    else:
        selection.plain()
    where, parameters = _where(scope, query, today, deleted=deleted)
    order = ", ".join(_order(scope, term) for term in query.order)
    group = ", ".join(scope.column(path).sql for path in query.group)
    count_only = len(query.selected) == 1 and bool(aggregates) and aggregates[0].path is None
    return Compiled(
        target=scope.object,
        columns=", ".join(selection.columns),
        tables=scope.tables,
        joins=scope.joins,
        root=scope.root[0].alias,
        where=where,
        order=order,
        group=group,
        limit=query.limit,
        offset=query.offset,
        shape=selection.shape,
        parameters=parameters,
        keys=tuple(selection.keys),
        count_only=count_only and not query.group,
    )


def _where(scope: Scope, query: Query, today: date, *, deleted: bool) -> tuple[str, list[object]]:
    def subquery(inner: Query) -> tuple[str, list[object]]:
        return _column_query(inner, scope, today, deleted=deleted)

    writer = ConditionWriter(scope, today, subquery)
    parts = [] if deleted else [_living(scope)]
    if query.where is not None:
        parts.append(writer.write(query.where))
    return " AND ".join(parts) or "1", writer.parameters


def _living(scope: Scope) -> str:
    root = scope.root[0]
    archived = f" AND {root.alias}.IsArchived = 0" if root.object.field("IsArchived") else ""
    return f"{root.alias}.IsDeleted = 0{archived}"


def _column_query(
    query: Query, outer: Scope, today: date, *, deleted: bool
) -> tuple[str, list[object]]:
    """A semi-join's subquery: one column, nulls left out."""
    scope = Scope(outer.catalog, outer.text, query, prefix=f"{outer.prefix}s")
    selected = query.selected[0]
    if len(query.selected) != 1 or not isinstance(selected, FieldPath):
        raise malformed_query(outer.text, query.at, "A semi-join selects exactly one field")
    column = scope.column(selected)
    where, parameters = _where(scope, query, today, deleted=deleted)
    limit = "" if query.limit is None else f" LIMIT {query.limit}"
    sql = (
        f"SELECT {column.sql} FROM {scope.tables} WHERE {column.sql} IS NOT NULL AND {where}{limit}"
    )
    return sql, parameters


def _order(scope: Scope, term: Order) -> str:
    column = scope.column(term.path)
    if not column.field.filterable:
        message = f"field '{column.field.name}' can not be sorted in a query call"
        raise invalid_field(scope.text, term.path.at, message)
    direction = "DESC" if term.descending else "ASC"
    return f"{column.sql} {direction} NULLS {'LAST' if term.nulls_last else 'FIRST'}"


class _Selection:
    """The select list: columns of SQL, and the shape of the records that they become."""

    def __init__(self, scope: Scope, query: Query) -> None:
        self._scope = scope
        self._query = query
        root = scope.root[0]
        self.columns = [f"{root.alias}.Id"]
        self.shape = Shape(root.object.name, 0)
        self.keys: list[str] = []

    def plain(self) -> None:
        """Fields and relationship fields."""
        for selected in self._query.selected:
            if isinstance(selected, AllFields):
                self._all(selected)
            elif isinstance(selected, FieldPath):
                self._field(selected)

    def aggregate(self) -> None:
        """COUNT, MIN and the like, beside the fields that are grouped by."""
        self.columns = []
        grouped = {path.text.lower() for path in self._query.group}
        for selected in self._query.selected:
            if isinstance(selected, Aggregate):
                self._function(selected)
            elif isinstance(selected, FieldPath) and selected.text.lower() in grouped:
                column = self._scope.column(selected)
                self.columns.append(column.sql)
                self.keys.append(column.field.name)
            else:
                at = selected.at if isinstance(selected, FieldPath) else self._query.at
                message = "Field must be grouped or aggregated"
                raise malformed_query(self._scope.text, at, message)

    def _function(self, selected: Aggregate) -> None:
        if selected.path is None:
            self.columns.append("count(*)")
        else:
            column = self._scope.column(selected.path)
            name, distinct = selected.function, ""
            if name == "count_distinct":
                name, distinct = "count", "DISTINCT "
            self.columns.append(f"{name}({distinct}{column.sql})")
        unnamed = sum(key.startswith("expr") for key in self.keys)
        self.keys.append(selected.alias or f"expr{unnamed}")

    def _field(self, path: FieldPath) -> None:
        *relations, name = self._scope.parts(path)
        hop, names = self._scope.follow(path, tuple(relations))
        shape = self._shape(path, names)
        column = self._scope.column_of(hop, name, path)
        if shape.has(column.field.name):
            message = f"duplicate field selected: {path.text}"
            raise invalid_field(self._scope.text, path.at, message)
        shape.add(column.field.name, column.field.kind, self._columns(hop, column))

    def _shape(self, path: FieldPath, names: tuple[str, ...]) -> Shape:
        shape = self.shape
        for depth, name in enumerate(names):
            if name not in shape.related:
                hop, _ = self._scope.follow(path, names[: depth + 1])
                shape.relate(name, self._related(hop, path))
            shape = shape.related[name]
        return shape

    def _related(self, hop: Hop, path: FieldPath) -> Shape:
        key = self._append(self._scope.column_of(hop, "Id", path).sql)
        if len(hop) == 1:
            return Shape(hop[0].object.name, key)
        return Shape("", key, self._append(self._scope.column_of(hop, "Type", path).sql))

    def _columns(self, hop: Hop, column: Column) -> int:
        """Select a field's columns; the index of the first. A compound field has several."""
        if column.field.kind is not Kind.ADDRESS:
            return self._append(column.sql)
        start = column.field.name.removesuffix("Address")
        alias = hop[0].alias
        first, *_ = [self._append(f'{alias}."{start}{part}"') for part in ADDRESS_PARTS]
        return first

    def _append(self, sql: str) -> int:
        self.columns.append(sql)
        return len(self.columns) - 1

    def _all(self, selected: AllFields) -> None:
        limit = self._query.limit
        if selected.group != "standard" and (limit is None or limit > MAX_ALL_FIELDS):
            message = f"FIELDS({selected.group.upper()}) needs a LIMIT of at most {MAX_ALL_FIELDS}"
            raise malformed_query(self._scope.text, 0, message)
        for one in self._scope.object.visible():
            if _in_group(one, selected.group) and not self.shape.has(one.name):
                path = FieldPath((one.name,), 0)
                index = self._columns(self._scope.root, self._scope.column(path))
                self.shape.add(one.name, one.kind, index)


def _in_group(one: Field, group: str) -> bool:
    return group == "all" or one.custom == (group == "custom")
