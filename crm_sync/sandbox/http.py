"""What a sandbox's handlers see of HTTP: requests, responses and a small router."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class HttpProblem(Exception):
    """A request that is answered with an error; `body` is sent as JSON, or as it is if text."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer that carries this problem."""
        if isinstance(self.body, str):
            return Response(self.status, self.body.encode(), self.headers, "text/plain")
        return json_response(self.body, status=self.status, headers=self.headers)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are in lower case, `args` are the route's named groups."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    peer: str = "127.0.0.1"
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path as sent, still percent-encoded."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; the last of several equal names wins."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The body as a web form; also what stands in the query, which wins nothing."""
        return {**self.query, **dict(parse_qsl(self.body.decode("utf-8", "replace")))}

    def json(self) -> Any:
        """The body as JSON. Raises `ValueError` when it is not, or nests too deeply."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"

    def adding(self, headers: Mapping[str, str]) -> Response:
        """The same answer with more headers."""
        return replace(self, headers={**self.headers, **headers})


Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern (a regular expression over the whole path) with its handler.

    `name` is what calls are counted under. `public` routes are outside of the vendor's API: no
    session is asked for and no allowance is used.
    """

    method: str
    pattern: re.Pattern[str]
    name: str
    handler: Handler
    public: bool = False


def route(method: str, pattern: str, name: str, handler: Handler, *, public: bool = False) -> Route:
    """A `Route` from the text of its pattern."""
    return Route(method, re.compile(pattern), name, handler, public)


def json_response(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer that carries `value` as compact JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, dict(headers or {}))


class Router:
    """Finds the route of a request; the first that fits wins."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, request: Request) -> tuple[Route, Request] | None:
        """The route and the request with its `args`, or None when no path fits.

        Raises `HttpProblem` 405 when the path is known but not with this method.
        """
        path = request.path.rstrip("/") or "/"
        known = False
        for candidate in self._routes:
            match = candidate.pattern.fullmatch(path)
            if match is None:
                continue
            if candidate.method == request.method:
                args = {k: unquote(v) for k, v in match.groupdict().items() if v is not None}
                return candidate, replace(request, args=args)
            known = True
        if known:
            raise HttpProblem(405, f"{request.method} is not allowed here")
        return None
