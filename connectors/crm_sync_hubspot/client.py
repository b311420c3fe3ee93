"""Calls to one portal's API: signed in, kept below its limits, and judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from crm_sync.calls.limiter import NoRoom, Slot
from crm_sync.calls.tokens import Token
from crm_sync.connector import RateLimited, Usage
from crm_sync_hubspot.auth import app_form, token_provider
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.errors import error_for, not_json
from crm_sync_hubspot.http import Answer, HttpClient
from crm_sync_hubspot.limits import SPARE, WRITE_PATIENCE, learn, limiter_for, refused, windows_of
from crm_sync_hubspot.paths import path
from crm_sync_hubspot.problems import problem_in

__all__ = ["Answer", "HubSpotClient"]


class HubSpotClient:
    """One portal's API; safe to share between threads.

    Before each request it waits for the limiter that all connections with the same address and
    credentials share. `clock` and `sleep` are in seconds; other than real ones, as in a
    simulation, give it a limiter of its own.
    """

    def __init__(
        self,
        config: HubSpotConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.place = urlsplit(config.base_url).netloc
        """The host, for messages."""
        self._http = HttpClient(config, clock)
        self._limiter = limiter_for(config, clock, sleep)
        self._tokens = token_provider(config, self._ask_for_token, self.place)
        self._auth = config.auth
        self._usage: Usage | None = None
        self._lock = Lock()

    def call(
        self,
        method: str,
        path: str,
        *,
        writes: bool = False,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        search: bool = False,
    ) -> Answer:
        """A successful answer (any 2xx), of a path of `crm_sync_hubspot.paths`.

        A 207, or a 200 with `errors`, is one: whoever writes looks at the rows. `search` says that
        the call counts as a search. Raises the error of `crm_sync.connector` that fits (see
        `crm_sync_hubspot.errors.error_for`); nothing is repeated but for one renewed token. A
        write that would have to wait for long raises `RateLimited` and is not sent.
        """

        def send(token: Token) -> Answer:
            answer = self._within_limits(
                lambda: self._http.send(
                    method, path, token=token, writes=writes, params=params, body=body
                ),
                search=search,
                writes=writes,
            )
            return self._judged(answer, writes=writes, search=search)

        return self._tokens.run(send)

    def usage(self) -> Usage | None:
        """The day's allowance as the last answer told it; OAuth apps have none."""
        with self._lock:
            return self._usage

    def scopes(self) -> frozenset[str] | None:
        """What the access token was granted; None where HubSpot does not tell.

        It tells of tokens of OAuth apps; of others it may say nothing. Raises as `call` does, but
        for a refused question.
        """

        def send(token: Token) -> Answer:
            app = app_form(self._auth)
            form = {"token": token.value, "token_type_hint": "access_token", **app}
            return self._within_limits(
                lambda: self._http.send("POST", path("introspect"), form=form)
            )

        answer = self._tokens.run(send)
        told = answer.body if answer.status == 200 and isinstance(answer.body, dict) else {}
        granted = told.get("scopes") if told.get("active") is True else None
        return frozenset(map(str, granted)) if isinstance(granted, list) else None

    def close(self) -> None:
        """Close all sockets."""
        self._http.close()

    def _ask_for_token(self, form: dict[str, str]) -> Answer:
        return self._within_limits(lambda: self._http.send("POST", path("token"), form=form))

    def _within_limits(
        self, send: Callable[[], Answer], *, search: bool = False, writes: bool = False
    ) -> Answer:
        with self._slot(search=search, writes=writes) as slot:
            answer = send()
        usage = learn(self._limiter, slot, answer.headers)
        if usage is not None:
            with self._lock:
                self._usage = usage
        return answer

    def _slot(self, *, search: bool, writes: bool) -> Slot:
        if not writes:
            return self._limiter.acquire(windows_of(search=search), spare=SPARE)
        try:
            return self._limiter.acquire(windows_of(search=search), within=WRITE_PATIENCE)
        except NoRoom as full:
            raise RateLimited(
                "the calls that HubSpot allows for now are used up",
                place=self.place,
                retry_after=full.seconds,
            ) from None

    def _judged(self, answer: Answer, *, writes: bool, search: bool) -> Answer:
        status, headers, body = answer.status, answer.headers, answer.body
        if 200 <= status < 300:
            if body is None and status != 204:
                raise not_json(status, writes=writes, place=self.place)
            return answer
        error = error_for(status, headers, body, writes=writes, place=self.place)
        if status == 429 and isinstance(error, RateLimited):
            policy = problem_in(body).policy
            refused(self._limiter, policy, error.retry_after or 0.0, search=search)
        raise error
