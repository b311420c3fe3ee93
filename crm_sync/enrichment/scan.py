"""Files looked at as bytes before anything believes them, and bad records found again by place."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from crm_sync.errors import InputError

MAX_LINE_BYTES = 8 << 20
"""A longer line is no record: what a person's profile says fits in a thousandth of it."""

MAX_HEADER = 128 << 10
"""Characters of a header at most: some thousand columns."""

MAX_EXPANSION, FREE_BYTES = 200, 256 << 20
"""Text shrinks to a tenth, perhaps a thirtieth. What grows beyond both was made to do harm."""

_CHUNK = 1 << 20


def check_text(path: Path) -> None:
    """Make sure that a file is whole UTF-8 text without NUL bytes and without endless lines.

    Raises `InputError` naming `file:line`. Reads the file once, a megabyte at a time.
    """
    check_chunks(path, _chunks(path), to_end=True)


def check_chunks(path: Path, chunks: Iterable[bytes], *, to_end: bool) -> None:
    """The same for some chunks from the beginning of a file."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, in_line = 1, 0
    for chunk in chunks:
        if b"\x00" in chunk:
            at = line + chunk.count(b"\n", 0, chunk.index(b"\x00"))
            raise _damaged(path, at, "holds a NUL byte", "Ask for the file again: it is damaged.")
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as problem:
            raise _not_utf8(path, line + chunk.count(b"\n", 0, max(0, problem.start))) from None
        in_line, line = _line_lengths(path, chunk, in_line, line)
    try:
        decoder.decode(b"", final=to_end)
    except UnicodeDecodeError:
        raise _not_utf8(path, line) from None


def refuse_expansion(path: Path, expanded: int, size: int) -> None:
    """Raise `InputError` when a file of `size` bytes grows beyond measure when it is unpacked."""
    if expanded > max(FREE_BYTES, MAX_EXPANSION * size):
        raise InputError(
            f"expands to more than {MAX_EXPANSION} times its size",
            place=str(path),
            fix="No vendor's data does: look where the file comes from. If it is sound, unpack it.",
        )


def first_bytes(path: Path, count: int) -> tuple[bytes, bool]:
    """The first bytes, unpacked, and whether they are all."""
    with _reading(path), _bytes(path) as stream:
        head = stream.read(count)
        return head, not stream.read(1)


def last_bytes(path: Path, count: int) -> bytes:
    """The last bytes; none of a compressed file, of which only a whole reading shows the end."""
    if path.suffix == ".gz":
        return b""
    with _reading(path), path.open("rb") as stream:
        stream.seek(max(0, size_of(path) - count))
        return stream.read(count)


def size_of(path: Path) -> int:
    """Bytes on disk."""
    with _reading(path):
        return path.stat().st_size


def first_bad_json(path: Path) -> InputError:
    """The error that names the first line that is not a JSON object."""
    for number, text in _lines(path):
        problem = json_problem(text)
        if problem:
            return not_json(path, problem, number)
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
    names = "The first line should name the columns."
    with _text(path) as stream:
        first = stream.readline(MAX_HEADER + 1)
    if not first.strip():
        raise _damaged(path, 1, "has no header", names)
    if len(first) > MAX_HEADER:
        raise _damaged(path, 1, f"is longer than {MAX_HEADER >> 10} KB: no header", names)
    used = delimiter or max(",;\t|", key=first.count)
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=used))]
    except csv.Error as problem:
        raise _damaged(path, 1, f"is not CSV: {problem}", names) from None
    times = Counter(name.casefold() for name in header)
    twice = sorted(name for name in set(header) if times[name.casefold()] > 1)
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


def not_json(path: Path, problem: str, line: int | None = None) -> InputError:
    """The error that names such a line, or only the file."""
    return InputError(problem, place=f"{path}:{line}" if line else str(path), fix=_JSON_FIX)


def json_problem(text: str) -> str:
    """What is wrong with a line that should be a JSON object; empty if nothing is, or if blank."""
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
    read, size = 0, size_of(path)
    with _reading(path), _bytes(path) as stream:
        while chunk := stream.read(_CHUNK):
            read += len(chunk)
            refuse_expansion(path, read, size)
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
