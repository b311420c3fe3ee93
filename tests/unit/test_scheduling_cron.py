from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.scheduling.cron import cron_trigger, named_weekdays

PARIS = ZoneInfo("Europe/Paris")


def runs(expression: str, start: datetime, count: int, zone: str = "Europe/Paris") -> list[str]:
    """The next runs as UTC times."""
    trigger = cron_trigger(expression, zone)
    found: list[str] = []
    previous, now = None, start
    for _ in range(count):
        previous = trigger.get_next_fire_time(previous, now)
        assert previous is not None
        found.append(f"{previous.astimezone(UTC):%Y-%m-%d %H:%M}")
        now = previous
    return found


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("*", "*"),
        ("0", "sun"),
        ("7", "sun"),
        ("1", "mon"),
        ("6", "sat"),
        ("1-5", "mon,tue,wed,thu,fri"),
        ("0-6", "sun,mon,tue,wed,thu,fri,sat"),
        ("0-7", "sun,mon,tue,wed,thu,fri,sat"),
        ("5-7", "fri,sat,sun"),
        ("1,3,5", "mon,wed,fri"),
        ("1-5/2", "mon,wed,fri"),
        ("*/2", "sun,tue,thu,sat"),
        ("2/2", "tue,thu,sat"),
        ("mon-fri", "mon,tue,wed,thu,fri"),
        ("MON,Fri", "mon,fri"),
        ("sun-thu", "sun,mon,tue,wed,thu"),
        ("fri-sun", "fri,sat,sun"),
        ("1-3,wed,6", "mon,tue,wed,sat"),
    ],
)
def test_weekdays_are_counted_as_cron_counts_them(field: str, days: str) -> None:
    assert named_weekdays(field) == days


@given(st.integers(0, 7), st.integers(0, 7), st.integers(1, 7))
def test_numbers_name_the_days_that_a_calendar_names(first: int, last: int, step: int) -> None:
    text = f"{first}-{last}/{step}"
    if first > last:
        with pytest.raises(ValueError, match="weekday"):
            named_weekdays(text)
        return
    # 1 August 2027 is a Sunday, cron's day 0.
    sunday = datetime(2027, 8, 1, tzinfo=UTC)
    wanted = {f"{sunday + timedelta(day):%a}".lower() for day in range(first, last + 1, step)}
    assert set(named_weekdays(text).split(",")) == wanted


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 32 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 * * 5-2",
        "0 0 * * fri-mon",
        "0 0 * * 1/0",
        "0 0 * * 7/2",
        "0 0 * * *-3",
        "0 0 * * someday",
        "0 0 * * ,",
        "0 0 * * -1",
        "x * * * *",
        "*/0 * * * *",
        "@daily",
        "0 0 30 2 *",
        "0 0 31 4,6 *",
    ],
)
def test_what_cron_would_not_take_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cron_trigger(expression, "UTC")


@given(st.text("0123456789*/,- monfrisu", max_size=20).map(lambda text: f"0 0 {text}"))
@settings(max_examples=200, deadline=None)
def test_no_text_ends_in_anything_but_a_schedule_or_a_refusal(expression: str) -> None:
    try:
        trigger = cron_trigger(expression, "UTC")
    except ValueError:
        return
    assert trigger.get_next_fire_time(None, datetime(2024, 1, 1, tzinfo=UTC)) is not None


def test_weekdays_from_monday_to_friday() -> None:
    friday = datetime(2026, 6, 12, 12, tzinfo=PARIS)
    for expression in ("0 5 * * 1-5", "0 5 * * mon-fri"):
        found = runs(expression, friday, 6)
        assert found[0] == "2026-06-15 03:00"  # Monday
        assert found[-2:] == ["2026-06-19 03:00", "2026-06-22 03:00"]


def test_a_day_of_the_month_and_a_weekday_mean_either() -> None:
    found = runs("0 5 13 * 5", datetime(2026, 6, 1, tzinfo=PARIS), 5)
    assert [one[:10] for one in found] == [
        "2026-06-05",
        "2026-06-12",
        "2026-06-13",  # a Saturday
        "2026-06-19",
        "2026-06-26",
    ]


def test_a_leap_day_comes() -> None:
    assert runs("0 0 29 2 *", datetime(2026, 1, 1, tzinfo=UTC), 1, "UTC") == ["2028-02-29 00:00"]


# Summer time begins in Paris on 29 March 2026 at 02:00 and ends on 25 October 2026 at 03:00.


@pytest.mark.parametrize(
    ("expression", "start", "wanted"),
    [
        ("0 5 * * *", (2026, 3, 28), ["03-28 04:00", "03-29 03:00", "03-30 03:00"]),
        ("0 5 * * *", (2026, 10, 24), ["10-24 03:00", "10-25 04:00", "10-26 04:00"]),
        # 02:30 is there twice: it runs once.
        ("30 2 * * *", (2026, 10, 24), ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        # 02:30 is not there: it runs once all the same.
        ("30 2 * * *", (2026, 3, 28), ["03-28 01:30", "03-29 01:30", "03-30 00:30"]),
        ("0 2,3 * * *", (2026, 10, 25), ["10-25 00:00", "10-25 02:00", "10-26 01:00"]),
    ],
)
def test_the_days_when_clocks_change_have_one_run_for_each_time(
    expression: str, start: tuple[int, int, int], wanted: list[str]
) -> None:
    found = runs(expression, datetime(*start, tzinfo=PARIS), len(wanted))
    assert found == [f"2026-{one}" for one in wanted]


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)])
def test_every_hour_is_every_hour_also_when_clocks_change(day: tuple[int, int, int]) -> None:
    found = runs("0 * * * *", datetime(*day, tzinfo=PARIS), 8)
    times = [datetime.fromisoformat(one) for one in found]
    assert {after - before for before, after in pairwise(times)} == {timedelta(hours=1)}
