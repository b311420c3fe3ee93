"""Composite requests: up to 25 parts in one call, each of which may refer to earlier ones.

Each part is carried out on its own; `allOrNone` over several parts is not offered by the sandbox
and refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from crm_sync.sandbox.http import (
    HttpProblem,
    Request,
    Response,
    Route,
    Router,
    json_response,
    route,
)
from crm_sync_salesforce.sandbox.bodies import json_object
from crm_sync_salesforce.sandbox.metadata import BASE
from crm_sync_salesforce.sandbox.problems import ApiProblem, not_found

MAX_PARTS = 25
CarryOut = Callable[[Route, Request], Response]
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def composite_route(inner: Router, carry_out: CarryOut) -> Route:
    """The end point, which finds its parts' handlers in `inner`."""

    def composite(request: Request) -> Response:
        body = json_object(request)
        parts = body.get("compositeRequest")
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise ApiProblem(400, "MISSING_ARGUMENT", "compositeRequest has to be a list of parts")
        if len(parts) > MAX_PARTS:
            message = f"The request can't contain more than {MAX_PARTS} operations."
            raise ApiProblem(400, "LIMIT_EXCEEDED", message)
        if body.get("allOrNone") and len(parts) > 1:
            message = "This sandbox carries out each part on its own: allOrNone is not offered"
            raise ApiProblem(400, "INVALID_INPUT", message)
        done: dict[str, Any] = {}
        answers = []
        for part in parts:
            response = _part(inner, carry_out, request, part, done)
            answer = _answer(part, response)
            answers.append(answer)
            if response.status < 300:
                done[str(part.get("referenceId"))] = answer["body"]
        return json_response({"compositeResponse": answers})

    return route("POST", f"{BASE}/composite", "composite", composite)


def _part(
    inner: Router,
    carry_out: CarryOut,
    outer: Request,
    part: Mapping[str, Any],
    done: Mapping[str, Any],
) -> Response:
    try:
        request = _request(outer, part, done)
        found = inner.find(request)
    except HttpProblem as problem:
        return problem.response()
    return not_found().response() if found is None else carry_out(*found)


def _request(outer: Request, part: Mapping[str, Any], done: Mapping[str, Any]) -> Request:
    method, url = str(part.get("method", "")).upper(), part.get("url")
    if method not in _METHODS or not isinstance(url, str) or not part.get("referenceId"):
        raise ApiProblem(400, "INVALID_INPUT", "A part has a method, a url and a referenceId")
    headers = {
        str(name).lower(): str(value) for name, value in dict(part.get("httpHeaders") or {}).items()
    }
    body = b"" if part.get("body") is None else json.dumps(_filled(part["body"], done)).encode()
    return replace(outer, method=method, target=_filled(url, done), headers=headers, body=body)


def _answer(part: Mapping[str, Any], response: Response) -> dict[str, Any]:
    return {
        "body": json.loads(response.body) if response.body else None,
        "httpHeaders": dict(response.headers),
        "httpStatusCode": response.status,
        "referenceId": part.get("referenceId"),
    }


def _filled(value: Any, done: Mapping[str, Any]) -> Any:
    """The value with `@{reference.path}` replaced by what earlier parts answered."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _looked_up(match, done), value)
    if isinstance(value, list):
        return [_filled(one, done) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, done) for key, one in value.items()}
    return value


def _looked_up(match: re.Match[str], done: Mapping[str, Any]) -> str:
    name, path = match.groups()
    try:
        found = done[name]
        for key, index in _STEP.findall(path):
            found = found[key] if key else found[int(index)]
    except (KeyError, IndexError, TypeError):
        message = f"The part refers to {match.group()[:80]}, which was not answered"
        raise ApiProblem(400, "PROCESSING_HALTED", message) from None
    return str(found)
