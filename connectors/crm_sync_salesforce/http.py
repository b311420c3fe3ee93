"""HTTP toward one org: bounded in time and size, to one host, without retries of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from crm_sync.connector import BatchRejected, ConfigError, ServerFault, Unreachable
from crm_sync_salesforce.config import SalesforceConfig, is_loopback

if TYPE_CHECKING:
    from requests import Response, Session

MAX_ANSWER_BYTES = 128 << 20
MAX_ANSWER_SECONDS = 600.0
"""No page of 2,000 records comes near; a broken or hostile server would not stop by itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (case-insensitive) and the JSON body, None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


class _Boundless(Exception):
    """The answer is longer, or takes longer, than any answer should."""


class HttpClient:
    """Sends single requests to the instance's host; safe to share between threads."""

    def __init__(self, config: SalesforceConfig) -> None:
        self._config = config
        self._place = urlsplit(config.instance_url).netloc
        self.session = open_session(config)

    def send(
        self,
        method: str,
        path: str,
        *,
        writes: bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """The answer, whatever its status; redirects are not followed.

        `path` is absolute and stays on the instance's host. Raises `Unreachable` when nothing can
        have been sent, `ServerFault` when the answer did not come (`sent` for `writes`),
        `BatchRejected` when `body` is not representable in JSON.
        """
        import requests

        if not path.startswith("/") or path.startswith("//"):
            raise ServerFault("the answer points to another place", place=self._place)
        given = {"Accept": "application/json", **(headers or {})}
        data: Any = form
        if body is not None:
            given["Content-Type"] = "application/json"
            data = _encoded(body)
        try:
            with self.session.request(
                method,
                self._config.instance_url + path,
                params=params,
                data=data,
                headers=given,
                timeout=(self._config.connect_timeout, self._config.read_timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                return Answer(response.status_code, response.headers, _json_in(response))
        except _Boundless:
            raise ServerFault(
                "sent an answer without end", place=self._place, sent=writes
            ) from None
        except requests.RequestException as problem:
            self._explain(problem, writes=writes)

    def close(self) -> None:
        """Close all sockets."""
        self.session.close()

    def _explain(self, problem: Exception, *, writes: bool) -> NoReturn:
        """Whether the request can have arrived decides what may be done next."""
        import ssl

        import requests
        import urllib3.exceptions as u3

        causes = _causes(problem)
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            raise ConfigError(
                "its certificate cannot be verified",
                place=self._place,
                fix="Check `instance_url`, and the certificates of this machine or its proxy.",
            ) from None
        never_sent = (u3.NewConnectionError, u3.NameResolutionError, u3.ConnectTimeoutError)
        if isinstance(problem, requests.ConnectTimeout) or any(
            isinstance(cause, never_sent) for cause in causes
        ):
            raise Unreachable(
                "no connection can be made",
                place=self._place,
                fix="Check `instance_url` and the network.",
            ) from None
        what = "hung up"
        if isinstance(problem, requests.Timeout):
            what = "did not answer in time"
        elif isinstance(problem, requests.exceptions.SSLError):
            what = "the encrypted connection failed"
        raise ServerFault(what, place=self._place, sent=writes) from None


def open_session(config: SalesforceConfig) -> Session:
    """A session that ignores the environment's proxies and credentials, and never retries."""
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = "crm-sync"
    url = urlsplit(config.instance_url)
    adapter = HTTPAdapter(max_retries=0, pool_maxsize=16)
    session.adapters.clear()
    session.mount(f"{url.scheme}://{url.netloc}/", adapter)
    if url.scheme == "http" and is_loopback(url.hostname or ""):
        session.mount(f"https://{url.netloc}/", _plain_adapter())
    return session


def _plain_adapter() -> Any:
    """simple-salesforce turns every address into https; toward this machine http is meant."""
    from requests.adapters import HTTPAdapter

    class PlainAdapter(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.url = "http://" + request.url.removeprefix("https://")
            return super().send(request, *args, **kwargs)

    return PlainAdapter(max_retries=0, pool_maxsize=16)


def _encoded(body: Any) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        raise BatchRejected("INVALID_NUMBER", "a number is infinite or not a number") from None


def _json_in(response: Response) -> Any:
    """The parsed body; None when it is empty or not JSON. Raises `_Boundless`."""
    until = time.monotonic() + MAX_ANSWER_SECONDS
    raw = bytearray()
    for piece in response.iter_content(1 << 16):
        raw += piece
        if len(raw) > MAX_ANSWER_BYTES or time.monotonic() > until:
            raise _Boundless
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _causes(problem: BaseException) -> list[BaseException]:
    """The error and what it wraps: requests and urllib3 nest theirs in `args` and `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [problem]
    while waiting and len(found) < 20:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return found
