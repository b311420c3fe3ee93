"""A vendor mapping as SQL: from a JSON document per record to our columns.

Records are read as a struct `r`: of a JSON document what its one parse gives, of a table its row.
`structure` names the keys to take, absent ones null; `columns` names what each of our columns is
made of. `employers` is the part of `employments` by which a record is found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sync.enrichment.mapping import DatePaths, EmploymentPaths, ReadingRules, all_paths
from crm_sync.errors import ConfigError

_SINGLE = ("full_name", "first_name", "last_name", "city", "country")
_BETWEEN_ADDRESSES = ";,| \t\r\n"
_LISTS = {"emails": _BETWEEN_ADDRESSES, "linkedin_urls": _BETWEEN_ADDRESSES, "phones": ";|,"}
"""Signs that stand between several values in one text."""
_IN_EMPLOYMENT = ("organisation", "domain", "organisation_id", "title")
_ISO_FROM = {"day_first": r"\3-\2-\1", "month_first": r"\3-\1-\2"}
_YES, _NO = "('true', '1', 'yes', 'y')", "('false', '0', 'no', 'n')"

Tree = dict[str, Any]
_Read = Callable[[EmploymentPaths, ReadingRules, Tree, bool, str], str]


@dataclass(frozen=True, slots=True)
class Step:
    """One key of a path; `every` when it holds a list of which every item is meant."""

    key: str
    every: bool


@dataclass(frozen=True)
class Layout:
    """How to read one mapping's files: a JSON structure, and SQL over it by column name."""

    structure: str
    columns: dict[str, str]

    @property
    def select_list(self) -> str:
        """`expression AS column` for every column, over a struct column called `r`."""
        return ",\n".join(f"{sql} AS {name}" for name, sql in self.columns.items())


def compile_layout(mapping: ReadingRules, *, flat: bool) -> Layout:
    """The layout of a mapping; `flat` files have columns, whose names are not taken apart.

    Raises `ConfigError` when two paths cannot both be right (`a` and `a.b`).
    """
    tree: Tree = {}
    profile = mapping.profile

    def values(paths: Sequence[str]) -> list[str]:
        return [_value(tree, path, "r", flat) for path in paths]

    columns = {"profile_id": _first(values(profile.id))}
    for name in _SINGLE:
        columns[name] = _first(values(getattr(profile, name)))
    for name, separator in _LISTS.items():
        lists = [_values(tree, path, flat) for path in getattr(profile, name)]
        columns[name] = _list(lists, separator)
    if profile.linkedin_slugs:
        slugs = _list(
            [_values(tree, path, flat) for path in profile.linkedin_slugs], _BETWEEN_ADDRESSES
        )
        urls = f"list_transform({slugs}, lambda t: 'linkedin.com/in/' || trim(t))"
        columns["linkedin_urls"] = f"list_concat({columns['linkedin_urls']}, {urls})"
    columns["verified_on"] = _date(profile.verified_on, mapping, tree, flat, "r")
    for name, read in (("employers", _employer), ("employments", _employment)):
        groups = [_employments(group, mapping, tree, flat, read) for group in mapping.employments]
        columns[name] = f"list_concat({', '.join(groups)})" if len(groups) > 1 else groups[0]
    return Layout(json.dumps(_plain(tree), ensure_ascii=False), columns)


def named_columns(mapping: ReadingRules) -> list[str]:
    """The columns that a mapping of a flat file names, each once."""
    return list(dict.fromkeys(text for at, text in all_paths(mapping) if at[-1] != "each"))


def identifier(name: str) -> str:
    """A name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL quotes it."""
    return "'" + text.replace("'", "''") + "'"


def _employments(
    group: EmploymentPaths, mapping: ReadingRules, tree: Tree, flat: bool, read: _Read
) -> str:
    if group.each is None or flat:
        one = f"[{read(group, mapping, tree, flat, 'r')}]"
        if not group.removed:
            return one
        return f"CASE WHEN {_removed(group, tree, flat, 'r')} THEN [] ELSE {one} END"
    steps = [*_steps(group.each, flat)]
    steps[-1] = Step(steps[-1].key, every=True)
    inner: Tree = _inner_tree(tree, steps)
    item = read(group, mapping, inner, flat, "item")
    base = "r" + "".join(f".{identifier(step.key)}" for step in steps)
    if group.removed:
        base = f"list_filter({base}, lambda item: NOT {_removed(group, inner, flat, 'item')})"
    return f"coalesce(list_transform({base}, lambda item: {item}), [])"


def _employer(
    group: EmploymentPaths, mapping: ReadingRules, tree: Tree, flat: bool, base: str
) -> str:
    """The employer alone, untrimmed: what every record is looked at for."""
    parts = {}
    for name in ("organisation", "domain"):
        values = [_value(tree, path, base, flat) for path in getattr(group, name)]
        parts[name] = values[0] if len(values) == 1 else _first(values)
    return f"struct_pack({', '.join(f'{name} := {sql}' for name, sql in parts.items())})"


def _employment(
    group: EmploymentPaths, mapping: ReadingRules, tree: Tree, flat: bool, base: str
) -> str:
    def first(name: str) -> str:
        return _first([_value(tree, path, base, flat) for path in getattr(group, name)])

    parts = {name: first(name) for name in _IN_EMPLOYMENT}
    parts["start_on"] = _date(group.start_on, mapping, tree, flat, base)
    parts["end_on"] = _date(group.end_on, mapping, tree, flat, base)
    parts["is_primary"] = first("primary")
    parts["state"] = literal(group.state)
    if group.current:
        said = f"lower({first('current')})"
        parts["state"] = (
            f"CASE WHEN {said} IN {_NO} THEN 'ended' WHEN {said} IN {_YES} THEN 'present' "
            f"ELSE {literal(group.state)} END"
        )
    return f"struct_pack({', '.join(f'{name} := {sql}' for name, sql in parts.items())})"


def _removed(group: EmploymentPaths, tree: Tree, flat: bool, base: str) -> str:
    said = _first([_value(tree, path, base, flat) for path in group.removed])
    return f"coalesce(lower({said}) NOT IN {_NO}, false)"


def _value(tree: Tree, path: str, base: str, flat: bool) -> str:
    """SQL for one text: of a list, its first item."""
    steps = _steps(path, flat)
    reached = _plant(tree, tuple(steps), base)
    one = f"({reached})[1]" if any(step.every for step in steps) else reached
    return f"CAST({one} AS VARCHAR)"


def _values(tree: Tree, path: str, flat: bool) -> str:
    """SQL for a list of texts: of a single value, that one."""
    steps = _steps(path, flat)
    reached = _plant(tree, tuple(steps), "r")
    if any(step.every for step in steps):
        return f"coalesce({reached}, [])"
    return f"[{reached}]"


def _steps(path: str, flat: bool) -> list[Step]:
    if flat:
        return [Step(path, every=False)]
    return [Step(part.removesuffix("[]"), part.endswith("[]")) for part in path.split(".")]


def _inner_tree(tree: Tree, steps: Sequence[Step]) -> Tree:
    for step in steps:
        found = tree.setdefault(step.key, {"": [{}]} if step.every else {})
        if not isinstance(found, dict):
            raise _clash(step.key)
        tree = found[""][0] if step.every else found
    return tree


def _plant(tree: Tree, steps: tuple[Step, ...], base: str) -> str:
    """Put a path into the tree of wanted keys; return the SQL that reaches it from `base`."""
    step, rest = steps[0], steps[1:]
    here = f"{base}.{identifier(step.key)}"
    if not rest:
        leaf: Any = {"": ["VARCHAR"]} if step.every else "VARCHAR"
        if tree.setdefault(step.key, leaf) != leaf:
            raise _clash(step.key)
        return here
    if step.every:
        found = tree.setdefault(step.key, {"": [{}]})
        if not isinstance(found, dict) or not isinstance(found.get("", [""])[0], dict):
            raise _clash(step.key)
        return f"list_transform({here}, lambda item: {_plant(found[''][0], rest, 'item')})"
    found = tree.setdefault(step.key, {})
    if not isinstance(found, dict) or "" in found:
        raise _clash(step.key)
    return _plant(found, rest, here)


def _clash(key: str) -> ConfigError:
    return ConfigError(
        f"the mapping reads `{key}` in two ways that exclude each other",
        fix=f"Use `{key}` either as a value, or as a list `{key}[]`, or with keys inside.",
    )


def _plain(tree: Tree) -> Any:
    """The tree as DuckDB's `from_json` wants it: lists as one-element lists."""
    if set(tree) == {""}:
        item = tree[""][0]
        return [_plain(item) if isinstance(item, dict) else item]
    return {key: _plain(value) if isinstance(value, dict) else value for key, value in tree.items()}


def _first(expressions: Sequence[str]) -> str:
    """The first that is neither null nor blank."""
    if not expressions:
        return "CAST(NULL AS VARCHAR)"
    texts = [f"nullif(trim({sql}), '')" for sql in expressions]
    return f"coalesce({', '.join(texts)})" if len(texts) > 1 else texts[0]


def _list(expressions: Sequence[str], separators: str) -> str:
    """All of them as one list of texts; a text that holds several is split."""
    if not expressions:
        return "CAST([] AS VARCHAR[])"
    joined = f"list_concat({', '.join(expressions)})" if len(expressions) > 1 else expressions[0]
    holds = " OR ".join(f"contains(t, {literal(sign)})" for sign in separators)
    at = literal(f"[{separators}]+")
    split = f"lambda t: CASE WHEN {holds} THEN string_split_regex(t, {at}) ELSE [t] END"
    return f"list_filter(flatten(list_transform({joined}, {split})), lambda t: trim(t) <> '')"


def _date(date: DatePaths | None, mapping: ReadingRules, tree: Tree, flat: bool, base: str) -> str:
    """SQL for a date's text, the year first."""
    if date is None:
        return _first([])
    if not date.paths:
        texts = [_value(tree, path, base, flat) for path in date.parts]
        digits = [f"regexp_extract({sql}, '^\\s*(\\d+)', 1)" for sql in texts]
        numbers = [f"nullif(ltrim({sql}, '0'), '')" for sql in digits]
        # A day without its month says no more than the year.
        known = [" || '-' || ".join(numbers[:count]) for count in range(len(numbers), 0, -1)]
        return f"coalesce({', '.join(known)})"
    style = date.dates or mapping.dates
    return _first([_dated(_value(tree, path, base, flat), style) for path in date.paths])


def _dated(sql: str, style: str) -> str:
    """A date's text with the year first, when the vendor writes the day or the month first."""
    if style == "iso":
        return sql
    if style == "auto":
        return f"unambiguous_date({sql})"
    pattern = r"^\s*(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})\b.*$"
    return f"regexp_replace({sql}, {literal(pattern)}, {literal(_ISO_FROM[style])})"
