"""HTTP toward one portal: bounded in time and size, to one host, without retries of its own.

The connection pool is that of HubSpot's own client, built once per connector. Requests are put to
it directly: the client's methods know the numbered versions of the API only, follow redirects,
read refusals of any length, and write numbers that are not JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

from crm_sync.calls.tokens import Token
from crm_sync.connector import BatchRejected, ConfigError, ServerFault, Unreachable
from crm_sync_hubspot.config import HubSpotConfig

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

MAX_ANSWER_BYTES = 64 << 20
MAX_ANSWER_SECONDS = 600.0
"""No batch of 100 records comes near; a broken or hostile server would not stop by itself."""

_PIECE = 1 << 16
_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (case-insensitive) and the JSON body, None where there is none.

    `asked_at` is the server's own time when the question was put, at the latest: what it stored
    before then is in the answer. Without a Date it is this machine's. Always aware, in UTC.
    """

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)
    asked_at: datetime


class _Boundless(Exception):
    """The answer is longer, or takes longer, than any answer should."""


class HttpClient:
    """Sends single requests to the API's host; safe to share between threads."""

    def __init__(self, config: HubSpotConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._place = urlsplit(config.base_url).netloc
        self._vendor = _vendor_client(config)
        self._pool = self._vendor.rest_client.pool_manager

    def send(
        self,
        method: str,
        path: str,
        *,
        token: Token | None = None,
        writes: bool = False,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """The answer, whatever its status; redirects are not followed.

        `path` is absolute and stays on the API's host. Raises `Unreachable` when nothing can have
        been sent, `ServerFault` when the answer did not come (`sent` for `writes`), and, when
        `body` cannot be written as JSON, `BatchRejected` for `writes`, else `ConfigError`.
        """
        import urllib3

        url = self._url(path, params)
        headers = {**self._vendor.default_headers, "Accept": "application/json"}
        headers["Accept-Encoding"] = "gzip"
        if token is not None:
            headers["Authorization"] = f"Bearer {token.value}"
        data: bytes | None = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            data = urlencode(form).encode()
        elif body is not None:
            headers["Content-Type"] = "application/json"
            data = _encoded(body, writes=writes)
        asked, started = datetime.now(UTC), self._clock()
        try:
            response = self._pool.request(
                method,
                url,
                body=data,
                headers=headers,
                timeout=urllib3.Timeout(
                    connect=self._config.connect_timeout, read=self._config.read_timeout
                ),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            told = _json_in(response)
        except _Boundless:
            raise ServerFault(
                "sent an answer without end", place=self._place, sent=writes
            ) from None
        except urllib3.exceptions.HTTPError as problem:
            self._explain(problem, writes=writes)
        if (date := http_date(response.headers.get("Date", ""))) is not None:
            asked = date - timedelta(seconds=self._clock() - started)
        return Answer(response.status, response.headers, told, asked)

    def close(self) -> None:
        """Close all sockets that are at rest; others close after their answer."""
        self._pool.clear()

    def _url(self, path: str, params: Mapping[str, str] | None) -> str:
        if not path.startswith("/") or path.startswith("//"):
            raise ServerFault("the answer points to another place", place=self._place)
        query = f"?{urlencode(params, quote_via=quote)}" if params else ""
        return self._config.base_url + path + query

    def _explain(self, problem: Exception, *, writes: bool) -> NoReturn:
        """Whether the request can have arrived decides what may be done next."""
        import ssl

        import urllib3.exceptions as u3

        causes = _causes(problem)
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            raise ConfigError(
                "its certificate cannot be verified",
                place=self._place,
                fix="Check `base_url`, and the certificates of this machine or its proxy.",
            ) from None
        never_sent = (u3.NewConnectionError, u3.NameResolutionError, u3.ConnectTimeoutError)
        if any(isinstance(cause, never_sent) for cause in causes):
            raise Unreachable(
                "no connection can be made",
                place=self._place,
                fix="Check `base_url` and the network.",
            ) from None
        what = "hung up"
        if isinstance(problem, u3.TimeoutError):
            what = "did not answer in time"
        elif isinstance(problem, u3.SSLError):
            what = "the encrypted connection failed"
        raise ServerFault(what, place=self._place, sent=writes) from None


def http_date(value: str) -> datetime | None:
    """An HTTP date as an aware datetime in UTC, or None."""
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return date.astimezone(UTC) if date.tzinfo is not None else None


def _vendor_client(config: HubSpotConfig) -> Any:
    """HubSpot's generated client, for its pool; an access token is given with each request."""
    from hubspot.crm.objects.api_client import ApiClient
    from hubspot.crm.objects.configuration import Configuration

    settings = Configuration(host=config.base_url)
    settings.retries = False
    settings.connection_pool_maxsize = _CONNECTIONS
    client = ApiClient(settings)
    client.user_agent = "crm-sync"
    return client


def _encoded(body: Any, *, writes: bool) -> bytes:
    """JSON in UTF-8. What JSON or UTF-8 cannot hold is refused rather than replaced."""
    try:
        text = json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError:
        code, words = "INVALID_TEXT", "a text holds half of a character (a lone surrogate)"
    except ValueError:
        code, words = "INVALID_NUMBER", "a number is infinite or not a number"
    if writes:
        raise BatchRejected(code, words)
    raise ConfigError(f"the question cannot be put: {words}")


def _json_in(response: BaseHTTPResponse) -> Any:
    """The parsed body; None when it is empty or not JSON. Raises `_Boundless`."""
    until = time.monotonic() + MAX_ANSWER_SECONDS
    raw = bytearray()
    # One arrival at a time: waiting for whole pieces, a trickle would never be looked at.
    try:
        while piece := response.read1(_PIECE, decode_content=True):
            raw += piece
            if len(raw) > MAX_ANSWER_BYTES or time.monotonic() > until:
                raise _Boundless
    except BaseException:
        response.close()
        raise
    response.release_conn()
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


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
