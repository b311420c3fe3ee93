"""Which pairs are looked at: rows that share a block's key, unless too many share it.

Works on the tables `linkage_left` and `linkage_right` of `staging`; rows are known by their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm_sync.matching.probabilistic.model import LinkModel

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Blocked:
    """How many pairs the kept keys give at most, and what was narrowed or dropped for its size."""

    pairs: int
    keys_narrowed: int = 0
    keys_dropped: int = 0


def block(db: DuckDBPyConnection, model: LinkModel) -> Blocked:
    """Make `linkage_key(side, key, n)`, the keys of all blocks that few enough pairs share."""
    steps = ((), *((column,) for column in model.narrowing))
    db.execute("CREATE OR REPLACE TABLE linkage_key (side TINYINT, key UBIGINT, n INTEGER)")
    narrowed = dropped = 0
    for number, columns in enumerate(model.blocks):
        crowded = 0
        for more in steps:
            if more and set(more) <= set(columns):
                continue
            _make_keys(db, number, columns, more, only_crowded=crowded > 0)
            before, crowded = crowded, _take_uncrowded(db, model.most_pairs_per_block)
            narrowed += before
            if not crowded:
                break
        dropped += crowded
    db.execute("DROP TABLE IF EXISTS linkage_new")
    db.execute("DROP TABLE IF EXISTS linkage_crowded")
    row = db.execute(_COUNT).fetchone()
    return Blocked(int(row[0] or 0) if row else 0, narrowed, dropped)


def _make_keys(
    db: DuckDBPyConnection,
    number: int,
    columns: tuple[str, ...],
    more: tuple[str, ...],
    *,
    only_crowded: bool,
) -> None:
    """Make `linkage_new`: keys of block `number`, of rows with a crowded key only or of all.

    `base` is the key of the block itself, `key` that with the columns in `more` as well.
    """
    present = " AND ".join(f'"{name}" IS NOT NULL' for name in (*columns, *more))
    base = f"hash({number}, {_list(columns)})"
    key = f"hash({number}, {_list((*columns, *more))}, 'narrowed')" if more else base
    crowded = "SEMI JOIN linkage_crowded c ON c.key = base" if only_crowded else ""
    sides = [
        f"SELECT DISTINCT {side}::TINYINT AS side, {key} AS key, {base} AS base, n "  # noqa: S608
        f"FROM (SELECT n, {_unnested(db, table, (*columns, *more))} FROM {table}) WHERE {present}"
        for side, table in enumerate(("linkage_left", "linkage_right"))
    ]
    db.execute(
        "CREATE OR REPLACE TABLE linkage_new AS "  # noqa: S608
        f"SELECT * FROM ({' UNION ALL '.join(sides)}) {crowded}"
    )


def _unnested(db: DuckDBPyConnection, table: str, names: tuple[str, ...]) -> str:
    kinds = dict(
        db.execute("SELECT name, type FROM pragma_table_info($t)", {"t": table}).fetchall()
    )
    return ", ".join(
        f'unnest("{name}") AS "{name}"' if kinds[name].endswith("[]") else f'"{name}"'
        for name in names
    )


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _take_uncrowded(db: DuckDBPyConnection, most: int) -> int:
    """Keep the keys that few enough pairs share; how many first keys stay crowded."""
    db.execute(
        "CREATE OR REPLACE TABLE linkage_size AS SELECT key, any_value(base) AS base, "
        "count(*) FILTER (side = 0) AS lefts, count(*) FILTER (side = 1) AS rights "
        "FROM linkage_new GROUP BY key"
    )
    db.execute(
        "INSERT INTO linkage_key SELECT side, key, n FROM linkage_new SEMI JOIN "
        "(SELECT key FROM linkage_size WHERE lefts > 0 AND rights > 0 AND lefts * rights <= $most) "
        "USING (key)",
        {"most": most},
    )
    db.execute(
        "CREATE OR REPLACE TABLE linkage_crowded AS "
        "SELECT DISTINCT base AS key FROM linkage_size WHERE lefts * rights > $most",
        {"most": most},
    )
    db.execute("DROP TABLE linkage_size")
    row = db.execute("SELECT count(*) FROM linkage_crowded").fetchone()
    return int(row[0]) if row else 0


_COUNT = """
    SELECT sum(lefts * rights) FROM (
        SELECT count(*) FILTER (side = 0) AS lefts, count(*) FILTER (side = 1) AS rights
        FROM linkage_key GROUP BY key)
"""
