"""Contacts without a key: found by likeness, by the probabilistic stage, and only for review.

The remainder of a source are the contacts for whom no key stands there. They are compared with
profiles that share a rare full name, or a first name at one of the employers that few share. How
telling each agreement is was learnt from people known by their LinkedIn page,
where a source has enough of them, else from a synthetic world (`bench/default_parameters.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

from crm_sync.matching.normalise import statement
from crm_sync.matching.probabilistic import (
    Field,
    LinkModel,
    Scored,
    Scoring,
    TooFewPairs,
    Trained,
    score,
    train,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MODEL = LinkModel(
    fields=(
        Field("last", "name", frequencies=True),
        Field("first", "given", frequencies=True),
        Field("employers", "any"),
        Field("city", "exact", frequencies=True),
        Field("titles", "any"),
        Field("mailboxes", "any"),
        Field("middles", "any"),
    ),
    blocks=(("keys",),),
    training_blocks=(("last", "first"), ("first", "city"), ("last", "city")),
    most_pairs_per_block=2_000,
)

PRESENT = 0.5
"""The share of contacts without a key that a source is taken to hold: with its number of profiles
it makes the prior."""

FLOOR = 0.001
"""Pairs that are less likely than this are no rivals either."""

KNOWN_LEAST, KNOWN_MOST = 2_000, 10_000
"""People known by their LinkedIn page that parameters are learnt from; with fewer, none are."""

FRESH_DAYS = 30
GROWTH = 1.5
"""What was learnt is learnt again after so many days, or when the source has grown by half."""

PARAMETERS = "parameters"


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters for one source, and the document to keep if they were learnt just now."""

    trained: Trained
    document: str | None = None


def is_fresh(document: Mapping[str, object], profiles: int, today: date) -> bool:
    """Whether what was learnt from a source still holds for it."""
    made_on, size = str(document["made_on"]), int(str(document["profiles"]))
    age = (today - date.fromisoformat(made_on)).days
    return 0 <= age <= FRESH_DAYS and profiles <= GROWTH * size


def parameters(
    db: DuckDBPyConnection, source: str, profiles: int, earlier: str | None, today: date
) -> Parameters:
    """The parameters for a source of so many profiles: those of an earlier run while they hold."""
    if earlier is not None:
        document = json.loads(earlier)
        if is_fresh(document, profiles, today):
            return Parameters(Trained.from_json(earlier))
    learnt = _learn(db, source, profiles)
    if learnt is None:
        return Parameters(default_parameters())
    document = {
        **json.loads(learnt.to_json()),
        "made_on": today.isoformat(),
        "profiles": profiles,
        "source": source,
    }
    return Parameters(learnt, json.dumps(document, ensure_ascii=False, sort_keys=True))


def default_parameters() -> Trained:
    """Parameters learnt from a synthetic world, for sources too small to learn from."""
    shipped = files("crm_sync.matching.probabilistic").joinpath("default_parameters.json")
    return Trained.from_json(shipped.read_text(encoding="utf-8"))


def _learn(db: DuckDBPyConnection, source: str, profiles: int) -> Trained | None:
    """Parameters from people whose LinkedIn page says who they are, amid strangers."""
    _set_source(db, source)
    db.execute(_KNOWN, {"source": source, "most": KNOWN_MOST})
    row = db.execute("SELECT count(*) FROM tail_known").fetchone()
    if not row or row[0] < KNOWN_LEAST:
        return None
    db.execute("CREATE OR REPLACE TEMP TABLE tail_wanted AS SELECT contact_id FROM tail_known")
    db.execute(_STRANGERS, {"source": source, "most": KNOWN_MOST})
    db.execute(statement("probabilistic_tables"))
    try:
        return train(
            db,
            "tail_contact",
            "tail_profile",
            MODEL,
            prior=prior_of(profiles),
            labels="(SELECT contact_id AS left_id, profile_id AS right_id FROM tail_known)",
        )
    except TooFewPairs:
        return None


def prior_of(profiles: int) -> float:
    """The chance that one profile of a source is a given contact who may be in it."""
    return float(f"{min(PRESENT / max(profiles, 1), 0.01):.6g}")


def add_pairs(
    db: DuckDBPyConnection, source: str, trained: Trained, scoring: Scoring = score
) -> Scored:
    """Add what the remainder of this source is like to `pair`."""
    db.execute(_REMAINDER, {"source": source})
    scored = score_wanted(db, source, trained, scoring)
    db.execute(statement("probabilistic_pairs"))
    db.execute(
        "CREATE OR REPLACE TEMP VIEW tail_new AS SELECT * FROM tail_compared "
        "ANTI JOIN pair USING (contact_id, source, profile_id)"
    )
    db.execute("INSERT INTO pair BY NAME FROM evidenced('tail_new')")
    db.execute("DROP VIEW tail_new")
    db.execute("DROP TABLE tail_compared")
    return scored


def score_wanted(
    db: DuckDBPyConnection, source: str, trained: Trained, scoring: Scoring = score
) -> Scored:
    """Make `pair_score`: the contacts of `tail_wanted` with what is like them in this source."""
    _set_source(db, source)
    db.execute("CREATE OR REPLACE TEMP TABLE tail_more (profile_id VARCHAR)")
    db.execute(statement("probabilistic_tables"))
    return scoring(db, "tail_contact", "tail_profile", MODEL, trained, floor=FLOOR)


def _set_source(db: DuckDBPyConnection, source: str) -> None:
    db.execute("SET VARIABLE tail_source = $source", {"source": source})


_KNOWN = """
    CREATE OR REPLACE TEMP TABLE tail_known AS
    SELECT contact_id, any_value(profile_id) AS profile_id FROM pair
    WHERE source = $source AND stands AND e_linkedin
    GROUP BY contact_id HAVING count(*) = 1
    ORDER BY hash(contact_id), contact_id LIMIT $most
"""

_STRANGERS = """
    CREATE OR REPLACE TEMP TABLE tail_more AS
    SELECT profile_id FROM tail_known
    UNION
    (SELECT profile_id FROM profile_person WHERE source = $source
     ORDER BY hash(profile_id), profile_id LIMIT $most)
"""

_REMAINDER = """
    CREATE OR REPLACE TEMP TABLE tail_wanted AS
    SELECT contact_id FROM contact_person
    WHERE last_key IS NOT NULL AND first_key IS NOT NULL AND contact_id NOT IN (
        SELECT contact_id FROM pair WHERE source = $source AND stands)
"""
