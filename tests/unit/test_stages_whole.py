from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm_sync.model import Entity
from crm_sync.stages.whole import Ask, Whole, Why
from crm_sync.store.records import SavedCursor

NOW = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)
AT = NOW - timedelta(days=6)
DONE = SavedCursor("c", complete=True, whole_at=AT)
HALFWAY = SavedCursor("c", complete=False, whole_at=AT)
WHOLE_HALFWAY = SavedCursor("c", complete=False, whole_since=AT, whole_at=None)


@pytest.mark.parametrize(
    ("saved", "ask", "why"),
    [
        (DONE, Ask(), None),
        (HALFWAY, Ask(), None),
        (DONE, Ask(full=True), Why.ASKED),
        (HALFWAY, Ask(full=True), Why.ASKED),
        (DONE, Ask(days=7), None),
        (DONE, Ask(days=6), Why.DUE),
        (DONE, Ask(days=1), Why.DUE),
        (DONE, Ask(days=0), None),
        (SavedCursor("c", complete=True), Ask(days=7), Why.DUE),
        (SavedCursor("c", complete=True), Ask(days=0), None),
        # What was begun goes on, whoever asks for what.
        (WHOLE_HALFWAY, Ask(), Why.RESUMED),
        (WHOLE_HALFWAY, Ask(full=True), Why.RESUMED),
        (WHOLE_HALFWAY, Ask(days=1), Why.RESUMED),
        (None, Ask(), Why.OTHER),
        (None, Ask(full=True), Why.OTHER),
    ],
)
def test_when_everything_is_read(saved: SavedCursor | None, ask: Ask, why: Why | None) -> None:
    assert ask.why_whole(saved, NOW, known=True) is why


def test_the_first_pull_is_told_from_one_of_another_mapping() -> None:
    assert Ask().why_whole(None, NOW, known=False) is Why.FIRST


def test_a_daily_run_that_begins_a_little_earlier_is_not_put_off_by_a_day() -> None:
    last = NOW - timedelta(days=7) + timedelta(minutes=3)
    saved = SavedCursor("c", complete=True, whole_at=last)
    assert Ask(days=7).why_whole(saved, NOW, known=True) is Why.DUE


def test_every_reason_has_words() -> None:
    assert all(Whole(Entity.CONTACT, why).reason for why in Why)
    assert "2026-06-09" in Whole(Entity.CONTACT, Why.DUE, AT).reason
