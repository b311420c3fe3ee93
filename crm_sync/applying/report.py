"""What one apply came to: counted from the journal, so that the numbers always reconcile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crm_sync.mapping import LINKED
from crm_sync.model import Entity, Operation
from crm_sync.store.intents import Intent
from crm_sync.store.states import State, Verified

SHORT = 10
"""Characters of a key that people type."""

PROBLEM_LIMIT = 200
"""Problem rows that a report lists; the journal keeps them all."""

ABANDONED = "The CRM did not answer and does not show it. Apply again: it is looked for first."
NOT_YET = "The CRM did not answer and may still carry it out; {}. It is looked for first."
AT_MOST_ONCE = (
    "The CRM did not answer, and its tasks carry no unique key: look whether it exists. It is "
    "not sent again, unless you say that it is not there: crm-sync settle {} --there | --absent"
)
NOT_LINKED = "the task is there, but not linked to its {} {}: {}"
LINK_HINT = "Link it in the CRM, or mend what the CRM names and apply the same plan again."
ONCE_AT_MOST = (
    "The CRM does not keep the key of a task unique, or the mapping has none: each task was sent "
    "once at most. Nothing has to be done."
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
    had left open, by what became of them. `awaited` counts the writes of the connection, of this
    run or an earlier one, of which a later apply will find out what became of them; `notices` are
    sentences about the run as a whole. The links of a task are part of it, and in none of these
    counts; `unlinked` are those that this run tried and that are not in effect. `unsettled` counts
    the changes of the plan whose outcome is unknown, whichever run sent them.
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
    awaited: int = 0
    notices: tuple[str, ...] = ()
    unlinked: int = 0
    unsettled: int = 0

    @property
    def done(self) -> int:
        """How many changes this run put into effect."""
        return self.counts.get(State.DONE, 0)

    @property
    def complete(self) -> bool:
        """Whether everything that was taken up is in effect, and nothing unknown or awaited."""
        in_effect = all(state is State.DONE or not count for state, count in self.counts.items())
        return in_effect and not (self.awaited or self.unlinked or self.unsettled)


def build_report(
    plan_id: int,
    run_id: int,
    tally: Mapping[tuple[State, Verified | None], int],
    troubled: Sequence[Intent],
    *,
    linked: Mapping[tuple[State, Verified | None], int],
    left_open: int,
    unsettled: int,
    already_done: int,
    skipped: Mapping[str, int],
    settled: Mapping[State, int],
    awaited: Mapping[str, datetime],
    at_most_once: bool,
    now: datetime,
) -> ApplyReport:
    """The report from the counts of a run, those of its links, and its intents in trouble.

    `left_open` counts the intents of earlier runs that are still unknown; `troubled` begins with
    them. `unsettled` counts those of the plan, of any run. `awaited` are the unknown ones that can
    be settled, with the time from which on.
    """
    counts: Counter[State] = Counter()
    seen: Counter[Verified | None] = Counter()
    for (state, verified), count in tally.items():
        counts[state] += count
        seen[verified] += count
    unlinked = sum(count for (state, _), count in linked.items() if state is not State.DONE)
    drifted = sum(count for (_, verified), count in linked.items() if verified is Verified.DRIFT)
    troubles = left_open + counts.total() - counts[State.DONE] + seen[Verified.DRIFT]
    troubles += unlinked + drifted
    problems = tuple(_problem(one, awaited.get(one.key), now) for one in troubled)
    notices = [ONCE_AT_MOST] if at_most_once else []
    if awaited:
        notices.append(_awaited(len(awaited), max(awaited.values()), now))
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
        awaited=len(awaited),
        notices=tuple(notices),
        unlinked=unlinked,
        unsettled=unsettled,
    )


def _awaited(count: int, until: datetime, now: datetime) -> str:
    writes = "1 write has" if count == 1 else f"{count:,} writes have"
    return f"{writes} no known outcome yet; {_again(until, now)}"


def _again(until: datetime, now: datetime) -> str:
    if until <= now:
        return "apply again"
    return f"apply again after {until + timedelta(seconds=59):%H:%M} UTC"


def _unlinked(one: Intent, message: str, hint: str) -> tuple[str, str]:
    [end] = one.fields
    if one.state is State.DONE:
        message = "reading back did not show the link"
    said_no = one.state in (State.REJECTED, State.CONFLICT)
    words = NOT_LINKED.format(LINKED[end.name].value, end.after, message)
    return words, hint or (LINK_HINT if said_no else "")


def _problem(one: Intent, settles_at: datetime | None, now: datetime) -> Problem:
    message, _, hint = one.message.partition("\n")
    if one.operation is Operation.LINK:
        message, hint = _unlinked(one, message, hint)
    elif one.state is State.DONE:
        message = "written, but reading back showed another value: somebody or something changed it"
    if one.state is State.UNKNOWN:
        if settles_at is None:
            hint = AT_MOST_ONCE.format(one.key[:SHORT])
        elif settles_at <= now:
            hint = ABANDONED
        else:
            hint = NOT_YET.format(_again(settles_at, now))
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
