"""Scripted faults: what goes wrong, at which call, how often.

```
POST /sandbox/faults [{"match": {"method": "PATCH", "path": "sobjects/Contact"}, "nth": 3,
                       "times": 1, "fault": "status", "status": 503}]
```

| fault | what happens |
|---|---|
| `status` | nothing is carried out; `status`, `headers` and `body` are the answer |
| `delay` | `seconds` pass, then the call is carried out and answered |
| `delay_after` | the call is carried out, then `seconds` pass before the answer |
| `drop_before` | the connection is reset and nothing is carried out |
| `drop_after` | the call is carried out and the connection reset instead of an answer |

`match` holds regular expressions that must be found: `method`, `path` (with the decoded query) and
`body`. A fault fires from the `nth` matching call on (default 1), `times` times (default 1; 0 for
ever).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from crm_sync.sandbox.http import Request, Response, json_response

KINDS = ("status", "delay", "delay_after", "drop_before", "drop_after")
_KEYS = {"match", "nth", "times", "fault", "status", "headers", "body", "seconds"}
_MATCH_KEYS = ("method", "path", "body")
MAX_SECONDS = 600.0


@dataclass(slots=True)
class Fault:
    """One scripted fault, with what it has seen so far."""

    kind: str
    patterns: Mapping[str, re.Pattern[str]]
    nth: int = 1
    times: int = 1
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 0.0
    seen: int = 0
    fired: int = 0

    def response(self) -> Response:
        """The answer of a `status` fault."""
        if isinstance(self.body, str):
            return Response(self.status, self.body.encode(), self.headers, "text/html")
        body = {"message": "scripted fault"} if self.body is None else self.body
        return json_response(body, status=self.status, headers=self.headers)

    def described(self) -> dict[str, object]:
        """The fault as `GET /sandbox/faults` shows it."""
        return {
            "match": {name: pattern.pattern for name, pattern in self.patterns.items()},
            "fault": self.kind,
            "nth": self.nth,
            "times": self.times,
            "seen": self.seen,
            "fired": self.fired,
        }


def parse_fault(value: Any) -> Fault:
    """A `Fault` from the JSON of a request. Raises `ValueError` that says what is wrong."""
    if not isinstance(value, dict) or set(value) - _KEYS:
        raise ValueError(f"a fault is an object with some of: {', '.join(sorted(_KEYS))}")
    if value.get("fault") not in KINDS:
        raise ValueError(f"`fault` is one of: {', '.join(KINDS)}")
    try:
        fault = Fault(
            kind=value["fault"],
            patterns=_patterns(value.get("match") or {}),
            nth=int(value.get("nth", 1)),
            times=int(value.get("times", 1)),
            status=int(value.get("status", 503)),
            headers={str(k): str(v) for k, v in dict(value.get("headers") or {}).items()},
            body=value.get("body"),
            seconds=float(value.get("seconds", 0.0)),
        )
    except (TypeError, AttributeError) as problem:
        raise ValueError(str(problem)) from None
    if not 200 <= fault.status <= 599 or not 0 <= fault.seconds <= MAX_SECONDS or fault.nth < 1:
        raise ValueError(
            f"`status` is 200 to 599, `seconds` at most {MAX_SECONDS:.0f}, `nth` counts from 1"
        )
    return fault


def _patterns(match: Any) -> dict[str, re.Pattern[str]]:
    if not isinstance(match, dict) or set(match) - set(_MATCH_KEYS):
        raise ValueError(f"`match` is an object with some of: {', '.join(_MATCH_KEYS)}")
    try:
        return {name: re.compile(str(text)) for name, text in match.items()}
    except re.error as problem:
        raise ValueError(f"`match` holds a bad regular expression: {problem}") from None


class Faults:
    """The script that is being played; safe to use from many threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._guard = threading.Lock()

    def add(self, faults: list[Fault]) -> None:
        """Play these as well, after those that are there."""
        with self._guard:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._guard:
            self._faults.clear()

    def take(self, request: Request) -> Fault | None:
        """The fault that this call meets, if any; every matching fault counts the call."""
        with self._guard:
            chosen: Fault | None = None
            for fault in self._faults:
                if not _matches(fault, request):
                    continue
                fault.seen += 1
                if chosen is None and _due(fault):
                    fault.fired += 1
                    chosen = fault
            return chosen

    def described(self) -> list[dict[str, object]]:
        """Every fault with how often it was seen and fired."""
        with self._guard:
            return [fault.described() for fault in self._faults]


def _due(fault: Fault) -> bool:
    return fault.seen >= fault.nth and (fault.times == 0 or fault.fired < fault.times)


def _matches(fault: Fault, request: Request) -> bool:
    texts = {"method": lambda: request.method, "path": lambda: unquote_plus(request.target)}
    for name, pattern in fault.patterns.items():
        text = texts[name]() if name in texts else request.body.decode("utf-8", "replace")
        if not pattern.search(text):
            return False
    return True
