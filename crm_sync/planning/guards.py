"""Guards: limits on what one plan may write without a person having seen it.

They are computed with the plan and shown with it; `tripped` asks again before anything is written,
when it is known what a person approved. A tripped guard stops everything: a source that broke
looks like a thousand people who left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from crm_sync.compare import is_blank
from crm_sync.errors import GuardTripped
from crm_sync.model import Change, Decision, Disposition, Entity, GuardResult, Operation, Plan
from crm_sync.planning.inputs import PlanInputs, SourceCount
from crm_sync.planning.updates import CLEARED

EMPTY_SOURCE = "empty_source"
SHRUNKEN_SOURCE = "shrunken_source"
SHARE_CHANGED = "share_changed"
CONTACTS_CHANGED = "contacts_changed"
BLANKS_OVER_VALUES = "blanks_over_values"
TASKS_PER_COLLEAGUE = "tasks_per_colleague"

_ALL_SEEN = (
    "approve every change that is to be written, the ready ones as well: one that nobody has seen "
    "keeps the guard up."
)
_APPROVE = "Look at the changes with `crm-sync changes` and approve what is right"


@dataclass
class Tally:
    """What the guards and the funnel want to know of the changes that people see.

    A contact's changes are counted together: tallies of other contacts may be merged.
    """

    changes: int = 0
    auto: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    auto_contacts: int = 0
    blanks: int = 0

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Tally:
        """Count the changes of some contacts; links are none of their own."""
        proposed = [change for change in changes if change.operation is not Operation.LINK]
        auto = _auto(proposed)
        tasks = Counter(_owners(proposed))
        return cls(len(proposed), len(auto), tasks, _contacts(auto), _blanks(auto))

    def merge(self, other: Tally, times: int = 1) -> None:
        """Count what was counted of others, as often as so many contacts are alike."""
        self.changes += other.changes * times
        self.auto += other.auto * times
        self.tasks.update({owner: count * times for owner, count in other.tasks.items()})
        self.auto_contacts += other.auto_contacts * times
        self.blanks += other.blanks * times


def planned_guards(inputs: PlanInputs, tally: Tally) -> tuple[GuardResult, ...]:
    """Every guard over the changes of a new plan, tripped or not; tasks of any disposition count.

    The share of contacts is only limited where `guards.minimum_sample` contacts or more are known.
    """
    guards = inputs.guards
    contacts = tally.auto_contacts
    total = inputs.contacts_total
    limit = guards.max_share_changed if total >= guards.minimum_sample else 1.0
    return (
        *_source_guards(inputs.source_counts, guards.min_source_share),
        share_changed(contacts / total if total else 0.0, contacts, limit),
        contacts_changed(contacts, guards.max_contacts_changed),
        blanks_over_values(tally.blanks),
        tasks_per_colleague(
            tally.tasks, inputs.tasks_today, guards.max_tasks_per_colleague_per_day
        ),
    )


def tripped(
    plan: Plan,
    decisions: Mapping[str, str],
    *,
    settled: AbstractSet[str] = frozenset(),
    tasks_today: Mapping[str, int] | None = None,
) -> list[GuardResult]:
    """The guards that stop this plan from being applied now.

    `decisions` are people's, by key; `settled` are keys already carried out; `tasks_today` counts,
    by owner id, the tasks made since midnight (left out: none). What a person approved no longer
    counts for shares and numbers. A source guard falls only when a person approved every single
    change that would be written, those that needed no approval as well. The cap on tasks counts all
    that would be made. The limits are the plan's own. An undo is ordered by a person, and is never
    stopped.
    """
    if plan.undo_of is not None:
        return []
    limits = {guard.name: guard.limit for guard in plan.guards}
    said = decisions.get
    left = [c for c in plan.proposed if c.key not in settled and said(c.key) != Decision.REJECTED]
    auto = [change for change in _auto(left) if said(change.key) != Decision.APPROVED]
    approved = [change for change in left if said(change.key) == Decision.APPROVED]
    contacts = _contacts(auto)
    unseen = bool(auto) or Decision.APPROVED not in decisions.values()
    results = _standing_source_guards(plan, unseen=unseen)
    tasks = Counter(_owners([*auto, *approved]))
    results += [
        share_changed(contacts / _contacts_total(plan), contacts, limits.get(SHARE_CHANGED, 0.0)),
        contacts_changed(contacts, limits.get(CONTACTS_CHANGED, 0.0)),
        blanks_over_values(_blanks(auto)),
        tasks_per_colleague(tasks, tasks_today or {}, limits.get(TASKS_PER_COLLEAGUE, 0.0)),
    ]
    return [result for result in results if result.tripped]


def refusal(results: Sequence[GuardResult], place: str = "") -> GuardTripped:
    """The error to raise for tripped guards: all their messages, and what to do about each."""
    messages = "; ".join(f"{result.message} (guard {result.name})" for result in results)
    fixes = dict.fromkeys(result.fix for result in results if result.fix)
    return GuardTripped(f"nothing was written: {messages}", place=place, fix="\n  ".join(fixes))


def _standing_source_guards(plan: Plan, *, unseen: bool) -> list[GuardResult]:
    names = (EMPTY_SOURCE, SHRUNKEN_SOURCE)
    return [guard for guard in plan.guards if unseen and guard.name.startswith(names)]


def _contacts_total(plan: Plan) -> int:
    """How many contacts were known at planning: the plan holds their share, not their number."""
    share = next((guard.measured for guard in plan.guards if guard.name == SHARE_CHANGED), 0.0)
    return round(_contacts(_auto(plan.proposed)) / share) if share else 1


def _source_guards(counts: Mapping[str, SourceCount], min_share: float) -> Iterable[GuardResult]:
    for name, count in sorted(counts.items()):
        yield empty_source(name, count)
        if count.before:
            yield shrunken_source(name, count, min_share)


def empty_source(name: str, count: SourceCount) -> GuardResult:
    """A source without one profile is a broken source."""
    found = "no profile" if count.profiles == 0 else f"{_figure(count.profiles)} profiles"
    return GuardResult(
        name=f"{EMPTY_SOURCE}:{name}",
        tripped=count.profiles == 0,
        measured=count.profiles,
        limit=1,
        message=f"the enrichment source `{name}` holds {found}",
        fix=f"Look at the files of `enrichment.{name}` in config.yaml, then plan again. If they "
        f"are meant to be empty, {_ALL_SEEN}",
    )


def shrunken_source(name: str, count: SourceCount, min_share: float) -> GuardResult:
    """A source that lost most of its profiles was cut short."""
    before = count.before or 0
    share = count.profiles / before if before else 1.0
    return GuardResult(
        name=f"{SHRUNKEN_SOURCE}:{name}",
        tripped=share < min_share,
        measured=share,
        limit=min_share,
        message=f"the enrichment source `{name}` holds {_figure(count.profiles)} profiles, "
        f"{_percent(share)} of the {_figure(before)} of the last run "
        f"(at least {_percent(min_share)} are expected)",
        fix=f"Look whether the files of `enrichment.{name}` are whole. If they are meant to be "
        "this few, lower `guards.min_source_share` of the connection in config.yaml "
        f"and plan again, or {_ALL_SEEN}",
    )


def share_changed(share: float, contacts: int, limit: float) -> GuardResult:
    """The share of all contacts that would be written unseen."""
    return GuardResult(
        name=SHARE_CHANGED,
        tripped=share > limit,
        measured=share,
        limit=limit,
        message=f"{_figure(contacts)} contacts, {_percent(share)} of all, would be written without "
        f"a person's approval (limit {_percent(limit)})",
        fix=f"{_APPROVE}, or raise `guards.max_share_changed` of the connection in config.yaml "
        "and plan again.",
    )


def contacts_changed(contacts: int, limit: float) -> GuardResult:
    """The number of contacts that would be written unseen."""
    return GuardResult(
        name=CONTACTS_CHANGED,
        tripped=contacts > limit,
        measured=contacts,
        limit=limit,
        message=f"{_figure(contacts)} contacts would be written without a person's approval "
        f"(limit {_figure(limit)})",
        fix=f"{_APPROVE}, or raise `guards.max_contacts_changed` of the connection in config.yaml "
        "and plan again.",
    )


def blanks_over_values(blanks: int) -> GuardResult:
    """Values that would be emptied unseen, in fields that hold more than our own claims."""
    return GuardResult(
        name=BLANKS_OVER_VALUES,
        tripped=blanks > 0,
        measured=blanks,
        limit=0,
        message=f"{_figure(blanks)} values would be replaced by a blank without a person's "
        "approval (limit 0)",
        fix=f"{_APPROVE}.",
    )


def tasks_per_colleague(
    new: Mapping[str, int], today: Mapping[str, int], limit: float
) -> GuardResult:
    """Today's tasks of the colleague who would have the most, with those already made."""
    loads = {owner: count + today.get(owner, 0) for owner, count in new.items()}
    worst = min(loads, key=lambda owner: (-loads[owner], owner), default="")
    most = loads.get(worst, 0)
    over = sum(load > limit for load in loads.values())
    others = f"; {over - 1} more are over it" if over > 1 else ""
    return GuardResult(
        name=TASKS_PER_COLLEAGUE,
        tripped=most > limit,
        measured=most,
        limit=limit,
        message=f"{f'colleague {worst}' if worst else 'nobody in particular'} would have "
        f"{_figure(most)} follow-up tasks today (limit {_figure(limit)}){others}",
        fix="Reject the less important ones with `crm-sync reject`, or raise "
        "`guards.max_tasks_per_colleague_per_day` of the connection in config.yaml and plan again.",
    )


def _auto(changes: Iterable[Change]) -> list[Change]:
    return [change for change in changes if change.disposition is Disposition.AUTO]


def _contacts(changes: Iterable[Change]) -> int:
    return len({change.contact_id for change in changes})


def _owners(changes: Iterable[Change]) -> Iterable[str]:
    return (change.owner_id for change in changes if change.entity is Entity.TASK)


def _blanks(changes: Iterable[Change]) -> int:
    return sum(
        is_blank(field.after) and not is_blank(field.before) and field.name not in CLEARED
        for change in changes
        if change.entity is Entity.CONTACT
        for field in change.fields
    )


def _figure(number: float) -> str:
    return f"{number:,.0f}"


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
