"""`crm-sync check`: everything that must be right before the first plan, looked at in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crm_sync.config import Config, Connection, load_config
from crm_sync.connector import FieldSpec, Finding, Level, Page, SchemaChange
from crm_sync.errors import AccessDenied, ConfigError, CrmSyncError, ScopeMissing, UsageError
from crm_sync.fields import wanted_fields, ways_to_make, without_uniqueness
from crm_sync.mapping import Mapping, ReadSection
from crm_sync.model import Entity
from crm_sync.stages.fitting import MAPPED
from crm_sync.stages.pull import ENTITIES, MAY_BE_CLOSED
from crm_sync.store.database import Store
from crm_sync.workspace import Workspace

if TYPE_CHECKING:
    from crm_sync.calls.steady import Steady


@dataclass(frozen=True)
class CheckResult:
    """What was found for one connection, and the exit code that it comes to."""

    findings: tuple[Finding, ...]
    exit_code: int


@dataclass(frozen=True)
class _Closed:
    """An object without which no run is possible, and that these credentials may not use."""

    entity: Entity
    error: ScopeMissing


_Seen = Finding | _Closed


def check_all(path: Path, name: str | None) -> dict[str, CheckResult]:
    """Check one connection, or all.

    Raises `ConfigError` when the configuration itself cannot be read; everything else is a finding.
    """
    config = load_config(path)
    chosen = [config.connection(name)] if name else list(config.connections.values())
    store = Store.open(config.database_path)
    try:
        workspace = Workspace(config, store)
        return {one.name: _check(workspace, one) for one in chosen}
    finally:
        store.close()


def _check(workspace: Workspace, connection: Connection) -> CheckResult:
    findings: list[Finding] = [Finding(Level.OK, "configuration", "can be read")]
    codes: list[int] = [0]

    def tell(subject: str, problem: CrmSyncError) -> None:
        where = f"{problem.place}: " if problem.place else ""
        findings.append(Finding(Level.PROBLEM, subject, f"{where}{problem.message}", problem.fix))
        codes.append(problem.exit_code)

    def attempt(subject: str, look: Callable[[], Iterator[_Seen]]) -> None:
        try:
            for seen in look():
                if isinstance(seen, _Closed):
                    tell(f"{seen.entity.value}s", seen.error)
                    continue
                findings.append(seen)
                if seen.level is Level.PROBLEM:
                    codes.append((AccessDenied if seen.denied else UsageError).exit_code)
        except CrmSyncError as problem:
            tell(subject, problem)

    attempt("mapping", lambda: _mapping_reads(workspace, connection))
    attempt("playbooks", lambda: _playbooks(connection))
    for name in connection.settings.enrichment:
        attempt("enrichment", partial(_source, workspace.config, name))
    attempt("enrichment", lambda: _no_source(connection))
    attempt("matching", lambda: _matching(workspace.config))
    attempt("CRM", lambda: _crm(workspace, connection))
    # Credentials are the first thing to mend: nothing else can be seen without them.
    code = AccessDenied.exit_code if AccessDenied.exit_code in codes else max(codes)
    return CheckResult(tuple(findings), code)


def _mapping_reads(workspace: Workspace, connection: Connection) -> Iterator[Finding]:
    mapping = workspace.mapping(connection)
    fields = len(mapping.pulled_fields(Entity.CONTACT))
    yield Finding(Level.OK, "mapping", f"{mapping.file.path.name}: {fields} contact fields")
    for problem in workspace.misplaced(connection):
        yield _as_finding(problem)
    read = mapping.model.contact.read
    if mapping.model.account is None or "account_id" not in read:
        known = "a contact's employer is known by its own text alone"
        yield Finding(
            Level.WARNING,
            "mapping",
            "does not read the companies of contacts: "
            + (known if "organisation" in read else "no move can be told"),
            "Read `account_id` of contacts, and have an `account:` section: `crm-sync init` in an "
            "empty folder writes an example.",
        )
    if mapping.model.task is None:
        yield Finding(
            Level.WARNING,
            "mapping",
            "has no `task:` section, so no follow-up task will be made",
            "Add one; `crm-sync init` in an empty folder writes an example.",
        )


def _playbooks(connection: Connection) -> Iterator[Finding]:
    from crm_sync.stages.draft import load_playbooks_of

    load_playbooks_of(connection)
    yield Finding(Level.OK, "playbooks", "can be read")


def _source(config: Config, name: str) -> Iterator[Finding]:
    from crm_sync.stages.judge import open_sources

    with open_sources(config, [name]) as [source]:
        yield Finding(Level.OK, "enrichment", f"{name} {source.inspect() or 'is there'}")


def _matching(config: Config) -> Iterator[Finding]:
    from crm_sync.stages.judge import match_settings

    settings = match_settings(config)
    if settings.spark is not None:
        yield Finding(Level.OK, "matching", f"Spark is there; its master: {settings.spark.master}")


def _no_source(connection: Connection) -> Iterator[Finding]:
    if not connection.settings.enrichment:
        yield Finding(
            Level.WARNING,
            "enrichment",
            "this connection names no source, so no job change can be seen",
            "List one under `enrichment:` of the connection.",
        )


def _crm(workspace: Workspace, connection: Connection) -> Iterator[_Seen]:
    with workspace.crm(connection, despite_mapping=True) as crm:
        told = tuple(crm.check())
        yield from told
        if workspace.misplaced(connection):  # then its fields are those of other objects
            return
        mapping = workspace.mapping(connection)
        look = _Look(crm, mapping, connection.name, told)
        sound = True
        for seen in (*_links(look), *_fields(look)):
            sound = sound and not (isinstance(seen, Finding) and seen.level is Level.PROBLEM)
            yield seen
        if sound:
            yield from _first_pages(look)


@dataclass(frozen=True)
class _Look:
    """One connection's CRM, looked at through its mapping; `closed` grows as it is looked at.

    `told` is what the connector's own check found.
    """

    crm: Steady
    mapping: Mapping
    connection: str
    told: tuple[Finding, ...] = ()
    closed: set[Entity] = field(default_factory=set)

    def refused(self, entity: Entity, error: ScopeMissing) -> Iterator[_Seen]:
        """What a missing permission for one object means; told once for each."""
        if entity in self.closed:
            return
        self.closed.add(entity)
        if self._told(error):
            return
        if entity not in MAY_BE_CLOSED:
            yield _Closed(entity, error)
            return
        lost = {
            Entity.ACCOUNT: "the employers of contacts are unknown",
            Entity.COLLEAGUE: "every task waits for a person",
        }
        text = f"{error.message}; a run goes on, but {lost[entity]}"
        yield Finding(Level.WARNING, f"{entity.value}s", text, error.fix)

    def _told(self, error: ScopeMissing) -> bool:
        """Whether the connector's own check has named these permissions, or said the same."""
        return any(
            error.message in one.message
            or (error.scopes and all(scope in one.message for scope in error.scopes))
            for one in self.told
            if one.denied
        )

    def can_be_read(self, object_name: str) -> bool:
        """Whether the connector's own check has said so of this object."""
        name = object_name.casefold()
        return any(one.level is Level.OK and one.subject.casefold() == name for one in self.told)


def _links(look: _Look) -> Iterator[_Seen]:
    for problem in look.mapping.link_problems(look.crm.capabilities.operations):
        yield _as_finding(problem)


def _first_pages(look: _Look) -> Iterator[_Seen]:
    """Ask as a plan would, filters included, and look at no more than the first answer."""
    for entity in ENTITIES:
        section = look.mapping.reads(entity)
        if section is None or entity in look.closed:
            continue
        try:
            page = _first_page(look, entity, section)
        except ConfigError as problem:
            told = look.mapping.refused(entity, problem)
            text = f"{told.place}: {told.message}"
            yield Finding(Level.PROBLEM, f"{entity.value}s", text, told.fix)
            continue
        except ScopeMissing as problem:
            yield from look.refused(entity, problem)
            continue
        count = page.total if page is not None else None
        if count is None and look.can_be_read(section.object):
            continue
        said = "can be read" if count is None else f"{count:,} can be read"
        yield Finding(Level.OK, f"{entity.value}s", said)


def _first_page(look: _Look, entity: Entity, section: ReadSection) -> Page | None:
    pages = look.crm.pull(
        entity,
        look.mapping.pulled_fields(entity),
        cursor=None,
        where=section.where,
        object_name=section.object,
    )
    return next(iter(pages), None)


def _task_key(look: _Look, described: Sequence[FieldSpec]) -> Iterator[Finding]:
    """Whether the CRM itself keeps a task from being made twice."""
    from crm_sync.applying.work import keeps_unique

    crm, mapping = look.crm, look.mapping
    key = mapping.writes(Entity.TASK).get("key")
    names = {spec.name.casefold() for spec in described}
    if not crm.capabilities.unique_task_key:
        yield Finding(
            Level.WARNING,
            "tasks",
            "this CRM keeps no key of a task unique: tasks are then created at most once",
            "Nothing can be done; a lost answer is named in the report of the run.",
        )
    elif key is None:
        place = mapping.file.place((Entity.TASK.value, "write"))
        yield Finding(
            Level.WARNING,
            "tasks",
            f"{place}: `key` is not mapped: tasks are then created at most once",
            "Map it to a text field that the CRM keeps unique.",
        )
    elif key.field.casefold() in names and not keeps_unique(described, key.field):
        place = mapping.file.place((Entity.TASK.value, "write", "key"))
        yield Finding(
            Level.WARNING,
            "tasks",
            f"{place}: the CRM does not keep `{key.field}` unique: tasks are then created at most "
            "once",
            _how_to_be_unique(look),
        )


def _how_to_be_unique(look: _Look) -> str:
    if look.crm.creates_schema:
        return (
            "Nothing has to be done: an answer that is lost is named in the report of the run. "
            "Where the CRM can keep a task's field unique, map `key` to one that is."
        )
    return "Make the field unique in the CRM, or map `key` to one that is."


def _fields(look: _Look) -> Iterator[_Seen]:
    """What the mapping names and the CRM does not have, or does not let us write."""
    missing: set[str] = set()
    wrong = 0
    for entity in MAPPED:
        if look.mapping.reads(entity) is None and not look.mapping.writes(entity):
            continue
        try:
            # That a task's key is not unique is told by `_task_key`: it can be done without.
            wanted = wanted_fields(look.crm.schema, look.mapping, [entity])
            for change in look.crm.missing_schema([without_uniqueness(one) for one in wanted]):
                wrong += 1
                missing.add(change.wanted.name)
                yield _lacking(look, change)
            described = look.crm.describe(entity)
        except ScopeMissing as problem:
            wrong += 1
            yield from look.refused(entity, problem)
            continue
        if entity is Entity.TASK:
            yield from _task_key(look, described)
        ways = ways_to_make(look.crm, look.connection, entity)
        for error in look.mapping.problems(entity, described, ways):
            if not any(f"`{name}`" in error.message for name in missing):
                wrong += 1
                yield _as_finding(error)
    if not wrong:
        yield Finding(Level.OK, "mapping", "the CRM has every field that it names")


def _lacking(look: _Look, change: SchemaChange) -> Finding:
    wanted = change.wanted
    text = f"{wanted.entity.value} field {wanted.name}: {change.reason}"
    fix = f"{change.action} in the CRM; or take its line out of the mapping."
    if look.crm.creates_schema and not change.by_hand:
        fix = f"crm-sync setup {look.connection} --apply makes it."
    return Finding(Level.PROBLEM, "schema", text, fix)


def _as_finding(problem: ConfigError) -> Finding:
    text = f"{problem.place}: {problem.message}"
    return Finding(Level.PROBLEM, "mapping", text, problem.fix)
