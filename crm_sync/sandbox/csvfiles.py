"""CSV files read with care: streamed, bounded, and every mistake told with file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crm_sync.errors import InputError

MAX_CELL = 1 << 20


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One record: its cells in the order of the columns, and the line on which it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """An opened CSV file: its columns, and its rows to be read once."""

    path: Path
    columns: list[str]
    rows: Iterator[CsvRow]

    def error(self, line: int, message: str, fix: str = "") -> InputError:
        """An `InputError` that points at a line of this file."""
        return InputError(message, place=f"{self.path}:{line}", fix=fix)


@contextmanager
def open_csv(path: Path) -> Iterator[CsvFile]:
    """Open a CSV file (UTF-8, with or without a byte order mark, first line names the columns).

    Raises `InputError`, also while the rows are read: not UTF-8, a NUL byte, an unclosed quote, a
    cell above a megabyte, too few or too many cells, a column without a name or named twice.
    """
    csv.field_size_limit(MAX_CELL)
    try:
        stream = path.open(encoding="utf-8-sig", newline="")
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", place=str(path)) from None
    with stream:
        reader = csv.reader(stream, strict=True)
        records = _records(path, reader)
        header = next(records, None)
        if header is None:
            raise InputError("is empty", place=f"{path}:1", fix="The first line names the columns.")
        columns = [name.strip() for name in header.cells]
        _check_columns(path, columns)
        yield CsvFile(path, columns, _full(path, records, len(columns)))


def _records(path: Path, reader: Iterator[list[str]]) -> Iterator[CsvRow]:
    while True:
        line = int(reader.line_num) + 1  # type: ignore[attr-defined]  # csv.reader's own
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise InputError(
                f"is not CSV: {problem}", place=f"{path}:{line}", fix="Look for an unclosed quote."
            ) from None
        except UnicodeDecodeError:
            raise InputError(
                "is not UTF-8 text",
                place=f"{path}:{_undecodable(path)}",
                fix="Save the file as UTF-8.",
            ) from None
        if any("\x00" in cell for cell in cells):
            raise InputError(
                "holds a NUL byte", place=f"{path}:{line}", fix="Is this really a CSV file?"
            )
        if cells:
            yield CsvRow(line, cells)


def _full(path: Path, records: Iterator[CsvRow], columns: int) -> Iterator[CsvRow]:
    for row in records:
        if len(row.cells) != columns:
            raise InputError(
                f"has {len(row.cells)} cells where the first line names {columns} columns",
                place=f"{path}:{row.line}",
                fix="Quote cells that hold a comma.",
            )
        yield row


def _check_columns(path: Path, columns: list[str]) -> None:
    seen: set[str] = set()
    for name in columns:
        if not name:
            raise InputError("a column has no name", place=f"{path}:1")
        if name.lower() in seen:
            raise InputError(f"the column `{name}` is there twice", place=f"{path}:1")
        seen.add(name.lower())


def _undecodable(path: Path) -> int:
    """The line with the first byte that is not UTF-8; decoding reads ahead and cannot tell."""
    with path.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_CELL), b""), 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1
