"""Cron expressions as everybody else reads them, on top of APScheduler's fields.

APScheduler differs from cron in three ways that would surprise whoever writes a schedule:

* It counts weekdays from Monday as 0; cron counts from Sunday as 0 (and 7), so that `1-5` means
  Monday to Friday. Here weekdays are turned into a list of names.
* With both a day of the month and a weekday given, cron runs when either fits, APScheduler only
  when both do.
* In the hour that autumn repeats, APScheduler runs `30 2 * * *` twice; here it runs once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def cron_trigger(expression: str, timezone: str) -> Any:
    """The APScheduler trigger of `minute hour day month weekday`.

    Raises `ValueError` that says what is wrong, also for a day that never comes.
    """
    from datetime import UTC, datetime

    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"has {len(fields)} fields instead of 5")
    minute, hour, day, month, weekday = fields
    either = ["*", named_weekdays(weekday)], [day, "*"]
    both = [[day, named_weekdays(weekday)]]
    days = either if not day.startswith("*") and not weekday.startswith("*") else both
    triggers = [
        CronTrigger.from_crontab(f"{minute} {hour} {of_month} {month} {of_week}", timezone)
        for of_month, of_week in days
    ]
    trigger = triggers[0] if len(triggers) == 1 else OrTrigger(triggers)
    if trigger.get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC)) is None:
        raise ValueError("names a day that never comes")
    return trigger if "*" in hour else _once_a_night(trigger)


def named_weekdays(field: str) -> str:
    """The weekday field with names for numbers: `1-5` → `mon,tue,wed,thu,fri`; `*` stays."""
    if field == "*":
        return field
    days = [day for part in field.lower().split(",") for day in _days(part)]
    return ",".join(dict.fromkeys(_DAYS[day] for day in days))


def _days(part: str) -> range:
    found = re.fullmatch(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,2}))?", part)
    if found is None or (found["first"] == "*" and found["last"]):
        raise ValueError(f"has no weekday {part!r}")
    first, last, step = found.groups()
    if first == "*":
        start, end = 0, 6
    else:
        start = _day(first, part)
        end = _day(last, part) if last else (6 if step else start)
        if last == "sun":
            end = 7  # as the end of a range it follows Saturday
    if start > end or step in {"0", "00"}:
        raise ValueError(f"has no weekday {part!r}")
    return range(start, end + 1, int(step or 1))


def _day(word: str, part: str) -> int:
    if word in _DAYS:
        return _DAYS.index(word)
    if re.fullmatch("[0-7]", word):
        return int(word)
    raise ValueError(f"has no weekday {part!r}")


def _once_a_night(trigger: Any) -> Any:
    """The trigger without the second run in the hour that is repeated when summer time ends."""
    from apscheduler.triggers.base import BaseTrigger

    class OnceANight(BaseTrigger):  # type: ignore[misc]  # the base is untyped
        def get_next_fire_time(
            self, previous_fire_time: datetime | None, now: datetime
        ) -> datetime | None:
            found: datetime | None = trigger.get_next_fire_time(previous_fire_time, now)
            while found is not None and found.fold:
                found = trigger.get_next_fire_time(found, found)
            return found

        def __str__(self) -> str:
            return str(trigger)

    return OnceANight()
