"""Secrets by reference: `env/NAME`, `file/PATH` or `keyring/SERVICE/NAME`, never in clear text.

A literal is accepted in a section whose addresses are all on this machine: it guards nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from crm_sync.logs import keep_out
from crm_sync.yamlfile import KeyPath, YamlFile

_SECRET_LIMIT = 100_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of a file: where it stands, and whether a literal may stand in it."""

    file: YamlFile
    literal: bool


def resolve(
    values: dict[str, Any], secrets: frozenset[str], file: YamlFile, at: KeyPath
) -> dict[str, Any]:
    """The values of the section at `at` with every secret in them resolved.

    `secrets` are the names of keys that hold one, at any depth. Raises `ConfigError` for a literal
    secret, and for a reference that leads nowhere. What was found is kept out of the logs.
    """
    urls = _urls(values)
    section = _Section(file, bool(urls) and all(on_loopback(url) for url in urls))
    return cast("dict[str, Any]", _resolve(values, secrets, section, at))


def on_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def _resolve(
    value: Any, secrets: frozenset[str], section: _Section, at: KeyPath, *, secret: bool = False
) -> Any:
    """The value with every secret in it resolved; `secret` when its key names one."""
    if isinstance(value, dict):
        return {
            key: _resolve(inner, secrets, section, (*at, key), secret=secret or key in secrets)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [
            _resolve(inner, secrets, section, (*at, index), secret=secret)
            for index, inner in enumerate(value)
        ]
    if not secret or value is None:
        return value
    found = _secret(str(value), section, at)
    if found != str(value):  # a literal, accepted toward this machine only, guards nothing
        keep_out(found)
    return found


def _secret(reference: str, section: _Section, at: KeyPath) -> str:
    """The secret behind a reference."""
    kind, _, rest = reference.partition("/")
    if kind == "env" and rest:
        value = os.environ.get(rest)
        if not value:
            state = "is not set" if value is None else "is empty"
            raise section.file.error(
                f"the environment variable {rest} {state}", at, f"Set it: export {rest}=…"
            )
        return value
    if kind == "file" and rest:
        return _from_file(rest, section.file, at)
    if kind == "keyring" and "/" in rest:
        return _from_keyring(rest, section.file, at)
    if section.literal:
        return reference
    raise section.file.error(
        "a secret is written here in clear text",
        at,
        "Refer to it instead: env/NAME, file/PATH or keyring/SERVICE/NAME.",
    )


def _from_file(rest: str, file: YamlFile, at: KeyPath) -> str:
    try:
        with (file.path.parent / Path(rest)).open(encoding="utf-8") as stream:
            value = stream.read(_SECRET_LIMIT + 1).strip()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise file.error(
            f"the secret's file {rest} cannot be read: {reason}", at, "Check the path."
        ) from None
    if not value or len(value) > _SECRET_LIMIT:
        state = "is empty" if not value else "is too large for a secret"
        raise file.error(f"the secret's file {rest} {state}", at, "Check the path.")
    return value


def _from_keyring(rest: str, file: YamlFile, at: KeyPath) -> str:
    service, _, name = rest.partition("/")
    try:
        import keyring
    except ImportError:
        raise file.error(
            "the `keyring` package is not installed", at, "pip install keyring, or use env/NAME."
        ) from None
    value = cast("str | None", keyring.get_password(service, name))
    if value is None:
        raise file.error(
            f"the key ring holds nothing for {service}/{name}", at, f"keyring set {service} {name}"
        )
    return value


def _urls(section: Any) -> list[str]:
    if isinstance(section, dict):
        return [url for value in section.values() for url in _urls(value)]
    return [section] if isinstance(section, str) and "://" in section else []
