"""Damage that shows at a file's ends is told before anything long begins; bombs are refused."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm_sync.enrichment import inspection, scan
from crm_sync.enrichment.file import FileSource, open_source
from crm_sync.errors import InputError
from crm_sync.matching.engine import judge
from tests.support.judging import MAPPINGS, NOW, contact_table, job, profile
from tests.support.project import write_project

PDL = MAPPINGS / "people_data_labs.yaml"
FLAT = MAPPINGS / "vendor_csv.yaml"
JANE = json.dumps(profile(job("Acme", "CTO", "2020"), full_name="Jané Roe")).encode()
RECORD = {"id": "1", "full_name": "Jane Roe", "experience": [job("Acme", "CTO")]}


def passes(one: FileSource) -> bool:
    try:
        one.inspect()
    except InputError:
        return False
    return True


def source(folder: Path, name: str, content: bytes, mapping: Path = PDL) -> FileSource:
    (folder / name).write_bytes(content)
    return open_source("vendor", name, mapping, date(2026, 6, 15), folder)


def refused(seen: FileSource) -> InputError:
    with pytest.raises(InputError) as caught:
        seen.inspect()
    assert str(seen.paths[0]) in caught.value.place
    assert caught.value.fix, "the fix is told"
    assert "Roe" not in str(caught.value), "no record is quoted"
    return caught.value


@pytest.fixture(params=["a small file", "a large file"])
def _any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "a large file":
        monkeypatch.setattr(inspection, "SMALL_BYTES", 0)
        monkeypatch.setattr(inspection, "LOOK_BYTES", 2000)


MANY = (JANE + b"\n") * 200

DAMAGED = {
    "not text at its beginning": ("a.jsonl", b'{"id": "caf\xe9"}\n' + MANY, "UTF-8"),
    "not text at its end": ("a.jsonl", MANY + b'{"id": "caf\xe9"}\n', "UTF-8"),
    "NUL bytes at its beginning": ("a.jsonl", b"\x00\x00\n" + MANY, "NUL"),
    "NUL bytes at its end": ("a.jsonl", MANY + b"\x00\x00\n", "NUL"),
    "a first line that is no JSON": ("a.jsonl", b'{"id": 1\n' + MANY, "is not JSON"),
    "other things than objects": ("a.jsonl", b"[1]\n" + MANY, "not a JSON object"),
    "cut off": ("a.jsonl", MANY[:-40], "is not JSON"),
    "no array": ("a.json", MANY, "not a JSON array"),
    "an array cut off": ("a.json", b"[" + MANY.replace(b"\n", b",\n"), "without an end"),
    "no Parquet": ("a.parquet", MANY, "Parquet"),
    "compressed in name only": ("a.jsonl.gz", MANY, "gzip"),
    "compressed, no JSON inside": ("a.jsonl.gz", gzip.compress(b"id\n" + MANY), "is not JSON"),
}


@pytest.mark.usefixtures("_any_size")
@pytest.mark.parametrize("case", DAMAGED)
def test_a_first_look_finds(tmp_path: Path, case: str) -> None:
    name, content, said = DAMAGED[case]
    assert said in refused(source(tmp_path, name, content)).message


def test_a_small_compressed_file_that_was_cut_off_is_found(tmp_path: Path) -> None:
    whole = gzip.compress(MANY)
    assert "gzip" in refused(source(tmp_path, "a.jsonl.gz", whole[:-20])).message


def test_columns_that_the_mapping_names_are_looked_for(tmp_path: Path) -> None:
    csv = source(tmp_path, "a.csv", b"Person Id,First Name\n1,Jane\n", FLAT)
    assert "has no column" in refused(csv).message
    pq.write_table(pa.Table.from_pylist([{"id": "1"}]), tmp_path / "b.parquet")
    parquet = open_source("vendor", "b.parquet", PDL, None, tmp_path)
    assert "has no column" in refused(parquet).message


def test_every_file_of_a_source_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(MANY)
    (tmp_path / "b.jsonl").write_bytes(b"no\n")
    seen = open_source("vendor", "*.jsonl", PDL, None, tmp_path)
    with pytest.raises(InputError) as caught:
        seen.inspect()
    assert caught.value.place == f"{tmp_path / 'b.jsonl'}:1"


@pytest.mark.usefixtures("_any_size")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", MANY),
        ("a.jsonl", b"\xef\xbb\xbf" + MANY.replace(b"\n", b"\r\n") + b"\r\n\r\n"),
        ("a.jsonl", MANY[:-1]),
        ("a.jsonl", b""),
        ("a.jsonl", JANE.replace(b"CTO", "é".encode() * 3000) + b"\n" + JANE),
        ("a.jsonl.gz", gzip.compress(MANY)),
        ("a.json", b"\xef\xbb\xbf [" + b",\n".join([JANE] * 50) + b"]\n"),
        ("a.json", json.dumps([json.loads(JANE)] * 50, indent=2).encode()),
    ],
)
def test_a_sound_file_passes(tmp_path: Path, name: str, content: bytes) -> None:
    assert passes(source(tmp_path, name, content))


def test_sound_parquet_passes(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([RECORD]), tmp_path / "a.parquet")
    assert passes(open_source("vendor", "a.parquet", PDL, None, tmp_path))


def test_text_that_unpacks_to_hundreds_of_times_its_size_is_refused(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    lines = b'{"id": 1}\n' * 100_000
    packed = b"".join(packer.compress(lines) for _ in range(300)) + packer.flush()
    assert len(packed) < 2_000_000, "300 MB in less than 2"
    error = refused(source(tmp_path, "a.jsonl.gz", packed))
    assert "200 times its size" in error.message


def test_a_bomb_is_found_at_staging_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "FREE_BYTES", 1 << 20)
    seen = source(tmp_path, "a.jsonl.gz", gzip.compress(b'{"id": 1}\n' * 1_000_000))
    with pytest.raises(InputError, match="200 times"):
        judge(contact_table([]), [seen], now=NOW)


def test_parquet_pages_that_unpack_to_hundreds_of_times_their_size_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "FREE_BYTES", 1 << 20)
    table = pa.Table.from_pylist([{**RECORD, "full_name": "x" * 1000}] * 5000)
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False, compression="zstd")
    seen = open_source("vendor", "a.parquet", PDL, None, tmp_path)
    assert "200 times" in refused(seen).message


def test_what_shrinks_well_but_stays_small_is_no_bomb(tmp_path: Path) -> None:
    assert passes(source(tmp_path, "a.jsonl.gz", gzip.compress(MANY * 50)))


BLOCK = """\
  emea:
    connector: salesforce
    instance_url: {url}
    auth: {{flow: client_credentials, client_id: x, client_secret: sandbox-secret}}
    mapping: mappings/salesforce.yaml
"""


def test_a_plan_tells_of_a_broken_file_without_asking_the_crm(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and never listening: whoever asks is turned away
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        profiles = tmp_path / "a.jsonl"
        project = write_project(tmp_path, BLOCK.format(url=url), url, profiles, "2026-06-15")
        profiles.write_bytes(MANY)
        project.call("plan", expect=75)
        profiles.write_bytes(MANY[:-40])
        told = project.call("plan", expect=2)
    assert f"{profiles}:200: is not JSON" in told.stderr
