"""Search filters as SQL conditions over the index; every value is a parameter.

Numbers are compared as numbers, dates and times as moments, enumerations exactly, other text
without regard to case. Except for `NOT_HAS_PROPERTY`, no filter finds a record without a value:
`NEQ` finds those that have another one.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from crm_sync_hubspot.sandbox.definitions import Definition
from crm_sync_hubspot.sandbox.portal import to_ms
from crm_sync_hubspot.sandbox.problems import ApiProblem, invalid
from crm_sync_hubspot.sandbox.types import ObjectType

MAX_GROUPS, MAX_IN_GROUP, MAX_FILTERS = 5, 6, 18
Definitions = Mapping[str, Definition]
Value = str | int | float


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL over `search_index` with its parameters, in order."""

    text: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A property in SQL: `text` may be NULL, is compared with what `value` makes of an operand.

    `exact` of a list's members: HubSpot wants those of plain text in lower case already.
    """

    text: str
    values: tuple[Value, ...]
    value: Callable[[str], Value]
    exact: Callable[[str], Value]


_SIMPLE = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_LISTS = {"IN": "IN", "NOT_IN": "NOT IN"}
_TOKENS = {"CONTAINS_TOKEN": "", "NOT_CONTAINS_TOKEN": "NOT "}


def parse_groups(given: Any, kind: ObjectType, known: Definitions) -> Condition:
    """`filterGroups` as one condition: groups are alternatives, a group's filters all hold.

    Raises 400 when they are malformed, too many, or name a property that is not there.
    """
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid("filterGroups must be a list of objects")
    groups = [one.get("filters") for one in given]
    if not all(isinstance(one, list) and one for one in groups):
        raise invalid("Every filter group needs a list of filters")
    sizes = [len(one) for one in groups]
    if len(groups) > MAX_GROUPS or max(sizes, default=0) > MAX_IN_GROUP:
        raise invalid(f"At most {MAX_GROUPS} groups of {MAX_IN_GROUP} filters each are allowed")
    if sum(sizes) > MAX_FILTERS:
        raise invalid(f"At most {MAX_FILTERS} filters are allowed")
    parts = [_all_of([_filter(one, kind, known) for one in filters]) for filters in groups]
    if not parts:
        return Condition("1")
    values = tuple(value for part in parts for value in part.values)
    return Condition("(" + " OR ".join(f"({part.text})" for part in parts) + ")", values)


def column(name: str, kind: ObjectType, known: Definitions) -> Column:
    """A property as SQL compares it. Raises 400 for one that is not there."""
    definition = known.get(name)
    if definition is None:
        raise ApiProblem(
            400,
            "VALIDATION_ERROR",
            f"There was a problem with the request: property {name} does not exist",
            context={"propertyName": [name]},
        )
    if name == "hs_object_id":
        return Column("id", (), _whole, _whole)
    if name == kind.modified:
        return Column("updated_ms", (), _moment, _moment)
    raw, path = stored(name)
    if definition.type == "number":
        return Column(f"CAST({raw} AS REAL)", (path,), _number, _number)
    if definition.type in {"date", "datetime"}:
        moment = f"CAST(round((julianday({raw}) - 2440587.5) * 86400000) AS INTEGER)"
        return Column(moment, (path,), _moment, _moment)
    if definition.type == "enumeration":
        return Column(raw, (path,), str, str)
    return Column(f"fold({raw})", (path,), str.casefold, str)


def stored(name: str) -> tuple[str, str]:
    """SQL for a property's text in the index, and the one parameter that it takes."""
    return "json_extract(properties, ?)", f'$."{name}"'


def add_functions(sql: sqlite3.Connection) -> None:
    """Let SQL use `has_tokens(text, wanted)`, which looks for whole words."""
    sql.create_function("has_tokens", 2, _has_tokens, deterministic=True)


def _filter(given: Any, kind: ObjectType, known: Definitions) -> Condition:
    if not isinstance(given, dict) or not isinstance(given.get("propertyName"), str):
        raise invalid("A filter needs a propertyName and an operator")
    name, operator = given["propertyName"], given.get("operator")
    one = column(name, kind, known)
    if operator in _SIMPLE:
        value = one.value(_operand(given, "value"))
        text = f"{one.text} {_SIMPLE[operator]} ?"
        if name == "hs_object_id" and operator not in {"EQ", "NEQ"}:
            # The ids above the last one are usually most of them: other conditions tell more.
            text = f"likelihood({text}, 0.95)"
        return Condition(text, (*one.values, value))
    if operator == "BETWEEN":
        low, high = one.value(_operand(given, "value")), one.value(_operand(given, "highValue"))
        return Condition(f"{one.text} BETWEEN ? AND ?", (*one.values, low, high))
    if operator in _LISTS:
        values = [one.exact(value) for value in _operands(given)]
        marks = ", ".join("?" * len(values))
        return Condition(f"{one.text} {_LISTS[operator]} ({marks})", (*one.values, *values))
    raw, path = stored(name)
    if operator in _TOKENS:
        wanted = _operand(given, "value")
        return Condition(f"{_TOKENS[operator]}has_tokens({raw}, ?)", (path, wanted))
    if operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        negated = "NOT " if operator == "NOT_HAS_PROPERTY" else ""
        return Condition(f"{negated}coalesce({raw}, '') <> ''", (path,))
    raise invalid(f"Operator {operator} is not known")


def _all_of(parts: Sequence[Condition]) -> Condition:
    values = tuple(value for part in parts for value in part.values)
    return Condition(" AND ".join(part.text for part in parts), values)


def _operand(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float) or value == "":
        raise invalid(f"operator {given.get('operator')} requires {name}")
    return str(value)


def _operands(given: Mapping[str, Any]) -> list[str]:
    values = given.get("values")
    if not isinstance(values, list) or not values:
        raise invalid(f"operator {given.get('operator')} requires values")
    return [_operand({**given, "value": value}, "value") for value in values]


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise invalid(f"{text[:40]} is not a record id")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(f"{text[:40]} is not a number") from None


def _moment(text: str) -> int:
    """Milliseconds since 1970 of a number of them, or of an ISO date or time (UTC if unsaid)."""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{text[:40]} is not a date") from None
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _has_tokens(text: str | None, wanted: str) -> bool | None:
    """Whether each of the wanted words is there; `*` stands for any letters in a word."""
    if text is None:
        return None
    folded = str(text).casefold()
    words = {*folded.split(), *re.findall(r"\w+", folded)}
    return all(any(one.fullmatch(word) for word in words) for one in _patterns(str(wanted)))


@lru_cache(maxsize=1_000)
def _patterns(wanted: str) -> tuple[re.Pattern[str], ...]:
    return tuple(
        re.compile(".*".join(re.escape(part) for part in word.split("*")))
        for word in wanted.casefold().split()
    )
