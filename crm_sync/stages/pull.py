"""Pull: bring our copy of the CRM up to date, page by page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.config import Connection
from crm_sync.errors import ConfigError, PositionLost, ScopeMissing
from crm_sync.mapping import Mapping, ReadSection
from crm_sync.model import Entity
from crm_sync.progress import Progress, silent
from crm_sync.stages.whole import CHANGES, Ask, Whole, Why
from crm_sync.store import erasing, merges, records
from crm_sync.store.database import Store

if TYPE_CHECKING:
    from crm_sync.calls.steady import Steady

ENTITIES = (Entity.COLLEAGUE, Entity.ACCOUNT, Entity.CONTACT)
MAY_BE_CLOSED = frozenset({Entity.COLLEAGUE, Entity.ACCOUNT})
"""What a run can do without; contacts it cannot."""

FEW_ERASED, SHARE_ERASED = 100, 0.1
"""So many records, or such a share of those that are there, are believed to be erased at once."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An entity that the CRM keeps closed to these credentials; our copy stays as it was.

    `as_of` is when it was last read, None if it never was; `scopes` are the CRM's names of the
    permissions that are missing.
    """

    entity: Entity
    reason: str
    scopes: tuple[str, ...] = ()
    as_of: datetime | None = None
    fix: str = ""

    @property
    def message(self) -> str:
        """What could not be read, why, and what is known all the same."""
        why = self.reason
        if self.scopes:
            named = ", ".join(self.scopes)
            why = f"missing {'scope' if len(self.scopes) == 1 else 'scopes'} {named}"
        held = f"of {self.as_of:%Y-%m-%d}" if self.as_of else "nothing"
        return f"{self.entity.value}s could not be read ({why}); what is known of them is {held}"


@dataclass(frozen=True, slots=True)
class Pulled:
    """Records that were new or changed by entity, what was read as a whole, and what not at all."""

    changed: dict[str, int] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
    whole: tuple[Whole, ...] = ()


def pull_all(
    store: Store,
    connection: Connection,
    mapping: Mapping,
    crm: Steady,
    *,
    now: datetime,
    ask: Ask = CHANGES,
    progress: Progress = silent,
) -> Pulled:
    """Everything the mapping reads, or what changed since the last pull.

    Interrupted at any point, the next pull goes on where this one stopped: a page and its cursor
    are stored together. A missing permission for accounts or colleagues is told in the result;
    for contacts it is raised, as every other error is.
    """
    changed: dict[str, int] = {}
    unread: list[Unread] = []
    whole: list[Whole] = []

    def bring(asked: _Asked) -> None:
        changed[asked.entity.value], found = _pull(asked, ask, now, progress)
        whole.extend([found] if found else [])

    for entity in ENTITIES:
        if mapping.reads(entity) is None:
            continue
        asked = _Asked(store, connection, mapping, crm, entity)
        try:
            bring(asked)
        except ConfigError as refused:
            raise mapping.refused(entity, refused) from None
        except ScopeMissing as closed:
            if entity in MAY_BE_CLOSED:
                unread.append(_unread(store, connection, entity, closed))
                continue
            # Where accounts are closed, the relation to them may be so too.
            relation = _account_relation(mapping)
            if not relation or all(one.entity is not Entity.ACCOUNT for one in unread):
                raise
            bring(replace(asked, without=relation))
    _follow_accounts(store, connection, mapping)
    return Pulled(changed, tuple(unread), tuple(whole))


def _follow_accounts(store: Store, connection: Connection, mapping: Mapping) -> None:
    """After every pull, also of what an earlier one told: it may have been interrupted."""
    field = mapping.model.contact.read.get("account_id")
    if field is None:
        return
    with store.read() as tx:  # a look through all contacts keeps nobody else from writing
        following = merges.behind(tx, connection.name, field)
    if following != merges.Following():
        with store.begin() as tx:
            merges.follow(tx, connection.name, following)


def _account_relation(mapping: Mapping) -> str:
    field = mapping.model.contact.read.get("account_id", "")
    return field if "." in field else ""


def _unread(store: Store, connection: Connection, entity: Entity, closed: ScopeMissing) -> Unread:
    with store.read() as tx:
        as_of = records.last_pull(tx, connection.name, entity)
    return Unread(entity, closed.message, closed.scopes, as_of, closed.fix)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one pull asks for; `without` is a field to leave out."""

    store: Store
    connection: Connection
    mapping: Mapping
    crm: Steady
    entity: Entity
    without: str = ""

    @property
    def section(self) -> ReadSection:
        section = self.mapping.reads(self.entity)
        assert section is not None  # noqa: S101 - the caller looked
        return section

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(
            name for name in self.mapping.pulled_fields(self.entity) if name != self.without
        )

    @property
    def scope(self) -> str:
        """Another one while a field is left out: once it can be read, everything is read anew."""
        scope = self.mapping.scope(self.entity)
        return f"{scope} without {self.without}" if self.without else scope

    @property
    def saved(self) -> records.SavedCursor | None:
        """Where the last pull of the same stands."""
        with self.store.read() as tx:
            name, object_ = self.connection.name, self.section.object
            return records.saved_cursor(tx, name, self.entity, self.scope, object_)

    @property
    def missed(self) -> list[str]:
        """Ids of records that a whole pull did not find, and nothing has told why."""
        with self.store.read() as tx:
            return erasing.missed_ids(tx, self.connection.name, self.entity)


def _pull(asked: _Asked, ask: Ask, now: datetime, progress: Progress) -> tuple[int, Whole | None]:
    """How many records were new or changed, and why everything was read, if it was."""
    saved = asked.saved
    with asked.store.read() as tx:
        known = records.last_pull(tx, asked.connection.name, asked.entity) is not None
    why = ask.why_whole(saved, now, known=known)
    if why is Why.OTHER:
        _learn_gone(asked, now)
    changed = 0
    try:
        if why in (Why.ASKED, Why.DUE):
            # Merges and deletes since the last pull are told only to one that goes on from there.
            changed += _pages(asked, saved, None, now, progress)
        changed += _pages(asked, saved, why, now, progress)
    except PositionLost:
        if saved is None:
            raise
        why = Why.LOST
        changed += _pages(asked, saved, why, now, progress)
    if asked.missed and why is not None:
        # What was archived, merged or edited out of the filter is told by the pull after it.
        changed += _pages(asked, asked.saved, None, now, progress)
    _forget_erased(asked)
    whole = Whole(asked.entity, why, saved.whole_at if saved else None) if why else None
    return changed, whole


def _learn_gone(asked: _Asked, now: datetime) -> None:
    """What was deleted or merged since a pull under another mapping: no whole pull tells it.

    Only that is kept: the records themselves, and where the next pull begins, are the whole
    pull's that follows.
    """
    name, entity, object_ = asked.connection.name, asked.entity, asked.section.object
    with asked.store.read() as tx:
        earlier = records.earlier_cursor(tx, name, entity, object_)
    if earlier is None:
        return
    pages = asked.crm.pull(
        entity, asked.fields, cursor=earlier, where=asked.section.where, object_name=object_
    )
    try:
        for page in pages:
            with asked.store.begin() as tx:
                records.save_gone(tx, name, entity, page, _watched(asked.mapping, entity), now)
    except PositionLost:
        return


def _pages(
    asked: _Asked,
    saved: records.SavedCursor | None,
    why: Why | None,
    now: datetime,
    progress: Progress,
) -> int:
    store, connection, entity = asked.store, asked.connection, asked.entity
    goes_on = saved is not None and why in (None, Why.RESUMED)
    whole_since = saved.whole_since if saved and goes_on else now
    pages = asked.crm.pull(
        entity,
        asked.fields,
        cursor=saved.cursor if saved and goes_on else None,
        where=asked.section.where,
        object_name=asked.section.object,
    )
    watched = _watched(asked.mapping, entity)
    label = f"Reading {'all ' if whole_since else ''}{entity.value}s"
    changed = done = 0
    for page in pages:
        with store.begin() as tx:
            changed += records.save_page(
                tx,
                connection.name,
                entity,
                page,
                scope=asked.scope,
                watched=watched,
                at=now,
                object_name=asked.section.object,
                whole_since=whole_since,
            )
        done += len(page.records)
        progress(label, done, page.total)
    return changed


def _forget_erased(asked: _Asked) -> None:
    """What a whole pull did not find, no pull told as gone, and a read does not find is erased.

    What a read finds is there all the same: outside the filter, or left out by an answer that was
    cut short. Where very many are absent it is not believed that they were erased: whoever loses
    sight of records sees the same. They are gone, and what is known of them stays.
    """
    missed = asked.missed
    if not missed:
        return
    name, entity = asked.connection.name, asked.entity
    found = {one.id for one in asked.crm.read(entity, missed, ())}
    erased = [id for id in missed if id not in found]
    with asked.store.begin() as tx:
        if not asked.section.where:
            erasing.bring_back(tx, name, entity, sorted(found))
        held = records.count(tx, name, entity)
        if len(erased) > max(FEW_ERASED, held * SHARE_ERASED):
            _warn_of_many(asked, len(erased))
            erased = []
        erasing.settle_missed(tx, name, entity, missed, erased)


def _warn_of_many(asked: _Asked, absent: int) -> None:
    import structlog

    structlog.get_logger().warning(
        "pull.many_absent",
        connection=asked.connection.name,
        entity=asked.entity.value,
        absent=absent,
        hint="may this user still see them? nothing that is known of them was forgotten",
    )


def _watched(mapping: Mapping, entity: Entity) -> frozenset[str]:
    """The CRM fields in which somebody's edit matters: all that we write, and the employer."""
    if entity is not Entity.CONTACT:
        return frozenset()
    fields = {write.field for write in mapping.writes(entity).values()}
    fields |= {mapping.model.contact.read.get(name, "") for name in ("title", "account_id")}
    return frozenset(fields - {""})
