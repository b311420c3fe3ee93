"""Retirement, studies, leave and a search for work are no new employer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.judging import (
    AT_ACME,
    AT_NEWCO,
    WAS_AT_ACME,
    Case,
    Verdict,
    contact,
    job,
    judge_cases,
    profile,
)

PAGE = {"linkedin_url": "linkedin.com/in/jane-roe~"}

NO_JOBS = [
    "Retired", "Retired Partner", "CFO (Retired)", "Happily retired", "Retraité(e)", "Retraitée",
    "Jeune retraité", "En retraite", "Ingénieur à la retraite", "Student", "PhD student",
    "Computer Science Student at MIT", "Étudiante", "Étudiant en droit", "Élève ingénieur",
    "MBA Candidate", "Executive MBA candidate", "Ph.D. Candidate", "Doctorante", "Career break",
    "On a career break", "Family career break", "Gap year", "Sabbatical", "On sabbatical",
    "Sabbatical leave", "Année sabbatique", "Congé sabbatique", "Parental leave",
    "On maternity leave", "Congé maternité", "Congé parental d'éducation", "Leave of absence",
    "Between jobs", "Open to work", "CFO | Open to Work", "Open to new opportunities",
    "Looking for my next challenge", "Actively seeking new opportunities", "Job seeker",
    "Unemployed", "Demandeur d'emploi", "Demandeuse d’emploi", "En recherche d'emploi",
    "En recherche active", "À la recherche d'un nouveau poste", "Recherche emploi",
    "Actuellement en recherche d'opportunités", "À l'écoute du marché", "Sans emploi",
    "En reconversion professionnelle", "Disponible immédiatement", "MBA", "Executive MBA",
    "Executive MBA, Class of 2027", "PhD", "Ph.D. in Physics", "Doctorat", "Master 2 Finance",
    "Master en droit", "Master of Science", "MSc Finance", "MSc Data Science",
    "Executive Education Program", "M.Sc. in Data Science", "M2 Droit",
    "Bachelor", "Élève", "Apprenante", "Alumna", "Alumni", "MBA Alumnus of Other",
    "Bootcamp participant", "Data Science Bootcamp", "Former VP Sales", "Ex-Sales Director",
    "Ancienne directrice commerciale", "Incoming VP Sales", "VP Sales (on maternity leave)",
    "Directrice commerciale (en congé parental)", "VP Sales - on sabbatical",
]  # fmt: skip

JOBS = [
    "Director of Student Affairs", "Student Services Manager", "Working Student",
    "Conseillère retraite et prévoyance", "Responsable retraite", "Retirement Plan Consultant",
    "Leave Administrator", "Parental Leave Specialist", "Career Break Coach",
    "MBA Program Director", "Recherche et développement", "Chargée de recherche", "Doctorant CIFRE",
    "Recruiter",
    "Chief Opportunity Officer", "Maître de conférences", "Available Market Lead",
    "Head of Job Search Products", "Directrice des études", "Chef de projet transition",
    "VP Sales", "Freelance Consultant", "Founder", "Stagiaire", "Apprentie", "Master Electrician",
    "Master Data Manager", "PhD Researcher", "Scrum Master", "DBA", "Bootcamp Instructor",
    "Director of Alumni Relations", "MSc Programme Director", "MSc Coordinator",
    "Incoming Goods Supervisor",
    "HR Manager (maternity leave cover)", "Export Manager", "Master Trainer",
]  # fmt: skip


def at(*jobs: dict[str, Any], crm: dict[str, Any] | None = None) -> Case:
    return Case([contact(**PAGE, **(crm or {}))], [profile(*jobs, **PAGE)])


EXPECTED = {
    "retired at the old employer": (
        at(WAS_AT_ACME, job("Acme~", "Retired", "2025-10-01")),
        ("left", "review"),
    ),
    "the employer's name says it": (
        at(WAS_AT_ACME, job("Career Break", None, "2025-10-01", website=None)),
        ("left", "review"),
    ),
    "studies beside the job": (
        at(AT_ACME, job("College~", "MBA Candidate", "2025-10-01")),
        ("unchanged", "auto"),
    ),
    "studies beside a new job": (
        at(WAS_AT_ACME, AT_NEWCO, job("College~", "MBA Candidate", "2025-11-01")),
        ("moved", "auto"),
    ),
    "studies that are over": (
        at(job("College~", "Student", "2015", "2019"), WAS_AT_ACME, AT_NEWCO),
        ("moved", "auto"),
    ),
    "on leave from the employer": (
        at(WAS_AT_ACME, job("Acme~", "Parental leave", "2025-10-01")),
        ("unknown", "ignored"),
    ),
    "on leave, said after the title": (
        at(WAS_AT_ACME, job("Acme~", "Sales Director (on maternity leave)", "2025-10-01")),
        ("unknown", "ignored"),
    ),
    "a role at the old employer that is over": (
        at(WAS_AT_ACME, job("Acme~", "Former Sales Director", "2025-10-01")),
        ("left", "review"),
    ),
    "the old employer's alumni": (
        at(WAS_AT_ACME, job("Acme~", "Alumni", "2025-10-01"), AT_NEWCO),
        ("moved", "auto"),
    ),
    "retired, with a seat on a board": (
        at(WAS_AT_ACME, job("Newco~", "Board Member", "2025-10-01"), job("x~", "Retired", "2026")),
        ("unknown", "ignored"),
    ),
    "the CRM says so itself": (
        at(job("Acme~", "PhD Student", "2020"), crm={"title": "PhD student"}),
        ("unchanged", "auto"),
    ),
    "a pause, but the employer is not in the history": (
        at(job("Other~", "Retired", "2025-10-01")),
        ("unknown", "ignored"),
    ),
    "a pause without an employer's name": (
        at(WAS_AT_ACME, {**job("", "Retired", "2025-10-01"), "company": None}),
        ("left", "review"),
    ),
    "a job without an employer's name": (
        at(WAS_AT_ACME, {**job("", "VP Sales", "2025-10-01"), "company": None}),
        ("unknown", "ignored"),
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    cases = {name: case for name, (case, _) in EXPECTED.items()}
    for title in (*NO_JOBS, *JOBS):
        cases[title] = at(WAS_AT_ACME, job("Other~", title, "2025-10-01"))
    return judge_cases(cases, tmp_path_factory.mktemp("pauses"))


@pytest.mark.parametrize("title", NO_JOBS)
def test_what_is_no_job_is_a_leaving_that_somebody_looks_at(
    verdicts: dict[str, Verdict], title: str
) -> None:
    left = verdicts[title]
    assert left.kind_and_band == ("left", "review"), left.words
    assert left.change["since"] == "2025-09-30"
    assert left.change["to_title"] == left.change["to_organisation"] == ""
    assert "retirement, studies" in left.words


@pytest.mark.parametrize("title", JOBS)
def test_a_job_that_only_has_such_words_in_its_title_is_a_job(
    verdicts: dict[str, Verdict], title: str
) -> None:
    assert verdicts[title].kind_and_band == ("moved", "auto"), verdicts[title].words


@pytest.mark.parametrize("case", EXPECTED)
def test_a_pause_beside_other_facts(verdicts: dict[str, Verdict], case: str) -> None:
    assert verdicts[case].kind_and_band == EXPECTED[case][1], verdicts[case].words
