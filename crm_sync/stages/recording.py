"""A run that is being recorded: that it began, what it came to, how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crm_sync.errors import CrmSyncError, Refused, TryLater
from crm_sync.store import runs
from crm_sync.workspace import Workspace, utc_now

if TYPE_CHECKING:
    from crm_sync.enrichment.source import Staged
    from crm_sync.stages.observe import Asked
    from crm_sync.stages.pull import Unread
    from crm_sync.stages.whole import Whole


@dataclass
class RecordedRun:
    """A run being recorded; what stands here when it ends is stored."""

    id: int
    outcome: str = "done"
    counts: dict[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Staged] = field(default_factory=dict)
    asked: Mapping[str, Asked] = field(default_factory=dict)
    unread: Sequence[Unread] = ()
    whole: Sequence[Whole] = ()


@contextmanager
def recorded(
    workspace: Workspace, connection: str, kind: str, plan_id: int | None = None
) -> Iterator[RecordedRun]:
    """Store that a run began, and how it ended."""
    with workspace.store.begin() as tx:
        run = RecordedRun(runs.start_run(tx, connection, kind, utc_now(), plan_id))
    message = ""
    try:
        yield run
        message = "; ".join(one.message for one in run.unread)
    except BaseException as problem:
        run.outcome = _ending(problem)
        message = problem.message if isinstance(problem, CrmSyncError) else type(problem).__name__
        raise
    finally:
        with workspace.store.begin() as tx:
            runs.end_run(tx, run.id, utc_now(), run.outcome, run.counts, message)


def _ending(problem: BaseException) -> str:
    if isinstance(problem, Refused):
        return "refused"
    if isinstance(problem, TryLater):
        return "later"
    if isinstance(problem, KeyboardInterrupt):
        return "interrupted"
    return "failed"
