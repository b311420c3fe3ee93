"""A first look at files, in a moment: what is usually wrong shows at their beginning or end.

Told before the CRM is read, which may take long. Staging checks every file to its end all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crm_sync.enrichment import documents, scan
from crm_sync.enrichment.mapping import Format, VendorMapping
from crm_sync.errors import InputError

LOOK_BYTES = 256 << 10
"""How much of each end is looked at."""

SMALL_BYTES = 16 << 20
"""A file of no more bytes on disk is read whole: the only way to see that compressed text ends."""


def inspect(paths: Sequence[Path], kind: Format, mapping: VendorMapping) -> None:
    """Raise `InputError` for the first file that cannot be what it is said to be."""
    for path in paths:
        if kind == "parquet":
            _parquet(path, mapping)
            continue
        _text(path)
        if kind == "csv":
            documents.read_columns(path, mapping)
        elif kind == "jsonl":
            _lines(path)
        else:
            _array(path)


def _parquet(path: Path, mapping: VendorMapping) -> None:
    import duckdb

    with duckdb.connect() as db:
        documents.check_parquet(db, path, mapping)


def _text(path: Path) -> None:
    if scan.size_of(path) <= SMALL_BYTES:
        scan.check_text(path)
        return
    head, _ = scan.first_bytes(path, LOOK_BYTES)
    scan.check_chunks(path, [head], to_end=False)
    end = _last_lines(path)
    if b"\x00" in end:
        raise InputError(
            "holds a NUL byte near its end",
            place=str(path),
            fix="Ask for the file again: it is damaged.",
        )
    try:
        end.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(
            "is not UTF-8 text near its end", place=str(path), fix="Save the file as UTF-8."
        ) from None


def _lines(path: Path) -> None:
    head, whole = scan.first_bytes(path, LOOK_BYTES)
    lines = head.split(b"\n")
    for number, line in enumerate(lines if whole else lines[:-1], start=1):
        problem = scan.json_problem(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        if problem:
            raise scan.not_json(path, problem, number)
    last = _last_lines(path).rstrip().rpartition(b"\n")[2]
    problem = "" if whole else scan.json_problem(last.decode("utf-8"))
    if problem:
        raise scan.not_json(path, f"ends with a line that {problem}")


def _array(path: Path) -> None:
    head, _ = scan.first_bytes(path, LOOK_BYTES)
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin and not begin.startswith(b"["):
        raise InputError(
            "is not a JSON array",
            place=f"{path}:1",
            fix="If each line holds one record, set `format: jsonl` in the mapping.",
        )
    end = _last_lines(path).rstrip()
    if end and not end.endswith(b"]"):
        raise InputError(
            "is a JSON array without an end",
            place=str(path),
            fix="Ask for the file again: it was cut off.",
        )


def _last_lines(path: Path) -> bytes:
    """The whole lines among the last bytes; empty if they are compressed or one endless line."""
    end = scan.last_bytes(path, LOOK_BYTES)
    return end if scan.size_of(path) <= LOOK_BYTES else end.partition(b"\n")[2]
