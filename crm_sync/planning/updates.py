"""The update of a contact that a job change calls for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_sync.compare import is_blank, same
from crm_sync.mapping import JobChangeAction, WriteField
from crm_sync.model import (
    Change,
    Entity,
    FieldChange,
    JobChange,
    JobChangeKind,
    Operation,
    Scalar,
)
from crm_sync.normalise.companies import company_key
from crm_sync.planning.claims import Claim
from crm_sync.planning.explain import evidence_text
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.keys import update_key
from crm_sync.planning.locks import Lock, LockState, lock_of
from crm_sync.planning.policies import Ruling, Verdict, disposition, in_words, rule_on_field
from crm_sync.planning.watched import watched
from crm_sync.planning.wording import clean

ACCOMPANYING = frozenset({"last_verified", "evidence"})
"""Fields that tell about a change, and are not one: never written alone."""

CLEARED = frozenset({"moved_on", "new_organisation", "new_title"})
"""Fields of ours that an earlier claim may have filled: emptied when the new one knows nothing."""

BASIS_VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Update:
    """The update of one contact, as far as one is left to do.

    `keys` are the key of the change and those that it would have had for contacts that were merged
    into this one. `change` is None when there is nothing to write. `withdrawn` is why the claim as
    a whole has to rest because a person said otherwise; `left_alone` says which fields were passed
    over.
    """

    keys: tuple[str, ...]
    change: Change | None = None
    withdrawn: str = ""
    left_alone: str = ""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field that would change, with what was ruled about it."""

    name: str
    change: FieldChange
    lock: Lock
    ruling: Ruling


def update_for(inputs: PlanInputs, claim: Claim, state: ContactState) -> Update:
    """The update that a claim calls for; each `before` is the live value, as the CRM gave it."""
    job_change = claim.job_change
    leading = _leading(claim.action, inputs.contact_writes)
    wanted = claimed_values(job_change, claim.action)
    found = (_field(inputs, job_change, state, name, value) for name, value in wanted.items())
    fields = [field for field in found if field is not None]
    for field in fields:
        if field.name == leading and field.lock.state is LockState.LOCKED:
            return Update(_keys(inputs, claim), withdrawn=f"{leading}: {field.lock.why}")
    kept = [field for field in fields if field.ruling.verdict is not Verdict.SKIP]
    skipped = {f.name: f.ruling for f in fields if f.ruling.verdict is Verdict.SKIP}
    left_alone = in_words(skipped) if skipped else ""
    if all(field.name in ACCOMPANYING for field in kept):
        return Update(_keys(inputs, claim), left_alone=left_alone)
    replaced = [field.change for field in kept if field.name not in ACCOMPANYING]
    text = evidence_text(job_change, replaced, claim.said)
    told = _field(inputs, job_change, state, "evidence", text)
    fields += [told] if told else []
    kept += [told] if told and told.ruling.verdict is not Verdict.SKIP else []
    # What is kept although it was edited was reopened by newer evidence: a new business version.
    edits = [(field.name, field.lock.edited_at) for field in kept if field.lock.edited_at]
    keys = _keys(inputs, claim, edits)
    rulings = {field.name: field.ruling for field in fields}
    change = _change(inputs, keys[0], claim, state, kept, rulings)
    return Update(keys, change, left_alone=left_alone)


def _keys(
    inputs: PlanInputs, claim: Claim, edits: Sequence[tuple[str, datetime]] = ()
) -> tuple[str, ...]:
    ids = inputs.ids_of(claim.job_change.contact_id)
    return tuple([update_key(contact_id, claim.action, claim.key, edits) for contact_id in ids])


def claimed_values(job_change: JobChange, action: JobChangeAction) -> dict[str, Scalar]:
    """What the claim says, by our field names; without the evidence text.

    The title and the account of a contact who moved or left stay: its history is there. None
    empties a field, and stands only for fields of ours that an earlier claim may have filled.
    """
    after = job_change.after
    new_title = clean(after.title) or None
    values: dict[str, Scalar] = {}
    if action is JobChangeAction.UPDATE_TITLE:
        values["title"] = new_title
    elif job_change.kind is JobChangeKind.RETITLED:
        values["new_title"] = new_title
    else:
        left = job_change.kind is JobChangeKind.LEFT
        values["moved"] = True
        values["moved_on"] = job_change.since.isoformat() if job_change.since else None
        values["previous_organisation"] = clean(job_change.before.organisation) or None
        values["new_organisation"] = None if left else clean(after.organisation) or None
        values["new_title"] = None if left else new_title
    values["job_change"] = job_change.kind.value
    values["last_verified"] = job_change.as_of.isoformat() if job_change.as_of else None
    return {name: value for name, value in values.items() if value is not None or name in CLEARED}


def already_told(job_change: JobChange, state: ContactState, inputs: PlanInputs) -> bool:
    """Whether the record says by itself that the person moved there, or left.

    It does not matter who wrote it, or in which spelling: the colleagues know.
    """
    writes = inputs.contact_writes
    if job_change.kind is JobChangeKind.MOVED and "new_organisation" in writes:
        told = company_key(str(state.live.get(writes["new_organisation"].field) or ""))
        names = [_leading(JobChangeAction.FLAG_AND_TASK, writes)]
        there = bool(told) and told == company_key(job_change.after.organisation)
    elif job_change.kind is JobChangeKind.LEFT and "job_change" in writes:
        names = [name for name in ("moved", "job_change") if name in writes]
        there = True
    else:
        return False
    values = claimed_values(job_change, JobChangeAction.FLAG_AND_TASK)
    return there and all(name and _says(state, writes[name], values[name]) for name in names)


def _says(state: ContactState, write: WriteField, value: Scalar) -> bool:
    return same(state.live.get(write.field), _spelt(write, value))


def _spelt(write: WriteField, value: Scalar) -> Scalar:
    return write.constant if write.constant is not None else write.spell(value)


def _leading(action: JobChangeAction, writes: Mapping[str, WriteField]) -> str:
    """The field that carries the claim: a person who edited it has answered the claim."""
    if action is JobChangeAction.UPDATE_TITLE:
        return "title" if "title" in writes else ""
    return next((name for name in ("moved", "job_change") if name in writes), "")


def _field(
    inputs: PlanInputs,
    job_change: JobChange,
    state: ContactState,
    name: str,
    value: Scalar,
) -> _Field | None:
    """One field with its ruling; None when the mapping has no such field or it says so already."""
    write = inputs.contact_writes.get(name)
    if write is None:
        return None
    before = state.live.get(write.field)
    lock = lock_of(state.baselines.get(write.field), before, job_change.as_of)
    after = _spelt(write, value)
    if is_blank(before) if is_blank(after) else same(before, after):
        return None
    ruling = rule_on_field(
        policy=write.policy,
        lock=lock,
        band=job_change.band,
        mode=inputs.mode,
        before=before,
        after=after,
        verified=_is_verified(state, write.field),
    )
    return _Field(name, FieldChange(name, write.field, before, after), lock, ruling)


def _is_verified(state: ContactState, field: str) -> bool:
    baseline = state.baselines.get(field)
    return (
        baseline is not None
        and baseline.basis == BASIS_VERIFIED
        and same(baseline.value, state.live.get(field))
    )


def _change(
    inputs: PlanInputs,
    key: str,
    claim: Claim,
    state: ContactState,
    kept: list[_Field],
    rulings: Mapping[str, Ruling],
) -> Change:
    job_change = claim.job_change
    fields = tuple([field.change for field in kept])
    return Change(
        key=key,
        operation=Operation.UPDATE,
        entity=Entity.CONTACT,
        record_id=job_change.contact_id,
        contact_id=job_change.contact_id,
        kind=job_change.kind,
        fields=fields,
        disposition=disposition(rulings),
        reason=claim.reason,
        confidence=job_change.confidence,
        evidence=job_change.evidence,
        source=job_change.source,
        identified_by=job_change.rule,
        band=job_change.band.value,
        held_by=in_words(rulings),
        rule=claim.action.value,
        watched=watched(inputs.watched_fields, state, fields),
    )
