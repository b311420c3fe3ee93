"""Dates, ends and copies in vendor files: what is read is right, the rest is unknown and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.enrichment import staging
from crm_sync.enrichment.file import open_source
from crm_sync.enrichment.mapping import load_mapping
from crm_sync.errors import ConfigError, InputError
from crm_sync.matching import normalise
from crm_sync.matching.engine import Judgement, judge
from tests.support.judging import MAPPINGS, NOW, Row, contact_table

AS_OF = date(2026, 6, 15)
NAMES = ("Ash", "Bly", "Cor", "Dun", "Eck", "Fay", "Gow", "Hux", "Ives", "Jory")
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        normalise.install(opened)
        staging.create_tables(opened)
        yield opened


def read(db: duckdb.DuckDBPyConnection, text: str) -> tuple[date | None, str | None]:
    query = "SELECT partial_date(d), date_precision(d) FROM (SELECT unambiguous_date(?) AS d)"
    row = db.execute(query, [text]).fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("2025-12-31", "2025-12-31", "day"),
        ("2025-12-31T10:00:00Z", "2025-12-31", "day"),
        ("2025/12/31", "2025-12-31", "day"),
        ("2025.12.31", "2025-12-31", "day"),
        ("31/12/2025", "2025-12-31", "day"),
        ("31.12.2025", "2025-12-31", "day"),
        ("12/31/2025", "2025-12-31", "day"),
        ("05/05/2025", "2025-05-05", "day"),
        ("12/2025", "2025-12-01", "month"),
        ("2025", "2025-01-01", "year"),
        ("Dec 2025", "2025-12-01", "month"),
        (" déc. 2025 ", "2025-12-01", "month"),
        ("1 août 2025", "2025-08-01", "day"),
        ("December 31, 2025", "2025-12-31", "day"),
        ("05/06/2025", None, None),
        ("13/13/2025", None, None),
        ("31/12/25", None, None),
        ("46022", None, None),
        ("1767139200", None, None),
        ("before 2025", None, None),
        ("Q4 2025", None, None),
        ("summer 2025", None, None),
        ("Present", None, None),
        ("2025-02-30", None, None),
        ("30 Feb 2025", None, None),
        ("0000-00-00", None, None),
    ],
)
def test_a_date_that_can_mean_one_day_is_read_and_no_other(
    db: duckdb.DuckDBPyConnection, text: str, day: str | None, precision: str | None
) -> None:
    found, exact = read(db, text)
    assert (found.isoformat() if found else None, exact) == (day, precision)


@settings(deadline=None)
@given(day=st.dates(date(1950, 1, 1), date(2049, 12, 31)), form=st.integers(0, 7))
def test_however_a_day_is_written_it_is_never_another_day(
    db: duckdb.DuckDBPyConnection, day: date, form: int
) -> None:
    name = {lang: words.split()[day.month - 1] for lang, words in MONTHS.items()}
    text = (
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day:%m/%d/%Y}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%Y.%m.%d}",
        f"{day.day} {name['fr']} {day.year}",
        f"{name['en'][:3]} {day.day}, {day.year}",
        str((day - date(1899, 12, 30)).days),
    )[form]
    found, _ = read(db, text)
    assert found in (day, None)
    if form in {0, 4, 5, 6}:
        assert found == day


def people(folder: Path, rows: list[Row], mapping: str, as_of: date | None = AS_OF) -> Judgement:
    """Judge contacts at Old Mill, one for each name, against these JSON lines."""
    contacts = [
        {
            "contact_id": name,
            "first_name": "Jane",
            "last_name": name,
            "title": "Buyer",
            "organisation": "Old Mill",
            "organisation_domain": "old-mill.example",
            "linkedin_url": f"linkedin.com/in/jane-{name.lower()}",
            "changed_at": datetime(2025, 1, 10, tzinfo=UTC),
            "changed_basis": "record_date",
        }
        for name in NAMES
    ]
    (folder / "m.yaml").write_text(mapping, encoding="utf-8")
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "a.jsonl").write_text(text, encoding="utf-8")
    source = open_source("vendor", "a.jsonl", folder / "m.yaml", as_of, folder)
    return judge(contact_table(contacts), [source], now=NOW)


def person(name: str, *jobs: Row, **more: Any) -> Row:
    usual = {
        "id": name,
        "first": "Jane",
        "last": name,
        "page": f"linkedin.com/in/jane-{name.lower()}",
        "seen": "2026-06-01",
        "jobs": list(jobs),
    }
    return {**usual, **more}


def at(organisation: str, start: Any = None, end: Any = None, **more: Any) -> Row:
    site = f"{organisation.lower().replace(' ', '-')}.example"
    role = "Buyer" if organisation == "Old Mill" else "Head of Logistics"
    return {"at": organisation, "site": site, "role": role, "from": start, "to": end, **more}


def new(name: str, start: Any = None, **more: Any) -> Row:
    """An employer of one's own: many who go the same way are another story."""
    return at(f"{name}sters Works", start, **more)


MAPPING = """
dates: {dates}
profile: {{id: id, first_name: first, last_name: last, linkedin_urls: page, verified_on: seen}}
employments:
  - each: jobs
    organisation: at
    domain: site
    title: role
    start_on: from
    end_on: to
{more}
"""


def judged(judgement: Judgement) -> dict[str, tuple[str, str, str | None]]:
    return {
        row["contact_id"]: (row["kind"], row["band"], row["since"])
        for row in judgement.job_changes.to_pylist()
    }


STARTS = ("2026-01-31", "31/01/2026", "01/31/2026", "2026.01.31", "Jan 2026", "46053", "05/06/2025")


def test_dates_in_five_formats_are_unknown_rather_than_wrong(tmp_path: Path) -> None:
    rows = [
        person(name, new(name, start), at("Old Mill", "2019", "2025-12"))
        for name, start in zip(NAMES, STARTS, strict=False)
    ]
    found = people(tmp_path, rows, MAPPING.format(dates="iso", more=""))
    told = judged(found)
    assert told["Ash"] == ("moved", "auto", "2026-01-31")
    for name in NAMES[1 : len(STARTS)]:
        kind, band, since = told[name]
        assert (kind, band) == ("moved", "review")
        assert since in (None, "2025-12-01"), "no day that nobody wrote"
    assert found.sources["vendor"].doubted == {"dates cannot be read": len(STARTS) - 1}


def test_an_end_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    ends = ("31/12/2025", "12/31/2025", "2025.12.31", "Dec 2025", "46022")
    rows = [
        person(name, new(name, "2026-01-31"), at("Old Mill", "2019", end))
        for name, end in zip(NAMES, ends, strict=False)
    ]
    found = people(tmp_path, rows, MAPPING.format(dates="iso", more=""))
    told = judged(found)
    assert {told[name][0] for name in NAMES[: len(ends)]} == {"unknown"}
    assert found.sources["vendor"].doubted == {"dates cannot be read": len(ends)}


def test_whether_a_job_goes_on_and_what_was_taken_off(tmp_path: Path) -> None:
    def now(name: str) -> Row:
        return new(name, "2026-01-31", on=True)

    rows = [
        person("Ash", now("Ash"), at("Old Mill", "2019", None, on=False)),
        person("Bly", now("Bly"), at("Old Mill", "2019", None, on=True)),
        person("Cor", now("Cor"), at("Old Mill", "2019", "2025-12", on=True)),
        person("Dun", now("Dun"), at("Old Mill", "2019", "2025-12", on=False)),
        person("Eck", now("Eck"), at("Old Mill", "2019", "2025-12", on=False, off="2026-02-01")),
        person("Fay", now("Fay"), at("Old Mill", "2019", "2025-12", on=0, off=0)),
    ]
    mapping = MAPPING.format(dates="iso", more="    current: on\n    removed: off")
    told = judged(people(tmp_path, rows, mapping))
    assert told["Ash"][:2] == ("moved", "review"), "over, but nobody says since when"
    assert told["Bly"][0] == "unchanged"
    assert told["Cor"][0] in ("unknown", "unchanged"), "over, and still there"
    assert told["Dun"][:2] == ("moved", "auto")
    assert told["Eck"][0] == "unknown", "as if the old job had never been listed"
    assert told["Fay"][:2] == ("moved", "auto")


def test_dates_in_parts_and_in_ways_of_their_own(tmp_path: Path) -> None:
    def job(organisation: str, begin: Row | None, end: str | None) -> Row:
        return {**at(organisation), "begin": begin, "to": end}

    rows = [
        person("Ash", job("Ashsters Works", {"y": 2026, "m": 1, "d": 31}, None),
               job("Old Mill", {"y": 2019}, "12/31/2025")),
        person("Bly", job("Blysters Works", {"y": 2026, "m": 2, "d": None}, None),
               job("Old Mill", None, "12/31/2025")),
        person("Cor", job("Corsters Works", {"y": "2026", "m": 0, "d": 5}, None),
               job("Old Mill", None, "12/31/2025")),
        person("Dun", job("Dunsters Works", None, None), job("Old Mill", None, "12/31/2025")),
    ]  # fmt: skip
    mapping = MAPPING.format(dates="iso", more="").replace(
        "start_on: from", "start_on: {year: begin.y, month: begin.m, day: begin.d}"
    )
    mapping = mapping.replace("end_on: to", "end_on: {paths: to, dates: month_first}")
    told = judged(people(tmp_path, rows, mapping))
    assert told["Ash"] == ("moved", "auto", "2026-01-31")
    assert told["Bly"][2] == "2026-02-01"
    assert told["Cor"][2] == "2026-01-01", "a day without its month says the year"
    assert told["Dun"][:2] == ("moved", "review")


def test_an_id_that_comes_twice_never_proves_what_its_other_copy_denies(tmp_path: Path) -> None:
    def moved(name: str) -> list[Row]:
        return [new(name, "2026-01-31"), at("Old Mill", "2019", "2025-12-31")]

    stayed = [at("Old Mill", "2019")]
    rows = [
        person("Ash", *moved("Ash")),
        person("Ash", *stayed),
        person("Bly", *moved("Bly"), seen=None),
        person("Bly", *stayed, seen=None),
        person("Cor", *moved("Cor")),
        person("Cor", *stayed, seen="2026-05-01"),
        person("Dun", *moved("Dun"), seen="2026-05-01"),
        person("Dun", *stayed),
        person("Eck", *moved("Eck")),
        person("Eck", *moved("Eck"), city="Lyon"),
        person("Fay", *moved("Fay")),
        person("Fay", *moved("Fay"), last="Other"),
    ]
    for order in (rows, rows[::-1]):
        found = people(tmp_path, order, MAPPING.format(dates="iso", more=""))
        told = judged(found)
        for name in ("Ash", "Bly", "Fay"):
            assert told[name][1] != "auto" or told[name][0] in ("unchanged", "unknown"), told[name]
        assert told["Cor"][:2] == ("moved", "auto"), "the newer copy counts"
        assert told["Dun"][0] == "unchanged"
        assert told["Eck"][:2] == ("moved", "auto"), "the same in all that is read"
        held = found.sources["vendor"]
        assert held.duplicates == 6
        assert held.doubted == {"profiles come in versions that contradict each other": 3}


COLUMNS = (
    "First Name,Last Name,Company,Company Website,Title,Start Date,LinkedIn URL,Sales Navigator URL"
)
PAGE, LEAD = "https://www.linkedin.com/in", "https://www.linkedin.com/sales/lead"
MADE_UP = "ACwAAC3d4e5f6g7h8i9j0k1l2m3n4o5"
LEADS = (
    f"Jane,Ash,Old Mill,old-mill.example,Head of Logistics,Mar 2026,{PAGE}/jane-ash,{LEAD}/ACwAAA1",
    f"Jane,Bly,New Works,new-works.example,Buyer,Mar 2026,{PAGE}/jane-bly,{LEAD}/ACwAAB2",
    f"Jane,Cor,Old Mill,old-mill.example,Head of Sales,Mar 2026,{PAGE}/{MADE_UP},{LEAD}/ACwAAC3",
)


def test_a_list_of_leads_shows_titles_and_no_moves(tmp_path: Path) -> None:
    mapping = (MAPPINGS / "sales_navigator.yaml").read_text(encoding="utf-8")
    (tmp_path / "leads.csv").write_text("\n".join((COLUMNS, *LEADS)), encoding="utf-8")
    (tmp_path / "m.yaml").write_text(mapping, encoding="utf-8")
    source = open_source("leads", "leads.csv", tmp_path / "m.yaml", AS_OF, tmp_path)
    source.inspect()
    contacts = [
        {
            "contact_id": name,
            "first_name": "Jane",
            "last_name": name,
            "title": "Buyer",
            "organisation": "Old Mill",
            "organisation_domain": "old-mill.example",
            "linkedin_url": f"linkedin.com/in/jane-{name.lower()}",
            "changed_at": datetime(2025, 1, 10, tzinfo=UTC),
            "changed_basis": "record_date",
        }
        for name in ("Ash", "Bly", "Cor")
    ]
    found = judge(contact_table(contacts), [source], now=NOW)
    told = judged(found)
    assert told["Ash"] == ("retitled", "review", "2026-03-01"), "nor is the old title"
    assert told["Bly"][0] == "unknown", "the past is not there"
    assert told["Cor"][1] != "auto", "an id of LinkedIn's own is no key"
    assert found.sources["leads"].profiles == 3


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("optional: [Compny]", "Did you mean `Company`?"),
        ("optional: [Previous Job End]", "cannot be optional"),
    ],
)
def test_columns_that_may_be_absent(tmp_path: Path, more: str, said: str) -> None:
    text = (MAPPINGS / "vendor_csv.yaml").read_text(encoding="utf-8")
    (tmp_path / "m.yaml").write_text(f"{text}\n{more}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_mapping(tmp_path / "m.yaml")
    assert said in str(caught.value)
    assert f"m.yaml:{text.count(chr(10)) + 2}:" in caught.value.place


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("start_on: Job Start", "start_on: {month: M}", "either the paths"),
        ("start_on: Job Start", "start_on: {paths: A, year: Y}", "either the paths"),
        ("start_on: Job Start", "start_on: {year: Y, day: D}", "needs a `month:`"),
        ("start_on: Job Start", "start_on: {paths: A, dates: excel}", "dates"),
        ("start_on: Job Start", "start_on: {path: A}", "Did you mean `paths`?"),
        ("dates: iso", "dates: american", "`dates`"),
    ],
)
def test_mistakes_about_dates_are_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (MAPPINGS / "vendor_csv.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "m.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_mapping(tmp_path / "m.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x" * (1 << 20), "no header"),
        (b"a," * (1 << 19), "no header"),
        (b'"' + b"x" * (1 << 20), "no header"),
        (b"Person Id," * 20 + b"x", "twice"),
    ],
)
def test_a_header_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    source = open_source("v", "a.csv", MAPPINGS / "vendor_csv.yaml", AS_OF, tmp_path)
    with pytest.raises(InputError, match=said) as caught:
        source.inspect()
    assert caught.value.place == f"{tmp_path / 'a.csv'}:1"
