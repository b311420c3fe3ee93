"""The plan: every job change that calls for something becomes changes, or a reason why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum

from crm_sync.mapping import JobChangeAction
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import (
    Band,
    Change,
    Entity,
    JobChange,
    JobChangeKind,
    Plan,
    canonical_json,
)
from crm_sync.planning.claims import Claim
from crm_sync.planning.guards import Tally, planned_guards
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.keys import claim_of, task_key
from crm_sync.planning.links import links_of
from crm_sync.planning.playbooks import RuleFacts
from crm_sync.planning.tasks import AccountNames, account_names, task_for
from crm_sync.planning.updates import Update, already_told, update_for


class Why(StrEnum):
    """Why a job change, or part of what it calls for, is not in the plan."""

    NOT_A_CHANGE = "not_a_change"
    CONTRADICTED = "contradicted"
    NO_CONTACT = "no_contact"
    NO_ACTION = "no_action"
    INCOMPLETE = "incomplete"
    SETTLED = "settled"
    UNSETTLED = "unsettled"
    REJECTED = "rejected"
    ALREADY_TOLD = "already_told"
    EDITED = "edited"
    POLICY = "policy"
    NO_EFFECT = "no_effect"
    NO_TASK_RULE = "no_task_rule"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One thing that is not in the plan, and why; `detail` adds words where there are some."""

    contact_id: str
    entity: Entity
    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PlanNotes:
    """What was left out, by contact."""

    left_out: tuple[LeftOut, ...] = ()

    def counts(self) -> dict[str, int]:
        """How often for each reason, by `left_out_` and its name."""
        counted = Counter(f"left_out_{note.why.value}" for note in self.left_out)
        return dict(sorted(counted.items()))


_Outcome = Change | LeftOut
_Keys = tuple[str, str]


def build_plan(inputs: PlanInputs) -> Plan:
    """The plan for these inputs, with id 0: the store gives it one.

    The order of the inputs does not matter: the same inputs give the same plan and hash. Raises
    `ConfigError` for a mapping or template that cannot be carried out.
    """
    return plan_with_notes(inputs)[0]


def plan_with_notes(inputs: PlanInputs) -> tuple[Plan, PlanNotes]:
    """The plan, and what was left out of it. Raises as `build_plan` does."""
    refuse_misplaced_titles(inputs.mapping)
    outcomes = list(outcomes_of(inputs, account_names(inputs.accounts)))
    changes = tuple(change for outcome in outcomes for change in outcome.changes)
    notes = PlanNotes(tuple(note for outcome in outcomes for note in outcome.left_out))
    return planned(inputs, changes, Tally.of(changes), notes.counts()), notes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the job change of one contact comes to.

    `keys` are those of its update and its task, whether or not they are among the `changes`; none
    where it was not looked so far.
    """

    contact_id: str
    changes: Sequence[Change]
    left_out: Sequence[LeftOut]
    keys: tuple[str, str] | None


def outcomes_of(inputs: PlanInputs, names: AccountNames) -> Iterator[Outcome]:
    """What the job changes of these contacts come to, contact by contact, by contact id.

    No contact depends on another: the outcomes of parts, joined, are the outcome of the whole.
    """
    for contact_id, claims in sorted(_by_contact(inputs.job_changes).items()):
        changes: list[Change] = []
        left_out: list[LeftOut] = []
        keys = None
        for outcome in _for_contact(inputs, contact_id, claims, names):
            if isinstance(outcome, Change):
                changes.append(outcome)
            elif isinstance(outcome, LeftOut):
                left_out.append(outcome)
            else:
                keys = outcome
        yield Outcome(contact_id, changes, left_out, keys)


def planned(
    inputs: PlanInputs, changes: Sequence[Change], tally: Tally, left_out: Mapping[str, int]
) -> Plan:
    """The plan that holds these changes; `left_out` counts as `PlanNotes.counts` does."""
    return Plan(
        id=0,
        connection=inputs.connection,
        created_at=inputs.now,
        expires_at=inputs.now + timedelta(days=inputs.expires_after_days),
        mode=inputs.mode,
        changes=changes,
        guards=planned_guards(inputs, tally),
        funnel={**inputs.funnel, **_counts(tally), **left_out},
    )


def refuse_misplaced_titles(mapping: CrmMapping) -> None:
    """Raise `ConfigError` where a title would be written that is not of the record's employer."""
    actions = mapping.model.job_changes
    for kind in ("moved", "left"):
        if getattr(actions, kind) is JobChangeAction.UPDATE_TITLE:
            raise mapping.file.error(
                f"`update_title` cannot be done for `{kind}`: the new title belongs to another "
                "employer than the record's account",
                ("job_changes", kind),
                "Use `flag_and_task` or `nothing`.",
            )


def _by_contact(job_changes: Iterable[JobChange]) -> dict[str, list[JobChange]]:
    grouped: dict[str, list[JobChange]] = {}
    for job_change in job_changes:
        grouped.setdefault(job_change.contact_id, []).append(job_change)
    return grouped


def _for_contact(
    inputs: PlanInputs, contact_id: str, claims: list[JobChange], names: AccountNames
) -> Iterator[_Outcome | _Keys]:
    real = [claim for claim in claims if claim.kind.is_change and claim.band is not Band.IGNORED]
    state = inputs.contacts.get(contact_id)
    problem = _problem(inputs, real, state)
    if problem is not None or state is None:
        yield LeftOut(contact_id, Entity.CONTACT, problem or Why.NO_CONTACT)
        return
    job_change = real[0] if len(real) == 1 else min(real, key=_preference)
    action = _action(inputs, job_change)
    yield from _for_claim(inputs, job_change, state, action, names)


def _problem(inputs: PlanInputs, claims: list[JobChange], state: ContactState | None) -> Why | None:
    """Why nothing can be planned for a contact with these claims, or None."""
    if not claims:
        return Why.NOT_A_CHANGE
    if len(claims) > 1 and len({claim_of(claim) for claim in claims}) > 1:
        return Why.CONTRADICTED
    if state is None:
        return Why.NO_CONTACT
    job_change = claims[0]
    if _action(inputs, job_change) is JobChangeAction.NOTHING:
        return Why.NO_ACTION
    needed = {
        JobChangeKind.MOVED: job_change.after.organisation,
        JobChangeKind.RETITLED: job_change.after.title,
    }
    return None if needed.get(job_change.kind, "known").strip() else Why.INCOMPLETE


def _preference(job_change: JobChange) -> tuple[float, int, str]:
    """Of equal claims the surest speaks, then the newest; ties fall the same way in any order."""
    newest = -job_change.as_of.toordinal() if job_change.as_of else 0
    return (-job_change.confidence, newest, canonical_json(asdict(job_change)))


def _action(inputs: PlanInputs, job_change: JobChange) -> JobChangeAction:
    action: JobChangeAction = getattr(inputs.mapping.model.job_changes, job_change.kind.value)
    return action


def _for_claim(
    inputs: PlanInputs,
    job_change: JobChange,
    state: ContactState,
    action: JobChangeAction,
    names: AccountNames,
) -> Iterator[_Outcome | _Keys]:
    contact_id = job_change.contact_id
    claim = Claim.of(job_change, action)
    update = update_for(inputs, claim, state)
    task_keys = [task_key(each, claim.key) for each in inputs.ids_of(contact_id)]
    yield update.keys[0], task_keys[0]
    if update.withdrawn:
        yield LeftOut(contact_id, Entity.CONTACT, Why.EDITED, update.withdrawn)
        return
    if not inputs.rejected.isdisjoint(update.keys):
        yield LeftOut(contact_id, Entity.CONTACT, Why.REJECTED)
        return
    settled = next((key for key in update.keys if key in inputs.settled), "")
    if not settled and _is_unsettled(inputs, update.keys):
        yield LeftOut(contact_id, Entity.CONTACT, Why.UNSETTLED)
        return
    told = not settled and already_told(job_change, state, inputs)
    why = _why_no_update(update, bool(settled), told)
    change = None if why else update.change
    if why:
        yield LeftOut(contact_id, Entity.CONTACT, why, update.left_alone)
    if change is not None:
        yield change
    task = _task(inputs, claim, state, task_keys, settled, change, told, names)
    yield task
    if isinstance(task, Change) and inputs.task_links:
        ends = {"contact_id": contact_id, "account_id": state.canonical.get("account_id")}
        yield from links_of(task, inputs.task_links, ends)


def _is_unsettled(inputs: PlanInputs, keys: Sequence[str]) -> bool:
    """Whether the same was sent for a contact that was merged into this one, and may be in effect.

    Under the contact's own key, the first, it stays in the plan, where it stands as unknown: the
    journal lets no key go twice. The key of a survivor would be another.
    """
    return not inputs.unsettled.isdisjoint(keys[1:])


def _why_no_update(update: Update, settled: bool, told: bool) -> Why | None:
    if settled:
        return Why.SETTLED
    if told:
        return Why.ALREADY_TOLD
    if update.change is None:
        return Why.POLICY if update.left_alone else Why.NO_EFFECT
    return None


def _task(
    inputs: PlanInputs,
    claim: Claim,
    state: ContactState,
    keys: Sequence[str],
    settled_key: str,
    update: Change | None,
    told: bool,
    names: AccountNames,
) -> _Outcome:
    contact_id = claim.job_change.contact_id
    rule = inputs.playbooks.rule_for(RuleFacts(claim.job_change))
    if told:
        return LeftOut(contact_id, Entity.TASK, Why.ALREADY_TOLD)
    if not inputs.settled.isdisjoint(keys):
        return LeftOut(contact_id, Entity.TASK, Why.SETTLED)
    if not inputs.rejected.isdisjoint(keys):
        return LeftOut(contact_id, Entity.TASK, Why.REJECTED)
    if _is_unsettled(inputs, keys):
        return LeftOut(contact_id, Entity.TASK, Why.UNSETTLED)
    if rule is None or not inputs.mapping.writes(Entity.TASK):
        return LeftOut(contact_id, Entity.TASK, Why.NO_TASK_RULE)
    requires = update.key if update else settled_key
    return task_for(
        inputs,
        claim,
        state,
        rule,
        key=keys[0],
        requires=requires,
        update=update,
        names=names,
    )


def _counts(tally: Tally) -> Mapping[str, int]:
    return {
        "changes": tally.changes,
        "changes_auto": tally.auto,
        "changes_review": tally.changes - tally.auto,
        "tasks": tally.tasks.total(),
    }
