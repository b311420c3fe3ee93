"""SOQL text to syntax: a recursive-descent parser."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Never

from crm_sync_salesforce.sandbox.problems import ApiProblem
from crm_sync_salesforce.sandbox.soql.syntax import (
    Aggregate,
    AllFields,
    Comparison,
    Condition,
    FieldPath,
    Junction,
    Literal,
    Membership,
    Not,
    Order,
    Query,
    Selected,
    malformed_query,
)
from crm_sync_salesforce.sandbox.soql.tokens import Token, tokenize, unescape

MAX_CHARACTERS = 100_000
MAX_DEPTH = 50
AGGREGATES = frozenset({"count", "count_distinct", "min", "max", "sum", "avg"})
_SIGNS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CLAUSES = frozenset(
    {"where", "group", "order", "limit", "offset", "having", "with", "for", "using"}
)


@lru_cache(maxsize=64)
def parse(text: str) -> Query:
    """The query that `text` says. Raises `ApiProblem` MALFORMED_QUERY with the place."""
    if len(text) > MAX_CHARACTERS:
        raise ApiProblem(
            400, "QUERY_TOO_COMPLICATED", "The query is longer than 100,000 characters"
        )
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._next = 0
        self._depth = 0

    def query(self) -> Query:
        self._keyword("select")
        selected = [self._selected()]
        while self._accept(","):
            selected.append(self._selected())
        self._keyword("from")
        source = self._word("an object")
        alias = self._alias()
        where = self._condition() if self._accept_word("where") else None
        group = self._group()
        order = self._order()
        limit = self._count() if self._accept_word("limit") else None
        offset = self._count() if self._accept_word("offset") else 0
        return Query(
            tuple(selected), source.text, source.at, alias, where, group, order, limit, offset
        )

    def expect_end(self) -> None:
        if self._peek().kind != "end":
            self._fail(self._peek())

    # The select list

    def _selected(self) -> Selected:
        token = self._peek()
        if token.text == "(":
            raise self._problem(token, "Relationship subqueries are not supported by this sandbox")
        name = self._word("a field")
        if self._peek().text != "(":
            return FieldPath(tuple(name.text.split(".")), name.at)
        self._advance()
        if name.lower == "fields":
            group = self._word("ALL, STANDARD or CUSTOM")
            self._sign(")")
            if group.lower not in {"all", "standard", "custom"}:
                self._fail(group)
            return AllFields(group.lower)
        if name.lower not in AGGREGATES:
            self._fail(name)
        path = None if self._peek().text == ")" else self._path()
        self._sign(")")
        if path is None and name.lower != "count":
            self._fail(name)
        token = self._peek()
        alias = self._advance().text if token.kind == "word" and token.lower != "from" else ""
        return Aggregate(name.lower, path, alias, name.at)

    def _alias(self) -> str:
        self._accept_word("as")
        token = self._peek()
        if token.kind == "word" and token.lower not in _CLAUSES:
            return self._advance().text
        return ""

    # Conditions: AND and OR may not stand beside each other without parentheses

    def _condition(self) -> Condition:
        first = self._negation()
        word = self._peek().lower
        if word not in {"and", "or"}:
            return first
        conditions = [first]
        while self._accept_word(word):
            conditions.append(self._negation())
        if self._peek().lower in {"and", "or"}:
            self._fail(self._peek())
        return Junction(word, tuple(conditions))

    def _negation(self) -> Condition:
        if self._accept_word("not"):
            return Not(self._negation_body())
        return self._negation_body()

    def _negation_body(self) -> Condition:
        if not self._accept("("):
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._problem(self._peek(), "The condition is nested too deeply")
        condition = self._condition()
        self._sign(")")
        self._depth -= 1
        return condition

    def _comparison(self) -> Condition:
        path = self._path()
        token = self._advance()
        if token.lower == "not":
            self._keyword("in")
            return Membership(path, True, self._members())
        if token.lower == "in":
            return Membership(path, False, self._members())
        if token.lower == "like":
            return Comparison(path, "like", self._literal(like=True))
        if token.text not in _SIGNS:
            self._fail(token)
        return Comparison(path, _SIGNS[token.text], self._literal())

    def _members(self) -> tuple[Literal, ...] | Query:
        self._sign("(")
        if self._peek().lower == "select":
            query = self.query()
            self._sign(")")
            return query
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._sign(")")
        return tuple(values)

    def _literal(self, *, like: bool = False) -> Literal:
        token = self._advance()
        if token.kind == "string":
            return Literal("string", unescape(token, self._text, like=like))
        if token.kind == "number":
            return Literal("number", float(token.text))
        if token.kind in {"date", "datetime"}:
            return self._moment(token)
        if token.kind != "word" or "." in token.text:
            self._fail(token)
        if token.lower == "null":
            return Literal("null", None)
        if token.lower in {"true", "false"}:
            return Literal("boolean", token.lower == "true")
        number = self._count() if self._accept(":") else 0
        return Literal("range", (token.text.upper(), number))

    def _moment(self, token: Token) -> Literal:
        try:
            if token.kind == "date":
                return Literal("date", date.fromisoformat(token.text).isoformat())
            moment = datetime.fromisoformat(token.text).astimezone(UTC)
        except (ValueError, OverflowError):
            self._fail(token)
        return Literal("datetime", moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000"))

    # The clauses behind the condition

    def _group(self) -> tuple[FieldPath, ...]:
        if not self._accept_word("group"):
            return ()
        self._keyword("by")
        paths = [self._path()]
        while self._accept(","):
            paths.append(self._path())
        return tuple(paths)

    def _order(self) -> tuple[Order, ...]:
        if not self._accept_word("order"):
            return ()
        self._keyword("by")
        terms = [self._order_term()]
        while self._accept(","):
            terms.append(self._order_term())
        return tuple(terms)

    def _order_term(self) -> Order:
        path = self._path()
        descending = self._accept_word("desc")
        if not descending:
            self._accept_word("asc")
        nulls_last = False
        if self._accept_word("nulls"):
            nulls_last = self._accept_word("last")
            if not nulls_last:
                self._keyword("first")
        return Order(path, descending, nulls_last)

    def _count(self) -> int:
        token = self._advance()
        if token.kind != "number" or not token.text.isdigit() or len(token.text) > 9:
            self._fail(token)
        return int(token.text)

    # Tokens

    def _path(self) -> FieldPath:
        token = self._word("a field")
        return FieldPath(tuple(token.text.split(".")), token.at)

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _accept(self, sign: str) -> bool:
        token = self._peek()
        if token.kind == "sign" and token.text == sign:
            self._next += 1
            return True
        return False

    def _accept_word(self, word: str) -> bool:
        token = self._peek()
        if token.kind == "word" and token.lower == word:
            self._next += 1
            return True
        return False

    def _sign(self, sign: str) -> None:
        if not self._accept(sign):
            self._fail(self._peek(), f"expecting '{sign}'")

    def _keyword(self, word: str) -> None:
        if not self._accept_word(word):
            self._fail(self._peek(), f"expecting '{word.upper()}'")

    def _word(self, what: str) -> Token:
        token = self._peek()
        if token.kind != "word":
            self._fail(token, f"expecting {what}")
        return self._advance()

    def _problem(self, token: Token, message: str) -> ApiProblem:
        return malformed_query(self._text, token.at, message)

    def _fail(self, token: Token, expected: str = "") -> Never:
        hint = f", {expected}" if expected else ""
        raise self._problem(token, f"unexpected token: '{token.text}'{hint}")
