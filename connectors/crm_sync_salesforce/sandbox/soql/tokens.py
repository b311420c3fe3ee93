"""SOQL text cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm_sync_salesforce.sandbox.soql.syntax import malformed_query

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+)
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<word>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),:])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("nrtbfNRTBF'\"\\_%")


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its kind (a group of the pattern, or `end`) and its place in the text."""

    kind: str
    text: str
    at: int

    @property
    def lower(self) -> str:
        """The text in lower case: SOQL's words know no case."""
        return self.text.lower()


def tokenize(text: str) -> list[Token]:
    """All tokens, closed by one of kind `end`. Raises MALFORMED_QUERY at what is none."""
    tokens = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise malformed_query(text, at, f"unexpected token: '{text[at]}'")
        kind = match.lastgroup or ""
        if kind != "blank":
            tokens.append(Token(kind, match.group(), at))
        at = match.end()
    tokens.append(Token("end", "<EOF>", at))
    return tokens


def unescape(token: Token, text: str, *, like: bool) -> str:
    r"""The value of a string token.

    In a LIKE pattern `\_` and `\%` stay escaped, and so does a backslash, so that the pattern can
    be handed to SQL's LIKE with the backslash as its escape.
    """

    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code.startswith("u") and len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _KNOWN_ESCAPES:
            at = token.at + 1 + match.start()
            raise malformed_query(text, at, f"Invalid string literal: illegal escape \\{code}")
        if code in "_%\\" and like:
            return f"\\{code}"
        return _ESCAPES.get(code.lower(), code)

    value = _ESCAPED.sub(one, token.text[1:-1])
    # Two \\u escapes can make up one character; half of one is none.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
