"""One chunk of writes to its results: what a refusal or a fault means for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crm_sync.calls.retry import RetryPolicy, Sleep
from crm_sync.connector import (
    BatchRejected,
    Outcome,
    TryLater,
    Write,
    WriteResult,
)
from crm_sync.errors import CrmSyncError

NOT_SENT = "NOT_SENT"
"""Code of a row that was certainly not carried out, because the CRM could not be asked any more."""

Send = Callable[[Sequence[Write]], Sequence[WriteResult]]


class ChunkSender:
    """Sends one chunk through `send`, which retries what may be repeated and else raises."""

    def __init__(self, send: Send, policy: RetryPolicy, sleep: Sleep) -> None:
        self._send = send
        self._policy = policy
        self._sleep = sleep

    def send(self, writes: Sequence[Write]) -> list[WriteResult]:
        """One result per write, in order; raises only if no row at all was carried out."""
        if not writes:
            return []
        results = self._batch(writes)
        pause = self._policy.first_pause
        for _ in range(self._policy.attempts - 1):
            waiting = [index for index, result in enumerate(results) if _mends_itself(result)]
            if not waiting:
                break
            self._sleep(min(pause, self._policy.longest_pause))
            pause *= 2
            for index in waiting:
                results[index] = self._alone(writes[index], results[index])
        return results

    def _batch(self, writes: Sequence[Write]) -> list[WriteResult]:
        """Raises when nothing of this batch was carried out."""
        try:
            results = list(self._send(writes))
        except BatchRejected as refusal:
            return self._halves(writes, refusal)
        except TryLater as fault:
            if not fault.sent:
                raise
            return [_unknown(write, fault.message) for write in writes]
        if len(results) != len(writes):
            # A connector that breaks this law cannot say which row is which.
            told = f"{len(results)} results for {len(writes)} writes"
            return [_unknown(write, told) for write in writes]
        return results

    def _halves(self, writes: Sequence[Write], refusal: BatchRejected) -> list[WriteResult]:
        if len(writes) == 1:
            return [
                WriteResult(
                    Outcome.REJECTED,
                    record_id=writes[0].record_id,
                    code=refusal.code,
                    message=refusal.message,
                )
            ]
        middle = len(writes) // 2
        results = self._batch(writes[:middle])
        try:
            return results + self._batch(writes[middle:])
        except CrmSyncError as reason:
            return results + [_not_sent(write, reason) for write in writes[middle:]]

    def _alone(self, write: Write, rejected: WriteResult) -> WriteResult:
        """The row sent by itself; as it was, if the CRM cannot be asked."""
        try:
            [result] = self._batch([write])
        except CrmSyncError:
            return rejected
        return result


def _mends_itself(result: WriteResult) -> bool:
    return result.outcome is Outcome.REJECTED and result.retry and result.code != NOT_SENT


def _unknown(write: Write, message: str) -> WriteResult:
    return WriteResult(
        Outcome.UNKNOWN, record_id=write.record_id, code="NO_ANSWER", message=message
    )


def _not_sent(write: Write, reason: CrmSyncError) -> WriteResult:
    return WriteResult(
        Outcome.REJECTED,
        record_id=write.record_id,
        code=NOT_SENT,
        message=reason.message,
        retry=True,
    )
