"""How sure a match is, and what may be done with it. The reasons behind `sql/bands.sql`.

Evidence comes in families; two witnesses of one family are one witness.

* **LinkedIn**: a page belongs to one person. Two different pages veto a pair, whatever else agrees.
* **Personal**: a private e-mail address or a mobile number, with the name.
* **Work**: a work e-mail address, or name with employer, present or former. One family: the address
  says no more than that somebody of that name was given a mailbox there.
* **City**: only beside name and employer, and only where the source has that very name once.
  Colleagues live in the same city, so it does not tell two namesakes of one employer apart, and it
  never carries a move.
* **Likeness** without any key (`tail`): no family at all. It is for a person to look at.

`auto` needs LinkedIn with the name, or two families with names that are more than alike, and a
runner-up of less than 5 %. LinkedIn does not do while somebody else of that name holds an address
or number of the contact that the page's profile lacks: the page may be a namesake's. Without
LinkedIn, no other contact may fit the profile as well: relatives share addresses. One family is for
`review`; whatever is vetoed, ambiguous or outdone by a stronger candidate is `ignored`.
Likeness below 80 %, or with a runner-up of 5 %, is not even a candidate.

What each piece of evidence weighs stands in `weights`; bands do not follow from the sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_sync.matching.settings import MatchSettings
from crm_sync.matching.weights import FACTOR_RULES, FACTOR_WORDS, PRIOR, WEIGHTS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_RUNNER_UP = 0.05
"""With a rival of this share of the evidence, or more, nothing goes by itself."""

LEAST_LIKELY = 0.80
"""Likeness of less than this is not shown to anybody."""

MOST_MARGIN = 20.0
"""Bits before the runner-up that count; more tells nothing more."""


def set_variables(db: DuckDBPyConnection, settings: MatchSettings) -> None:
    """Make weights, words and limits known to the SQL of this package, and of the sources."""
    numbers: dict[str, float | int] = {
        "prior_weight": PRIOR,
        "most_runner_up": MOST_RUNNER_UP,
        "least_likely": LEAST_LIKELY,
        "most_margin": MOST_MARGIN,
        "most_holders_of_key": settings.most_holders_of_key,
        "most_pairs_per_key": settings.most_pairs_per_key,
        "most_holders_of_block": settings.most_holders_of_block,
        "most_holders_of_name": settings.most_holders_of_name,
    }
    for name, number in numbers.items():
        db.execute(f"SET VARIABLE {name} = {number!r}")
    words = {
        f"{field}|{level}": text
        for field, levels in FACTOR_WORDS.items()
        for level, text in levels.items()
    }
    for name, table in (
        ("weight", WEIGHTS),
        ("factor_rules", FACTOR_RULES),
        ("factor_words", words),
    ):
        db.execute(
            f"SET VARIABLE {name} = map($keys, $values)",
            {"keys": list(table), "values": list(table.values())},
        )
    db.execute("CREATE OR REPLACE MACRO odds_of(w) AS pow(2.0::DOUBLE, least(w, 100))")
    db.execute(
        "CREATE OR REPLACE MACRO chance_of(w) AS "
        "1 / (1 + pow(2.0::DOUBLE, -greatest(least(w, 100), -100)))"
    )
    db.execute(_MAILBOX_OF)


_MAILBOX_OF = """
    CREATE OR REPLACE MACRO mailbox_of(address) AS
        nullif(replace(split_part(split_part(lower(trim(address)), '@', 1), '+', 1), '.', ''), '')
"""
