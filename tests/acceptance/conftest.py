"""A sandbox over HTTP, and a project folder beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import CONGRESS, Project, write_project


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
        block = sandbox.connection_block(server.url)
        return write_project(tmp_path, block, server.url, profiles, as_of, more)

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
