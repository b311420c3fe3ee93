"""A task's key is trusted only where the CRM itself says that it keeps it unique."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_sync.applying.by_hand import settle_by_hand
from crm_sync.store.states import State
from tests.faults.apply_crm import KEY, World, a_task, an_update, open_world

TITLE = ("Title", "VP Sales", "CRO")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = open_world(tmp_path / "crm-sync.db")
    for id in ("C1", "C2", "C3"):
        world.crm.put(id, Title="VP Sales")
    yield world
    world.store.close()


@pytest.mark.parametrize(
    ("fault", "lack"),
    [
        ("drop_before", {}),
        *((fault, {"indexed": False}) for fault in ("drop_before", "drop_after", "late")),
        *((fault, {"searchable": False}) for fault in ("drop_before", "drop_after", "late")),
        *((fault, {"described": False}) for fault in ("drop_before", "drop_after", "late")),
    ],
)
def test_where_the_field_is_not_kept_unique_a_task_is_made_at_most_once(
    world: World, fault: str, lack: dict[str, bool]
) -> None:
    world.crm.keyed = False
    for name, value in lack.items():
        setattr(world.crm, name, value)
    plan = world.save(a_task("C1"))
    world.crm.script = [fault]
    for _ in range(2):
        report = world.apply(plan)
        assert report.problems[0].state == State.UNKNOWN
        assert "not sent again" in report.problems[0].hint
        world.crm.sleep(3600)
    assert world.crm.calls["write"] == 1
    assert len(world.crm.tasks()) == (0 if fault == "drop_before" else 1)


@pytest.mark.parametrize("searchable", [True, False])
def test_what_only_a_person_can_settle_is_told_at_every_apply_until_it_is(
    world: World, searchable: bool
) -> None:
    world.crm.keyed, world.crm.searchable = False, searchable
    plan = world.save(a_task("C1"))
    world.crm.script = ["drop_before"]
    hint = f"crm-sync settle {plan.proposed[0].short_id}"
    for _ in range(2):
        report = world.apply(plan)
        assert not report.complete  # exit code 4: this plan is not done
        assert [hint in one.hint for one in report.problems] == [True]
        world.crm.sleep(30 * 24 * 3600 / 10)
    report = world.apply(world.save(an_update("C2", TITLE)))
    assert report.counts == {State.DONE: 1}
    assert [hint in one.hint for one in report.problems] == [True]
    settle_by_hand(
        world.store, "acme", plan.proposed[0].key, there=True, run_id=1, now=world.crm.now(), by="x"
    )
    report = world.apply(plan)
    assert (report.complete, report.problems) == (True, ())


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("fault", ["drop_after", "late"])
def test_a_key_that_is_found_shows_that_the_task_is_there_though_it_is_not_kept_unique(
    world: World, fault: str, unique: bool
) -> None:
    world.crm.unique, world.crm.keyed = unique, False
    plan = world.save(a_task("C1"))
    world.crm.script = [fault]
    report = world.apply(plan)
    assert report.counts == {State.DONE: 1}
    assert world.crm.tasks()[0].fields[KEY] == plan.changes[0].key
    assert world.crm.calls["write"] == 1
    assert world.crm.slept <= 6


def test_a_key_that_is_found_late_settles_the_task_at_the_next_apply(world: World) -> None:
    world.crm.keyed = world.crm.indexed = False
    plan = world.save(a_task("C1"))
    world.crm.script = ["drop_after"]
    assert world.apply(plan).awaited == 0
    world.crm.indexed = True
    report = world.apply(plan)
    assert (report.settled, report.already_done) == ({State.DONE: 1}, 1)
    assert report.problems == ()
    assert len(world.crm.tasks()) == 1


def test_a_key_is_not_sent_to_a_crm_that_has_no_field_for_it(world: World) -> None:
    world.crm.described = False
    report = world.apply(world.save(a_task("C1")))
    assert report.complete
    assert report.confirmed == 1
    assert set(world.crm.tasks()[0].fields) == {"Subject", "WhoId"}


def test_the_report_says_that_tasks_were_sent_at_most_once(world: World) -> None:
    world.crm.keyed = False
    report = world.apply(world.save(an_update("C1", TITLE), a_task("C1")))
    assert any("once at most" in one for one in report.notices)
    assert report.complete


@pytest.mark.parametrize("keyed", [True, False])
def test_the_crm_is_asked_once_and_only_if_there_are_tasks(world: World, keyed: bool) -> None:
    world.crm.keyed = keyed
    report = world.apply(world.save(*[an_update(f"C{n}", TITLE) for n in (1, 2, 3)]))
    assert world.crm.calls["describe"] == 0
    assert report.notices == ()
    world.apply(world.save(*[a_task(f"C{n}") for n in (1, 2, 3)]))
    assert world.crm.calls["describe"] == 1


def test_where_it_is_kept_unique_nothing_is_said_and_a_lost_answer_is_made_good(
    world: World,
) -> None:
    world.crm.script = ["drop_before"]
    report = world.apply(world.save(a_task("C1")))
    assert report.notices == ()
    assert report.counts == {State.DONE: 1}
    assert len(world.crm.tasks()) == 1
