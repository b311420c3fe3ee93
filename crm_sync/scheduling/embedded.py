"""Schedules in one process, driven by APScheduler.

The schedules live in the configuration; APScheduler's store is memory only and is rebuilt from it.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crm_sync.config import Config, load_config
from crm_sync.errors import ConfigError
from crm_sync.scheduling.jobs import run_job

GRACE_SECONDS = 3600
"""How late a run may still start: a machine that slept through 05:00 catches up until 06:00."""


def serve(config_path: Path, *, announce: Callable[[str], object]) -> None:
    """Run every scheduled connection until SIGINT or SIGTERM; ends the run in hand first.

    Raises `ConfigError` when no connection has a schedule.
    """
    config = load_config(config_path)
    scheduler = build_scheduler(config, config_path)
    # Not an Event: set by a handler while this very thread holds its lock, it would never return.
    stopped: list[int] = []
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda number, _: stopped.append(number))
    scheduler.start()
    try:
        for job in scheduler.get_jobs():
            announce(f"{job.id}: next run {job.next_run_time:%Y-%m-%d %H:%M %Z}")
        announce("Waiting for the next run; Ctrl-C stops.")
        while not stopped:
            time.sleep(0.2)
        announce("Stopping; a run in hand is finished first.")
    finally:
        scheduler.shutdown(wait=True)


def build_scheduler(config: Config, config_path: Path) -> Any:
    """A scheduler, not yet started, with one job for each connection that has a schedule."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.jobstores.memory import MemoryJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    from crm_sync.scheduling.cron import cron_trigger

    scheduled = {
        name: one.settings for name, one in config.connections.items() if one.settings.schedule
    }
    if not scheduled:
        raise ConfigError(
            "no connection has a schedule",
            place=str(config.file.path),
            fix='Add one to a connection, for example schedule: "0 5 * * mon-fri"',
        )
    scheduler = BackgroundScheduler(
        jobstores={"default": MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(max_workers=min(4, len(scheduled)))},
        job_defaults={
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": GRACE_SECONDS,
        },
        timezone="UTC",
    )
    for name, settings in scheduled.items():
        scheduler.add_job(
            run_job,
            cron_trigger(settings.schedule or "", settings.timezone),
            args=(config_path, name),
            id=name,
            name=f"run {name}",
        )
    return scheduler
