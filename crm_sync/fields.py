"""The connector's own fields in the CRM: which are missing, and making them.

What is there is never changed and never deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crm_sync.connector import FieldSpec, Finding, SchemaChange
from crm_sync.errors import CrmSyncError, UsageError
from crm_sync.mapping import Mapping
from crm_sync.model import Entity
from crm_sync.progress import Progress, silent

if TYPE_CHECKING:
    from crm_sync.calls.steady import Steady
    from crm_sync.workspace import Workspace

PARTLY = 4
"""The exit code when some fields could not be made."""

OWNERS = (Entity.CONTACT, Entity.TASK)
"""The entities that fields are made for: those that are written."""


def wanted_fields(
    schema: Sequence[FieldSpec], mapping: Mapping, entities: Collection[Entity] = OWNERS
) -> list[FieldSpec]:
    """The fields of a connector's schema that the mapping writes."""
    return [
        spec
        for spec in schema
        if spec.entity in entities
        and any(write.field == spec.name for write in mapping.writes(spec.entity).values())
    ]


def without_uniqueness(spec: FieldSpec) -> FieldSpec:
    """A task's key as it can be done without: tasks are then made at most once."""
    return replace(spec, unique=False) if spec.entity is Entity.TASK else spec


def ways_to_make(crm: Steady, connection: str, entity: Entity) -> dict[str, str]:
    """How each of our own fields of an entity is made, by its name in lower case."""
    way = f"crm-sync setup {connection} --apply makes it."
    if not crm.creates_schema:
        way = f"crm-sync setup {connection} shows what it has to be; make it in the CRM."
    return {spec.name.casefold(): way for spec in crm.schema if spec.entity is entity}


@dataclass(frozen=True, slots=True)
class FieldsReport:
    """What was missing, what became of it, and what is missing still.

    `told` is a finding for each field that was to be made. `loose` are fields that are there and
    not unique as they should be. `asked` says that fields were to be made, `applied` that making
    them was tried, `problem` what ended it early. `language` is that of the labels.
    """

    connection: str
    creates: bool
    missing: tuple[SchemaChange, ...]
    asked: bool = False
    applied: bool = False
    told: tuple[Finding, ...] = ()
    still_missing: tuple[SchemaChange, ...] = ()
    loose: tuple[SchemaChange, ...] = ()
    problem: CrmSyncError | None = None
    language: str = "en"

    @property
    def exit_code(self) -> int:
        """0 when nothing is missing any more, or nothing was asked to be made."""
        if self.problem is not None:
            return self.problem.exit_code
        if not self.asked or not self.still_missing:
            return 0
        return PARTLY if self.creates else UsageError.exit_code


def set_up(
    workspace: Workspace,
    name: str | None,
    *,
    apply: bool,
    language: str | None = None,
    progress: Progress = silent,
) -> FieldsReport:
    """Look for the fields that the mapping writes; with `apply`, make those that are missing.

    `language` (`en`, `fr`) is that of their labels, by default the connection's. Errors before the
    first field is made are raised; a later one is in the report.
    """
    connection = workspace.config.connection(name)
    chosen = language or connection.settings.language
    with workspace.crm(connection) as crm:
        wanted = wanted_fields(crm.schema, workspace.mapping(connection))
        missing, loose = _lacking(crm, wanted)
        report = FieldsReport(
            connection.name, crm.creates_schema, missing, apply, loose=loose, language=chosen
        )
        if not apply or not missing or not crm.creates_schema:
            return replace(report, still_missing=missing)
        told, problem = _make(crm, missing, chosen, progress)
        if problem is not None and not told:
            raise problem
        still, loose = _lacking(crm, wanted)
    return replace(
        report, applied=True, told=told, still_missing=still, loose=loose, problem=problem
    )


def _lacking(
    crm: Steady, wanted: Sequence[FieldSpec]
) -> tuple[tuple[SchemaChange, ...], tuple[SchemaChange, ...]]:
    """What is not there or not fit, and what is there and merely not unique."""
    strict = crm.missing_schema(wanted)
    needed = crm.missing_schema([without_uniqueness(spec) for spec in wanted]) if strict else ()
    names = {(one.wanted.entity, one.wanted.name) for one in needed}
    fits = [(one.wanted.entity, one.wanted.name) in names for one in strict]
    return (
        tuple(one for one, lacks in zip(strict, fits, strict=True) if lacks),
        tuple(one for one, lacks in zip(strict, fits, strict=True) if not lacks),
    )


def _make(
    crm: Steady, missing: Sequence[SchemaChange], language: str, progress: Progress
) -> tuple[tuple[Finding, ...], CrmSyncError | None]:
    told: list[Finding] = []
    for done, change in enumerate(missing):
        progress("Making fields", done, len(missing))
        try:
            told += crm.create_schema([change], language=language)
        except CrmSyncError as problem:
            return tuple(told), problem
    return tuple(told), None
