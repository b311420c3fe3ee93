"""How often strangers and the same person's rows agree: Splink's estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crm_sync.matching.probabilistic.model import LinkModel
from crm_sync.matching.probabilistic.settings import LEFT, RIGHT, splink_settings
from crm_sync.matching.probabilistic.staging import linker, splink

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STRANGERS = 1_000
"""Rows of either side whose every pair is compared to see how often strangers agree."""

SAMPLE = 20_000
"""Rows of the left table that blocks are learnt from, with those they share a block with."""

MOST_TRAINING_PAIRS = 3_000_000
FEWEST_PAIRS = 100
"""Pairs that an estimate needs, of one block or of labels."""


class TooFewPairs(Exception):
    """The tables hold too little in common to learn anything from."""


def strangers(db: DuckDBPyConnection, model: LinkModel, seed: int) -> dict[str, list[float]]:
    """Per field how often two people agree to each degree, the strongest first."""
    for side in ("left", "right"):
        db.execute(
            f"CREATE OR REPLACE TABLE linkage_any_{side} AS "  # noqa: S608
            f"SELECT n AS id, {_list(model.compared)} FROM linkage_{side} "
            f"ORDER BY hash(id, {seed}), id LIMIT {STRANGERS}"
        )
    pairs = _count(
        db,
        "SELECT (SELECT count(*) FROM linkage_any_left) * (SELECT count(*) FROM linkage_any_right)",
    )
    if not pairs:
        raise TooFewPairs
    with splink(db) as api:
        counting = linker(api, ("linkage_any_left", "linkage_any_right"), splink_settings(model))
        counting.training.estimate_u_using_random_sampling(
            max_pairs=10 * STRANGERS**2, min_count_per_level=None, num_chunks=1
        )
        counted = _told(counting.misc.save_model_to_json(), "u_probability")
    rarest = 0.5 / pairs
    return {name: [max(u or 0.0, rarest) for u in shares] for name, shares in counted.items()}


def same_by_labels(
    db: DuckDBPyConnection, model: LinkModel, labels: str
) -> dict[str, list[float | None]]:
    """Per field how often the rows of one person agree, in pairs that are known."""
    db.execute(
        f"CREATE OR REPLACE TABLE linkage_label AS SELECT '{LEFT}' AS source_dataset_l, "  # noqa: S608
        f"l.n AS id_l, '{RIGHT}' AS source_dataset_r, r.n AS id_r FROM {labels} k "
        "JOIN linkage_left l ON l.id = k.left_id JOIN linkage_right r ON r.id = k.right_id"
    )
    if _count(db, "SELECT count(*) FROM linkage_label") < FEWEST_PAIRS:
        raise TooFewPairs
    for side, number in (("left", "id_l"), ("right", "id_r")):
        db.execute(
            f"CREATE OR REPLACE TABLE linkage_train_{side} AS "  # noqa: S608
            f"SELECT n AS id, {_list(model.compared)} FROM linkage_{side} "
            f"WHERE n IN (SELECT {number} FROM linkage_label)"
        )
    with splink(db) as api:
        tables = ("linkage_train_left", "linkage_train_right")
        learning = linker(api, tables, splink_settings(model))
        known = api.register("linkage_label")
        learning.training.estimate_m_from_pairwise_labels(known)  # type: ignore[no-untyped-call]
        return _told(learning.misc.save_model_to_json(), "m_probability")


def same_by_blocks(
    db: DuckDBPyConnection, model: LinkModel, others: Mapping[str, list[float]], seed: int
) -> dict[str, list[float | None]]:
    """Per field how often the rows of one person agree, by expectation maximisation.

    None for a degree that was never seen. `others` is what `strangers` told.
    """
    from splink import block_on

    blocks = _sample(db, model, seed)
    if not blocks:
        raise TooFewPairs
    with splink(db) as api:
        tables = ("linkage_train_left", "linkage_train_right")
        learning = linker(api, tables, splink_settings(model, strangers=others))
        for some in blocks:
            learning.training.estimate_parameters_using_expectation_maximisation(
                block_on(*some),
                estimate_without_term_frequencies=True,
                max_pairs=MOST_TRAINING_PAIRS,
                record_sample_proportion=0.5,
            )
        return _told(learning.misc.save_model_to_json(), "m_probability")


def _sample(db: DuckDBPyConnection, model: LinkModel, seed: int) -> list[tuple[str, ...]]:
    """Make the two tables that blocks are learnt from; the blocks that hold enough pairs."""
    blocked = (name for some in model.training_blocks for name in some)
    columns = _list(tuple(dict.fromkeys((*model.compared, *blocked))))
    db.execute(
        f"CREATE OR REPLACE TABLE linkage_train_left AS SELECT n AS id, {columns} "  # noqa: S608
        f"FROM linkage_left ORDER BY hash(id, {seed}), id LIMIT {SAMPLE}"
    )
    shared = " OR ".join(
        f"({_list(some)}) IN (SELECT ({_list(some)}) FROM linkage_train_left)"  # noqa: S608
        for some in model.training_blocks
    )
    db.execute(
        f"CREATE OR REPLACE TABLE linkage_train_right AS SELECT n AS id, {columns} "  # noqa: S608
        f"FROM linkage_right WHERE {shared} ORDER BY id"
    )
    return [some for some in model.training_blocks if _pairs(db, some) >= FEWEST_PAIRS]


def _pairs(db: DuckDBPyConnection, block: tuple[str, ...]) -> int:
    return _count(
        db,
        "SELECT count(*) FROM linkage_train_left JOIN linkage_train_right "  # noqa: S608
        f"USING ({_list(block)})",
    )


def _told(settings: Mapping[str, Any], what: str) -> dict[str, list[float | None]]:
    """Per field what Splink found for each level, None where it never saw one."""
    return {
        one["output_column_name"]: [
            level.get(what) for level in one["comparison_levels"] if not level.get("is_null_level")
        ]
        for one in settings["comparisons"]
    }


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _count(db: DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return int(row[0]) if row else 0
