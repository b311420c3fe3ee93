"""Associations over HTTP in version 3, where a kind goes by its name (`contact_to_company`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.associations import associate, dissociate, live, named, of, record_id
from crm_sync_hubspot.sandbox.linkanswers import (
    Ends,
    Errors,
    Json,
    batch_answer,
    inputs,
    missing,
    none_found,
    pairs_there,
    told,
)
from crm_sync_hubspot.sandbox.linktypes import LinkType, Spec, kinds, plain
from crm_sync_hubspot.sandbox.problems import invalid, not_found

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

MAX_INPUTS = 100
_BATCH = r"/crm/v3/associations/(?P<type>[^/]+)/(?P<to>[^/]+)"
_ONE = r"/crm/v3/objects/(?P<type>[^/]+)/(?P<id>[^/]+)/associations/(?P<to>[^/]+)"


def association_v3_routes(portal: Portal) -> list[Route]:
    """The end points of associations in version 3."""

    def handled(act: Callable[[Portal, Request], Response]) -> Callable[[Request], Response]:
        return lambda request: act(portal, request)

    pair = rf"{_ONE}/(?P<to_id>[^/]+)/(?P<kind>[^/]+)"
    name = "associations"
    return [
        route("GET", rf"{_BATCH}/types", f"{name}.types", handled(_types)),
        route("POST", rf"{_BATCH}/batch/read", f"{name}.read", handled(_read)),
        route("POST", rf"{_BATCH}/batch/create", f"{name}.create", handled(_create)),
        route("POST", rf"{_BATCH}/batch/archive", f"{name}.archive", handled(_archive)),
        route("GET", _ONE, f"{name}.page", handled(_page)),
        route("PUT", pair, f"{name}.put", handled(_put)),
        route("DELETE", pair, f"{name}.delete", handled(_delete)),
    ]


def _types(portal: Portal, request: Request) -> Response:
    with portal.database.reading() as sql:
        found = kinds(sql, *Ends(request.args).names)
    shown = [{"id": str(spec.type_id), "name": one.name} for spec, one in found.items()]
    return json_response({"results": shown})


def _read(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    wanted = inputs(request, MAX_INPUTS)
    results: list[Json] = []
    errors: Errors = []
    with portal.database.reading() as sql:
        plain(kinds(sql, *ends.names))
        found = of(sql, ends.source.name, {record_id(one) for one in wanted}, ends.target.name)
    for one in wanted:
        links = found.get(record_id(one), [])
        if links:
            shown = [end for link in links for end in named(link)]
            results.append({"from": {"id": told(one)}, "to": shown})
        else:
            errors.append(none_found(ends, told(one)))
    return batch_answer(portal, started, results, errors, status=207 if errors else 200)


def _create(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    wanted = inputs(request, MAX_INPUTS)
    pairs = [(record_id(one.get("from")), record_id(one.get("to"))) for one in wanted]
    results: list[Json] = []
    errors: Errors = []
    with portal.database.writing() as sql:
        specs = [_spec(sql, ends, one.get("type")) for one in wanted]
        there = pairs_there(sql, ends, pairs)
        for one, pair, spec, both in zip(wanted, pairs, specs, there, strict=True):
            if not both:
                errors.append(missing(ends, told(one["from"]), told(one["to"])))
                continue
            associate(sql, ends.source.name, pair[0], ends.target.name, pair[1], [spec])
            results.append({"from": one["from"], "to": one["to"], "type": one["type"]})
    portal.calls.wrote(f"{ends.source.name}.associate", len(results))
    return batch_answer(portal, started, results, errors, status=207 if errors else 201)


def _archive(portal: Portal, request: Request) -> Response:
    ends = Ends(request.args)
    with portal.database.writing() as sql:
        for one in inputs(request, MAX_INPUTS):
            spec = _spec(sql, ends, one.get("type"))
            pair = record_id(one.get("from")), record_id(one.get("to"))
            dissociate(sql, ends.source.name, pair[0], ends.target.name, pair[1], [spec])
    return Response(204)


def _page(portal: Portal, request: Request) -> Response:
    ends = Ends(request.args)
    with portal.database.reading() as sql:
        source = record_id(request.args)
        if source not in live(sql, ends.source.name, [source]):
            raise not_found(f"{ends.source.singular} {request.args['id']} does not exist")
        links = of(sql, ends.source.name, [source], ends.target.name).get(source, [])
    return json_response({"results": [end for link in links for end in named(link)]})


def _put(portal: Portal, request: Request) -> Response:
    ends = Ends(request.args)
    with portal.database.writing() as sql:
        one = _pair(sql, ends, request.args)
        spec = _spec(sql, ends, request.args["kind"])
        associate(sql, ends.source.name, one[0], ends.target.name, one[1], [spec])
    portal.calls.wrote(f"{ends.source.name}.associate", 1)
    return json_response({"id": str(one[0]), "properties": {}, "archived": False})


def _delete(portal: Portal, request: Request) -> Response:
    ends = Ends(request.args)
    with portal.database.writing() as sql:
        one = _pair(sql, ends, request.args)
        spec = _spec(sql, ends, request.args["kind"])
        dissociate(sql, ends.source.name, one[0], ends.target.name, one[1], [spec])
    return Response(204)


def _pair(sql: sqlite3.Connection, ends: Ends, args: Mapping[str, str]) -> tuple[int, int]:
    pair = record_id({"id": args["id"]}), record_id({"id": args["to_id"]})
    if not all(pairs_there(sql, ends, [pair])):
        raise not_found("One of the records to be associated does not exist")
    return pair


def _spec(sql: sqlite3.Connection, ends: Ends, kind: object) -> Spec:
    """The kind of association of that name or number. Raises 400."""
    found: LinkType | None = next(
        (
            one
            for spec, one in kinds(sql, *ends.names).items()
            if kind in {one.name, str(spec.type_id)}
        ),
        None,
    )
    if found is None:
        raise invalid(f"{kind} is not an association type of this pair")
    return found.spec
