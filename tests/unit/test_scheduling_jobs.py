from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from apscheduler.jobstores.memory import MemoryJobStore

from crm_sync import logs, pipeline
from crm_sync.config import load_config
from crm_sync.errors import ConfigError, GuardTripped
from crm_sync.model import Entity
from crm_sync.scheduling.embedded import GRACE_SECONDS, build_scheduler
from crm_sync.scheduling.jobs import run_job
from crm_sync.stages.pull import Unread

CONFIG = """\
connections:
  paris:
    connector: salesforce
    mapping: mappings/salesforce.yaml
    schedule: "0 5 * * 1-5"
    timezone: Europe/Paris
  tokyo:
    connector: salesforce
    mapping: mappings/salesforce.yaml
    schedule: "0 5 * * *"
    timezone: Asia/Tokyo
  by-hand:
    connector: salesforce
    mapping: mappings/salesforce.yaml
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


@contextlib.contextmanager
def started(path: Path) -> Iterator[Any]:
    scheduler = build_scheduler(load_config(path), path)
    scheduler.start(paused=True)
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=False)


def test_each_scheduled_connection_has_one_job_and_the_others_none(config: Path) -> None:
    with started(config) as scheduler:
        assert {job.id: job.args for job in scheduler.get_jobs()} == {
            "paris": (config, "paris"),
            "tokyo": (config, "tokyo"),
        }


def test_runs_of_one_connection_never_overlap_and_missed_ones_become_one(config: Path) -> None:
    with started(config) as scheduler:
        for job in scheduler.get_jobs():
            assert job.coalesce is True
            assert job.max_instances == 1
            assert job.misfire_grace_time == GRACE_SECONDS == 3600


def test_no_schedule_is_kept_outside_of_memory(config: Path) -> None:
    with started(config) as scheduler:
        assert [type(one) for one in scheduler._jobstores.values()] == [MemoryJobStore]


def test_the_next_run_is_at_the_hour_of_its_own_zone(config: Path) -> None:
    with started(config) as scheduler:
        for job in scheduler.get_jobs():
            assert f"{job.next_run_time:%H:%M}" == "05:00"
            assert job.next_run_time > datetime.now(UTC)
            assert job.next_run_time - datetime.now(UTC) < timedelta(days=4)
        zones = {job.id: str(job.next_run_time.tzinfo) for job in scheduler.get_jobs()}
    assert zones == {"paris": "Europe/Paris", "tokyo": "Asia/Tokyo"}


def test_without_any_schedule_the_line_to_add_is_told(config: Path) -> None:
    config.write_text(re.sub(r"    schedule: .*\n", "", CONFIG))
    with pytest.raises(ConfigError, match="no connection has a schedule") as caught:
        build_scheduler(load_config(config), config)
    assert "schedule:" in caught.value.fix
    assert caught.value.place == str(config)


# The process

SERVE = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from apscheduler.triggers.date import DateTrigger
from crm_sync.scheduling import cron, embedded

# The real process, scheduler and signals, with a run that is due at once and takes a while.
def slow(path, name):
    print("begun", name, flush=True)
    time.sleep(1.5)
    print("ended", name, flush=True)

if sys.argv[2] == "busy":
    embedded.run_job = slow
    cron.cron_trigger = lambda expression, zone: DateTrigger(datetime.now(UTC))
embedded.serve(Path(sys.argv[1]), announce=lambda text: print(text, flush=True))
print("left", flush=True)
"""


@contextlib.contextmanager
def serving(config: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(config), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[str], text: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if text in line:
            return lines
    pytest.fail(f"ended before {text!r}: {lines} {process.stderr and process.stderr.read()}")


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_idle_it_says_when_the_next_runs_are_and_ends_at_a_signal(
    config: Path, which: signal.Signals
) -> None:
    with serving(config, "idle") as process:
        told = until(process, "Waiting for the next run")
        assert {line.partition(":")[0] for line in told[:-1]} == {"paris", "tokyo"}
        assert all(re.search(r"next run \d{4}-\d\d-\d\d 05:00", line) for line in told[:-1])
        started_at = time.monotonic()
        process.send_signal(which)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert out.splitlines()[-1] == "left"
        assert time.monotonic() - started_at < 10


def test_a_run_in_hand_is_finished_before_the_process_ends(config: Path) -> None:
    with serving(config, "busy") as process:
        until(process, "begun paris")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert "ended paris" in out
        assert out.index("ended paris") < out.index("left")


# The body of a job


Logged = Callable[[Path], tuple[str, list[dict[str, Any]]]]


@pytest.fixture
def run_logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """Runs the job of `paris`; returns how it ended, and what it logged."""

    def run(config: Path) -> tuple[str, list[dict[str, Any]]]:
        logs.configure(verbose=True, json=True)
        ended = run_job(config, "paris")
        return ended, [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield run
    structlog.reset_defaults()


def test_a_run_that_ends_is_logged_with_its_counts(
    config: Path, monkeypatch: pytest.MonkeyPatch, run_logged: Logged
) -> None:
    outcome = SimpleNamespace(
        run_id=4,
        plan=SimpleNamespace(id=9),
        report=SimpleNamespace(counts={"done": 3}),
        unread=[Unread(Entity.ACCOUNT, "closed", ("companies.read",), None)],
    )
    asked: list[str] = []

    def run(workspace: Any, name: str) -> Any:
        asked.append(name)
        return outcome

    monkeypatch.setattr(pipeline, "run", run)
    ended, told = run_logged(config)
    assert ended == "done"
    assert asked == ["paris"]
    first, closed, last = told
    assert (first["event"], first["connection"]) == ("run_started", "paris")
    assert (closed["event"], closed["entity"]) == ("object_closed", "account")
    assert (last["event"], last["run"], last["plan"], last["done"]) == ("run_ended", 4, 9, 3)


def test_a_refused_run_is_logged_with_what_to_do_and_does_not_raise(
    config: Path, monkeypatch: pytest.MonkeyPatch, run_logged: Logged
) -> None:
    def refuse(workspace: Any, name: str) -> None:
        raise GuardTripped("too many", place="plan 3", fix="Look at it.")

    monkeypatch.setattr(pipeline, "run", refuse)
    ended, told = run_logged(config)
    assert ended == "GuardTripped"
    last = told[-1]
    assert (last["event"], last["level"]) == ("run_stopped", "error")
    assert (last["reason"], last["place"], last["fix"]) == ("too many", "plan 3", "Look at it.")


def test_a_broken_run_is_logged_without_what_it_held_and_does_not_raise(
    config: Path, monkeypatch: pytest.MonkeyPatch, run_logged: Logged
) -> None:
    def fall(workspace: Any, name: str) -> None:
        raise KeyError("ann@example.com")

    monkeypatch.setattr(pipeline, "run", fall)
    ended, told = run_logged(config)
    assert ended == "failed"
    last = told[-1]
    assert (last["event"], last["error"]) == ("run_failed", "KeyError")
    assert last["where"].startswith(Path(__file__).name)
    assert "ann@example.com" not in json.dumps(told)


def test_a_broken_configuration_stops_the_run_and_not_the_schedule(
    config: Path, run_logged: Logged
) -> None:
    config.write_text("connections: [")
    ended, told = run_logged(config)
    assert ended == "ConfigError"
    assert told[-1]["place"].startswith(f"{config}:1:")


def test_a_run_of_an_unknown_connector_is_told(config: Path, run_logged: Logged) -> None:
    config.write_text(CONFIG.replace("salesforce\n    mapping", "nosuch\n    mapping", 1))
    ended, told = run_logged(config)
    assert ended == "UsageError"
    assert "nosuch" in told[-1]["reason"]
