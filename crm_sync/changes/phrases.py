"""The words in which the evidence says why a verdict is unknown, and what is doubtful about it."""

from __future__ import annotations

FINDING_WORDS = {
    "employer_missing": "The CRM does not say who the employer is",
    "older_than_crm": "The CRM's value is newer than what the source knows",
    "before_baseline": "Title or employer were edited in the CRM after all this had happened",
    "no_jobs": "The source lists no job of this person",
    "seat_there": "Only a board or advisory seat at the CRM's employer is present",
    "untitled_there": "Still at the CRM's employer; the source does not say with which title",
    "wording": "The CRM's title was written after the source's role began: perhaps other words",
    "unclear": "An end date in the source cannot be read",
    "not_in_history": "The CRM's employer is not among the jobs that the source lists",
    "other_company_name": "The same title at what may be the CRM's employer under another name",
    "on_leave": "On leave from the CRM's employer, says the source",
    "planned_there": "At the CRM's employer a job is announced that has not begun",
    "planned_elsewhere": "The next job has not begun as of the date of the source",
    "employer_unnamed": "The source does not name the employer of a present job",
    "seat_ended": "What ended at the CRM's employer was a board or advisory seat",
    "only_seats": "Elsewhere there are only board, advisory or volunteer seats",
    "nameless": "The contact has neither a name nor an address to look for",
    "ambiguous": "Ambiguous: {equals} people of that name are known at {organisation}",
    "claimed_twice": "Ambiguous: {claimed_by} contacts of the CRM fit the same person",
    "disputed": "Ambiguous: two sources have profiles with different LinkedIn pages",
    "other_linkedin": "The only candidates have another LinkedIn page",
    "name_missing": "An address or number agrees, but no full name to compare on both sides",
    "other_person": "Addresses agree, but the names are of other people",
    "namesakes": "No candidate at {organisation}; {namesakes} of that name elsewhere, not matched",
    "no_candidate": "No candidate: nobody in the sources shares an address, or name and employer",
}

DOUBT_WORDS = {
    "undated": "Nobody says as of when the source speaks",
    "stale": "The source's word is more than a year and a half old",
    "crm_undated": "Nobody says when the contact was last edited in the CRM",
    "not_newer": "The contact was edited in the CRM on or after the date of the source",
    "before_record": "The CRM's record was written well after the date of this change",
    "before_edit": "Title or employer were written in the CRM after this had happened, it seems",
    "no_start": "The source does not say since when",
    "no_end": "The source does not say when the old job ended",
    "not_yet_ended": "The old job may end only after the date of the source",
    "several_titles": "Several present titles there",
    "title_not_in_history": "The CRM's title is not among those that the source lists there",
    "similar_title": "One title contains the other",
    "pause": (
        "The source tells of retirement, studies, a break, a search or a role not held now, "
        "and of no job"
    ),
    "planned": "A further job is announced that has not begun",
    "employer_unnamed": "The source does not name the employer of another present job",
    "perhaps_renamed": "The same work goes on without a gap: perhaps the company's new name",
    "renamed": "Only the source's id says that this is the CRM's employer: renamed, or one group?",
    "employer_inferred": "That this is the CRM's employer is inferred from mailboxes or others",
    "site_only": "Only the site says that it is the CRM's employer: another name stands there",
    "several_employers": "Several present employers",
    "city_only": "Only name, former employer and city say that this is the same person",
    "title_never_held": "Matched without LinkedIn, and the CRM's title was never held there",
    "probabilistic": "Only a likeness of many details says that this is the same person",
    "long_overlap": "The other job began long before the old one ended",
    "other_domain": "The employer there has the same name as the CRM's, but another domain",
    "company_by_name": "Only names tell the two companies apart: no domains or ids to compare",
    "same_group": "The two companies may be one: a shared name, domain or mail address",
    "many_moved": "Several people went the same way at about the same time: a merger or new name?",
    "low_trust": "A source that is trusted this little decides nothing alone",
}
"""Told in the evidence, in these words; each takes `DOUBT_FACTOR` off."""

LIFTABLE = ("undated", "no_start", "no_end", "company_by_name")
"""What a source may simply not know, and another one that says the same does."""

LASTING = ("perhaps_renamed", "renamed", "same_group", "many_moved", "several_employers")
"""What speaks against a claim whoever makes it: it holds for all that agree."""
