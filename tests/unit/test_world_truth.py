from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from crm_sync.sandbox.world import World, WorldContact, WorldTruth
from crm_sync.sandbox.world_names import slug
from tests.support.worlds import (
    ROLES_BY_SPELLING,
    at,
    current,
    role_of,
    sample,
    stem,
)


@pytest.fixture
def world() -> World:
    return sample().world


@pytest.fixture
def contacts() -> list[WorldContact]:
    return sample().contacts


@pytest.fixture
def truths() -> list[WorldTruth]:
    return sample().truths


@pytest.fixture
def profiles() -> dict[str, dict[str, Any]]:
    return sample().profiles


def test_vendor_covers_most_contacts_and_many_strangers(
    truths: list[WorldTruth], profiles: dict[str, dict[str, Any]]
) -> None:
    own = {t.profile_id for t in truths if t.profile_id}
    assert own <= profiles.keys()
    assert len(own) / len(truths) == pytest.approx(0.85, abs=0.02)
    assert len(profiles) - len(own) == int(0.3 * len(truths))
    changed = [t for t in truths if t.kind.is_change and t.profile_id]
    assert 0.7 < sum(t.findable for t in changed) / len(changed) < 0.95


def test_truth_continues_what_the_crm_said(
    world: World, contacts: list[WorldContact], truths: list[WorldTruth]
) -> None:
    accounts = {account.id: account.name for account in world.accounts()}
    for contact, truth in zip(contacts, truths, strict=True):
        was_at, had = accounts[contact.account_id], role_of(contact.title)
        if truth.kind == "unchanged":
            assert truth.new_organisation == was_at
            assert had in (None, role_of(truth.new_title))
            assert truth.since < world.start
            continue
        assert world.start < truth.since <= world.later
        if truth.kind == "moved":
            assert stem(truth.new_organisation) != stem(was_at)
        elif truth.kind == "retitled":
            assert truth.new_organisation == was_at
            assert role_of(truth.new_title) not in (None, had)
        else:
            assert (truth.new_title, truth.new_organisation) == ("", "")


def test_moves_lead_to_accounts_and_to_companies_the_crm_does_not_have(
    world: World, truths: list[WorldTruth]
) -> None:
    known = {account.name for account in world.accounts()}
    destinations = [t.new_organisation in known for t in truths if t.kind == "moved"]
    assert 0.45 < sum(destinations) / len(destinations) < 0.75


def test_findable_truth_is_what_the_profile_says(
    world: World,
    contacts: list[WorldContact],
    truths: list[WorldTruth],
    profiles: dict[str, dict[str, Any]],
) -> None:
    accounts = {account.id: account.name for account in world.accounts()}
    told: Counter[str] = Counter()
    for contact, truth in zip(contacts, truths, strict=True):
        if not truth.findable or truth.profile_id is None:
            continue
        told[truth.kind] += 1
        profile, old = profiles[truth.profile_id], accounts[contact.account_id]
        now = current(profile, world.later)
        ended = [entry for entry in profile["experience"] if entry["end_date"]]
        verified = profile["job_last_verified"]
        if truth.kind == "left":
            assert not now
            assert profile["job_title"] is None
            assert truth.since.isoformat().startswith(ended[0]["end_date"])
            continue
        said = [
            entry
            for entry in now
            if at(entry, truth.new_organisation)
            and role_of(entry["title"]["name"]) == role_of(truth.new_title)
        ]
        assert said
        begun = [e["start_date"] for e in said]
        assert any(b is None or truth.since.isoformat().startswith(b) for b in begun)
        assert verified is None or verified >= max(world.start, truth.since).isoformat()
        if truth.kind == "moved":
            assert any(at(entry, old) for entry in ended)
            assert not any(at(entry, old) for entry in now)
    assert min(told[kind] for kind in ("unchanged", "retitled", "moved", "left")) > 50


def test_a_change_that_is_not_findable_is_missed_or_contradicted_by_the_profile(
    world: World,
    contacts: list[WorldContact],
    truths: list[WorldTruth],
    profiles: dict[str, dict[str, Any]],
) -> None:
    accounts = {account.id: account.name for account in world.accounts()}
    missed = contradicted = 0
    for contact, truth in zip(contacts, truths, strict=True):
        if truth.kind not in ("moved", "retitled") or truth.findable or not truth.profile_id:
            continue
        now = current(profiles[truth.profile_id], world.later)
        said = [
            entry
            for entry in now
            if at(entry, truth.new_organisation)
            and role_of(entry["title"]["name"]) == role_of(truth.new_title)
        ]
        if said:
            assert truth.kind == "moved"
            assert any(at(entry, accounts[contact.account_id]) for entry in now)
        missed += not said
        contradicted += bool(said)
    assert missed > 50
    assert contradicted > 5


def test_many_strangers_bear_the_name_of_a_contact() -> None:
    world = World(seed=8, contacts=400)
    own = {truth.profile_id for truth in world.truth()}
    names = {(slug(c.first_name), slug(c.last_name)) for c in world.contacts()}
    strangers = [p for p in world.profiles() if p["id"] not in own]
    namesakes = [p for p in strangers if (slug(p["first_name"]), slug(p["last_name"])) in names]
    assert 0.25 < len(namesakes) / len(strangers) < 0.6


def test_profiles_hold_the_traps_that_mislead_matching(
    world: World,
    contacts: list[WorldContact],
    truths: list[WorldTruth],
    profiles: dict[str, dict[str, Any]],
) -> None:
    own = {t.profile_id: c for t, c in zip(truths, contacts, strict=True)}
    accounts = {account.id: account.name for account in world.accounts()}
    strangers = [p for id_, p in profiles.items() if id_ not in own]
    by_email = {c.email: c for c in contacts if c.email}
    by_name: dict[tuple[str, str], list[WorldContact]] = {}
    for contact in contacts:
        by_name.setdefault((slug(contact.first_name), slug(contact.last_name)), []).append(contact)

    def namesakes(profile: dict[str, Any]) -> list[WorldContact]:
        return by_name.get((slug(profile["first_name"]), slug(profile["last_name"])), [])

    former = [
        p
        for p in strangers
        for c in namesakes(p)
        if any(e["end_date"] and at(e, accounts[c.account_id]) for e in p["experience"])
    ]
    before_the_record = [
        p
        for id_, p in profiles.items()
        if id_ in own and (p["job_last_verified"] or "9") < own[id_].created_at.date().isoformat()
    ]
    everybody = profiles.values()
    entries = [e for p in everybody for e in p["experience"]]
    assert len(former) > 45
    assert sum(p["work_email"] in by_email for p in strangers) > 50
    assert len(before_the_record) > 100
    assert sum(len(current(p, world.later)) > 1 for p in everybody) > 100
    assert sum((p["job_start_date"] or "") > world.later.isoformat() for p in everybody) > 0
    assert sum("board" in e["title"]["name"] for e in entries) > 20
    assert sum("(" in e["title"]["name"] for e in entries) > 100
    assert sum(e["company"]["name"].endswith((" inc", " group", " corp.")) for e in entries) > 100
    assert sum(e["start_date"] is None for e in entries) > 100


def test_no_spelling_of_a_title_means_two_roles() -> None:
    assert {s: roles for s, roles in ROLES_BY_SPELLING.items() if len(roles) > 1} == {}
