"""A change in plain words: one line for lists, a few lines for the CRM's evidence field."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from crm_sync.model import Evidence, FieldChange, JobChange, JobChangeKind, Position, Scalar
from crm_sync.planning.wording import clean, mask_addresses, shorten

REASON_LIMIT = 100
EVIDENCE_LIMIT = 3_900
"""Characters; below what the long text fields of the CRMs take."""

_PART = 36


def reason(job_change: JobChange) -> str:
    """What is claimed, on one line of at most 100 characters, without the person's name."""
    before, after = job_change.before, job_change.after
    since = f" since {job_change.since}" if job_change.since else ""
    if job_change.kind is JobChangeKind.RETITLED:
        was = f", was {_part(before.title)}" if before.title else ""
        return shorten(f"Title is {_part(after.title)}{since}{was}", REASON_LIMIT)
    if job_change.kind is JobChangeKind.MOVED:
        title = f" as {_part(after.title)}" if after.title else ""
        text = f"Moved to {_part(after.organisation)}{title}"
    else:
        text = f"No longer at {_part(before.organisation) or 'the company'}"
    return shorten(text, REASON_LIMIT - len(since)) + since


def evidence_text(
    job_change: JobChange,
    replaced: Sequence[FieldChange] = (),
    said: Sequence[str] | None = None,
) -> str:
    """What the CRM's evidence field says: the claim, what it rests on, and what it replaces.

    `said` are the `evidence_lines`, where they are at hand.

    English, fewer than 3,900 characters, no e-mail address. It depends on the job change and the
    replaced values alone, so that planning again gives the same text.
    """
    source = f", source {clean(job_change.source)}" if job_change.source else ""
    as_of = f" as of {job_change.as_of}" if job_change.as_of else ""
    lines = [f"{job_change.kind.capitalize()}{as_of}{source}, confidence {percent(job_change)} %"]
    lines.append(f"CRM: {_position(job_change.before)}")
    if job_change.kind is not JobChangeKind.LEFT:
        lines.append(f"Now: {_position(job_change.after)}")
    if job_change.since:
        lines.append(f"Since: {job_change.since}")
    lines += [
        f"Replaced {change.name}: {_shown(change.before)}"
        for change in replaced
        if not (change.before is None or change.before == "" or isinstance(change.before, bool))
    ]
    said = evidence_lines(job_change.evidence) if said is None else said
    lines += [f"- {line}" for line in said]
    return shorten(mask_addresses("\n".join(lines)), EVIDENCE_LIMIT - 1)


def evidence_lines(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """One line per reason: rule, what it saw, from which source, as of when."""
    return tuple(_line(each) for each in evidence)


def percent(job_change: JobChange) -> int:
    """The confidence in percent, rounded down: 99.9 % sure is not certain."""
    return int(job_change.confidence * 100 + 1e-9)


def _line(evidence: Evidence) -> str:
    origin = _origin(evidence.source, evidence.as_of)
    rule = evidence.rule
    said = f"{_rule(rule)}: {clean(evidence.detail)}" if rule else evidence.detail
    return mask_addresses(f"{clean(said)} ({origin})" if origin else clean(said))


@lru_cache(maxsize=4096)
def _origin(source: str, as_of: date | None) -> str:
    parts = (clean(source), f"as of {as_of}" if as_of else "")
    return ", ".join(part for part in parts if part)


_rule = lru_cache(maxsize=256)(clean)


def _position(position: Position) -> str:
    title = clean(position.title) or "(no title)"
    return f"{title} at {clean(position.organisation) or '(no organisation)'}"


def _shown(value: Scalar) -> str:
    return clean(str(value))


def _part(text: str) -> str:
    return shorten(clean(text), _PART)
