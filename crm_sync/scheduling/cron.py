"""Cron expressions as everybody else reads them.

APScheduler counts weekdays from Monday as 0; cron counts from Sunday as 0 (and 7), so that `1-5`
means Monday to Friday to whoever writes it. Numbers are turned into names here.
"""

from __future__ import annotations

import re
from typing import Any

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def cron_trigger(expression: str, timezone: str) -> Any:
    """The APScheduler trigger of `minute hour day month weekday`; raises `ValueError`."""
    from apscheduler.triggers.cron import CronTrigger

    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"has {len(fields)} fields instead of 5")
    *others, weekday = fields
    return CronTrigger.from_crontab(" ".join([*others, named_weekdays(weekday)]), timezone=timezone)


def named_weekdays(field: str) -> str:
    """The weekday field with names for numbers: `1-5` → `mon,tue,wed,thu,fri`."""
    return ",".join(_named(part) for part in field.split(","))


def _named(part: str) -> str:
    found = re.fullmatch(r"(\d)(?:-(\d))?(?:/(\d+))?", part)
    if found is None:
        return part
    first, last, step = found.groups()
    start, end = int(first), int(last or first)
    if not 0 <= start <= end <= 7:
        raise ValueError(f"has no weekday {part!r}")
    if step and not last:
        end = 6
    return ",".join(_DAYS[day] for day in range(start, end + 1, int(step or 1)))
