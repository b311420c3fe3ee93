"""One job change, with all that its update and its task both need, made once."""

from __future__ import annotations

from dataclasses import dataclass

from crm_sync.mapping import JobChangeAction
from crm_sync.model import JobChange
from crm_sync.planning.explain import evidence_lines, reason
from crm_sync.planning.keys import claim_of


@dataclass(frozen=True, slots=True)
class Claim:
    """A job change, what is to be done about it, its stable key, and what is said of it."""

    job_change: JobChange
    action: JobChangeAction
    key: str
    reason: str
    said: tuple[str, ...]

    @classmethod
    def of(cls, job_change: JobChange, action: JobChangeAction) -> Claim:
        """The claim that a job change makes."""
        said = evidence_lines(job_change.evidence)
        return cls(job_change, action, claim_of(job_change), reason(job_change), said)
