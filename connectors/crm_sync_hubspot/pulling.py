"""Pulls: everything by listing it, then what changed since by search, page by page.

An incremental pull reads the ids of what changed from the search index, which lags behind, and
their values from the records themselves. It goes back behind the last one by `lookback`, and the
next one begins `index_delay` before this one asked, all by HubSpot's clock. It has no end of its
own: what is changed again and again would never lie before one. Then it reads what was archived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from crm_sync.connector import Gone, Page, Record
from crm_sync_hubspot import cursor as cursors
from crm_sync_hubspot.cursor import Cursor, Phase
from crm_sync_hubspot.looking import Reader, has_more, ids_found, rows_by_id, search
from crm_sync_hubspot.objects import MERGED_IDS, OBJECT_ID, modified_property
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.records import (
    id_of,
    merged_ids,
    milliseconds,
    moment_of,
    next_after,
    rows_of,
    value_of,
)

if TYPE_CHECKING:
    from crm_sync_hubspot.conditions import Condition
    from crm_sync_hubspot.http import Answer

_URL_BYTES = 1_800
"""Beyond it in names, what stands between us and HubSpot may refuse the address."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a pull goes about it: rows to a page, and by how much it goes back."""

    page_size: int
    index_delay: timedelta
    lookback: timedelta


class Pull:
    """What to pull; `pages` carries it out."""

    def __init__(self, reader: Reader, pace: Pace, where: Condition | None) -> None:
        self._reader = reader
        self._pace = pace
        self._where = where
        self._judging = where.names if where else ()

    def pages(self, stored: str | None) -> Iterator[Page]:
        """Pages from the stored cursor on; from the very beginning without one.

        A cursor in the middle goes on with the next page of the same pull, however old it is.
        Raises `ConfigError` for a field or a property in `where` that is not known, `PositionLost`
        for a cursor that is not one.
        """
        at = cursors.load(stored, self._reader.object) if stored else Cursor(self._reader.object)
        self._reader.check()
        self._reader.metadata.require(self._reader.object, self._judging)
        if at.complete:
            at = cursors.following(at, Phase.SEARCH)
        read = {
            Phase.LIST: self._listed,
            Phase.SEARCH: self._changed,
            Phase.ARCHIVED: self._archived,
        }
        while not at.complete:
            records, gone, at = read[at.phase](at)
            yield Page(records, gone, cursors.dump(at), complete=at.complete, total=at.total)

    def _listed(self, at: Cursor) -> tuple[list[Record], list[Gone], Cursor]:
        properties = self._reader.properties(*self._judging)
        narrow = len(quote(",".join(properties), safe="")) < _URL_BYTES
        answer = self._list(at, properties if narrow else [OBJECT_ID])
        rows: Sequence[Mapping[str, Any]] = rows_of(answer.body)
        after = self._token(answer, at)
        at = self._begun(at, answer)
        if not narrow:
            rows = rows_by_id(self._reader, [id_of(row) for row in rows], *self._judging)
        records, gone = self._judged(rows, whole=True)
        following = replace(at, after=after, phase=Phase.LIST if after else Phase.DONE)
        return records, gone, following

    def _changed(self, at: Cursor) -> tuple[list[Record], list[Gone], Cursor]:
        object_ = self._reader.object
        filters = [
            {
                "propertyName": modified_property(object_),
                "operator": "GTE",
                "value": milliseconds(self._bound(at)),
            }
        ]
        limit = self._pace.page_size
        answer = search(self._reader.client, object_, filters, after=at.after, limit=limit)
        ids = ids_found(answer.body)
        total = answer.body.get("total")
        if at.then is None and isinstance(total, int):
            at = replace(at, total=total)
        at = self._begun(at, answer)
        records, gone = self._judged(rows_by_id(self._reader, ids, *self._judging), whole=False)
        if has_more(answer.body, ids, at.after):
            return records, gone, replace(at, after=ids[-1])
        return records, gone, replace(at, after="", phase=Phase.ARCHIVED)

    def _archived(self, at: Cursor) -> tuple[list[Record], list[Gone], Cursor]:
        """What was archived since; HubSpot lists all that it still keeps (90 days of it)."""
        answer = self._list(at, [OBJECT_ID, MERGED_IDS], archived=True)
        entity, gone = self._reader.entity, []
        for row in rows_of(answer.body):
            if row.get("archived") is not False and self._is_recent(row, at):
                # What was merged into a record that is archived by now is told nowhere else.
                gone += [Gone(entity, old, id_of(row)) for old in merged_ids(row)]
                gone.append(Gone(entity, id_of(row)))
        after = self._token(answer, at)
        phase = Phase.ARCHIVED if after else Phase.DONE
        return [], gone, replace(at, after=after, phase=phase)

    def _judged(
        self, rows: Sequence[Mapping[str, Any]], *, whole: bool
    ) -> tuple[list[Record], list[Gone]]:
        """The records of live rows, and what is gone: merged into them, or outside `where` now."""
        entity, where = self._reader.entity, self._where
        gone = [Gone(entity, old, id_of(row)) for row in rows for old in merged_ids(row)]
        if where is None:
            return self._reader.records(rows), gone
        kept = [row for row in rows if where.holds(partial(value_of, row))]
        if not whole:
            inside = {id_of(row) for row in kept}
            gone += [Gone(entity, id_of(row)) for row in rows if id_of(row) not in inside]
        return self._reader.records(kept), gone

    def _list(self, at: Cursor, properties: Sequence[str], *, archived: bool = False) -> Answer:
        params = {
            "limit": str(self._pace.page_size),
            "archived": "true" if archived else "false",
            "properties": ",".join(properties),
        }
        if at.after:
            params["after"] = at.after
        where = path("list", object=self._reader.object)
        return self._reader.client.call("GET", where, params=params)

    def _begun(self, at: Cursor, answer: Answer) -> Cursor:
        """With where the next pull begins, which the first answer decides."""
        if at.then is not None:
            return at
        return replace(at, then=answer.asked_at - self._pace.index_delay)

    def _token(self, answer: Answer, at: Cursor) -> str:
        """The token of the next page; none from a server that goes on giving the same one."""
        after = next_after(answer.body)
        return "" if after == at.after else after

    def _bound(self, at: Cursor) -> datetime:
        assert at.since is not None  # noqa: S101 - a pull of what changed follows another
        return at.since - self._pace.lookback

    def _is_recent(self, row: Mapping[str, Any], at: Cursor) -> bool:
        archived_at = moment_of(row.get("archivedAt"))
        return archived_at is None or archived_at >= self._bound(at)
