from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crm_sync.testing import ConnectorContract, Harness
from tests.support.hubspot_portal import HubSpotHarness, Portal, a_portal


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with a_portal(tmp_path_factory.mktemp("hubspot")) as portal:
        yield portal


class TestHubSpot(ConnectorContract):
    @pytest.fixture
    def harness(self, portal: Portal) -> Harness:
        return HubSpotHarness(portal)


def test_a_merge_that_keeps_the_primary_record_names_it_too(tmp_path: Path) -> None:
    with a_portal(tmp_path, merge_keeps_id=True) as portal:
        harness = HubSpotHarness(portal)
        with closing(harness.connect()) as connector:
            TestHubSpot().test_a_merged_record_names_its_survivor(harness, connector)
