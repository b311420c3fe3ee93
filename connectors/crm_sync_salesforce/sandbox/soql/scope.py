"""Which columns a query's field paths mean: relationships become joins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm_sync_salesforce.sandbox.catalog import Catalog
from crm_sync_salesforce.sandbox.fields import Field, Kind, ObjectType
from crm_sync_salesforce.sandbox.problems import ApiProblem
from crm_sync_salesforce.sandbox.soql.syntax import FieldPath, Query, invalid_field

MAX_HOPS = 5
_POLYMORPHIC = frozenset({"Who", "What", "Owner"})


@dataclass(frozen=True, slots=True)
class Source:
    """A joined table: the object and the alias that it has in SQL.

    `named` marks what a polymorphic relationship leads to, of which the type can be asked.
    """

    object: ObjectType
    alias: str
    named: bool = False


Hop = tuple[Source, ...]
"""Where a relationship leads: one source, or several for a polymorphic one (What)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field with the SQL expression of its value."""

    field: Field
    sql: str


class Scope:
    """The tables of one query; joins are added as paths ask for them."""

    def __init__(self, catalog: Catalog, text: str, query: Query, prefix: str = "t") -> None:
        found = catalog.get(query.object.lower())
        if found is None:
            message = f"sObject type '{query.object}' is not supported."
            raise ApiProblem(400, "INVALID_TYPE", message)
        self.catalog = catalog
        self.text = text
        self.object = found
        self.prefix = prefix
        self.root: Hop = (Source(found, f"{prefix}0"),)
        self._names = {query.alias.lower(), found.name.lower()} - {""}
        self._hops: dict[tuple[str, ...], Hop] = {}
        self._joins: list[str] = []

    @property
    def tables(self) -> str:
        """What stands behind FROM: the object's table and all joins so far."""
        root = self.root[0]
        return " ".join([f'"{root.object.name}" {root.alias}', *self._joins])

    @property
    def joins(self) -> str:
        """The joins alone."""
        return " ".join(self._joins)

    def column(self, path: FieldPath) -> Column:
        """The column of a path. Raises INVALID_FIELD when there is none."""
        *relations, name = self.parts(path)
        hop, _ = self.follow(path, tuple(relations))
        return self.column_of(hop, name, path)

    def parts(self, path: FieldPath) -> tuple[str, ...]:
        """The path's names without the object's own name or alias at the front."""
        parts = path.parts
        if (
            len(parts) > 1
            and parts[0].lower() in self._names
            and not self.object.relation(parts[0])
        ):
            return parts[1:]
        return parts

    def column_of(self, hop: Hop, name: str, path: FieldPath) -> Column:
        """The column `name` of what a relationship leads to."""
        columns = []
        for source in hop:
            if source.named and name.lower() == "type":
                columns.append(
                    Column(_TYPE, f"iif({source.alias}.Id IS NULL, NULL, '{source.object.name}')")
                )
            elif field := source.object.field(name):
                columns.append(Column(field, f"{source.alias}.{field.column}"))
        if not columns:
            entity = hop[0].object.name if len(hop) == 1 else "Name"
            message = f"No such column '{name}' on entity '{entity}'."
            raise invalid_field(self.text, path.at, message)
        if len(columns) == 1:
            return columns[0]
        return Column(columns[0].field, f"coalesce({', '.join(one.sql for one in columns)})")

    def follow(self, path: FieldPath, relations: tuple[str, ...]) -> tuple[Hop, tuple[str, ...]]:
        """Where the relationships lead, and their proper names."""
        if len(relations) > MAX_HOPS:
            raise invalid_field(self.text, path.at, f"More than {MAX_HOPS} relationships deep")
        hop = self.root
        names: tuple[str, ...] = ()
        for relation in relations:
            reference = hop[0].object.relation(relation) if len(hop) == 1 else None
            if reference is None:
                message = f"Didn't understand relationship '{relation}' in field path."
                raise invalid_field(self.text, path.at, message)
            names = (*names, reference.relation)
            if names not in self._hops:
                self._hops[names] = self._join(hop[0], reference)
            hop = self._hops[names]
        return hop, names

    def _join(self, source: Source, reference: Field) -> Hop:
        made = []
        for target in reference.targets:
            alias = f"{self.prefix}{len(self._joins) + 1}"
            on = f"{alias}.Id = {source.alias}.{reference.column}"
            self._joins.append(f'LEFT JOIN "{target}" {alias} ON {on}')
            made.append(
                Source(self.catalog[target.lower()], alias, reference.relation in _POLYMORPHIC)
            )
        return tuple(made)


ScopeMaker = Callable[[Query], Scope]
_TYPE = Field("Type", Kind.STRING)
