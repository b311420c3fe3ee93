"""The configuration file: `config.yaml`, checked as a whole, its secrets by reference only.

Paths are relative to the file. The core checks what it knows of a connection; the rest belongs to
the connector and is checked by the connector's own model when it is first needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_sync.errors import ConfigError, NotFound
from crm_sync.model import Mode
from crm_sync.references import resolve
from crm_sync.yamlfile import KeyPath, YamlFile, did_you_mean, load_yaml, together, validate

if TYPE_CHECKING:
    from crm_sync.connector import ConnectorConfig
    from crm_sync.enrichment.config import SourceConfig, SourcePlace

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


class Matching(_Settings):
    """What compares the contacts for whom no key stands; everything else is DuckDB's."""

    engine: Literal["duckdb", "spark"] = "duckdb"
    spark_master: Annotated[str, Field(min_length=1)] = "local[*]"
    spark_memory_mb: Annotated[int, Field(ge=512)] = 2_048
    spark_folder: Path | None = None


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


class _File(_Settings):
    database: str = "sqlite:///crm-sync.db"
    connections: dict[str, dict[str, Any]]
    enrichment: dict[str, dict[str, Any]] = Field(default_factory=dict)
    matching: Matching = Matching()

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
        resolved = resolve(self.raw, secret_names(model), self.file, at)
        self._refuse_unknown(model)
        return validate(model, self.file, resolved, at)

    def _refuse_unknown(self, model: type[ConnectorConfig]) -> None:
        """Here, where the keys of the core and those of the connector are known."""
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
class SourceSettings:
    """A configured enrichment source: its kind, and its settings as written in the file."""

    name: str
    kind: str
    raw: dict[str, Any] = field(repr=False)
    file: YamlFile = field(repr=False)

    @property
    def place(self) -> SourcePlace:
        """Where the entry stands: paths start and errors point there."""
        from crm_sync.enrichment.config import SourcePlace

        return SourcePlace(self.file, ("enrichment", self.name))

    def resolved(self, model: type[SourceConfig]) -> SourceConfig:
        """The settings as their kind knows them, with secrets resolved.

        Raises `ConfigError` for unknown keys, literal secrets, and references that lead nowhere.
        """
        from crm_sync.yamlproblems import secret_names

        at = ("enrichment", self.name)
        return validate(model, self.file, resolve(self.raw, secret_names(model), self.file, at), at)


@dataclass(frozen=True)
class Config:
    """The whole configuration."""

    file: YamlFile
    database: str
    connections: dict[str, Connection]
    sources: dict[str, SourceSettings]
    matching: Matching = field(default_factory=Matching)

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
    sources: dict[str, SourceSettings] = {}
    for name, section in model.enrichment.items():
        try:
            sources[name] = _source(name, section, file)
        except ConfigError as problem:
            problems.append(problem)
    for name, section in model.connections.items():
        try:
            connections[name] = _connection(name, section, file)
        except ConfigError as problem:
            problems.append(problem)
        else:
            problems += _unknown_sources(connections[name], list(model.enrichment))
    if problems:
        raise together(problems)
    return Config(file, model.database, connections, sources, model.matching)


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


def _source(name: str, section: dict[str, Any], file: YamlFile) -> SourceSettings:
    """The entry, so far as every kind of source has it; the rest is checked when it is opened."""
    at: KeyPath = ("enrichment", name)
    if "source" not in section:
        known = "`file`, `people_data_labs`, `http`, or that of a plug-in"
        raise file.error(f"`enrichment.{name}.source` is missing", at, f"Say its kind: {known}.")
    kind = section["source"]
    if not isinstance(kind, str):
        raise file.error(f"`enrichment.{name}.source` should be a name", (*at, "source"))
    return SourceSettings(name, kind, section, file)


def _unknown_sources(connection: Connection, sources: list[str]) -> Iterator[ConfigError]:
    for index, source in enumerate(connection.settings.enrichment):
        if source not in sources:
            guess = did_you_mean(source, sources)
            fix = f"Did you mean `{guess}`?" if guess else "Add it under `enrichment:`."
            at = ("connections", connection.name, "enrichment", index)
            yield connection.file.error(f"there is no enrichment source `{source}`", at, fix)
