"""Learn the parameters that the package ships for sources too small to learn from.

    python bench/default_parameters.py [--contacts 20000] [--seed 1] [--write]

A synthetic world of a fixed seed is judged; what the probabilistic stage learnt from the people
known by their LinkedIn page is printed, and with `--write` put into the package. Frequencies of
names are left out: those of an invented world are no one's. Its few hundred last names make names
weigh less than in life, which is the careful side.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from crm_sync.enrichment.file import open_source
from crm_sync.matching.engine import Judgement, judge
from crm_sync.matching.probabilistic import Trained
from crm_sync.matching.probabilistic.trained import TrainedField
from crm_sync.matching.settings import MatchSettings
from crm_sync.matching.tail import PARAMETERS
from crm_sync.sandbox.world import World

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "crm_sync/matching/probabilistic/default_parameters.json"
PRIOR = 2.0**-20
"""One profile in a million: what a match by key starts from too."""

UNTIDY = 0.05
"""The share of values that agree no better than those of strangers."""


def contact_rows(world: World) -> list[dict[str, Any]]:
    """The world's contacts as the judgement takes them."""
    accounts = {one.id: one for one in world.accounts()}
    return [
        {
            "contact_id": one.id,
            "first_name": one.first_name or None,
            "last_name": one.last_name or None,
            "title": one.title or None,
            "email": one.email or None,
            "phone": one.phone or None,
            "mobile": one.mobile or None,
            "linkedin_url": one.linkedin_url or None,
            "city": one.city or None,
            "country": one.country or None,
            "organisation": accounts[one.account_id].name,
            "organisation_domain": accounts[one.account_id].domain or None,
            "changed_at": one.modified_at,
            "changed_basis": "record_date",
        }
        for one in world.contacts()
    ]


def judge_world(world: World, rows: list[dict[str, Any]], folder: Path) -> Judgement:
    """Judge contacts of a world against its vendor's delivery, written to `folder`."""
    path = folder / "world.jsonl"
    world.write_profiles(path)
    source = open_source(
        "vendor", path.name, ROOT / "mappings/people_data_labs.yaml", world.later, folder
    )
    now = datetime.combine(world.later, time(12), UTC)
    settings = MatchSettings(memory_mb=1000)
    return judge(pa.Table.from_pylist(rows), [source], now=now, settings=settings)


def learn(contacts: int, seed: int) -> Trained:
    """The parameters that a world of this seed teaches, without frequencies.

    Raises `SystemExit` if the world has too few people with a LinkedIn page.
    """
    world = World(seed=seed, contacts=contacts)
    with TemporaryDirectory() as folder:
        learned = judge_world(world, contact_rows(world), Path(folder)).learned
    document = learned.get((PARAMETERS, "vendor"))
    if document is None:
        raise SystemExit("Too few people with a LinkedIn page: give more --contacts.")
    found = Trained.from_json(document)
    return Trained(PRIOR, tuple(_untidy(one) for one in found.fields))


def _untidy(field: TrainedField) -> TrainedField:
    levels = (
        replace(one, m=float(f"{(1 - UNTIDY) * one.m + UNTIDY * one.u:.6g}"))
        for one in field.levels
    )
    return replace(field, levels=tuple(levels), frequencies={}, rare=None)


def main(arguments: list[str]) -> None:
    """Print the parameters, one level a line, and write them if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put them into the package")
    given = parser.parse_args(arguments)
    found = learn(given.contacts, given.seed)
    for one in found.fields:
        for level in one.levels:
            print(f"{one.name:10} {level.label:16} {level.m:<12} {level.u:<12} {level.weight:6.2f}")
    if given.write:
        text = json.dumps(json.loads(found.to_json()), indent=1, sort_keys=True)
        SHIPPED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
