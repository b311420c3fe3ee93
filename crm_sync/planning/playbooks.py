"""Playbooks: which job change makes which task, as the analyst's YAML says.

Rules are tried in order; the first whose `when` holds makes the one task of a job change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crm_sync.model import Band, JobChange, JobChangeKind
from crm_sync.planning.wording import Language
from crm_sync.yamlfile import YamlFile, load_yaml, validate

if TYPE_CHECKING:
    from crm_sync.planning.templates import Template

LANGUAGES: tuple[Language, ...] = ("en", "fr")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class When(_Section):
    """The conditions of a rule; those left out always hold, those given must all hold."""

    kind: list[Literal["retitled", "moved", "left"]] | None = None
    band: list[Literal["auto", "review"]] | None = None
    confidence_at_least: Annotated[float, Field(ge=0, le=1)] | None = None

    _lists = field_validator("kind", "band", mode="before")(_as_list)

    def holds(self, facts: RuleFacts) -> bool:
        """Whether every condition that is given holds."""
        return all(condition(wanted, facts) for condition, wanted in self._given)

    @cached_property
    def _given(self) -> tuple[tuple[Callable[[Any, RuleFacts], bool], Any], ...]:
        return tuple(
            (CONDITIONS[name], wanted)
            for name in type(self).model_fields
            if (wanted := getattr(self, name)) is not None
        )


class Texts(_Section):
    """One text per language; the other one stands in for a missing one."""

    en: str | None = None
    fr: str | None = None

    @model_validator(mode="after")
    def _any(self) -> Texts:
        if not (self.en or self.fr):
            raise ValueError("write the text in `en:` or `fr:`, or in both")
        return self

    def languages(self) -> dict[Language, str]:
        """The texts that are there."""
        texts: dict[Language, str | None] = {"en": self.en, "fr": self.fr}
        return {language: text for language, text in texts.items() if text}


class TaskModel(_Section):
    """The task that a rule makes."""

    due_in_working_days: Annotated[int, Field(ge=0, le=90)] = 3
    owner: Literal["contact_owner", "account_owner"] = "contact_owner"
    subject: Texts
    body: Texts


class RuleModel(_Section):
    """One rule of the file."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    when: When = When()
    task: TaskModel


class PlaybookModel(_Section):
    """The whole file."""

    rules: list[RuleModel]


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """All that the conditions of a rule may look at."""

    job_change: JobChange


CONDITIONS: Mapping[str, Callable[[Any, RuleFacts], bool]] = {
    "kind": lambda wanted, facts: facts.job_change.kind in wanted,
    "band": lambda wanted, facts: facts.job_change.band in wanted,
    "confidence_at_least": lambda wanted, facts: facts.job_change.confidence >= wanted,
}
"""One predicate per key of `When`: a new condition is a field there and an entry here."""


@dataclass(frozen=True)
class Rule:
    """A checked rule with its templates by language."""

    name: str
    when: When
    due_in_working_days: int
    owner: Literal["contact_owner", "account_owner"]
    subject: Mapping[Language, Template]
    body: Mapping[Language, Template]


@dataclass(frozen=True)
class Playbooks:
    """Checked rules, in order; without rules no tasks are made."""

    rules: tuple[Rule, ...] = ()

    def rule_for(self, facts: RuleFacts) -> Rule | None:
        """The first rule that fits, or None."""
        return next((rule for rule in self.rules if rule.when.holds(facts)), None)


def pick(texts: Mapping[Language, Template], language: Language) -> Template:
    """The template in that language, else in the other one."""
    return texts[language] if language in texts else next(iter(texts.values()))


def load_playbooks(path: Path) -> Playbooks:
    """Read and check a playbook file.

    Raises `ConfigError` with file, line and column for unknown keys, bad values, and templates
    that cannot be parsed, name something unknown, or would make an empty subject.
    """
    file = load_yaml(path)
    model = validate(PlaybookModel, file)
    _refuse_twins(model, file)
    return Playbooks(tuple(_rule(rule, index, file) for index, rule in enumerate(model.rules)))


def _refuse_twins(model: PlaybookModel, file: YamlFile) -> None:
    first: dict[str, int] = {}
    for index, rule in enumerate(model.rules):
        if rule.name in first:
            raise file.error(
                f"two rules are called `{rule.name}`",
                ("rules", index, "name"),
                f"Rename one; the other is rule {first[rule.name] + 1}.",
            )
        first[rule.name] = index


def _rule(model: RuleModel, index: int, file: YamlFile) -> Rule:
    subject, body = (_templates(model, part, index, file) for part in ("subject", "body"))
    return Rule(
        name=model.name,
        when=model.when,
        due_in_working_days=model.task.due_in_working_days,
        owner=model.task.owner,
        subject=subject,
        body=body,
    )


def _templates(
    rule: RuleModel, part: str, index: int, file: YamlFile
) -> Mapping[Language, Template]:
    from crm_sync.planning.letters import samples
    from crm_sync.planning.templates import compile_template

    texts: Texts = getattr(rule.task, part)
    made: dict[Language, Template] = {}
    kinds: list[str] = [*(rule.when.kind or (kind for kind in JobChangeKind if kind.is_change))]
    bands: list[str] = [*(rule.when.band or (Band.AUTO, Band.REVIEW))]
    for language, text in texts.languages().items():
        at = ("rules", index, "task", part, language)
        made[language] = compile_template(text, language, file, at)
        for sample in samples(kinds, bands):
            if not made[language].render(sample).strip() and part == "subject":
                raise file.error(
                    "the subject comes out empty for some contacts",
                    at,
                    "Leave some words outside `{% if … %}`.",
                )
    return made
