"""HubSpot's call limits: one limiter per portal and process, fed by the headers of answers.

Every call counts in a rolling window of ten seconds per app, of which the headers tell the size;
until they have, the smallest that any portal has is believed. A limit per second is kept once it
is told. Searches have five a second per account, shared with its other apps, and their answers
bear no headers: four leave the others one, and are more than a pull needs, since one search finds
the ids for two further calls. The day's allowance is not waited for: it is told to the core as
usage, which stops before it is used up.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import blake2b
from threading import Lock

from crm_sync.calls.limiter import Limiter, Slot, Window
from crm_sync.connector import Usage
from crm_sync_hubspot.config import AccessToken, HubSpotConfig

TEN_SECONDLY = "ten_secondly"
SECONDLY = "secondly"
SEARCH = "search"

SMALLEST_PORTAL = Window(TEN_SECONDLY, calls=100, seconds=10.0)
SEARCHES = Window(SEARCH, calls=4, seconds=1.0)

SPARE = 2
WRITE_PATIENCE = 1.5
"""A write follows upon a reading of the same records, and what a person does in between would be
lost: it finds room that reads leave it, waits for a window of a second at the longest, and else
gives up, so that the records are read again after the pause."""

_HEADER = "X-HubSpot-RateLimit-"
_MOST_CALLS = 1_000_000
_LONGEST_SECONDS = 60.0
_BY_POLICY = {"TEN_SECONDLY_ROLLING": TEN_SECONDLY, "SECONDLY": SECONDLY}


def windows_of(*, search: bool) -> tuple[str, ...]:
    """The windows in which a call counts."""
    return (TEN_SECONDLY, SECONDLY, SEARCH) if search else (TEN_SECONDLY, SECONDLY)


def learn(limiter: Limiter, slot: Slot, headers: Mapping[str, str]) -> Usage | None:
    """Tell the limiter what the answer to a slot's call says; the day's usage if it says it."""
    size = _count(headers, "Max")
    if size:
        told = _count(headers, "Interval-Milliseconds")
        seconds = told / 1000 if told else SMALLEST_PORTAL.seconds
        limiter.learn(TEN_SECONDLY, size, min(seconds, _LONGEST_SECONDS))
    if (left := _count(headers, "Remaining")) is not None:
        limiter.note_remaining(TEN_SECONDLY, left, slot)
    if size := _count(headers, "Secondly"):
        limiter.learn(SECONDLY, size, 1.0)
    if (left := _count(headers, "Secondly-Remaining")) is not None:
        limiter.note_remaining(SECONDLY, left, slot)
    allowed, left = _count(headers, "Daily"), _count(headers, "Daily-Remaining")
    if not allowed or left is None:
        return None
    return Usage(used=max(0, allowed - left), allowed=allowed)


def refused(limiter: Limiter, policy: str, pause: float, *, search: bool) -> None:
    """Tell the limiter of a 429; a search is refused for its own window's sake."""
    name = SEARCH if search and policy != "TEN_SECONDLY_ROLLING" else _BY_POLICY.get(policy)
    if name == SECONDLY and limiter.size(SECONDLY) is None:
        size = limiter.size(TEN_SECONDLY) or SMALLEST_PORTAL.calls
        limiter.learn(SECONDLY, max(1, size // 10), 1.0)
    limiter.refused(name or TEN_SECONDLY, pause)


class SharedLimiters:
    """One limiter per portal and credentials, whoever asks: their calls add up at HubSpot.

    Credentials are known by a digest that is worthless outside of this process.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._limiters: dict[bytes, Limiter] = {}
        self._lock = Lock()

    def of(self, config: HubSpotConfig) -> Limiter:
        """The limiter of this connection; it outlives the connectors that use it."""
        digest = blake2b(key=self._key, digest_size=32)
        for part in (config.base_url, _credentials(config)):
            digest.update(len(part).to_bytes(8, "big") + part.encode())
        with self._lock:
            return self._limiters.setdefault(digest.digest(), new_limiter())


def new_limiter(
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] | None = None
) -> Limiter:
    """A limiter that believes what is true of every portal."""
    return Limiter([SMALLEST_PORTAL, SEARCHES], clock=clock, sleep=sleep)


SHARED = SharedLimiters()


def limiter_for(
    config: HubSpotConfig, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Limiter:
    """The shared limiter, or one of its own where time is not the real one."""
    if clock is time.monotonic and sleep is time.sleep:
        return SHARED.of(config)
    return new_limiter(clock, sleep)


def _credentials(config: HubSpotConfig) -> str:
    auth = config.auth
    if isinstance(auth, AccessToken):
        return auth.access_token.get_secret_value()
    return f"{auth.client_id.get_secret_value()} {auth.refresh_token.get_secret_value()}"


def _count(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(_HEADER + name, "").strip()
    if not (value.isascii() and value.isdigit()) or len(value) > 12:
        return None
    number = int(value)
    return number if name.startswith("Daily") else min(number, _MOST_CALLS)
