"""A write-back of N contacts to a HubSpot sandbox that allows 190 calls in 10 seconds.

Sandbox, connector and apply run in one process on one simulated clock: waiting for the limit and
the latency of calls pass in no real time. Planning and apply are the real ones, with the shipped
mapping, a real SQLite store and HTTP on loopback. One call is made at a time, so that with slow
answers (`--latency 0.25`) these and not the limit set the pace. For comparison the same contacts
are written with hubspot-api-client's own batch class and the `Retry` of its README, which checks,
journals and verifies nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from crm_sync.applying.apply import apply_plan
from crm_sync.calls.quota import QuotaFloor
from crm_sync.calls.steady import Steady
from crm_sync.config import Guards
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.mapping import load_mapping
from crm_sync.model import Band, Entity, JobChange, JobChangeKind, Mode, Plan, Position, Record
from crm_sync.planning.build import build_plan
from crm_sync.planning.inputs import ContactState, PlanInputs
from crm_sync.planning.playbooks import load_playbooks
from crm_sync.sandbox.http import Request, Response
from crm_sync.sandbox.world import World
from crm_sync.shipped import shipped
from crm_sync.store import plans, runs
from crm_sync.store.database import Store
from crm_sync_hubspot.client import HubSpotClient
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.connector import HubSpotConnector
from crm_sync_hubspot.sandbox import HubSpotSandbox

LIMIT, WINDOW = 190, 10.0
FIRST_SECOND = 1.0
WINDOWS_AT_LEAST = 2
START = datetime(2026, 6, 16, 9, 0, tzinfo=UTC)
BATCH = 100


class SimulatedClock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = Lock()

    def __call__(self) -> float:
        """The seconds that have passed."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        with self._lock:
            self.seconds += seconds

    def now(self) -> datetime:
        """The date and time for sandbox and apply."""
        return START + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the sandbox saw it; `at` in simulated seconds."""

    at: float
    kind: str
    status: int


class Portal:
    """A sandbox whose calls take simulated time and are written down."""

    def __init__(self, folder: Path, clock: SimulatedClock, latency: float) -> None:
        self.clock = clock
        self.latency = latency
        self.log: list[Call] = []
        self.sandbox = HubSpotSandbox.open(folder / "portal.db", clock=clock.now)
        answer = self.sandbox.respond

        def respond(request: Request) -> Response | None:
            clock.sleep(self.latency / 2)
            at = clock()
            response = answer(request)
            status = response.status if response is not None else 0
            self.log.append(Call(at, request.path.rpartition("/crm/")[2], status))
            clock.sleep(self.latency / 2)
            return response

        self.sandbox.respond = respond  # type: ignore[method-assign]
        self.url = self.sandbox.start().url

    def forget(self) -> float:
        """Let the limit's window pass and begin a new log; the time from which it counts."""
        self.clock.sleep(2 * WINDOW)
        self.log.clear()
        return self.clock()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--latency", type=float, default=0.02, help="simulated seconds of one call (default 0.02)"
    )
    parser.add_argument(
        "--without-baseline", action="store_true", help="leave the vendor's client out"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crm-sync-bench-") as folder:
        measured = measure(
            Path(folder),
            arguments.contacts,
            arguments.seed,
            latency=arguments.latency,
            compared=not arguments.without_baseline,
        )
    print(json.dumps(measured))


def measure(
    folder: Path, contacts: int, seed: int, *, latency: float, compared: bool
) -> dict[str, float]:
    clock = SimulatedClock()
    portal = Portal(folder, clock, latency)
    portal.sandbox.seed(World(seed=seed, contacts=contacts))
    auth = {"flow": "token", "access_token": "sandbox-token"}
    config = HubSpotConfig.model_validate({"base_url": portal.url, "auth": auth})
    client = HubSpotClient(config, clock=clock, sleep=clock.sleep)
    crm = Steady(HubSpotConnector(config, client), floor=QuotaFloor(0), sleep=clock.sleep)
    mapping = load_mapping(shipped("mappings") / "hubspot.yaml")
    fields = mapping.pulled_fields(Entity.CONTACT)
    records = [
        record for page in crm.pull(Entity.CONTACT, fields, cursor=None) for record in page.records
    ]
    rows = len(records)
    print(f"{rows:,} contacts; {LIMIT} calls in {WINDOW:.0f} s; a call takes {latency} s")
    beside = baseline(portal, records) if compared else {}
    plan = retitling(records, mapping, clock.now())

    began_at, began = portal.forget(), time.perf_counter()
    applied(folder, crm, clock, plan, mapping)
    seconds = time.perf_counter() - began
    lasted = clock() - began_at
    log = [replace(one, at=one.at - began_at) for one in portal.log]
    portal.sandbox.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    share = share_of_limit(log, lasted)
    late = sum(one.status == 429 and one.at > FIRST_SECOND for one in log)
    print(
        f"apply:                 {lasted:6.1f} s simulated, {seconds:.1f} s real, {len(log)} calls"
    )
    print(f"share of the limit:    {share:6.1%}, {late} refused after the first second")
    return {
        "contacts": rows,
        "latency": latency,
        "share_of_limit": round(share, 3),
        "late_429s": late,
        "calls_per_10_s": round(len(log) / lasted * WINDOW, 1),
        **ratios(log, rows),
        "simulated_seconds": round(lasted, 1),
        "seconds": round(seconds, 1),
        "peak_rss_mb": round(peak),
        **beside,
    }


def retitling(records: Sequence[Record], mapping: CrmMapping, now: datetime) -> Plan:
    """What planning makes of the claim that everybody has another title, with nothing to guard."""
    claims = [
        JobChange(
            contact_id=record.id,
            kind=JobChangeKind.RETITLED,
            confidence=0.97,
            band=Band.AUTO,
            before=Position(str(record.fields["jobtitle"] or "")),
            after=Position(f"{record.fields['jobtitle'] or 'Staff'} (verified)"),
            as_of=now.date(),
            source="bench",
        )
        for record in records
    ]
    inputs = PlanInputs(
        connection="bench",
        mapping=mapping,
        playbooks=load_playbooks(shipped("mappings") / "playbooks.yaml"),
        mode=Mode.REVIEW,
        guards=Guards(max_share_changed=1, max_contacts_changed=len(records)),
        now=now,
        job_changes=claims,
        contacts={one.id: ContactState(mapping.canonical(one), one.fields) for one in records},
        contacts_total=len(records),
    )
    plan = build_plan(inputs)
    if not all(change.watched for change in plan.changes):
        raise SystemExit("changes are planned that watch nothing: this is no real write-back")
    return plan


def applied(
    folder: Path, crm: Steady, clock: SimulatedClock, plan: Plan, mapping: CrmMapping
) -> None:
    """Apply the plan; stops if a row is left out."""
    store = Store.open(folder / "crm-sync.db")
    with store.begin() as tx:
        plan = plans.save_plan(tx, plan)
        run_id = runs.start_run(tx, "bench", "apply", clock.now(), plan.id)
    report = apply_plan(store, crm, plan, mapping, run_id=run_id, now=clock.now, sleep=clock.sleep)
    store.close()
    done = Counter({state.value: count for state, count in report.counts.items()})
    if done != {"done": len(plan.changes)}:
        raise SystemExit(f"not every contact was written: {dict(done)}")


def share_of_limit(log: Sequence[Call], lasted: float) -> float:
    """Calls made per calls that the limit allows, in whole windows after the first second.

    In n windows' time on end a rolling window lets n times its calls through, whenever they begin:
    neither more, nor, for who asks in time, fewer. How long calls take is left out of account.
    What comes after the last whole window is not counted: there the work comes to its end.
    """
    windows = int((lasted - FIRST_SECOND) // WINDOW)
    if windows < WINDOWS_AT_LEAST:
        raise SystemExit(
            f"{lasted:.1f} s are too short to tell a share of the limit: "
            f"give more contacts, so that it takes {WINDOWS_AT_LEAST} windows of {WINDOW:.0f} s"
        )
    end = FIRST_SECOND + windows * WINDOW
    made = sum(FIRST_SECOND < one.at <= end and one.status != 429 for one in log)
    return made / (windows * LIMIT)


def ratios(log: Sequence[Call], rows: int) -> dict[str, float]:
    """Calls per batch of 100: of writing, of reading before it, and of reading back after it."""
    counted: Counter[str] = Counter()
    after_write = False
    for one in log:
        if one.kind.endswith("batch/update"):
            counted["write"] += 1
            after_write = True
        elif one.kind.endswith("batch/read"):
            counted["verify" if after_write else "reread"] += 1
            after_write = False
    batches = -(-rows // BATCH)
    return {
        f"{kind}_calls_ratio": round(counted[kind] / batches, 3)
        for kind in ("write", "reread", "verify")
    }


def baseline(portal: Portal, records: Sequence[Record]) -> Mapping[str, int]:
    """The vendor's client writes every contact; how many it could not, and how many 429s."""
    from hubspot import HubSpot
    from hubspot.crm.contacts import BatchInputSimplePublicObjectBatchInput, exceptions
    from urllib3.util.retry import Retry

    retry = Retry(total=5, status_forcelist=(429,))
    api = HubSpot(
        access_token="sandbox-token", host=portal.url, base_url=portal.url, retry=retry
    ).crm.contacts.batch_api
    portal.forget()
    lost = 0
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        inputs = [
            {"id": one.id, "properties": {"jobtitle": one.fields["jobtitle"] or ""}}
            for one in batch
        ]
        body = BatchInputSimplePublicObjectBatchInput(inputs=inputs)
        try:
            api.update(body)
        except exceptions.ApiException:
            lost += len(batch)
    refused = sum(one.status == 429 for one in portal.log)
    print(f"batch_api with Retry:  {refused:6,} calls refused, {lost:,} contacts not written")
    return {"baseline_429s": refused, "baseline_rows_lost": lost}


if __name__ == "__main__":
    main()
