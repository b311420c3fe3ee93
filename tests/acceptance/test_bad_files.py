"""Vendor files as they come: copies, dates, columns, cut ends, long lines. Never a wrong match."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project

HEADER = (
    "Person Id,First Name,Last Name,Work Email,Personal Email,LinkedIn,Mobile,City,Country,"
    "Verified On,Company,Company Website,Job Title,Job Start,Previous Company,"
    "Previous Company Website,Previous Job Title,Previous Job Start,Previous Job End"
)
NAMES = ("Ash", "Bly", "Cor", "Dun", "Eck", "Fay")


def row(name: str, **cells: str) -> list[str]:
    """Somebody who moved from Old Mill, as a line of the file; cells by column."""
    usual = {
        "Person Id": f"p-{name}",
        "First Name": "Jane",
        "Last Name": name,
        "LinkedIn": f"https://www.linkedin.com/in/jane-{name.lower()}",
        "Verified On": "2026-06-01",
        "Company": f"{name}sters Works",
        "Company Website": f"{name.lower()}sters.example",
        "Job Title": "Head of Logistics",
        "Job Start": "2026-01-31",
        "Previous Company": "Old Mill",
        "Previous Company Website": "old-mill.example",
        "Previous Job Title": "Buyer",
        "Previous Job Start": "2019-05-01",
        "Previous Job End": "2025-12-31",
    }
    told = {**usual, **{key.replace("_", " "): value for key, value in cells.items()}}
    return [told.get(column, "") for column in HEADER.split(",")]


@pytest.fixture
def reading(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Callable[..., Project]:
    """A project of six contacts at Old Mill that reads one file."""
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "Account.csv").write_text("Name,Website\nOld Mill,https://old-mill.example\n")
    lines = [
        f"Jane,{name},Buyer,Old Mill,https://www.linkedin.com/in/jane-{name.lower()},"
        "2025-01-10T09:00:00Z,2025-01-10T09:00:00Z"
        for name in NAMES
    ]
    head = "FirstName,LastName,Title,Account.Name,LinkedIn_URL__c,CreatedDate,LastModifiedDate"
    (folder / "Contact.csv").write_text("\n".join([head, *lines]) + "\n")
    sandbox.load(folder)

    def make(path: Path, mapping: str = "vendor_csv") -> Project:
        project = make_project(path, "2026-06-15")
        config = project.folder / "config.yaml"
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("people_data_labs", mapping), encoding="utf-8")
        return project

    return make


def table(path: Path, rows: Sequence[Sequence[str]], header: str = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header.split(","), *rows])
    return path


def verdicts(project: Project) -> dict[str, Any]:
    names = {one["Id"]: one["LastName"] for one in project.crm.snapshot()["contacts"]}
    return {names[one["contact_id"]]: one for one in project.data("job-changes", "--all")}


def test_copies_that_deny_each_other_and_dates_in_five_ways_are_told_and_wait(
    reading: Callable[..., Project], tmp_path: Path
) -> None:
    still = {"Company": "Old Mill", "Company_Website": "old-mill.example", "Previous_Company": ""}
    rows = [
        row("Ash"),
        row("Ash", **still),
        row("Bly"),
        row("Bly", **still, Verified_On="2026-05-01"),
        row("Cor", Job_Start="31/01/2026"),
        row("Dun", Job_Start="46053"),
        row("Eck", Job_Start="01/31/2026", Previous_Job_End="Dec 2025"),
        row("Fay", Verified_On="2026.06.01"),
    ]
    project = reading(table(tmp_path / "a.csv", rows))
    told = " ".join(project.call("plan").stdout.split())
    assert "1 profiles come in versions that contradict each other" in told
    assert "5 dates cannot be read" in told
    found = verdicts(project)
    assert (found["Bly"]["kind"], found["Bly"]["band"]) == ("moved", "auto")
    for name in ("Ash", "Cor", "Dun", "Eck", "Fay"):
        assert found[name]["band"] != "auto", found[name]
    assert {found[name]["since"] for name in ("Cor", "Dun", "Eck")} <= {None, "2025-12-31"}
    assert project.data("plan")["sources"]["vendor-file"]["doubted"] == {
        "profiles come in versions that contradict each other": 1,
        "dates cannot be read": 5,
    }


def test_a_column_that_is_missing_is_named(reading: Callable[..., Project], tmp_path: Path) -> None:
    header = HEADER.replace(",Previous Job End", ",Left On")
    project = reading(table(tmp_path / "a.csv", [row("Ash")], header))
    told = " ".join(project.call("plan", expect=2).stderr.split())
    assert "a.csv:1" in told
    assert "`Previous Job End`" in told
    assert project.data("job-changes", "--all") == []


@pytest.mark.parametrize("keep", [0.2, 0.99])
def test_a_parquet_file_that_was_cut_off(
    reading: Callable[..., Project], tmp_path: Path, keep: float
) -> None:
    people = [{"id": f"p{n}", "full_name": f"Jane Roe {n}", "experience": []} for n in range(500)]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(people, schema=_SCHEMA), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    told = " ".join(reading(path, "people_data_labs").call("plan", expect=2).stderr.split())
    assert "a.parquet" in told
    assert "not a whole Parquet file" in told


_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("full_name", pa.string()),
        ("experience", pa.list_(pa.struct([("company", pa.struct([("name", pa.string())]))]))),
    ]
)


@pytest.mark.parametrize(
    ("name", "mapping"),
    [("a.csv", "vendor_csv"), ("a.jsonl", "people_data_labs"), ("a.json", "people_data_labs")],
)
@pytest.mark.parametrize("begin", [b"", b"x" * (16 << 20)])
def test_two_gigabytes_on_one_line_are_told_in_a_moment(
    reading: Callable[..., Project], tmp_path: Path, name: str, mapping: str, begin: bytes
) -> None:
    """The rest of the file is a hole, which reads as zeros and takes no room."""
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.write(begin)
        stream.truncate(2 << 30)
    told = " ".join(reading(path, mapping).call("plan", expect=2).stderr.split())
    assert name in told
    assert any(words in told for words in ("NUL", "no header", "not a JSON array", "longer than"))


@pytest.mark.slow
def test_two_gigabytes_of_letters_on_one_line(
    reading: Callable[..., Project], tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    piece = b'{"id": "' + b"x" * ((16 << 20) - 8)
    with path.open("wb") as stream:
        for _ in range(128):
            stream.write(piece)
            piece = b"x" * (16 << 20)
    project = reading(path, "people_data_labs")
    began = time.monotonic()
    told = " ".join(project.call("plan", expect=2).stderr.split())
    path.unlink()
    assert "a.jsonl:1: is longer than 8 MB" in told
    assert time.monotonic() - began < 60
