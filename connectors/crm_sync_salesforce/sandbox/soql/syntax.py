"""The parts of a SOQL query, as the parser hands them to the compiler."""

from __future__ import annotations

from dataclasses import dataclass

from crm_sync_salesforce.sandbox.problems import ApiProblem


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field, through zero or more relationships; `at` is where it stands in the text."""

    parts: tuple[str, ...]
    at: int

    @property
    def text(self) -> str:
        """The path as it was written."""
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT(Id) alias`; no path for `COUNT()`."""

    function: str
    path: FieldPath | None
    alias: str
    at: int


@dataclass(frozen=True, slots=True)
class AllFields:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` or `FIELDS(CUSTOM)`."""

    group: str


Selected = FieldPath | Aggregate | AllFields


@dataclass(frozen=True, slots=True)
class Literal:
    """A value. `kind` is string, number, boolean, null, date, datetime or range.

    A range (`TODAY`, `LAST_N_DAYS:7`) is a tuple of its name and its number.
    """

    kind: str
    value: str | float | bool | tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`; the operator is one of = != < <= > >= like."""

    path: FieldPath
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`field IN (…)` or, negated, `field NOT IN (…)`."""

    path: FieldPath
    negated: bool
    values: tuple[Literal, ...] | Query


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT condition`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by `and` or by `or`."""

    word: str
    conditions: tuple[Condition, ...]


Condition = Comparison | Membership | Not | Junction


@dataclass(frozen=True, slots=True)
class Order:
    """One term of ORDER BY."""

    path: FieldPath
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `alias` is the name that FROM gives the object, or empty."""

    selected: tuple[Selected, ...]
    object: str
    at: int
    alias: str = ""
    where: Condition | None = None
    group: tuple[FieldPath, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


def malformed_query(text: str, at: int, message: str) -> ApiProblem:
    """The 400 for a query that cannot be read, pointing at the place."""
    return ApiProblem(400, "MALFORMED_QUERY", _pointing(text, at, message))


def invalid_field(text: str, at: int, message: str) -> ApiProblem:
    """The 400 for a field that is not there, or that cannot be used so."""
    return ApiProblem(400, "INVALID_FIELD", _pointing(text, at, message))


def _pointing(text: str, at: int, message: str) -> str:
    row = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    start = max(0, at - 30)
    near = text[start : at + 30].replace("\n", " ")
    caret = " " * (at - start) + "^"
    return f"\n{near}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}"
