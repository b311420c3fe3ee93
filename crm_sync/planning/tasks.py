"""The follow-up task that a job change calls for: whose, due when, in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from crm_sync.compare import same
from crm_sync.model import (
    Change,
    Disposition,
    Entity,
    FieldChange,
    JobChange,
    JobChangeKind,
    Operation,
    Scalar,
)
from crm_sync.normalise.companies import company_key
from crm_sync.planning.claims import Claim
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.letters import variables
from crm_sync.planning.playbooks import Rule, pick
from crm_sync.planning.policies import Verdict, rule_on_claim
from crm_sync.planning.watched import watched
from crm_sync.planning.wording import Language, clean, shorten

SUBJECT_LIMIT = 255
BODY_LIMIT = 10_000
NO_OWNER = (
    "no active colleague owns the contact or its company: approved, the task is made without an "
    "owner (some CRMs give it to the integration user, in others it is in nobody's queue)"
)
WAITS = "it waits for the update of the contact that it talks about"

AccountNames = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Owner:
    """The colleague who gets a task; an empty id sends it without an owner."""

    id: str = ""
    name: str = ""
    language: Language | None = None


def task_for(
    inputs: PlanInputs,
    claim: Claim,
    state: ContactState,
    rule: Rule,
    *,
    key: str,
    requires: str,
    update: Change | None,
    names: AccountNames,
) -> Change:
    """The task of a rule; `requires` is the key of the update that must have been applied first.

    A task whose update waits for a person waits with it. Raises `ConfigError` when a template
    cannot be filled in for this contact.
    """
    job_change = claim.job_change
    owner = owner_for(inputs, state, rule)
    ruling = rule_on_claim(job_change.band, inputs.mode)
    waits = update is not None and update.disposition is Disposition.REVIEW
    # A task in a queue that nobody reads is worse than one that waits for a decision.
    held = waits or not owner.id or ruling.verdict is not Verdict.WRITE
    words = [*ruling.why, *([WAITS] if waits else []), *([] if owner.id else [NO_OWNER])]
    values = _values(inputs, claim, state, rule, owner, names) | {"key": key}
    return Change(
        key=key,
        operation=Operation.CREATE,
        entity=Entity.TASK,
        record_id="",
        contact_id=job_change.contact_id,
        kind=job_change.kind,
        fields=_fields(inputs, values),
        disposition=Disposition.REVIEW if held else Disposition.AUTO,
        reason=claim.reason,
        confidence=job_change.confidence,
        evidence=job_change.evidence,
        source=job_change.source,
        identified_by=job_change.rule,
        band=job_change.band.value,
        requires=requires,
        held_by="; ".join(words),
        owner_id=owner.id,
        rule=rule.name,
        watched=watched(inputs.watched_fields, state, update.fields if update else ()),
    )


def owner_for(inputs: PlanInputs, state: ContactState, rule: Rule) -> Owner:
    """The first active colleague: by the rule's choice, else the other of contact and account."""
    account = inputs.accounts.get(_text(state.canonical, "account_id"), {})
    ids = [_text(state.canonical, "owner_id"), _text(account, "owner_id")]
    if rule.owner == "account_owner":
        ids.reverse()
    for colleague_id in ids:
        if colleague_id and _is_active(inputs, colleague_id):
            colleague = inputs.colleagues.get(colleague_id, {})
            return Owner(colleague_id, clean(_text(colleague, "name")), _language(colleague))
    return Owner()


@lru_cache(maxsize=256)
def working_day(now: datetime, timezone: str, days: int) -> date:
    """The date, Monday to Friday, that many working days after `now` in that time zone."""
    day = now.astimezone(ZoneInfo(timezone)).date()
    while day.weekday() > 4:  # work that falls due today falls due on Monday
        day += timedelta(days=1) if days == 0 else -timedelta(days=1)
    weeks, rest = divmod(days, 5)
    day += timedelta(weeks=weeks)
    for _ in range(rest):
        day += timedelta(days=3 if day.weekday() == 4 else 1)
    return day


def account_names(accounts: Mapping[str, Mapping[str, Scalar]]) -> AccountNames:
    """Account ids by company key; None where several accounts share the name."""
    names: dict[str, str | None] = {}
    for account_id, account in accounts.items():
        key = company_of(_text(account, "name"))
        if key:
            names[key] = None if key in names else account_id
    return names


def _values(
    inputs: PlanInputs,
    claim: Claim,
    state: ContactState,
    rule: Rule,
    owner: Owner,
    names: AccountNames,
) -> dict[str, Scalar]:
    job_change = claim.job_change
    language = owner.language or inputs.language
    letter = variables(
        job_change,
        state.canonical,
        record_url=_url(inputs, Entity.CONTACT, job_change.contact_id),
        owner_name=owner.name,
        new_account=_new_account(inputs, job_change, state, names),
        said=claim.said,
    )
    due = working_day(inputs.now, inputs.timezone, rule.due_in_working_days)
    return {
        "subject": clean(pick(rule.subject, language).render(letter), SUBJECT_LIMIT),
        "body": _body(pick(rule.body, language).render(letter)),
        "due_on": due.isoformat(),
        "owner_id": owner.id,
        "contact_id": job_change.contact_id,
        "account_id": _text(state.canonical, "account_id"),
    }


def _fields(inputs: PlanInputs, values: Mapping[str, Scalar]) -> tuple[FieldChange, ...]:
    """What the mapping writes of a task itself; empty and unknown values are not written."""
    fields = []
    for name, write in inputs.task_writes.items():
        constant = write.constant
        value = constant if constant is not None else write.spell(values.get(name))
        if not same(value, None):
            fields.append(FieldChange(name, write.field, None, value))
    return tuple(fields)


def _new_account(
    inputs: PlanInputs, job_change: JobChange, state: ContactState, names: AccountNames
) -> dict[str, str] | None:
    """The one account of the new employer's name, if there is one other than the contact's."""
    if job_change.kind is not JobChangeKind.MOVED:
        return None
    account_id = names.get(company_of(job_change.after.organisation))
    if not account_id or account_id == state.canonical.get("account_id"):
        return None
    account = inputs.accounts[account_id]
    owner_id = _text(account, "owner_id")
    active = bool(owner_id) and _is_active(inputs, owner_id)
    owner = inputs.colleagues.get(owner_id, {}) if active else {}
    return {
        "name": clean(_text(account, "name")),
        "owner": clean(_text(owner, "name")),
        "url": clean(_url(inputs, Entity.ACCOUNT, account_id), 2_000),
    }


company_of = lru_cache(maxsize=65_536)(company_key)


def _is_active(inputs: PlanInputs, colleague_id: str) -> bool:
    """Whether tasks reach this colleague; where colleagues are not read, owners are trusted."""
    if inputs.mapping.reads(Entity.COLLEAGUE) is None:
        return True
    colleague = inputs.colleagues.get(colleague_id)
    if colleague is None:
        return False
    active = colleague.get("active")
    return active is None or same(active, True)


def _language(colleague: Mapping[str, Scalar]) -> Language | None:
    spoken = _text(colleague, "language").casefold()
    if spoken.startswith("fr"):
        return "fr"
    return "en" if spoken.startswith("en") else None


def _url(inputs: PlanInputs, entity: Entity, record_id: str) -> str:
    return inputs.record_url(entity, record_id) if inputs.record_url else ""


def _body(text: str) -> str:
    """The text without blank lines at its ends or in rows of several."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return shorten("\n".join(lines).strip(), BODY_LIMIT)


def _text(values: Mapping[str, Scalar], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
