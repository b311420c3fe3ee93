"""The CRM mapping: which CRM field is what to us, and what may be written to it.

The analyst's YAML (`mappings/salesforce.yaml`) becomes a frozen `Mapping`. Beside the connector,
this is the only place where the vendor's field names are known; everything else uses the
canonical names of `READABLE` and `WRITABLE`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Objects
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm_sync.connector import FieldSpec
from crm_sync.errors import ConfigError
from crm_sync.mapping_fit import Fit, Line
from crm_sync.mapping_model import (
    LINKED,
    READABLE,
    WRITABLE,
    ContactSection,
    JobChangeAction,
    JobChangeActions,
    MappingModel,
    ReadSection,
    TaskSection,
    WriteField,
)
from crm_sync.model import Entity, Operation, Record, Scalar, canonical_json
from crm_sync.yamlfile import YamlFile, did_you_mean, load_yaml, together, validate

__all__ = [
    "LINKED",
    "READABLE",
    "WRITABLE",
    "ContactSection",
    "JobChangeAction",
    "JobChangeActions",
    "Mapping",
    "MappingModel",
    "ReadSection",
    "TaskSection",
    "WriteField",
    "load_mapping",
]

_TERMS: dict[str, Any] = {"contact": {"write"}, "task": {"write"}, "job_changes": True}
"""The parts of a mapping that say what may be written."""


@dataclass(frozen=True)
class Mapping:
    """A checked mapping, and the file it came from (for errors that point at a line)."""

    model: MappingModel
    file: YamlFile

    def reads(self, entity: Entity) -> ReadSection | None:
        """What is read of an entity, or None when the mapping leaves it out."""
        sections: dict[Entity, ReadSection | None] = {
            Entity.CONTACT: self.model.contact,
            Entity.ACCOUNT: self.model.account,
            Entity.COLLEAGUE: self.model.colleague,
        }
        return sections.get(entity)

    def writes(self, entity: Entity) -> dict[str, WriteField]:
        """What may be written of an entity, by our names."""
        if entity is Entity.CONTACT:
            return self.model.contact.write
        if entity is Entity.TASK and self.model.task is not None:
            return self.model.task.write
        return {}

    def task_links(self) -> dict[str, WriteField]:
        """The relations of a task: made after it, each in a write of its own."""
        return {name: one for name, one in self.writes(Entity.TASK).items() if one.is_relation}

    def link_problems(self, operations: Collection[Operation]) -> list[ConfigError]:
        """Relations that a connector which only does these operations cannot make."""
        if Operation.LINK in operations:
            return []
        return [
            self.file.error(
                f"`{write.field}` is a relation, and this connector makes none",
                (Entity.TASK.value, "write", name),
                "Name the field of the task that holds the id, or remove the line.",
            )
            for name, write in self.task_links().items()
        ]

    def pulled_fields(self, entity: Entity) -> tuple[str, ...]:
        """The CRM fields that a pull asks for: all that is read, and all that may be written."""
        section = self.reads(entity)
        names = list(section.read.values()) if section else []
        if entity is Entity.CONTACT:
            names += [write.field for write in self.model.contact.write.values()]
        return tuple(dict.fromkeys(names))

    def scope(self, entity: Entity) -> str:
        """Changes when a pull would ask for something else: then it has to start anew."""
        section = self.reads(entity)
        asked = [section.object, section.where] if section else []
        text = canonical_json([asked, self.pulled_fields(entity)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def terms(self) -> str:
        """Changes when something else may be written than before: plans made earlier are stale."""
        allowed = self.model.model_dump(mode="json", include=_TERMS)
        return hashlib.sha256(canonical_json(allowed).encode()).hexdigest()[:16]

    def canonical(self, record: Record) -> dict[str, Scalar]:
        """A record under our names; what the mapping leaves out is absent."""
        return self.canonical_fields(record.entity, record.fields)

    def canonical_fields(self, entity: Entity, fields: Objects[str, Scalar]) -> dict[str, Scalar]:
        """The same of a record's fields."""
        section = self.reads(entity)
        if section is None:
            return {}
        return {ours: fields.get(theirs) for ours, theirs in section.read.items()}

    def misplaced(
        self, objects: Objects[Entity, str], better: str = "Use one for this CRM."
    ) -> list[ConfigError]:
        """Sections about another object than the one that the connector keeps the entity in.

        `objects` are the connector's. Letter case does not count, as in the CRM's own queries.
        Where not one of several sections fits, that is told once, with `better` to be done.
        """
        wrong = []
        sections = list(self._sections())
        for entity, section in sections:
            named = f"{entity.value}s"
            kept = objects.get(entity)
            if kept is None:
                wrong.append(
                    self.file.error(
                        f"this connector keeps no {named}", (entity.value,), "Remove the section."
                    )
                )
            elif section.object.casefold() != kept.casefold():
                at = (entity.value, "object")
                message = f"this connector keeps {named} in {kept}, not in {section.object}"
                wrong.append(self.file.error(message, at, f"Write `object: {kept}`."))
        if len(wrong) == len(sections) > 1:
            named = ", ".join(section.object for _, section in sections)
            text = f"this looks like a mapping for another CRM: it speaks of {named}"
            return [self.file.error(text, (sections[0][0].value, "object"), better)]
        return wrong

    def _sections(self) -> Iterator[tuple[Entity, ReadSection | TaskSection]]:
        for entity in (Entity.CONTACT, Entity.ACCOUNT, Entity.COLLEAGUE):
            if (read := self.reads(entity)) is not None:
                yield entity, read
        if self.model.task is not None:
            yield Entity.TASK, self.model.task

    def problems(
        self, entity: Entity, described: Sequence[FieldSpec], ways: Objects[str, str] | None = None
    ) -> list[ConfigError]:
        """What in the mapping the CRM does not have, cannot write, or would not take.

        `ways` says how each of our own fields is made, by its name in lower case.
        """
        return Fit.of(self.file, self.model, described, ways).problems(self._lines(entity))

    def refused(self, entity: Entity, error: ConfigError) -> ConfigError:
        """What the CRM refused of a pull, at the line of the section that asked for it."""
        if error.place:
            return error
        section = self.reads(entity)
        at = (entity.value, "where" if section and section.where else "object")
        return self.file.error(error.message, at, error.fix)

    def _lines(self, entity: Entity) -> Iterator[Line]:
        section = self.reads(entity)
        for ours, theirs in (section.read if section else {}).items():
            yield Line(entity, "read", ours, theirs)
        for ours, write in self.writes(entity).items():
            yield Line(entity, "write", ours, write.field, write)


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file; raises `ConfigError` with every mistake and its place."""
    file = load_yaml(path)
    model = validate(MappingModel, file)
    mapping = Mapping(model, file)
    entities = (Entity.CONTACT, Entity.ACCOUNT, Entity.COLLEAGUE, Entity.TASK)
    problems = [problem for entity in entities for problem in _unknown(mapping, entity)]
    problems += [problem for entity in entities for problem in _bad_relations(mapping, entity)]
    problems += [problem for entity in entities for problem in _written_twice(mapping, entity)]
    if problems:
        raise together(problems)
    return mapping


def _unknown(mapping: Mapping, entity: Entity) -> Iterator[ConfigError]:
    section = mapping.reads(entity)
    sides = (("read", section.read if section else {}, READABLE.get(entity, ())),
             ("write", mapping.writes(entity), WRITABLE.get(entity, ())))  # fmt: skip
    for side, given, known in sides:
        for name in given:
            if name not in known:
                guess = did_you_mean(name, known)
                fix = f"Did you mean `{guess}`?" if guess else f"Known: {', '.join(known)}."
                at = (entity.value, side, name)
                yield mapping.file.error(f"crm-sync knows no `{name}` to {side} here", at, fix)


def _written_twice(mapping: Mapping, entity: Entity) -> Iterator[ConfigError]:
    """Two values of ours in one field: the second would be written over the first."""
    first: dict[str, str] = {}
    for name, write in mapping.writes(entity).items():
        other = first.setdefault(write.field.casefold(), name)
        if other != name:
            yield mapping.file.error(
                f"`{write.field}` is what `{other}` is written to already",
                (entity.value, "write", name),
                "Give each line a field of its own, or remove one of them.",
            )


def _bad_relations(mapping: Mapping, entity: Entity) -> Iterator[ConfigError]:
    """Only a task is linked, only to what is in `LINKED`, and only by the other record's id."""
    for name, write in mapping.writes(entity).items():
        if not write.is_relation:
            continue
        at = (entity.value, "write", name)
        if entity is not Entity.TASK or name not in LINKED:
            yield mapping.file.error(
                f"`{write.field}` is a relation, which is written for a task's "
                f"{' and '.join(f'`{one}`' for one in LINKED)} only",
                at,
                "Name a field of the record itself.",
            )
        elif write.values is not None or write.constant is not None:
            yield mapping.file.error(
                "a relation holds the other record's id, neither `values` nor a `constant`",
                at,
                f"Leave it at `{{field: {write.field}}}`.",
            )
