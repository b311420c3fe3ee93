"""A sandbox over HTTP, and a project folder beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_sync.shipped import shipped
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import CONGRESS, Crm, Project


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SalesforceSandbox]:
    opened = SalesforceSandbox.open(tmp_path / "sandbox.db")
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def make_project(sandbox: SalesforceSandbox, tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Build a project whose enrichment is the given file; more settings as YAML lines."""
    servers = []

    def make(profiles: Path, as_of: str, more: str = "") -> Project:
        server = sandbox.start()
        servers.append(server)
        folder = tmp_path / "project"
        folder.mkdir()
        shutil.copytree(shipped("mappings"), folder / "mappings")
        (folder / "config.yaml").write_text(
            "connections:\n"
            + sandbox.connection_block(server.url).rstrip()
            + "\n    playbooks: mappings/playbooks.yaml\n    enrichment: [vendor-file]\n"
            + more
            + "enrichment:\n  vendor-file:\n    source: file\n"
            + f"    path: {profiles}\n    mapping: mappings/people_data_labs.yaml\n"
            + f"    as_of: {as_of}\n",
            encoding="utf-8",
        )
        return Project(folder, Crm(server.url))

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def congress(sandbox: SalesforceSandbox, make_project: Callable[..., Project]) -> Project:
    """Real people: the CRM as of 2017, the vendor's file as of 2026."""
    if not CONGRESS.exists():
        pytest.skip("the real data (../shared/realdata) is not beside this checkout")
    sandbox.load(CONGRESS)
    return make_project(CONGRESS / "profiles.jsonl", "2026-06-15")
