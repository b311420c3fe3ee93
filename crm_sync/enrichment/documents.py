"""Files of every format as one relation of JSON documents, after they were found sound.

Structural damage (bytes that are no text, a line that is no record, a row of another width) stops
before anything is judged; a record that merely lacks an id or a name is counted and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sync.enrichment import scan
from crm_sync.enrichment.layout import (
    Layout,
    compile_layout,
    identifier,
    literal,
    named_columns,
)
from crm_sync.enrichment.mapping import Format, VendorMapping
from crm_sync.enrichment.source import Staged
from crm_sync.enrichment.staging import KEPT
from crm_sync.enrichment.typed import typed_columns, without_absent
from crm_sync.errors import InputError
from crm_sync.yamlfile import did_you_mean

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLACES_TOLD = 3

HELD_BYTES = 512 << 20
"""Records of so much text are taken apart once and held; more are read again for every pass."""

_UNPACKED = {".gz": 10, ".parquet": 5}


@dataclass(frozen=True)
class Documents:
    """Statements over the files.

    `make` makes `source_row`, a table or a view, and `drop` drops it; `kept` selects those rows of
    it whose `profile_id` stands in `source_strong`, taking apart no other record.
    """

    make: str
    drop: str
    kept: str


def open_documents(
    db: DuckDBPyConnection, paths: Sequence[Path], kind: Format, mapping: VendorMapping
) -> Documents:
    """Check the files and describe how to read them. Raises `InputError` naming `file:line`."""
    layout = compile_layout(mapping, flat=kind == "csv")
    if kind == "csv":
        relation, version = _csv(db, paths, mapping), "hash(r)"
    elif kind == "parquet":
        (relation, layout), version = _parquet(db, paths, mapping), "hash(r)"
    else:
        documents = _json(db, paths, kind)
        parsed = f"from_json(doc, {literal(layout.structure)}) AS r"
        relation, version = f"(SELECT doc, {parsed} FROM {documents})", "hash(doc)"  # noqa: S608
    # Parquet is read again for every pass: a pass takes up only the columns that it needs.
    held = kind != "parquet" and _text_bytes(paths) <= HELD_BYTES
    shape = "TABLE" if held else "VIEW"
    # Every name in these statements is quoted.
    taken = f"SELECT {layout.select_list}, {version} AS version"
    profile_id = layout.columns["profile_id"]
    found = f"{profile_id} IN (SELECT profile_id FROM source_strong)"  # noqa: S608
    some = f"{taken} FROM (SELECT * FROM {relation} AS r WHERE {found}) AS r"  # noqa: S608
    return Documents(
        f"CREATE TEMP {shape} source_row AS {taken} FROM {relation} AS r",
        f"DROP {shape} source_row",
        KEPT if held else some,
    )


def _text_bytes(paths: Sequence[Path]) -> int:
    """About how much text the files hold."""
    return sum(scan.size_of(path) * _UNPACKED.get(path.suffix, 1) for path in paths)


def with_places(count: Staged, paths: Sequence[Path], mapping: VendorMapping) -> Staged:
    """The count with the places of the first rejected records of JSON lines."""
    found: list[str] = []
    for path in paths:
        wanted = PLACES_TOLD - len(found)
        if wanted <= 0:
            break
        found += scan.places_of(path, lambda record: _lacks(record, mapping), at_most=wanted)
    return replace(count, places=tuple(found))


def _json(db: DuckDBPyConnection, paths: Sequence[Path], kind: Format) -> str:
    for path in paths:
        scan.check_text(path)
    if kind == "json":
        size = scan.MAX_LINE_BYTES
        relation = (
            f"(SELECT json AS doc FROM read_json_objects({_list(paths)}, format = 'array', "  # noqa: S608
            f"maximum_object_size = {size}))"
        )
        _refuse_other_than_objects(db, relation, paths)
        return relation
    for path in paths:
        try:
            _refuse_other_than_objects(db, _lines([path]), [path])
        except _duckdb_errors():
            raise scan.first_bad_json(path) from None
    return _lines(paths)


def _lines(paths: Sequence[Path]) -> str:
    """Lines as they are: the separator is a sign that JSON text cannot hold."""
    return (
        f"(SELECT doc FROM read_csv({_list(paths)}, columns = {{'doc': 'VARCHAR'}}, "  # noqa: S608
        "delim = chr(1), quote = '', escape = '', header = false, auto_detect = false, "
        f"max_line_size = {scan.MAX_LINE_BYTES + 2}) WHERE trim(doc, ' \t\r') <> '')"
    )


def _refuse_other_than_objects(
    db: DuckDBPyConnection, relation: str, paths: Sequence[Path]
) -> None:
    query = (
        "SELECT count(*) FILTER (NOT coalesce("  # noqa: S608 - the paths in it are quoted
        "CASE WHEN json_valid(doc) THEN json_type(doc) = 'OBJECT' END, false)) "
        f"FROM {relation}"
    )
    found = db.execute(query).fetchone()
    if found and found[0]:
        raise scan.first_bad_json(paths[0])


def _csv(db: DuckDBPyConnection, paths: Sequence[Path], mapping: VendorMapping) -> str:
    relations = [_one_csv(db, path, mapping) for path in paths]
    return f"({' UNION ALL '.join(relations)})"


def read_columns(path: Path, mapping: VendorMapping) -> tuple[list[str], str]:
    """A CSV file's columns and delimiter. Raises `InputError` if the mapping names others."""
    header, delimiter = scan.read_header(path, mapping.delimiter)
    needed = [name for name in named_columns(mapping) if name not in mapping.optional]
    _refuse_missing(path, needed, header)
    return header, delimiter


def check_parquet(db: DuckDBPyConnection, path: Path, mapping: VendorMapping) -> None:
    """Raise `InputError` if the end of a Parquet file does not describe what the mapping reads."""
    file = literal(str(path))
    try:
        found = db.execute(f"DESCRIBE SELECT * FROM read_parquet({file})").fetchall()  # noqa: S608
        expanded = db.execute(
            f"SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata({file})"  # noqa: S608
        ).fetchone()
    except _duckdb_errors():
        raise InputError(
            "is not a whole Parquet file", place=str(path), fix="Ask for it again."
        ) from None
    scan.refuse_expansion(path, int(expanded[0]) if expanded else 0, scan.size_of(path))
    _refuse_missing(path, _essential(mapping), [str(row[0]) for row in found])


def _one_csv(db: DuckDBPyConnection, path: Path, mapping: VendorMapping) -> str:
    scan.check_text(path)
    header, delimiter = read_columns(path, mapping)
    wanted = [name for name in named_columns(mapping) if name in header]
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    rows = (
        f"read_csv({_list([path])}, columns = {{{columns}}}, delim = {literal(delimiter)}, "
        "quote = '\"', escape = '\"', header = true, auto_detect = false, null_padding = false, "
        f"strict_mode = true, max_line_size = {scan.MAX_LINE_BYTES + 2})"
    )
    missing = [name for name in named_columns(mapping) if name not in header]
    taken = [identifier(name) for name in wanted]
    taken += [f"CAST(NULL AS VARCHAR) AS {identifier(name)}" for name in missing]
    relation = f"SELECT {', '.join(taken)} FROM {rows}"  # noqa: S608
    last = identifier(header[-1])
    try:
        db.execute(f"SELECT count({last}) FROM {rows}").fetchone()  # noqa: S608
    except _duckdb_errors():
        raise scan.first_bad_row(path, header, delimiter) from None
    return relation


def _parquet(
    db: DuckDBPyConnection, paths: Sequence[Path], mapping: VendorMapping
) -> tuple[str, Layout]:
    for path in paths:
        check_parquet(db, path, mapping)
    rows = f"read_parquet({_list(paths)}, union_by_name = true)"
    described = db.sql(f"SELECT * FROM {rows}")  # noqa: S608
    there = list(zip(described.columns, described.types, strict=True))
    layout = compile_layout(without_absent(mapping, there), flat=False)
    columns = typed_columns(layout, there)
    taken = ", ".join(f"{sql} AS {identifier(key)}" for key, sql in columns.items())
    return f"(SELECT {taken} FROM {rows})", layout  # noqa: S608


def _refuse_missing(path: Path, wanted: Sequence[str], there: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in there]
    if not missing:
        return
    guess = did_you_mean(missing[0], list(there))
    hint = f"Did you mean `{guess}`?" if guess else f"It has: {', '.join(there[:12])}."
    raise InputError(
        f"has no column {', '.join(f'`{name}`' for name in missing[:5])}, which the mapping names",
        place=f"{path}:1",
        fix=f"{hint} Correct the mapping or the file.",
    )


def _essential(mapping: VendorMapping) -> list[str]:
    """The columns without which a nested file says nothing; the others may be absent."""
    names = [mapping.profile.id[0], (mapping.profile.full_name or mapping.profile.last_name)[0]]
    first = mapping.employments[0]
    names.append(first.each or first.organisation[0])
    return [name.split(".")[0].removesuffix("[]") for name in names]


def _lacks(record: Any, mapping: VendorMapping) -> bool:
    """Whether a JSON record has no id, or no name at all."""
    profile = mapping.profile
    names = (*profile.full_name, *profile.first_name, *profile.last_name)
    return not any(_there(record, path) for path in profile.id) or not any(
        _there(record, path) for path in names
    )


def _there(record: Any, path: str) -> bool:
    for key in path.split("."):
        record = record.get(key.removesuffix("[]")) if isinstance(record, dict) else None
        record = record[0] if isinstance(record, list) and record else record
    return record not in (None, [], {}) and bool(str(record).strip())


def _list(paths: Sequence[Path]) -> str:
    return f"[{', '.join(literal(str(path)) for path in paths)}]"


def _duckdb_errors() -> type[Exception]:
    import duckdb

    return duckdb.Error
