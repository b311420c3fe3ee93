from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.connector import ConfigError
from crm_sync_hubspot.cursor import Cursor, Phase, dump, following, load

AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
MOMENTS = st.datetimes(timezones=st.just(UTC))
CURSORS = st.builds(
    Cursor,
    object=st.just("contacts"),
    phase=st.sampled_from(Phase),
    since=st.none() | MOMENTS,
    then=MOMENTS,
    after=st.text(max_size=30),
    total=st.none() | st.integers(0, 10**9),
)


@given(cursor=CURSORS)
def test_a_stored_cursor_is_the_same_one(cursor: Cursor) -> None:
    assert load(dump(cursor), "contacts") == cursor


def test_the_pull_after_a_complete_one_begins_where_that_one_said() -> None:
    last = Cursor("contacts", Phase.DONE, since=AT, then=AT + timedelta(hours=1), total=7)
    assert last.complete
    assert following(last, Phase.SEARCH) == Cursor(
        "contacts", Phase.SEARCH, since=AT + timedelta(hours=1)
    )


def test_moments_are_kept_in_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=-7)))
    assert load(dump(Cursor("contacts", then=there)), "contacts").then == AT


@pytest.mark.parametrize("text", ["", "x", "hs1.", "hs1.e30=", "hs1.bm8=", "sf1.e30=", "hs1.ü"])
def test_what_is_no_cursor_says_what_to_do(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, "contacts")
    assert "Pull everything again" in caught.value.fix


def test_a_cursor_without_a_next_start_is_none() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(dump(Cursor("contacts")), "contacts")


def test_a_cursor_of_another_object_is_refused() -> None:
    with pytest.raises(ConfigError, match="belongs to contacts, not to companies"):
        load(dump(Cursor("contacts", then=AT)), "companies")
