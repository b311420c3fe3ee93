"""Files looked at as bytes before anything believes them, and bad records found again by place."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from crm_sync.errors import InputError

MAX_LINE_BYTES = 8 << 20
"""A longer line is no record: what a person's profile says fits in a thousandth of it."""

_CHUNK = 1 << 20


def check_text(path: Path) -> None:
    """Make sure that a file is whole UTF-8 text without NUL bytes and without endless lines.

    Raises `InputError` naming `file:line`. Reads the file once, a megabyte at a time.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, in_line = 1, 0
    for chunk in _chunks(path):
        if b"\x00" in chunk:
            at = line + chunk.count(b"\n", 0, chunk.index(b"\x00"))
            raise _damaged(path, at, "holds a NUL byte", "Ask for the file again: it is damaged.")
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as problem:
            raise _not_utf8(path, line + chunk.count(b"\n", 0, max(0, problem.start))) from None
        in_line, line = _line_lengths(path, chunk, in_line, line)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _not_utf8(path, line) from None


def first_bad_json(path: Path) -> InputError:
    """The error that names the first line that is not a JSON object."""
    for number, text in _lines(path):
        problem = _json_problem(text)
        if problem:
            return _damaged(path, number, problem, _JSON_FIX)
    return InputError("holds lines that are not JSON objects", place=str(path), fix=_JSON_FIX)


def first_bad_row(path: Path, header: list[str], delimiter: str) -> InputError:
    """The error that names the first line of a CSV file with the wrong number of fields."""
    try:
        with _text(path) as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            for row in reader:
                if row and len(row) != len(header):
                    return _damaged(
                        path,
                        reader.line_num,
                        f"has {len(row)} fields, the header has {len(header)}",
                        "Look for an unquoted delimiter or a truncated line.",
                    )
    except csv.Error as problem:
        return _damaged(path, reader.line_num, f"is not CSV: {problem}", "Check its quotes.")
    return InputError("cannot be read as CSV", place=str(path), fix="Check its quotes.")


def read_header(path: Path, delimiter: str | None) -> tuple[list[str], str]:
    """The column names of a CSV file and its delimiter, found in the header when not given."""
    with _text(path) as stream:
        first = stream.readline(MAX_LINE_BYTES)
    if not first.strip():
        raise _damaged(path, 1, "has no header", "The first line should name the columns.")
    used = delimiter or max(",;\t|", key=first.count)
    header = [name.strip() for name in next(csv.reader([first], delimiter=used))]
    folded = [name.casefold() for name in header]
    twice = sorted({name for name in header if folded.count(name.casefold()) > 1})
    if "" in header:
        raise _damaged(path, 1, "has a column without a name", "Name every column once.")
    if twice:
        raise _damaged(path, 1, f"names the column `{twice[0]}` twice", "Name every column once.")
    return header, used


def places_of(
    path: Path, lacks: Callable[[Any], bool], *, at_most: int, lines: int = 200_000
) -> Iterator[str]:
    """`file:line` of the first JSON records of which `lacks` is true, looking at so many lines."""
    found = 0
    for number, text in _lines(path):
        if found >= at_most or number > lines:
            return
        if text.strip() and lacks(json.loads(text)):
            found += 1
            yield f"{path}:{number}"


_JSON_FIX = "Each line should be one JSON object; ask for the file again if it was cut off."


def _json_problem(text: str) -> str:
    if not text.strip():
        return ""
    try:
        value = json.loads(text)
        text.encode()
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as problem:
        return f"is not JSON: {problem.msg.lower()} at column {problem.colno}"
    except (ValueError, RecursionError):
        return "is not JSON that can be read"
    return "" if isinstance(value, dict) else "is not a JSON object"


def _line_lengths(path: Path, chunk: bytes, in_line: int, line: int) -> tuple[int, int]:
    """The bytes in the unfinished line and its number, after this chunk."""
    for number, part in enumerate(chunk.split(b"\n")):
        in_line = in_line + len(part) if number == 0 else len(part)
        if in_line > MAX_LINE_BYTES:
            raise _damaged(
                path,
                line + number,
                f"is longer than {MAX_LINE_BYTES >> 20} MB",
                "Put one record on each line.",
            )
    return in_line, line + chunk.count(b"\n")


def _chunks(path: Path) -> Iterator[bytes]:
    with _reading(path), _bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with _text(path, newline="\n") as stream:
        yield from enumerate(stream, start=1)


@contextmanager
def _text(path: Path, newline: str = "") -> Iterator[IO[str]]:
    with _reading(path), _bytes(path) as stream:
        yield io.TextIOWrapper(stream, encoding="utf-8-sig", newline=newline)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError(
            "is not a whole gzip file", place=str(path), fix="Ask for it again: it was cut off."
        ) from None
    except OSError as problem:
        raise InputError(
            f"cannot be read: {problem.strerror or type(problem).__name__}",
            place=str(path),
            fix="Check its permissions.",
        ) from None


def _bytes(path: Path) -> IO[bytes] | gzip.GzipFile:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    return path.open("rb")


def _not_utf8(path: Path, line: int) -> InputError:
    return _damaged(path, line, "is not UTF-8 text", "Save the file as UTF-8.")


def _damaged(path: Path, line: int, what: str, fix: str) -> InputError:
    return InputError(what, place=f"{path}:{line}", fix=fix)
