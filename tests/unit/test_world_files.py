from __future__ import annotations

import csv
import json
import tracemalloc
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from crm_sync.errors import UsageError
from crm_sync.sandbox.world import World


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
