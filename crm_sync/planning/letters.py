"""What a template sees of a job change, as cleaned values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from crm_sync.model import JobChange, Scalar
from crm_sync.planning.explain import evidence_lines, percent
from crm_sync.planning.wording import clean

EVIDENCE_LINES = 20


def variables(
    job_change: JobChange,
    contact: Mapping[str, Scalar],
    *,
    record_url: str,
    owner_name: str,
    new_account: Mapping[str, str] | None,
    said: Sequence[str] | None = None,
) -> dict[str, Any]:
    """All of `templates.VARIABLES`; texts are one line each and free of control characters.

    `said` are the `evidence_lines`, where they are at hand.
    """
    before, after = job_change.before, job_change.after
    name = contact_name(contact)
    said = evidence_lines(job_change.evidence[:EVIDENCE_LINES]) if said is None else said
    return {
        "contact": name,
        "first_name": clean(_text(contact, "first_name")) or name,
        "old_title": clean(before.title),
        "old_organisation": clean(before.organisation),
        "new_title": clean(after.title),
        "new_organisation": clean(after.organisation),
        "since": job_change.since,
        "as_of": job_change.as_of,
        "source": clean(job_change.source),
        "confidence": percent(job_change),
        "evidence": list(said[:EVIDENCE_LINES]),
        "last_activity": as_date(contact.get("last_activity")),
        "record_url": clean(record_url, 2_000),
        "owner_name": clean(owner_name),
        "new_account": new_account,
        "kind": job_change.kind.value,
        "band": job_change.band.value,
    }


def samples(kinds: Iterable[str], bands: Iterable[str]) -> Iterator[dict[str, Any]]:
    """A contact of whom all is known, and one of whom next to nothing is, for each kind and band.

    Templates are filled in with these when they are loaded.
    """
    day = date(2026, 6, 3)
    full: dict[str, Any] = dict.fromkeys(
        ("contact", "first_name", "old_title", "old_organisation", "new_title", "source",
         "new_organisation", "record_url", "owner_name"), "sample",
    )  # fmt: skip
    full |= {"since": day, "as_of": day, "last_activity": day, "confidence": 93}
    full |= {"evidence": ["sample"], "new_account": dict.fromkeys(("name", "owner", "url"), "x")}
    sparse: dict[str, Any] = dict.fromkeys(full, "") | {"contact": "sample", "first_name": "sample"}
    sparse |= {"since": None, "as_of": None, "last_activity": None, "confidence": 0}
    sparse |= {"evidence": [], "new_account": None}
    bands = tuple(bands)
    for kind in kinds:
        for band in bands:
            for sample in (full, sparse):
                yield sample | {"kind": kind, "band": band}


def contact_name(contact: Mapping[str, Scalar]) -> str:
    """The name as the CRM spells it, or a word for nobody in particular."""
    parts = (_text(contact, "first_name"), _text(contact, "last_name"))
    return clean(" ".join(parts)) or clean(_text(contact, "name")) or "—"


def as_date(value: Scalar) -> date | None:
    """The day of a date or time as the CRM gives it; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.strip()).date()
    except ValueError:
        return None


def _text(values: Mapping[str, Scalar], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
