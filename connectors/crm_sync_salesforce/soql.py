"""SOQL built from checked names and escaped values; nothing else is ever put into a query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from crm_sync.connector import ConfigError

URL_BYTES = 2_000
"""What the query part of a URL may take. Longer ones pass Salesforce, not every proxy before it."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_ESCAPES = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


def field_name(name: str) -> str:
    """The name as it is, if it is a field or a path of relations (`Account.Owner.Name`)."""
    parts = name.split(".")
    if len(parts) > 6 or not all(_NAME.fullmatch(part) for part in parts):
        raise ConfigError(
            f"{name[:80]!r} is not the name of a Salesforce field",
            fix="Correct it in the mapping: letters, digits and _, such as Title or Team__c.",
        )
    return name


def object_name(name: str) -> str:
    """The name as it is, if it is the API name of an object."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name[:80]!r} is not the name of a Salesforce object",
            fix="Correct `object` in the mapping: an API name such as Contact or Partner__c.",
        )
    return name


def text(value: str) -> str:
    """A quoted literal that means exactly `value`, whatever it holds."""
    return "'" + "".join(_escaped(char) for char in value) + "'"


def moment(value: datetime) -> str:
    """A datetime literal in UTC, in whole seconds, rounded down. `value` must be aware."""
    if value.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(where: str) -> str:
    """The mapping's own condition in parentheses, so that it cannot reach beyond them.

    Raises `ConfigError` when its quotes or parentheses do not close.
    """
    depth, quoted, escaped = 0, False, False
    for char in where:
        if quoted:
            quoted = escaped or char != "'"
            escaped = char == "\\" and not escaped
        elif char == "'":
            quoted = True
        else:
            depth += (char == "(") - (char == ")")
        if depth < 0:
            break
    if depth != 0 or quoted or "\x00" in where:
        raise ConfigError(
            "`where` has a quote or parenthesis that does not close",
            fix="Correct it in the mapping; it is a SOQL condition, without the word WHERE.",
        )
    return f"({where.strip()})"


def select(fields: Sequence[str], object_: str, *conditions: str) -> str:
    """`SELECT fields FROM object WHERE all of the conditions`; empty conditions are left out."""
    names = ", ".join(field_name(name) for name in fields)
    given = [one for one in conditions if one]
    where = f" WHERE {' AND '.join(given)}" if given else ""
    return f"SELECT {names} FROM {object_name(object_)}{where}"  # noqa: S608 names are checked, values escaped


def is_any_of(field: str, values: Sequence[str], room: int) -> Iterator[str]:
    """Conditions `field IN (…)` that cover all values, each within `room` bytes once in a URL.

    A value that is longer by itself gets a condition of its own.
    """
    head = f"{field_name(field)} IN ("
    literals: list[str] = []
    used = url_bytes(head) + 3
    for value in values:
        literal = text(value)
        size = url_bytes(literal) + 3
        if literals and used + size > room:
            yield f"{head}{','.join(literals)})"
            literals, used = [], url_bytes(head) + 3
        literals.append(literal)
        used += size
    if literals:
        yield f"{head}{','.join(literals)})"


def url_bytes(query: str) -> int:
    """The size of a query once it stands in a URL."""
    return len(quote(query, safe=""))


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return f"\\u{ord(char):04X}" if ord(char) < 0x20 or ord(char) == 0x7F else char
