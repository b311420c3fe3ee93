"""One batch: read, write the intent down, send, store the outcome, read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from crm_sync.applying.judging import Judged, judge, note_news
from crm_sync.applying.reconcile import settle_taken_keys
from crm_sync.applying.verify import Live, verify
from crm_sync.applying.work import Work
from crm_sync.calls.retry import call_with_retry, may_repeat
from crm_sync.calls.sending import NOT_SENT
from crm_sync.connector import Outcome, Ref, Write, WriteResult
from crm_sync.errors import CrmSyncError, TryLater
from crm_sync.mapping import LINKED
from crm_sync.model import Change, Entity, Operation, Scalar
from crm_sync.store import journal, journal_entries
from crm_sync.store.intents import Intent, Move
from crm_sync.store.states import State

_STATES = {
    Outcome.APPLIED: State.DONE,
    Outcome.REJECTED: State.REJECTED,
    Outcome.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Unsent:
    """Changes that were certainly not carried out, for a reason that time mends.

    `retry_after` is the pause in seconds that the CRM asks for; `fault` is what stopped the whole
    batch, None where only single rows are left.
    """

    changes: tuple[Change, ...]
    retry_after: float | None
    fault: TryLater | None = None


class _LaterError(TryLater):
    """Carries `Unsent` through the retry policy."""

    def __init__(self, unsent: Unsent) -> None:
        super().__init__("not sent yet", retry_after=unsent.retry_after)
        self.unsent = unsent


def send_batch(work: Work, batch: Sequence[Change], bases: Mapping[str, Intent]) -> None:
    """Carry out a batch (see `carry_out`), and what of it time has to mend again after a pause.

    Each time the whole way is gone: the records are read anew, so that what a person did in the
    pause stays. Rows that are still refused in the end stay `planned`; when the CRM cannot be
    asked at all, its last error is raised.
    """
    left = batch

    def attempt() -> None:
        nonlocal left
        unsent = carry_out(work, left, bases)
        if unsent is not None:
            left = unsent.changes
            raise _LaterError(unsent)

    try:
        call_with_retry(
            work.policy,
            attempt,
            kind="write",
            # An error of a read went through this policy already, in `Steady`.
            repeat=lambda error: isinstance(error, _LaterError),
            sleep=work.sleep,
        )
    except _LaterError as given_up:
        if given_up.unsent.fault is not None:
            raise given_up.unsent.fault from None


def carry_out(work: Work, batch: Sequence[Change], bases: Mapping[str, Intent]) -> Unsent | None:
    """Carry out changes of one operation and entity, at most `write_batch` of them; once.

    `bases` are the intents that changes rest on, by their key: what a delete takes back, the task
    that a link belongs to. What may be tried again later is `planned` and returned. When the CRM
    cannot be asked for another reason, the batch stays as not begun and the error is raised; killed
    anywhere, the next `settle_open` finds out what happened.
    """
    batch = [_writable(work, change) for change in batch]
    judged = judge(work, batch, bases)
    entries = [one.entry for one in judged]
    with work.store.begin() as tx:
        begun = journal_entries.enter(tx, work.scope, entries, work.now())
        note_news(work, tx, judged)
    _verify_found(work, [one.change.key for one in entries if one.state is State.DONE])
    going = [(change, begun[change.key]) for change in batch if change.key in begun]
    if not going:
        return None
    try:
        results = work.crm.write_chunk([_write(work, change) for change, _ in going])
    except CrmSyncError as problem:
        _nothing_sent(work, [intent for _, intent in going], problem)
        if isinstance(problem, TryLater) and may_repeat(problem) and not problem.sent:
            return Unsent(tuple(change for change, _ in going), problem.retry_after, problem)
        raise
    live = _store(work, [intent for _, intent in going], results)
    if batch[0].operation is Operation.LINK:
        _keep_stamps(work, judged, bases, live)
    return _unsent([change for change, _ in going], results)


def _unsent(changes: Sequence[Change], results: Sequence[WriteResult]) -> Unsent | None:
    held = [
        (change, result)
        for change, result in zip(changes, results, strict=True)
        if _state(result) is State.PLANNED
    ]
    if not held:
        return None
    asked = [result.retry_after for _, result in held if result.retry_after is not None]
    return Unsent(tuple(change for change, _ in held), max(asked, default=None))


def _writable(work: Work, change: Change) -> Change:
    """A task without its key where the CRM has no field for it."""
    creates_task = change.operation is Operation.CREATE and change.entity is Entity.TASK
    if not creates_task or work.key_field(change):
        return change
    return replace(change, fields=tuple(one for one in change.fields if one.name != "key"))


def _keep_stamps(
    work: Work, judged: Sequence[Judged], tasks: Mapping[str, Intent], live: Live
) -> None:
    """Where linking moves dates, the new date of a task that nobody had touched is ours too.

    Else undo would take our own link for a person's edit, and keep the task. Where it does not,
    a date that moved meanwhile is a person's.
    """
    if not work.crm.capabilities.links_move_dates:
        return
    stamps = {}
    for one in judged:
        task = tasks[one.entry.change.key]
        before = one.seen.modified if one.seen else None
        now = live.get((task.entity, task.record_id))
        untouched = before is not None and before == task.modified_at
        if untouched and now is not None and now.modified not in (None, before):
            stamps[task.id] = now.modified
    with work.store.begin() as tx:
        journal_entries.restamp(tx, stamps)


def _write(work: Work, change: Change) -> Write:
    values: dict[str, Scalar] = {}
    if change.operation is Operation.UPDATE:
        values = {field.crm_field: field.after for field in change.fields}
    elif change.operation is Operation.CREATE:
        values = {f.crm_field: f.after for f in change.fields if f.after is not None}
        if key_field := work.key_field(change):
            values[key_field] = change.key
    elif change.operation is Operation.LINK:
        [end] = change.fields
        values = {end.crm_field: end.after}
        to = Ref(LINKED[end.name], str(end.after))
        return Write(change.operation, change.entity, change.key, change.record_id, values, to)
    return Write(change.operation, change.entity, change.key, change.record_id, values)


def _nothing_sent(work: Work, going: Sequence[Intent], problem: CrmSyncError) -> None:
    """An error out of `write_chunk` means that no row was carried out (see `Crm`)."""
    sent = isinstance(problem, TryLater) and problem.sent
    state = State.UNKNOWN if sent else State.PLANNED
    code = type(problem).__name__
    moves = [Move(one, state, code=code, message=problem.message) for one in going]
    with work.store.begin() as tx:
        journal_entries.move(tx, work.scope.run_id, moves, work.now())


def _store(work: Work, going: Sequence[Intent], results: Sequence[WriteResult]) -> Live:
    """Store the outcomes and read back what was done; returns what was read."""
    moves, taken = [], []
    for intent, result in zip(going, results, strict=True):
        move = Move(intent, _state(result), result.record_id, result.code, _words(result))
        if result.duplicate_key and work.search_field(intent):
            move = Move(intent, State.UNKNOWN, code=result.code, message="its key is taken")
            refused = Move(move.moved, State.REJECTED, code=result.code, message=_words(result))
            taken.append(refused)
        moves.append(move)
    with work.store.begin() as tx:
        journal_entries.move(tx, work.scope.run_id, moves, work.now())
    settle_taken_keys(work, taken)
    return verify(work, [one.moved for one in moves if one.state is State.DONE])


def _state(result: WriteResult) -> State:
    if result.outcome is Outcome.REJECTED and (result.retry or result.code == NOT_SENT):
        return State.PLANNED
    return _STATES[result.outcome]


def _words(result: WriteResult) -> str:
    if result.outcome is Outcome.APPLIED:
        return ""
    return f"{result.message}\n{result.hint}" if result.hint else result.message


def _verify_found(work: Work, keys: Sequence[str]) -> None:
    """What was there without being sent now: read back all the same, for its record's stamp."""
    if keys:
        with work.store.read() as tx:
            held = journal.by_keys(tx, work.scope.connection, keys)
        verify(work, list(held.values()), late=True)
