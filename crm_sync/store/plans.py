"""Plans, their changes, and people's decisions about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.errors import NotFound, PlanStale
from crm_sync.later import Later
from crm_sync.model import (
    EDITION,
    Change,
    Decision,
    Disposition,
    Entity,
    GuardResult,
    JobChangeKind,
    Mode,
    Operation,
    Plan,
    canonical_json,
    plain,
)
from crm_sync.sealed import joined_digest, joined_hash
from crm_sync.store.plan_rows import (
    ALL_COLUMNS,
    PACKED_FROM,
    Rows,
    insert_rows,
    read_changes,
    rows_of,
    sealed_in,
)
from crm_sync.store.planned import Kept, copy_changes, make_fresh
from crm_sync.store.sql import chunks, moment, stamp, upsert
from crm_sync.store.tables import approval, change, intent, plan, rejected_key

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from crm_sync.store.database import Store

APPROVED, REJECTED = Decision.APPROVED, Decision.REJECTED


SOURCE_GUARDS = ("empty_source", "shrunken_source")
"""How the names of the guards on enrichment sources begin."""


def save_plan(tx: Connection, new: Plan) -> Plan:
    """Store a plan with its changes; returns it with its id."""
    made = rows_of(new.changes, packed=len(new.changes) >= PACKED_FROM)
    plan_id, *_ = _save(tx, new, [made])
    return replace(new, id=plan_id, edition=EDITION)


def save_rows(tx: Connection, store: Store, new: Plan, batches: Sequence[Rows], kept: Kept) -> Plan:
    """Store a plan whose changes are rows already, or are `kept`; returns it with its id.

    The changes are read from the store when they are first looked at.
    """
    plan_id, digest, held = _save(tx, new, batches, kept)

    def load() -> Sequence[Change]:
        with store.read() as later:
            return load_plan(later, plan_id).changes

    return replace(new, id=plan_id, changes=Later(held, digest, load), edition=EDITION)


def _save(
    tx: Connection, new: Plan, batches: Sequence[Rows], kept: Kept | None = None
) -> tuple[int, str, int]:
    """Returns the plan's id, the digest over its changes, and how many they are."""
    from sqlalchemy import insert, update

    values = {
        "connection": new.connection,
        "created_at": stamp(new.created_at),
        "expires_at": stamp(new.expires_at),
        "mode": new.mode.value,
        "hash": "",
        "guards": canonical_json([plain(guard) for guard in new.guards]),
        "funnel": canonical_json(dict(new.funnel)),
        "undo_of": new.undo_of,
        "terms": new.terms,
        "edition": EDITION,
    }
    result = tx.execute(insert(plan).values(values))
    plan_id = int(result.inserted_primary_key[0])  # type: ignore[index]
    if kept is not None and kept.contacts:
        make_fresh(tx)
        insert_rows(tx, plan_id, batches, "fresh_change")
        copy_changes(tx, plan_id, kept, ALL_COLUMNS)
        sealed = list(sealed_in(tx, plan_id))
    else:
        insert_rows(tx, plan_id, batches)
        sealed = [one for batch in batches for one in batch.sealed]
    digest = joined_digest(sealed)
    hashed = joined_hash(new.connection, new.undo_of, digest)
    tx.execute(update(plan).where(plan.c.id == plan_id).values(hash=hashed))
    return plan_id, digest, len(sealed)


def load_plan(tx: Connection, plan_id: int) -> Plan:
    """A stored plan.

    Raises `NotFound`, and `PlanStale` when its changes are no longer those it was hashed with.
    """
    from sqlalchemy import select

    row = tx.execute(select(plan).where(plan.c.id == plan_id)).first()
    if row is None:
        raise NotFound(f"there is no plan {plan_id}", fix="`crm-sync runs` lists runs and plans.")
    try:
        stored = _plan(row, read_changes(tx, plan_id))
        altered = stored.hash != row.hash
    except (ValueError, TypeError, KeyError, AttributeError):
        altered = True  # no text that we would have stored
    if altered:
        raise PlanStale(
            f"plan {plan_id} is not what was planned: its changes were altered",
            fix="Make a new one from the beginning: crm-sync plan --full",
        )
    return stored


def latest_plan_id(tx: Connection, connection: str | None = None) -> int | None:
    """The newest plan that counts, or None.

    An undo does not, nor does a plan from a source that was empty or had shrunk: what such a plan
    leaves out says nothing about what was planned before.
    """
    from sqlalchemy import select

    query = select(plan.c.id, plan.c.guards).where(plan.c.undo_of.is_(None))
    if connection is not None:
        query = query.where(plan.c.connection == connection)
    for row in tx.execute(query.order_by(plan.c.id.desc())):
        if not any(_doubts_the_source(guard) for guard in json.loads(row.guards)):
            return int(row.id)
    return None


def _doubts_the_source(guard: Mapping[str, Any]) -> bool:
    return bool(guard["tripped"]) and str(guard["name"]).startswith(SOURCE_GUARDS)


def superseded_keys(tx: Connection, of: Plan) -> frozenset[str]:
    """The changes of a plan that the newest plan of its connection no longer proposes.

    They were judged by what has been said otherwise since. Of the newest plan, and of an undo,
    none are.
    """
    from sqlalchemy import select

    newest = latest_plan_id(tx, of.connection)
    if newest is None or newest <= of.id or of.undo_of is not None:
        return frozenset()
    proposed = set(tx.execute(select(change.c.key).where(change.c.plan_id == newest)).scalars())
    return frozenset(one.key for one in of.changes if one.key not in proposed)


def decide(
    tx: Connection,
    of: Plan,
    keys: Iterable[str],
    decision: str,
    *,
    by: str,
    at: datetime,
    reason: str = "",
) -> None:
    """Record a person's decision about changes of a plan, bound to the plan's hash.

    A later decision about the same change replaces the earlier one. A rejected change is not
    proposed again without new evidence; approving it after all takes that back.
    """
    from sqlalchemy import delete

    keys = list(keys)
    rows = [
        {
            "plan_id": of.id,
            "key": key,
            "decision": decision,
            "plan_hash": of.hash,
            "decided_by": by,
            "at": stamp(at),
            "reason": reason,
        }
        for key in keys
    ]
    updated = ("decision", "plan_hash", "decided_by", "at", "reason")
    upsert(tx, approval, rows, update=updated)
    if decision == REJECTED:
        reject_keys(tx, of.connection, keys, REJECTED, at)
        return
    for some in chunks(keys):
        tx.execute(
            delete(rejected_key).where(
                (rejected_key.c.connection == of.connection)
                & rejected_key.c.key.in_(some)
                & (rejected_key.c.why == REJECTED)
            )
        )


def decisions(tx: Connection, of: Plan) -> dict[str, str]:
    """Decisions by change key; those given for another content of the plan do not count."""
    from sqlalchemy import select

    rows = tx.execute(
        select(approval.c.key, approval.c.decision).where(
            (approval.c.plan_id == of.id) & (approval.c.plan_hash == of.hash)
        )
    )
    return {row.key: row.decision for row in rows}


def reject_keys(
    tx: Connection, connection: str, keys: Collection[str], why: str, at: datetime
) -> None:
    """Never propose these keys again. `why` is `rejected` or `undone`.

    Undone outlasts rejected: approving takes back a rejection, never an undo.
    """
    rows = [{"connection": connection, "key": key, "why": why, "at": stamp(at)} for key in keys]
    upsert(tx, rejected_key, rows, update=() if why == REJECTED else ("why", "at"))


def undone_keys(tx: Connection, connection: str) -> frozenset[str]:
    """The keys of changes that were in effect and taken back."""
    from sqlalchemy import select

    query = select(rejected_key.c.key).where(
        (rejected_key.c.connection == connection) & (rejected_key.c.why == "undone")
    )
    return frozenset(tx.execute(query).scalars())


def rejected_keys(tx: Connection, connection: str) -> frozenset[str]:
    """Every key that must not be proposed again."""
    from sqlalchemy import select

    query = select(rejected_key.c.key).where(rejected_key.c.connection == connection)
    return frozenset(tx.execute(query).scalars())


def count_waiting(tx: Connection, plan_id: int) -> int:
    """How many changes of a plan still wait for a person's decision."""
    from sqlalchemy import func, select

    decided = select(approval.c.key).where(approval.c.plan_id == plan_id)
    query = select(func.count()).where(
        (change.c.plan_id == plan_id)
        & (change.c.disposition == Disposition.REVIEW)
        & (change.c.operation != Operation.LINK)
        & change.c.key.not_in(decided)
    )
    return int(tx.execute(query).scalar() or 0)


def kinds_in_effect(tx: Connection, connection: str) -> dict[str, JobChangeKind]:
    """The kind of job change last written onto each contact, by contact id."""
    from sqlalchemy import select

    query = (
        select(change.c.contact_id, change.c.kind)
        .join(intent, (intent.c.key == change.c.key) & (intent.c.plan_id == change.c.plan_id))
        .where((intent.c.connection == connection) & (intent.c.state == "done"))
        .where(change.c.entity == Entity.CONTACT)
        .order_by(intent.c.id)
    )
    return {row.contact_id: JobChangeKind(row.kind) for row in tx.execute(query)}


def _plan(row: Row[Any], changes: Sequence[Change]) -> Plan:
    created, expires = moment(row.created_at), moment(row.expires_at)
    assert created is not None and expires is not None  # noqa: S101, PT018 - not nullable
    return Plan(
        id=row.id,
        connection=row.connection,
        created_at=created,
        expires_at=expires,
        mode=Mode(row.mode),
        changes=tuple(changes),
        guards=tuple(GuardResult(**guard) for guard in json.loads(row.guards)),
        funnel=json.loads(row.funnel),
        undo_of=row.undo_of,
        terms=row.terms,
        edition=row.edition,
    )


def counts_by_disposition(of: Plan) -> Mapping[str, int]:
    """How many changes go by themselves, and how many wait for a person."""
    if isinstance(of.changes, Later):  # counted when it was drafted
        return {"auto": of.funnel["changes_auto"], "review": of.funnel["changes_review"]}
    auto = sum(one.disposition is Disposition.AUTO for one in of.proposed)
    return {"auto": auto, "review": len(of.proposed) - auto}
