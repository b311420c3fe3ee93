"""The judgement alone, on real people with known answers."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crm_sync.enrichment.file import open_source
from crm_sync.matching.engine import Judgement, judge
from tests.support.judging import MAPPINGS, contact_table

CONGRESS = MAPPINGS.parents[1] / "shared" / "realdata" / "congress"

pytestmark = pytest.mark.skipif(
    not CONGRESS.is_dir(), reason="the folder ../shared/realdata/congress is not there"
)


def rows(name: str) -> list[dict[str, str]]:
    with (CONGRESS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def crm(contact: dict[str, str], websites: dict[str, str]) -> dict[str, Any]:
    return {
        "contact_id": contact["External_Id__c"],
        "first_name": contact["FirstName"],
        "last_name": contact["LastName"],
        "title": contact["Title"],
        "organisation": contact["Account.Name"],
        "organisation_domain": websites[contact["Account.Name"]],
        "phone": contact["Phone"],
        "changed_at": datetime.fromisoformat(contact["LastModifiedDate"]),
        "changed_basis": "record_date",
    }


@pytest.fixture(scope="module")
def judged() -> Judgement:
    websites = {row["Name"]: row["Website"] for row in rows("Account.csv")}
    contacts = contact_table([crm(row, websites) for row in rows("Contact.csv")])
    mapping = Path(MAPPINGS / "people_data_labs.yaml")
    source = open_source("vendor", "profiles.jsonl", mapping, date(2026, 6, 15), CONGRESS)
    return judge(contacts, [source], now=datetime(2026, 7, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def changes(judged: Judgement) -> dict[str, dict[str, Any]]:
    return {row["contact_id"]: row for row in judged.job_changes.to_pylist()}


@pytest.fixture(scope="module")
def truth() -> dict[str, dict[str, str]]:
    return {row["External_Id__c"]: row for row in rows("truth.csv")}


def test_every_move_and_every_new_title_is_found_and_nothing_else(
    changes: dict[str, dict[str, Any]], truth: dict[str, dict[str, str]]
) -> None:
    found = Counter((row["kind"], changes[id]["kind"]) for id, row in truth.items())
    assert found["moved", "moved"] == 11
    assert found["retitled", "retitled"] == 27
    assert found["unchanged", "unknown"] <= 1, "unknown is an answer, but not the usual one"
    wrong = {pair for pair in found if pair[0] != pair[1]} - {("unchanged", "unknown")}
    assert not wrong


def test_what_is_found_is_right_in_every_detail(
    changes: dict[str, dict[str, Any]], truth: dict[str, dict[str, str]]
) -> None:
    for id, row in truth.items():
        change = changes[id]
        if change["kind"] == "unknown":
            continue
        assert change["profile_id"] == row["profile_id"]
        assert change["to_title"].casefold() == row["new_title"].casefold()
        assert change["to_organisation"].casefold() == row["new_organisation"].casefold()
        assert change["since"] == row["since"]


def test_a_name_and_a_company_alone_are_never_enough_to_write(judged: Judgement) -> None:
    assert "auto" not in judged.job_changes.column("band").to_pylist()
    assert "auto" not in judged.matches.column("band").to_pylist()


def test_titles_are_shown_with_their_capitals(changes: dict[str, dict[str, Any]]) -> None:
    shown = {row["to_title"] for row in changes.values() if row["kind"] == "retitled"}
    assert {"Speaker of the House", "U.S. Senator", "President Pro Tempore of the Senate"} <= shown
