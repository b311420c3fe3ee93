"""YAML read with care: bounded, without aliases, and every error with file, line and column.

All of our YAML (configuration, CRM mappings, vendor mappings, playbooks) comes through here: the
text becomes plain values plus a place for each key, and a pydantic model says what may stand
where. All errors of a file are told at once; none of them repeats a value that may be a secret.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crm_sync.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel

MAX_BYTES = 1 << 20
"""A megabyte of YAML is a mistake; nobody writes that much by hand."""

KeyPath = tuple[str | int, ...]
Model = TypeVar("Model", bound="BaseModel")
Places = dict[KeyPath, tuple[int, int]]

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset({"null", "bool", "int", "float", "str", "timestamp"})


@dataclass(frozen=True)
class YamlFile:
    """The plain values of a YAML file and where each of them stands (1-based line, column)."""

    path: Path
    data: Any
    places: Mapping[KeyPath, tuple[int, int]]

    def place(self, location: KeyPath = ()) -> str:
        """`file:line:column` of a key, or of the nearest enclosing key that is there."""
        while location and location not in self.places:
            location = location[:-1]
        line, column = self.places.get(location, (1, 1))
        return f"{self.path}:{line}:{column}"

    def error(self, message: str, location: KeyPath = (), fix: str = "") -> ConfigError:
        """A `ConfigError` that points at a key of this file."""
        return ConfigError(message, place=self.place(location), fix=fix)


def load_yaml(path: Path) -> YamlFile:
    """Read one YAML document.

    Values are dicts with text keys, lists, and the scalars of YAML 1.2 (dates included).
    Raises `ConfigError` when the file is absent, too large, not UTF-8, not YAML, repeats a key,
    or uses anchors and aliases (which can blow up a small file into a huge one), merge keys, or
    tags.
    """
    text = _read(path)
    places: Places = {(): (1, 1)}
    try:
        # What the parser would only warn of is either refused here or harmless.
        with warnings.catch_warnings(action="ignore"):
            data = _Reader(path).document(text, places)
        return YamlFile(path, data, places)
    except RecursionError:
        raise ConfigError(
            "is nested too deeply", place=str(path), fix="Is this the right file?"
        ) from None


def validate(model: type[Model], file: YamlFile, data: Any = None, at: KeyPath = ()) -> Model:
    """Build `model` from the file's values (or from `data`, which stands at `at` in the file).

    Raises one `ConfigError` that lists every mistake with its place and the likely fix.
    """
    from pydantic import ValidationError

    value = file.data if data is None and not at else data
    if not isinstance(value, dict):
        name = "`" + ".".join(map(str, at)) + "`" if at else "the file"
        raise file.error(f"{name} should be a mapping (`key: value` lines), not {_kind(value)}", at)
    try:
        return model.model_validate(value)
    except ValidationError as problem:
        from crm_sync.yamlproblems import explain

        raise explain(problem.errors(include_url=False), model, file, at) from None


def together(problems: Sequence[ConfigError]) -> ConfigError:
    """Several mistakes (at least one) as one error, in the order of their places."""
    first, *rest = sorted(problems, key=lambda problem: _order(problem.place))
    if not rest:
        return first
    also = "\n".join(str(problem) for problem in rest)
    return ConfigError(first.message, place=first.place, fix=f"{first.fix}\n{also}".strip())


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The known word that was probably meant, or an empty string."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else ""


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(
            "there is no such file",
            place=str(path),
            fix="Check the path; `crm-sync init` writes "
            "a configuration with its mappings into the current folder.",
        ) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "the path is not one"
        raise ConfigError(
            f"cannot be read: {reason}", place=str(path), fix="Check the path and its permissions."
        ) from None
    if len(raw) > MAX_BYTES:
        raise ConfigError("is larger than 1 MB", place=str(path), fix="Is this the right file?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        column = problem.start - raw.rfind(b"\n", 0, problem.start)
        raise ConfigError(
            "is not UTF-8 text", place=f"{path}:{line}:{column}", fix="Save the file as UTF-8."
        ) from None
    if "\x00" in text:
        before = text[: text.index("\x00")]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigError(
            "holds a NUL byte", place=f"{path}:{line}:{column}", fix="Is this really a YAML file?"
        )
    return text


class _Reader:
    """One file's nodes as plain values, each key's place noted on the way."""

    def __init__(self, path: Path) -> None:
        from ruamel.yaml import YAML

        self._path = path
        self._yaml = YAML(typ="safe", pure=True)

    def document(self, text: str, places: Places) -> Any:
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
        from ruamel.yaml.reader import ReaderError

        try:
            node = self._yaml.compose(text)
        except MarkedYAMLError as problem:
            raise self._syntax_error(problem) from None
        except ReaderError as problem:
            before = text[: problem.position]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            raise ConfigError(
                "holds a character that YAML does not allow",
                place=f"{self._path}:{line}:{column}",
                fix="Delete it; is this really a YAML file?",
            ) from None
        except (YAMLError, ValueError, TypeError, LookupError, AttributeError) as problem:
            # The parser trips over some texts in its own code; it is the text that is wrong.
            raise ConfigError(
                f"is not YAML ({type(problem).__name__})",
                place=str(self._path),
                fix="Compare it with the shipped example.",
            ) from None
        return None if node is None else self._plain(node, (), places)

    def _plain(self, node: Any, at: KeyPath, places: Places) -> Any:
        if node.anchor is not None:
            # Refused before any alias to it can be followed.
            raise self._alias(node.start_mark)
        kind, tag = node.id, str(node.tag).removeprefix(_TAG)
        if kind == "mapping" and tag == "map":
            return self._mapping(node, at, places)
        if kind == "sequence" and tag == "seq":
            items: list[Any] = []
            for index, item in enumerate(node.value):
                places[(*at, index)] = _position(item.start_mark)
                items.append(self._plain(item, (*at, index), places))
            return items
        if kind == "scalar" and tag == "value":  # a lone `=`
            return str(node.value)
        if kind == "scalar" and tag in _SCALARS:
            return self._scalar(node, tag)
        raise self._error("uses a tag (`!name`)", node.start_mark, "Write the value without it.")

    def _mapping(self, node: Any, at: KeyPath, places: Places) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, value in node.value:
            mark = key.start_mark
            if key.anchor is not None:
                raise self._alias(mark)
            tag = str(key.tag).removeprefix(_TAG)
            if tag == "merge":
                raise self._error("uses a merge key (`<<`)", mark, "Write the values out.")
            if key.id != "scalar" or tag not in {*_SCALARS, "value"}:
                raise self._error("a key has to be plain text", mark, "Quote it if it is meant.")
            name = str(key.value)
            here = (*at, name)
            if name in plain:
                first = places[here][0]
                raise self._error(
                    f"`{name}` stands here twice", mark, f"Keep one; the first is on line {first}."
                )
            places[here] = _position(mark)
            plain[name] = self._plain(value, here, places)
        return plain

    def _scalar(self, node: Any, tag: str) -> Any:
        try:
            return self._yaml.constructor.construct_object(node, deep=True)
        except (ValueError, ArithmeticError, TypeError, LookupError, AttributeError):
            what = {"timestamp": "date", "int": "number", "float": "number"}.get(tag, tag)
            raise self._error(
                f"is not a possible {what}", node.start_mark, "Correct it, or quote it as text."
            ) from None

    def _syntax_error(self, problem: Any) -> ConfigError:
        mark = problem.problem_mark or problem.context_mark
        what = str(problem.problem or problem.context or "cannot be read").splitlines()[0]
        if "alias" in what or "anchor" in what:
            return self._alias(mark)
        if "another document" in what:
            return self._error("holds a second document (`---`)", mark, "Keep one per file.")
        # Quoted are signs and token names; anything longer is the file's own text, maybe a secret.
        shown = re.sub(r"(['\"])[^'\"]*\1", _short, what)
        return self._error(
            f"is not YAML: {shown}",
            mark,
            "Look at this line and the one before it: indentation, a missing colon or quote.",
        )

    def _alias(self, mark: Any) -> ConfigError:
        return self._error(
            "uses an anchor or alias (`&name`, `*name`)",
            mark,
            "Write the value out; quote a text that begins with `&` or `*`.",
        )

    def _error(self, message: str, mark: Any, fix: str) -> ConfigError:
        place = f"{self._path}:{mark.line + 1}:{mark.column + 1}" if mark else str(self._path)
        return ConfigError(message, place=place, fix=fix)


def _short(found: re.Match[str]) -> str:
    quoted = found.group()
    return quoted if len(quoted) <= 4 or quoted[1] == "<" else "…"


def _position(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _order(place: str) -> tuple[int, int]:
    found = re.search(r":(\d+):(\d+)$", place)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _kind(value: Any) -> str:
    return {type(None): "empty", list: "a list", str: "a text"}.get(type(value), "a single value")
