"""sObject Collections: up to 200 rows in one call, a result for each of them, in order.

A value that cannot be read, and a column that there is not, spoil the whole request (400, nothing
carried out); everything else is the matter of its row, under HTTP 200.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_salesforce.sandbox.bodies import failed, json_object, name_list, succeeded
from crm_sync_salesforce.sandbox.fields import Field, ObjectType
from crm_sync_salesforce.sandbox.ids import full_id
from crm_sync_salesforce.sandbox.metadata import BASE
from crm_sync_salesforce.sandbox.org import Org
from crm_sync_salesforce.sandbox.problems import ApiProblem, RowProblem, not_found
from crm_sync_salesforce.sandbox.retrieval import retrieve
from crm_sync_salesforce.sandbox.writing import Draft, Writer, draft

MAX_ROWS = 200
MAX_RETRIEVED = 2000
MAX_CHUNKS = 10
Result = dict[str, object]
Step = Callable[[Writer], Result]
_COLLECTIONS = f"{BASE}/composite/sobjects"


def collection_routes(org: Org) -> list[Route]:
    """Create, update, upsert, delete and retrieve."""

    def create(request: Request) -> Response:
        rows, all_or_none = _rows(org, json_object(request))
        steps: list[Step] = [partial(_create, row) for row in rows]
        return json_response(run_rows(org, steps, all_or_none=all_or_none))

    def update(request: Request) -> Response:
        rows, all_or_none = _rows(org, json_object(request))
        steps: list[Step] = [partial(_update, row) for row in rows]
        return json_response(run_rows(org, steps, all_or_none=all_or_none))

    def upsert(request: Request) -> Response:
        target = org.object(request.args["object"])
        field = key_field(target, request.args["field"])
        rows, all_or_none = _rows(org, json_object(request), target)
        keys = Counter(_key_of(row, field) for row in rows)
        steps: list[Step] = [
            partial(_upsert, row, field, keys[_key_of(row, field)]) for row in rows
        ]
        return json_response(run_rows(org, steps, all_or_none=all_or_none))

    def delete(request: Request) -> Response:
        ids = name_list(request.query.get("ids"), "ids")
        _check_size(len(ids), MAX_ROWS)
        steps: list[Step] = [partial(_delete, org, one) for one in ids]
        all_or_none = request.query.get("allOrNone", "false").lower() == "true"
        return json_response(run_rows(org, steps, all_or_none=all_or_none))

    def read(request: Request) -> Response:
        target = org.object(request.args["object"])
        given = json_object(request) if request.method == "POST" else request.query
        ids = name_list(given.get("ids"), "ids")
        fields = name_list(given.get("fields"), "fields")
        _check_size(len(ids), MAX_RETRIEVED)
        found = retrieve(org, request.args["base"], target, [full_id(one) for one in ids], fields)
        return json_response(found)

    one_object = rf"{_COLLECTIONS}/(?P<object>\w+)"
    return [
        route("POST", _COLLECTIONS, "collections.create", create),
        route("PATCH", _COLLECTIONS, "collections.update", update),
        route("DELETE", _COLLECTIONS, "collections.delete", delete),
        route("PATCH", rf"{one_object}/(?P<field>\w+)", "collections.upsert", upsert),
        route("POST", one_object, "collections.retrieve", read),
        route("GET", one_object, "collections.retrieve", read),
    ]


def run_rows(org: Org, steps: list[Step], *, all_or_none: bool) -> list[Result]:
    """Carry out rows in one transaction; with `all_or_none` one refusal undoes them all."""
    with org.database.writing() as connection:
        writer = Writer(org, connection)
        connection.execute("SAVEPOINT rows")
        results = [_attempt(writer, step) for step in steps]
        refused = all_or_none and not all(result["success"] for result in results)
        if refused:
            connection.execute("ROLLBACK TO rows")
        connection.execute("RELEASE rows")
    if refused:
        return [_undone(result) for result in results]
    for kind, count in writer.counted.items():
        org.calls.wrote(kind, count)
    return results


def key_field(target: ObjectType, name: str) -> Field:
    """The field that addresses records. Raises the 404 for one that cannot."""
    field = target.field(name)
    if field is None or not field.key:
        raise not_found("Provided external ID field does not exist or is not accessible")
    return field


def _attempt(writer: Writer, step: Step) -> Result:
    try:
        return step(writer)
    except RowProblem as problem:
        return failed(problem)


def _undone(result: Result) -> Result:
    if not result["success"]:
        return result
    code = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    return failed(RowProblem(code, "Another row of this allOrNone request was refused"))


def _rows(
    org: Org, body: dict[str, Any], target: ObjectType | None = None
) -> tuple[list[Draft], bool]:
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise ApiProblem(400, "MISSING_ARGUMENT", "records has to be a list of records")
    _check_size(len(records), MAX_ROWS)
    kinds = [_kind(record) for record in records]
    chunks = 1 + sum(one != following for one, following in pairwise(kinds))
    if chunks > MAX_CHUNKS:
        message = f"More than {MAX_CHUNKS} chunks of record types in one request"
        raise ApiProblem(400, "INVALID_INPUT", message)
    drafts = [
        draft(_type(org, kind, target), record) for kind, record in zip(kinds, records, strict=True)
    ]
    return drafts, body.get("allOrNone") is True


def _kind(record: Any) -> str:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(kind, str):
        message = "Each record needs attributes with its type"
        raise ApiProblem(400, "INVALID_INPUT", message)
    return kind


def _type(org: Org, kind: str, wanted: ObjectType | None) -> ObjectType:
    found = org.catalog.get(kind.lower())
    if found is None:
        raise ApiProblem(400, "INVALID_TYPE", f"sObject type '{kind}' is not supported.")
    if wanted is not None and found.name != wanted.name:
        raise ApiProblem(400, "INVALID_INPUT", f"The records have to be of type {wanted.name}")
    return found


def _check_size(rows: int, most: int) -> None:
    if rows > most:
        message = f"record limit reached. cannot submit more than {most} records in this request"
        raise ApiProblem(400, "EXCEEDED_ID_LIMIT", message)


def _object_of(org: Org, record_id: str) -> ObjectType:
    for one in org.catalog.values():
        if record_id.startswith(one.prefix):
            return one
    raise RowProblem("MALFORMED_ID", f"bad id {record_id[:40]}", ["Id"])


def _key_of(row: Draft, field: Field) -> object:
    value = row.record_id if field.name == "Id" else row.values.get(field.name)
    if isinstance(value, str) and field.name != "Id" and not field.case_sensitive:
        return value.casefold()
    return value


def _create(row: Draft, writer: Writer) -> Result:
    return succeeded(writer.create(row))


def _update(row: Draft, writer: Writer) -> Result:
    return succeeded(writer.update(row))


def _delete(org: Org, record_id: str, writer: Writer) -> Result:
    return succeeded(writer.delete(_object_of(org, record_id), record_id))


def _upsert(row: Draft, field: Field, uses: int, writer: Writer) -> Result:
    if field.name == "Id":
        if row.record_id is None:
            return succeeded(writer.create(row), created=True)
        return succeeded(writer.update(row), created=False)
    value = row.values.get(field.name)
    if value is None:
        raise RowProblem("MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
    if uses > 1:
        message = f"Duplicate external id specified: {value}"
        raise RowProblem("DUPLICATE_VALUE", message, [field.name])
    found = writer.find(row.target, field, value)
    if len(found) > 1:
        message = f"More than one record found for external id field: {found}"
        raise RowProblem("DUPLICATE_EXTERNAL_ID", message, [field.name])
    if not found:
        return succeeded(writer.create(row), created=True)
    return succeeded(writer.update(Draft(row.target, row.values, found[0])), created=False)
