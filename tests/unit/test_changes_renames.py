"""A company's new name is no move: what tells the two apart, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crm_sync.enrichment.file import open_source
from crm_sync.matching.engine import judge
from tests.support.judging import (
    AS_OF,
    AT_ACME,
    AT_NEWCO,
    MAPPINGS,
    NOW,
    WAS_AT_ACME,
    Case,
    Verdict,
    contact,
    contact_table,
    delivery,
    job,
    judge_cases,
    profile,
)

PAGE = {"linkedin_url": "linkedin.com/in/jane-roe~"}
JANE = contact(**PAGE)
MAX = contact(first_name="Max", last_name="Poe~", title="CTO")
ANN = contact(first_name="Ann", last_name="Coe~", title="CFO")
SAME_WORK = job("Newco~", "Sales Director", "2025-10-01")
RENAMED = "perhaps the company's new name"


def goes_on(*jobs: dict[str, Any], others: list[dict[str, Any]] | None = None) -> Case:
    """Jane's jobs, and the profiles of others at Acme whom the CRM knows as well."""
    return Case([JANE, MAX, ANN], [profile(*jobs, **PAGE), *(others or [])])


def someone(first: str, last: str, *jobs: dict[str, Any], **vendor: Any) -> dict[str, Any]:
    name = {"full_name": f"{first} {last}", "first_name": first, "last_name": last}
    return profile(*jobs, **{"id": first.lower(), **name, **vendor})


def went(
    first: str, title: str, then: str, since: str = "2025-10-01", until: str = "2025-09-30"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A contact at Acme, and the profile that says that they went to Newco."""
    page = {"linkedin_url": f"linkedin.com/in/{first.lower()}-roe~"}
    jobs = [job("Acme~", title, "2020", until), job("Newco~", then, since)]
    last = "Roe~" if first == "Jane" else f"{first}son~"
    known = contact(first_name=first, last_name=last, title=title, **page)
    return known, someone(first, last, *jobs, **page)


def all_went(*people: tuple[dict[str, Any], dict[str, Any]]) -> Case:
    return Case([known for known, _ in people], [found for _, found in people])


def max_at(*jobs: dict[str, Any], **vendor: Any) -> dict[str, Any]:
    return someone("Max", "Poe~", *jobs, **vendor)


STILL_AT_ACME = job("Acme~", "CTO", "2019-01-01")

HELD = {
    "the same title the next day": goes_on(WAS_AT_ACME, SAME_WORK),
    "the same title in French": goes_on(
        WAS_AT_ACME, job("Newco~", "Directrice commerciale", "2025-10")
    ),
    "a step up in the same work": goes_on(
        WAS_AT_ACME, job("Newco~", "Senior Sales Director", "2025-10-20")
    ),
    "no title over there": goes_on(WAS_AT_ACME, job("Newco~", None, "2025-10-01")),
    "dates known to the year": goes_on(
        job("Acme~", "Sales Director", "2020", "2025"), job("Newco~", "Sales Director", "2026")
    ),
    "the CRM's title goes on": goes_on(
        job("Acme~", "Head of Sales", "2020", "2025-09-30"), SAME_WORK
    ),
    "a colleague was last seen there before": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[max_at(STILL_AT_ACME, job_last_verified="2025-10-05")]
    ),
    "a colleague is there, nobody says as of when": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[max_at(STILL_AT_ACME, job_last_verified=None)]
    ),
    "a colleague left too": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[max_at(job("Acme~", "CTO", "2019", "2025-10-30"))]
    ),
    "a colleague only keeps a seat on the board": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[max_at(job("Acme~", "Board Member", "2019"))]
    ),
    "her own second profile": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[someone("Jane", "Roe~", AT_ACME, id="copy")]
    ),
    "a company of that name with another domain": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[max_at(job("Acme~", "CTO", "2019", website="acme~.org"))]
    ),
    "two went the same way": goes_on(
        WAS_AT_ACME,
        SAME_WORK,
        others=[
            max_at(STILL_AT_ACME),
            someone("Ann", "Coe~", job("Acme~", "CFO", "2019", "2025-11"), job("Newco~", "CFO",
                    "2025-12")),
        ],
    ),
}  # fmt: skip

HELD |= {
    "a word more in the title": goes_on(
        WAS_AT_ACME, job("Newco~", "Sales Director EMEA", "2025-10-01")
    ),
    "a word less in the title": goes_on(WAS_AT_ACME, job("Newco~", "Director", "2025-10-01")),
    "her own second profile with an initial": goes_on(
        WAS_AT_ACME, SAME_WORK,
        others=[someone("Jane", "Roe~", AT_ACME, id="copy", full_name="Jane M. Roe~")],
    ),
    "her own second profile the other way round": goes_on(
        WAS_AT_ACME, SAME_WORK,
        others=[someone("Jane", "Roe~", AT_ACME, id="copy", full_name="Roe~ Jane")],
    ),
    "her own second profile, shortened": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[someone("J", "Roe~", AT_ACME, id="copy")]
    ),
    "one went the same way to the same work": all_went(
        went("Jane", "Sales Director", "VP Sales"), went("Bob", "CFO", "CFO")
    ),
    "two went the same way in other months": all_went(
        went("Jane", "Sales Director", "Sales Director EMEA"),
        went("Bob", "CFO", "CFO", "2025-10"),
        went("Tim", "CTO", "CTO", "2025-11", "2025-10"),
    ),
}  # fmt: skip

TOGETHER = {
    "in three months": all_went(
        went("Jane", "Sales Director", "VP Marketing"),
        went("Bob", "CFO", "Head of Audit", "2025-08", "2025-07"),
        went("Tim", "CTO", "Chief Data Officer", "2025-12", "2025-11"),
    ),
    "in a year": all_went(
        went("Jane", "Sales Director", "VP Marketing"),
        went("Bob", "CFO", "Head of Audit", "2025", "2025"),
        went("Tim", "CTO", "Chief Data Officer", "2026", "2025"),
    ),
}

SURE = {
    "two went the same way to other work": all_went(
        went("Jane", "Sales Director", "VP Marketing"), went("Bob", "CFO", "Head of Audit")
    ),
    "two went the same way long before": all_went(
        went("Jane", "Sales Director", "VP Marketing"),
        went("Bob", "CFO", "CFO", "2025-03-01", "2025-02-28"),
        went("Tim", "CTO", "CTO", "2025-02", "2025-01"),
    ),
    "a colleague of her last name stayed": goes_on(
        WAS_AT_ACME,
        SAME_WORK,
        others=[someone("Bob", "Roe~", STILL_AT_ACME, job_last_verified="2026-02-01")],
    ),
    "other work": goes_on(WAS_AT_ACME, AT_NEWCO),
    "three months between": goes_on(WAS_AT_ACME, job("Newco~", "Sales Director", "2026-01-05")),
    "a colleague was seen there since": goes_on(
        WAS_AT_ACME, SAME_WORK, others=[max_at(STILL_AT_ACME, job_last_verified="2026-02-01")]
    ),
    "somebody joined the old company since": goes_on(
        WAS_AT_ACME,
        SAME_WORK,
        others=[max_at(job("Acme~", "CTO", "2026-01-01"), job_last_verified=None)],
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return judge_cases({**HELD, **TOGETHER, **SURE}, tmp_path_factory.mktemp("renames"))


@pytest.mark.parametrize("case", HELD)
def test_what_may_be_a_new_name_waits_for_a_person(verdicts: dict[str, Verdict], case: str) -> None:
    assert verdicts[case].kind_and_band == ("moved", "review")
    assert RENAMED in verdicts[case].words


@pytest.mark.parametrize("case", TOGETHER)
def test_three_who_went_the_same_way_wait_for_a_person(
    verdicts: dict[str, Verdict], case: str
) -> None:
    assert verdicts[case].kind_and_band == ("moved", "review")
    assert "went the same way" in verdicts[case].words


@pytest.mark.parametrize("case", SURE)
def test_other_work_a_gap_or_a_colleague_who_stayed_make_it_a_move(
    verdicts: dict[str, Verdict], case: str
) -> None:
    assert verdicts[case].kind_and_band == ("moved", "auto"), verdicts[case].words


def test_the_date_of_a_delivery_is_no_proof_that_a_colleague_stayed(tmp_path: Path) -> None:
    text = (MAPPINGS / "people_data_labs.yaml").read_text(encoding="utf-8")
    undated = tmp_path / "undated.yaml"
    undated.write_text(
        "".join(line for line in text.splitlines(keepends=True) if "verified_on" not in line)
    )
    jane = {"contact_id": "1", **JANE, "changed_at": datetime(2025, 1, 1, tzinfo=UTC)}
    contacts = contact_table([jane, {"contact_id": "2", **MAX}])
    delivery([profile(WAS_AT_ACME, SAME_WORK, **PAGE), max_at(STILL_AT_ACME)], tmp_path)
    source = open_source("vendor", "vendor.jsonl", undated, AS_OF, tmp_path)
    row = judge(contacts, [source], now=NOW).job_changes.to_pylist()[0]
    assert (row["kind"], row["band"]) == ("moved", "review")
    assert RENAMED in row["evidence"]
