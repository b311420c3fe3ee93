"""Texts with names of fields in braces, and what they become for one question.

`"{first_name}"` is the contact's first name, `"{email|personal_email}"` the first of the two that
is there, `"https://www.linkedin.com/in/{linkedin_slug}"` a text around it. A text of which a field
is blank is left out, and so is a list or mapping of which nothing is left. That is all: there are
no conditions, no functions, and nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from crm_sync.enrichment.asking import ASKED_WITH, Question
from crm_sync.yamlfile import KeyPath, did_you_mean

EACH = "each"
"""Stands for the list of what is asked about each contact, in a call about several."""

NUMBER = "number"
"""The place of a contact in its call, from 1: an id to be echoed that says nothing of anybody."""

FIELDS = (*(name for name in ASKED_WITH if name != "contact_id"), "linkedin_slug")
"""What a question can fill in. The CRM's id of the contact is nobody else's business."""

LONGEST = 500
"""A longer value is no name, title or address, and is left out."""

_PLACE = re.compile(r"\{([^{}]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

Values = Mapping[str, str]
Encode = Callable[[str], str]


def names_in(text: str) -> list[tuple[str, ...]]:
    """The fields of each place in a text. Raises `ValueError` for a brace without its other."""
    if re.search(r"[{}]", _PLACE.sub("", text)):
        raise ValueError("a `{` or `}` stands alone")
    return [tuple(name.strip() for name in found.split("|")) for found in _PLACE.findall(text)]


def texts_in(template: Any, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every text of a template with its place."""
    if isinstance(template, str):
        yield at, template
    elif isinstance(template, Mapping):
        for key, inner in template.items():
            yield from texts_in(inner, (*at, key))
    elif isinstance(template, list | tuple):
        for index, inner in enumerate(template):
            yield from texts_in(inner, (*at, index))


def problem_of(text: str, known: tuple[str, ...]) -> str:
    """What is wrong with a text; empty when nothing is."""
    try:
        places = names_in(text)
    except ValueError as problem:
        return str(problem)
    unknown = next((name for place in places for name in place if name not in known), None)
    if unknown is None:
        return ""
    guess = did_you_mean(unknown, known)
    hint = f"did you mean `{guess}`?" if guess else f"known here: {', '.join(known)}"
    return f"there is no field `{unknown}`; {hint}"


def values_of(question: Question) -> dict[str, str]:
    """What is known of a contact: clean texts, those that are blank left out."""
    values: dict[str, str] = {}
    for name in ASKED_WITH:
        value = getattr(question, name)
        if name != "contact_id" and value is not None:
            text = _CONTROL.sub(" ", value.encode("utf-8", "ignore").decode()).strip()
            if text and len(text) <= LONGEST:
                values[name] = text
    slug = _readable_slug(values.get("linkedin_url"))
    if slug:
        values["linkedin_slug"] = slug
    return values


def fill(template: Any, values: Values, encode: Encode = str) -> Any:
    """The template with its fields filled in; None when nothing is left of it."""
    if isinstance(template, str):
        return _filled(template, values, encode)
    if isinstance(template, Mapping):
        pairs = {key: fill(inner, values, encode) for key, inner in template.items()}
        kept = {key: value for key, value in pairs.items() if value is not None}
        return kept if kept or not template else None
    if isinstance(template, list | tuple):
        items = [fill(inner, values, encode) for inner in template]
        left = [item for item in items if item is not None]
        return left if left or not template else None
    return template


def with_each(template: Any, entries: list[Any]) -> Any:
    """The template of a whole body with `{each}` replaced by the entries."""
    if template == "{" + EACH + "}":
        return entries
    if isinstance(template, Mapping):
        return {key: with_each(inner, entries) for key, inner in template.items()}
    if isinstance(template, list | tuple):
        return [with_each(inner, entries) for inner in template]
    return template


def _filled(text: str, values: Values, encode: Encode) -> str | None:
    blank = False

    def put(place: re.Match[str]) -> str:
        nonlocal blank
        names = (name.strip() for name in place[1].split("|"))
        found = next((values[name] for name in names if name in values), None)
        blank = blank or found is None
        return encode(found) if found is not None else ""

    filled = _PLACE.sub(put, text)
    return None if blank else filled


def _readable_slug(url: str | None) -> str | None:
    """The last part of a LinkedIn address, unless it is one of LinkedIn's own made-up ids."""
    from crm_sync.normalise.points import is_opaque_slug, linkedin_slug

    slug = linkedin_slug(url) if url else None
    return slug if slug and not is_opaque_slug(slug) else None
