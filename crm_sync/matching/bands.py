"""How sure a match is, and what may be done with it. The reasons behind `sql/bands.sql`.

Evidence comes in families; two witnesses of one family are one witness.

* **LinkedIn**: a page belongs to one person. Two different pages veto a pair, whatever else agrees.
* **Personal**: a private e-mail address or a mobile number, with the name.
* **Work**: a work e-mail address, or name with employer, present or former. One family: the address
  says no more than that somebody of that name was given a mailbox there.
* **City**: only beside name and employer, and only where nobody else in the source has that name.
  Colleagues live in the same city, so it does not tell two namesakes of one employer apart, and it
  never carries a move.

`auto` needs LinkedIn with the name, or two families; one family is for `review`; whatever is
vetoed, ambiguous or outdone by a stronger candidate is `ignored`.

The confidences below order the evidence; they are no measured frequencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_sync.matching.settings import MatchSettings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CONFIDENCE = {
    "linkedin": 0.99,
    "personal": 0.95,
    "work_email": 0.92,
    "employer": 0.85,
    "city": 0.50,
    "most": 0.995,
    "close_name": 0.97,
    "half_name": 0.75,
    "vetoed": 0.02,
}
"""Families combine as independent witnesses; names that agree less than fully take off a share."""


def set_variables(db: DuckDBPyConnection, settings: MatchSettings) -> None:
    """Make the confidences and limits known to the SQL of this package."""
    numbers: dict[str, float | int] = {f"confidence_{k}": v for k, v in CONFIDENCE.items()}
    numbers["most_holders_of_key"] = settings.most_holders_of_key
    numbers["most_pairs_per_key"] = settings.most_pairs_per_key
    for name, number in numbers.items():
        db.execute(f"SET VARIABLE {name} = {number!r}")
