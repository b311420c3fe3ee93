"""Weighing pairs with trained parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crm_sync.matching.probabilistic.blocking import Blocked, block
from crm_sync.matching.probabilistic.model import LEVELS, Field, LinkModel
from crm_sync.matching.probabilistic.settings import LEFT, RIGHT, splink_settings
from crm_sync.matching.probabilistic.staging import linker, splink, staged
from crm_sync.matching.probabilistic.trained import Trained

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from splink.internals.database_api import DatabaseAPISubClass

PAIRS_AT_ONCE = 1_000_000
"""Pairs that are weighed in one go: what bounds the memory."""


@dataclass(frozen=True, slots=True)
class Scored:
    """How many pairs were looked at, and what was too common to be: see `Blocked`."""

    pairs: int
    keys_narrowed: int
    keys_dropped: int


class Scoring(Protocol):
    """What weighs pairs: `score`, or the same on another engine."""

    def __call__(
        self,
        db: DuckDBPyConnection,
        left: str,
        right: str,
        model: LinkModel,
        trained: Trained,
        *,
        floor: float,
    ) -> Scored:
        """Make `pair_score`; see `score`."""


def score(
    db: DuckDBPyConnection,
    left: str,
    right: str,
    model: LinkModel,
    trained: Trained,
    *,
    floor: float = 0.01,
    into: str = "pair_score",
    pairs_at_once: int = PAIRS_AT_ONCE,
) -> Scored:
    """Weigh the pairs of `left` and `right` that share a block.

    Both tables have a text column `id`, unique, and the model's columns. Makes the temporary table
    `into`(left_id, right_id, weight, probability, factors) of the pairs whose probability is at
    least `floor`: weight in bits, prior included; factors a list of {field, level, weight}.
    """
    make_scores(db, into)
    with staged(db, left, right, columns_of(model)):
        blocked = block(db, model)
        looked = 0
        chunks = -(-blocked.pairs // pairs_at_once)
        for number in range(chunks):
            looked += _score_chunk(db, model, trained, (number, chunks), floor, into)
    return counted(blocked, looked)


def columns_of(model: LinkModel) -> tuple[str, ...]:
    """Every column that scoring reads, some twice."""
    return (*model.compared, *(name for some in model.blocks for name in some), *model.narrowing)


def counted(blocked: Blocked, looked: int) -> Scored:
    """What is told of blocks and of the pairs that they gave."""
    return Scored(looked, blocked.keys_narrowed, blocked.keys_dropped)


def make_scores(db: DuckDBPyConnection, into: str) -> None:
    """Make the table of results, empty."""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} (left_id VARCHAR, right_id VARCHAR, weight DOUBLE, "
        "probability DOUBLE, factors STRUCT(field VARCHAR, level VARCHAR, weight DOUBLE)[])"
    )


def take_scores(
    db: DuckDBPyConnection, result: str, model: LinkModel, trained: Trained, into: str
) -> None:
    """Add what Splink made, a table of `db` or a call that reads one, to the table of results.

    Here weights are rounded, which the last digits of another engine's logarithms do not survive.
    """
    db.execute(
        f"INSERT INTO {into} SELECT l.id, r.id, round(s.match_weight, 6), "  # noqa: S608
        f"round(s.match_probability, 9), {_factors(model, trained)} FROM {result} s "
        "JOIN linkage_left l ON l.n = s.id_l JOIN linkage_right r ON r.n = s.id_r"
    )


def _score_chunk(
    db: DuckDBPyConnection,
    model: LinkModel,
    trained: Trained,
    chunk: tuple[int, int],
    floor: float,
    into: str,
) -> int:
    number, chunks = chunk
    db.execute(
        "CREATE OR REPLACE TABLE linkage_pair AS SELECT DISTINCT l.n AS left_n, r.n AS right_n "
        "FROM linkage_key l JOIN linkage_key r USING (key) "
        "WHERE l.side = 0 AND r.side = 1 AND l.n % $chunks = $number",
        {"chunks": chunks, "number": number},
    )
    found = db.execute("SELECT count(*) FROM linkage_pair").fetchone()
    pairs = int(found[0]) if found else 0
    if not pairs:
        return 0
    for side in ("left", "right"):
        compared = ", ".join(f'"{name}"' for name in model.compared)
        db.execute(
            f"CREATE OR REPLACE TABLE linkage_some_{side} AS SELECT n AS id, {compared} "  # noqa: S608
            f"FROM linkage_{side} SEMI JOIN linkage_pair p ON p.{side}_n = n"
        )
    db.execute(
        "CREATE OR REPLACE TABLE linkage_blocked AS SELECT '0' AS match_key, "  # noqa: S608
        f"'{LEFT}-__-' || left_n AS join_key_l, '{RIGHT}-__-' || right_n AS join_key_r "
        "FROM linkage_pair"
    )
    make_frequencies(db, trained, "linkage_some_left")
    with splink(db) as api:
        result = predict(api, model, trained, floor)
        take_scores(db, result, model, trained, into)
        db.execute(f"DROP TABLE {result}")
    return pairs


def predict(api: DatabaseAPISubClass, model: LinkModel, trained: Trained, floor: float) -> str:
    """Score the pairs of `linkage_blocked`; the name of the table of results.

    `linkage_some_left`, `linkage_some_right` and the tables of `make_frequencies` are there too.
    """
    link = linker(api, ("linkage_some_left", "linkage_some_right"), splink_settings(model, trained))
    for one in trained.fields:
        if one.rare is not None:
            table = api.register(f"linkage_tf_{one.name}")
            link.table_management.register_term_frequency_lookup(table, one.name)
    link.table_management.register_blocked_pairs_for_predict(api.register("linkage_blocked"))
    scored = link.inference.predict(threshold_match_probability=floor, warning_mode="never")
    return str(scored.physical_name)


def make_frequencies(db: DuckDBPyConnection, trained: Trained, table: str) -> None:
    """How common each value of a table is: as training saw it, and as rare as any other was.

    Makes `linkage_tf_<field>` for every field with frequencies.
    """
    for one in trained.fields:
        if one.rare is None:
            continue
        db.execute(
            f'CREATE OR REPLACE TABLE linkage_tf_{one.name} AS SELECT "{one.name}", '  # noqa: S608
            "coalesce(list_extract($shares, list_position($names, "
            f'"{one.name}")), $rare) AS "tf_{one.name}" FROM '
            f'(SELECT DISTINCT "{one.name}" FROM {table} WHERE "{one.name}" IS NOT NULL)',
            {
                "names": list(one.frequencies),
                "shares": list(one.frequencies.values()),
                "rare": one.rare,
            },
        )


def _factors(model: LinkModel, trained: Trained) -> str:
    """The list of what each field said, fields with an absent value left out."""
    with_frequencies = {one.name for one in trained.fields if one.rare is not None}
    each = ", ".join(_factor(one, one.name in with_frequencies) for one in model.fields)
    return f"list_filter([{each}], lambda f: f IS NOT NULL)"


def _factor(field: Field, with_frequencies: bool) -> str:
    labels = ", ".join(f"'{label}'" for label in reversed(LEVELS[field.kind]))
    more = f" + s.mw_tf_adj_{field.name}" if with_frequencies else ""
    return (
        f"CASE WHEN s.gamma_{field.name} >= 0 THEN struct_pack(field := '{field.name}', "
        f"level := ([{labels}])[s.gamma_{field.name} + 1], "
        f"weight := round(s.mw_{field.name}{more}, 4)) END"
    )
