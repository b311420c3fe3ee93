"""What a merge leaves behind: a survivor's own past, and who pointed to what it replaced.

The CRM tells only that a record is gone and which one is left. That one takes over what we know of
the values that came along, and our copies of other records point to it. Statements only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.connector import Page
from crm_sync.model import Baseline, Entity, Scalar, canonical_json
from crm_sync.store import baselines, copies
from crm_sync.store.sql import chunks, load
from crm_sync.store.tables import baseline, record

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

_Values = Mapping[str, Scalar]


def inherit(
    tx: Connection,
    connection: str,
    entity: Entity,
    page: Page,
    watched: Collection[str],
    at: datetime,
) -> None:
    """Give survivors the bases of what was merged into them; call it before the page is stored.

    A value that came along from a record brings its base from there, an edited one first: what a
    person edited stays theirs under whatever id. A value of the survivor's own, or one of a record
    that nobody had edited, brings none. In a survivor that is new to us, a value that none of the
    records had was put there in the merge or since: it counts as an edit, as it would have in one
    of them; `at` stands in for its time where the CRM gives the survivor no date.
    """
    merged: dict[str, list[str]] = {}
    for one in page.gone:
        if one.entity is entity and one.survivor is not None:
            merged.setdefault(one.survivor, []).append(one.id)
    if not merged or not watched:
        return
    ids = {*merged, *(id for some in merged.values() for id in some)}
    held = _copies(tx, connection, entity, ids)
    known = baselines.of_records(tx, connection, entity, ids)
    told = {one.id: one for one in page.records}
    found: dict[str, dict[str, Baseline]] = {}
    for id, gone in merged.items():
        now = told.get(id)
        live = now.fields if now else held.get(id, {})
        edited_at = (now.modified if now else None) or at
        for name in watched:
            if name not in live or name in known.get(id, {}):
                continue
            pasts = _pasts([*gone, id], name, held, known)
            base = _base(pasts, live[name], is_new=id not in held, at=edited_at)
            if base is not None:
                found.setdefault(id, {})[name] = base
    baselines.put(tx, connection, entity, found)


@dataclass(frozen=True, slots=True)
class Following:
    """Contacts whose account was merged: their copies with the account that is left, as stored,
    and the bases of that field; by contact id.
    """

    copies: Mapping[str, str] = field(default_factory=dict)
    bases: Mapping[str, Mapping[str, Baseline]] = field(default_factory=dict)


def behind(tx: Connection, connection: str, name: str) -> Following:
    """Our copies of contacts that still name a merged account in the CRM field `name`.

    The CRM has long corrected them; but no CRM need give a contact a new date for it, so that it
    may not come in a pull. Nor is it anybody's edit of the contact: bases of the field follow.

    Where any account was ever merged this looks through all contacts, some seconds for a million.
    """
    from sqlalchemy import func, select

    gone = select(record.c.id).where(
        _of(connection, Entity.ACCOUNT) & record.c.survivor.is_not(None)
    )
    if tx.execute(gone.limit(1)).first() is None:
        return Following()
    here = _of(connection, Entity.CONTACT)
    named = func.json_extract(record.c.fields, '$."' + name.replace('"', "") + '"')
    query = select(record.c.id, record.c.fields).where(here & named.in_(gone))
    held = {row.id: load(row.fields) for row in tx.execute(query)}
    left = _left(tx, connection, [fields[name] for fields in held.values()])
    moved = {
        id: canonical_json({**fields, name: left[fields[name]]})
        for id, fields in held.items()
        if fields[name] in left
    }
    return Following(moved, _bases_behind(tx, connection, name, gone))


def follow(tx: Connection, connection: str, following: Following) -> None:
    """Store what `behind` found."""
    from sqlalchemy import bindparam, update

    rows = [{"held_id": id, "now": fields} for id, fields in following.copies.items()]
    if rows:
        here = _of(connection, Entity.CONTACT)
        statement = update(record).where(here & (record.c.id == bindparam("held_id")))
        tx.execute(statement.values(fields=bindparam("now")), rows)
    baselines.put(tx, connection, Entity.CONTACT, following.bases)


def _bases_behind(
    tx: Connection, connection: str, name: str, gone: Select[tuple[str]]
) -> dict[str, dict[str, Baseline]]:
    """An edit that was nothing but the merge, told by the CRM before it told that, is none."""
    from sqlalchemy import func, select

    entity = Entity.CONTACT
    here = (baseline.c.connection == connection) & (baseline.c.entity == entity)
    value, live = (func.json_extract(one, "$") for one in (baseline.c.value, baseline.c.live))
    query = select(baseline.c.record_id).where(
        here & (baseline.c.field == name) & (value.in_(gone) | live.in_(gone))
    )
    held = baselines.of_records(tx, connection, entity, tx.execute(query).scalars().all())
    bases = {id: fields[name] for id, fields in held.items()}
    left = _left(tx, connection, [id for one in bases.values() for id in (one.value, one.live)])
    followed = {id: _followed(base, left) for id, base in bases.items()}
    return {id: {name: base} for id, base in followed.items() if base != bases[id]}


def _left(tx: Connection, connection: str, named: Iterable[Scalar]) -> _Values:
    ids = {str(one) for one in named if one is not None}
    return copies.survivors(tx, connection, Entity.ACCOUNT, ids)


def _followed(base: Baseline, left: _Values) -> Baseline:
    value, live = (left.get(str(one), one) for one in (base.value, base.live))
    now = Baseline(value, base.basis, base.at)
    return now if base.edited_at is None else baselines.against(now, live, base.edited_at)


_Past = tuple[Scalar, Baseline | None]
"""What a record last said in a field, and the base of that value where it has one."""


def _pasts(
    ids: Iterable[str],
    name: str,
    held: Mapping[str, _Values],
    known: Mapping[str, Mapping[str, Baseline]],
) -> list[_Past]:
    return [(held[id][name], known.get(id, {}).get(name)) for id in ids if name in held.get(id, {})]


def _base(pasts: Sequence[_Past], live: Scalar, *, is_new: bool, at: datetime) -> Baseline | None:
    """The base of the live value, None where it says what it said at first."""
    came_along = [past for past in pasts if past[0] == live]
    if came_along:
        value, base = max(came_along, key=_strength)
        return base
    if not is_new or not pasts:
        return None  # `note_edits` compares a survivor that we knew with what it said itself
    value, base = max(pasts, key=_strength)
    return baselines.against(base or Baseline(value, "seen", at), live, at)


def _strength(past: _Past) -> tuple[bool, bool]:
    """What is edited outweighs what is ours, and that what nobody has touched."""
    _, base = past
    return (base is not None and base.edited_at is not None, base is not None)


def _of(connection: str, entity: Entity) -> ColumnElement[bool]:
    return (record.c.connection == connection) & (record.c.entity == entity)


def _copies(
    tx: Connection, connection: str, entity: Entity, ids: Collection[str]
) -> dict[str, _Values]:
    from sqlalchemy import select

    found: dict[str, _Values] = {}
    for some in chunks(ids):
        query = select(record.c.id, record.c.fields).where(
            _of(connection, entity) & record.c.id.in_(some)
        )
        found.update((row.id, load(row.fields)) for row in tx.execute(query))
    return found
