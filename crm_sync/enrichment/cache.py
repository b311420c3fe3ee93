"""What an asked source has answered so far, read like the records of a file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from crm_sync.enrichment import staging
from crm_sync.enrichment.asking import SEVERAL
from crm_sync.enrichment.layout import compile_layout, literal

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from crm_sync.enrichment.mapping import VendorMapping
    from crm_sync.enrichment.source import Staged

_SEVERAL = literal(f'$."{SEVERAL}"')
_PEOPLE = (
    f"CASE WHEN starts_with(text, '{{\"{SEVERAL}\":') "
    f"THEN CAST(json_extract(text, {_SEVERAL}) AS VARCHAR[]) ELSE [text] END"
)
"""The people in an answer, each as JSON text."""

Answers = Callable[[], "AbstractContextManager[pa.RecordBatchReader]"]
"""Opens the stored answers: columns `document` (JSON text) and `asked_at` (ISO 8601, UTC)."""


@dataclass(frozen=True)
class AnsweredSource:
    """The stored answers of one asked source, as the judgement reads any source.

    A profile speaks as of the day on which the vendor last verified it, or as of the day of the
    answer if that was earlier. An answer without such a date speaks as of an unknown day: that it
    came today does not say that it is true today.
    """

    name: str
    mapping: VendorMapping
    answers: Answers = field(repr=False)
    trust: float = 1.0

    @property
    def restores_case(self) -> bool:
        """Whether the vendor's texts lost their capitals."""
        return self.mapping.letter_case == "restore"

    def inspect(self) -> None:
        """See `Source.inspect`: every answer was found sound before it was stored."""

    def stage(self, db: DuckDBPyConnection, *, today: date) -> Staged:
        """See `Source.stage`."""
        layout = compile_layout(self.mapping, flat=False)
        verified = "partial_date(verified_on)"
        with self.answers() as reader:
            db.register("stored_answer", reader)
            db.execute(
                "CREATE TEMP TABLE source_row AS SELECT * EXCLUDE (asked_on) REPLACE ("  # noqa: S608 - the layout quotes every name
                f"CASE WHEN {verified} IS NOT NULL "
                f"THEN CAST(least({verified}, asked_on) AS VARCHAR) END AS verified_on) FROM ("
                f"SELECT {layout.select_list}, hash(doc) AS version, asked_on FROM ("
                f"SELECT doc, from_json(doc, {literal(layout.structure)}) AS r, asked_on FROM ("
                f"SELECT unnest({_PEOPLE}) AS doc, asked_on FROM ("
                "SELECT CAST(document AS VARCHAR) AS text, "
                "CAST(left(CAST(asked_at AS VARCHAR), 10) AS DATE) AS asked_on "
                "FROM stored_answer))))"
            )
            db.unregister("stored_answer")
        count = staging.stage(db, self.name, latest=today, dated="by_record")
        db.execute("DROP TABLE source_row")
        return count
