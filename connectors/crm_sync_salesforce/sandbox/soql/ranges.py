"""SOQL's words for spans of days (`TODAY`, `LAST_N_DAYS:7`, `THIS_MONTH`) as half-open spans.

Days are UTC days and weeks begin on Sunday: the sandbox's user lives in UTC and in the US locale.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

Span = tuple[date, date]
"""The first day, and the first day after."""

_DAYS = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
_UNIT = re.compile(r"(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)")
_UNITS = re.compile(r"(LAST|NEXT)_N_(WEEK|MONTH|QUARTER|YEAR)S")
_AGO = re.compile(r"N_(WEEK|MONTH|QUARTER|YEAR)S_AGO")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_STEP = {"LAST": -1, "THIS": 0, "NEXT": 1}


def span(name: str, number: int, today: date) -> Span | None:
    """The days that the word means, or None when it is no such word.

    Raises `OverflowError` where the calendar ends.
    """
    days = _days(name, number)
    if days is not None:
        first, after = days
        return today + timedelta(days=first), today + timedelta(days=after)
    if match := _UNIT.fullmatch(name):
        return _unit(match.group(2), _STEP[match.group(1)], 1, today)
    if match := _UNITS.fullmatch(name):
        first = 1 if match.group(1) == "NEXT" else -number
        return _unit(match.group(2), first, number, today)
    if match := _AGO.fullmatch(name):
        return _unit(match.group(1), -number, 1, today)
    return None


def _days(name: str, number: int) -> tuple[int, int] | None:
    """First day and day after, counted from today."""
    if name in _DAYS:
        return _DAYS[name], _DAYS[name] + 1
    spans = {
        "LAST_90_DAYS": (-90, 1),
        "NEXT_90_DAYS": (1, 91),
        "LAST_N_DAYS": (-number, 1),
        "NEXT_N_DAYS": (1, number + 1),
        "N_DAYS_AGO": (-number, 1 - number),
    }
    return spans.get(name)


def _unit(unit: str, first: int, count: int, today: date) -> Span:
    """`count` whole weeks, months, quarters or years, from the one `first` away from this one."""
    if unit == "WEEK":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        return sunday + timedelta(weeks=first), sunday + timedelta(weeks=first + count)
    months = _MONTHS[unit]
    this = (today.year * 12 + today.month - 1) // months
    return _month((this + first) * months), _month((this + first + count) * months)


def _month(months: int) -> date:
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("outside of the calendar")
    return date(year, month + 1, 1)
