"""`where` of a mapping: HubSpot's filter operators, judged here on freshly read properties.

HubSpot's own search would judge them on an index that lags behind, and could not tell which of
the changed records do not satisfy them. The language is `property OPERATOR value`, joined by AND
and OR, of which AND binds the tighter; there are no parentheses:

```
hs_email_optout NEQ true AND lifecyclestage IN ('customer', 'opportunity')
email HAS_PROPERTY AND jobtitle CONTAINS_TOKEN "sales"
```

Text is compared without regard to case. Numbers are compared as numbers, and dates and times as
moments. A blank satisfies NEQ, NOT_IN and NOT_HAS_PROPERTY, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from crm_sync.connector import ConfigError, Scalar
from crm_sync_hubspot.records import moment_of

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<mark>[(),])
    | (?P<word>[^\s'"(),]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MOST = 2_000
_ORDERED: Mapping[str, Callable[[int], bool]] = {
    "LT": lambda sign: sign < 0,
    "LTE": lambda sign: sign <= 0,
    "GT": lambda sign: sign > 0,
    "GTE": lambda sign: sign >= 0,
}
_BARE = frozenset({"HAS_PROPERTY", "NOT_HAS_PROPERTY"})
_LISTED = frozenset({"IN", "NOT_IN"})
_SINGLE = frozenset({"EQ", "NEQ", "CONTAINS_TOKEN", *_ORDERED})
_OPERATORS = (*sorted(_SINGLE), *sorted(_LISTED), *sorted(_BARE))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison; `values` holds none, one or, for IN and NOT_IN, any number."""

    name: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, value: Scalar) -> bool:
        """Whether a property that holds `value` satisfies it."""
        text = "" if value is None else str(value).strip()
        if self.operator in _BARE:
            return bool(text) is (self.operator == "HAS_PROPERTY")
        if self.operator in ("NEQ", "NOT_IN"):
            return not any(_compare(text, one) == 0 for one in self.values)
        if not text:
            return False
        if self.operator in ("EQ", "IN"):
            return any(_compare(text, one) == 0 for one in self.values)
        if self.operator == "CONTAINS_TOKEN":
            return _contains(text, self.values[0])
        sign = _compare(text, self.values[0])
        return sign is not None and _ORDERED[self.operator](sign)


@dataclass(frozen=True, slots=True)
class Condition:
    """Groups of tests: satisfied when all tests of any one group hold."""

    groups: tuple[tuple[Comparison, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The properties that have to be read to judge it, each once."""
        return tuple(dict.fromkeys(test.name for group in self.groups for test in group))

    def holds(self, value: Callable[[str], Scalar]) -> bool:
        """Whether a record satisfies it; `value` gives the record's property of a name."""
        return any(all(test.holds(value(test.name)) for test in group) for group in self.groups)


def parse(text: str) -> Condition:
    """The condition that a text means. Raises `ConfigError` that shows where it is not one."""
    return _Parser(_tokens(text)).condition()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quoted: bool = False

    @property
    def word(self) -> str:
        """The keyword it may be; nothing in quotes is one."""
        return "" if self.quoted else self.text.upper()


class _Parser:
    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def condition(self) -> Condition:
        groups = [[self._test()]]
        while self._at < len(self._tokens):
            joint = self._next("AND or OR").word
            if joint not in ("AND", "OR"):
                raise self._wrong("AND or OR")
            if joint == "OR":
                groups.append([])
            groups[-1].append(self._test())
        return Condition(tuple(tuple(group) for group in groups))

    def _test(self) -> Comparison:
        name = self._next("the name of a property")
        if name.quoted or not _NAME.fullmatch(name.text):
            raise self._wrong("the name of a property")
        operator = self._next("an operator").word
        if operator not in _OPERATORS:
            raise self._wrong(f"one of {', '.join(_OPERATORS)}")
        return Comparison(name.text.lower(), operator, self._values(operator))

    def _values(self, operator: str) -> tuple[str, ...]:
        if operator in _BARE:
            return ()
        if operator in _SINGLE:
            return (self._value(),)
        self._mark("(")
        values = [self._value()]
        while self._next("',' or ')'").word == ",":
            values.append(self._value())
        self._at -= 1
        self._mark(")")
        return tuple(values)

    def _value(self) -> str:
        token = self._next("a value")
        if token.word in ("(", ")", ","):
            raise self._wrong("a value")
        if not token.text.strip():
            raise self._wrong("a value, or HAS_PROPERTY to ask whether there is one")
        return token.text

    def _mark(self, mark: str) -> None:
        if self._next(repr(mark)).word != mark:
            raise self._wrong(repr(mark))

    def _next(self, wanted: str) -> _Token:
        self._at += 1
        if self._at > len(self._tokens):
            raise self._wrong(wanted)
        return self._tokens[self._at - 1]

    def _wrong(self, wanted: str) -> ConfigError:
        there = self._tokens[self._at - 1].text if self._at <= len(self._tokens) else ""
        place = f"at {there[:80]!r}" if there else "at its end"
        return ConfigError(
            f"the filter is not understood {place}: it should say {wanted}",
            fix="Write it like: hs_email_optout NEQ true AND lifecyclestage IN ('customer')",
        )


def _tokens(text: str) -> list[_Token]:
    if len(text) > _MOST:
        raise ConfigError(f"the filter is longer than {_MOST} characters")
    tokens, at, text = [], 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ConfigError("a quote in the filter is not closed", fix="Close the quote.")
        if quoted := match["quoted"]:
            tokens.append(_Token(re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL), True))
        else:
            tokens.append(_Token(match["mark"] or match["word"]))
        at = match.end()
    return tokens


def _compare(there: str, asked: str) -> int | None:
    """Below, equal to or above zero; None when one is a blank and the other is not."""
    if not there or not asked.strip():
        return None
    numbers = _number(there), _number(asked)
    if numbers[0] is not None and numbers[1] is not None:
        return _sign(numbers[0], numbers[1])
    # A code in digits is no moment; milliseconds are one where the other side is a date.
    dated = not (there.isdecimal() and asked.strip().isdecimal())
    moments = (moment_of(there), moment_of(asked.strip())) if dated else (None, None)
    if moments[0] is not None and moments[1] is not None:
        return _sign(moments[0], moments[1])
    return _sign(there.casefold(), asked.strip().casefold())


T = TypeVar("T", Decimal, datetime, str)


def _sign(one: T, other: T) -> int:
    return (one > other) - (one < other)


def _number(text: str) -> Decimal | None:
    """A number as HubSpot writes one; a code with leading zeros (007) is a text."""
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


def _contains(text: str, asked: str) -> bool:
    """Whether the words of `asked` stand in the text one after another; `*` means any letters."""
    words = [word.casefold() for word in re.findall(r"[\w*]+", asked)]
    there = [word.casefold() for word in _WORD.findall(text)]
    patterns = [re.compile(re.escape(word).replace(r"\*", r"\w*")) for word in words]
    starts = range(len(there) - len(words) + 1)
    return bool(words) and any(
        all(
            pattern.fullmatch(word)
            for pattern, word in zip(patterns, there[at : at + len(words)], strict=True)
        )
        for at in starts
    )
