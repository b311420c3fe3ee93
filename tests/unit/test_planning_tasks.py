"""Follow-up tasks: whose they are, in which language, until when, and what names can do to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crm_sync.model import (
    Change,
    Disposition,
    JobChange,
    Position,
)
from crm_sync.planning.tasks import working_day
from tests.support.planning import (
    ACCOUNTS,
    COLLEAGUES,
    LEFT,
    MOVE,
    after_of,
    make_state,
    plan_of,
)


def _task(*job_changes: JobChange, **more: Any) -> Change:
    _, task = plan_of(*job_changes, **more)
    assert task is not None
    return task


@pytest.mark.parametrize(
    ("contact_owner", "account_owner", "of_moved", "of_left"),
    [
        ("u1", "u2", "u1", "u2"),
        ("u3", "u2", "u2", "u2"),
        ("u1", "u3", "u1", "u1"),
        ("u3", "u3", "", ""),
        ("unknown", None, "", ""),
    ],
)
def test_the_task_goes_to_the_first_active_owner(
    contact_owner: str, account_owner: str | None, of_moved: str, of_left: str
) -> None:
    accounts = {"a1": {"name": "Vexalor", "owner_id": account_owner}}
    state = make_state(owner_id=contact_owner)
    for job_change, wanted in ((MOVE, of_moved), (LEFT, of_left)):
        task = _task(job_change, state=state, accounts=accounts)
        assert task.owner_id == wanted
        assert ("owner_id" in after_of(task)) == bool(wanted)
        assert ("no active colleague" in task.held_by) == (not wanted)


@pytest.mark.parametrize(
    ("spoken", "language", "word"),
    [
        ("fr", "en", "rejoint"),
        ("fr_CA", "en", "rejoint"),
        ("en_US", "fr", "moved"),
        ("de", "fr", "rejoint"),
        (None, "en", "moved"),
    ],
)
def test_the_colleague_reads_the_task_in_their_language(
    spoken: str | None, language: str, word: str
) -> None:
    colleagues = {"u1": {"name": "P", "active": True, "language": spoken}}
    task = _task(MOVE, colleagues=colleagues, language=language)
    assert word in str(after_of(task)["subject"])


def test_the_contacts_own_account_is_not_offered_as_the_new_one() -> None:
    own = {"a1": {"name": "Norvex", "owner_id": "u2"}}
    assert "existe déjà" not in str(after_of(_task(MOVE, accounts=own))["body"])
    assert "existe déjà" in str(after_of(_task(MOVE))["body"])


def test_an_account_name_shared_by_two_accounts_is_not_claimed() -> None:
    twins = ACCOUNTS | {"a3": {"name": "Norvex Inc.", "owner_id": "u1"}}
    assert "existe déjà" not in str(after_of(_task(MOVE, accounts=twins))["body"])


@pytest.mark.parametrize(
    ("now", "timezone", "days", "due"),
    [
        (datetime(2026, 6, 16, 9, tzinfo=UTC), "UTC", 3, date(2026, 6, 19)),
        (datetime(2026, 6, 18, 9, tzinfo=UTC), "UTC", 3, date(2026, 6, 23)),
        (datetime(2026, 6, 19, 22, 30, tzinfo=UTC), "Europe/Paris", 1, date(2026, 6, 22)),
        (datetime(2026, 6, 18, 22, 30, tzinfo=UTC), "Europe/Paris", 1, date(2026, 6, 22)),
        (datetime(2026, 6, 18, 22, 30, tzinfo=UTC), "America/New_York", 1, date(2026, 6, 19)),
        (datetime(2026, 6, 20, 9, tzinfo=UTC), "UTC", 0, date(2026, 6, 22)),
        (datetime(2026, 6, 16, 9, tzinfo=UTC), "UTC", 10, date(2026, 6, 30)),
    ],
)
def test_tasks_fall_due_after_working_days_in_the_connections_time_zone(
    now: datetime, timezone: str, days: int, due: date
) -> None:
    assert working_day(now, timezone, days) == due


def test_hostile_names_reach_the_crm_as_plain_text() -> None:
    state = make_state(first_name="\x1b[31m{{ source }}\n", last_name="O'Brien\x00<script>")
    hostile = replace(MOVE, after=Position("CEO\r\nBcc: x", "Nor\x1b[0mvex\u202e"))
    update, task = plan_of(hostile, state=state)
    assert update is not None
    assert task is not None
    assert after_of(update)["new_organisation"] == "Norvex"
    assert after_of(update)["new_title"] == "CEO Bcc: x"
    assert after_of(task)["subject"] == "{{ source }} O'Brien<script> a rejoint Norvex"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_name_that_ends_in_a_stop_does_not_end_a_sentence_twice(language: str) -> None:
    move = replace(
        MOVE, before=Position("CEO", "Vexalor Corp."), after=Position("CEO", "Norvex, Inc.")
    )
    colleagues = {"u1": {**COLLEAGUES["u1"], "language": language}}
    body = str(after_of(_task(move, colleagues=colleagues))["body"])
    assert "Norvex, Inc." in body
    assert ".." not in body.replace("...", "")


def test_a_task_that_nobody_active_would_own_waits_for_a_person() -> None:
    inactive = {"u1": {**COLLEAGUES["u1"], "active": False}}
    accounts = {"a1": {"name": "Vexalor", "owner_id": "u1"}}
    task = _task(MOVE, colleagues=inactive, accounts=accounts)
    assert task.disposition is Disposition.REVIEW
    assert "no active colleague" in task.held_by
