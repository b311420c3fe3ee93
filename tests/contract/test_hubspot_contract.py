from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from crm_sync.connector import Entity
from crm_sync.testing import ConnectorContract, Harness
from tests.support.hubspot_portal import VERSION, HubSpotHarness, Portal, a_portal


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with a_portal(tmp_path_factory.mktemp("hubspot")) as portal:
        yield portal


class TestHubSpot(ConnectorContract):
    @pytest.fixture
    def harness(self, portal: Portal) -> Iterator[Harness]:
        harness = HubSpotHarness(portal)
        yield harness
        harness.judge()


def test_what_hubspot_does_not_document_fails_the_suite(portal: Portal) -> None:
    harness = HubSpotHarness(portal)
    with closing(harness.connect()) as connector:
        harness.seed(["judged"])
        assert connector.find(Entity.CONTACT, "jobtitle", ["judged"]) == []
    assert {"token", "batch_create", "search"} <= harness.judge()
    body = {"inputs": [{"id": 1, "properties": {}}]}
    token = {"Authorization": "Bearer sandbox-token"}
    address = f"{portal.url}/crm/objects/{VERSION}/contacts/batch/update"
    requests.post(address, json=body, headers=token, timeout=10)
    with pytest.raises(AssertionError, match="should be str"):
        harness.judge()


def test_a_merge_that_keeps_the_primary_record_names_it_too(tmp_path: Path) -> None:
    with a_portal(tmp_path, merge_keeps_id=True) as portal:
        harness = HubSpotHarness(portal)
        with closing(harness.connect()) as connector:
            TestHubSpot().test_a_merged_record_names_its_survivor(harness, connector)
