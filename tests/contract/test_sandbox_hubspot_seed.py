"""A synthetic world in the HubSpot sandbox, as clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_sync.errors import UsageError
from crm_sync.sandbox.registry import find_sandbox
from crm_sync.sandbox.world import World
from crm_sync.yamlfile import load_yaml
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.hubspot_http import DATED, Api, running

WORLD = World(seed=5, contacts=120)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("seeded") / "portal.db") as opened:
        opened.sandbox.seed(WORLD)
        yield opened


def listed(api: Api, kind: str, *properties: str, to: str = "") -> list[dict[str, Any]]:
    query: dict[str, Any] = {"limit": 100, "properties": ",".join(properties), "associations": to}
    found: list[dict[str, Any]] = []
    while True:
        page = api.ok("GET", f"/crm/objects/{DATED}/{kind}", params=query)
        found += page["results"]
        if "paging" not in page:
            return found
        query["after"] = page["paging"]["next"]["after"]


def test_contacts_stand_as_the_world_has_them(api: Api) -> None:
    names = ("external_id", "firstname", "lastname", "jobtitle", "company", "email", "zip")
    contacts = listed(api, "contacts", *names, "associatedcompanyid", to="companies")
    companies = {one["id"]: one for one in listed(api, "companies", "external_id", "name")}
    expected = {one.id: one for one in WORLD.contacts()}
    accounts = {one.id: one for one in WORLD.accounts()}
    assert len(contacts) == len(expected) == 120
    for record in contacts:
        held = record["properties"]
        wanted = expected.pop(held["external_id"])
        account = accounts[wanted.account_id]
        assert (held["firstname"] or "", held["lastname"]) == (wanted.first_name, wanted.last_name)
        assert (held["jobtitle"] or "", held["zip"] or "") == (wanted.title, wanted.postal_code)
        assert held["company"] == account.name
        company = companies[held["associatedcompanyid"]]["properties"]
        assert (company["external_id"], company["name"]) == (account.id, account.name)
        ends = record["associations"]["companies"]["results"]
        assert {one["id"] for one in ends} == {held["associatedcompanyid"]}
        assert {one["type"] for one in ends} >= {"contact_to_company"}  # the primary one
        updated = record["updatedAt"].replace("Z", "+00:00")
        assert wanted.modified_at.isoformat(timespec="seconds") == updated


def test_owners_keep_who_is_active(api: Api) -> None:
    colleagues = {one.email: one for one in WORLD.colleagues()}
    for archived in ("false", "true"):
        answer = api.ok("GET", f"/crm/owners/{DATED}", params={"archived": archived, "limit": 500})
        wanted = {one.email for one in colleagues.values() if one.active == (archived == "false")}
        assert {one["email"] for one in answer["results"]} == wanted


def test_an_address_stands_once(api: Api) -> None:
    addresses = [one["properties"]["email"] for one in listed(api, "contacts", "email")]
    given = [one for one in addresses if one]
    assert len(given) == len({one.casefold() for one in given})
    assert len(given) == len({one.email.casefold() for one in WORLD.contacts() if one.email})


def test_a_seeded_record_is_found_by_its_world_id(api: Api) -> None:
    assert HubSpotSandbox.world_id_field == "external_id"
    path = f"/crm/objects/{DATED}/contacts/c0000001"
    found = api.ok("GET", path, params={"idProperty": "external_id"})
    wanted = {"propertyName": "external_id", "operator": "EQ", "value": "c0000001"}
    assert api.found("contacts", wanted) == [found["id"]]


def test_a_world_is_seeded_once(tmp_path: Path) -> None:
    with running(tmp_path / "portal.db") as api:
        counts = api.sandbox.seed(WORLD)
        assert api.sandbox.counts()["contacts"] == counts["contacts"] == 120
        with pytest.raises(UsageError, match="seeded world already"):
            api.sandbox.seed(WORLD)
        assert api.sandbox.counts()["contacts"] == 120


def test_it_is_found_by_name_and_prints_a_block_that_the_connector_accepts(
    tmp_path: Path,
) -> None:
    kind = find_sandbox("hubspot")
    assert kind is HubSpotSandbox
    with kind.open(tmp_path / "portal.db") as sandbox:
        url = sandbox.start().url
        block = tmp_path / "config.yaml"
        block.write_text(f"connections:\n{sandbox.connection_block(url)}")
        entry = dict(load_yaml(block).data["connections"]["sandbox"])
        assert (entry.pop("connector"), entry.pop("mapping")) == (
            "hubspot",
            "mappings/hubspot.yaml",
        )
        config = HubSpotConfig.model_validate(entry)
        assert (str(config.base_url).rstrip("/"), config.index_delay) == (url, 3)
        assert requests.get(url, timeout=5).json()["vendor"] == "HubSpot"
