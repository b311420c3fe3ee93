"""Automatic moves of simulated people with true careers: how many are right, how many are found.

The people and their employers, year on year, are those of `pseudopeople`'s sample of tax records
(`simulated_careers.py`). A CRM and a vendor have written them down with mistakes, at the shares
that `recorded_careers.py` states (`CRM`, `VENDOR`, `VENDOR_ERRS`, `NEW_NAMES`). Every second year
there is a delivery that holds everybody, and a CRM of its own; each person is a contact once, in
one of the CRMs.

A claim "moved to B" is right if the person did not work for the CRM's employer any more, neither on
the day as of which the claim was made nor when the contact was entered, and had worked for B since.
An employer's new name, or its buyer's, is no move. Right claims whose person was not with B any
more are counted as `overtaken` on the day of the claim, where the vendor was wrong, and as
`overtaken_since` on the day of the delivery, which the vendor could not know.

`auto_recall` and `review_recall` are shares of the moves that are visible: a profile of the person
lists the CRM's employer as ended and the present employer as present. `auto_recall_of_all` is the
share of all moves, those that no vendor could show among them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import delivered_careers
import recorded_careers
from naive_careers import naive_moves
from recorded_careers import Contact, Delivery, World, letters_and_digits
from simulated_careers import populate

from crm_sync.shipped import shipped

YEARS_BETWEEN = 2
SHOWN = 10


@dataclass(frozen=True)
class Claim:
    """A move that was claimed of a contact, and whether it is right."""

    contact: Contact
    band: str
    to: str
    as_of: date
    rule: str
    right: bool
    overtaken: bool
    overtaken_since: bool
    profile: str
    evidence: str


@dataclass(frozen=True)
class Truth:
    """Whether a contact moved by the day of the delivery, and whether a profile shows it."""

    moved: bool
    visible: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=float, default=0.6, help="contacts with a LinkedIn page")
    parser.add_argument("--mistakes", type=float, default=1.0, help="times the vendor's mistakes")
    parser.add_argument("--deliveries", type=int, help="judge only so many of them")
    parser.add_argument("--contacts", type=int, help="contacts of each CRM, at most")
    arguments = parser.parse_args()
    if importlib.util.find_spec("pseudopeople") is None:
        sys.exit("pseudopeople is not installed: pip install -c constraints.txt '.[bench]'")
    began = time.perf_counter()
    population = populate(arguments.seed)
    world = recorded_careers.make_world(population, arguments.seed, arguments.mistakes)
    print(f"{len(population.people):,} people, {time.perf_counter() - began:.0f} s")
    told = measure(world, arguments.pages, arguments.deliveries, arguments.contacts)
    print(json.dumps({"pages": arguments.pages, "mistakes": arguments.mistakes, **told}))


def measure(world: World, pages: float, deliveries: int | None, most: int | None) -> dict[str, Any]:
    """Judge one CRM after the other, and count."""
    claims: list[Claim] = []
    truths: list[Truth] = []
    naive: list[bool] = []
    for day, everybody in list(crms(world, pages).items())[:deliveries]:
        contacts = everybody[:most]
        delivery = delivered_careers.deliver(world, day)
        began = time.perf_counter()
        new = list(judged(world, contacts, delivery))
        seconds = time.perf_counter() - began
        claims += new
        truths += [truth(world, contact, delivery) for contact in contacts]
        naive += [is_right(world, contact, to, as_of)
                  for contact, to, as_of in naive_moves(contacts, delivery)]  # fmt: skip
        auto = [claim.right for claim in new if claim.band == "auto"]
        print(f"{day}: {len(contacts):,} contacts, {len(delivery.profiles):,} profiles, "
              f"{seconds:.1f} s; automatic: {len(auto)}, wrong: {auto.count(False)}")  # fmt: skip
    return report(claims, truths, naive)


def crms(world: World, pages: float) -> dict[date, list[Contact]]:
    """The contacts of each delivery; everybody is in one CRM, if employed at some of the days."""
    first, last = world.population.years
    days = [date(year, 6, 30) for year in range(first + 2, last + 1, YEARS_BETWEEN)]
    found: dict[date, list[Contact]] = {day: [] for day in days}
    for person in world.population.people.values():
        for day in world.chance("crm", person.id).sample(days, len(days)):
            contact = recorded_careers.enter(world, person, day, pages)
            if contact is not None:
                found[day].append(contact)
                break
    return found


def judged(world: World, contacts: Sequence[Contact], delivery: Delivery) -> Iterator[Claim]:
    """Judge a CRM by a delivery, as the pipeline does, and yield the moves that are claimed."""
    import pyarrow as pa

    from crm_sync.enrichment.file import open_source
    from crm_sync.matching.engine import judge

    by_id = {contact.row["contact_id"]: contact for contact in contacts}
    table = pa.Table.from_pylist([contact.row for contact in contacts])
    now = datetime.combine(delivery.day, datetime.min.time(), UTC)
    with tempfile.TemporaryDirectory(prefix="crm-sync-bench-") as folder:
        path = Path(folder) / "profiles.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in delivery.profiles)
        mapping = shipped("mappings") / "people_data_labs.yaml"
        source = open_source("vendor", path.name, mapping, delivery.day, Path(folder))
        judgement = judge(table, [source], now=now)
    for row in judgement.job_changes.to_pylist():
        if row["kind"] == "moved":
            contact = by_id[row["contact_id"]]
            as_of = date.fromisoformat(row["as_of"]) if row["as_of"] else delivery.day
            to = named(world, row["to_organisation"])
            yield Claim(
                contact,
                row["band"],
                row["to_organisation"],
                as_of,
                row["rule"],
                is_right(world, contact, row["to_organisation"], as_of),
                not to & world.employers(contact.person, as_of),
                not to & world.employers(contact.person, delivery.day),
                row["profile_id"],
                row["evidence"],
            )


def is_right(world: World, contact: Contact, to: str, as_of: date) -> bool:
    person = contact.person
    left = [as_of, max(as_of, contact.entered)]
    if any(contact.employer in world.employers(person, day) for day in left):
        return False
    began = min(s.start for s in person.spells if s.employer == contact.employer)
    since = {s.employer for s in person.spells if began <= s.start <= as_of}
    return bool(named(world, to) & (since | world.employers(person, as_of)) - {contact.employer})


def named(world: World, organisation: str) -> set[int]:
    """The employers that are written so."""
    return world.spellings.get(letters_and_digits(organisation), set())


def truth(world: World, contact: Contact, delivery: Delivery) -> Truth:
    now_at = world.employers(contact.person, delivery.day)
    moved = bool(now_at) and contact.employer not in now_at
    shown = (delivery.listed.get(f"{contact.person.id}-{copy}", ()) for copy in (0, 1))
    return Truth(moved, moved and any(shows(jobs, contact.employer, now_at) for jobs in shown))


def shows(jobs: Sequence[tuple[int, bool]], former: int, now_at: set[int]) -> bool:
    """Whether a profile lists the CRM's employer as ended, and the true one as present."""
    present = {employer for employer, goes_on in jobs if goes_on}
    return former in {employer for employer, _ in jobs} - present and bool(present & now_at)


def report(
    claims: Sequence[Claim], truths: Sequence[Truth], naive: Sequence[bool]
) -> dict[str, Any]:
    from crm_sync.verdicts.interval import clopper_pearson

    auto = [claim for claim in claims if claim.band == "auto"]
    review = [claim for claim in claims if claim.band == "review"]
    right, right_review = (sum(one.right for one in some) for some in (auto, review))
    moved, visible = sum(one.moved for one in truths), sum(one.visible for one in truths)
    low = clopper_pearson(right, len(auto), 0.90).low  # two-sided 90 %: one-sided 95 %
    show_wrong(auto)
    by_rule = Counter((claim.band, claim.rule, claim.right) for claim in claims)
    for band, rule in sorted({key[:2] for key in by_rule}):
        good, bad = by_rule[band, rule, True], by_rule[band, rule, False]
        print(f"{band:7} {rule:28} right {good:6,}  wrong {bad:5,}")
    print(f"naive (another employer's name on the linked profile): {len(naive):,} moves, "
          f"{share(sum(naive), len(naive)):.3f} right")  # fmt: skip
    return {
        "contacts": len(truths),
        "moved": moved,
        "moved_visible": visible,
        "auto_moves": len({claim.contact.person.id for claim in auto}),
        "auto_wrong": len(auto) - right,
        "auto_precision": share(right, len(auto)),
        "auto_precision_low": round(low, 5),
        "auto_recall": share(right, visible),
        "auto_recall_of_all": share(right, moved),
        "auto_overtaken": share(sum(c.right and c.overtaken for c in auto), len(auto)),
        "auto_overtaken_since": share(sum(c.right and c.overtaken_since for c in auto), len(auto)),
        "auto_wrong_per_unmoved": share(len(auto) - right, len(truths) - moved),
        "review_moves": len(review),
        "review_precision": share(right_review, len(review)),
        "review_recall": share(right_review, visible),
        "naive_moves": len(naive),
        "naive_precision": share(sum(naive), len(naive)),
    }


def show_wrong(auto: Sequence[Claim]) -> None:
    for claim in [one for one in auto if not one.right][:SHOWN]:
        row, person = claim.contact.row, claim.contact.person
        print(f"\nWRONG: {person.id} {row['first_name']} {row['last_name']}, "
              f"{row['organisation']} ({claim.contact.employer}), entered {claim.contact.entered}: "
              f"to {claim.to}, as of {claim.as_of}, by {claim.profile}")  # fmt: skip
        for spell in person.spells[-6:]:
            print(f"  true: {spell.start} – {spell.end} employer {spell.employer}")
        for said in json.loads(claim.evidence):
            print(f"  {said['rule']}: {said['detail']}")


def share(part: int, whole: int) -> float:
    return round(part / whole, 5) if whole else 0.0


if __name__ == "__main__":
    main()
