"""The source that reads files: CSV, JSON lines, JSON arrays, Parquet, one or many."""

from __future__ import annotations

import datetime as dt
import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from pydantic import field_validator

from crm_sync.enrichment import documents, inspection, staging
from crm_sync.enrichment.config import SourceConfig, SourcePlace
from crm_sync.enrichment.layout import compile_layout
from crm_sync.enrichment.mapping import Format, VendorMapping, load_mapping
from crm_sync.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from crm_sync.enrichment.source import Staged

_FORMAT_OF: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
}


class FileConfig(SourceConfig):
    """Files of profiles; `path` may hold `*` and `**`, `as_of` is when the vendor made them."""

    path: str
    mapping: Path
    as_of: dt.date | None = None

    @field_validator("as_of", mode="before")
    @classmethod
    def _is_a_date(cls, value: object) -> object:
        if isinstance(value, dt.date | None):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            raise ValueError("should be a date such as 2026-06-15") from None

    @field_validator("as_of")
    @classmethod
    def _is_past(cls, value: dt.date | None) -> dt.date | None:
        tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
        if value is not None and value > tomorrow:
            raise ValueError("lies in the future; say when the vendor made the file")
        return value


@dataclass(frozen=True)
class FileSource:
    """Profiles in files of one format, described by one mapping.

    `as_of` is the date of the delivery: no profile of it can know anything later.
    """

    Config: ClassVar[type[SourceConfig]] = FileConfig

    name: str
    paths: tuple[Path, ...]
    format: Format
    mapping: VendorMapping
    as_of: date | None = None
    trust: float = 1.0

    @classmethod
    def open(cls, name: str, config: FileConfig, place: SourcePlace) -> FileSource:
        """See `SourcePlugIn.open`."""
        mapping = place.folder / config.mapping
        return open_source(
            name, config.path, mapping, config.as_of, place.folder, trust=config.trust
        )

    @property
    def restores_case(self) -> bool:
        """Whether the vendor's texts lost their capitals."""
        return self.mapping.letter_case == "restore"

    def inspect(self) -> None:
        """See `Source.inspect`: the beginning and the end of each file, and its columns."""
        with _damage_told(self.paths):
            inspection.inspect(self.paths, self.format, self.mapping)

    def stage(self, db: DuckDBPyConnection, *, today: date) -> Staged:
        """See `Source.stage`. Every file is checked to its end before a profile is staged."""
        with _damage_told(self.paths):
            opened = documents.open_documents(db, self.paths, self.format, self.mapping)
            db.execute(opened.make)
            latest = min(self.as_of or today, today)
            count = staging.stage(
                db,
                self.name,
                latest=latest,
                dated=self._dated(),
                paths=self.paths,
                kept=opened.kept,
            )
            db.execute(opened.drop)
        if count.rejected and self.format == "jsonl":
            return documents.with_places(count, self.paths, self.mapping)
        return count

    def _dated(self) -> Literal["by_record", "by_delivery", "never"]:
        """Who says as of when a profile speaks."""
        if self.mapping.profile.verified_on:
            return "by_record"
        return "by_delivery" if self.as_of else "never"


def open_source(
    name: str,
    path: str,
    mapping: Path,
    as_of: date | None,
    base_dir: Path,
    *,
    trust: float = 1.0,
) -> FileSource:
    """The source that a configuration entry describes.

    `path` may hold `*`, `?` and `**`, and is relative to `base_dir`. Raises `ConfigError` for the
    mapping and `InputError` when there is no such file; the files' contents are read later.
    """
    described = load_mapping(mapping)
    paths = _resolve(path, base_dir)
    formats = sorted({described.format or _format_by_name(file) for file in paths})
    if len(formats) > 1:
        raise InputError(
            f"mixes files of several formats: {', '.join(formats)}",
            place=path,
            fix="Give each format a source of its own.",
        )
    _refuse_clashes(described, formats[0], mapping)
    return FileSource(name, paths, formats[0], described, as_of, trust)


def _refuse_clashes(described: VendorMapping, kind: Format, path: Path) -> None:
    try:
        compile_layout(described, flat=kind == "csv")
    except ConfigError as problem:
        raise ConfigError(problem.message, place=str(path), fix=problem.fix) from None


def _resolve(pattern: str, base_dir: Path) -> tuple[Path, ...]:
    full = str(base_dir / pattern)
    if not glob.has_magic(pattern):
        if not Path(full).is_file():
            raise InputError(
                "there is no such file",
                place=full,
                fix="Check `path` of this enrichment source in the configuration.",
            )
        return (_plain_name(Path(full)),)
    names = glob.glob(full, recursive=True)  # noqa: PTH207 - the pattern may be absolute
    found = sorted(path for path in map(Path, names) if path.is_file())
    if not found:
        raise InputError(
            "no file has such a name",
            place=full,
            fix="Check `path` of this enrichment source, or put the vendor's files there.",
        )
    return tuple(_plain_name(file) for file in found)


def _plain_name(path: Path) -> Path:
    """The reader takes these signs for a pattern, so a name with one could mean other files."""
    if glob.has_magic(str(path)):
        raise InputError(
            "has `*`, `?` or `[` in its name", place=str(path), fix="Rename the file or folder."
        )
    return path


def _format_by_name(path: Path) -> Format:
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    known = _FORMAT_OF.get(suffix.lower())
    if known is None:
        raise InputError(
            f"its format cannot be told from the ending `{suffix}`",
            place=str(path),
            fix=f"Set `format:` in the mapping to one of {', '.join(get_args(Format))}.",
        )
    return known


@contextmanager
def _damage_told(paths: Sequence[Path]) -> Iterator[None]:
    """A reader's failure as one message, without the rows that its own message would quote."""
    import duckdb

    try:
        yield
    except (
        duckdb.InvalidInputException,
        duckdb.IOException,
        duckdb.ConversionException,
        duckdb.SerializationException,
    ) as problem:
        named = next((file for file in paths if str(file) in str(problem)), None)
        place = str(named) if named else ", ".join(str(file) for file in paths[:3])
        raise InputError(
            "is damaged and cannot be read to its end",
            place=place,
            fix="Ask for the file again, and compare its size with the vendor's.",
        ) from None
