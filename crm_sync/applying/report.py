"""What one apply came to: counted from the journal, so that the numbers always reconcile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crm_sync.model import Entity, Operation
from crm_sync.store.intents import Intent
from crm_sync.store.states import State, Verified

PROBLEM_LIMIT = 200
"""Problem rows that a report lists; the journal keeps them all."""

ABANDONED = "The CRM did not answer and does not show it. Apply again: it is looked for first."
AT_MOST_ONCE = (
    "The CRM did not answer, and its tasks carry no unique key: look whether it exists. It is "
    "not sent again."
)
HINTS: Mapping[State, str] = {
    State.CONFLICT: "Make a new plan: it sees what the record says now.",
    State.REJECTED: "Mend what the CRM names, then apply again.",
    State.PLANNED: "Apply again.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One change that is not in effect, or no longer as written. Names fields, never values."""

    key: str
    entity: Entity
    record_id: str
    contact_id: str
    state: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class ApplyReport:
    """What one run of `apply` did to one plan.

    `counts` are the changes that it took up, by the state in which they ended; `skipped` those
    that it did not, by reason; `already_done` those in effect from an earlier run. `confirmed`
    and `drifted` count what reading back showed. `settled` are intents that an earlier process
    had left open, by what became of them.
    """

    plan_id: int
    run_id: int
    counts: Mapping[State, int] = field(default_factory=dict)
    confirmed: int = 0
    drifted: int = 0
    already_done: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    settled: Mapping[State, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    problems_left_out: int = 0

    @property
    def done(self) -> int:
        """How many changes this run put into effect."""
        return self.counts.get(State.DONE, 0)

    @property
    def complete(self) -> bool:
        """Whether everything that was taken up is in effect."""
        return all(state is State.DONE or not count for state, count in self.counts.items())


def build_report(
    plan_id: int,
    run_id: int,
    tally: Mapping[tuple[State, Verified | None], int],
    troubled: Sequence[Intent],
    *,
    left_open: int,
    already_done: int,
    skipped: Mapping[str, int],
    settled: Mapping[State, int],
    key_field: str,
) -> ApplyReport:
    """The report from the counts of a run and its intents in trouble.

    `left_open` counts the intents of earlier runs that are still unknown; `troubled` begins with
    them.
    """
    counts: Counter[State] = Counter()
    seen: Counter[Verified | None] = Counter()
    for (state, verified), count in tally.items():
        counts[state] += count
        seen[verified] += count
    troubles = left_open + counts.total() - counts[State.DONE] + seen[Verified.DRIFT]
    problems = tuple(_problem(one, key_field) for one in troubled)
    return ApplyReport(
        plan_id=plan_id,
        run_id=run_id,
        counts=dict(counts),
        confirmed=seen[Verified.CONFIRMED],
        drifted=seen[Verified.DRIFT],
        already_done=already_done,
        skipped=skipped,
        settled=settled,
        problems=problems,
        problems_left_out=max(0, troubles - len(problems)),
    )


def _problem(one: Intent, key_field: str) -> Problem:
    message, _, hint = one.message.partition("\n")
    if one.state is State.DONE:
        message = "written, but reading back showed another value: somebody or something changed it"
    elif one.state is State.UNKNOWN:
        blind = one.operation is Operation.CREATE and not (key_field and one.entity is Entity.TASK)
        hint = AT_MOST_ONCE if blind else ABANDONED
    return Problem(
        key=one.key,
        entity=one.entity,
        record_id=one.record_id,
        contact_id=one.contact_id,
        state=one.verified.value if one.state is State.DONE and one.verified else one.state.value,
        code=one.code,
        message=message,
        hint=hint or HINTS.get(one.state, ""),
    )
