"""HTTP toward one vendor: to one host, bounded in time, size and depth, without retries."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from crm_sync.enrichment.http.building import Call
from crm_sync.enrichment.http.description import Auth, Timeouts
from crm_sync.errors import ConfigError, ServerFault, Unreachable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

MAX_DEPTH = 64
"""A person is nested five deep, perhaps ten. What goes deeper was made to do harm."""

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers (case-insensitive) and the JSON body; `is_json` is whether there was one."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    is_json: bool


@dataclass(frozen=True)
class Credentials:
    """How a request shows who asks; what is secret shows in no repr."""

    auth: Auth
    key: str = field(default="", repr=False)
    user: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        """The headers that carry the key, if headers do."""
        kind = self.auth.kind
        if kind == "bearer":
            return {"Authorization": f"Bearer {self.key}"}
        if kind == "basic":
            pair = b64encode(f"{self.user}:{self.key}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        if self.auth.kind == "header":
            return {self.auth.name: f"{self.auth.prefix}{self.key}"}
        return {}

    def query(self) -> dict[str, str]:
        """The parameter that carries the key, if one does."""
        return {self.auth.name: self.key} if self.auth.kind == "query" else {}

    def shown(self) -> list[str]:
        """The secrets as they stand in a request, for what has to be kept out of logs."""
        texts = [
            *self.headers().values(),
            *(quote(text, safe="") for text in self.query().values()),
        ]
        return [text.removeprefix("Bearer ").removeprefix("Basic ") for text in texts]


class _Boundless(Exception):
    """The answer is longer, or takes longer, than it may."""


class Transport:
    """Sends single requests below one base address; safe to share between threads."""

    def __init__(
        self, base_url: str, credentials: Credentials, timeouts: Timeouts, max_bytes: int
    ) -> None:
        import urllib3

        self._base_url = base_url
        self._credentials = credentials
        self._timeouts = timeouts
        self._max_bytes = max_bytes
        self.place = urlsplit(base_url).netloc
        self._pool = urllib3.PoolManager(retries=False, num_pools=1, maxsize=2)

    def send(self, call: Call) -> Reply:
        """The reply, whatever its status; redirects are not followed.

        Raises `Unreachable` when nothing can have been sent, `ServerFault` when the reply did not
        come whole, `ConfigError` where a certificate is not trusted or a page is elsewhere.
        """
        import urllib3

        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        headers |= {"User-Agent": "crm-sync", **dict(call.headers)}
        data: bytes | None = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(call.body, allow_nan=False, ensure_ascii=False).encode()
        try:
            response = self._pool.request(
                call.method,
                self._url(call),
                body=data,
                headers={**headers, **self._credentials.headers()},
                timeout=urllib3.Timeout(connect=self._timeouts.connect, read=self._timeouts.read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            raw = self._read(response)
        except _Boundless:
            raise ServerFault(
                "sent an answer that is too long, or that does not end",
                place=self.place,
                fix="Look at `max_answer_mb` and `timeouts` of its description.",
                sent=True,
            ) from None
        except urllib3.exceptions.HTTPError as problem:
            self._explain(problem)
        return _reply(response, raw)

    def close(self) -> None:
        """Close all sockets."""
        self._pool.clear()

    def _url(self, call: Call) -> str:
        secret = self._credentials.query()
        if call.next_url is not None:
            return self._next_url(call.next_url, secret)
        pairs = [*call.query, *secret.items()]
        query = f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""
        return f"{self._base_url}{call.path}{query}"

    def _next_url(self, told: str, secret: Mapping[str, str]) -> str:
        """The address of the next page, if it is where the first one was: it gets the key."""
        base = urlsplit(self._base_url)
        try:
            url = urlsplit(urljoin(f"{self._base_url}/", told))
            same = (url.scheme, url.netloc) == (base.scheme, base.netloc)
        except ValueError:
            same = False
        if not same:
            raise ConfigError(
                "its next page is said to be elsewhere; nothing was sent there",
                place=self.place,
                fix="Look at `pages` of its description.",
            )
        pairs = [pair for pair in parse_qsl(url.query) if pair[0] not in secret]
        query = urlencode([*pairs, *secret.items()], quote_via=quote)
        return url._replace(query=query, fragment="").geturl()

    def _read(self, response: BaseHTTPResponse) -> bytes:
        until = time.monotonic() + self._timeouts.whole
        raw = bytearray()
        # One arrival at a time: waiting for whole pieces, a trickle would never be looked at.
        try:
            while piece := response.read1(_PIECE, decode_content=True):
                raw += piece
                if len(raw) > self._max_bytes or time.monotonic() > until:
                    raise _Boundless
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return bytes(raw)

    def _explain(self, problem: Exception) -> NoReturn:
        """Whether the request can have arrived decides whether it may have been paid."""
        import ssl

        import urllib3.exceptions as u3

        causes = _causes(problem)
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            raise ConfigError(
                "its certificate cannot be verified",
                place=self.place,
                fix="Check `base_url`, and the certificates of this machine or its proxy.",
            ) from None
        never_sent = (u3.NewConnectionError, u3.NameResolutionError, u3.ConnectTimeoutError)
        if any(isinstance(cause, never_sent) for cause in causes):
            raise Unreachable(
                "no connection can be made", place=self.place, fix="Check the network."
            ) from None
        what = "hung up"
        if isinstance(problem, u3.TimeoutError):
            what = "did not answer in time"
        elif isinstance(problem, u3.SSLError):
            what = "the encrypted connection failed"
        raise ServerFault(what, place=self.place, sent=True) from None


def _reply(response: BaseHTTPResponse, raw: bytes) -> Reply:
    try:
        body = json.loads(raw, parse_constant=_refuse)
        sound = _is_shallow(body)
    except (ValueError, RecursionError):
        body, sound = None, False
    return Reply(response.status, response.headers, body if sound else None, sound)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list):
                below += one
        if not below:
            return True
        level = below
    return False


def _causes(problem: BaseException) -> list[BaseException]:
    """The error and what it wraps: urllib3 nests its causes in `args` and `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [problem]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return found
