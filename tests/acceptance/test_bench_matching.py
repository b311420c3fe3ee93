"""What the benchmarks of matching promise; how long they take on this machine is not asked."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.project import ROOT


def run(script: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / script), *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_febrl_4_is_linked_without_labels() -> None:
    told = run("febrl4.py")
    assert told["rows"] == 10_000
    assert told["f1"] >= 0.999
    assert told["f1"] == pytest.approx(
        2 * told["precision"] * told["recall"] / (told["precision"] + told["recall"]), abs=1e-4
    )
    assert told["baseline_f1"] < told["f1"]
