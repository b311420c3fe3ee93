"""The frozen values of crm-sync's vocabulary; see `docs/glossary.md`.

Times are aware UTC datetimes, dates are calendar dates, confidences are probabilities in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

from crm_sync.canonical import Scalar as Scalar  # noqa: PLC0414 - they were always to be had here
from crm_sync.canonical import canonical_json as canonical_json  # noqa: PLC0414 - they were always to be had here
from crm_sync.canonical import stable_key as stable_key  # noqa: PLC0414 - they were always to be had here
from crm_sync.later import FromText

EDITION = 2
"""Of the hash of plans."""

DUE = "due_on"
"""Our name for the field of a task that holds its due date."""


class Entity(StrEnum):
    """What a CRM keeps, by our name for it."""

    CONTACT = "contact"
    ACCOUNT = "account"
    COLLEAGUE = "colleague"
    DEAL = "deal"
    INTERACTION = "interaction"
    TASK = "task"


class Operation(StrEnum):
    """What a write does. `delete` exists for undo alone, `link` for what follows a task."""

    CREATE = "create"
    UPDATE = "update"
    LINK = "link"
    DELETE = "delete"


class JobChangeKind(StrEnum):
    """The verdict on one contact's employment."""

    RETITLED = "retitled"
    MOVED = "moved"
    LEFT = "left"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"

    @property
    def is_change(self) -> bool:
        """True for the three kinds that say something happened."""
        return self in (JobChangeKind.RETITLED, JobChangeKind.MOVED, JobChangeKind.LEFT)


class Band(StrEnum):
    """What may be done with a match or a job change: by itself, after review, or nothing."""

    AUTO = "auto"
    REVIEW = "review"
    IGNORED = "ignored"


class Policy(StrEnum):
    """What may be written to one CRM field; ordered from lenient to strict."""

    OVERWRITE = "overwrite"
    FILL_BLANK = "fill_blank"
    REVIEW = "review"
    NEVER = "never"


class Mode(StrEnum):
    """How much a connection may do by itself."""

    SHADOW = "shadow"
    REVIEW = "review"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Record:
    """A row as the CRM gave it, under the CRM's own field names."""

    entity: Entity
    id: str
    fields: Mapping[str, Scalar]
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a verdict: which rule, what it saw, from which source, as of when.

    `weight` says in bits how far it speaks for (or, below zero, against) the contact and the
    profile being one person; None where it is about something else.
    """

    rule: str
    detail: str
    source: str = ""
    as_of: date | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A title at an organisation; either may be unknown (empty)."""

    title: str = ""
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class JobChange:
    """The verdict on one contact, with a confidence of its own and its evidence.

    `before` is what the CRM says, `after` what the source says; `since` is when the new
    employment began (for `left`: when the old one ended); `as_of` is the date of the claim.
    `confidence` is the product of `match_confidence` (the profile is this person's) and
    `change_confidence` (the employment changed). `rule` names how the person was identified,
    `direction` (promoted, lateral, demoted or empty) where the new title stands to the old one.
    """

    contact_id: str
    kind: JobChangeKind
    confidence: float
    band: Band
    before: Position
    after: Position
    since: date | None = None
    as_of: date | None = None
    source: str = ""
    profile_id: str = ""
    evidence: Sequence[Evidence] = ()
    rule: str = ""
    direction: str = ""
    match_confidence: float = 0.0
    change_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one record: `before` is the value that `after` replaces.

    `name` is ours (`new_title`), `crm_field` the CRM's. An update whose live value is no longer
    `before` is drift and is not written.
    """

    name: str
    crm_field: str
    before: Scalar
    after: Scalar


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a CRM field said when it was first seen, or when our write there was last verified.

    `edited_at` is since when the live value is another one (`live`): a person, or another system,
    edited the field, and we keep off it. None while nobody did.
    """

    value: Scalar
    basis: str
    at: datetime
    edited_at: datetime | None = None
    live: Scalar = None


class Disposition(StrEnum):
    """Whether a change may be applied without a person."""

    AUTO = "auto"
    REVIEW = "review"


class Decision(StrEnum):
    """What a person said about a change."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Change:
    """One write to one record, or one task, with everything that justifies and undoes it.

    `key` is stable: the same claim about the same record has the same key in every plan and on
    every machine, and is carried out once. `requires` is the key of a change that must have been
    applied first (a task waits for the flag that it talks about; a link belongs to the task that it
    requires, and follows it in everything). `held_by` says in words why a
    person has to look, when `disposition` is review. `watched` are fields of the record that are
    not written, but that the change was judged by (its title, its account): where one of them is
    no longer `before` when the change is applied, that is drift too. `source`, `identified_by` and
    `band` are those of the job change behind it: what a person's decision is counted for.
    """

    key: str
    operation: Operation
    entity: Entity
    record_id: str
    contact_id: str
    kind: JobChangeKind
    fields: Sequence[FieldChange]
    disposition: Disposition
    reason: str
    confidence: float
    evidence: Sequence[Evidence] = ()
    requires: str = ""
    held_by: str = ""
    owner_id: str = ""
    rule: str = ""
    watched: Sequence[FieldChange] = ()
    source: str = ""
    identified_by: str = ""
    band: str = ""

    @property
    def short_id(self) -> str:
        """The first ten characters of the key: what people type."""
        return self.key[:10]


@dataclass(frozen=True, slots=True)
class GuardResult:
    """One guard's finding over a plan; a tripped guard stops `apply` before the first write."""

    name: str
    tripped: bool
    measured: float
    limit: float
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Plan:
    """What would be written and why; frozen, hashed, expiring.

    `undo_of` names the run that an inverse plan takes back. `funnel` counts what each stage let
    through, by stage name. `terms` is the fingerprint of what the mapping allowed to be written;
    a plan made under other terms is stale. `changes` holds each task's links right after it.
    `edition` says how `hash` is made: 1 for plans of earlier versions.
    """

    id: int
    connection: str
    created_at: datetime
    expires_at: datetime
    mode: Mode
    changes: Sequence[Change]
    guards: tuple[GuardResult, ...] = ()
    funnel: Mapping[str, int] = field(default_factory=dict)
    undo_of: int | None = None
    terms: str = ""
    edition: int = EDITION

    @cached_property
    def proposed(self) -> tuple[Change, ...]:
        """The changes that people see, count and decide about: all but the links of tasks."""
        return tuple(one for one in self.changes if one.operation is not Operation.LINK)

    @cached_property
    def links(self) -> Mapping[str, tuple[Change, ...]]:
        """The links of each task, by the task's key."""
        found: dict[str, tuple[Change, ...]] = {}
        for one in self.changes:
            if one.operation is Operation.LINK:
                found[one.requires] = (*found.get(one.requires, ()), one)
        return found

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that an approval is given for."""
        from crm_sync.sealed import hash_of

        return hash_of(self)


def plain(value: Any) -> Any:
    """A value of this module as dicts, lists and scalars, for JSON.

    As `dataclasses.asdict`, without its deep copies.
    """
    if isinstance(value, tuple | list | FromText):
        return [plain(one) for one in value]
    kind: Any = type(value)
    names = _field_names(kind)
    return {name: plain(getattr(value, name)) for name in names} if names else value


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind)) if is_dataclass(kind) else ()
