"""Records by the hundred: read, create, update, upsert and archive in one call.

A value that cannot be stored spoils the whole call, a record that is not there only its own row:
the others are written, and the answer carries `errors` (with status 207 in version 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.associations import associate_new
from crm_sync_hubspot.sandbox.editing import Editor, Values, number_of
from crm_sync_hubspot.sandbox.objects import OBJECTS, Shape, json_object, wants_archived
from crm_sync_hubspot.sandbox.portal import Portal, instant
from crm_sync_hubspot.sandbox.problems import CONFLICT, NOT_FOUND, batch_error, invalid
from crm_sync_hubspot.sandbox.rows import Row, get
from crm_sync_hubspot.sandbox.types import ObjectType, resolve

MAX_INPUTS = 100
MAX_INPUTS_WITH_HISTORY = 50
Json = dict[str, Any]


def batch_routes(portal: Portal) -> list[Route]:
    """The end points below `/batch`."""
    batch = _Batch(portal)
    acts = {
        "read": batch.read,
        "create": batch.create,
        "update": batch.update,
        "upsert": batch.upsert,
        "archive": batch.archive,
    }
    return [
        route("POST", f"{OBJECTS}/batch/{name}", f"batch.{name}", act) for name, act in acts.items()
    ]


class _Batch:
    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def read(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        body = json_object(request)
        history = _names(body, "propertiesWithHistory")
        inputs = _inputs(body, MAX_INPUTS_WITH_HISTORY if history else MAX_INPUTS)
        ids = _ids(inputs)
        key = str(body.get("idProperty") or "")
        with self._portal.database.reading() as sql:
            if wants_archived(request) and not key:
                known = get(sql, kind.name, [number_of(one) or 0 for one in ids])
                rows = {str(one): row for one, row in known.items() if row.archived}
            else:
                rows = Editor(self._portal, sql, kind).find(key, ids)
            properties = self._portal.definitions(sql, kind.name)
            shape = Shape(kind, properties, _names(body, "properties"), history)
        missing = [one for one in ids if one not in rows]
        errors = [_absent(kind, missing)] if missing else []
        results = [shape(row) for row in {row.id: row for row in rows.values()}.values()]
        return self._answer(request, results, errors)

    def create(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        inputs = _inputs(json_object(request))
        with self._portal.database.writing() as sql:
            editor = Editor(self._portal, sql, kind)
            values = editor.checked([_properties(one) for one in inputs], creating=True)
            for taken in editor.taken([(None, given) for given in values]).values():
                raise taken.problem()
            rows = [editor.create(given) for given in values]
            for row, one in zip(rows, inputs, strict=True):
                associate_new(sql, kind.name, row.id, one.get("associations"))
            known = self._portal.definitions(sql, kind.name)
        results = [
            Shape(kind, known, given)(row, trace=_trace(one))
            for row, one, given in zip(rows, inputs, values, strict=True)
        ]
        self._portal.calls.wrote(f"{kind.name}.create", len(rows))
        return self._answer(request, results, [], status=201)

    def update(self, request: Request) -> Response:
        kind = resolve(request.args["type"])
        inputs = _inputs(json_object(request))
        ids = _ids(inputs)
        key = _key(inputs)
        with self._portal.database.writing() as sql:
            editor = Editor(self._portal, sql, kind)
            values = editor.checked([_properties(one) for one in inputs], creating=False)
            rows = editor.find(key, ids)
            errors = [
                _absent(kind, [one], _trace(given))
                for one, given in zip(ids, inputs, strict=True)
                if one not in rows
            ]
            there = [position for position, one in enumerate(ids) if one in rows]
            written, refused = self._write(
                editor,
                kind,
                [(inputs[one], rows[ids[one]], values[one]) for one in there],
            )
            known = self._portal.definitions(sql, kind.name)
            results = [
                Shape(kind, known, given)(row, trace=_trace(one)) for one, row, given in written
            ]
        self._portal.calls.wrote(f"{kind.name}.update", len(results))
        return self._answer(request, results, [*errors, *refused])

    def upsert(self, request: Request) -> Response:
        """Update what is there under its unique value, create what is not."""
        kind = resolve(request.args["type"])
        inputs = _inputs(json_object(request))
        ids = _ids(inputs)
        key = _key(inputs)
        if key in ("", "hs_object_id"):
            raise invalid("idProperty is required, the name of a property with unique values")
        with self._portal.database.writing() as sql:
            editor = Editor(self._portal, sql, kind)
            given = [{key: one, **_properties(item)} for one, item in zip(ids, inputs, strict=True)]
            values = editor.checked(given, creating=False)
            rows = editor.find(key, ids)
            new = [position for position, one in enumerate(ids) if one not in rows]
            editor.checked([given[one] for one in new], creating=True)
            for taken in editor.taken([(None, values[one]) for one in new]).values():
                raise taken.problem()
            made = [(inputs[one], editor.create(values[one]), values[one]) for one in new]
            there = [position for position, one in enumerate(ids) if one in rows]
            written, refused = self._write(
                editor, kind, [(inputs[one], rows[ids[one]], values[one]) for one in there]
            )
            known = self._portal.definitions(sql, kind.name)
        results = [
            {**Shape(kind, known, values)(row, trace=_trace(one)), "new": fresh}
            for some, fresh in ((written, False), (made, True))
            for one, row, values in some
        ]
        self._portal.calls.wrote(f"{kind.name}.create", len(made))
        self._portal.calls.wrote(f"{kind.name}.update", len(written))
        return self._answer(request, results, refused)

    def archive(self, request: Request) -> Response:
        """Archive what is there; ids that are not are passed over."""
        kind = resolve(request.args["type"])
        ids = _ids(_inputs(json_object(request)))
        with self._portal.database.writing() as sql:
            editor = Editor(self._portal, sql, kind)
            rows = {row.id: row for row in editor.find("", ids).values()}
            for row in rows.values():
                editor.archive(row)
        self._portal.calls.wrote(f"{kind.name}.archive", len(rows))
        return Response(204)

    def _write(
        self, editor: Editor, kind: ObjectType, wanted: Sequence[tuple[Json, Row, Values]]
    ) -> tuple[list[tuple[Json, Row, Values]], list[Json]]:
        """What was written, and an error for each row whose unique value is taken."""
        taken = editor.taken([(row.id, values) for _, row, values in wanted])
        errors = [
            batch_error(
                CONFLICT,
                one.message,
                {"ids": [str(wanted[position][1].id)]},
                trace=_trace(wanted[position][0]),
            )
            for position, one in sorted(taken.items())
        ]
        written = [one for position, one in enumerate(wanted) if position not in taken]
        for _, row, values in written:
            editor.update(row, values)
        return written, errors

    def _answer(
        self, request: Request, results: list[Json], errors: list[Json], *, status: int = 200
    ) -> Response:
        now = instant(self._portal.now_ms())
        # HubSpot promises no order: whoever relies on one finds out here.
        body: Json = {
            "status": "COMPLETE",
            "results": results[::-1],
            "startedAt": now,
            "completedAt": now,
        }
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
            if "dated" not in request.args:
                status = 207
        return json_response(body, status=status)


def _inputs(body: Any, most: int = MAX_INPUTS) -> list[Json]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise invalid("Invalid input JSON: `inputs` must be a list of objects")
    if not inputs:
        raise invalid("inputs must not be empty")
    if len(inputs) > most:
        raise invalid(f"The batch holds {len(inputs)} inputs; at most {most} are allowed")
    return inputs


def _ids(inputs: Sequence[Json]) -> list[str]:
    ids = [one.get("id") for one in inputs]
    if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in ids):
        raise invalid("Invalid input JSON: every input needs an `id`")
    found = [str(one) for one in ids]
    twice = sorted({one for one in found if found.count(one) > 1})
    if twice:
        shown = ", ".join(twice)
        raise invalid(f"Duplicate IDs found in batch input: [{shown}]. IDs must be unique.")
    return found


def _key(inputs: Sequence[Json]) -> str:
    keys = {str(one.get("idProperty") or "") for one in inputs}
    if len(keys) > 1:
        raise invalid("All inputs of a batch must name the same idProperty")
    return keys.pop()


def _names(body: Any, name: str) -> list[str]:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise invalid(f"Invalid input JSON: `{name}` must be a list")
    return [str(one) for one in value]


def _properties(one: Json) -> Any:
    return one.get("properties", {})


def _trace(one: Json) -> str | None:
    value = one.get("objectWriteTraceId")
    return None if value is None else str(value)


def _absent(kind: ObjectType, ids: Sequence[str], trace: str | None = None) -> Json:
    message = (
        f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid."
    )
    return batch_error(NOT_FOUND, message, {"ids": ids}, trace=trace)
