"""`crm-sync check`: everything that must be right before the first plan, looked at in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from crm_sync.config import Config, Connection, load_config
from crm_sync.connector import FieldSpec, Finding, Level
from crm_sync.errors import AccessDenied, ConfigError, CrmSyncError, UsageError
from crm_sync.mapping import Mapping
from crm_sync.model import Entity
from crm_sync.stages.pull import ENTITIES
from crm_sync.store.database import Store
from crm_sync.workspace import Workspace

if TYPE_CHECKING:
    from crm_sync.calls.steady import Steady


@dataclass(frozen=True)
class CheckResult:
    """What was found for one connection, and the exit code that it comes to."""

    findings: tuple[Finding, ...]
    exit_code: int


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

    def attempt(subject: str, look: Callable[[], Iterator[Finding]]) -> None:
        try:
            for finding in look():
                findings.append(finding)
                if finding.level is Level.PROBLEM:
                    codes.append(UsageError.exit_code)
        except CrmSyncError as problem:
            where = f"{problem.place}: " if problem.place else ""
            findings.append(
                Finding(Level.PROBLEM, subject, f"{where}{problem.message}", problem.fix)
            )
            codes.append(problem.exit_code)

    attempt("mapping", lambda: _mapping_reads(workspace, connection))
    attempt("playbooks", lambda: _playbooks(connection))
    attempt("enrichment", lambda: _sources(workspace.config, connection))
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


def _sources(config: Config, connection: Connection) -> Iterator[Finding]:
    from crm_sync.stages.judge import open_sources

    for source in open_sources(config, connection):
        yield Finding(Level.OK, "enrichment", f"{source.name} is there")
    if not connection.settings.enrichment:
        yield Finding(
            Level.WARNING,
            "enrichment",
            "this connection names no source, so no job change can be seen",
            "List one under `enrichment:` of the connection.",
        )


def _crm(workspace: Workspace, connection: Connection) -> Iterator[Finding]:
    with workspace.crm(connection, despite_mapping=True) as crm:
        yield from crm.check()
        if not workspace.misplaced(connection):  # else its fields are those of other objects
            mapping = workspace.mapping(connection)
            problems = list(_fields(crm, mapping))
            yield from problems
            if not any(one.level is Level.PROBLEM for one in problems):
                yield from _first_pages(crm, mapping)


def _first_pages(crm: Steady, mapping: Mapping) -> Iterator[Finding]:
    """Ask as a plan would, filters included, and look at no more than the first answer."""
    for entity in ENTITIES:
        section = mapping.reads(entity)
        if section is None:
            continue
        try:
            page = next(
                iter(
                    crm.pull(
                        entity,
                        mapping.pulled_fields(entity),
                        cursor=None,
                        where=section.where,
                        object_name=section.object,
                    )
                ),
                None,
            )
        except UsageError as problem:
            place = mapping.file.place((entity.value, "where" if section.where else "object"))
            text = f"{place}: {problem.message}"
            yield Finding(Level.PROBLEM, f"{entity.value}s", text, problem.fix)
            continue
        count = page.total if page is not None and page.total is not None else None
        said = "can be read" if count is None else f"{count:,} can be read"
        yield Finding(Level.OK, f"{entity.value}s", said)


def _without_uniqueness(spec: FieldSpec) -> FieldSpec:
    """A task's key that is not unique is told by `_task_key`: tasks can be made without."""
    return replace(spec, unique=False) if spec.entity is Entity.TASK else spec


def _task_key(crm: Steady, mapping: Mapping, described: Sequence[FieldSpec]) -> Iterator[Finding]:
    """Whether the CRM itself keeps a task from being made twice."""
    from crm_sync.applying.work import keeps_unique

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
            "Make the field unique in the CRM, or map `key` to one that is.",
        )


def _fields(crm: Steady, mapping: Mapping) -> Iterator[Finding]:
    """What the mapping names and the CRM does not have, or does not let us write."""
    named = {
        write.field for entity in (Entity.CONTACT, Entity.TASK)
        for write in mapping.writes(entity).values()
    }  # fmt: skip
    wanted = [_without_uniqueness(spec) for spec in crm.schema if spec.name in named]
    lacking = crm.missing_schema(wanted)
    for change in lacking:
        yield Finding(
            Level.PROBLEM,
            "schema",
            f"{change.wanted.entity.value} field {change.wanted.name}: {change.reason}",
            f"{change.action}; or take its line out of the mapping.",
        )
    missing = {change.wanted.name for change in lacking}
    wrong = len(lacking)
    for entity in (Entity.CONTACT, Entity.ACCOUNT, Entity.COLLEAGUE, Entity.TASK):
        if mapping.reads(entity) is None and not mapping.writes(entity):
            continue
        described = crm.describe(entity)
        if entity is Entity.TASK:
            yield from _task_key(crm, mapping, described)
        for problem in mapping.problems(entity, described):
            if not any(f"`{name}`" in problem.message for name in missing):
                wrong += 1
                yield _as_finding(problem)
    if not wrong:
        yield Finding(Level.OK, "mapping", "the CRM has every field that it names")


def _as_finding(problem: ConfigError) -> Finding:
    text = f"{problem.place}: {problem.message}"
    return Finding(Level.PROBLEM, "mapping", text, problem.fix)
