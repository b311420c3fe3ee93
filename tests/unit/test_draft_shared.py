"""Planning in two processes: the same plan, the same errors, and nothing left running."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_sync.errors import ConfigError
from crm_sync.stages import drafting
from tests.support.drafting import CONTACTS, World, make_template, world_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a process is forked on Linux only")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("draft"))


@pytest.fixture
def world(template: Path) -> Iterator[World]:
    with world_of(template) as made:
        yield made


@pytest.fixture(autouse=True)
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(drafting, "SHARED_FROM", 0)
    monkeypatch.setattr(drafting, "PART", 1)
    monkeypatch.setattr(drafting, "_may_share", lambda: True)
    yield
    for process in multiprocessing.active_children():
        process.join(10)
    assert multiprocessing.active_children() == []


def test_two_processes_make_the_plan_that_one_makes(
    template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world_of(template) as one:
        made = one.plan(reuse=False)
        again = one.plan(reuse=True), one.plan(reuse=True)
        monkeypatch.setattr(drafting, "_may_share", lambda: False)
        alone = one.plan(reuse=False)
        for other in (made, *again):
            assert other.hash == alone.hash
            assert other.changes == alone.changes
            assert other.guards == alone.guards
            assert other.funnel == alone.funnel


def test_progress_tells_every_job_change_once(world: World) -> None:
    told: list[tuple[int, int | None]] = []
    world.plan(reuse=False, progress=lambda _, done, total: told.append((done, total)))
    assert told == [(n + 1, len(CONTACTS)) for n in range(len(CONTACTS))]


def test_an_error_is_told_as_from_one_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ConfigError("the template cannot be filled in", place="playbooks.yaml:3:1")

    monkeypatch.setattr("crm_sync.planning.tasks.variables", lambda *_, **__: fails())
    with pytest.raises(ConfigError, match="cannot be filled in") as caught:
        world.plan(reuse=False)
    assert caught.value.place == "playbooks.yaml:3:1"


def test_a_second_process_that_is_killed_is_done_without(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = world.plan(reuse=False).hash
    first, whole = os.getpid(), drafting.draft_part

    def killed(*given: object) -> drafting.Drafted:
        if os.getpid() != first:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(drafting, "draft_part", killed)
    assert world.plan(reuse=False).hash == expected


def test_an_interrupt_ends_both(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.plan(reuse=False, progress=interrupted)
    assert world.ask("SELECT count(*) FROM plan") == [(0,)]
