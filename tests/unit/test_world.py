from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date
from itertools import chain, islice, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.sandbox.world import MAX_CONTACTS, World, WorldContact, WorldTruth
from tests.support.worlds import (
    sample,
    stem,
)

DIGEST_SCRIPT = """
import hashlib, json, sys
from crm_sync.sandbox.world import World
world = World(seed=7, contacts=300)
digest = hashlib.sha256()
for part in (world.accounts(), world.colleagues(), world.contacts(), world.truth()):
    for item in part:
        digest.update(repr(item).encode())
for profile in world.profiles():
    digest.update(json.dumps(profile).encode())
print(digest.hexdigest())
"""


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


def test_the_same_seed_gives_the_same_world_in_every_process() -> None:
    digests = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", DIGEST_SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_another_seed_gives_other_people_and_other_companies() -> None:
    one, other = World(seed=1, contacts=200), World(seed=-1, contacts=200)
    assert {a.name for a in one.accounts()} != {a.name for a in other.accounts()}
    assert [c.last_name for c in one.contacts()] != [c.last_name for c in other.contacts()]


def test_a_stream_can_be_read_in_part_and_again(world: World, contacts: list[WorldContact]) -> None:
    assert list(islice(world.contacts(), 50)) == contacts[:50]
    assert [t.contact_id for t in world.truth()] == [c.id for c in contacts]


def test_what_happens_to_contacts_has_the_stated_frequencies(truths: list[WorldTruth]) -> None:
    share = {kind: n / len(truths) for kind, n in Counter(t.kind.value for t in truths).items()}
    assert share["moved"] == pytest.approx(0.12, abs=0.02)
    assert share["retitled"] == pytest.approx(0.07, abs=0.015)
    assert share["left"] == pytest.approx(0.02, abs=0.01)
    assert sum(share.values()) == pytest.approx(1)


def test_contacts_are_typed_with_the_gaps_and_noise_of_a_real_team(
    world: World, contacts: list[WorldContact]
) -> None:
    n = len(contacts)
    work = {account.id: account.domain for account in world.accounts()}
    at_work = sum(c.email.endswith("@" + work[c.account_id]) for c in contacts)
    assert sum(bool(c.linkedin_url) for c in contacts) / n == pytest.approx(0.55, abs=0.03)
    assert at_work / n == pytest.approx(0.75, abs=0.03)
    assert sum(bool(c.email) for c in contacts) / n == pytest.approx(0.82, abs=0.03)
    assert 0.02 < sum(not c.title for c in contacts) / n < 0.08
    assert 0.02 < sum(c.last_name.isupper() for c in contacts) / n < 0.15
    assert any(c.first_name in {"Bob", "Bill", "Mike"} for c in contacts)
    assert any("'" in c.last_name for c in contacts)
    assert any("-" in c.last_name for c in contacts)
    assert any(not c.phone and not c.mobile for c in contacts)
    names = Counter((c.first_name.casefold(), c.last_name.casefold()) for c in contacts)
    assert names.most_common(1)[0][1] > 1


def test_accounts_have_the_sizes_forms_and_families_of_a_real_market(
    world: World, contacts: list[WorldContact]
) -> None:
    accounts = {account.id: account for account in world.accounts()}
    sizes = sorted(Counter(c.account_id for c in contacts).values(), reverse=True)
    assert len(accounts) == 500
    assert sizes[0] > 5 * sizes[len(sizes) // 2]
    french = [a for a in accounts.values() if a.country == "France"]
    american = [a for a in accounts.values() if a.country == "United States"]
    assert len(french) + len(american) == len(accounts)
    assert min(len(french), len(american)) > 150
    assert any(a.name.endswith(" SAS") for a in french)
    assert any(a.name.endswith((" Inc", " LLC", " Corp")) for a in american)
    assert not any(re.search(r"\b(SAS|SARL)\b", a.name) for a in american)
    families: dict[str, list[str]] = {}
    for account in accounts.values():
        families.setdefault(stem(account.name), []).append(account.domain)
    assert sum(any("-france." in d for d in domains) for domains in families.values()) > 5
    assert sum(any("-us." in d for d in domains) for domains in families.values()) > 5


def test_french_accounts_mostly_belong_to_french_speakers(world: World) -> None:
    languages = {colleague.id: colleague.language for colleague in world.colleagues()}
    owners = Counter((a.country, languages[a.owner_id]) for a in world.accounts())
    assert owners["France", "fr"] > 5 * owners["France", "en"] > 0
    assert owners["United States", "en"] > 5 * owners["United States", "fr"] > 0
    assert 1 <= sum(not colleague.active for colleague in world.colleagues()) <= 2


def test_invented_companies_never_share_a_name_or_an_address() -> None:
    accounts = World(contacts=200_000).accounts()
    assert len({a.domain for a in accounts}) == len(accounts) == 16_667
    assert all(re.fullmatch(r"[a-z0-9-]+\.example", a.domain) for a in accounts)


def test_every_address_and_number_is_reserved_for_fiction(
    world: World, contacts: list[WorldContact], profiles: dict[str, dict[str, Any]]
) -> None:
    experience = chain.from_iterable(p["experience"] for p in profiles.values())
    emails = [c.email for c in contacts] + [c.email for c in world.colleagues()]
    emails += [p["work_email"] for p in profiles.values()]
    emails += chain.from_iterable(p["personal_emails"] for p in profiles.values())
    websites = [e["company"]["website"] for e in experience if e["company"]["website"]]
    for email in filter(None, emails):
        assert re.fullmatch(r"[a-z0-9.-]+@[a-z0-9-]+\.example", email)
    assert websites
    assert all(website.endswith(".example") for website in websites)
    numbers = [c.phone for c in contacts] + [c.mobile for c in contacts]
    numbers += [p["mobile_phone"] for p in profiles.values()]
    fiction = re.compile(r"(33|0)?(19900\d{4}|63998\d{4})|1?[2-9]\d{2}55501\d{2}")
    for number in filter(None, numbers):
        assert fiction.fullmatch(re.sub(r"\D", "", number)), number


def test_identifiers_tell_people_apart(
    contacts: list[WorldContact], profiles: dict[str, dict[str, Any]]
) -> None:
    slugs = [p["linkedin_url"] for p in profiles.values() if p["linkedin_url"]]
    typed = [c.linkedin_url.rstrip("/").rpartition("/")[2] for c in contacts if c.linkedin_url]
    assert len(set(slugs)) == len(slugs)
    assert len(set(typed)) == len(typed)
    assert len({c.id for c in contacts}) == len(contacts)


def test_references_between_contacts_accounts_and_colleagues_resolve(
    world: World, contacts: list[WorldContact]
) -> None:
    owners = {colleague.id for colleague in world.colleagues()}
    accounts = {account.id for account in world.accounts()}
    assert {a.owner_id for a in world.accounts()} <= owners
    assert {c.owner_id for c in contacts} <= owners
    assert {c.account_id for c in contacts} <= accounts


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(),
    contacts=st.integers(1, 40),
    start=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    days=st.integers(1, 1500),
)
def test_any_world_is_whole_and_its_dates_are_in_order(
    seed: int, contacts: int, start: date, days: int
) -> None:
    later = date.fromordinal(start.toordinal() + days)
    world = World(seed, contacts, start, later)
    assert len(world.accounts()) >= 3
    assert len(world.colleagues()) >= 12
    accounts = {account.id for account in world.accounts()}
    rows, truths = list(world.contacts()), list(world.truth())
    profiles = {p["id"]: p for p in world.profiles()}
    assert len(rows) == len(truths) == contacts
    for row in rows:
        assert row.account_id in accounts
        assert row.created_at.tzinfo is UTC
        assert row.created_at <= row.modified_at
        assert row.modified_at.date() < start
        assert row.created_at.year >= start.year - 5
        if row.last_activity:
            assert row.created_at.date() <= row.last_activity < start
    for truth in truths:
        assert truth.since <= later
        assert truth.profile_id is None or truth.profile_id in profiles
        assert truth.profile_id is not None or not truth.findable
    for profile in profiles.values():
        assert_dates_in_order(profile, later.isoformat())


def assert_dates_in_order(profile: dict[str, Any], later: str) -> None:
    assert json.loads(json.dumps(profile)) == profile
    assert profile["job_last_verified"] is None or profile["job_last_verified"] <= later
    experience = profile["experience"]
    assert experience
    assert sum(entry["is_primary"] for entry in experience) <= 1
    starts = [entry["start_date"] for entry in experience if entry["start_date"]]
    for newer, older in pairwise(starts):
        shared = min(len(newer), len(older))
        assert newer[:shared] >= older[:shared]
    for entry in experience:
        start, end = entry["start_date"], entry["end_date"]
        if end:
            assert end <= later
            assert not entry["is_primary"]
            assert start is None or (start < end if len(end) > 7 else start <= end)


def test_impossible_worlds_are_refused() -> None:
    with pytest.raises(ValueError, match="contacts"):
        World(contacts=0)
    with pytest.raises(ValueError, match="contacts"):
        World(contacts=MAX_CONTACTS + 1)
    with pytest.raises(ValueError, match="after"):
        World(start=date(2025, 6, 1), later=date(2025, 6, 1))
