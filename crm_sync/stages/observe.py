"""Observe: ask the sources that are asked, about the contacts that are worth it, within a budget.

The only stage after the pull that uses the network. The answers of each call are stored before the
next one: what was paid is never lost, wherever the process ends. A source that cannot be asked any
more ends its asking, not the run, which goes on with what is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from crm_sync.calls.retry import RetryPolicy, Sleep, call_with_retry
from crm_sync.enrichment.asking import MAX_DOCUMENT, Answer, AskingSource
from crm_sync.enrichment.cache import AnsweredSource
from crm_sync.errors import BatchRejected, QuotaReached, ServerFault, TryLater
from crm_sync.progress import Progress, silent
from crm_sync.stages.whom import Due, DueContact, Ranking, due_contacts
from crm_sync.store import answers
from crm_sync.store.database import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from crm_sync.enrichment.source import AnySource, Source

_HAIR = 1e-9
"""Credits are sums of fractions: what a hair's breadth lacks is there."""

_REFUSALS = 5
"""So many questions refused, and not one answered: it is not the questions that are wrong."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking one source came to in a run.

    Of `asked` contacts the answers were `found`, `absent` or `refused`, for `credits`. So many are
    still `waiting`, at most (some may hold too little to be asked about); `note` says why.
    """

    asked: int = 0
    found: int = 0
    absent: int = 0
    refused: int = 0
    credits: float = 0.0
    waiting: int = 0
    note: str = ""


@dataclass(frozen=True)
class Observed:
    """The sources as the judgement reads them, and what those that are asked came to, by name."""

    sources: Sequence[Source]
    asked: Mapping[str, Asked]


def observe_all(
    store: Store,
    connection: str,
    contacts: Callable[[], pa.Table],
    sources: Sequence[AnySource],
    *,
    now: datetime,
    ranking: Ranking | None = None,
    policy: RetryPolicy | None = None,
    sleep: Sleep = time.sleep,
    progress: Progress = silent,
) -> Observed:
    """Ask each source that is asked; the sources to judge by, in the same order.

    `contacts` makes the table of contacts (see `export.contacts_table`), where one is needed.
    `ranking` says who comes first; without one, all are equal. Raises `AccessDenied` when a source
    refuses the credentials.
    """
    held: list[Source] = []
    asked: dict[str, Asked] = {}
    for source in sources:
        if not isinstance(source, AskingSource):
            held.append(source)
            continue
        call = partial(call_with_retry, policy or RetryPolicy(), kind="ask", sleep=sleep)
        asking = _Asking(store, connection, source, now, call, progress)
        known = answers.asked_before(store, connection, source.name)
        before = now - timedelta(days=source.max_age_days)
        with due_contacts(contacts(), known, before=before, ranking=ranking) as due:
            asked[source.name] = asking.run(due)
        read = partial(answers.found_documents, store, connection, source.name)
        held.append(AnsweredSource(source.name, source.mapping, read, source.trust))
    return Observed(held, asked)


class _Stop(Exception):
    """Nobody else is asked in this run, for the reason that the message gives."""


@dataclass
class _Asking:
    """One source being asked in one run; counts as it goes."""

    store: Store
    connection: str
    source: AskingSource
    now: datetime
    call: Callable[[Callable[[], Sequence[Answer]]], Sequence[Answer]]
    progress: Progress
    left: float = field(init=False)
    result: Asked = field(default_factory=Asked)
    too_little: int = 0
    proven: bool = False
    refusals: list[tuple[DueContact, Answer]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left = self.source.budget

    def run(self, due: Due) -> Asked:
        """Ask until nobody is due, the budget is spent, or the source says no."""
        note = ""
        whom = self._answerable(due.contacts)
        try:
            while batch := self._next(whom):
                self._batch(batch)
                self._tell(due)
        except _Stop as reason:
            note = str(reason)
        waiting = due.total - self.too_little - self.result.asked
        self._log(waiting, note)
        return replace(self.result, waiting=waiting, note=note)

    def _next(self, whom: Iterator[DueContact]) -> list[DueContact]:
        """As many as one call takes and the budget affords, whatever each of them costs."""
        size, cost = self.source.batch_size, self.source.max_cost
        if cost > 0:
            size = min(size, int((self.left + _HAIR) / cost))
        first = next(whom, None)
        if first is None:
            return []
        if size < 1:
            raise _Stop("the budget of this run is spent")
        return [first, *islice(whom, size - 1)]

    def _answerable(self, contacts: Iterator[DueContact]) -> Iterator[DueContact]:
        for one in contacts:
            if self.source.answerable(one.question):
                yield one
            else:
                self.too_little += 1

    def _batch(self, batch: Sequence[DueContact]) -> None:
        """Ask about these, and store what was answered before anything else happens."""
        try:
            given = self._ask(batch)
        except BatchRejected as refusal:
            self._halve(batch, refusal)
            return
        self.proven = True
        self._store(_sound(given, batch), batch)
        self._store_refusals()

    def _halve(self, batch: Sequence[DueContact], refusal: BatchRejected) -> None:
        """Find the question for which the call was refused; the others are answered."""
        if len(batch) > 1:
            middle = len(batch) // 2
            self._batch(batch[:middle])
            self._batch(batch[middle:])
            return
        (one,) = batch
        words = f"the source does not take this question: {refusal.code}"
        self.refusals.append((one, Answer(one.question.contact_id, "refused", message=words)))
        if self.proven:
            self._store_refusals()
        elif len(self.refusals) >= _REFUSALS:
            raise _Stop(f"it takes no question: {refusal.code}")

    def _store_refusals(self) -> None:
        """Once a question was answered, those that were refused are the ones that are wrong."""
        refused = [answer for _, answer in self.refusals]
        whom = [one for one, _ in self.refusals]
        self.refusals = []
        if refused:
            self._store(refused, whom)

    def _store(self, given: Sequence[Answer], whom: Sequence[DueContact]) -> None:
        digests = {one.question.contact_id: one.digest for one in whom}
        with self.store.begin() as tx:
            answers.save_answers(tx, self.connection, self.source.name, given, digests, self.now)
        spent = sum(one.credits for one in given)
        self.left -= spent
        counts = {name: sum(one.status == name for one in given) for name in _STATUSES}
        self.result = Asked(
            self.result.asked + len(given),
            **{name: getattr(self.result, name) + count for name, count in counts.items()},
            credits=self.result.credits + spent,
        )

    def _ask(self, batch: Sequence[DueContact]) -> Sequence[Answer]:
        """One call, repeated as the core repeats calls; raises `_Stop` when it came to nothing."""
        cost = self.source.max_cost * len(batch)
        questions = [one.question for one in batch]

        def once() -> Sequence[Answer]:
            if cost > self.left + _HAIR:
                raise _Stop("a call that was not answered may have cost the rest of the budget")
            try:
                return self.source.ask(questions)
            except ServerFault:
                self.left -= cost  # nobody knows whether it was paid
                raise

        try:
            return self.call(once)
        except QuotaReached as problem:
            raise _Stop(problem.message) from None
        except TryLater as problem:
            raise _Stop(f"it could not be asked any more: {problem.message}") from None

    def _tell(self, due: Due) -> None:
        most = due.total
        if self.source.max_cost > 0:
            most = min(most, self.result.asked + int(self.left / self.source.max_cost))
        self.progress(f"Asking {self.source.name}", self.result.asked, most)

    def _log(self, waiting: int, note: str) -> None:
        import structlog

        one = self.result
        structlog.get_logger("crm_sync.observe").info(
            "observe.asked",
            connection=self.connection,
            source=self.source.name,
            asked=one.asked,
            found=one.found,
            credits=one.credits,
            waiting=waiting,
            note=note,
        )


_STATUSES = ("found", "absent", "refused")


def _sound(given: Sequence[Answer], batch: Sequence[DueContact]) -> list[Answer]:
    """The answers to what was asked, one each; a document that cannot be read is refused."""
    from crm_sync.enrichment.scan import json_problem

    asked = {one.question.contact_id for one in batch}
    kept: dict[str, Answer] = {}
    for one in given:
        if one.contact_id not in asked or one.contact_id in kept:
            continue
        answer = one if one.status == "found" else replace(one, document=None)
        text = answer.document
        if answer.status == "found" and (
            not text or len(text) > MAX_DOCUMENT or json_problem(text)
        ):
            words = "the source's answer cannot be read"
            answer = replace(answer, status="refused", document=None, message=words)
        kept[one.contact_id] = answer
    return list(kept.values())
