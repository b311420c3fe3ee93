"""How a source's confidences are measured by hiding a key, and when they are measured again."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.enrichment.file import FileSource, open_source
from crm_sync.matching.calibration import Candidate, bins, document, ece, fit
from crm_sync.matching.engine import Judgement, judge
from crm_sync.matching.tail import is_fresh
from tests.support.judging import AS_OF, MAPPINGS, contact_table, delivery, job, profile

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
KEY = ("calibration", "vendor")


def candidates(count: int, seed: int = 3) -> list[Candidate]:
    """Candidates whose odds of being right are exp(0.4 weight + 0.1 margin - 2)."""
    dice = random.Random(seed)
    found = []
    for n in range(count):
        weight, margin = round(dice.uniform(0, 12), 1), round(dice.uniform(0, 20), 1)
        right = dice.random() < 1 / (1 + math.exp(2 - 0.4 * weight - 0.1 * margin))
        found.append(Candidate(weight, margin, 1 / (1 + 2**-weight), right, n % 2))
    return found


def test_the_curve_that_made_the_candidates_is_found() -> None:
    curve = fit(candidates(8_000))
    assert curve.intercept == pytest.approx(-2, abs=0.3)
    assert curve.of_weight == pytest.approx(0.4, abs=0.05)
    assert curve.of_margin == pytest.approx(0.1, abs=0.02)


def test_calibrated_is_nearer_the_truth_than_raw_on_contacts_it_never_saw() -> None:
    made = document(candidates(4_000))
    assert made["ece_after"] < made["ece_before"] / 2
    assert made["ece_after"] < 0.03
    assert sum(one["count"] for one in made["bins"]) == made["sample"] == 4_000


def test_as_many_are_expected_right_as_are() -> None:
    """Also where nearly all are right, and the few wrong ones are far off."""
    sure = [Candidate(2.5, 20.0, 0.85, n % 700 != 0, n % 2) for n in range(4_200)]
    far = [Candidate(-9.0 + n % 5, 12.0, 0.01, False, n % 2) for n in range(90)]
    torn = [Candidate(4.0, 0.0, 0.5, n < 7, n % 2) for n in range(9)]
    found = [*sure, *far, *torn]
    curve = fit(found)
    expected = sum(curve.probability(one) for one in found)
    assert expected == pytest.approx(sum(one.right for one in found), abs=0.1)


def test_more_weight_never_makes_a_match_less_likely() -> None:
    upside_down = [replace(one, right=one.weight < 6) for one in candidates(1_000)]
    curve = fit(upside_down)
    assert curve.of_weight == 0
    assert curve.of_margin >= 0


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong_is_no_error(right: bool) -> None:
    curve = fit([replace(one, right=right) for one in candidates(300)])
    said = [curve.probability(one) for one in candidates(300)]
    assert all(0 <= share <= 1 for share in said)
    assert (sum(said) / len(said) > 0.5) == right


def test_the_order_of_candidates_changes_nothing() -> None:
    found = candidates(500)
    shuffled = random.Random(1).sample(found, len(found))
    assert document(shuffled) == document(found)


def test_bins_say_what_was_predicted_and_what_was_right() -> None:
    judged = [(0.95, True)] * 3 + [(0.95, False), (0.05, False), (1.0, True)]
    low, high = bins(judged)
    assert low == {"from": 0.0, "to": 0.1, "count": 1, "predicted": 0.05, "right": 0.0}
    assert (high["count"], high["predicted"], high["right"]) == (5, 0.96, 0.8)
    assert ece(judged) == pytest.approx((0.05 + 5 * 0.16) / 6)


def test_what_was_learnt_holds_for_30_days_and_half_as_much_again() -> None:
    made = {"made_on": "2026-06-01", "profiles": 1000}
    day = NOW.date()
    assert is_fresh(made, 1500, day)
    assert not is_fresh(made, 1501, day)
    assert not is_fresh(made, 1000, day + timedelta(days=1))
    assert not is_fresh(made, 1000, day - timedelta(days=60))


FIRST = [a + b for a in ("an", "be", "cal", "dor", "el") for b in ("na", "ro", "lis", "mo", "tine")]
LAST = [a + b + c for a in ("bar", "cor", "dan", "fel") for b in ("ki", "to", "se", "ma", "du")
        for c in ("ner", "vin", "zal", "gue", "rot")]  # fmt: skip


def world(people: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Contacts with LinkedIn pages, work addresses here and there, and namesakes among them."""
    dice = random.Random(7)
    contacts, profiles = [], []
    for n in range(people):
        first, last = dice.choice(FIRST).title(), dice.choice(LAST).title()
        firm = f"Firm{dice.randrange(60)}"
        page = f"https://www.linkedin.com/in/p{n}"
        mail = f"{first}.{last}.{n}@{firm}.example".lower() if n % 3 else None
        contacts.append(
            {"contact_id": f"c{n}", "first_name": first, "last_name": last, "organisation": firm,
             "title": "Sales Director", "linkedin_url": page, "email": mail}
        )  # fmt: skip
        if n % 10:
            profiles.append(
                profile(job(firm, "Sales Director", "2020"), id=f"p{n}",
                        full_name=f"{first} {last}", first_name=first, last_name=last,
                        linkedin_url=page, work_email=mail)
            )  # fmt: skip
    return contacts, profiles


def judged(source: FileSource, contacts: list[dict[str, Any]], **more: Any) -> Judgement:
    return judge(contact_table(contacts), [source], **{"now": NOW, **more})


def test_a_source_is_calibrated_once_until_it_changes(tmp_path: Path) -> None:
    contacts, profiles = world(500)
    source = delivery(profiles, tmp_path)
    first = judged(source, contacts)
    made = json.loads(first.learned[KEY])
    assert made["source"] == "vendor"
    assert made["made_on"] == "2026-07-01"
    assert made["masked_key"] == "linkedin"
    assert made["sample"] >= 200
    assert set(made["coefficients"]) == {"weight", "margin"}

    later = judged(source, contacts, learned=first.learned, now=NOW + timedelta(days=30))
    assert later.learned == {}
    assert later.matches.equals(first.matches)

    old = judged(source, contacts, learned=first.learned, now=NOW + timedelta(days=31))
    assert json.loads(old.learned[KEY])["made_on"] == "2026-08-01"


def test_only_what_one_family_says_is_calibrated(tmp_path: Path) -> None:
    contacts, profiles = world(500)
    unknown = {**contacts[1], "contact_id": "x", "linkedin_url": None, "email": None,
               "first_name": "Wilma", "last_name": "Quetzal"}  # fmt: skip
    alone = {**profiles[0], "id": "x", "full_name": "Wilma Quetzal", "first_name": "Wilma",
             "last_name": "Quetzal", "linkedin_url": None, "work_email": None}  # fmt: skip
    found = judged(delivery([*profiles, alone], tmp_path), [*contacts, unknown])
    by_contact = {row["contact_id"]: row for row in found.matches.to_pylist()}
    assert '"calibration"' in by_contact["x"]["evidence"]
    assert by_contact["x"]["band"] == "review"
    assert '"calibration"' not in by_contact["c1"]["evidence"]
    assert by_contact["c1"]["band"] == "auto"


def test_few_contacts_with_a_page_are_no_measure(tmp_path: Path) -> None:
    contacts, profiles = world(100)
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in profiles) + "\n", encoding="utf-8")
    source = open_source("vendor", path.name, MAPPINGS / "people_data_labs.yaml", AS_OF, tmp_path)
    assert judged(source, contacts).learned == {}
