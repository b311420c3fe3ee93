"""A first full `plan` of N contacts against a sandbox: seconds and peak memory.

The sandbox runs in a process of its own and is not counted. The vendor file is the synthetic
world's, one year later. For comparison the same contacts are first pulled with simple-salesforce's
own `query_all_iter`, which stores, compares and plans nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm_sync.sandbox.world import World
from crm_sync.shipped import shipped

CRM_SYNC = Path(sys.executable).with_name("crm-sync")
CONFIG = """\
database: sqlite:///crm-sync.db
connections:
{block}
    playbooks: mappings/playbooks.yaml
    enrichment: [vendor-file]
enrichment:
  vendor-file:
    source: file
    path: profiles.jsonl
    mapping: mappings/people_data_labs.yaml
    as_of: {as_of}
"""
BASELINE = """
import sys, requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

class Plain(HTTPAdapter):
    def send(self, request, **more):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **more)

host = sys.argv[1].removeprefix("http://")
session = requests.Session()
session.mount("https://" + host, Plain())
token = requests.post(sys.argv[1] + "/services/oauth2/token", data={
    "grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench"}).json()
crm = Salesforce(instance=host, session_id=token["access_token"], session=session)
fields = ("Id, FirstName, LastName, Title, Email, Phone, MobilePhone, LinkedIn_URL__c, MailingCity,"
          " MailingCountry, AccountId, OwnerId, LastActivityDate, CreatedDate, LastModifiedDate")
print(sum(1 for _ in crm.query_all_iter(f"SELECT {fields} FROM Contact")))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crm-sync-bench-") as folder:
        print(json.dumps(measure(Path(folder), arguments.contacts, arguments.seed)))


def measure(folder: Path, contacts: int, seed: int) -> dict[str, float]:
    world = World(seed=seed, contacts=contacts)
    profiles = world.write_profiles(folder / "profiles.jsonl")
    print(f"{contacts:,} contacts, {profiles:,} profiles")
    shutil.copytree(shipped("mappings"), folder / "mappings")
    with sandbox(contacts, seed) as (url, block):
        text = CONFIG.format(block=block, as_of=world.later)
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        baseline, _, _ = timed([sys.executable, "-c", BASELINE, url], folder)
        print(f"query_all_iter alone:  {baseline:6.1f} s")
        seconds, peak, _ = timed([str(CRM_SYNC), "plan"], folder)
        print(f"first full plan:       {seconds:6.1f} s, peak {peak:,.0f} MB")
        again, peak_again, _ = timed([str(CRM_SYNC), "plan"], folder)
        print(f"plan, nothing new:     {again:6.1f} s, peak {peak_again:,.0f} MB")
    return {
        "contacts": contacts,
        "seconds": round(seconds, 1),
        "peak_rss_mb": round(peak),
        "second_seconds": round(again, 1),
        "query_all_iter_seconds": round(baseline, 1),
        "ratio_to_query_all_iter": round(seconds / baseline, 2),
    }


@contextmanager
def sandbox(contacts: int, seed: int) -> Iterator[tuple[str, str]]:
    """A seeded sandbox in a process of its own: its address and connection block."""
    command = [str(CRM_SYNC), "sandbox", "salesforce", "--port", "0",
               "--contacts", str(contacts), "--seed", str(seed)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        assert process.stdout is not None
        url, block = "", []
        for line in process.stdout:
            if line.startswith("Serving on"):
                url = line.split()[2]
            elif line.startswith("  "):
                block.append(line)
            elif block:
                break
            if "mapping:" in line:
                break
        yield url, "".join(block)
    finally:
        process.terminate()
        process.wait()


def timed(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Seconds, peak resident megabytes and output of a command; stops if it fails."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}:\n{output}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024, output


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}


if __name__ == "__main__":
    main()
