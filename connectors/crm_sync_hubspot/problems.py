"""What HubSpot says in a refusal, of a whole request or of one row, without the values it repeats.

Its bodies differ by age and end point: `errors` with a context each (the dated API), a list of
results as JSON inside the message or beside it (older validations), `errorType` and `policyName`
(limits), `error_description` (OAuth). All become one `Problem`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync_hubspot.words import discreet

_SHOWN = 300
_LISTED = 5
_CODE = re.compile(r"[A-Za-z][\w.-]{0,79}")
_CORRELATION = re.compile(r"[\w-]{6,64}")
_NAME = re.compile(r"[\w.:-]{1,100}")
_NAMES = ("propertyName", "propertyNames", "properties")
_SCOPES = ("missingScopes", "requiredGranularScopes", "requiredScopes")
_ID_KEYS = ("id", "ids")

_DUPLICATE_CODES = frozenset(
    {"CONFLICT", "CONFLICTING_UNIQUE_VALUE", "OBJECT_ALREADY_EXISTS", "CONTACT_EXISTS"}
)
"""Codes of a refusal that is about a unique value that another record has."""

_TAKEN = "already has that value"
"""HubSpot's words about a unique value, which do not always come with a code."""


@dataclass(frozen=True, slots=True)
class Problem:
    """HubSpot's own words about one refusal.

    `code` is its category, `codes` that and every more special one (subcategory, the details'),
    `words` what an operator reads beside it, `properties` the names concerned, `scopes` the
    permissions that are lacking, `policy` the limit that was passed, `correlation` what HubSpot's
    support asks for; `taken` that it is about a value that may be there once and is.
    """

    code: str = ""
    codes: frozenset[str] = frozenset()
    words: str = ""
    properties: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    policy: str = ""
    correlation: str = ""
    taken: bool = False

    @property
    def traced(self) -> str:
        """The words, and at their end the correlation id."""
        if not self.correlation:
            return self.words
        return f"{self.words} (correlation id {self.correlation})".lstrip()

    @property
    def told(self) -> str:
        """The code, the words, and at their end the correlation id."""
        named = self.code and self.code not in self.words
        return f"{self.code}: {self.traced}".rstrip(": ") if named else self.traced


@dataclass(frozen=True, slots=True)
class _Detail:
    property: str
    code: str
    message: str

    def __str__(self) -> str:
        said = self.message
        if self.code and self.code not in said:
            said = f"{said} ({self.code})" if said else self.code
        named = self.property and self.property not in said
        return f"{self.property}: {said}" if named else said


@dataclass(frozen=True, slots=True)
class _Said:
    """What the contexts of a refusal repeat: values of properties, and ids of records."""

    values: tuple[str, ...]
    ids: frozenset[str]

    def discreet(self, message: str, names: Iterable[str]) -> str:
        return discreet(message, names, self.values, self.ids)[:_SHOWN]


def problem_in(body: Any) -> Problem:
    """The problem in an answer's parsed body, or in one entry of a batch answer's `errors`."""
    if not isinstance(body, dict):
        return Problem()
    category = _category(body)
    special = _code(body.get("subCategory"))
    message = _text(body.get("message") or body.get("error_description"))
    message, results = _split(message)
    told = [*_dicts(body.get("errors")), *results, *_dicts(body.get("validationResults"))]
    contexts = [_context(one) for one in (body, *told)]
    said = _Said(tuple(_values_in(contexts)), frozenset(_ids_in(contexts)))
    details = [_detail(one, said) for one in told]
    codes = {category, special, _code(body.get("error")), *(one.code for one in details)}
    spoken = (message, *(_text(one.get("message")) for one in told))
    named = (one.property for one in details)
    return Problem(
        code=category or special,
        codes=frozenset(codes - {""}),
        words=_words(said.discreet(message, _names_in(contexts)), details),
        properties=_each_once(name for name in (*_names_in(contexts), *named) if name),
        scopes=_scopes(contexts),
        policy=_code(body.get("policyName")).upper() or _policy_in(message),
        correlation=_matching(_CORRELATION, body.get("correlationId")),
        taken=bool(codes & _DUPLICATE_CODES) or any(_TAKEN in one for one in spoken),
    )


def _category(body: Mapping[str, Any]) -> str:
    status = _code(body.get("status"))
    oauth = status if status.isupper() else ""  # BAD_REFRESH_TOKEN and the like
    return _code(body.get("category") or body.get("errorType") or oauth or body.get("error"))


def _words(message: str, details: Sequence[_Detail]) -> str:
    said = _each_once(str(one) for one in details if str(one))
    if len(said) > _LISTED:
        said = (*said[:_LISTED], f"and {len(said) - _LISTED} more")
    return "; ".join(said) if said else message


def _detail(told: Mapping[str, Any], said: _Said) -> _Detail:
    names = [*_names_in([_context(told)]), *_named_by(told)]
    code = _code(told.get("code") or told.get("error") or told.get("subCategory"))
    message, _ = _split(_text(told.get("message")))
    return _Detail(names[0] if names else "", code, said.discreet(message, names))


def _split(message: str) -> tuple[str, list[dict[str, Any]]]:
    """A message, and the list of results that some validations put into it as JSON."""
    start = message.find("[{")
    if start < 0:
        return message, []
    try:
        results, _ = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        return message[:start].rstrip(" :"), []
    return message[:start].rstrip(" :"), _dicts(results)


def _policy_in(message: str) -> str:
    match = re.search(r"your (\w{3,40}) limit", message)
    return match.group(1).upper() if match else ""


def _context(told: Mapping[str, Any]) -> Mapping[str, Any]:
    context = told.get("context")
    return context if isinstance(context, dict) else {}


def _names_in(contexts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    found = []
    for context in contexts:
        for key in _NAMES:
            found += [_matching(_NAME, one) for one in _texts(context.get(key))]
    return _each_once(name for name in found if name)


def _ids_in(contexts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for context in contexts:
        for key, value in context.items():
            if key.lower().endswith(_ID_KEYS):
                yield from (one for one in _texts(value) if one.isdecimal())


def _values_in(contexts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """All that is neither a name, nor a scope, an id or a type."""
    for context in contexts:
        for key, value in context.items():
            if key not in {*_NAMES, *_SCOPES} and not key.lower().endswith((*_ID_KEYS, "type")):
                yield from _texts(value)


def _named_by(told: Mapping[str, Any]) -> Iterator[str]:
    for key in ("name", "in", "propertyName"):
        name = _matching(_NAME, told.get(key))
        if name and name != "json":
            yield name


def _scopes(contexts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    found = (one for context in contexts for key in _SCOPES for one in _texts(context.get(key)))
    return _each_once(scope for one in found if (scope := _matching(_NAME, one)))


def _code(value: Any) -> str:
    return _matching(_CODE, value)


def _matching(form: re.Pattern[str], value: Any) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""


def _text(value: Any) -> str:
    return value[:20_000] if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, str)]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value[:100] if isinstance(one, dict)] if isinstance(value, list) else []


def _each_once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
