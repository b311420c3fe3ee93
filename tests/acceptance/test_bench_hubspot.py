"""What the benchmark of HubSpot's limit counts; how long it takes on this machine is not asked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.project import ROOT

SCRIPT = ROOT / "bench" / "hubspot_limit.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_limit_is_used_and_kept_with_three_calls_for_each_batch() -> None:
    done = run("--contacts", "20000")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["contacts"] >= 20_000
    assert told["late_429s"] == 0
    assert 0.95 <= told["share_of_limit"] <= 1
    for kind in ("write", "reread", "verify"):
        assert told[f"{kind}_calls_ratio"] <= 1.05, kind
    assert told["baseline_429s"] > 0
    assert told["simulated_seconds"] > 20


@pytest.mark.slow
def test_a_run_that_is_too_short_to_tell_a_share_is_refused() -> None:
    done = run("--contacts", "1000", "--without-baseline")
    assert done.returncode == 1
    assert "too short" in done.stderr
