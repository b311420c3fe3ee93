"""A Salesforce sandbox over HTTP, with a connector on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.salesforce_org import Org


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox.open(tmp_path / "org.db") as sandbox:
        yield sandbox


@pytest.fixture
def org(sandbox: SalesforceSandbox) -> Org:
    return Org(sandbox.start().url)


@pytest.fixture
def crm(org: Org) -> Iterator[SalesforceConnector]:
    with closing(org.connect()) as connector:
        yield connector
