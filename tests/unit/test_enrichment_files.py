"""Vendor files of every format, sound and damaged."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm_sync.enrichment import documents, scan
from crm_sync.enrichment.file import open_source
from crm_sync.errors import ConfigError, InputError
from crm_sync.matching.engine import Judgement, judge
from tests.support.judging import MAPPINGS, NOW, contact_table, job, profile

PDL = MAPPINGS / "people_data_labs.yaml"
FLAT = MAPPINGS / "vendor_csv.yaml"
AS_OF = date(2026, 6, 15)
CRM = contact_table(
    [
        {
            "contact_id": "1",
            "first_name": "Jane",
            "last_name": "Roe",
            "organisation": "Acme",
            "title": "CTO",
            "email": "jane.roe@gmail.com",
            "changed_at": datetime(2025, 1, 1, tzinfo=UTC),
            "changed_basis": "record_date",
        }
    ]
)
JANE = profile(
    job("Acme", "CTO", "2020", "2025-08-31"),
    job("Newco", "CEO", "2025-09-01"),
    id="jane",
    full_name="Jane Roe",
    last_name="Roe",
    emails=[{"address": "jane.roe@gmail.com", "type": "personal"}],
)
HEADER = (
    "Person Id,First Name,Last Name,Work Email,Personal Email,LinkedIn,Mobile,City,Country,"
    "Verified On,Company,Company Website,Job Title,Job Start,Previous Company,"
    "Previous Company Website,Previous Job Title,Previous Job Start,Previous Job End"
)
ROW = (
    "jane,Jane,Roe,,jane.roe@gmail.com,,,Paris,France,2026-06-01,Newco,newco.example,CEO,"
    "2025-09-01,Acme,acme.example,CTO,2020,2025-08-31"
)


def read(folder: Path, path: str, mapping: Path = PDL, as_of: date | None = AS_OF) -> Judgement:
    source = open_source("vendor", path, mapping, as_of, folder)
    return judge(CRM, [source], now=NOW)


def moved(judged: Judgement) -> bool:
    (row,) = judged.job_changes.to_pylist()
    return (row["kind"], row["to_organisation"], row["since"]) == ("moved", "Newco", "2025-09-01")


def lines(path: Path, *rows: Any) -> Path:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, path: str, mapping: Path = PDL) -> InputError:
    with pytest.raises(InputError) as caught:
        read(folder, path, mapping)
    assert caught.value.fix, "the fix is told"
    return caught.value


def test_json_lines_over_several_files(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    lines(tmp_path / "a.jsonl", JANE)
    lines(tmp_path / "more" / "b.jsonl", {**JANE, "id": "x", "full_name": "X Y", "last_name": "Y"})
    judged = read(tmp_path, "**/*.jsonl")
    assert moved(judged)
    assert judged.sources["vendor"].profiles == 2


def test_compressed_lines_blank_lines_and_windows_line_ends(tmp_path: Path) -> None:
    text = "\ufeff" + json.dumps(JANE) + "\r\n\r\n"
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    assert moved(read(tmp_path, "a.jsonl.gz"))


def test_files_too_large_to_be_held_are_judged_as_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{HEADER}\n{ROW}\n"
    (tmp_path / "b.csv").write_text(text, encoding="utf-8")
    lines(tmp_path / "a.jsonl", JANE, {**JANE, "id": None}, {**JANE, "job_last_verified": None})

    def judged() -> list[Judgement]:
        first = open_source("one", "a.jsonl", PDL, AS_OF, tmp_path)
        second = open_source("two", "b.csv", FLAT, AS_OF, tmp_path)
        return [judge(CRM, [first, second], now=NOW), judge(CRM, [second, first], now=NOW)]

    held = judged()
    monkeypatch.setattr(documents, "HELD_BYTES", 0)
    for one, other in zip(held, judged(), strict=True):
        assert moved(one)
        assert one.job_changes.equals(other.job_changes)
        assert one.matches.equals(other.matches)
        assert one.observations.equals(other.observations)
        assert one.sources == other.sources


def test_a_json_array(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([JANE], indent=1), encoding="utf-8")
    assert moved(read(tmp_path, "a.json"))


def test_parquet_with_nested_columns_and_some_of_them_absent(tmp_path: Path) -> None:
    row = {key: value for key, value in JANE.items() if key != "job_last_verified"}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    judged = read(tmp_path, "a.parquet")
    assert moved(judged)
    (change,) = judged.job_changes.to_pylist()
    assert change["band"] == "review", "nobody says as of when"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_flat_csv(tmp_path: Path, delimiter: str, mark: str) -> None:
    text = mark + f"{HEADER}\n{ROW}\n".replace(",", delimiter)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert moved(read(tmp_path, "a.csv", FLAT))


def test_csv_with_quoted_delimiters_and_line_ends(tmp_path: Path) -> None:
    row = ROW.replace("Paris", '"Paris, ""7e""\nFrance"')
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    assert moved(read(tmp_path, "a.csv", FLAT))


def test_a_previous_job_without_an_end_is_over_all_the_same(tmp_path: Path) -> None:
    row = ROW.replace("2025-08-31", "")
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    judged = read(tmp_path, "a.csv", FLAT)
    assert moved(judged)
    assert "does not say when the old job ended" in judged.job_changes.to_pylist()[0]["evidence"]


@pytest.mark.parametrize(
    ("order", "start"), [("day_first", "01/09/2025"), ("month_first", "9/1/2025")]
)
def test_dates_with_the_day_or_the_month_first(tmp_path: Path, order: str, start: str) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text(FLAT.read_text(encoding="utf-8").replace("dates: iso", f"dates: {order}"))
    row = ROW.replace("2025-09-01", start)
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    assert moved(read(tmp_path, "a.csv", mapping))


def test_the_newest_version_of_a_profile_wins(tmp_path: Path) -> None:
    old = {**JANE, "job_last_verified": "2024-01-01", "experience": [job("Acme", "CTO", "2020")]}
    new = {**JANE, "job_last_verified": "2026-06-01"}
    lines(tmp_path / "a.jsonl", new, old, {**old, "job_last_verified": None})
    judged = read(tmp_path, "a.jsonl")
    assert moved(judged)
    assert judged.sources["vendor"].duplicates == 2


@pytest.mark.parametrize(
    ("as_of", "verified", "told"),
    [
        (AS_OF, "2026-05-01", "2026-05-01"),
        (AS_OF, "2026-06-30", "2026-06-15"),
        (None, "2026-05-01", "2026-05-01"),
        (AS_OF, None, None),
    ],
)
def test_a_profile_speaks_as_of_the_earlier_of_its_date_and_the_delivery(
    tmp_path: Path, as_of: date | None, verified: str | None, told: str | None
) -> None:
    lines(tmp_path / "a.jsonl", {**JANE, "job_last_verified": verified})
    (row,) = read(tmp_path, "a.jsonl", as_of=as_of).job_changes.to_pylist()
    assert row["as_of"] == told


def test_a_file_that_dates_no_record_speaks_as_of_its_delivery(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yaml"
    text = PDL.read_text(encoding="utf-8")
    mapping.write_text(
        "".join(line for line in text.splitlines(keepends=True) if "verified_on" not in line)
    )
    lines(tmp_path / "a.jsonl", JANE)
    (row,) = read(tmp_path, "a.jsonl", mapping).job_changes.to_pylist()
    assert row["as_of"] == "2026-06-15"
    (row,) = read(tmp_path, "a.jsonl", mapping, as_of=None).job_changes.to_pylist()
    assert (row["as_of"], row["band"]) == (None, "review")


def test_odd_values_inside_sound_records_do_no_harm(tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {**JANE, "id": "o1", "personal_emails": True, "work_email": False, "emails": "none"},
        {**JANE, "id": "o2", "experience": None},
        {**JANE, "id": "o3", "experience": [{"company": None}, {"title": "CTO"}]},
        {**JANE, "id": 4, "phone_numbers": ["", None, "x" * 500]},
        {**JANE, "id": "o5", "linkedin_url": "https://linkedin.com/in/%zz%00"},
        {**JANE, "id": "o6", "full_name": "'; DROP TABLE contact; --", "last_name": '"; --'},
    ]
    lines(tmp_path / "a.jsonl", *odd)
    assert read(tmp_path, "a.jsonl").sources["vendor"].profiles == 6


@pytest.mark.parametrize(
    ("bad", "line", "said"),
    [
        (b'{"id": 1, "full_na', 2, "is not JSON"),
        (b'["id"]\n', 2, "not a JSON object"),
        (b"null\n", 2, "not a JSON object"),
        (b'{"id": "a\x01b"}\n', 2, "is not JSON"),
        (b'\n{"id": "a\x00b"}\n', 3, "NUL byte"),
        (b'{"id": "caf\xe9"}\n', 2, "UTF-8"),
        (b'{"id": 1}{"id": 2}\n', 2, "is not JSON"),
    ],
)
def test_a_damaged_line_stops_before_anything_is_judged(
    tmp_path: Path, bad: bytes, line: int, said: str
) -> None:
    (tmp_path / "a.jsonl").write_bytes(json.dumps(JANE).encode() + b"\n" + bad)
    error = refused(tmp_path, "a.jsonl")
    assert error.place == f"{tmp_path / 'a.jsonl'}:{line}"
    assert said in error.message


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_LINE_BYTES", 1 << 20)
    (tmp_path / "a.jsonl").write_bytes(b'{"id": 1}\n{"id": "' + b"x" * (3 << 20) + b'"}\n')
    error = refused(tmp_path, "a.jsonl")
    assert error.place.endswith("a.jsonl:2")
    assert "longer than 1 MB" in error.message


def test_a_cut_off_gzip_file(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps(JANE).encode() * 50)
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    assert "gzip" in refused(tmp_path, "a.jsonl.gz").message


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.95])
def test_a_cut_off_parquet_file(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([JANE]), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    assert refused(tmp_path, "a.parquet").place == str(path)


def test_parquet_with_damaged_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([{**JANE, "id": f"{n}"} for n in range(2000)]), path)
    whole = bytearray(path.read_bytes())
    whole[200:1200] = bytes(1000)
    path.write_bytes(bytes(whole))
    assert str(path) in refused(tmp_path, "a.parquet").place


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{HEADER}\n{ROW},surplus\n", 2, "fields"),
        (f"{HEADER}\n{ROW}\njane,Jane\n", 3, "fields"),
        (HEADER.replace("Job Title,", "Jobtitle,", 1) + f"\n{ROW}\n", 1, "`Job Title`"),
        (f"{HEADER},Company\n{ROW},x\n", 1, "twice"),
        (f"{HEADER},\n{ROW},x\n", 1, "without a name"),
        ("", 1, "no header"),
    ],
)
def test_csv_of_the_wrong_shape(tmp_path: Path, text: str, line: int, said: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    error = refused(tmp_path, "a.csv", FLAT)
    assert error.place.endswith(f"a.csv:{line}")
    assert said in error.message


def test_no_message_quotes_a_record(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n{ROW},surplus\n", encoding="utf-8")
    assert "jane" not in str(refused(tmp_path, "a.csv", FLAT)).lower()
    (tmp_path / "a.jsonl").write_text('{"id": "jane" "roe"}\n', encoding="utf-8")
    assert "jane" not in str(refused(tmp_path, "a.jsonl")).lower()


@pytest.mark.parametrize("path", ["none.jsonl", "none/*.jsonl"])
def test_no_such_file(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source("vendor", path, PDL, AS_OF, tmp_path)
    assert str(tmp_path / path) == caught.value.place
    assert "path" in caught.value.fix


def test_an_unknown_ending_and_mixed_formats_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(InputError, match="format"):
        open_source("vendor", "a.xlsx", PDL, AS_OF, tmp_path)
    lines(tmp_path / "a.jsonl", JANE)
    (tmp_path / "a.csv").write_text(HEADER)
    with pytest.raises(InputError, match="several formats"):
        open_source("vendor", "a.[jc]s*", PDL, AS_OF, tmp_path)


def test_a_mapping_that_does_not_fit_the_file(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", {"identifier": 1, "label": "Jane Roe"})
    assert "no record has an id and a name" in refused(tmp_path, "a.jsonl").message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  id: id\n", "  ids: id\n", "ids"),
        ("letter_case: restore", "letter_case: shout", "letter_case"),
        ("  full_name: full_name\n", "  full_name: a..b\n", "not a path"),
        ("    title: title.name\n", "    titel: title.name\n", "`title`"),
    ],
)
def test_mistakes_in_a_mapping_are_told_with_their_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    mapping = tmp_path / "m.yaml"
    text = PDL.read_text(encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    mapping.write_text(text.replace(old, new, 1), encoding="utf-8")
    lines(tmp_path / "a.jsonl", JANE)
    with pytest.raises(ConfigError) as caught:
        open_source("vendor", "a.jsonl", mapping, AS_OF, tmp_path)
    assert said in str(caught.value)
    assert f"{mapping}:{line}:" in str(caught.value)


def test_a_path_cannot_be_a_value_and_hold_keys(tmp_path: Path) -> None:
    mapping = tmp_path / "m.yaml"
    text = PDL.read_text(encoding="utf-8").replace("city: location_locality", "city: id.inner")
    mapping.write_text(text, encoding="utf-8")
    lines(tmp_path / "a.jsonl", JANE)
    with pytest.raises(ConfigError, match="exclude each other") as caught:
        open_source("vendor", "a.jsonl", mapping, AS_OF, tmp_path)
    assert caught.value.place == str(mapping)
