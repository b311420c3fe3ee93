"""One pull of one object: everything, or what changed since, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.connector import Entity, Gone, Page, Record
from crm_sync.errors import Busy
from crm_sync_salesforce import cursor as cursors
from crm_sync_salesforce.cursor import Cursor
from crm_sync_salesforce.errors import LocatorGone
from crm_sync_salesforce.looking import satisfying
from crm_sync_salesforce.objects import MERGED, UNDELETABLE, live_only
from crm_sync_salesforce.records import record, value_of, with_columns
from crm_sync_salesforce.soql import condition, moment, object_name, select

if TYPE_CHECKING:
    from crm_sync_salesforce.client import QueryPage, SalesforceClient

MAX_RESTARTS = 3
"""How often one pull begins again because its query was closed, before it gives up."""


class Pull:
    """What to pull; `pages` carries it out."""

    def __init__(
        self,
        client: SalesforceClient,
        entity: Entity,
        object_: str,
        fields: Sequence[str],
        where: str,
    ) -> None:
        self._client = client
        self._entity = entity
        self._object = object_name(object_)
        self._fields = fields
        self._restarts = 0
        self._where = condition(where) if where.strip() else ""

    def pages(self, stored: str | None) -> Iterator[Page]:
        """Pages from the stored cursor on; from the very beginning without one.

        A cursor in the middle goes on with the next page of its query. If Salesforce no longer
        keeps that query, it is made again from its beginning: rows repeat, none is skipped.
        """
        at = cursors.load(stored, self._object) if stored else None
        if at is not None and not at.complete:
            try:
                found = self._client.query_more(at.next_path)
            except LocatorGone:
                yield from self._again(at)
            else:
                yield from self._rest(at, found)
            return
        yield from self._query(at.then if at else None, not_after=None)

    def _query(self, since: datetime | None, *, not_after: datetime | None) -> Iterator[Page]:
        soql, everything = self._soql(since)
        found = self._client.query(soql, everything=everything)
        then = cursors.next_start(found.asked_at)
        if not_after is not None:
            then = min(then, not_after)
        yield from self._rest(Cursor(self._object, since, then), found)

    def _again(self, at: Cursor) -> Iterator[Page]:
        """The pull under way from its beginning, keeping the earlier start of the next one."""
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise Busy(
                "Salesforce keeps closing the query before its last page",
                fix="A user may have a few queries open at once: give crm-sync a user of its own, "
                "or run when nothing else pulls.",
            )
        yield from self._query(at.since, not_after=at.then)

    def _rest(self, at: Cursor, found: QueryPage) -> Iterator[Page]:
        while True:
            at = replace(at, next_path=found.next_path)
            yield self._page(at, found)
            if at.complete:
                return
            try:
                found = self._client.query_more(at.next_path)
            except LocatorGone:
                yield from self._again(at)
                return

    def _page(self, at: Cursor, found: QueryPage) -> Page:
        gone = [row for row in found.records if value_of(row, "IsDeleted") is True]
        live = [row for row in found.records if value_of(row, "IsDeleted") is not True]
        records, left = self._judged(live, whole=at.since is None)
        return Page(
            records=records,
            gone=[self._gone(row) for row in gone] + left,
            cursor=cursors.dump(at),
            complete=at.complete,
            total=found.total,
        )

    def _judged(
        self, live: Sequence[Mapping[str, Any]], *, whole: bool
    ) -> tuple[list[Record], list[Gone]]:
        """The records of live rows, and those of them that do not satisfy `where` now."""
        if whole or not self._where:
            return [record(self._entity, row, self._fields) for row in live], []
        ids = [str(value_of(row, "Id")) for row in live]
        kept = satisfying(self._client, self._entity, self._object, ids, self._fields, self._where)
        still = {one.id for one in kept}
        return kept, [Gone(self._entity, id) for id in ids if id not in still]

    def _gone(self, row: Mapping[str, Any]) -> Gone:
        survivor = value_of(row, "MasterRecordId")
        return Gone(self._entity, str(value_of(row, "Id")), str(survivor) if survivor else None)

    def _soql(self, since: datetime | None) -> tuple[str, bool]:
        """The query, and whether deleted and archived rows are to be included.

        Of what changed, a pull with `where` asks for the ids alone: a row that left the filter
        has to be told, and its fields are not to be read. `_judged` reads those that stay.
        """
        if since is None:
            everything, live = live_only(self._object)
            fields = with_columns(self._fields, "Id", "SystemModstamp")
            return select(fields, self._object, live, self._where), everything
        kind = self._object.casefold()
        marks = [] if kind in UNDELETABLE else ["IsDeleted"]
        marks += ["MasterRecordId"] if kind in MERGED else []
        asked = () if self._where else self._fields
        fields = with_columns(asked, "Id", "SystemModstamp", *marks)
        return select(fields, self._object, f"SystemModstamp >= {moment(since)}"), True
