"""Single records: by id, and by the value of an external id field."""
# ruff: noqa: S608 - SQL is put together from our own names; values are always parameters

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crm_sync.sandbox.http import HttpProblem, Request, Response, Route, json_response, route
from crm_sync_salesforce.sandbox.bodies import json_object, name_list, succeeded
from crm_sync_salesforce.sandbox.bulkrows import key_field
from crm_sync_salesforce.sandbox.fields import Field, ObjectType
from crm_sync_salesforce.sandbox.ids import full_id
from crm_sync_salesforce.sandbox.metadata import BASE
from crm_sync_salesforce.sandbox.org import Org, format_datetime
from crm_sync_salesforce.sandbox.problems import ApiProblem, RowProblem, not_found
from crm_sync_salesforce.sandbox.retrieval import retrieve
from crm_sync_salesforce.sandbox.values import checked, parsed
from crm_sync_salesforce.sandbox.writing import Draft, Writer, draft

Work = Callable[[Writer], str]
_OBJECT = rf"{BASE}/sobjects/(?P<object>\w+)"
_ROW = rf"{_OBJECT}/(?P<id>\w+)"
_KEYED = rf"{_OBJECT}/(?P<field>\w+)/(?P<value>[^/]+)"


def row_routes(org: Org) -> list[Route]:
    """Create, read, update, upsert and delete of one record."""
    rows = _Rows(org)
    return [
        route("GET", rf"{_OBJECT}/updated", "updated", rows.updated),
        route("GET", rf"{_OBJECT}/deleted", "deleted", rows.deleted),
        route("POST", _OBJECT, "row.create", rows.create),
        route("GET", _ROW, "row.read", rows.read),
        route("PATCH", _ROW, "row.update", rows.update),
        route("DELETE", _ROW, "row.delete", rows.delete),
        route("GET", _KEYED, "row.read_by_key", rows.read_by_key),
        route("PATCH", _KEYED, "row.upsert", rows.upsert),
        route("DELETE", _KEYED, "row.delete_by_key", rows.delete_by_key),
    ]


class _Rows:
    def __init__(self, org: Org) -> None:
        self._org = org

    def create(self, request: Request) -> Response:
        row = draft(self._org.object(request.args["object"]), json_object(request))
        record_id = self._write(lambda writer: writer.create(row))
        location = f"{request.args['base']}/sobjects/{row.target.name}/{record_id}"
        return json_response(succeeded(record_id), status=201, headers={"Location": location})

    def read(self, request: Request) -> Response:
        target = self._org.object(request.args["object"])
        record_id = self._existing(target, request.args["id"])
        self._unmodified(request, target, record_id)
        return self._answer(request, target, record_id)

    def update(self, request: Request) -> Response:
        target = self._org.object(request.args["object"])
        row = draft(target, json_object(request))
        if row.record_id is not None:
            message = "The Id field should not be specified in the sobject data."
            raise ApiProblem(400, "INVALID_FIELD", message, ["Id"])
        record_id = self._existing(target, request.args["id"])
        changed = Draft(target, row.values, record_id)

        def write(writer: Writer) -> str:
            self._unmodified(request, target, record_id)
            return writer.update(changed)

        self._write(write)
        return Response(204)

    def delete(self, request: Request) -> Response:
        target = self._org.object(request.args["object"])
        record_id = self._existing(target, request.args["id"])
        self._write(lambda writer: writer.delete(target, record_id))
        return Response(204)

    def read_by_key(self, request: Request) -> Response:
        target, field, value = self._key(request)
        found = self._find(request, target, field, value)
        if found is None:
            raise not_found()
        return self._answer(request, target, found)

    def upsert(self, request: Request) -> Response:
        target, field, value = self._key(request)
        row = draft(target, json_object(request))
        if field.name in row.values:
            message = f"The {field.name} field should not be specified in the sobject data."
            raise ApiProblem(400, "INVALID_FIELD", message, [field.name])
        made: list[bool] = []

        def write(writer: Writer) -> str:
            found = self._one(request, target, writer.find(target, field, value))
            made.append(found is None)
            if found is not None:
                return writer.update(Draft(target, row.values, found))
            if field.name == "Id":
                raise not_found()
            return writer.create(Draft(target, {**row.values, field.name: value}))

        record_id = self._write(write)
        created = made[0]
        return json_response(succeeded(record_id, created=created), status=201 if created else 200)

    def delete_by_key(self, request: Request) -> Response:
        target, field, value = self._key(request)
        found = self._find(request, target, field, value)
        if found is None:
            raise not_found()
        self._write(lambda writer: writer.delete(target, found))
        return Response(204)

    def updated(self, request: Request) -> Response:
        target = self._org.object(request.args["object"])
        rows = self._between(request, target, 0)
        covered = self._span(request)[1]
        return json_response({"ids": [row[0] for row in rows], "latestDateCovered": covered})

    def deleted(self, request: Request) -> Response:
        target = self._org.object(request.args["object"])
        rows = self._between(request, target, 1)
        start, end = self._span(request)
        gone = [{"id": row[0], "deletedDate": row[1]} for row in rows]
        return json_response(
            {"deletedRecords": gone, "earliestDateAvailable": start, "latestDateCovered": end}
        )

    # Helpers

    def _write(self, work: Work) -> str:
        try:
            with self._org.database.writing() as connection:
                writer = Writer(self._org, connection)
                record_id = work(writer)
        except RowProblem as problem:
            raise problem.as_api_problem() from None
        for kind, count in writer.counted.items():
            self._org.calls.wrote(kind, count)
        return record_id

    def _existing(self, target: ObjectType, given: str) -> str:
        record_id = full_id(given)
        if record_id is None:
            raise not_found("Provided external ID field does not exist or is not accessible")
        with self._org.database.reading() as connection:
            row = connection.execute(
                f'SELECT IsDeleted FROM "{target.name}" WHERE Id = ?',
                (record_id,),
            ).fetchone()
        if row is None:
            raise not_found()
        if row[0]:
            raise ApiProblem(404, "ENTITY_IS_DELETED", "entity is deleted")
        return record_id

    def _answer(self, request: Request, target: ObjectType, record_id: str) -> Response:
        wanted = request.query.get("fields")
        fields = name_list(wanted, "fields") if wanted else [f.name for f in target.visible()]
        (record,) = retrieve(self._org, request.args["base"], target, [record_id], fields)
        return json_response(record)

    def _key(self, request: Request) -> tuple[ObjectType, Field, str | int | float | None]:
        target = self._org.object(request.args["object"])
        field = key_field(target, request.args["field"])
        try:
            return target, field, checked(field, parsed(field, request.args["value"]))
        except RowProblem as problem:
            raise problem.as_api_problem() from None

    def _find(
        self, request: Request, target: ObjectType, field: Field, value: str | int | float | None
    ) -> str | None:
        with self._org.database.reading() as connection:
            found = Writer(self._org, connection).find(target, field, value)
        return self._one(request, target, found)

    def _one(self, request: Request, target: ObjectType, found: list[str]) -> str | None:
        """The only id, None for none. Raises the 300 that lists the candidates of several."""
        if len(found) > 1:
            base = f"{request.args['base']}/sobjects/{target.name}"
            raise HttpProblem(300, [f"{base}/{one}" for one in found])
        return found[0] if found else None

    def _unmodified(self, request: Request, target: ObjectType, record_id: str) -> None:
        """Raise 412 (or 304 for reading) where the request's condition on time does not hold."""
        with self._org.database.reading() as connection:
            (modified,) = connection.execute(
                f'SELECT LastModifiedDate FROM "{target.name}" WHERE Id = ?',
                (record_id,),
            ).fetchone()
        changed = datetime.fromisoformat(modified)
        since = _header_time(request, "if-unmodified-since")
        if since is not None and changed > since:
            raise ApiProblem(412, "PRECONDITION_FAILED", "The record was modified since then")
        since = _header_time(request, "if-modified-since")
        if since is not None and request.method == "GET" and changed <= since:
            raise HttpProblem(304, "")

    def _span(self, request: Request) -> tuple[str, str]:
        return _query_time(request, "start"), _query_time(request, "end")

    def _between(self, request: Request, target: ObjectType, gone: int) -> list[tuple[str, str]]:
        with self._org.database.reading() as connection:
            return connection.execute(
                f'SELECT Id, SystemModstamp FROM "{target.name}" WHERE IsDeleted = ? '
                "AND SystemModstamp >= ? AND SystemModstamp < ? ORDER BY SystemModstamp",
                (gone, *self._span(request)),
            ).fetchall()


def _header_time(request: Request, name: str) -> datetime | None:
    text = request.headers.get(name)
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        raise ApiProblem(400, "INVALID_HEADER", f"{name} is not an HTTP date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _query_time(request: Request, name: str) -> str:
    try:
        # A plus sign that was not encoded arrives as a blank.
        moment = datetime.fromisoformat(request.query[name].replace(" ", "+"))
    except (KeyError, ValueError):
        message = f"{name} has to be a time with an offset"
        raise ApiProblem(400, "INVALID_REPLICATION_DATE", message) from None
    return format_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
