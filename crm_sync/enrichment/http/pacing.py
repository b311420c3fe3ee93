"""A vendor's limits: windows that are kept, what headers tell of them, pauses that are asked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime

from crm_sync.calls.limiter import Limiter, NoRoom, Slot, Window
from crm_sync.enrichment.http.description import Limit
from crm_sync.errors import RateLimited

PATIENCE = 90.0
"""Seconds that a call waits for room by itself; for more, the caller decides."""

USUAL_PAUSE = 30.0
LONGEST_PAUSE = 86_400.0
_EPOCH, _MILLISECONDS = 1e9, 1e12
_MOST_CALLS = 1_000_000


class Pace:
    """Keeps the calls of one source below its vendor's limits."""

    def __init__(
        self,
        limits: Sequence[Limit],
        place: str,
        *,
        now: Callable[[], float] = time.time,
        limiter: Limiter | None = None,
    ) -> None:
        self._limits = {f"{limit.seconds:g} s": limit for limit in limits}
        self._place = place
        self._now = now
        self._limiter = limiter or Limiter(
            Window(name, limit.calls, limit.seconds)
            for name, limit in self._limits.items()
            if limit.calls is not None
        )

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """A place for one call. Raises `RateLimited` when there is none for a while."""
        try:
            slot = self._limiter.acquire(list(self._limits), within=PATIENCE)
        except NoRoom as full:
            raise RateLimited(
                "the limit of calls is used up", place=self._place, retry_after=full.seconds
            ) from None
        with slot:
            yield slot

    def learn(self, headers: Mapping[str, str], slot: Slot) -> None:
        """What the headers of an answer tell."""
        for name, limit in self._limits.items():
            size = whole_number(headers.get(limit.size_header or "", ""))
            if size:
                self._limiter.learn(name, min(size, _MOST_CALLS), limit.seconds)
            left = whole_number(headers.get(limit.left_header or "", ""))
            if left is not None:
                self._limiter.note_remaining(name, left, slot)

    def refused(self, headers: Mapping[str, str], named: Sequence[str]) -> float:
        """The seconds to wait after a refusal; the shortest window counts as full for so long."""
        told = (pause_in(headers.get(name, ""), self._now()) for name in named)
        pause = next((one for one in told if one is not None), None)
        shortest = min(self._limits.values(), key=lambda limit: limit.seconds, default=None)
        if pause is None:
            pause = min(shortest.seconds if shortest else USUAL_PAUSE, 2 * USUAL_PAUSE)
        if shortest is not None:
            self._limiter.refused(f"{shortest.seconds:g} s", min(pause, PATIENCE))
        return pause


def pause_in(text: str, now: float) -> float | None:
    """Seconds until the moment that a header tells: in seconds, as a date, or since 1970."""
    try:
        number = float(text)
    except ValueError:
        moment = _http_date(text)
        if moment is None:
            return None
        number = moment
    if not math.isfinite(number):
        return None
    if number >= _MILLISECONDS:
        number /= 1000
    seconds = number - now if number >= _EPOCH else number
    return min(max(0.0, seconds), LONGEST_PAUSE)


def whole_number(text: str) -> int | None:
    """A header's whole number, None where it is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _http_date(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
