"""What pydantic finds wrong with a YAML file, in the words of the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr

from crm_sync.errors import ConfigError
from crm_sync.yamlfile import KeyPath, YamlFile, did_you_mean, together

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SECRET_NAME = re.compile(r"secret|passw|token|key|session|credential|auth", re.IGNORECASE)
_SHOWN = 60
_MAPPING_TYPES = frozenset({"dict_type", "model_type", "model_attributes_type", "mapping_type"})


def explain(
    errors: Sequence[ErrorDetails], model: type[BaseModel], file: YamlFile, at: KeyPath
) -> ConfigError:
    """One error that lists every mistake; values of secrets are never shown."""
    secrets = secret_names(model)
    return together([_one(error, model, file, at, secrets) for error in errors])


def secret_names(model: Any) -> frozenset[str]:
    """The names of all fields of a model, and of the models inside it, that are secrets."""
    found: set[str] = set()

    def visit(annotation: Any, name: str) -> None:
        if annotation is SecretStr:
            found.add(name)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for inner, field in annotation.model_fields.items():
                visit(field.annotation, field.alias or inner)
        for argument in get_args(annotation):
            visit(argument, name)

    visit(model, "")
    return frozenset(found)


def _one(
    error: ErrorDetails,
    model: type[BaseModel],
    file: YamlFile,
    at: KeyPath,
    secrets: frozenset[str],
) -> ConfigError:
    kind, loc = error["type"], error["loc"]
    location = (*at, *_known_part(loc, at, file))
    name = _name(location)
    if kind == "extra_forbidden":
        known = _keys_at(model, loc[:-1])
        guess = did_you_mean(str(loc[-1]), known)
        fix = f"Did you mean `{guess}`?" if guess else f"Known here: {', '.join(known)}."
        return file.error(f"unknown key {name}", location, fix)
    if kind == "missing":
        return file.error(f"{name} is missing", location, f"Add `{loc[-1]}:` here.")
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        return _bad_tag(error, file, location)
    if kind in {"value_error", "assertion_error"}:
        message = re.sub(r"^(Value error|Assertion failed), ", "", error["msg"])
        return file.error(f"{name}: {message}", location)
    hidden = any(_is_secret(part, secrets) for part in location)
    return file.error(f"{name} {_wanted(error)}{_shown(error, hidden=hidden)}", location)


def _bad_tag(error: ErrorDetails, file: YamlFile, location: KeyPath) -> ConfigError:
    context = error.get("ctx", {})
    key = str(context.get("discriminator", "")).strip("'")
    name = _name((*location, key))
    expected = context.get("expected_tags")
    if expected is None:
        return file.error(f"{name} is missing", location, f"Add `{key}:` here.")
    return file.error(f"{name} should be one of {expected}", (*location, key))


def _wanted(error: ErrorDetails) -> str:
    """What should stand there: pydantic's sentence with the key as its subject."""
    if error["type"] in _MAPPING_TYPES:
        return "should be a mapping (`key: value` lines)"
    message = error["msg"]
    found = re.match(r"(?:[A-Z]\w+ )+?should (?P<what>.*)", message, re.DOTALL)
    return f"should {found['what']}" if found else f"is not possible: {message}"


def _shown(error: ErrorDetails, *, hidden: bool) -> str:
    given = error.get("input")
    if given is None:
        return ", not empty"
    if hidden or not isinstance(given, str | int | float | bool):
        return ""
    text = repr(given)
    if "://" in text or len(text) > _SHOWN:
        return ""  # an address may carry a password
    return f", not {text}"


def _is_secret(part: str | int, secrets: frozenset[str]) -> bool:
    return part in secrets or (isinstance(part, str) and bool(_SECRET_NAME.search(part)))


def _known_part(loc: tuple[str | int, ...], at: KeyPath, file: YamlFile) -> KeyPath:
    """Pydantic's location without the tags of unions, which are not keys of the file."""
    kept: list[str | int] = []
    for position, part in enumerate(loc):
        if (*at, *kept, part) in file.places or position == len(loc) - 1:
            kept.append(part)
    return tuple(kept)


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that a model accepts at a location, as far as the annotations tell."""
    models = [model]
    for part in loc:
        fields = [one.model_fields[part] for one in models if part in one.model_fields]
        if fields:
            models = [inner for field in fields for inner in _models_in(field.annotation)]
        else:
            # The tag of a union: only the alternative that carries it counts from here on.
            models = [one for one in models if part in _tags(one)] or models
    known = [field.alias or name for one in models for name, field in one.model_fields.items()]
    return list(dict.fromkeys(known))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The pydantic models inside `X`, `X | Y`, `dict[str, X]` or `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for argument in get_args(annotation):
            yield from _models_in(argument)


def _tags(model: type[BaseModel]) -> set[Any]:
    return {
        value
        for field in model.model_fields.values()
        if get_origin(field.annotation) is Literal
        for value in get_args(field.annotation)
    }


def _name(location: KeyPath) -> str:
    return "`" + ".".join(str(part) for part in location) + "`" if location else "the file"
