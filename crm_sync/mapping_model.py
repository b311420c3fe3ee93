"""What a mapping file may hold: our names for what a CRM keeps, and the shape of its sections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from crm_sync.model import Entity, Policy, Scalar

READABLE: dict[Entity, tuple[str, ...]] = {
    Entity.CONTACT: (
        "first_name", "last_name", "name", "title", "organisation", "email", "personal_email",
        "phone", "mobile", "linkedin_url", "city", "country", "language", "account_id", "owner_id",
        "last_activity", "created_at", "modified_at",
    ),
    Entity.ACCOUNT: ("name", "website", "owner_id"),
    Entity.COLLEAGUE: ("name", "email", "active", "language"),
}  # fmt: skip
"""What we can read of each entity, by our names."""

WRITABLE: dict[Entity, tuple[str, ...]] = {
    Entity.CONTACT: (
        "title", "moved", "job_change", "moved_on", "previous_organisation", "new_organisation",
        "new_title", "last_verified", "evidence",
    ),
    Entity.TASK: (
        "key", "subject", "body", "due_on", "owner_id", "contact_id", "account_id", "status",
        "priority",
    ),
}  # fmt: skip
"""What we can write of each entity, by our names."""


class Kind(StrEnum):
    """What a value that we write is, in words."""

    TEXT = "a text"
    WORD = "a word of ours"
    FLAG = "a flag"
    DATE = "a date"
    ID = "the id of a record"


WRITTEN: Mapping[Entity, Mapping[str, Kind]] = {
    Entity.CONTACT: {
        "title": Kind.TEXT, "moved": Kind.FLAG, "job_change": Kind.WORD, "moved_on": Kind.DATE,
        "previous_organisation": Kind.TEXT, "new_organisation": Kind.TEXT, "new_title": Kind.TEXT,
        "last_verified": Kind.DATE, "evidence": Kind.TEXT,
    },
    Entity.TASK: {
        "key": Kind.TEXT, "subject": Kind.TEXT, "body": Kind.TEXT, "due_on": Kind.DATE,
        "owner_id": Kind.ID, "contact_id": Kind.ID, "account_id": Kind.ID,
    },
}  # fmt: skip
"""What each value is that we write; the others are constants."""

LEADS_TO: Mapping[str, Entity] = {
    "contact_id": Entity.CONTACT, "account_id": Entity.ACCOUNT, "owner_id": Entity.COLLEAGUE,
}  # fmt: skip
"""Whose id each of our ids is."""

LINKED: Mapping[str, Entity] = {"contact_id": Entity.CONTACT, "account_id": Entity.ACCOUNT}
"""What a task can be linked to, by our names: where the CRM keeps that as a relation of its own."""


def _crm_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*", value):
        raise ValueError("the CRM's names are made of letters, digits, `_` and `.`")
    return value


CrmName = Annotated[str, AfterValidator(_crm_name)]


class JobChangeAction(StrEnum):
    """What to do about a job change. `flag_and_task` keeps the old record's title and account."""

    UPDATE_TITLE = "update_title"
    FLAG_AND_TASK = "flag_and_task"
    NOTHING = "nothing"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WriteField(_Section):
    """One writable CRM field: its name, its policy, and how our values are spelt there.

    `values` translates ours into the CRM's (`retitled: Retitled`); `constant` is written as it is
    whenever the record is.
    """

    field: CrmName
    policy: Policy = Policy.OVERWRITE
    values: dict[str, str] | None = None
    constant: str | int | float | bool | None = None

    @property
    def is_relation(self) -> bool:
        """Whether it is no field of the record, but a link to another (`associations.contacts`)."""
        return "." in self.field

    def spell(self, value: Scalar) -> Scalar:
        """Our value as the CRM spells it."""
        if self.values is not None and isinstance(value, str):
            return self.values.get(value, value)
        return value


class ReadSection(_Section):
    """An entity that is only read."""

    object: CrmName
    where: str = ""
    read: dict[str, CrmName]


class ContactSection(ReadSection):
    """Contacts: read, compared and written back."""

    write: dict[str, WriteField] = Field(default_factory=dict)


class TaskSection(_Section):
    """Follow-up tasks: only ever created."""

    object: CrmName
    write: dict[str, WriteField]

    @model_validator(mode="after")
    def _whole(self) -> TaskSection:
        for name in ("subject", "contact_id"):
            if name not in self.write:
                raise ValueError(f"a task needs `{name}` under write")
        return self


class JobChangeActions(_Section):
    """One action per kind of job change."""

    retitled: JobChangeAction = JobChangeAction.UPDATE_TITLE
    moved: JobChangeAction = JobChangeAction.FLAG_AND_TASK
    left: JobChangeAction = JobChangeAction.FLAG_AND_TASK

    @property
    def reported(self) -> tuple[str, ...]:
        """The kinds about which anything is written."""
        kinds = {"retitled": self.retitled, "moved": self.moved, "left": self.left}
        return tuple(kind for kind, do in kinds.items() if do is not JobChangeAction.NOTHING)


class MappingModel(_Section):
    """The whole file."""

    contact: ContactSection
    account: ReadSection | None = None
    colleague: ReadSection | None = None
    task: TaskSection | None = None
    job_changes: JobChangeActions = JobChangeActions()
