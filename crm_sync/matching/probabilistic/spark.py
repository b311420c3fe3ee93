"""The same weighing on Spark, for more pairs than one machine should compare.

What grows with the rows stays in DuckDB: the two tables, the keys of blocks with their caps, the
shares of values. What grows with the pairs goes to Spark: the join of the keys, the comparison, the
sum of the weights. Splink writes the comparison for both engines from one model.

The functions that compare spellings differ between the engines (by bytes or by letters, and in how
transpositions are rounded), so Spark's workers call DuckDB's. Levels are therefore the same, and a
weight differs in the last digits of a logarithm at most, which rounding takes away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sync.errors import CrmSyncError
from crm_sync.matching.probabilistic.blocking import Blocked, block
from crm_sync.matching.probabilistic.model import LinkModel
from crm_sync.matching.probabilistic.scoring import (
    Scored,
    columns_of,
    counted,
    make_frequencies,
    make_scores,
    predict,
    take_scores,
)
from crm_sync.matching.probabilistic.settings import LEFT, RIGHT
from crm_sync.matching.probabilistic.spark_session import spark_session
from crm_sync.matching.probabilistic.staging import staged
from crm_sync.matching.probabilistic.trained import Trained

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from pyspark.sql import DataFrame, SparkSession
    from splink.internals.database_api import DatabaseAPISubClass

    from crm_sync.matching.settings import SparkSettings

PAIRS_PER_TASK = 250_000
FEWEST_TASKS = 4
SPELLINGS = {
    "jaro_winkler": ("jaro_winkler_similarity", "double"),
    "bytes_apart": ("levenshtein", "bigint"),
}
"""Functions of two texts by their names in Spark: what they are in DuckDB, and what they give."""


class SparkEngine:
    """Scores on a Spark session that starts when it is first needed and ends with the block."""

    def __init__(self, settings: SparkSettings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._started: tuple[SparkSession, Path] | None = None

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(self, *raised: Any) -> bool | None:
        self._started = None
        return self._stack.__exit__(*raised)

    def score(
        self,
        db: DuckDBPyConnection,
        left: str,
        right: str,
        model: LinkModel,
        trained: Trained,
        *,
        floor: float = 0.01,
        into: str = "pair_score",
    ) -> Scored:
        """As `scoring.score`: the same pairs, weights and probabilities.

        Raises `ConfigError` when Spark cannot be started, and `CrmSyncError` when it gives up.
        """
        make_scores(db, into)
        with staged(db, left, right, columns_of(model)):
            blocked = block(db, model)
            if not blocked.pairs:
                return counted(blocked, 0)
            make_frequencies(db, trained, "linkage_left")
            spark, folder = self._start()
            with tempfile.TemporaryDirectory(dir=folder) as name, _told():
                looked = _weigh(spark, db, Path(name), model, trained, blocked, floor)
                take_scores(db, f"read_parquet('{name}/result/*.parquet')", model, trained, into)
        return counted(blocked, looked)

    def _start(self) -> tuple[SparkSession, Path]:
        if self._started is None:
            given = tempfile.TemporaryDirectory(prefix="crm-sync-", dir=self._settings.folder)
            folder = Path(self._stack.enter_context(given)).absolute()
            spark = self._stack.enter_context(spark_session(self._settings, folder))
            for called, (function, gives) in SPELLINGS.items():
                spark.udf.register(called, _spelling(function, gives))
            self._started = spark, folder
        return self._started


def _weigh(
    spark: SparkSession,
    db: DuckDBPyConnection,
    folder: Path,
    model: LinkModel,
    trained: Trained,
    blocked: Blocked,
    floor: float,
) -> int:
    """Write the weighed pairs to `folder`/result; how many were looked at."""
    tasks = max(FEWEST_TASKS, -(-blocked.pairs // PAIRS_PER_TASK))
    spark.conf.set("spark.sql.shuffle.partitions", str(tasks))
    _hand_over(spark, db, folder, model, trained)
    _pair_up(spark, folder, tasks)
    scored = spark.table(predict(_api(spark), model, trained, floor))
    wanted = ("id_", "match_", "gamma_", "mw_")
    kept = [name for name in scored.columns if name.startswith(wanted)]
    scored.select(kept).write.parquet(str(folder / "result"))
    return int(spark.table("linkage_pair").count())


def _api(spark: SparkSession) -> DatabaseAPISubClass:
    """Splink on this session, as one query from the pairs to the result, with our functions."""
    import re

    from splink.backends.spark import SparkAPI

    class Lazy(SparkAPI):
        def _break_lineage_and_repartition(
            self, spark_df: DataFrame, templated_name: str, physical_name: str
        ) -> DataFrame:
            return spark_df  # nothing of it is used twice: no need to write it down

        def _execute_sql_against_backend(self, final_sql: str) -> DataFrame:
            # Spark's own function of this name counts letters, and cannot be replaced.
            ours = re.sub(r"\blevenshtein\(", "bytes_apart(", final_sql, flags=re.IGNORECASE)
            return self.spark.sql(ours)

    udfs = {"register_udfs_automatically": False}
    return Lazy(spark_session=spark, **udfs)  # type: ignore[no-untyped-call]


def _hand_over(
    spark: SparkSession, db: DuckDBPyConnection, folder: Path, model: LinkModel, trained: Trained
) -> None:
    """The two tables, the keys and the shares, as views of Parquet files."""
    compared = ", ".join(f'"{name}"' for name in model.compared)
    queries = {
        "linkage_some_left": f"SELECT n AS id, {compared} FROM linkage_left",  # noqa: S608
        "linkage_some_right": f"SELECT n AS id, {compared} FROM linkage_right",  # noqa: S608
        "linkage_key_left": "SELECT key, n FROM linkage_key WHERE side = 0",
        "linkage_key_right": "SELECT key, n FROM linkage_key WHERE side = 1",
    }
    for one in trained.fields:
        if one.rare is not None:
            queries[f"linkage_tf_{one.name}"] = f"FROM linkage_tf_{one.name}"
    for name, query in queries.items():
        file = folder / f"{name}.parquet"
        db.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE 100000)")
        spark.read.parquet(str(file)).createOrReplaceTempView(name)


def _pair_up(spark: SparkSession, folder: Path, tasks: int) -> None:
    """Make `linkage_pair`, on disk, and `linkage_blocked`, as Splink wants it."""
    pairs = spark.sql(
        "SELECT DISTINCT l.n AS left_n, r.n AS right_n "
        "FROM linkage_key_left l JOIN linkage_key_right r ON l.key = r.key"
    )
    pairs.write.parquet(str(folder / "pairs"))
    written = spark.read.parquet(str(folder / "pairs"))
    written.repartition(tasks).createOrReplaceTempView("linkage_pair")
    spark.sql(
        "SELECT '0' AS match_key, "  # noqa: S608
        f"concat('{LEFT}-__-', left_n) AS join_key_l, concat('{RIGHT}-__-', right_n) AS join_key_r "
        "FROM linkage_pair"
    ).createOrReplaceTempView("linkage_blocked")


def _spelling(function: str, gives: str) -> Any:
    """DuckDB's function of two texts as one of Spark's."""
    import pyarrow as pa
    from pyspark.sql.functions import arrow_udf

    def compare(left: pa.Array, right: pa.Array) -> pa.Array:
        return compared(function, left, right)

    # PySpark looks at the types themselves, which stand here as text.
    compare.__annotations__ = dict.fromkeys(("left", "right", "return"), pa.Array)
    return arrow_udf(compare, gives)


def compared(function: str, left: pa.Array, right: pa.Array) -> pa.Array:
    """What DuckDB's `function` gives for each two texts; null where one is."""
    import pyarrow as pa

    db = _worker()
    db.register("given", pa.table({"l": left, "r": right}))
    try:
        found = db.sql(f"SELECT {function}(l, r) AS found FROM given").to_arrow_table()  # noqa: S608
    finally:
        db.unregister("given")
    return found.column("found").combine_chunks()


@cache
def _worker() -> DuckDBPyConnection:
    """One connection for each worker; a single thread keeps the order of rows."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


@contextmanager
def _told() -> Iterator[None]:
    """Spark's errors without its stack traces, which may quote rows."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as problem:
        name = type(problem).__name__
        raise CrmSyncError(
            f"Spark gave up while it compared pairs ({name})",
            fix="More memory may help: `matching.spark_memory_mb`; or leave the engine at duckdb.",
        ) from None
