from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import UTC, date
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.errors import UsageError
from crm_sync.sandbox import world_titles as titles
from crm_sync.sandbox.world import MAX_CONTACTS, World, WorldContact, WorldTruth
from crm_sync.sandbox.world_names import Country, Gender, slug

LEGAL_FORMS = {"SAS", "SA", "SARL", "Inc", "Inc.", "LLC", "Corp", "Corp."}
KINDS: tuple[tuple[Country, Gender], ...] = (("FR", "f"), ("FR", "m"), ("US", "f"), ("US", "m"))

ROLES_BY_SPELLING: dict[str, set[titles.Role]] = {}
for _country, _gender in KINDS:
    for _function in range(titles.GENERAL + 1):
        for _level in titles.levels(_country, _function):
            _role = titles.Role(_function, _level)
            for _spelling in titles.spellings(_role, _country, _gender):
                ROLES_BY_SPELLING.setdefault(_spelling.casefold(), set()).add(_role)

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


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=3, contacts=6000)


@pytest.fixture(scope="module")
def contacts(world: World) -> list[WorldContact]:
    return list(world.contacts())


@pytest.fixture(scope="module")
def truths(world: World) -> list[WorldTruth]:
    return list(world.truth())


@pytest.fixture(scope="module")
def profiles(world: World) -> dict[str, dict[str, Any]]:
    return {profile["id"]: profile for profile in world.profiles()}


def stem(organisation: str) -> str:
    """The invented word that a company's name is built on."""
    return next(word for word in organisation.replace(",", "").split() if word not in LEGAL_FORMS)


def role_of(title: str) -> titles.Role | None:
    found = ROLES_BY_SPELLING.get(re.sub(r" \(.*\)$", "", title).casefold())
    return min(found) if found else None


def at(entry: dict[str, Any], organisation: str) -> bool:
    return stem(organisation).casefold() in entry["company"]["name"]


def current(profile: dict[str, Any], later: date) -> list[dict[str, Any]]:
    return [
        entry
        for entry in profile["experience"]
        if entry["end_date"] is None and (entry["start_date"] or "") <= later.isoformat()
    ]


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


def test_vendor_covers_most_contacts_and_many_strangers(
    truths: list[WorldTruth], profiles: dict[str, dict[str, Any]]
) -> None:
    own = {t.profile_id for t in truths if t.profile_id}
    assert own <= profiles.keys()
    assert len(own) / len(truths) == pytest.approx(0.85, abs=0.02)
    assert len(profiles) - len(own) == int(0.3 * len(truths))
    changed = [t for t in truths if t.kind.is_change and t.profile_id]
    assert 0.7 < sum(t.findable for t in changed) / len(changed) < 0.95


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


def test_no_spelling_of_a_title_means_two_roles() -> None:
    assert {s: roles for s, roles in ROLES_BY_SPELLING.items() if len(roles) > 1} == {}


@pytest.mark.parametrize(
    ("contacts", "profiles"),
    [(20_000, 5_000), pytest.param(200_000, 200_000, marks=pytest.mark.slow)],
)
def test_reading_a_large_world_takes_no_memory(contacts: int, profiles: int) -> None:
    world = World(contacts=200_000)
    assert next(world.contacts()).id == next(world.truth()).contact_id  # founds the companies
    tracemalloc.start()
    try:
        read = sum(1 for _ in islice(world.contacts(), contacts))
        read += sum(1 for _ in islice(world.profiles(), profiles))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == contacts + profiles
    assert peak < 4_000_000


def test_companies_of_a_large_world_fit_into_little_memory() -> None:
    tracemalloc.start()
    try:
        world = World(contacts=200_000)
        next(world.contacts())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


def test_files_hold_what_the_world_says(tmp_path: Path) -> None:
    world = World(seed=5, contacts=120)
    assert world.write_profiles(tmp_path / "profiles.jsonl") == len(list(world.profiles()))
    lines = (tmp_path / "profiles.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == list(world.profiles())
    assert world.write_truth_csv(tmp_path / "truth.csv") == 120
    with (tmp_path / "truth.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row, truth in zip(rows, world.truth(), strict=True):
        assert row["contact_id"] == truth.contact_id
        assert row["kind"] == truth.kind
        assert (row["new_title"], row["new_organisation"]) == (
            truth.new_title,
            truth.new_organisation,
        )
        assert date.fromisoformat(row["since"]) == truth.since
        assert (row["profile_id"] or None) == truth.profile_id
        assert row["findable"] == ("true" if truth.findable else "false")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    target = tmp_path / "absent" / "profiles.jsonl"
    with pytest.raises(UsageError) as raised:
        World(contacts=1).write_profiles(target)
    assert raised.value.place == str(target)
    assert raised.value.fix


def test_impossible_worlds_are_refused() -> None:
    with pytest.raises(ValueError, match="contacts"):
        World(contacts=0)
    with pytest.raises(ValueError, match="contacts"):
        World(contacts=MAX_CONTACTS + 1)
    with pytest.raises(ValueError, match="after"):
        World(start=date(2025, 6, 1), later=date(2025, 6, 1))
