"""Templates of tasks: Jinja2 with only what a letter needs, checked when loaded.

A template may print variables, choose with `if`, loop over a list and use a few filters. It can
call nothing, compute nothing and include nothing, so that rendering takes bounded time and room
whatever a profile holds. What could fail is found on loading and names the line of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from itertools import islice
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from crm_sync.errors import ConfigError
from crm_sync.planning.wording import Language, long_date, month
from crm_sync.yamlfile import KeyPath, YamlFile, did_you_mean

VARIABLES = (
    "contact", "first_name", "old_title", "old_organisation", "new_title", "new_organisation",
    "since", "as_of", "source", "confidence", "evidence", "last_activity", "record_url",
    "owner_name", "new_account", "kind", "band",
)  # fmt: skip
"""What a template may name; the shipped playbooks say what each of them is."""

PARTS = {"new_account": ("name", "owner", "url"), "loop": ("index", "first", "last", "length")}
"""What may follow a dot."""

SOURCE_LIMIT = 10_000
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")
RENDERED_LIMIT = 20_000
_MANY = 500

_FILTERS = ("default", "first", "join", "last", "length", "lower", "trim", "upper")
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr,
    nodes.Filter, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Test,
    nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Keyword,
)  # fmt: skip
_WORDS = {nodes.Call: "call anything", nodes.Assign: "set variables", nodes.Macro: "define macros"}

# A tag that has a line to itself takes its line end inside, so that it prints no empty line and
# the lines still count as in the file.
_TAG_ALONE = re.compile(r"(?m)^[ \t]*(\{%(?:(?!%\}).)*?)(-?%\})[ \t]*\n")


@dataclass(frozen=True)
class Template:
    """A checked template. `place` is where it stands in its file, `source` what stands there."""

    place: str
    source: str = field(repr=False)
    compiled: Any = field(repr=False, compare=False)

    def render(self, values: Mapping[str, Any]) -> str:
        """The text, of at most 20,000 characters.

        `values` has all of `VARIABLES`. Raises `ConfigError` for what loading could not foresee.
        """
        try:
            # "… at Vexalor Corp.." is what a sentence ends with when the name has a stop itself.
            text = _bounded(self.compiled.root_render_func(self.compiled.new_context(values)))
            return _TWO_STOPS.sub(".", text) if ".." in text else text
        except (TemplateError, TypeError, ValueError) as problem:
            raise ConfigError(
                f"the template cannot be filled in: {problem}",
                place=self.place,
                fix="Guard the value with `{% if … %}`; it is not known for every contact.",
            ) from None


def compile_template(source: str, language: Language, file: YamlFile, at: KeyPath) -> Template:
    """A template standing at `at` in a file.

    Raises `ConfigError`, with file and line, for bad syntax, an unknown variable, part or filter,
    and for anything that a letter does not need.
    """
    spot = _Spot(file, at, source)
    if len(source) > SOURCE_LIMIT:
        raise spot.error(
            f"the template is longer than {SOURCE_LIMIT} characters", 1, "", "Shorten it."
        )
    environment = _environment(language)
    try:
        tree = environment.parse(_TAG_ALONE.sub(r"\1\n\2", source))
        _check(tree, spot)
        return Template(file.place(at), source, environment.from_string(tree))
    except TemplateSyntaxError as problem:
        raise spot.error(
            f"the template is not right: {problem.message}",
            problem.lineno,
            "",
            "Look for an unclosed {{ or {% on this line, or a missing {% endif %}.",
        ) from None


@cache
def _environment(language: Language) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # tasks are plain text; a connector whose CRM takes HTML escapes it
    )
    environment.globals.clear()
    environment.filters = {name: FILTERS[name] for name in _FILTERS}
    environment.filters["date"] = partial(_dated, long_date, language)
    environment.filters["month"] = partial(_dated, month, language)
    return environment


def _dated(write: Any, language: Language, value: Any) -> str:
    if value is not None and not isinstance(value, date):
        raise TypeError("the filters `date` and `month` take a date")
    text: str = write(value, language)
    return text


def _bounded(pieces: Iterator[str]) -> str:
    text = list(islice(pieces, _MANY))
    length = sum(map(len, text))
    if len(text) < _MANY:
        return "".join(text)[:RENDERED_LIMIT]
    for piece in pieces:
        text.append(piece)
        length += len(piece)
        if length > RENDERED_LIMIT:
            break
    return "".join(text)[:RENDERED_LIMIT]


@dataclass(frozen=True)
class _Spot:
    """Where a template stands, to point at a line inside it."""

    file: YamlFile
    at: KeyPath
    source: str

    def error(self, message: str, lineno: int, token: str, fix: str) -> ConfigError:
        """A `ConfigError` at a line of the template (from 1), at the token if it is found."""
        line, column = self.file.places.get(self.at, (1, 1))
        lines = _lines(self.file)
        if self._is_block(lines, line, column):
            line, column = line + lineno, 1
        text = lines[line - 1] if line <= len(lines) else ""
        found = text.find(token, column - 1) if token else -1
        column = found + 1 if found >= 0 else max(column, len(text) - len(text.lstrip()) + 1)
        return ConfigError(message, place=f"{self.file.path}:{line}:{column}", fix=fix)

    def _is_block(self, lines: list[str], line: int, column: int) -> bool:
        key = str(self.at[-1]) if self.at else ""
        text = lines[line - 1][column - 1 :] if line <= len(lines) else ""
        return text.removeprefix(key).lstrip().removeprefix(":").lstrip().startswith("|")


def _lines(file: YamlFile) -> list[str]:
    try:
        return file.path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _check(tree: nodes.Template, spot: _Spot) -> None:
    for node in _all_nodes(tree):
        _check_node(node, spot)
    unknown = meta.find_undeclared_variables(tree) - set(VARIABLES)
    for name_node in tree.find_all(nodes.Name):
        if name_node.name in unknown:
            raise spot.error(
                f"the template names `{name_node.name}`, which crm-sync does not know",
                name_node.lineno,
                name_node.name,
                _suggest(name_node.name, VARIABLES),
            )


def _all_nodes(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all_nodes(child)


def _check_node(node: nodes.Node, spot: _Spot) -> None:
    if not isinstance(node, _NODES):
        what = _WORDS.get(type(node), f"use {type(node).__name__.lower()}")
        raise spot.error(
            f"a template may not {what}",
            node.lineno,
            "",
            "It may print variables, use `if`, `for`, and the filters "
            f"{', '.join(sorted((*_FILTERS, 'date', 'month')))}.",
        )
    if isinstance(node, nodes.For) and next(islice(node.find_all(nodes.For), 1), None):
        raise spot.error("loops cannot stand in loops", node.lineno, "for", "Use one loop.")
    if isinstance(node, nodes.Filter):
        known = (*_FILTERS, "date", "month")
        if node.name not in known:
            raise spot.error(
                f"there is no filter `{node.name}`",
                node.lineno,
                node.name,
                _suggest(node.name, known),
            )
    if isinstance(node, nodes.Getattr):
        _check_part(node, spot)


def _check_part(node: nodes.Getattr, spot: _Spot) -> None:
    owner = node.node.name if isinstance(node.node, nodes.Name) else ""
    parts = PARTS.get(owner, ())
    if node.attr in parts:
        return
    named = f"`{owner}`" if owner else "this value"
    fix = _suggest(node.attr, parts) if parts else f"Parts exist only of: {', '.join(PARTS)}."
    raise spot.error(f"{named} has no part `{node.attr}`", node.lineno, node.attr, fix)


def _suggest(word: str, known: tuple[str, ...]) -> str:
    guess = did_you_mean(word, known)
    return f"Did you mean `{guess}`?" if guess else f"Known: {', '.join(known)}."
