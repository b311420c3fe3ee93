"""The body of a scheduled job: one run of one connection, whatever drives it."""

from __future__ import annotations

from pathlib import Path


def run_job(config: Path, connection: str) -> str:
    """Run a connection once; returns how it ended.

    Errors are logged, not raised: a failed run must not stop the schedule.
    """
    import structlog

    from crm_sync import pipeline
    from crm_sync.errors import CrmSyncError
    from crm_sync.workspace import open_workspace

    log = structlog.get_logger().bind(connection=connection)
    log.info("run_started")
    try:
        with open_workspace(config) as workspace:
            outcome = pipeline.run(workspace, connection)
    except CrmSyncError as problem:
        log.error("run_stopped", reason=problem.message, place=problem.place, fix=problem.fix)
        return type(problem).__name__
    except Exception as problem:  # the schedule outlives whatever a run meets
        log.error("run_failed", error=type(problem).__name__, where=_where(problem))
        return "failed"
    for one in outcome.unread:
        log.warning("object_closed", entity=one.entity.value, scopes=one.scopes)
    counts = dict(outcome.report.counts) if outcome.report else {}
    log.info("run_ended", run=outcome.run_id, plan=outcome.plan.id, **counts)
    return "done"


def _where(problem: BaseException) -> str:
    """Where it was raised, without the message, which may hold somebody's data."""
    trace = problem.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
