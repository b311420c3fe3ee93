"""The main job, in its order. The only file that knows it.

pull → observe → match → detect → plan → (review) → apply → verify. Each step stores its result
before the next begins, so that what was interrupted is simply done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from crm_sync.config import Connection
from crm_sync.errors import NotFound, PlanStale, Refused
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import Entity, Mode, Plan
from crm_sync.outcome import Outcome, outcome_of
from crm_sync.progress import Progress, silent
from crm_sync.stages.fitting import refuse_misfit
from crm_sync.stages.recording import RecordedRun, recorded
from crm_sync.stages.whole import CHANGES, Ask
from crm_sync.store import answers, journal, plans, runs
from crm_sync.workspace import Workspace, utc_now

if TYPE_CHECKING:
    import pyarrow as pa

    from crm_sync.applying.apply import ApplyReport
    from crm_sync.calls.steady import Steady
    from crm_sync.enrichment.source import AnySource
    from crm_sync.stages.judge import Judged
    from crm_sync.stages.pull import Pulled
    from crm_sync.store.intents import Intent


def pull(
    workspace: Workspace, name: str | None, *, full: bool = False, progress: Progress = silent
) -> Pulled:
    """Bring our copy of the CRM up to date; with `full`, by reading everything again."""
    connection = workspace.config.connection(name)
    mapping = workspace.mapping(connection)
    with (
        workspace.store.lock(connection.name),
        recorded(workspace, connection.name, "pull") as run,
        workspace.crm(connection) as crm,
    ):
        refuse_misfit(mapping, crm, connection.name)
        ask = Ask(full, connection.settings.full_pull_days)
        pulled = _read_crm(workspace, connection, mapping, crm, run, utc_now(), ask, progress)
        run.counts = dict(pulled.changed)
    return pulled


def plan(
    workspace: Workspace, name: str | None, *, full: bool = False, progress: Progress = silent
) -> Outcome:
    """Read (everything again if `full`), judge and plan. Writes nothing to the CRM."""
    connection = workspace.config.connection(name)
    with (
        recorded(workspace, connection.name, "plan") as run,
        workspace.crm(connection) as crm,
    ):
        made = _plan(workspace, connection, crm, run, full, progress)
        return outcome_of(workspace, run, made, None, crm)


def apply(workspace: Workspace, plan_id: int, *, progress: Progress = silent) -> Outcome:
    """Write what of a plan may be written, and read it back."""
    with workspace.store.read() as tx:
        stored = plans.load_plan(tx, plan_id)
    connection = workspace.config.connection(stored.connection)
    with recorded(workspace, connection.name, "apply", plan_id) as run:
        refuse_if_unfit(workspace, connection, stored)
        mapping = workspace.mapping(connection)
        with workspace.crm(connection) as crm:
            refuse_misfit(mapping, crm, connection.name)
            # Somebody may have been deleted, or have opted out, since the plan was made.
            with workspace.store.lock(connection.name):
                _read_crm(workspace, connection, mapping, crm, run, utc_now(), CHANGES, progress)
            report = _apply(workspace, connection, crm, stored, run, progress)
            return outcome_of(workspace, run, stored, report, crm)


def run(
    workspace: Workspace, name: str | None, *, full: bool = False, progress: Progress = silent
) -> Outcome:
    """Plan (see `plan`), then apply what needs nobody; in shadow mode only plan."""
    connection = workspace.config.connection(name)
    with (
        recorded(workspace, connection.name, "run") as record,
        workspace.crm(connection) as crm,
    ):
        made = _plan(workspace, connection, crm, record, full, progress)
        if made.mode is Mode.SHADOW:
            return outcome_of(workspace, record, made, None, crm)
        refuse_if_unfit(workspace, connection, made)
        report = _apply(workspace, connection, crm, made, record, progress)
        return outcome_of(workspace, record, made, report, crm)


def undo(workspace: Workspace, run_id: int, *, progress: Progress = silent) -> Outcome:
    """Take a run back, except what somebody has edited since."""
    from crm_sync.applying.undo import undo_plan

    with workspace.store.read() as tx:
        original = runs.get_run(tx, run_id)
    if original is None:
        raise NotFound(f"there is no run {run_id}", fix="`crm-sync runs` lists them.")
    connection = workspace.config.connection(original.connection)
    with (
        recorded(workspace, connection.name, "undo") as record,
        workspace.crm(connection) as crm,
    ):
        mapping = workspace.mapping(connection)
        made, notes = undo_plan(workspace.store, crm, run_id, mapping, utc_now())
        with workspace.store.begin() as tx:
            made = plans.save_plan(tx, made)
            runs.set_plan(tx, record.id, made.id)
        report = _apply(workspace, connection, crm, made, record, progress)
        return outcome_of(workspace, record, made, report, crm, notes)


def settle(workspace: Workspace, name: str | None, change: str, *, there: bool) -> Intent:
    """Take a person's word for what became of a write whose answer was lost."""
    import getpass

    from crm_sync.applying import settle_by_hand

    connection = workspace.config.connection(name)
    with workspace.crm(connection) as crm:
        late = crm.capabilities.late_seconds
    with recorded(workspace, connection.name, "settle") as run:
        return settle_by_hand(
            workspace.store,
            connection.name,
            change,
            there=there,
            run_id=run.id,
            now=utc_now(),
            by=getpass.getuser(),
            late_seconds=late,
        )


def refuse_if_unfit(workspace: Workspace, connection: Connection, stored: Plan) -> None:
    """Stop before the first write: shadow mode, a changed mapping, or a tripped guard."""
    from crm_sync.planning.guards import refusal, tripped
    from crm_sync.stages.draft import midnight

    place = f"plan {stored.id}"
    if Mode.SHADOW in (stored.mode, connection.settings.mode):
        raise Refused(
            "this connection is in shadow mode: it plans and writes nothing",
            place=place,
            fix="Set `mode: review` for the connection, and make a new plan.",
        )
    if stored.terms != workspace.mapping(connection).terms:
        raise PlanStale(
            "the mapping allows other changes now than when this plan was made",
            place=place,
            fix=f"Make a new plan: crm-sync plan {connection.name}",
        )
    since = midnight(utc_now(), connection.settings.timezone)
    with workspace.store.read() as tx:
        found = tripped(
            stored,
            plans.decisions(tx, stored),
            settled=journal.sent_keys(tx, stored.connection),
            tasks_today=journal.tasks_created_since(tx, stored.connection, since),
        )
    if found:
        raise refusal(found, place)


def _plan(
    workspace: Workspace,
    connection: Connection,
    crm: Steady,
    run: RecordedRun,
    full: bool,
    progress: Progress,
) -> Plan:
    from crm_sync.stages.draft import draft_plan, load_playbooks_of
    from crm_sync.stages.judge import inspect_sources, match_settings, open_sources

    now, store = utc_now(), workspace.store
    mapping = workspace.mapping(connection)
    # What an operator can have got wrong is told before the long work begins.
    playbooks = load_playbooks_of(connection)
    match_settings(workspace.config)
    ask = Ask(full, connection.settings.full_pull_days)
    with open_sources(workspace.config, connection.settings.enrichment) as sources:
        inspect_sources(sources)
        refuse_misfit(mapping, crm, connection.name)
        with store.lock(connection.name):
            _read_crm(workspace, connection, mapping, crm, run, now, ask, progress)
            judged = _judge(workspace, connection, mapping, sources, run, now, progress)
            progress("Planning", 0, None)
            made = draft_plan(
                store,
                connection,
                mapping,
                playbooks,
                crm,
                judged,
                now=now,
                unread=run.unread,
                progress=progress,
                reuse=not full,
            )
    with store.begin() as tx:
        runs.set_plan(tx, run.id, made.id)
    run.sources = judged.sources
    run.counts = {
        **made.funnel,
        **plans.counts_by_disposition(made),
        **{f"asked_{name}": one.asked for name, one in run.asked.items()},
    }
    return made


def _judge(
    workspace: Workspace,
    connection: Connection,
    mapping: CrmMapping,
    sources: Sequence[AnySource],
    run: RecordedRun,
    now: datetime,
    progress: Progress,
) -> Judged:
    """Ask the sources that are asked, then compare every contact with all that is known."""
    from crm_sync.stages.judge import judge_all, match_settings
    from crm_sync.stages.observe import observe_all
    from crm_sync.store.export import contacts_table

    store, name = workspace.store, connection.name
    known = all(one.entity is not Entity.ACCOUNT for one in run.unread)

    @cache
    def contacts() -> pa.Table:
        return contacts_table(store, name, mapping, accounts_read=known)

    observed = observe_all(store, name, contacts, sources, now=now, progress=progress)
    run.asked = observed.asked
    settings = match_settings(workspace.config)
    return judge_all(
        store, connection, contacts, observed, now=now, settings=settings, progress=progress
    )


def _read_crm(
    workspace: Workspace,
    connection: Connection,
    mapping: CrmMapping,
    crm: Steady,
    run: RecordedRun,
    now: datetime,
    ask: Ask,
    progress: Progress,
) -> Pulled:
    """Settle what an earlier process left open, then pull; forget what was bought of who is gone.

    The other way round, a write of ours made just before a crash would be taken for an edit.
    """
    from crm_sync.applying.reconcile import reconcile
    from crm_sync.stages.pull import pull_all

    store = workspace.store
    reconcile(store, crm, connection.name, mapping, run_id=run.id, now=utc_now)
    pulled = pull_all(store, connection, mapping, crm, now=now, ask=ask, progress=progress)
    with store.begin() as tx:
        answers.forget_gone(tx, connection.name)
    run.unread, run.whole = pulled.unread, pulled.whole
    _log_pull(connection.name, pulled)
    return pulled


def _log_pull(connection: str, pulled: Pulled) -> None:
    import structlog

    log = structlog.get_logger("crm_sync.pull").bind(connection=connection)
    for whole in pulled.whole:
        log.info("pull.whole", entity=whole.entity.value, why=whole.why.value)
    for unread in pulled.unread:
        log.info("pull.closed", entity=unread.entity.value, scopes=unread.scopes)


def _apply(
    workspace: Workspace,
    connection: Connection,
    crm: Steady,
    stored: Plan,
    run: RecordedRun,
    progress: Progress,
) -> ApplyReport:
    from crm_sync.applying.apply import apply_plan

    report = apply_plan(
        workspace.store,
        crm,
        stored,
        workspace.mapping(connection),
        run_id=run.id,
        now=utc_now,
        progress=lambda done, total: progress("Writing", done, total),
    )
    run.counts |= {state.value: count for state, count in report.counts.items()}
    run.outcome = "done" if report.complete else "partial"
    return report
