"""Plan: gather what the pure planning needs from the store, build the plan, and store it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from crm_sync.config import Connection
from crm_sync.mapping import Mapping
from crm_sync.model import Entity, Plan, Record, Scalar
from crm_sync.planning.inputs import PlanInputs
from crm_sync.progress import Progress, silent
from crm_sync.stages.judge import Judged
from crm_sync.stages.pull import Unread
from crm_sync.store import drafting, journal, planned, plans, records
from crm_sync.store.database import Store
from crm_sync.store.plan_rows import PACKED_FROM
from crm_sync.store.planned import Kept

if TYPE_CHECKING:
    from sqlalchemy import Connection as Transaction

    from crm_sync.calls.steady import Steady
    from crm_sync.planning.playbooks import Playbooks


def load_playbooks_of(connection: Connection) -> Playbooks:
    """The connection's playbooks, or the shipped ones."""
    from crm_sync.planning.playbooks import load_playbooks
    from crm_sync.shipped import shipped

    named = connection.settings.playbooks
    return load_playbooks(connection.path(named) if named else shipped("mappings/playbooks.yaml"))


def draft_plan(
    store: Store,
    connection: Connection,
    mapping: Mapping,
    playbooks: Playbooks,
    crm: Steady,
    judged: Judged,
    *,
    now: datetime,
    unread: Sequence[Unread] = (),
    progress: Progress = silent,
    reuse: bool = True,
) -> Plan:
    """The plan for the stored verdicts, stored in its turn; its changes are read when looked at.

    Where accounts are among the `unread`, a person decides: an employer may be of an earlier day.
    With `reuse`, what is as it was at the last plan is taken from there: the plan is the same.
    """
    from crm_sync.planning.build import planned as planned_changes
    from crm_sync.planning.build import refuse_misplaced_titles
    from crm_sync.planning.fingerprints import Fingerprints, dates_move, due_dates
    from crm_sync.planning.guards import Tally
    from crm_sync.planning.tasks import account_names
    from crm_sync.stages.drafting import PART, Setting, draft_parts

    refuse_misplaced_titles(mapping)
    stale = next((one for one in unread if one.entity is Entity.ACCOUNT), None)
    held = stale.message if stale else ""
    with store.read() as tx:
        inputs = _inputs(tx, connection, mapping, playbooks, crm, judged, now)
        names = account_names(inputs.accounts)
        total = drafting.count_of(tx, connection.name)
        earlier = planned.earlier_plan(tx, connection.name) if reuse else None
        setting = Setting(
            store=store,
            inputs=inputs,
            names=names,
            packed=total >= PACKED_FROM,
            held=held,
            fingerprints=Fingerprints(inputs, names, held) if reuse else None,
            again=earlier is not None and dates_move(inputs),
        )
        parts = drafting.parts(tx, connection.name, PART)
        made = draft_parts(setting, tx, parts, total, progress)
    tally, left_out = Tally(), Counter[str]()
    for one in made:
        tally.merge(one.tally)
        left_out.update(one.left_out)
    plan = planned_changes(inputs, (), tally, dict(sorted(left_out.items())))
    kept = Kept(earlier or 0, [id for one in made for id in one.kept], due_dates(inputs))
    with store.begin() as tx:
        plan = plans.save_rows(
            tx, store, replace(plan, terms=mapping.terms), [one.rows for one in made], kept
        )
        if reuse:
            rows = chain.from_iterable(one.planned for one in made)
            planned.remember(tx, connection.name, plan.id, rows, kept.contacts)
    return plan


def _inputs(
    tx: Transaction,
    connection: Connection,
    mapping: Mapping,
    playbooks: Playbooks,
    crm: Steady,
    judged: Judged,
    now: datetime,
) -> PlanInputs:
    """All but job changes and contacts."""
    settings, name = connection.settings, connection.name
    return PlanInputs(
        connection=name,
        mapping=mapping,
        playbooks=playbooks,
        mode=settings.mode,
        guards=settings.guards,
        language=settings.language,
        now=now,
        timezone=settings.timezone,
        expires_after_days=settings.plan_expires_after_days,
        job_changes=(),
        contacts={},
        accounts=_canonical(mapping, records.all_records(tx, name, Entity.ACCOUNT)),
        colleagues=_canonical(mapping, records.all_records(tx, name, Entity.COLLEAGUE)),
        contacts_total=records.count(tx, name, Entity.CONTACT),
        settled=journal.done_keys(tx, name),
        unsettled=journal.open_keys(tx, name),
        rejected=plans.rejected_keys(tx, name),
        merged_ids=records.merged_ids(tx, name, Entity.CONTACT),
        source_counts=judged.sizes,
        tasks_today=journal.tasks_created_since(tx, name, midnight(now, settings.timezone)),
        funnel=judged.funnel,
        record_url=crm.url,
    )


def _canonical(
    mapping: Mapping, held: MappingType[str, Record]
) -> dict[str, MappingType[str, Scalar]]:
    return {id: mapping.canonical(record) for id, record in held.items()}


def midnight(now: datetime, timezone: str) -> datetime:
    """The start of the connection's own day: task caps are per day as colleagues live it."""
    from zoneinfo import ZoneInfo

    return now.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
