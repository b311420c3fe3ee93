"""From matched profiles to job changes: the rules behind this package's SQL, and their words.

Per contact and match, what the source says is compared with what the CRM says:

* still at the CRM's employer (same company by name or domain): `unchanged` if any present title
  there is the same, otherwise `retitled` to the newest one there;
* the CRM's employer among the *ended* jobs and a present job elsewhere: `moved`, to the job that
  was started last; a vendor's "primary" flag decides nothing;
* the CRM's employer ended and nothing present at all, or only what is no employment (retirement,
  studies, a search for work): `left`, the latter with a doubt;
* everything else is `unknown`, with the reason: no profile, several that fit, an employer that is
  not in the history, a claim older than the CRM's own value, only board or advisory seats.

Two confidences are kept apart until the end: that it is the same person, and that the employment
changed. The confidence of a JobChange is their product. Its band is the weaker of the match's band
and `review` if there is any doubt; each doubt is told in the evidence.

Then the claims of several sources on one contact are put together (`sql/reconcile.sql`): who
speaks, who agrees, who says otherwise, and which doubts of one source another one makes good.

One doubt is lifted by other people. Work that goes on under the same title without a gap looks the
same whether a person moved or a company was renamed (`sql/renames.sql`). It counts as a move if
somebody else in the source is known to be at the old company, under its old name, after the change,
and nobody took the same way at about the same time.
Only profiles that were staged are seen, those that share a key with some contact.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from crm_sync.changes import phrases

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

KIND_CONFIDENCE = {"moved": 0.97, "retitled": 0.95, "left": 0.90, "unchanged": 0.97}
DOUBT_FACTOR = 0.85
"""What every doubt leaves of the confidence that the employment changed."""

CONTRADICTION = 0.5
"""What a fully trusted source takes off the confidence in a claim that it speaks against."""

TRUST_ALONE = 0.5
"""A source that is trusted less decides nothing alone."""

MOST_CONFIDENCE = 0.995
"""However many sources agree."""

MOST_NAMES_OF_ID = 20
"""An organisation id of a source that more names carry than this is no company's id."""

WITNESSES_OF_SITE = 3
"""As many profiles have to give a company one site, and none another, before it counts as its."""

SEAMLESS_DAYS = 31
"""A job that begins no more days than this after the old one ended, or before, begins at once."""

TOGETHER_DAYS = 92
"""Who took the same way within these days, or may have, took it together."""

MOST_WITNESSES = 8
"""So many of those who are still at a company are looked at, the latest known ones."""

STALE_DAYS = 548
"""A year and a half. Who changed job before that may have done so again since."""

_BEFORE = ("identity", "companies")
"""Matches that exclude each other; what the sources, and the CRM's mailboxes, tell of companies."""

_LOCAL = ("compare", "kinds", "doubts")
"""What is found for one contact and one profile, given what is known of companies."""

_JOINT = ("renames", "reconcile")
"""What only several people, or several sources, tell together."""


def detect(db: DuckDBPyConnection, *, slack_days: int, today: date) -> None:
    """Make `job_change_row` from what matching left, and set aside matches that exclude each other.

    Reads `match_row`, `same_name`, `contact_person`, `profile`, `employment`, `site`, `restoring`,
    `source_trust` and `demoted(source, kind, rule, detail)`. `job_change_row` is a view with one
    row for each contact; `unmatched` has those for whom no source speaks. A claim that is old
    `today` is doubtful.
    """
    from crm_sync.changes import spelling

    _set_variables(db, slack_days, today)
    for step in (*_BEFORE, *_LOCAL, *_JOINT):
        db.execute(_statement(step))
    spelling.add_restored(db)
    db.execute(_statement("verdicts"))


def _set_variables(db: DuckDBPyConnection, slack_days: int, today: date) -> None:
    values: dict[str, object] = {
        "slack_days": slack_days,
        "today": today.isoformat(),
        "stale_days": STALE_DAYS,
        "seamless_days": SEAMLESS_DAYS,
        "together_days": TOGETHER_DAYS,
        "most_witnesses": MOST_WITNESSES,
        "doubt_factor": DOUBT_FACTOR,
        "contradiction": CONTRADICTION,
        "trust_alone": TRUST_ALONE,
        "most_confidence": MOST_CONFIDENCE,
        "most_names_of_id": MOST_NAMES_OF_ID,
        "witnesses_of_site": WITNESSES_OF_SITE,
        "kind_confidence": KIND_CONFIDENCE,
        "finding_words": phrases.FINDING_WORDS,
        "doubt_words": phrases.DOUBT_WORDS,
        "liftable_doubts": phrases.LIFTABLE,
        "lasting_doubts": phrases.LASTING,
    }
    for name, value in values.items():
        db.execute(f"SET VARIABLE {name} = {_literal(value)}")


def _literal(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_literal(key)}: {_literal(item)}" for key, item in value.items())
        return f"MAP {{{', '.join(pairs)}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(_literal(item) for item in value)}]"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _statement(name: str) -> str:
    return files("crm_sync.changes").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
