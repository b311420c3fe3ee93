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

One doubt can be lifted. Work that goes on under the same title without a gap looks the same whether
a person moved or a company was renamed (`sql/renames.sql`). It counts as a move if somebody else in
the source is known to be at the old company, under its old name, after the change. Only profiles
that were staged are seen, those that share a key with some contact.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KIND_CONFIDENCE = {"moved": 0.97, "retitled": 0.95, "left": 0.90, "unchanged": 0.97}
DOUBT_FACTOR = 0.85
"""What every doubt leaves of the confidence that the employment changed."""

SEAMLESS_DAYS = 31
"""A job that begins no more days than this after the old one ended, or before, begins at once."""

FINDING_WORDS = {
    "employer_missing": "The CRM does not say who the employer is",
    "older_than_crm": "The CRM's value is newer than what the source knows",
    "no_jobs": "The source lists no job of this person",
    "seat_there": "Only a board or advisory seat at the CRM's employer is present",
    "untitled_there": "Still at the CRM's employer; the source does not say with which title",
    "wording": "The CRM's title was written after the source's role began: perhaps other words",
    "unclear": "An end date in the source cannot be read",
    "not_in_history": "The CRM's employer is not among the jobs that the source lists",
    "other_company_name": "The same title at what may be the CRM's employer under another name",
    "on_leave": "On leave from the CRM's employer, says the source",
    "employer_unnamed": "The source does not name the employer of a present job",
    "seat_ended": "What ended at the CRM's employer was a board or advisory seat",
    "only_seats": "Elsewhere there are only board, advisory or volunteer seats",
    "nameless": "The contact has neither a name nor an address to look for",
    "ambiguous": "Ambiguous: {equals} people of that name are known at {organisation}",
    "claimed_twice": "Ambiguous: {claimed_by} contacts of the CRM fit the same person",
    "other_linkedin": "The only candidates have another LinkedIn page",
    "other_person": "Addresses agree, but the names are of other people",
    "namesakes": "No candidate at {organisation}; {namesakes} of that name elsewhere, not matched",
    "no_candidate": "No candidate: nobody in the sources shares an address, or name and employer",
}

DOUBT_WORDS = {
    "undated": "Nobody says as of when the source speaks",
    "not_newer": "The contact was edited in the CRM on or after the date of the source",
    "before_record": "The CRM's record was written well after the date of this change",
    "no_start": "The source does not say since when",
    "no_end": "The source does not say when the old job ended",
    "several_titles": "Several present titles there",
    "title_not_in_history": "The CRM's title is not among those that the source lists there",
    "similar_title": "One title contains the other",
    "pause": "The source tells of retirement, studies, a break or a search, and of no job",
    "perhaps_renamed": "The same work goes on without a gap: perhaps the company's new name",
    "several_employers": "Several present employers",
    "city_only": "Only name, former employer and city say that this is the same person",
    "long_overlap": "The other job began long before the old one ended",
    "other_domain": "The former employer has the same name as the CRM's, but another domain",
    "company_by_name": "Only names tell the two companies apart: no domains or ids to compare",
    "same_group": "The two companies may be one: a shared name, domain or mail address",
    "many_moved": "Several contacts went the same way in the same month: a merger or new name?",
}


def detect(db: DuckDBPyConnection, *, slack_days: int) -> None:
    """Make `job_change_row` from `best_match`, `contact_person`, `employment` and `site`.

    `shown_text(source, text, shown)` is made between comparing and judging, by `spelling`.
    """
    from crm_sync.changes import spelling

    db.execute(f"SET VARIABLE slack_days = {slack_days:d}")
    db.execute(f"SET VARIABLE seamless_days = {SEAMLESS_DAYS:d}")
    db.execute(f"SET VARIABLE doubt_factor = {DOUBT_FACTOR!r}")
    for name, table in (
        ("kind_confidence", KIND_CONFIDENCE),
        ("finding_words", FINDING_WORDS),
        ("doubt_words", DOUBT_WORDS),
    ):
        pairs = ", ".join(f"{_literal(key)}: {_literal(value)}" for key, value in table.items())
        db.execute(f"SET VARIABLE {name} = MAP {{{pairs}}}")
    for step in ("compare", "kinds", "renames", "doubts"):
        db.execute(_statement(step))
    spelling.add_shown_texts(db)
    db.execute(_statement("verdicts"))


def _literal(value: str | float) -> str:
    return repr(value) if isinstance(value, float) else "'" + value.replace("'", "''") + "'"


def _statement(name: str) -> str:
    return files("crm_sync.changes").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
