"""Merging two records into one, and deleting a person for good."""

from __future__ import annotations

import sqlite3
from typing import Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.associations import move_all, remove_all
from crm_sync_hubspot.sandbox.editing import ADDITIONAL_EMAILS, Editor, held_values
from crm_sync_hubspot.sandbox.indexing import enqueue
from crm_sync_hubspot.sandbox.objects import OBJECTS, Shape, json_object
from crm_sync_hubspot.sandbox.portal import Portal
from crm_sync_hubspot.sandbox.problems import invalid, not_found
from crm_sync_hubspot.sandbox.rows import Row, claim, get, next_id, release, save, touch
from crm_sync_hubspot.sandbox.types import ObjectType, resolve

MERGED_IDS = "hs_merged_object_ids"
MERGED_VIDS = "hs_calculated_merged_vids"
_MERGEABLE = ("contacts", "companies", "deals")


def merging_routes(portal: Portal) -> list[Route]:
    """Their end points."""

    def merge(request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        if kind.name not in _MERGEABLE:
            raise invalid(f"Objects of type {kind.singular} cannot be merged")
        with portal.database.writing() as sql:
            merged = _Merger(portal, sql, kind).merge(
                str(body.get("primaryObjectId", "")), str(body.get("objectIdToMerge", ""))
            )
            shape = Shape(kind, portal.definitions(sql, kind.name), [*kind.shown, MERGED_IDS])
        portal.calls.wrote(f"{kind.name}.merge", 1)
        return json_response(shape(merged))

    def erase(request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        with portal.database.writing() as sql:
            _erase(portal, sql, kind, body)
        portal.calls.wrote(f"{kind.name}.erase", 1)
        return Response(204)

    return [
        route("POST", f"{OBJECTS}/merge", "merge", merge),
        route("POST", f"{OBJECTS}/gdpr-delete", "gdpr-delete", erase),
    ]


class _Merger:
    def __init__(self, portal: Portal, sql: sqlite3.Connection, kind: ObjectType) -> None:
        self._portal = portal
        self._sql = sql
        self._kind = kind

    def merge(self, primary_id: str, other_id: str) -> Row:
        """Let one record stand for both. Raises 400 and 404.

        It has a new id, unless the portal's settings say otherwise; the values of the primary
        record win, and the other's fill what is blank.
        """
        found = Editor(self._portal, self._sql, self._kind).find("", [primary_id, other_id])
        if primary_id not in found or other_id not in found:
            raise not_found("Object not found.  objectId are usually numeric.")
        primary, other = found[primary_id], found[other_id]
        if primary.id == other.id:
            raise invalid("An object cannot be merged with itself")
        merged = self._survivor(primary, other)
        gone = [row for row in (primary, other) if row.id != merged.id]
        for row in gone:
            release(self._sql, row.type, row.id)
            row.merged_into = merged.id
        touch(self._portal, merged)
        for row in [*gone, merged]:
            save(self._sql, self._portal, row)
        for row in gone:
            move_all(self._sql, row.type, row.id, merged.id)
        self._claim(merged)
        return get(self._sql, merged.type, [merged.id])[merged.id]

    def _survivor(self, primary: Row, other: Row) -> Row:
        values = {**other.properties, **primary.properties}
        keeps = self._portal.settings.merge_keeps_id
        record_id = primary.id if keeps else next_id(self._sql)
        before = [_joined(row, MERGED_IDS) for row in (primary, other)]
        ids = [one for some in before for one in some]
        ids += [str(row.id) for row in (primary, other) if row.id != record_id]
        values[MERGED_IDS] = ";".join(dict.fromkeys(ids))
        if primary.type == "contacts":
            vids = [one for row in (primary, other) for one in _joined(row, MERGED_VIDS)]
            vids += [f"{row.id}:{self._portal.now_ms()}" for row in (primary, other)]
            values[MERGED_VIDS] = ";".join(dict.fromkeys(vids))
            mails = [one for row in (primary, other) for one in held_values(row, "email")]
            further = [one for one in dict.fromkeys(mails) if one != values.get("email")]
            values[ADDITIONAL_EMAILS] = ";".join(further) or None
        created = min(primary.created_ms, other.created_ms)
        return Row(primary.type, record_id, values, created, primary.updated_ms)

    def _claim(self, merged: Row) -> None:
        for one in self._portal.definitions(self._sql, merged.type).values():
            if one.unique:
                held = held_values(merged, one.name)
                claim(self._sql, merged.type, one.name, merged.id, held)


def _erase(portal: Portal, sql: sqlite3.Connection, kind: ObjectType, body: Any) -> None:
    """Remove a record, and those merged into it, without a trace. Raises 404."""
    text = str(body.get("objectId", ""))
    row = Editor(portal, sql, kind).find(str(body.get("idProperty") or ""), [text]).get(text)
    if row is None:
        raise not_found("Object not found.  objectId are usually numeric.")
    going = [row.id]
    for record_id in going:
        merged = sql.execute(
            "SELECT id FROM object WHERE type = ? AND merged_into = ?", (kind.name, record_id)
        )
        going += [int(one) for (one,) in merged]
    for record_id in going:
        release(sql, kind.name, record_id)
        remove_all(sql, kind.name, record_id)
        sql.execute("DELETE FROM object WHERE type = ? AND id = ?", (kind.name, record_id))
        enqueue(sql, portal, kind.name, record_id, None, portal.now_ms())


def _joined(row: Row, name: str) -> list[str]:
    return [one for one in (row.properties.get(name) or "").split(";") if one]
