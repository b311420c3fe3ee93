"""HubSpot's own client for Node walks through the sandbox."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from crm_sync_hubspot.sandbox.portal import Settings
from tests.support.hubspot_http import running

NODE = Path(__file__).parents[1] / "support" / "node"
INSTALL = ("install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
SECONDS = 180


def cache() -> Path:
    """Where the client is kept between runs, outside of the checkout: one folder per version."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = hashlib.sha256((NODE / "package.json").read_bytes()).hexdigest()[:12]
    return Path(base) / "crm-sync-tests" / f"node-{version}"


def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=SECONDS, **options
    )


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the installed client; skips where there is none to be had."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    kept = cache()
    if not kept.exists():
        fresh = tmp_path_factory.mktemp("node")
        shutil.copy(NODE / "package.json", fresh)
        try:
            done = run([npm, *INSTALL], cwd=fresh)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm took longer than {SECONDS} seconds to install the client")
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            pytest.skip(f"npm cannot install the client: {reason}")
        keep(fresh, kept)
    return kept / "node_modules"


def keep(fresh: Path, kept: Path) -> None:
    """Move an installation to its place at once, whoever else does the same."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    beside = kept.parent / f"{kept.name}.{os.getpid()}"
    shutil.copytree(fresh, beside, symlinks=True)
    try:
        beside.rename(kept)
    except OSError:  # another run was quicker
        shutil.rmtree(beside)


@pytest.fixture(scope="module")
def seen(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the walk saw."""
    path = tmp_path_factory.mktemp("portal") / "portal.db"
    with running(path, Settings(index_delay=0)) as api:
        done = run(
            [str(shutil.which("node")), str(NODE / "walk.js")],
            env={**os.environ, "SANDBOX_URL": api.url, "NODE_PATH": str(modules)},
        )
    assert done.returncode == 0, done.stderr[-3_000:]
    return json.loads(done.stdout)


def test_it_lists_and_searches_in_pages(seen: Any) -> None:
    emails = ["ada@one.example", "bea@one.example", "cid@one.example"]
    assert sorted(seen["listed"]) == emails
    assert seen["searched"] == {"total": 3, "emails": emails[::-1]}


def test_it_updates_upserts_and_reads_batches(seen: Any) -> None:
    assert seen["titles"] == {
        "ada@one.example": 'Head of "Sales" 🙂',
        "bea@one.example": "Buyer",
        "dan@one.example": "Seller",
    }


def test_it_creates_a_task_with_its_association(seen: Any) -> None:
    assert seen["taskLeadsToContact"] == [True]
    assert seen["companyKinds"] == [279, 1]


def test_it_reads_what_surrounds_the_records(seen: Any) -> None:
    assert seen["owners"] == 0
    assert seen["knowsEmail"]
    assert seen["stages"][0] == "appointmentscheduled"
    assert seen["missing"] == 404
