"""Plan: gather what the pure planning needs from the store, build the plan, and store it."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.config import Connection
from crm_sync.mapping import Mapping
from crm_sync.model import Band, Entity, Evidence, JobChange, Plan, Record, Scalar
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.stages.judge import Judged
from crm_sync.stages.pull import Unread
from crm_sync.store import baselines, journal, judgements, plans, records
from crm_sync.store.database import Store

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
) -> Plan:
    """The plan for the stored verdicts, stored in its turn.

    Where accounts are among the `unread`, a person decides: an employer may be of an earlier day.
    """
    from crm_sync.planning.build import build_plan

    with store.read() as tx:
        inputs = _inputs(tx, connection, mapping, playbooks, crm, judged, now)
    stale = next((one for one in unread if one.entity is Entity.ACCOUNT), None)
    if stale is not None:
        held = [_held(change, stale) for change in inputs.job_changes]
        inputs = replace(inputs, job_changes=held)
    plan = replace(build_plan(inputs), terms=mapping.terms)
    with store.begin() as tx:
        return plans.save_plan(tx, plan)


def _inputs(
    tx: Transaction,
    connection: Connection,
    mapping: Mapping,
    playbooks: Playbooks,
    crm: Steady,
    judged: Judged,
    now: datetime,
) -> PlanInputs:
    settings, name = connection.settings, connection.name
    changes = list(judgements.job_changes_of(tx, name))
    total = records.count(tx, name, Entity.CONTACT)
    ids = [change.contact_id for change in changes]
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
        job_changes=changes,
        contacts=_states(tx, name, mapping, ids),
        accounts=_canonical(mapping, records.all_records(tx, name, Entity.ACCOUNT)),
        colleagues=_canonical(mapping, records.all_records(tx, name, Entity.COLLEAGUE)),
        contacts_total=total,
        settled=journal.done_keys(tx, name),
        unsettled=journal.open_keys(tx, name),
        rejected=plans.rejected_keys(tx, name),
        merged_ids=records.merged_ids(tx, name, Entity.CONTACT, ids),
        source_counts=judged.sizes,
        tasks_today=journal.tasks_created_since(tx, name, midnight(now, settings.timezone)),
        funnel=judged.funnel,
        record_url=crm.url,
    )


def _held(change: JobChange, stale: Unread) -> JobChange:
    """The same job change, for a person to decide on."""
    if change.band is not Band.AUTO:
        return change
    reason = Evidence("accounts_unread", f"Not by itself: {stale.message}")
    return replace(change, band=Band.REVIEW, evidence=(*change.evidence, reason))


def _states(
    tx: Transaction, name: str, mapping: Mapping, ids: Sequence[str]
) -> dict[str, ContactState]:
    held = records.records_of(tx, name, Entity.CONTACT, ids)
    edits = baselines.of_records(tx, name, Entity.CONTACT, ids)
    return {
        id: ContactState(
            canonical=mapping.canonical(record),
            live=record.fields,
            baselines=edits.get(id, {}),
        )
        for id, record in held.items()
    }


def _canonical(
    mapping: Mapping, held: MappingType[str, Record]
) -> dict[str, MappingType[str, Scalar]]:
    return {id: mapping.canonical(record) for id, record in held.items()}


def midnight(now: datetime, timezone: str) -> datetime:
    """The start of the connection's own day: task caps are per day as colleagues live it."""
    from zoneinfo import ZoneInfo

    return now.astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
