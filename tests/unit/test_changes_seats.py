"""Seats, advice and teaching by the hour are no jobs; some titles of jobs only sound so."""

from __future__ import annotations

import pytest

from tests.support.judging import (
    AT_ACME,
    WAS_AT_ACME,
    Case,
    Verdict,
    contact,
    job,
    judge_cases,
    profile,
)

PAGE = {"linkedin_url": "linkedin.com/in/jane-roe~"}

SEATS = [
    "Board Member", "Member, Board of Directors", "Non-Executive Director", "NED",
    "Chair of the Board", "Board Observer", "Scientific Advisory Board Member", "Trustee",
    "Steering Committee Member", "Director of the Board", "Honorary President", "Guest Lecturer",
    "Adjunct Professor", "Startup Mentor", "Angel Investor", "Venture Advisor", "Senior Advisor",
    "School Governor", "Volunteer", "Membre du conseil d'administration", "Membre du CA",
    "Administratrice indépendante", "Présidente du conseil de surveillance",
    "Membre du comité stratégique", "Membre du bureau", "Membre du jury", "Censeur", "Bénévole",
    "Intervenante", "Chargée de cours", "Chargé d'enseignement", "Enseignant vacataire",
    "Professeur invité", "Juge consulaire", "Conseillère du commerce extérieur de la France",
    "Investisseur", "Réserviste", "Marraine de promotion", "Mentor et investisseur",
    "Treasurer", "Trésorière", "Member", "Founding Member", "Committee Member", "Membre actif",
    "Forbes Business Council", "Conseiller municipal", "Conseillère municipale déléguée",
    "Adjoint au maire", "Première adjointe au maire", "Administrateur", "Ambassador",
    "Alumni Ambassador", "Past President",
]  # fmt: skip

JOBS = [
    "Membre du comité de direction", "DSI, membre du comité exécutif", "Membre du directoire",
    "Director of Volunteer Services", "Investor Relations Manager", "Mentor Program Manager",
    "Board Secretary", "Directrice relations investisseurs", "Tax Advisor", "Conseiller financier",
    "Administrateur systèmes et réseaux", "Executive Director", "Chairman & CEO",
    "Professor of Law", "Professeur", "Dashboard Developer", "Onboarding Manager",
    "Chargé de mission", "Director, Risk Advisory", "Senior Manager, Advisory",
    "Intervenante sociale", "Technical Advisor", "Group Treasurer", "Member of Technical Staff",
    "Team Member", "Crew Member", "Conseiller régional en formation", "Brand Ambassador Manager",
    "Administrateur de biens", "Assistante du maire",
]  # fmt: skip


def elsewhere(title: str) -> Case:
    """Away from Acme, months later with this title: no company goes on under another name so."""
    jobs = [WAS_AT_ACME, job("Other~", title, "2026-02-01")]
    return Case([contact(**PAGE)], [profile(*jobs, **PAGE)])


def kept(title: str) -> Case:
    """Still at Acme, with a seat elsewhere that began last and is called the primary one."""
    jobs = [AT_ACME, job("Other~", title, "2025-10-01", primary=True)]
    return Case([contact(**PAGE)], [profile(*jobs, **PAGE)])


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    cases = {title: elsewhere(title) for title in (*SEATS, *JOBS)}
    cases |= {f"kept {title}": kept(title) for title in SEATS}
    return judge_cases(cases, tmp_path_factory.mktemp("seats"))


@pytest.mark.parametrize("title", SEATS)
def test_a_seat_is_neither_a_move_nor_a_leaving(verdicts: dict[str, Verdict], title: str) -> None:
    assert verdicts[title].kind_and_band == ("unknown", "ignored")
    assert "only board, advisory or volunteer seats" in verdicts[title].words
    assert verdicts[f"kept {title}"].kind_and_band == ("unchanged", "auto")


@pytest.mark.parametrize("title", JOBS)
def test_a_job_that_sounds_like_a_seat_is_a_job(verdicts: dict[str, Verdict], title: str) -> None:
    assert verdicts[title].kind_and_band == ("moved", "auto"), verdicts[title].words
