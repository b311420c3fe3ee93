"""How often a portal may be called: rolling windows by its own clock, told in headers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

from crm_sync.sandbox.http import HttpProblem, Request, Route

if TYPE_CHECKING:
    from crm_sync_hubspot.sandbox.portal import Portal

TEN_SECONDS = 10.0
_DAY = 86_400.0


class Limits:
    """The allowance of the one app that calls this sandbox; safe to share between threads.

    A call counts from its arrival until the window's length has passed. A refused call does not
    count. Searches have a limit of their own and use only the daily one besides.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._guard = threading.Lock()
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()
        self._day = 0
        self._today = 0
        self.refused: list[float] = []
        """When a 429 was given, in seconds of the portal's clock since 1970."""

    def check(self, _: Request, route: Route) -> Mapping[str, str]:
        """Count one call; the headers that its answer carries, none for a search.

        Raises `HttpProblem` 429 in HubSpot's words.
        """
        now = self._portal.now().timestamp()
        with self._guard:
            self._turn_day(now)
            if route.name == "search":
                self._check_search(now)
                return {}
            return self._check_call(now)

    def used_today(self) -> int:
        """Calls since midnight in UTC, by the portal's clock."""
        with self._guard:
            self._turn_day(self._portal.now().timestamp())
            return self._today

    def _turn_day(self, now: float) -> None:
        if int(now // _DAY) != self._day:
            self._day, self._today = int(now // _DAY), 0

    def _check_search(self, now: float) -> None:
        _drop(self._searches, now - 1.0)
        if self._today >= self._portal.settings.daily:
            self._refuse(now, "DAILY", {})
        if len(self._searches) >= self._portal.settings.search:
            self._refuse(now, "SECONDLY", {})
        self._searches.append(now)
        self._today += 1

    def _check_call(self, now: float) -> dict[str, str]:
        settings = self._portal.settings
        _drop(self._calls, now - TEN_SECONDS)
        last_second = sum(1 for when in self._calls if when > now - 1.0) if settings.secondly else 0
        policy = None
        if self._today >= settings.daily:
            policy = "DAILY"
        elif settings.secondly is not None and last_second >= settings.secondly:
            policy = "SECONDLY"
        elif len(self._calls) >= settings.ten_secondly:
            policy = "TEN_SECONDLY_ROLLING"
        if policy is not None:
            self._refuse(now, policy, self._headers(last_second))
        self._calls.append(now)
        self._today += 1
        return self._headers(last_second + 1)

    def _headers(self, last_second: int) -> dict[str, str]:
        settings = self._portal.settings
        left = max(0, settings.ten_secondly - len(self._calls))
        headers = {
            "X-HubSpot-RateLimit-Max": str(settings.ten_secondly),
            "X-HubSpot-RateLimit-Remaining": str(left),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(TEN_SECONDS * 1000)),
            "X-HubSpot-RateLimit-Daily": str(settings.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, settings.daily - self._today)),
        }
        if settings.secondly is not None:
            secondly_left = max(0, settings.secondly - last_second)
            headers["X-HubSpot-RateLimit-Secondly"] = str(settings.secondly)
            headers["X-HubSpot-RateLimit-Secondly-Remaining"] = str(secondly_left)
        return headers

    def _refuse(self, now: float, policy: str, headers: Mapping[str, str]) -> None:
        self.refused.append(now)
        body = {
            "status": "error",
            "message": f"You have reached your {policy.lower()} limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": str(uuid4()),
            "policyName": policy,
        }
        raise HttpProblem(429, body, headers)


def _drop(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()
