"""SOQL conditions as parametrised SQL, with Salesforce's two-valued logic.

In SOQL a comparison is true or false, never unknown: `Title != 'CEO'` finds contacts without a
title, and so does `NOT Title = 'CEO'`. Text compares without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from crm_sync_salesforce.sandbox.fields import NUMBERS, Field, Kind
from crm_sync_salesforce.sandbox.ids import full_id
from crm_sync_salesforce.sandbox.problems import ApiProblem
from crm_sync_salesforce.sandbox.soql.ranges import Span, span
from crm_sync_salesforce.sandbox.soql.scope import Column, Scope
from crm_sync_salesforce.sandbox.soql.syntax import (
    Comparison,
    Condition,
    FieldPath,
    Junction,
    Literal,
    Membership,
    Not,
    Query,
    invalid_field,
    malformed_query,
)

Subquery = Callable[[Query], tuple[str, list[object]]]
Value = str | float | int | None
_WANTED = {
    **dict.fromkeys(NUMBERS, "number"),
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
}
_ORDERED = frozenset({"<", "<=", ">", ">="})


class ConditionWriter:
    """Writes one query's conditions; parameters gather in `parameters`, in order."""

    def __init__(self, scope: Scope, today: date, subquery: Subquery) -> None:
        self._scope = scope
        self._today = today
        self._subquery = subquery
        self.parameters: list[object] = []

    def write(self, condition: Condition) -> str:
        """The condition as SQL."""
        if isinstance(condition, Junction):
            parts = [self.write(one) for one in condition.conditions]
            return _balanced(f" {condition.word.upper()} ", parts)
        if isinstance(condition, Not):
            return f"NOT coalesce({self.write(condition.condition)}, 0)"
        if isinstance(condition, Membership):
            return self._membership(condition)
        return self._comparison(condition)

    def _column(self, path: FieldPath) -> Column:
        column = self._scope.column(path)
        if not column.field.filterable:
            message = f"field '{column.field.name}' can not be filtered in a query call"
            raise invalid_field(self._scope.text, path.at, message)
        return column

    def _comparison(self, condition: Comparison) -> str:
        column = self._column(condition.path)
        operator, literal = condition.operator, condition.value
        if literal.kind == "range":
            return self._in_span(condition.path, column, operator, literal)
        value = self._value(condition.path, column.field, literal)
        if value is None:
            return self._with_null(condition, column)
        if operator == "like":
            return self._like(condition, column, str(value))
        if operator in _ORDERED:
            if column.field.kind is Kind.BOOLEAN:
                raise self._operator_problem(condition.path, operator)
            return self._test(column, operator, value)
        equal = self._test(column, "=", value)
        return equal if operator == "=" else f"NOT coalesce({equal}, 0)"

    def _with_null(self, condition: Comparison, column: Column) -> str:
        if condition.operator not in {"=", "!="}:
            raise self._operator_problem(condition.path, condition.operator)
        return f"{column.sql} IS {'NOT ' if condition.operator == '!=' else ''}NULL"

    def _test(self, column: Column, operator: str, value: Value) -> str:
        self.parameters.append(value)
        if not isinstance(value, str) or not _ignores_case(column.field):
            return f"{column.sql} {operator} ?"
        if value.isascii():
            return f"{column.sql} {operator} ? COLLATE NOCASE"
        return f"fold({column.sql}) {operator} fold(?)"

    def _like(self, condition: Comparison, column: Column, pattern: str) -> str:
        if column.field.kind in _WANTED or column.field.kind in (Kind.ID, Kind.REFERENCE):
            raise self._operator_problem(condition.path, "like")
        self.parameters.append(pattern)
        if pattern.isascii():
            return f"{column.sql} LIKE ? ESCAPE '\\'"
        return f"fold({column.sql}) LIKE fold(?) ESCAPE '\\'"

    def _membership(self, condition: Membership) -> str:
        column = self._column(condition.path)
        if isinstance(condition.values, Query):
            sql, parameters = self._subquery(condition.values)
            self.parameters.extend(parameters)
            inside = f"{column.sql} IN ({sql})"
        else:
            inside = self._in_values(condition.path, column, condition.values)
        return f"NOT coalesce({inside}, 0)" if condition.negated else inside

    def _in_values(self, path: FieldPath, column: Column, literals: Sequence[Literal]) -> str:
        values = [self._value(path, column.field, literal) for literal in literals]
        folded = _ignores_case(column.field)
        plain = [v for v in values if v is not None and (not folded or str(v).isascii())]
        other = [v for v in values if v is not None and folded and not str(v).isascii()]
        parts = [f"{column.sql} IS NULL"] if None in values else []
        if plain:
            parts.append(f"{column.sql} IN ({_marks(plain)})")
            self.parameters.extend(plain)
        if other:
            parts.append(f"fold({column.sql}) IN ({_marks(other)})")
            self.parameters.extend(str(v).casefold() for v in other)
        return _balanced(" OR ", parts)

    def _value(self, path: FieldPath, field: Field, literal: Literal) -> Value:
        """The literal as it is stored; None for null and for the empty string, which is null."""
        if literal.kind == "null" or literal.value == "":
            return None
        wanted = _WANTED.get(field.kind, "string")
        if literal.kind != wanted:
            raise self._type_problem(path, field, wanted)
        if field.kind is Kind.BOOLEAN:
            return int(bool(literal.value))
        if wanted == "number":
            return float(str(literal.value))
        text = str(literal.value)
        if field.kind in (Kind.ID, Kind.REFERENCE):
            return self._id(path, text)
        return text

    def _id(self, path: FieldPath, text: str) -> str:
        found = full_id(text)
        if found is None:
            message = f"{path.text}: invalid ID field: {text[:40]}"
            raise ApiProblem(400, "INVALID_QUERY_FILTER_OPERATOR", message)
        return found

    def _in_span(self, path: FieldPath, column: Column, operator: str, literal: Literal) -> str:
        assert isinstance(literal.value, tuple)  # noqa: S101 - what kind `range` means
        name, number = literal.value
        if column.field.kind not in (Kind.DATE, Kind.DATETIME):
            raise self._type_problem(path, column.field, _WANTED.get(column.field.kind, "string"))
        try:
            days = span(name, number, self._today)
        except OverflowError:
            days = None
        if days is None:
            raise malformed_query(self._scope.text, path.at, f"unexpected value: '{name}'")
        first, after = _stored_span(column.field, days)
        if operator in {"=", "!="}:
            self.parameters += [first, after]
            inside = f"({column.sql} >= ? AND {column.sql} < ?)"
            return inside if operator == "=" else f"NOT coalesce({inside}, 0)"
        if operator == "like":
            raise self._operator_problem(path, operator)
        # The bounds are the span's edges: `> TODAY` begins where today ends.
        self.parameters.append(first if operator in {"<", ">="} else after)
        return f"{column.sql} {'<' if operator in {'<', '<='} else '>='} ?"

    def _type_problem(self, path: FieldPath, field: Field, wanted: str) -> ApiProblem:
        quotes = "in quotes" if wanted == "string" else "without quotes"
        message = f"The value for field '{field.name}' must be of type {field.kind}, {quotes}."
        return invalid_field(self._scope.text, path.at, message)

    def _operator_problem(self, path: FieldPath, operator: str) -> ApiProblem:
        message = f"invalid operator '{operator}' for field '{path.text}'"
        return invalid_field(self._scope.text, path.at, message)


def midnight(day: date) -> str:
    """A day's beginning in UTC, as times are stored."""
    return f"{day.isoformat()}T00:00:00.000+0000"


def _stored_span(field: Field, days: Span) -> tuple[str, str]:
    if field.kind is Kind.DATE:
        return days[0].isoformat(), days[1].isoformat()
    return midnight(days[0]), midnight(days[1])


def _ignores_case(field: Field) -> bool:
    return not field.case_sensitive and field.kind not in (
        Kind.ID,
        Kind.REFERENCE,
        Kind.DATE,
        Kind.DATETIME,
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _balanced(joint: str, parts: Sequence[str]) -> str:
    """Parts joined as a balanced tree: SQLite bounds the depth of expressions, not their number."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_balanced(joint, parts[:middle])}{joint}{_balanced(joint, parts[middle:])})"
