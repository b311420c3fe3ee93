"""Stored facts as plain data for people and machines: the CLI's tables and `--json` alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from crm_sync.mapping import LINKED
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.model import (
    Change,
    Entity,
    Evidence,
    JobChange,
    JobChangeKind,
    Operation,
    Plan,
    Record,
    plain,
)
from crm_sync.store import journal, judgements, plans, records
from crm_sync.store.runs import Run
from crm_sync.store.states import OPEN, State

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_sync.enrichment.source import Staged
    from crm_sync.stages.observe import Asked


UNDONE = "undone"
"""How a change stands that was in effect and was taken back."""


def job_changes_view(
    tx: Connection, connection: str, *, everything: bool
) -> Iterator[dict[str, Any]]:
    """Verdicts as `job-changes --json` prints them; `everything` includes unchanged and unknown."""
    for change in judgements.job_changes_of(tx, connection, changes_only=not everything):
        yield job_change_view(change)


def job_change_view(change: JobChange) -> dict[str, Any]:
    """One verdict."""
    return {
        "contact_id": change.contact_id,
        "kind": change.kind.value,
        "confidence": round(change.confidence, 4),
        "band": change.band.value,
        "since": change.since.isoformat() if change.since else None,
        "from": plain(change.before),
        "to": plain(change.after),
        "as_of": change.as_of.isoformat() if change.as_of else None,
        "source": change.source,
        "profile_id": change.profile_id,
        "rule": change.rule,
        "direction": change.direction,
        "match_confidence": round(change.match_confidence, 4),
        "change_confidence": round(change.change_confidence, 4),
        "evidence": [_evidence_view(one) for one in change.evidence],
    }


def plan_view(
    tx: Connection, plan: Plan, mapping: CrmMapping, most: int | None = None
) -> dict[str, Any]:
    """A plan with its changes (at most the first `most`), decisions and states."""
    shown = plan.proposed[:most]
    names = contact_names(tx, plan.connection, mapping, {one.contact_id for one in shown})
    decided = plans.decisions(tx, plan)
    keys = [one.key for one in shown]
    keys += [link.key for one in shown for link in plan.links.get(one.key, ())]
    states = _states(tx, plan, keys)
    return {
        "id": plan.id,
        "plan": plan.id,
        "connection": plan.connection,
        "mode": plan.mode.value,
        "created_at": plan.created_at.isoformat(),
        "expires_at": plan.expires_at.isoformat(),
        "hash": plan.hash,
        "undo_of": plan.undo_of,
        "funnel": funnel_steps(plan.funnel),
        "details": dict(plan.funnel),
        "counts": {"changes": len(plan.proposed), **plans.counts_by_disposition(plan)},
        "guards": [plain(guard) for guard in plan.guards],
        "changes": [
            _change_view(one, names, decided, states)
            | {"links": _links_view(plan.links.get(one.key, ()), states)}
            for one in shown
        ],
    }


def _states(tx: Connection, plan: Plan, keys: Collection[str]) -> dict[str, str]:
    """Where changes stand, in words; one that only an earlier plan failed at has no state yet.

    A link is undone with its task. Its state counts whichever run tried it last.
    """
    undone = plans.undone_keys(tx, plan.connection)
    undone |= {link.key for key in undone for link in plan.links.get(key, ())}
    found: dict[str, str] = {}
    for key, one in journal.by_keys(tx, plan.connection, keys).items():
        if one.state is State.DONE:
            found[key] = UNDONE if key in undone else one.state.value
        elif one.plan_id == plan.id or one.state in OPEN or one.operation is Operation.LINK:
            found[key] = one.state.value
    return found


def contact_names(
    tx: Connection, connection: str, mapping: CrmMapping, ids: Collection[str]
) -> dict[str, str]:
    """What people call these contacts."""
    held = records.records_of(tx, connection, Entity.CONTACT, ids)
    return {id: contact_name(mapping, record) for id, record in held.items()}


def contact_name(mapping: CrmMapping, record: Record) -> str:
    """A contact's full name, or its id where the CRM has none."""
    values = mapping.canonical(record)
    parts = [str(values[key]) for key in ("first_name", "last_name") if values.get(key)]
    return " ".join(parts) or str(values.get("name") or record.id)


def funnel_steps(counts: Mapping[str, int]) -> dict[str, int]:
    """The steps that people follow, in order, from a plan's detailed counts."""
    matched = sum(counts.get(f"matched_{band}", 0) for band in ("auto", "review"))
    changed = sum(counts.get(kind.value, 0) for kind in JobChangeKind if kind.is_change)
    return {
        "read": counts.get("contacts", 0),
        "matched": matched,
        "changed": changed,
        "planned": counts.get("changes", 0),
    }


def sources_view(sources: Mapping[str, Staged]) -> dict[str, Any]:
    """What each enrichment source held, and which of its records were left out and why."""
    return {
        name: {
            "profiles": count.profiles,
            "duplicates": count.duplicates,
            "left_out": dict(count.rejected),
            "doubted": dict(count.doubted),
            "places": list(count.places),
        }
        for name, count in sources.items()
    }


def asked_view(asked: Mapping[str, Asked]) -> dict[str, Any]:
    """What asking each source came to: answers by kind, credits, who is still due, and why."""
    return {name: asdict(one) for name, one in asked.items()}


def run_view(run: Run) -> dict[str, Any]:
    """One run."""
    return {
        "id": run.id,
        "run": run.id,
        "connection": run.connection,
        "kind": run.kind,
        "plan": run.plan_id,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "outcome": run.outcome or "unfinished",
        "counts": dict(run.counts),
        "message": run.message,
    }


def find_changes(plan: Plan, wanted: Iterable[str]) -> tuple[list[Change], list[str]]:
    """The changes whose keys begin with the given ids, and the ids that name none or several."""
    found: list[Change] = []
    unclear: list[str] = []
    for id in wanted:
        hits = [one for one in plan.proposed if id and one.key.startswith(id.lower())]
        found += hits if len(hits) == 1 else []
        unclear += [] if len(hits) == 1 else [id]
    return found, unclear


def _change_view(
    change: Change,
    names: Mapping[str, str],
    decided: Mapping[str, str],
    states: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "id": change.short_id,
        "key": change.key,
        "operation": change.operation.value,
        "entity": change.entity.value,
        "record_id": change.record_id,
        "contact_id": change.contact_id,
        "contact": names.get(change.contact_id, change.contact_id),
        "kind": change.kind.value,
        "disposition": change.disposition.value,
        "decision": decided.get(change.key),
        "state": states.get(change.key),
        "reason": change.reason,
        "held_by": change.held_by,
        "confidence": round(change.confidence, 4),
        "source": change.source,
        "identified_by": change.identified_by,
        "band": change.band,
        "requires": change.requires,
        "fields": [plain(field) for field in change.fields],
        "evidence": [_evidence_view(one) for one in change.evidence],
    }


def _links_view(links: Iterable[Change], states: Mapping[str, str]) -> list[dict[str, Any]]:
    """To whom a task is linked, or is to be: the entity, its id, and where that stands."""
    return [
        {
            "to": LINKED[link.fields[0].name].value,
            "id": link.fields[0].after,
            "state": states.get(link.key),
        }
        for link in links
    ]


def _evidence_view(one: Evidence) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "detail": one.detail,
        "source": one.source,
        "as_of": one.as_of.isoformat() if one.as_of else None,
        "weight": one.weight,
    }
