"""All that a plan is made from, as one frozen value: the same inputs give the same plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from crm_sync.config import Guards
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.mapping import WriteField
from crm_sync.model import Baseline, Entity, JobChange, Mode, Scalar
from crm_sync.planning.playbooks import Playbooks
from crm_sync.planning.watched import watched_fields
from crm_sync.planning.wording import Language


@dataclass(frozen=True)
class ContactState:
    """One contact as last pulled.

    `canonical` is under our names; `live` and `baselines` are under the CRM's field names, and
    hold at least every field that the mapping may write and the CRM has.
    """

    canonical: Mapping[str, Scalar]
    live: Mapping[str, Scalar]
    baselines: Mapping[str, Baseline] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceCount:
    """How many profiles a source holds now, and held in the run before (None: no such run)."""

    profiles: int
    before: int | None = None


@dataclass(frozen=True)
class PlanInputs:
    """What a plan depends on, and nothing else.

    `now` is an aware UTC time, `timezone` an IANA name. `accounts` and `colleagues` are canonical
    values by id: those of the contacts concerned, and any account that could be a new employer.
    `settled` are keys that are done, `rejected` keys that a person refused or took back: neither
    is proposed again. `unsettled` are keys that were sent and whose outcome nobody knows.
    `merged_ids` are, by contact id, the ids of contacts that were merged into it: what is done,
    rejected or unsettled for them is so for the survivor. `tasks_today` counts, by owner id, the
    tasks made since midnight. `record_url` gives the address at which a person can see a
    record.
    """

    connection: str
    mapping: CrmMapping
    playbooks: Playbooks
    mode: Mode
    guards: Guards
    now: datetime
    job_changes: Sequence[JobChange]
    contacts: Mapping[str, ContactState]
    contacts_total: int
    language: Language = "en"
    timezone: str = "UTC"
    expires_after_days: int = 7
    accounts: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    colleagues: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    unsettled: frozenset[str] = frozenset()
    merged_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source_counts: Mapping[str, SourceCount] = field(default_factory=dict)
    tasks_today: Mapping[str, int] = field(default_factory=dict)
    funnel: Mapping[str, int] = field(default_factory=dict)
    record_url: Callable[[Entity, str], str] | None = None

    @cached_property
    def contact_writes(self) -> Mapping[str, WriteField]:
        """What may be written of a contact, by our names."""
        return self.mapping.writes(Entity.CONTACT)

    @cached_property
    def task_writes(self) -> Mapping[str, WriteField]:
        """What is written of a task itself, by our names; its links are apart."""
        writes = self.mapping.writes(Entity.TASK)
        return {name: write for name, write in writes.items() if not write.is_relation}

    @cached_property
    def task_links(self) -> Mapping[str, WriteField]:
        """The relations of a task, by our names."""
        return self.mapping.task_links()

    @cached_property
    def watched_fields(self) -> tuple[tuple[str, str, str], ...]:
        """See `watched.watched_fields`."""
        return watched_fields(self.mapping)

    def ids_of(self, contact_id: str) -> tuple[str, ...]:
        """The ids under which this contact was ever known, its own first."""
        return (contact_id, *self.merged_ids.get(contact_id, ()))
