"""Small cases for the judgement: contacts and profiles of made-up people, judged for real.

Many cases are judged in one go. Each lives in a world of its own: `~` in any text is replaced by
letters that only this case has, so that nobody meets the people of another case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from crm_sync.enrichment.file import FileSource, open_source
from crm_sync.matching.engine import Demoted, Judgement, judge

MAPPINGS = Path(__file__).parents[2] / "mappings"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
AS_OF = date(2026, 6, 15)
CHANGED = datetime(2025, 1, 10, 9, tzinfo=UTC)

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Contacts and profiles of one case; the first contact is the one that it is about.

    `others` are the profiles of further sources, by the name of the source.
    """

    contacts: Sequence[Row]
    profiles: Sequence[Row]
    others: Mapping[str, Sequence[Row]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What was judged about the first contact of a case."""

    change: Row
    matches: Sequence[Row] = field(default_factory=tuple)

    @property
    def kind_and_band(self) -> tuple[str, str]:
        return self.change["kind"], self.change["band"]

    @property
    def rules(self) -> set[str]:
        """The rules that the evidence of the job change cites."""
        return {one["rule"] for one in json.loads(self.change["evidence"])}

    @property
    def words(self) -> str:
        return "\n".join(one["detail"] for one in json.loads(self.change["evidence"]))

    @property
    def matched(self) -> dict[str, str]:
        """The band of each profile that came into question."""
        return {one["profile_id"].split("-", 1)[1]: one["band"] for one in self.matches}


def contact(**fields: Any) -> Row:
    """Jane Roe, sales director at Acme, as the CRM has her."""
    usual = {
        "first_name": "Jane",
        "last_name": "Roe~",
        "title": "Sales Director",
        "organisation": "Acme~",
        "organisation_domain": "acme~.example",
        "changed_at": CHANGED,
        "changed_basis": "record_date",
    }
    return {**usual, **fields}


def job(
    organisation: str,
    title: str | None,
    start: str | None = None,
    end: str | None = None,
    *,
    website: str | None = "",
    company_id: str | None = None,
    primary: bool = False,
) -> Row:
    """One entry of a profile's experience; the website follows from the name unless given."""
    site = f"{organisation.lower().replace(' ', '-')}.example" if website == "" else website
    return {
        "company": {"name": organisation, "website": site, "id": company_id},
        "title": {"name": title},
        "start_date": start,
        "end_date": end,
        "is_primary": primary,
    }


def profile(*jobs: Row, **fields: Any) -> Row:
    """Jane Roe as the vendor has her, with these jobs."""
    usual = {
        "id": "p",
        "full_name": "Jane Roe~",
        "first_name": "Jane",
        "last_name": "Roe~",
        "job_last_verified": AS_OF.isoformat(),
        "experience": list(jobs),
    }
    return {**usual, **fields}


AT_ACME = job("Acme~", "Sales Director", "2020-01-01")
WAS_AT_ACME = job("Acme~", "Sales Director", "2020-01-01", "2025-09-30")
AT_NEWCO = job("Newco~", "VP Sales", "2025-10-01")


def judge_cases(
    cases: Mapping[str, Case],
    folder: Path,
    *,
    trust: Mapping[str, float] | None = None,
    demoted: Demoted | None = None,
) -> dict[str, Verdict]:
    """Judge all cases at once; the verdict on the first contact of each.

    `trust` is that of each source, by name; the source of a case's `profiles` is `vendor`.
    """
    contacts: list[Row] = []
    profiles: dict[str, list[Row]] = {"vendor": []}
    for number, (name, case) in enumerate(cases.items()):
        letters = _letters(number)
        for n, row in enumerate(case.contacts):
            contacts.append({**_own(row, letters), "contact_id": f"{name}/{n}"})
        for source, rows in {"vendor": case.profiles, **case.others}.items():
            owned = [_own(row, letters) for row in rows]
            mine = [{**own, "id": f"{letters}-{own['id']}"} for own in owned]
            profiles.setdefault(source, []).extend(mine)
    sources = [
        delivery(rows, folder, name=source, trust=(trust or {}).get(source, 1.0))
        for source, rows in profiles.items()
    ]
    judged = judge(contact_table(contacts), sources, now=NOW, demoted=demoted)
    changes = {row["contact_id"]: row for row in judged.job_changes.to_pylist()}
    matches = judged.matches.to_pylist()
    return {
        name: Verdict(
            changes[f"{name}/0"], [row for row in matches if row["contact_id"] == f"{name}/0"]
        )
        for name in cases
    }


def judge_rows(
    contacts: Sequence[Row], profiles: Sequence[Row], folder: Path, as_of: date | None = AS_OF
) -> Judgement:
    """Judge contacts against one delivery in People Data Labs' shape."""
    return judge(contact_table(contacts), [delivery(profiles, folder, as_of)], now=NOW)


def delivery(
    profiles: Sequence[Row],
    folder: Path,
    as_of: date | None = AS_OF,
    name: str = "vendor",
    trust: float = 1.0,
) -> FileSource:
    """A source of these profiles, written to a file of its own."""
    path = folder / f"{name}.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in profiles]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    mapping = MAPPINGS / "people_data_labs.yaml"
    return open_source(name, path.name, mapping, as_of, folder, trust=trust)


def contact_table(contacts: Sequence[Row]) -> pa.Table:
    """Contacts as the pipeline hands them over."""
    names = sorted({name for row in contacts for name in row} | {"contact_id"})
    columns = {}
    for name in names:
        kind = pa.timestamp("us", "UTC") if name == "changed_at" else pa.string()
        columns[name] = pa.array([row.get(name) for row in contacts], kind)
    return pa.table(columns)


def _own(value: Any, letters: str) -> Any:
    if isinstance(value, str):
        return value.replace("~", letters)
    if isinstance(value, dict):
        return {key: _own(item, letters) for key, item in value.items()}
    if isinstance(value, list):
        return [_own(item, letters) for item in value]
    return value


def _letters(number: int) -> str:
    """Letters that tell cases apart and make no names similar: `qaqazb`, `qaqbzb`, …"""
    first, second = divmod(number, 20)
    signs = "abcdefghijklmnoprstu"
    return f"{signs[first] * 2}k{signs[second] * 3}z"
