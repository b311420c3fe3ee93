"""Every error that crm-sync raises on purpose, named by what the operator does next.

```
CrmSyncError                         exit code
├── UsageError                       2   correct the command, the configuration or a file
│   ├── ConfigError                      a YAML file: names file, line and column
│   │   └── PositionLost                 a pull cannot go on from the stored cursor
│   ├── InputError                       an enrichment or seed file that cannot be read
│   └── NotFound                         a plan, run, change or connection of that name
├── Refused                          3   a person must decide before anything is written
│   ├── GuardTripped                     the plan would write more than the guards let through
│   └── PlanStale                        expired, superseded, or not what was approved
├── AccessDenied                     5   credentials or permissions
│   └── ScopeMissing                     the credentials are good; one object is closed to them
└── TryLater                        75   nothing is wrong that time does not mend
    ├── Unreachable                      no connection could be made: nothing was sent
    ├── RateLimited                      the CRM asks to slow down (`retry_after` seconds)
    ├── QuotaReached                     the daily allowance is at its floor: checkpointed
    ├── ServerFault                      5xx, or a time-out: what was sent may have worked
    ├── BreakerOpen                      too many faults in a row: we stopped asking
    └── Busy                             another process holds this connection or database
```

`BatchRejected` stands apart: a connector raises it when the CRM refused a batch as a whole
without applying any of it; the core then halves the batch until the bad row stands alone.
"""

from __future__ import annotations

from typing import ClassVar


class CrmSyncError(Exception):
    """Something that the operator can act on.

    `message` says what is wrong, `place` where (a file with line and column, a connection, a
    record), `fix` what to do next. None of them may hold a secret or personal data.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, place: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.fix = fix

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}\n  {self.fix}" if self.fix else text


class UsageError(CrmSyncError):
    """The command, the configuration or a file has to be corrected."""

    exit_code = 2


class ConfigError(UsageError):
    """A YAML file says something that cannot be meant; `place` is `file:line:column`."""


class PositionLost(ConfigError):
    """A pull cannot go on from this cursor: everything has to be read again."""


class InputError(UsageError):
    """An enrichment or seed file cannot be read as what it is said to be."""


class NotFound(UsageError):
    """No plan, run, change or connection of that name."""


class Refused(CrmSyncError):
    """Nothing was written: a person must decide first."""

    exit_code = 3


class GuardTripped(Refused):
    """The plan would write more, unseen, than the guards let through."""


class PlanStale(Refused):
    """The plan expired, was superseded, or differs from what was approved."""


class AccessDenied(CrmSyncError):
    """The CRM refused the credentials, or they lack a permission."""

    exit_code = 5


class ScopeMissing(AccessDenied):
    """The credentials are good, but lack a permission for one object; the others answer.

    `scopes` are the permissions asked for, under the CRM's names; empty if it did not say.
    """

    def __init__(
        self, message: str, *, place: str = "", fix: str = "", scopes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, place=place, fix=fix)
        self.scopes = scopes


class TryLater(CrmSyncError):
    """Nothing is wrong that time does not mend.

    `sent` is True when the request may have reached the CRM, so that a write of unknown outcome
    must be read back rather than repeated. `retry_after` is in seconds.
    """

    exit_code = 75
    retryable: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        place: str = "",
        fix: str = "",
        sent: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, place=place, fix=fix)
        self.sent = sent
        self.retry_after = retry_after


class Unreachable(TryLater):
    """No connection could be made; nothing was sent."""


class RateLimited(TryLater):
    """The CRM asks to slow down; the request was not carried out."""


class QuotaReached(TryLater):
    """The allowance of calls is at its floor; progress is checkpointed."""

    retryable = False


class ServerFault(TryLater):
    """The CRM failed, or did not answer in time."""


class BreakerOpen(TryLater):
    """Too many faults in a row; we stopped asking for a while."""

    retryable = False


class Busy(TryLater):
    """Another process holds this connection or the database."""

    retryable = False


class BatchRejected(Exception):
    """The CRM refused a batch as a whole and applied none of it (see the module docstring)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
