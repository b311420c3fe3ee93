"""Pull: bring our copy of the CRM up to date, page by page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.config import Connection
from crm_sync.errors import ConfigError
from crm_sync.mapping import Mapping
from crm_sync.model import Entity
from crm_sync.progress import Progress, silent
from crm_sync.store import records
from crm_sync.store.database import Store

if TYPE_CHECKING:
    from crm_sync.calls.steady import Steady

ENTITIES = (Entity.COLLEAGUE, Entity.ACCOUNT, Entity.CONTACT)


def pull_all(
    store: Store,
    connection: Connection,
    mapping: Mapping,
    crm: Steady,
    *,
    now: datetime,
    progress: Progress = silent,
) -> dict[str, int]:
    """Everything the mapping reads, or what changed since the last pull.

    Returns how many records were new or changed, by entity. Interrupted at any point, the next
    pull goes on where this one stopped: a page and its cursor are stored together.
    """
    changed: dict[str, int] = {}
    for entity in ENTITIES:
        if mapping.reads(entity) is None:
            continue
        try:
            changed[entity.value] = _pull(store, connection, mapping, crm, entity, now, progress)
        except ConfigError as refused:
            raise _placed(refused, mapping, crm, entity) from None
    return changed


def _placed(refused: ConfigError, mapping: Mapping, crm: Steady, entity: Entity) -> ConfigError:
    """What the CRM refused, at the line of the mapping that asked for it, if that can be found."""
    return next(iter(mapping.problems(entity, crm.describe(entity))), refused)


def _pull(
    store: Store,
    connection: Connection,
    mapping: Mapping,
    crm: Steady,
    entity: Entity,
    now: datetime,
    progress: Progress,
) -> int:
    section = mapping.reads(entity)
    assert section is not None  # noqa: S101 - the caller asked
    scope, object_name = mapping.scope(entity), section.object
    with store.read() as tx:
        saved = records.saved_cursor(tx, connection.name, entity, scope, object_name)
    # A whole pull that was interrupted goes on as the same one: only then has it seen everything.
    whole_since = now if saved is None else saved.whole_since
    pages = crm.pull(
        entity,
        mapping.pulled_fields(entity),
        cursor=saved.cursor if saved else None,
        where=section.where,
        object_name=object_name,
    )
    watched = _watched(mapping, entity)
    changed = done = 0
    for page in pages:
        with store.begin() as tx:
            changed += records.save_page(
                tx,
                connection.name,
                entity,
                page,
                scope=scope,
                watched=watched,
                at=now,
                object_name=object_name,
                whole_since=whole_since,
            )
        done += len(page.records)
        progress(f"Reading {entity.value}s", done, page.total)
    return changed


def _watched(mapping: Mapping, entity: Entity) -> frozenset[str]:
    """The CRM fields in which somebody's edit matters: all that we write, and the employer."""
    if entity is not Entity.CONTACT:
        return frozenset()
    fields = {write.field for write in mapping.writes(entity).values()}
    fields |= {mapping.model.contact.read.get(name, "") for name in ("title", "account_id")}
    return frozenset(fields - {""})
