"""From questions to one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from crm_sync.enrichment.asking import Question
from crm_sync.enrichment.http.description import RequestShape
from crm_sync.enrichment.http.templates import NUMBER, Values, fill, values_of, with_each

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A request without what is secret: `path` is absolute and percent-encoded.

    `next_url` is the whole address of a further page, in the place of path and query.
    """

    method: str
    path: str = field(repr=False)
    query: Query = field(default=(), repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = field(default=None, repr=False)
    next_url: str | None = field(default=None, repr=False)


def is_answerable(shape: RequestShape, question: Question) -> bool:
    """Whether enough is known of the contact, and nothing that an address could not hold."""
    values = values_of(question)
    if not any(all(name in values for name in group) for group in shape.needs):
        return False
    if shape.each is not None:
        return fill(shape.each, values) is not None
    return _path(shape, values) is not None


def build(shape: RequestShape, questions: Sequence[Question]) -> Call:
    """The request about these contacts; each has to be answerable, several only with `each`."""
    if shape.each is None:
        (question,) = questions
        values = values_of(question)
        return _call(shape, values, fill(shape.body, values))
    entries = [
        fill(shape.each, {**values_of(question), NUMBER: str(number)})
        for number, question in enumerate(questions, start=1)
    ]
    return _call(shape, {}, with_each(shape.body, entries))


def as_text(value: Any) -> str:
    """A value as it stands in an address: booleans and numbers as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _call(shape: RequestShape, values: Values, body: Any) -> Call:
    path = _path(shape, values)
    if path is None:
        raise ValueError("asked about a contact that is not answerable")
    return Call(
        shape.method,
        path,
        tuple(_query(shape, values)),
        tuple(shape.headers.items()),
        body if shape.method == "POST" else None,
    )


def _path(shape: RequestShape, values: Values) -> str | None:
    """The path with its fields in it; None where one is blank or would change where it leads."""
    path = fill(shape.path, values, lambda text: quote(text, safe=""))
    if path is None or {".", "..", ""} & set(path.split("/")[1:]):
        return None
    return str(path)


def _query(shape: RequestShape, values: Values) -> list[tuple[str, str]]:
    filled = fill(shape.query, values) or {}
    pairs: list[tuple[str, str]] = []
    for name, value in filled.items():
        items = value if isinstance(value, list) else [value]
        pairs += [(name, as_text(item)) for item in items]
    return pairs
