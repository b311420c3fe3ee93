"""Judging at scale: load, match, detect and plan N contacts against M profiles, and do it again.

The contacts stand in a database of the product, as a pull leaves them; the profiles are one Parquet
file in the shape of People Data Labs (`scale_world.py` says what is in them). The measured process
does what `crm-sync plan` does after the pull: it exports the contacts, reads the delivery, matches
(Splink's tail included), tells job changes, stores all of it, and stores the plan.

Beside it, in a process of its own, a bare DuckDB script: it loads both sides, normalises names,
companies, pages and addresses, and only joins them by their keys. It stores and decides nothing.

The second run gets the whole delivery again, with one profile in a hundred changed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import scale_world

BARE = Path(__file__).with_name("match_scale_bare.sql")
NAME = "crm"
CONFIG = f"""\
database: sqlite:///crm-sync.db
connections:
  {NAME}:
    connector: salesforce
    instance_url: http://127.0.0.1:1
    auth: {{flow: session_id, session_id: none}}
    mapping: mappings/salesforce.yaml
    playbooks: mappings/playbooks.yaml
    enrichment: [vendor]
enrichment:
  vendor:
    source: file
    path: delivery.parquet
    mapping: mappings/people_data_labs.yaml
    as_of: 2026-06-15
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--profiles", type=int, default=5_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the world, to be used again")
    parser.add_argument("--step", choices=["product", "bare"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        (run_product if arguments.step == "product" else run_bare)(arguments.keep)
        return
    with tempfile.TemporaryDirectory(prefix="crm-sync-bench-") as temporary:
        folder = arguments.keep or Path(temporary)
        figures = measure(folder, arguments.contacts, arguments.profiles, arguments.seed)
        print(json.dumps(figures))


def measure(folder: Path, contacts: int, profiles: int, seed: int) -> dict[str, Any]:
    prepare(folder, contacts, profiles, seed)
    print(f"{contacts:,} contacts, {profiles:,} profiles")
    bare, bare_mb, _ = step("bare", folder)
    print(f"bare joins:  {bare:6.1f} s, peak {bare_mb:,.0f} MB")
    first, peak, phases = step("product", folder)
    print(f"first run:   {first:6.1f} s, peak {peak:,.0f} MB   {phases}")
    shutil.copyfile(folder / "changed.parquet", folder / "delivery.parquet")
    second, peak_again, phases = step("product", folder)
    print(f"second run:  {second:6.1f} s, peak {peak_again:,.0f} MB   {phases}")
    return {
        "contacts": contacts,
        "profiles": profiles,
        "seconds": round(first, 1),
        "peak_rss_mb": round(peak),
        "bare_seconds": round(bare, 1),
        "ratio_to_bare_joins": round(first / bare, 2),
        "second_seconds": round(second, 1),
        "second_run_ratio": round(second / first, 3),
    }


def prepare(folder: Path, contacts: int, profiles: int, seed: int) -> None:
    """The world, made unless it is there, and a fresh database with its contacts."""
    from crm_sync.shipped import shipped
    from crm_sync.store.database import Store

    folder.mkdir(parents=True, exist_ok=True)
    asked = json.dumps([contacts, profiles, seed])
    made = folder / "made.json"
    if not made.exists() or made.read_text() != asked:
        scale_world.make(folder, contacts, profiles, seed)
        made.write_text(asked)
    for old in folder.glob("crm-sync.db*"):
        old.unlink()
    shutil.copytree(shipped("mappings"), folder / "mappings", dirs_exist_ok=True)
    shutil.copyfile(folder / "profiles.parquet", folder / "delivery.parquet")
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    Store.open(folder / "crm-sync.db").close()
    scale_world.fill_store(folder, folder / "crm-sync.db", NAME)
    with sqlite3.connect(folder / "crm-sync.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def step(name: str, folder: Path) -> tuple[float, float, str]:
    """Seconds, peak resident megabytes and last line of one step in a process of its own."""
    command = [sys.executable, __file__, "--step", name, "--keep", str(folder)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}:\n{output}")
    lines = output.strip().splitlines() or [""]
    return time.perf_counter() - began, usage.ru_maxrss / 1024, lines[-1]


class NoCrm:
    """Planning asks the CRM for the addresses of records only."""

    def url(self, entity: object, record_id: str) -> str:
        """Where a person would look."""
        return f"https://crm.example/{record_id}"


def run_product(folder: Path) -> None:
    from crm_sync.config import load_config
    from crm_sync.stages.draft import draft_plan, load_playbooks_of
    from crm_sync.stages.judge import judge_all, open_sources
    from crm_sync.stages.observe import observe_all
    from crm_sync.store.database import Store
    from crm_sync.store.export import contacts_table
    from crm_sync.workspace import Workspace, utc_now

    clock = Clock()
    config = load_config(folder / "config.yaml")
    store = Store.open(config.database_path)
    connection = config.connection(NAME)
    mapping = Workspace(config, store).mapping(connection)
    table = contacts_table(store, NAME, mapping)
    with open_sources(config, connection.settings.enrichment) as sources:
        observed = observe_all(store, NAME, lambda: table, sources, now=utc_now())
        judged = judge_all(
            store, connection, lambda: table, observed, now=utc_now(), progress=clock.progress
        )
    clock.lap("stored")
    playbooks = load_playbooks_of(connection)
    crm: Any = NoCrm()
    plan = draft_plan(store, connection, mapping, playbooks, crm, judged, now=utc_now())
    clock.lap("planned")
    print(json.dumps(dict(judged.funnel)))
    print(f"{plan.funnel.get('changes', 0):,} changes; {clock}")


class Clock:
    """When each part of the judgement began, in seconds."""

    def __init__(self) -> None:
        self._began, self._laps = time.perf_counter(), dict[str, float]()

    def progress(self, what: str, done: int, total: int | None) -> None:
        """As `crm_sync.progress.Progress`."""
        self.lap(what)

    def lap(self, what: str) -> None:
        """Note when something began, the first time that it is told."""
        self._laps.setdefault(what, time.perf_counter() - self._began)

    def __str__(self) -> str:
        return ", ".join(f"{what} {seconds:.1f}" for what, seconds in self._laps.items())


def run_bare(folder: Path) -> None:
    import duckdb
    from adbc_driver_sqlite import dbapi

    db = duckdb.connect(config={"threads": 2, "preserve_insertion_order": False})
    uri = f"file:{folder / 'crm-sync.db'}?mode=ro"
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        for entity in ("contact", "account"):
            cursor.execute("SELECT id, fields FROM record WHERE entity = ?", parameters=[entity])
            db.register("rows", cursor.fetch_arrow_table())
            db.execute(f"CREATE TABLE {entity} AS SELECT * FROM rows")
            db.unregister("rows")
    db.execute("SET VARIABLE delivery = $path", {"path": str(folder / "delivery.parquet")})
    db.execute(BARE.read_text(encoding="utf-8"))
    found = db.execute("SELECT count(DISTINCT contact_id), count(*) FROM linked").fetchone()
    print(f"{found}")


if __name__ == "__main__":
    main()
