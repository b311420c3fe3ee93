"""A plan that takes over what is the same is the plan that would be made anew, whatever changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sync.errors import PlanStale
from crm_sync.model import Entity, Mode
from crm_sync.planning.playbooks import load_playbooks
from crm_sync.stages import draft, drafting
from crm_sync.stages.pull import Unread
from crm_sync.store import plan_rows, plans
from tests.support.drafting import (
    ACCOUNTS,
    COLLEAGUES,
    CONTACTS,
    NAME,
    World,
    make_template,
    world_of,
)

TASK_FOR_TITLES = """
rules:
  - name: retitled
    when: {kind: retitled}
    task: {due_in_working_days: 1, subject: {en: "{{ contact }} has a new role"}, body: {en: "-"}}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("draft"))


@pytest.fixture
def world(template: Path) -> Iterator[World]:
    with world_of(template) as made:
        yield made


def compare(world: World) -> int:
    """Plan both ways; returns how many contacts were taken over."""
    anew, again = world.plan(reuse=False), world.plan(reuse=True)
    with world.store.read() as tx:
        one, other = plans.load_plan(tx, anew.id), plans.load_plan(tx, again.id)
    assert other.changes == one.changes
    assert other.hash == one.hash == again.hash == anew.hash
    assert replace(other, id=one.id, changes=()) == replace(one, changes=())
    rows = (
        "SELECT position, key, due_on, digest, disposition, owner_id, requires FROM change "
        "WHERE plan_id = ? ORDER BY position"
    )
    assert world.ask(rows, again.id) == world.ask(rows, anew.id)
    return len(again.changes)


def kept(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The contacts that are not planned again now."""
    found: list[str] = []
    whole = drafting.draft_part

    def watched(*given: Any) -> drafting.Drafted:
        made = whole(*given)
        found.extend(made.kept)
        return made

    monkeypatch.setattr(drafting, "draft_part", watched)
    compare(world)
    monkeypatch.setattr(drafting, "draft_part", whole)
    return found


# What may happen between two plans

Step = Callable[[World], None]
_ids = st.sampled_from(CONTACTS)


def _job(id: str, kind: str, band: str, title: str, company: str) -> Step:
    return lambda world: world.do(
        "UPDATE job_change SET kind = ?, band = ?, to_title = ?, to_organisation = ? "
        "WHERE contact_id = ?",
        kind, band, title, company, id,
    )  # fmt: skip


def _said(id: str, detail: str) -> Step:
    text = json.dumps([{"rule": "email", "detail": detail, "weight": 3.5}])
    return lambda world: world.do(
        "UPDATE job_change SET evidence = ? WHERE contact_id = ?", text, id
    )


def _gone(id: str, at: str | None) -> Step:
    return lambda world: world.do("UPDATE record SET gone_at = ? WHERE id = ?", at, id)


def _merged(id: str, into: str) -> Step:
    return lambda world: world.do(
        "UPDATE record SET gone_at = '2026-06-02', survivor = ? WHERE id = ? AND id != ?",
        into, id, into,
    )  # fmt: skip


def _edited(id: str, field: str, at: str) -> Step:
    return lambda world: world.do(
        "INSERT OR REPLACE INTO baseline VALUES (?, 'contact', ?, ?, '\"x\"', 'seen', ?, ?, "
        "'\"y\"')",
        NAME, id, field, at, at,
    )  # fmt: skip


def _colleague(id: str, **changed: Any) -> Step:
    return lambda world: world.field(id, **changed)


def _key(at: int, statement: str) -> Step:
    def step(world: World) -> None:
        keys = world.ask("SELECT key FROM change ORDER BY plan_id DESC, position")
        if keys:
            world.do(statement, NAME, keys[at % len(keys)][0])

    return step


REJECT = "INSERT OR IGNORE INTO rejected_key VALUES (?, ?, 'rejected', '2026-06-02')"
ALLOW = "DELETE FROM rejected_key WHERE connection = ? AND key = ?"
SENT = (
    "INSERT OR IGNORE INTO intent (connection, key, run_id, plan_id, state, operation, entity, "
    "record_id, contact_id, fields, attempts, code, message) "
    "VALUES (?, ?, 1, 1, '{}', 'update', 'contact', '', '', '[]', 1, '', '')"
)


def _setting(**changed: Any) -> Step:
    return lambda world: world.settings(**changed)


def _later(days: int) -> Step:
    def step(world: World) -> None:
        world.now += timedelta(days=days)

    return step


def _accounts_unread(closed: bool) -> Step:
    def step(world: World) -> None:
        world.unread = (Unread(Entity.ACCOUNT, "no right"),) if closed else ()

    return step


_steps = st.one_of(
    st.builds(
        _job, _ids, st.sampled_from(["moved", "retitled", "left", "unchanged"]),
        st.sampled_from(["auto", "review", "ignored"]),
        st.sampled_from(["Head of Sales", "Directrice « Ventes »"]),
        st.sampled_from(["", "Norvex", *(f"Company {id}" for id in ACCOUNTS)]),
    ),
    st.builds(_said, _ids, st.sampled_from(["one", "other"])),
    st.builds(_gone, _ids, st.sampled_from([None, "2026-06-03"])),
    st.builds(_merged, _ids, _ids),
    st.builds(
        _edited, _ids, st.sampled_from(["Title", "Crm_Sync_Moved__c"]),
        st.sampled_from(["2026-05-20T00:00:00+00:00", "2026-06-10T00:00:00+00:00"]),
    ),
    st.builds(
        _colleague, st.sampled_from(COLLEAGUES), IsActive=st.booleans(),
        LanguageLocaleKey=st.sampled_from(["fr", "en_US"]),
    ),
    st.builds(
        _colleague, st.sampled_from(ACCOUNTS), OwnerId=st.sampled_from([*COLLEAGUES, "005Z", None]),
        Name=st.sampled_from([f"Company {id}" for id in ACCOUNTS]),
    ),
    st.builds(
        _colleague, _ids, Title=st.sampled_from(["Sales Manager", "Boss", None]),
        AccountId=st.sampled_from(ACCOUNTS), OwnerId=st.sampled_from(COLLEAGUES),
    ),
    st.builds(
        _key, st.integers(0, 20),
        st.sampled_from([REJECT, ALLOW, SENT.format("done"), SENT.format("unknown")]),
    ),
    st.builds(_setting, mode=st.sampled_from(Mode), language=st.sampled_from(["en", "fr"])),
    st.builds(_later, st.integers(1, 5)),
    st.builds(_accounts_unread, st.booleans()),
)  # fmt: skip


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.lists(_steps, max_size=3), min_size=1, max_size=4), st.booleans())
def test_taking_over_what_is_the_same_gives_the_same_plan(
    template: Path, rounds: list[list[Step]], packed: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch, world_of(template) as world:
        patch.setattr(draft, "PACKED_FROM", 0 if packed else 1_000)
        patch.setattr(plan_rows, "_PACK", 3)
        patch.setattr(drafting, "PART", 4)
        compare(world)
        for steps in rounds:
            for step in steps:
                step(world)
            compare(world)


def test_what_is_the_same_is_not_planned_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept(world, monkeypatch) == []
    assert kept(world, monkeypatch) == list(CONTACTS)
    world.field(CONTACTS[2], Title="Boss")
    assert kept(world, monkeypatch) == [id for id in CONTACTS if id != CONTACTS[2]]


def test_on_another_day_only_due_dates_move(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.plan(reuse=True)
    world.now += timedelta(days=1)
    assert kept(world, monkeypatch) == list(CONTACTS)
    second = world.plan(reuse=True)
    due = [
        [field.after for one in made.changes for field in one.fields if field.name == "due_on"]
        for made in (first, second)
    ]
    assert due == [["2026-06-18", "2026-06-22"] * 2, ["2026-06-19", "2026-06-23"] * 2]


def test_another_playbook_mode_or_code_plans_all_again(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compare(world)
    (tmp_path / "playbooks.yaml").write_text(TASK_FOR_TITLES, encoding="utf-8")
    world.playbooks = load_playbooks(tmp_path / "playbooks.yaml")
    assert kept(world, monkeypatch) == []
    world.settings(mode=Mode.SHADOW)
    assert kept(world, monkeypatch) == []
    monkeypatch.setattr("crm_sync.planning.fingerprints._code", lambda: "another version")
    assert kept(world, monkeypatch) == []
    assert kept(world, monkeypatch) == list(CONTACTS)


def test_an_altered_plan_is_refused_also_after_it_was_taken_over(world: World) -> None:
    world.plan(reuse=True)
    world.do("UPDATE change SET reason = 'x' WHERE contact_id = ?", CONTACTS[0])
    made = world.plan(reuse=True)
    with pytest.raises(PlanStale, match="altered") as caught:
        list(made.changes)
    assert "--full" in caught.value.fix
    assert world.plan(reuse=False).changes
