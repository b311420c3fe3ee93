"""What all end points of associations have in common: their batches, and the errors in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_sync.sandbox.http import Request, Response, json_response
from crm_sync_hubspot.sandbox.associations import live
from crm_sync_hubspot.sandbox.problems import NOT_FOUND, batch_error, invalid
from crm_sync_hubspot.sandbox.types import ObjectType, resolve

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

NONE_FOUND = "crm.associations.NO_ASSOCIATIONS_FOUND"

Json = dict[str, Any]
Errors = list[Json]


class Ends:
    """The two kinds of records that a path names. Raises 404 for an unknown one."""

    def __init__(self, args: Mapping[str, str]) -> None:
        self.source: ObjectType = resolve(args["type"])
        self.target: ObjectType = resolve(args["to"])

    @property
    def names(self) -> tuple[str, str]:
        """Both plural names, this end first."""
        return self.source.name, self.target.name


def inputs(request: Request, limit: int) -> list[Json]:
    """The `inputs` of a batch. Raises 400 when they are malformed or too many."""
    try:
        body = request.json()
    except ValueError:
        raise invalid("Invalid input JSON") from None
    given = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid("inputs must be a list of objects")
    if not given:
        raise invalid("At least one input is required")
    if len(given) > limit:
        raise invalid(f"The batch holds {len(given)} inputs, more than the limit of {limit}")
    return given


def batch_answer(
    portal: Portal, started: datetime, results: Sequence[Any], errors: Errors, *, status: int = 200
) -> Response:
    """A batch's answer; `status` is what it has when nothing went wrong in version 3 or 4."""
    answer: Json = {
        "status": "COMPLETE",
        "results": list(results),
        "startedAt": _stamp(started),
        "completedAt": _stamp(portal.now()),
    }
    if errors:
        answer |= {"numErrors": len(errors), "errors": errors}
    return json_response(answer, status=status)


def missing(ends: Ends, from_id: str, to_id: str) -> Json:
    """The error entry of a pair of which one end is not there."""
    context = {
        "fromObjectId": [from_id],
        "fromObjectType": [ends.source.singular],
        "toObjectId": [to_id],
        "toObjectType": [ends.target.singular],
    }
    return batch_error(NOT_FOUND, "One or more objects of the association do not exist", context)


def none_found(ends: Ends, from_id: str) -> Json:
    """The error entry of a record without such associations, whether or not it is there."""
    message = f"No {ends.target.singular} is associated with {ends.source.singular} {from_id}."
    context = {
        "fromObjectId": [from_id],
        "fromObjectType": [ends.source.singular],
        "toObjectType": [ends.target.singular],
    }
    return batch_error(NOT_FOUND, message, context, sub_category=NONE_FOUND)


def pairs_there(
    sql: sqlite3.Connection, ends: Ends, pairs: Sequence[tuple[int, int]]
) -> list[bool]:
    """For each pair of ids whether both records are there."""
    sources = live(sql, ends.source.name, {one for one, _ in pairs})
    targets = live(sql, ends.target.name, {one for _, one in pairs})
    return [one in sources and other in targets for one, other in pairs]


def told(given: Any) -> str:
    """The id of one end as the request wrote it."""
    return str(given["id"])


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
