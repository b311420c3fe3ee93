"""YAML read with care: bounded, without aliases, and every error with file, line and column.

All of our YAML (configuration, CRM mappings, vendor mappings, playbooks) comes through here: the
text becomes plain values plus a `Place` for each key, and a pydantic model says what may stand
where. All errors of a file are told at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crm_sync.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

MAX_BYTES = 1 << 20
"""A megabyte of YAML is a mistake; nobody writes that much by hand."""

KeyPath = tuple[str | int, ...]
Model = TypeVar("Model", bound="BaseModel")


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

    Raises `ConfigError` when the file is absent, too large, not UTF-8, not YAML, repeats a key, or
    uses anchors and aliases (which can blow up a small file into a huge one).
    """
    text = _read(path)
    _refuse_aliases(path, text)
    places: dict[KeyPath, tuple[int, int]] = {(): (1, 1)}
    data = _plain(_parse(path, text), (), places)
    return YamlFile(path, data, places)


def validate(model: type[Model], file: YamlFile, data: Any = None, at: KeyPath = ()) -> Model:
    """Build `model` from the file's values (or from `data`, which stands at `at` in the file).

    Raises one `ConfigError` that lists every mistake with its place and the likely fix.
    """
    from pydantic import ValidationError

    value = file.data if data is None and not at else data
    if not isinstance(value, dict):
        raise file.error(
            f"{_name(at)} should be a mapping (`key: value` lines), not {_kind(value)}", at
        )
    try:
        return model.model_validate(value)
    except ValidationError as problem:
        raise _explain(problem.errors(include_url=False), model, file, at) from None


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
    except OSError as problem:
        raise ConfigError(
            f"cannot be read: {problem.strerror}", place=str(path), fix="Check its permissions."
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
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise ConfigError(
            "holds a NUL byte", place=f"{path}:{line}:1", fix="Is this really a YAML file?"
        )
    return text


def _refuse_aliases(path: Path, text: str) -> None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.events import AliasEvent

    try:
        for event in YAML(typ="rt", pure=True).parse(text):
            if isinstance(event, AliasEvent):
                mark = event.start_mark
                raise ConfigError(
                    "uses an alias (`*name`)",
                    place=f"{path}:{mark.line + 1}:{mark.column + 1}",
                    fix="Write the value out; aliases are not accepted.",
                )
    except MarkedYAMLError as problem:
        raise _syntax_error(path, problem) from None
    except (YAMLError, RecursionError) as problem:
        raise ConfigError(f"is not YAML: {_first_line(problem)}", place=str(path)) from None


def _parse(path: Path, text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as problem:
        raise _syntax_error(path, problem) from None
    except (YAMLError, RecursionError, ValueError) as problem:
        raise ConfigError(f"is not YAML: {_first_line(problem)}", place=str(path)) from None


def _syntax_error(path: Path, problem: Any) -> ConfigError:
    mark = problem.problem_mark or problem.context_mark
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    what = str(problem.problem or "cannot be read as YAML").splitlines()[0]
    if "duplicate key" in what:
        return ConfigError(what, place=place, fix="Keep one of the two.")
    return ConfigError(
        f"is not YAML: {what}",
        place=place,
        fix="Look at this line and the one before it: indentation, a missing colon or quote.",
    )


def _plain(node: Any, at: KeyPath, places: dict[KeyPath, tuple[int, int]]) -> Any:
    """Plain dicts, lists and scalars, recording where each key stands."""
    if isinstance(node, dict):
        plain: dict[str, Any] = {}
        for key, value in node.items():
            here = (*at, str(key))
            line, column = node.lc.key(key)  # type: ignore[attr-defined]
            places[here] = (line + 1, column + 1)
            plain[str(key)] = _plain(value, here, places)
        return plain
    if isinstance(node, list):
        items: list[Any] = []
        for index, value in enumerate(node):
            here = (*at, index)
            line, column = node.lc.item(index)  # type: ignore[attr-defined]
            places[here] = (line + 1, column + 1)
            items.append(_plain(value, here, places))
        return items
    return _scalar(node)


def _scalar(node: Any) -> Any:
    """ruamel's round-trip scalars as the built-in types they extend."""
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    if type(node).__name__ == "ScalarBoolean":
        return bool(node)
    if type(node).__name__ == "TimeStamp":
        import datetime as dt

        return dt.datetime.fromisoformat(node.isoformat())
    return node


def _explain(
    errors: Sequence[ErrorDetails], model: type[BaseModel], file: YamlFile, at: KeyPath
) -> ConfigError:
    told = [_one(error, model, file, at) for error in errors]
    first, *rest = sorted(told, key=lambda error: _order(error.place))
    if not rest:
        return first
    also = "\n".join(f"{error.place}: {error.message}\n  {error.fix}".rstrip() for error in rest)
    return ConfigError(first.message, place=first.place, fix=f"{first.fix}\n{also}".strip())


def _order(place: str) -> tuple[int, int]:
    *_, line, column = place.rsplit(":", 2)
    return int(line), int(column)


def _one(error: ErrorDetails, model: type[BaseModel], file: YamlFile, at: KeyPath) -> ConfigError:
    location = (*at, *_known_part(error["loc"], (at, file)))
    name = _name(location)
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _keys_at(model, error["loc"][:-1])
        guess = did_you_mean(str(error["loc"][-1]), known)
        fix = f"Did you mean `{guess}`?" if guess else f"Known here: {', '.join(known)}."
        return file.error(f"unknown key {name}", location, fix)
    if kind == "missing":
        return file.error(f"{name} is missing", location, f"Add `{error['loc'][-1]}:` here.")
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind in {"value_error", "assertion_error"}:
        return file.error(f"{name}: {message}", location)
    given = error.get("input")
    secret = any(word in name.lower() for word in ("secret", "password", "token", "key"))
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) and not secret else ""
    return file.error(f"{name} should be {message}{shown}", location)


def _known_part(loc: tuple[str | int, ...], at: tuple[KeyPath, YamlFile]) -> KeyPath:
    """Pydantic's location without the tags of unions, which are not keys of the file."""
    base, file = at
    kept: list[str | int] = []
    for position, part in enumerate(loc):
        if (*base, *kept, part) in file.places or position == len(loc) - 1:
            kept.append(part)
    return tuple(kept)


def _keys_at(model: Any, loc: Sequence[str | int]) -> list[str]:
    """The keys that a model accepts at a location, as far as the annotations tell."""
    from pydantic import BaseModel

    for part in loc:
        fields = getattr(model, "model_fields", {})
        if isinstance(part, str) and part in fields:
            model = _inner_model(fields[part].annotation)
        if model is None:
            return []
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []


def _inner_model(annotation: Any) -> Any:
    """The pydantic model inside `X`, `X | None`, `dict[str, X]` or `list[X]`, or None."""
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None


def _name(location: KeyPath) -> str:
    return "`" + ".".join(str(part) for part in location) + "`" if location else "the file"


def _kind(value: Any) -> str:
    return {type(None): "empty", list: "a list", str: "a text"}.get(type(value), "a single value")


def _first_line(problem: BaseException) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0]
