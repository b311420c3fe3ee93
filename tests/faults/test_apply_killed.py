"""A real process, a real SIGKILL, real HTTP: applied once, whatever the moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from crm_sync.applying.undo import undo_plan
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.steady import Steady
from crm_sync.mapping import load_mapping
from crm_sync.model import Change, Entity, Plan
from crm_sync.sandbox.faults import parse_fault
from crm_sync.store import plans, runs
from crm_sync.store.database import Store
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.faults.apply_crm import KEY, MAPPING, a_plan, a_task, an_update
from tests.faults.apply_process import SETTLE, apply_over_http, now
from tests.support.salesforce_org import Org, seed

ROOT = Path(__file__).parents[2]
CONTACTS = 210  # two batches of updates, two of tasks
PATCH = {"method": "PATCH", "path": r"composite/sobjects"}
POST = {"method": "POST", "path": r"composite/sobjects(\?|$)"}
READ = {"path": r"composite/sobjects/(Contact|Task)"}


class Bench:
    """A sandbox, a database with a plan, and the process that applies it."""

    def __init__(self, folder: Path, sandbox: SalesforceSandbox) -> None:
        self.sandbox = sandbox
        self.org = Org(sandbox.start().url)
        self.database = folder / "crm-sync.db"
        self.store = Store.open(self.database)
        with closing(self.org.connect()) as connector:
            self.ids = seed(connector, ["VP Sales"] * CONTACTS)
        self.plan = self._save()
        sandbox.calls.reset()

    def _save(self) -> Plan:
        updates = [
            an_update(
                id,
                ("Title", "VP Sales", 'Chief "Revenue" Officer, O\'Brien & Cie'),
                ("Crm_Sync_Moved__c", False, True),
                ("Crm_Sync_Moved_On__c", None, "2026-03-01"),
            )
            for id in self.ids
        ]
        tasks = [a_task(one.record_id, one.key) for one in updates]
        expires = now() + timedelta(days=1)
        with self.store.begin() as tx:
            return plans.save_plan(tx, a_plan(*updates, *tasks, expires_at=expires))

    def process(self) -> subprocess.Popen[bytes]:
        paths = [str(ROOT), str(ROOT / "connectors")]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.apply_process",
             str(self.database), self.org.url, str(self.plan.id)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            cwd=ROOT,
        )  # fmt: skip

    def everything_is_there_once(self) -> None:
        with closing(self.org.connect()) as connector:
            crm = Steady(connector, floor=QuotaFloor(0))
            wanted = [one.key for one in self.plan.changes if one.entity is Entity.TASK]
            found = crm.find(Entity.TASK, KEY, wanted)
            fields = [one.crm_field for one in self.update.fields]
            rows = crm.read(Entity.CONTACT, self.ids, fields)
        assert Counter(str(one.fields[KEY]) for one in found) == Counter(wanted)
        assert len(rows) == CONTACTS
        for row in rows:
            assert [row.fields[one] for one in fields] == [one.after for one in self.update.fields]
        assert self.written() == {"Contact.update": CONTACTS, "Task.create": CONTACTS}

    @property
    def update(self) -> Change:
        return self.plan.changes[0]

    def written(self) -> object:
        return self.sandbox.calls.counted()["rows"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with SalesforceSandbox.open(tmp_path / "org.db") as sandbox:
        bench = Bench(tmp_path, sandbox)
        yield bench
        bench.store.close()


MOMENTS = [
    pytest.param(match, nth, kind, id=f"{name}{nth}-{kind}", marks=marks)
    for name, match, nth, kind, *marks in [
        ("update", PATCH, 1, "delay", pytest.mark.slow),
        ("update", PATCH, 1, "delay_after", pytest.mark.slow),
        ("update", PATCH, 2, "delay_after"),
        ("task", POST, 1, "delay", pytest.mark.slow),
        ("task", POST, 1, "delay_after"),
        ("task", POST, 2, "delay_after", pytest.mark.slow),
        ("read", READ, 2, "delay", pytest.mark.slow),
        ("verify", READ, 5, "delay"),
    ]
]


@pytest.mark.parametrize(("match", "nth", "kind"), MOMENTS)
def test_killed_while_a_call_is_under_way_and_started_again(
    bench: Bench, match: dict[str, str], nth: int, kind: str
) -> None:
    fault = {"match": match, "nth": nth, "fault": kind, "seconds": 0.4}
    bench.sandbox.faults.add([parse_fault(fault)])
    process = bench.process()
    deadline = time.monotonic() + 60
    while not bench.sandbox.faults.described()[0]["fired"]:
        assert process.poll() is None, "it ended before the moment came"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    assert bench.process().wait(60) == 0
    bench.everything_is_there_once()
    assert apply_over_http(bench.store, bench.org.url, bench.plan.id).counts == {}


def test_killed_again_and_again_it_gets_there_and_undo_takes_it_all_back(bench: Bench) -> None:
    bench.sandbox.faults.add(
        [parse_fault({"match": {"path": "composite|query"}, "times": 0, "fault": "delay_after",
                      "seconds": 0.05})]
    )  # fmt: skip
    kills = 0
    for lifetime in (1.0, 1.3, 1.5, 1.2, 1.6, 1.1, 1.4, 60.0, 60.0):
        process = bench.process()
        try:
            process.wait(lifetime)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    bench.sandbox.faults.clear()
    assert kills > 0
    assert process.returncode == 0
    bench.everything_is_there_once()
    take_everything_back(bench)


def take_everything_back(bench: Bench) -> None:
    mapping = load_mapping(MAPPING)
    with bench.store.read() as tx:
        done = [one.id for one in runs.list_runs(tx, "acme", 100)]
    for run_id in done:
        with closing(bench.org.connect(settle_seconds=SETTLE, late_seconds=SETTLE)) as connector:
            crm = Steady(connector, floor=QuotaFloor(0))
            plan, _ = undo_plan(bench.store, crm, run_id, mapping, now())
        with bench.store.begin() as tx:
            plan = plans.save_plan(tx, plan)
        assert apply_over_http(bench.store, bench.org.url, plan.id).complete
    with closing(bench.org.connect()) as connector:
        crm = Steady(connector, floor=QuotaFloor(0))
        fields = [one.crm_field for one in bench.update.fields]
        rows = crm.read(Entity.CONTACT, bench.ids, fields)
        keys = [one.key for one in bench.plan.changes if one.entity is Entity.TASK]
        assert crm.find(Entity.TASK, KEY, keys) == []
    assert len(rows) == CONTACTS
    for row in rows:
        assert [row.fields[one] for one in fields] == [one.before for one in bench.update.fields]
