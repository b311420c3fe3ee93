"""Associations over HTTP: the dated end points and version 4, which share their shapes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from crm_sync.sandbox.http import Request, Response, Route, json_response, route
from crm_sync_hubspot.sandbox.associations import Link, associate, dissociate, live, of, record_id
from crm_sync_hubspot.sandbox.dated import DATED
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
from crm_sync_hubspot.sandbox.linktypes import LinkType, fitting, kinds, parse_specs, plain
from crm_sync_hubspot.sandbox.problems import invalid, not_found

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

MAX_READ = 1_000
MAX_WRITE = 2_000
PAGE = 500
"""Associations of one record in one answer, at the most."""

_BATCH = (
    rf"/crm/(?:associations/(?P<dated>{DATED})|v4/associations)"
    r"/(?P<type>[^/]+)/(?P<to>[^/]+)/batch"
)
_ONE = rf"/crm/(?:objects/(?P<dated>{DATED})|v4/objects)/(?P<type>[^/]+)/(?P<id>[^/]+)/associations"


def association_routes(portal: Portal) -> list[Route]:
    """The end points of associations in the dated form and in version 4."""

    def handled(act: Callable[[Portal, Request], Response]) -> Callable[[Request], Response]:
        return lambda request: act(portal, request)

    default = rf"{_ONE}/default/(?P<to>[^/]+)/(?P<to_id>[^/]+)"
    pair = rf"{_ONE}/(?P<to>[^/]+)/(?P<to_id>[^/]+)"
    name = "associations"
    return [
        route("POST", rf"{_BATCH}/read", f"{name}.read", handled(_read)),
        route("POST", rf"{_BATCH}/create", f"{name}.create", handled(_create)),
        route("POST", rf"{_BATCH}/archive", f"{name}.archive", handled(_archive)),
        route("POST", rf"{_BATCH}/labels/archive", f"{name}.unlabel", handled(_unlabel)),
        route("POST", rf"{_BATCH}/associate/default", f"{name}.default", handled(_defaults)),
        route("PUT", default, f"{name}.default", handled(_default)),
        route("PUT", pair, f"{name}.put", handled(_put)),
        route("DELETE", pair, f"{name}.delete", handled(_delete)),
        route("GET", rf"{_ONE}/(?P<to>[^/]+)", f"{name}.page", handled(_page)),
    ]


def _read(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    wanted = inputs(request, MAX_READ)
    results: list[Json] = []
    errors: Errors = []
    with portal.database.reading() as sql:
        plain(kinds(sql, *ends.names))
        found = of(sql, ends.source.name, {record_id(one) for one in wanted}, ends.target.name)
    for one in wanted:
        links = found.get(record_id(one), [])
        if not links:
            errors.append(none_found(ends, told(one)))
            continue
        page, paging = _paged(links, str(one.get("after") or "0"), PAGE)
        results.append({"from": {"id": told(one)}, "to": page, **paging})
    return batch_answer(portal, started, results, errors, status=_status(request, errors))


def _create(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    wanted = inputs(request, MAX_WRITE)
    pairs = [(record_id(one.get("from")), record_id(one.get("to"))) for one in wanted]
    specs = [parse_specs(one.get("types")) for one in wanted]
    results: list[Json] = []
    errors: Errors = []
    with portal.database.writing() as sql:
        found = kinds(sql, *ends.names)
        labels = [fitting(found, one) for one in specs]
        there = pairs_there(sql, ends, pairs)
        for one, pair, spec, types, both in zip(wanted, pairs, specs, labels, there, strict=True):
            if not both:
                errors.append(missing(ends, told(one["from"]), told(one["to"])))
                continue
            associate(sql, ends.source.name, pair[0], ends.target.name, pair[1], spec)
            results.append(_labelled(ends, *pair, types))
    portal.calls.wrote(f"{ends.source.name}.associate", len(results))
    return batch_answer(portal, started, results, errors, status=_status(request, errors, 201))


def _defaults(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    wanted = inputs(request, MAX_WRITE)
    pairs = [(record_id(one.get("from")), record_id(one.get("to"))) for one in wanted]
    results: list[Json] = []
    errors: Errors = []
    with portal.database.writing() as sql:
        there = pairs_there(sql, ends, pairs)
        for one, pair, both in zip(wanted, pairs, there, strict=True):
            if both:
                results += _default_of(sql, ends, *pair)
            else:
                errors.append(missing(ends, told(one["from"]), told(one["to"])))
    portal.calls.wrote(f"{ends.source.name}.associate", sum(there))
    return batch_answer(portal, started, results, errors, status=_status(request, errors))


def _default(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    with portal.database.writing() as sql:
        results = _default_of(sql, ends, *_pair(sql, ends, request.args))
    portal.calls.wrote(f"{ends.source.name}.associate", 1)
    return batch_answer(portal, started, results, [])


def _put(portal: Portal, request: Request) -> Response:
    ends = Ends(request.args)
    try:
        specs = parse_specs(request.json())
    except ValueError:
        raise invalid("Invalid input JSON") from None
    with portal.database.writing() as sql:
        pair = _pair(sql, ends, request.args)
        types = fitting(kinds(sql, *ends.names), specs)
        associate(sql, ends.source.name, pair[0], ends.target.name, pair[1], specs)
    portal.calls.wrote(f"{ends.source.name}.associate", 1)
    return json_response(_labelled(ends, *pair, types), status=201)


def _delete(portal: Portal, request: Request) -> Response:
    ends = Ends(request.args)
    with portal.database.writing() as sql:
        pair = _pair(sql, ends, request.args)
        dissociate(sql, ends.source.name, pair[0], ends.target.name, pair[1])
    return Response(204)


def _archive(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    wanted = inputs(request, MAX_WRITE)
    with portal.database.writing() as sql:
        plain(kinds(sql, *ends.names))
        for one in wanted:
            targets = one.get("to")
            for target in targets if isinstance(targets, list) else [targets]:
                from_id, to_id = record_id(one.get("from")), record_id(target)
                dissociate(sql, ends.source.name, from_id, ends.target.name, to_id)
    return _void(portal, request, started)


def _unlabel(portal: Portal, request: Request) -> Response:
    started, ends = portal.now(), Ends(request.args)
    wanted = inputs(request, MAX_WRITE)
    with portal.database.writing() as sql:
        for one in wanted:
            pair = record_id(one.get("from")), record_id(one.get("to"))
            specs = parse_specs(one.get("types"))
            dissociate(sql, ends.source.name, pair[0], ends.target.name, pair[1], specs)
    return _void(portal, request, started)


def _page(portal: Portal, request: Request) -> Response:
    ends = Ends(request.args)
    limit = request.query.get("limit", str(PAGE))
    if not limit.isdecimal() or not 1 <= int(limit) <= PAGE:
        raise invalid(f"limit must be between 1 and {PAGE}")
    with portal.database.reading() as sql:
        source = record_id(request.args)
        if source not in live(sql, ends.source.name, [source]):
            raise not_found(f"{ends.source.singular} {request.args['id']} does not exist")
        links = of(sql, ends.source.name, [source], ends.target.name).get(source, [])
    page, paging = _paged(links, request.query.get("after") or "0", int(limit))
    return json_response({"results": page, **paging})


def _default_of(sql: sqlite3.Connection, ends: Ends, from_id: int, to_id: int) -> list[Json]:
    """Associate two records plainly; what was made, the primary association too."""
    made = associate(sql, ends.source.name, from_id, ends.target.name, to_id)
    return [
        {
            "from": {"id": str(from_id)},
            "to": {"id": str(to_id)},
            "associationSpec": {
                "associationCategory": one.spec.category,
                "associationTypeId": one.spec.type_id,
            },
        }
        for one in made
    ]


def _pair(sql: sqlite3.Connection, ends: Ends, args: Mapping[str, str]) -> tuple[int, int]:
    """Both ids of a path. Raises 404 unless both records are there."""
    pair = record_id({"id": args["id"]}), record_id({"id": args["to_id"]})
    if not all(pairs_there(sql, ends, [pair])):
        raise not_found(
            f"{ends.source.singular} {args['id']} or {ends.target.singular} {args['to_id']}"
            " does not exist"
        )
    return pair


def _paged(links: Sequence[Link], after: str, limit: int) -> tuple[list[Json], Json]:
    """One page of a record's associations, and its `paging` if there are more."""
    if not after.isdecimal():
        raise invalid("after is not a token of this end point")
    rest = [one for one in links if one.to_id > int(after)]
    page = [
        {"toObjectId": str(one.to_id), "associationTypes": [kind.described() for kind in one.types]}
        for one in rest[:limit]
    ]
    if len(rest) <= limit:
        return page, {}
    return page, {"paging": {"next": {"after": str(rest[limit - 1].to_id)}}}


def _labelled(ends: Ends, from_id: int, to_id: int, types: Sequence[LinkType]) -> Json:
    return {
        "fromObjectTypeId": ends.source.type_id,
        "fromObjectId": str(from_id),
        "toObjectTypeId": ends.target.type_id,
        "toObjectId": str(to_id),
        "labels": [one.label for one in types if one.label is not None],
    }


def _void(portal: Portal, request: Request, started: datetime) -> Response:
    """Nothing in version 4; an answer without results in the dated form."""
    if "dated" in request.args:
        return batch_answer(portal, started, [], [])
    return Response(204)


def _status(request: Request, errors: Errors, good: int = 200) -> int:
    """Version 4 tells partial failure by 207; the dated form answers 200 all the same."""
    if "dated" in request.args:
        return 200
    return 207 if errors else good
