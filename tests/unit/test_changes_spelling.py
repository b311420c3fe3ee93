"""Texts of a vendor that lost its capitals, as people read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.changes.spelling import restore_case, restore_title
from tests.support.judging import contact, job, judge_rows, profile


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("vice president of sales", "Vice President of Sales"),
        ("president pro tempore of the senate", "President Pro Tempore of the Senate"),
        ("u.s. senator", "U.S. Senator"),
        ("ceo & founder", "CEO & Founder"),
        ("vp, it operations", "VP, IT Operations"),
        ("directeur général", "Directeur Général"),
        ("directrice de l'agence d'orléans", "Directrice de l'Agence d'Orléans"),
        ("drh", "DRH"),
        ("acme sas", "Acme SAS"),
        ("acme robotics gmbh", "Acme Robotics GmbH"),
        ("head of r&d (europe)", "Head of R&D (Europe)"),
        ("co-founder", "Co-Founder"),
        ("the acme company", "The Acme Company"),
        ("eBay-like Acme", "eBay-like Acme"),
        ("", ""),
    ],
)
def test_restored(given_text: str, shown: str) -> None:
    assert restore_case(given_text) == shown


@given(st.text(max_size=80))
def test_only_letters_case_changes_and_a_second_time_nothing(text: str) -> None:
    once = restore_case(text)
    if text == text.lower():
        assert once.casefold() == text.casefold()
    else:
        assert once == text


def test_the_spelling_of_the_crm_goes_first(tmp_path: Path) -> None:
    contacts = [
        contact(contact_id="1", organisation="Old Inc", organisation_domain="old.example"),
        contact(contact_id="2", first_name="Ann", last_name="Poe", organisation="NewCo S.A.",
                organisation_domain="newco.example", title="V.P. Sales"),
        contact(contact_id="3", first_name="Eve", last_name="Doe", organisation="NewCo S.A.",
                organisation_domain="newco.example", title="V.P. Sales"),
        contact(contact_id="4", first_name="Zed", last_name="Moe", organisation="newco",
                organisation_domain="newco.example", title="vp sales"),
    ]  # fmt: skip
    moved = profile(
        job("old", "sales director", "2020-01-01", "2025-09-30"),
        job("newco", "vp sales", "2025-10-01"),
    )
    judged = judge_rows(contacts, [moved], tmp_path)
    row = judged.job_changes.to_pylist()[0]
    assert row["kind"] == "moved"
    assert (row["to_title"], row["to_organisation"]) == ("V.P. Sales", "NewCo S.A.")


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("directrice des opérations", "Directrice des opérations"),
        ("chef d'équipe b2b", "Chef d'équipe B2B"),
        ("directeur rh adjoint", "Directeur RH adjoint"),
        ("vp of procurement", "VP of Procurement"),
        ("chief of staff", "Chief of Staff"),
        ("en-us lead", "En-US Lead"),
        ("Directrice des Opérations", "Directrice des Opérations"),
    ],
)
def test_french_titles_have_the_capitals_of_french(given_text: str, shown: str) -> None:
    assert restore_title(given_text) == shown
