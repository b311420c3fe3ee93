"""Reading everything again: on demand, every so often, and what only it can tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_sync import pipeline, workspace
from crm_sync.model import Entity
from crm_sync.sandbox.world import World
from crm_sync.stages.pull import FEW_ERASED, Pulled
from crm_sync.stages.whole import Why
from crm_sync.store import records
from crm_sync.store.tables import cursor, record
from crm_sync.workspace import Workspace, open_workspace
from crm_sync_hubspot.connector import HubSpotConnector
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.hubspot_crm import (
    BY_ASSOCIATION,
    VERSION,
    PortalCrm,
    a_project,
    read_companies_by,
)
from tests.support.project import Project

NAME = "sandbox"
CONTACTS = f"/crm/objects/{VERSION}/contacts"
DAY = 86_400
ALL = {"colleague", "account", "contact"}


@dataclass(frozen=True)
class Portal:
    """A portal with a project that has read it once."""

    project: Project
    crm: PortalCrm

    @property
    def ids(self) -> list[str]:
        return sorted(self.crm.records("contacts"))

    def erase(self, id: str) -> None:
        self.crm.call("POST", f"{CONTACTS}/gdpr-delete", {"objectId": id})

    def archive(self, id: str) -> None:
        self.crm.call("DELETE", f"{CONTACTS}/{id}")

    def merge(self, one: str, other: str) -> str:
        body = {"primaryObjectId": one, "objectIdToMerge": other}
        return str(self.crm.call("POST", f"{CONTACTS}/merge", body)["id"])

    def later(self, seconds: float = 60) -> None:
        self.crm.control("clock", {"advance": seconds})

    def edit_mapping(self, old: str, new: str) -> None:
        path = self.project.folder / "mappings" / "hubspot.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    def open(self) -> Any:
        return open_workspace(self.project.folder / "config.yaml")

    def pull(self, **more: Any) -> Pulled:
        with self.open() as opened:
            return pipeline.pull(opened, NAME, **more)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    world = World(seed=5, contacts=230)
    world.write_profiles(tmp_path / "profiles.jsonl")
    with HubSpotSandbox.open(tmp_path / "portal.db") as sandbox:
        sandbox.seed(world)
        profiles = tmp_path / "profiles.jsonl"
        with a_project(tmp_path, sandbox, profiles, world.later.isoformat()) as (project, crm):
            yield Portal(project, crm)


def reasons(pulled: Pulled) -> dict[str, Why]:
    return {one.entity.value: one.why for one in pulled.whole}


def copy_of(opened: Workspace, id: str) -> tuple[bool, str | None, dict[str, Any]]:
    """Whether our copy is gone, its survivor, and its fields."""
    with opened.store.read() as tx:
        row = tx.execute(select(record).where(record.c.id == id)).one()
    return row.gone_at is not None, row.survivor, json.loads(row.fields)


def test_what_no_page_tells_is_forgotten_and_what_is_told_is_kept(portal: Portal) -> None:
    assert reasons(portal.pull()) == dict.fromkeys(ALL, Why.FIRST)
    erased, archived, first, second, *_ = portal.ids
    portal.erase(erased)
    portal.archive(archived)
    merged = portal.merge(first, second)
    portal.later(DAY)  # longer than any pull goes back by itself
    assert reasons(portal.pull(full=True)) == dict.fromkeys(ALL, Why.ASKED)
    with portal.open() as opened:
        assert copy_of(opened, erased) == (True, None, {})
        gone, _, fields = copy_of(opened, archived)
        assert gone
        assert fields["lastname"]
        for old in (first, second):
            gone, survivor, fields = copy_of(opened, old)
            assert (gone, survivor) == (True, merged)
            assert fields["lastname"]
        assert not copy_of(opened, merged)[0]


def test_one_that_left_the_filter_without_an_edit_is_not_taken_for_erased(portal: Portal) -> None:
    portal.pull()
    erased, outside, *_ = portal.ids
    portal.erase(erased)
    portal.later()
    portal.edit_mapping(
        '  # where: "lifecyclestage IN (customer, opportunity)"',
        f'  where: "hs_object_id NEQ {outside}"',
    )
    assert reasons(portal.pull()) == {"contact": Why.OTHER}
    with portal.open() as opened:
        gone, _, fields = copy_of(opened, outside)
        assert gone
        assert fields["lastname"]
        assert copy_of(opened, erased) == (True, None, {})


def test_a_merge_before_the_mapping_was_changed_is_told_all_the_same(portal: Portal) -> None:
    portal.pull()
    first, second, archived, *_ = portal.ids
    merged = portal.merge(first, second)
    portal.archive(archived)
    # Archived in its turn, the merged record is in no list that a whole pull reads.
    portal.archive(merged)
    portal.later(DAY)
    portal.edit_mapping("    country: country\n", "")
    assert reasons(portal.pull()) == {"contact": Why.OTHER}
    with portal.open() as opened:
        for old in (first, second):
            gone, survivor, fields = copy_of(opened, old)
            assert (gone, survivor) == (True, merged)
            assert fields["lastname"]
        gone, _, fields = copy_of(opened, archived)
        assert gone
        assert fields["lastname"]


def test_an_answer_that_leaves_everything_out_makes_nothing_gone(portal: Portal) -> None:
    portal.pull()
    nothing = {"fault": "status", "status": 200, "body": {"results": []}}
    match = {"method": "GET", "path": f"^{CONTACTS}\\?.*archived=false"}
    portal.crm.control("faults", [{**nothing, "match": match}])
    portal.later()
    assert reasons(portal.pull(full=True)) == dict.fromkeys(ALL, Why.ASKED)
    with portal.open() as opened:
        for id in portal.ids:
            gone, _, fields = copy_of(opened, id)
            assert not gone
            assert fields["lastname"]


def test_very_many_that_are_absent_are_gone_and_not_forgotten(portal: Portal) -> None:
    portal.pull()
    erased = portal.ids[: FEW_ERASED + 1]
    for id in erased:
        portal.erase(id)
    portal.later()
    portal.pull(full=True)
    with portal.open() as opened:
        for id in erased:
            gone, _, fields = copy_of(opened, id)
            assert gone
            assert fields["lastname"]


def test_a_company_that_alone_was_changed_is_seen(portal: Portal) -> None:
    read_companies_by(portal.project, BY_ASSOCIATION)
    portal.pull()
    contact = portal.ids[0]
    held = portal.crm.linked("contacts", [contact], "companies")[contact]
    company = next(one for one in sorted(portal.crm.records("companies")) if one not in held)
    path = f"/crm/associations/{VERSION}/contacts/companies/batch/create"
    link = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}
    rows = [{"from": {"id": contact}, "to": {"id": company}, "types": [link]}]
    portal.crm.call("POST", path, {"inputs": rows})
    portal.later()
    portal.pull()
    with portal.open() as opened:
        assert copy_of(opened, contact)[2][BY_ASSOCIATION] != company
    portal.pull(full=True)
    with portal.open() as opened:
        assert copy_of(opened, contact)[2][BY_ASSOCIATION] == company


def test_everything_is_read_again_after_so_many_days_by_itself(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = workspace.utc_now()
    now = began
    monkeypatch.setattr(pipeline, "utc_now", lambda: now)
    portal.pull()
    now = began + timedelta(days=6)
    assert reasons(portal.pull()) == {}
    now = began + timedelta(days=7)
    with portal.open() as opened:
        outcome = pipeline.plan(opened, NAME)
        assert {one.entity.value: one.why for one in outcome.whole} == dict.fromkeys(ALL, Why.DUE)
        assert f"{began:%Y-%m-%d}" in outcome.whole[0].reason
    assert reasons(portal.pull()) == {}

    config = portal.project.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    named = "    playbooks: mappings/playbooks.yaml\n"
    config.write_text(text.replace(named, named + "    full_pull_days: 0\n"), encoding="utf-8")
    now = began + timedelta(days=300)
    assert reasons(portal.pull()) == {}


class Cut(Exception):
    pass


def test_an_interrupted_one_goes_on_as_the_same_one(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal.pull()
    portal.erase(portal.ids[-1])
    pull = HubSpotConnector.pull

    def cut_off(self: HubSpotConnector, entity: Entity, *names: Any, **more: Any) -> Any:
        for number, page in enumerate(pull(self, entity, *names, **more), start=1):
            yield page
            if entity is Entity.CONTACT and number == 2:
                raise Cut

    monkeypatch.setattr(HubSpotConnector, "pull", cut_off)
    with pytest.raises(Cut):
        portal.pull(full=True)
    monkeypatch.setattr(HubSpotConnector, "pull", pull)
    with portal.open() as opened, opened.store.read() as tx:
        halfway = tx.execute(select(cursor).where(cursor.c.entity == "contact")).one()
        assert records.count(tx, NAME, Entity.CONTACT) == 230
    assert halfway.whole_since is not None
    assert not halfway.complete

    rest = portal.pull()
    assert reasons(rest) == {"contact": Why.RESUMED}
    with portal.open() as opened, opened.store.read() as tx:
        done = tx.execute(select(cursor).where(cursor.c.entity == "contact")).one()
        assert records.count(tx, NAME, Entity.CONTACT) == 229
    assert (done.whole_at, done.whole_since) == (halfway.whole_since, None)


def test_a_position_that_cannot_be_gone_on_from_costs_a_whole_pull_and_no_more(
    portal: Portal,
) -> None:
    portal.pull()
    with portal.open() as opened, opened.store.begin() as tx:
        tx.execute(cursor.update().where(cursor.c.entity == "contact").values(cursor="torn"))
    assert reasons(portal.pull()) == {"contact": Why.LOST}
    assert reasons(portal.pull()) == {}


def test_it_is_said_on_screen_what_was_read_as_a_whole_and_why(portal: Portal) -> None:
    project = portal.project
    told = project.call("pull").stdout
    assert "Read as a whole: colleagues, accounts, contacts (for the first time).\n" in told
    assert "Read as a whole" not in project.call("pull").stdout
    assert {one["why"] for one in project.data("pull", "--full")["whole"]} == {"asked"}
    assert "(--full)" in project.call("plan", "--full").stdout
    assert "(--full)" in project.call("run", "--full").stdout
    assert project.data("plan")["whole"] == []
