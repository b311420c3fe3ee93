"""Whether a mapping fits what a CRM says of its fields: they are there, and hold what is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_sync.connector import FieldSpec, FieldType
from crm_sync.errors import ConfigError
from crm_sync.mapping_model import LEADS_TO, WRITTEN, Kind, WriteField
from crm_sync.model import Entity
from crm_sync.yamlfile import KeyPath, YamlFile, did_you_mean

if TYPE_CHECKING:
    from crm_sync.mapping_model import MappingModel

_TEXTS = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.PICKLIST})
_TAKES: Mapping[Kind, frozenset[FieldType]] = {
    Kind.TEXT: _TEXTS,
    Kind.WORD: _TEXTS,
    Kind.FLAG: frozenset({FieldType.CHECKBOX}),
    Kind.DATE: frozenset({FieldType.DATE, FieldType.DATETIME}),
    Kind.ID: frozenset({FieldType.REFERENCE, FieldType.TEXT, FieldType.NUMBER, FieldType.PICKLIST}),
}
"""The types of field that can hold each kind of value; what a connector cannot name takes all."""

_FIT: Mapping[Kind, str] = {
    Kind.TEXT: "Name a text field.",
    Kind.WORD: "Name a text field, or a list with these values.",
    Kind.FLAG: "Name a checkbox.",
    Kind.DATE: "Name a date field.",
    Kind.ID: "Name the field that holds the id.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a mapping: our name for it, the CRM's, and how it is written if it is."""

    entity: Entity
    side: str
    ours: str
    name: str
    write: WriteField | None = None

    @property
    def at(self) -> KeyPath:
        """Where it stands in the file."""
        return (self.entity.value, self.side, self.ours)


@dataclass(frozen=True, slots=True)
class Fit:
    """The lines of a mapping about one entity, held against the CRM's description of it."""

    file: YamlFile
    model: MappingModel
    known: Mapping[str, FieldSpec]
    ways: Mapping[str, str]

    @classmethod
    def of(
        cls,
        file: YamlFile,
        model: MappingModel,
        described: Sequence[FieldSpec],
        ways: Mapping[str, str] | None = None,
    ) -> Fit:
        """With the fields that the CRM describes, by name; letter case does not count.

        `ways` says how each of our own fields is made, where the CRM has not got it yet.
        """
        return cls(file, model, {spec.name.casefold(): spec for spec in described}, ways or {})

    def problems(self, lines: Iterator[Line]) -> list[ConfigError]:
        """What the CRM does not have, cannot write, or would not take; one problem a line."""
        return [problem for line in lines if (problem := self._problem(line)) is not None]

    def _problem(self, line: Line) -> ConfigError | None:
        spec = self.known.get(line.name.casefold())
        if spec is None:
            return self._absent(line)
        if line.write is not None:
            allowed = spec.createable if line.entity is Entity.TASK else spec.updateable
            if not allowed:
                text = f"this user may not write `{line.name}`"
                return self.file.error(text, line.at, "Grant edit permission, or remove it.")
        return self._misled(line, spec) or self._unfit(line, spec)

    def _absent(self, line: Line) -> ConfigError | None:
        related = any("." in name for name in self.known)
        if line.write is None and "." in line.name and not related:
            return None  # through a relation that is not described: told when it is asked for
        text = f"the CRM has no field `{line.name}`, or this user cannot see it"
        # One of ours resembles the others of ours, and is none of them.
        if way := self.ways.get(line.name.casefold()):
            return self.file.error(text, line.at, way)
        guess = did_you_mean(line.name, [found.name for found in self.known.values()])
        return self.file.error(
            text,
            line.at,
            f"Did you mean `{guess}`?"
            if guess
            else "Leave the line out, or create the field and let the integration user see it.",
        )

    def _misled(self, line: Line, spec: FieldSpec) -> ConfigError | None:
        """A field that holds ids of other records than are meant, or several where one is."""
        if not spec.targets:
            return None
        wanted = LEADS_TO.get(line.ours)
        if wanted not in spec.targets:
            held = " or ".join(f"{one.value}s" for one in spec.targets)
            meant = f"that of one of the {wanted.value}s" if wanted else "no id"
            text = f"`{line.name}` holds the ids of {held}, and `{line.ours}` is {meant}"
        elif spec.many and line.write is None:
            text = f"`{line.name}` may hold many ids, and `{line.ours}` is one"
        else:
            return None
        return self.file.error(text, line.at, self._better(line, wanted))

    def _better(self, line: Line, wanted: Entity | None) -> str:
        named = [
            spec.name
            for spec in self.known.values()
            if wanted in spec.targets
            and not (spec.many and line.write is None)
            and (line.write is None or spec.createable)
        ]
        if wanted is None or not named:
            return "Name a field of the record itself, or leave the line out."
        return f"Name {' or '.join(f'`{name}`' for name in named)}."

    def _unfit(self, line: Line, spec: FieldSpec) -> ConfigError | None:
        """A field of another kind than the value, or a list that has not got it."""
        write = line.write
        if write is None:
            return None
        kind = WRITTEN[line.entity].get(line.ours)
        if kind is not None and write.constant is None and not self._takes(kind, spec, write):
            closed = " with values of its own" if spec.type is FieldType.PICKLIST else ""
            type_ = spec.type.value.replace("_", " ")
            return self.file.error(
                f"`{line.ours}` is {kind.value}, and `{spec.name}` is of type {type_}{closed}",
                line.at,
                _FIT[kind],
            )
        return self._bad_values(line.at, spec, write, kind)

    def _takes(self, kind: Kind, spec: FieldSpec, write: WriteField) -> bool:
        if spec.type is FieldType.OTHER:
            return True
        if spec.type not in _TAKES[kind]:
            return False
        closed = spec.type is FieldType.PICKLIST and spec.restricted
        return not closed or kind is Kind.WORD or write.values is not None

    def _bad_values(
        self, at: KeyPath, spec: FieldSpec, write: WriteField, kind: Kind | None
    ) -> ConfigError | None:
        if not spec.restricted:
            return None
        spelt = [*(write.values or {}).values()]
        if write.constant is not None:
            spelt += [write.constant] if isinstance(write.constant, str) else []
        elif kind is Kind.WORD and spec.type is FieldType.PICKLIST:
            spelt += [str(write.spell(word)) for word in self.model.job_changes.reported]
        unknown = [value for value in dict.fromkeys(spelt) if value not in spec.values]
        if not unknown:
            return None
        shown = ", ".join(f"`{value}`" for value in unknown)
        return self.file.error(
            f"{shown}: not among the values of `{spec.name}`",
            at,
            f"Use one of: {', '.join(spec.values)}.",
        )
