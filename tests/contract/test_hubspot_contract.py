from __future__ import annotations

from collections.abc import Iterator

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
