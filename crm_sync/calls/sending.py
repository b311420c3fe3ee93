"""One chunk of writes to its results: what a refusal or a fault means for each row.

Nothing here waits or sends a row twice: halving a refused batch sends only rows of which the CRM
has just said that it carried out none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from crm_sync.calls.words import without_values
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


def send_chunk(send: Send, writes: Sequence[Write]) -> list[WriteResult]:
    """One result per write, in order; raises only if no row at all was carried out.

    `send` carries out one batch or raises; it is asked once for each row, but for batches that
    are refused as a whole.
    """
    if not writes:
        return []
    results = _batch(send, writes)
    return [_discreet(write, result) for write, result in zip(writes, results, strict=True)]


def _batch(send: Send, writes: Sequence[Write]) -> list[WriteResult]:
    """Raises when nothing of this batch was carried out."""
    try:
        results = list(send(writes))
    except BatchRejected as refusal:
        return _halves(send, writes, refusal)
    except TryLater as fault:
        if not fault.sent:
            raise
        return [_unknown(write, fault.message) for write in writes]
    if len(results) != len(writes):
        # A connector that breaks this law cannot say which row is which.
        told = f"{len(results)} results for {len(writes)} writes"
        return [_unknown(write, told) for write in writes]
    return results


def _halves(send: Send, writes: Sequence[Write], refusal: BatchRejected) -> list[WriteResult]:
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
    results = _batch(send, writes[:middle])
    try:
        return results + _batch(send, writes[middle:])
    except CrmSyncError as reason:
        return results + [_not_sent(write, reason) for write in writes[middle:]]


def _discreet(write: Write, result: WriteResult) -> WriteResult:
    if not result.message:
        return result
    return replace(result, message=without_values(result.message, write.fields))


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
        retry_after=reason.retry_after if isinstance(reason, TryLater) else None,
    )
