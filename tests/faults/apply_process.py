"""Applies one stored plan against a sandbox, as a process that can be killed.

Arguments: the database, the sandbox's address, the plan.
"""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from crm_sync.applying.apply import ApplyReport, apply_plan
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.steady import Steady
from crm_sync.mapping import load_mapping
from crm_sync.store import plans, runs
from crm_sync.store.database import Store
from tests.faults.apply_crm import MAPPING
from tests.support.salesforce_org import Org

SETTLE = 0.6


def now() -> datetime:
    return datetime.now(UTC)


def apply_over_http(store: Store, url: str, plan_id: int) -> ApplyReport:
    with store.begin() as tx:
        plan = plans.load_plan(tx, plan_id)
        run_id = runs.start_run(tx, plan.connection, "apply", now(), plan_id)
    with closing(Org(url).connect(settle_seconds=SETTLE, late_seconds=SETTLE)) as connector:
        crm = Steady(connector, floor=QuotaFloor(0))
        return apply_plan(store, crm, plan, load_mapping(MAPPING), run_id=run_id, now=now)


def main() -> None:
    store = Store.open(Path(sys.argv[1]))
    report = apply_over_http(store, sys.argv[2], int(sys.argv[3]))
    store.close()
    sys.exit(0 if report.complete else 4)


if __name__ == "__main__":
    main()
