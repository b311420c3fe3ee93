"""The configuration file: `config.yaml`, checked as a whole, its secrets by reference only.

Paths are relative to the file. The core checks what it knows of a connection; the rest belongs to
the connector and is checked by the connector's own model when it is first needed.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_sync.errors import ConfigError, NotFound
from crm_sync.logs import keep_out
from crm_sync.model import Mode
from crm_sync.yamlfile import KeyPath, YamlFile, did_you_mean, load_yaml, together, validate

if TYPE_CHECKING:
    from crm_sync.connector import ConnectorConfig

_SECRET_LIMIT = 100_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Guards(_Settings):
    """Limits on what one plan may write without a person; shares are 0.0 to 1.0."""

    max_share_changed: Share = 0.25
    max_contacts_changed: Annotated[int, Field(ge=0)] = 5_000
    max_tasks_per_colleague_per_day: Annotated[int, Field(ge=0)] = 40
    min_source_share: Share = 0.5
    minimum_sample: Annotated[int, Field(ge=0)] = 50


class Precision(_Settings):
    """How often a rule must be right, by people's verdicts, to go on by itself; shares 0.0 to 1.0.

    Of what would have gone by itself, by kind of job change; and of what was in doubt anyway.
    """

    moved: Share = 0.98
    left: Share = 0.98
    retitled: Share = 0.95
    in_doubt: Share = 0.80
    minimum: Annotated[int, Field(ge=1, le=100_000)] = 20
    latest: Annotated[int, Field(ge=1, le=100_000)] = 200

    @model_validator(mode="after")
    def _can_be_measured(self) -> Precision:
        if self.latest < self.minimum:
            raise ValueError("`latest` is below `minimum`: there would never be enough verdicts")
        return self


class ConnectionSettings(_Settings):
    """One CRM account, without what belongs to its connector."""

    connector: str
    mapping: Path
    playbooks: Path | None = None
    enrichment: list[str] = Field(default_factory=list)
    mode: Mode = Mode.REVIEW
    schedule: str | None = None
    timezone: str = "UTC"
    language: Literal["en", "fr"] = "en"
    guards: Guards = Guards()
    precision: Precision = Precision()
    plan_expires_after_days: Annotated[int, Field(ge=1, le=90)] = 7
    quota_floor: Share = 0.2
    full_pull_days: Annotated[int, Field(ge=0, le=365)] = 7

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}; for example Europe/Paris") from None
        return value

    @field_validator("schedule")
    @classmethod
    def _known_schedule(cls, value: str | None) -> str | None:
        if value is None:
            return value
        from crm_sync.scheduling.cron import cron_trigger

        try:
            cron_trigger(value, "UTC")
        except ValueError as problem:
            raise ValueError(
                f"{value!r} is not a cron schedule ({problem}); for example '0 5 * * mon-fri'"
            ) from None
        return value


class FileSource(_Settings):
    """An enrichment source read from files; `path` may hold `*` and `**`."""

    source: Literal["file"]
    path: str
    mapping: Path
    as_of: dt.date | None = None

    @field_validator("as_of", mode="before")
    @classmethod
    def _is_a_date(cls, value: object) -> object:
        if isinstance(value, dt.date | None):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            raise ValueError("should be a date such as 2026-06-15") from None

    @field_validator("as_of")
    @classmethod
    def _is_past(cls, value: dt.date | None) -> dt.date | None:
        tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
        if value is not None and value > tomorrow:
            raise ValueError("lies in the future; say when the vendor made the file")
        return value


class _File(_Settings):
    database: str = "sqlite:///crm-sync.db"
    connections: dict[str, dict[str, Any]]
    enrichment: dict[str, FileSource] = Field(default_factory=dict)

    @field_validator("database")
    @classmethod
    def _known_database(cls, value: str) -> str:
        prefix, _, file = value.partition(":///")
        if prefix != "sqlite" or not file or file == ":memory:":
            raise ValueError("should be sqlite:///FILE")
        return value


@dataclass(frozen=True)
class Connection:
    """A configured connection: our settings, and the connector's as written in the file."""

    name: str
    settings: ConnectionSettings
    raw: dict[str, Any]
    file: YamlFile

    def path(self, path: Path) -> Path:
        """A path of this connection, made absolute against the configuration's folder."""
        return self.file.path.parent / path

    def connector_config(self, model: type[ConnectorConfig]) -> ConnectorConfig:
        """The connector's own settings with secrets resolved.

        Raises `ConfigError` for unknown keys, literal secrets, and references that lead nowhere.
        """
        from crm_sync.yamlproblems import secret_names

        at = ("connections", self.name)
        resolved = _resolve(self.raw, secret_names(model), self, at)
        self._refuse_unknown(model)
        return validate(model, self.file, resolved, at)

    def _refuse_unknown(self, model: type[ConnectorConfig]) -> None:
        """Here, where the keys of the core and those of the connector are known."""
        from crm_sync.yamlfile import together

        known = [*ConnectionSettings.model_fields, *model.model_fields]
        unknown = [key for key in self.raw if key not in known]
        if unknown:
            raise together([self._unknown(key, known) for key in unknown])

    def _unknown(self, key: str, known: list[str]) -> ConfigError:
        guess = did_you_mean(key, known)
        fix = f"Did you mean `{guess}`?" if guess else f"Known here: {', '.join(known)}."
        at = ("connections", self.name, key)
        return self.file.error(f"unknown key `{'.'.join(at)}`", at, fix)


@dataclass(frozen=True)
class Config:
    """The whole configuration."""

    file: YamlFile
    database: str
    connections: dict[str, Connection]
    sources: dict[str, FileSource]

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.file.path.parent

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.folder / self.database.removeprefix("sqlite:///")

    def connection(self, name: str | None) -> Connection:
        """The connection of that name; without a name, the only one."""
        if name is None and len(self.connections) == 1:
            return next(iter(self.connections.values()))
        known = ", ".join(self.connections) or "none"
        if name is None:
            raise NotFound("which connection?", fix=f"Name one of: {known}.")
        if name not in self.connections:
            guess = did_you_mean(name, list(self.connections))
            fix = f"Did you mean `{guess}`?" if guess else f"Known: {known}."
            raise NotFound(f"no connection is called `{name}`", place=str(self.file.path), fix=fix)
        return self.connections[name]


def load_config(path: Path) -> Config:
    """Read and check `config.yaml`; raises `ConfigError` with every mistake and its place."""
    if not path.exists():
        raise ConfigError(
            "there is no such configuration",
            place=str(path),
            fix="Run `crm-sync init` here to write one, or name it with --config PATH.",
        )
    file = load_yaml(path.absolute())
    model = validate(_File, file)
    connections: dict[str, Connection] = {}
    problems: list[ConfigError] = []
    for name, section in model.connections.items():
        try:
            connections[name] = _connection(name, section, file)
        except ConfigError as problem:
            problems.append(problem)
        else:
            problems += _unknown_sources(connections[name], model.enrichment)
    if problems:
        raise together(problems)
    return Config(file, model.database, connections, dict(model.enrichment))


def _connection(name: str, section: dict[str, Any], file: YamlFile) -> Connection:
    at: KeyPath = ("connections", name)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
        raise file.error(
            f"`{name}` cannot name a connection", at, "Use letters, digits, `-` and `_`."
        )
    ours = {key: value for key, value in section.items() if key in ConnectionSettings.model_fields}
    settings = validate(ConnectionSettings, file, ours, at)
    theirs = {key: value for key, value in section.items() if key not in ours}
    return Connection(name, settings, theirs, file)


def _unknown_sources(
    connection: Connection, sources: dict[str, FileSource]
) -> Iterator[ConfigError]:
    for index, source in enumerate(connection.settings.enrichment):
        if source not in sources:
            guess = did_you_mean(source, list(sources))
            fix = f"Did you mean `{guess}`?" if guess else "Add it under `enrichment:`."
            at = ("connections", connection.name, "enrichment", index)
            yield connection.file.error(f"there is no enrichment source `{source}`", at, fix)


def _resolve(
    value: Any, secrets: frozenset[str], owner: Connection, at: KeyPath, *, secret: bool = False
) -> Any:
    """The value with every secret in it resolved; `secret` when its key names one."""
    if isinstance(value, dict):
        return {
            key: _resolve(inner, secrets, owner, (*at, key), secret=key in secrets)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [
            _resolve(inner, secrets, owner, (*at, index), secret=secret)
            for index, inner in enumerate(value)
        ]
    if not secret or value is None:
        return value
    found = _secret(str(value), owner, at)
    if found != str(value):  # a literal, accepted toward this machine only, guards nothing
        keep_out(found)
    return found


def _secret(reference: str, owner: Connection, at: KeyPath) -> str:
    """The secret behind `env/NAME`, `file/PATH` or `keyring/SERVICE/NAME`."""
    kind, _, rest = reference.partition("/")
    if kind == "env" and rest:
        value = os.environ.get(rest)
        if not value:
            state = "is not set" if value is None else "is empty"
            raise owner.file.error(
                f"the environment variable {rest} {state}", at, f"Set it: export {rest}=…"
            )
        return value
    if kind == "file" and rest:
        return _from_file(rest, owner, at)
    if kind == "keyring" and "/" in rest:
        return _from_keyring(rest, owner, at)
    urls = _urls(owner.raw)
    if urls and all(_on_loopback(url) for url in urls):
        return reference
    raise owner.file.error(
        "a secret is written here in clear text",
        at,
        "Refer to it instead: env/NAME, file/PATH or keyring/SERVICE/NAME.",
    )


def _from_file(rest: str, owner: Connection, at: KeyPath) -> str:
    try:
        with owner.path(Path(rest)).open(encoding="utf-8") as stream:
            value = stream.read(_SECRET_LIMIT + 1).strip()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not text"
        raise owner.file.error(
            f"the secret's file {rest} cannot be read: {reason}", at, "Check the path."
        ) from None
    if not value or len(value) > _SECRET_LIMIT:
        state = "is empty" if not value else "is too large for a secret"
        raise owner.file.error(f"the secret's file {rest} {state}", at, "Check the path.")
    return value


def _from_keyring(rest: str, owner: Connection, at: KeyPath) -> str:
    service, _, name = rest.partition("/")
    try:
        import keyring
    except ImportError:
        raise owner.file.error(
            "the `keyring` package is not installed", at, "pip install keyring, or use env/NAME."
        ) from None
    value = cast("str | None", keyring.get_password(service, name))
    if value is None:
        raise owner.file.error(
            f"the key ring holds nothing for {service}/{name}", at, f"keyring set {service} {name}"
        )
    return value


def _urls(section: Any) -> list[str]:
    if isinstance(section, dict):
        return [url for value in section.values() for url in _urls(value)]
    return [section] if isinstance(section, str) and "://" in section else []


def _on_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False
