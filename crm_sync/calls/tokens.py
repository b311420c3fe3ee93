"""One access token for many threads, refreshed once when the CRM refuses it, and never in a loop.

A connector gives `TokenProvider` a function that fetches a token, and sends each request through
`TokenProvider.run`; its sending function raises `TokenRefused` when the CRM does not accept the
token (a 401).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from crm_sync.errors import AccessDenied, TryLater

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; its value shows in no repr, log or error."""

    value: str = field(repr=False)


class TokenRefused(Exception):
    """The CRM did not accept the token, and did not carry out the request.

    `message` holds the CRM's own words; they may not quote the token.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TokenProvider:
    """Hands out the current token; safe to share between threads.

    However many threads see a token refused at once, `fetch` runs once: the first one in renews
    it, the others find that it has changed. `fix` tells the operator what to correct when the CRM
    refuses a fresh token too. `fetch` raises `AccessDenied` when the credentials are wrong.
    """

    def __init__(self, fetch: Callable[[], Token], *, place: str = "", fix: str = "") -> None:
        self._fetch = fetch
        self._place = place
        self._fix = fix
        self._lock = Lock()
        self._current: Token | None = None

    def current(self) -> Token:
        """The token in use; fetched on the first call."""
        with self._lock:
            if self._current is None:
                self._current = self._fetched()
            return self._current

    def renew(self, refused: Token) -> Token:
        """A token other than `refused`: the one another thread has fetched meanwhile, or a new."""
        with self._lock:
            if self._current is None or self._current == refused:
                # Forgotten first: should the fetch fail, nobody tries the refused one again.
                self._current = None
                self._current = self._fetched()
            return self._current

    def run(self, send: Callable[[Token], T]) -> T:
        """`send` with the current token, and once more with a new one if that is refused.

        Raises `AccessDenied` when two tokens in a row are refused. Whatever fails here before
        `send` succeeds was not carried out, so a fault of `fetch` leaves with `sent=False`.
        """
        token = self.current()
        try:
            return send(token)
        except TokenRefused:
            token = self.renew(token)
        try:
            return send(token)
        except TokenRefused as refusal:
            raise AccessDenied(
                f"the CRM refused a fresh access token: {refusal.message}",
                place=self._place,
                fix=self._fix,
            ) from None

    def _fetched(self) -> Token:
        try:
            return self._fetch()
        except TryLater as fault:
            fault.sent = False
            raise
