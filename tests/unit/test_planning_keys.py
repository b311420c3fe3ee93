"""What one claim is: it comes again under the same key however a vendor spells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from crm_sync.mapping import JobChangeAction
from crm_sync.model import Band, JobChange, JobChangeKind, Position
from crm_sync.normalise.titles import title_key
from crm_sync.planning.keys import claim_of, task_key, update_key

MOVED = JobChange(
    contact_id="c1",
    kind=JobChangeKind.MOVED,
    confidence=0.9,
    band=Band.AUTO,
    before=Position("Sales Manager", "Vexalor"),
    after=Position("Head of Sales", "Norvex"),
    since=date(2026, 3, 1),
    as_of=date(2026, 6, 15),
    source="vendor-file",
)
LEFT = replace(MOVED, kind=JobChangeKind.LEFT, after=Position())
RETITLED = replace(MOVED, kind=JobChangeKind.RETITLED, after=Position("Head of Sales", "Vexalor"))
EDITED = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
SEEN = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("claimed", [MOVED, LEFT, RETITLED])
def test_a_claim_is_the_same_whoever_makes_it_and_whatever_day_it_names(claimed: JobChange) -> None:
    again = replace(claimed, source="other", as_of=date(2026, 9, 9), confidence=0.4, profile_id="p")
    assert claim_of(again) == claim_of(claimed)
    assert claim_of(replace(claimed, since=date(2026, 3, 2))) == claim_of(claimed)
    assert claim_of(replace(claimed, since=None)) == claim_of(claimed)
    respelled = replace(claimed, before=Position("Any title", "VEXALOR, Inc."))
    assert claim_of(respelled) == claim_of(claimed)


@pytest.mark.parametrize(
    "after",
    [
        Position("Head of Sales", "Norvex, Inc."),
        Position("HEAD OF SALES", "NORVÈX S.A.S."),
        Position("Sales Head", "norvex"),
        Position("Chief Revenue Officer", "Norvex"),
        Position("", "Norvex"),
    ],
)
def test_who_went_to_a_company_went_there_under_any_spelling_and_title(after: Position) -> None:
    assert claim_of(replace(MOVED, after=after)) == claim_of(MOVED)


@pytest.mark.parametrize(
    "title",
    ["Sales Head", "head, sales", "Head of the Sales", "Head – Sales", "HEAD OF SALES "],
)
def test_a_new_title_is_the_same_in_any_wording(title: str) -> None:
    claimed = replace(RETITLED, after=Position(title, "Norvex"))
    assert claim_of(claimed) == claim_of(RETITLED)


def test_another_kind_company_or_title_is_another_claim() -> None:
    claims = [
        MOVED,
        LEFT,
        RETITLED,
        replace(MOVED, after=Position("Head of Sales", "Tallory")),
        replace(MOVED, before=Position("Sales Manager", "Tallory")),
        replace(LEFT, before=Position("Sales Manager", "Tallory")),
        replace(RETITLED, after=Position("Head of Purchasing", "Vexalor")),
        replace(RETITLED, before=Position("Sales Manager", "Tallory")),
    ]
    assert len({claim_of(claim) for claim in claims}) == len(claims)


def test_what_has_no_letters_is_told_apart_all_the_same() -> None:
    names = ["???", "***", "?"]
    assert len({claim_of(replace(MOVED, after=Position("x", name))) for name in names}) == 3
    titles = [replace(RETITLED, after=Position(name, "Vexalor")) for name in names]
    assert len({claim_of(one) for one in titles}) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("VP Sales", "Vice President of Sales"),
        ("Directrice commerciale", "Directeur Commercial"),
        ("R&D Engineer", "Ingénieur Recherche et Développement"),
        ("Sr. Manager, I.T.", "senior IT manager"),
        ("Responsable de l’exploitation", "Operations Manager"),
        ("Chef de projet", "Project Manager"),
    ],
)
def test_titles_that_mean_the_same_share_a_key(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Head of Sales", "Director of Sales"),
        ("Sales Director", "Regional Sales Director"),
        ("PDG", "CEO"),
        ("C++ Developer", "C Developer"),
    ],
)
def test_titles_over_which_a_colleague_would_hesitate_stay_apart(one: str, other: str) -> None:
    assert title_key(one) != title_key(other)


def test_keys_fit_a_crm_field_and_differ_for_everything_that_matters() -> None:
    action, other_action = JobChangeAction.FLAG_AND_TASK, JobChangeAction.UPDATE_TITLE
    keys = [
        update_key("1", action, "claim"),
        update_key("2", action, "claim"),
        update_key("1", other_action, "claim"),
        update_key("1", action, "other claim"),
        update_key("1", action, "claim", [("title", EDITED)]),
        update_key("1", action, "claim", [("title", SEEN)]),
        task_key("1", "claim"),
        task_key("2", "claim"),
        task_key("1", "other claim"),
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 64 and int(key, 16) for key in [*keys, claim_of(MOVED)])


def test_the_order_of_edits_does_not_change_a_key() -> None:
    edits = [("title", EDITED), ("moved", SEEN)]
    one, other = (
        update_key("1", JobChangeAction.FLAG_AND_TASK, "claim", each)
        for each in (edits, edits[::-1])
    )
    assert one == other
