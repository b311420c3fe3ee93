"""Asking People Data Labs: what is sent, what an answer means, and what a refusal means."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peopledatalabs import PDLPY

from crm_sync.config import load_config
from crm_sync.enrichment import people_data_labs_wire as wire
from crm_sync.enrichment.asking import ASKED_WITH, Answer, AskingSource, Question
from crm_sync.enrichment.people_data_labs import PeopleDataLabs
from crm_sync.enrichment.registry import open_source
from crm_sync.errors import (
    AccessDenied,
    BatchRejected,
    ConfigError,
    CrmSyncError,
    QuotaReached,
    RateLimited,
    ServerFault,
    Unreachable,
)
from crm_sync.sandbox.http import HttpProblem
from tests.support import stand_in_pdl
from tests.support.stand_in_pdl import KEY, StandInPdl

JANE: dict[str, Any] = {
    "id": "jane-1",
    "full_name": "jane roe",
    "first_name": "jane",
    "last_name": "roe",
    "birth_date": "1970-01-01",
    "work_email": True,  # what an account may not see
    "personal_emails": ["jane@mail.example"],
    "mobile_phone": "+33612345678",
    "linkedin_url": "linkedin.com/in/jane-roe",
    "job_last_verified": "2026-06-01",
    "experience": [
        {
            "company": {"name": "Newco", "website": "newco.example"},
            "title": {"name": "vp sales"},
            "start_date": "2025-10",
            "end_date": None,
            "is_primary": True,
        }
    ],
}
JOHN = JANE | {
    "id": "john-2",
    "full_name": "john doe",
    "linkedin_url": "linkedin.com/in/john-doe",
    "mobile_phone": None,
    "personal_emails": [],
}

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Opened = Callable[..., AbstractContextManager[PeopleDataLabs]]


def asked(id: str = "c1", **fields: str | None) -> Question:
    return Question(id, **fields)


def configured(folder: Path, url: str, more: str = "", key: str = KEY) -> PeopleDataLabs:
    path = folder / "config.yaml"
    path.write_text(
        "connections: {}\nenrichment:\n  pdl:\n    source: people_data_labs\n"
        f"    api_key: {key}\n    base_url: {url}\n{more}"
    )
    opened = open_source(load_config(path).sources["pdl"])
    assert isinstance(opened, PeopleDataLabs)
    return opened


@pytest.fixture
def open_at(tmp_path: Path) -> Opened:
    @contextmanager
    def opened(account: StandInPdl, more: str = "", key: str = KEY) -> Iterator[PeopleDataLabs]:
        with account.served() as url:
            source = configured(tmp_path, url, more, key)
            try:
                yield source
            finally:
                source.close()

    return opened


@pytest.fixture
def account() -> StandInPdl:
    return StandInPdl([JANE, JOHN])


# What is sent


@pytest.mark.parametrize(
    ("fields", "params"),
    [
        ({"email": "a@b.example"}, {"email": ["a@b.example"]}),
        (
            {"email": "a@b.example", "personal_email": "c@d.example"},
            {"email": ["a@b.example", "c@d.example"]},
        ),
        ({"email": "a@b.example", "personal_email": "a@b.example"}, {"email": ["a@b.example"]}),
        ({"email": "a@@b.example"}, {}),
        ({"email": "a@b"}, {}),
        ({"email": "a b@c.example"}, {}),
        ({"email": ".a@b.example"}, {}),
        ({"email": "a@b.example, c@d.example"}, {}),
        ({"email": "é@b.example"}, {}),
        ({"phone": "+33 (0)6 12 34 56 78"}, {"phone": ["+33612345678"]}),
        ({"mobile": "0033 6 12 34 56 78"}, {"phone": ["+33612345678"]}),
        ({"phone": "06 12 34 56 78"}, {}),  # of which country?
        ({"phone": "+1234"}, {}),
        (
            {"linkedin_url": "https://www.linkedin.com/in/jane-roe/?trk=x"},
            {"profile": ["linkedin.com/in/jane-roe"]},
        ),
        (
            {"linkedin_url": "https://fr.linkedin.com/pub/jane"},
            {"profile": ["linkedin.com/pub/jane"]},
        ),
        ({"linkedin_url": "https://www.linkedin.com/company/acme"}, {}),
        ({"linkedin_url": "see her page"}, {}),
        (
            {"first_name": "Jane", "last_name": "Roe", "name": "Jane Roe"},
            {"first_name": "Jane", "last_name": "Roe"},
        ),
        ({"last_name": "Roe", "name": "Jane Roe"}, {"name": "Jane Roe"}),
        (
            {"organisation": "Acme\x00 \ud800 Ltd", "organisation_domain": "acme.example"},
            {"company": ["Acme Ltd", "acme.example"]},
        ),
        ({"city": "Paris", "country": "France"}, {"locality": "Paris", "country": "France"}),
        ({"title": "VP Sales"}, {}),  # what is asked about is not what is known of the job
    ],
)
def test_what_the_vendor_is_told_of_a_contact(
    fields: dict[str, str], params: dict[str, object]
) -> None:
    assert wire.params_of(asked(**fields)) == params


@pytest.mark.parametrize(
    ("fields", "enough"),
    [
        ({"email": "a@b.example"}, True),
        ({"mobile": "+33612345678"}, True),
        ({"linkedin_url": "linkedin.com/in/x"}, True),
        ({"first_name": "Jane", "last_name": "Roe", "organisation": "Acme"}, True),
        ({"name": "Jane Roe", "organisation_domain": "acme.example"}, True),
        ({"first_name": "Jane", "last_name": "Roe", "city": "Paris"}, False),
        ({"last_name": "Roe", "organisation": "Acme"}, False),
        ({"organisation": "Acme"}, False),
        ({"email": "nonsense"}, False),
        ({}, False),
    ],
)
def test_who_can_be_asked_about(fields: dict[str, str], enough: bool, tmp_path: Path) -> None:
    source = configured(tmp_path, "http://127.0.0.1:9")
    assert source.answerable(asked(**fields)) is enough
    source.close()


@unhurried
@given(st.dictionaries(st.sampled_from(ASKED_WITH[1:]), st.text() | st.text("aé@.+-/0 ")))
def test_law_what_is_asked_is_never_malformed(fields: dict[str, str]) -> None:
    params = wire.params_of(asked(**fields))
    json.dumps(params, ensure_ascii=False).encode()
    if wire.is_enough(params):
        try:
            stand_in_pdl._refuse_malformed(params)
        except HttpProblem as problem:
            pytest.fail(str(problem.body))


def test_the_key_goes_in_a_header_and_ids_and_other_fields_stay_here(
    account: StandInPdl, open_at: Opened
) -> None:
    with open_at(account) as source:
        source.ask([asked("003SECRETID", email="jane@mail.example")])
        source.inspect()
    assert {one["x-api-key"] for one in account.headers} == {KEY}
    assert all(KEY not in target and "SECRETID" not in target for target in account.targets)
    (body,) = account.bodies
    assert KEY not in json.dumps(body)
    assert "SECRETID" not in json.dumps(body)
    assert (body["min_likelihood"], body["required"]) == (6, "experience")
    wanted = body["data_include"].split(",")
    assert {"id", "experience", "job_last_verified", "work_email"} <= set(wanted)
    assert "birth_date" not in wanted


# What comes back


def test_answers_are_told_apart_whatever_their_order(account: StandInPdl, open_at: Opened) -> None:
    questions = [
        asked("c1", email="nobody@mail.example"),
        asked("c2", linkedin_url="https://linkedin.com/in/john-doe"),
        asked("c3", email="jane@mail.example"),
    ]
    with open_at(account) as source:
        answers = {one.contact_id: one for one in source.ask(questions)}
    assert {id: one.status for id, one in answers.items()} == {
        "c1": "absent",
        "c2": "found",
        "c3": "found",
    }
    assert [answers[id].credits for id in ("c1", "c2", "c3")] == [0, 1, 1]
    document = json.loads(answers["c3"].document or "")
    assert document["id"] == "jane-1"
    assert "birth_date" not in document
    assert "work_email" not in document  # `true` is no address
    assert account.spent == 2


def test_the_vendor_has_to_be_as_sure_as_the_configuration_says(
    account: StandInPdl, open_at: Opened
) -> None:
    by_employer = asked(first_name="Jane", last_name="Roe", organisation="Newco")
    with open_at(account) as source:
        assert [one.status for one in source.ask([by_employer])] == ["found"]
    with open_at(account, "    min_likelihood: 9\n") as source:
        assert [one.status for one in source.ask([by_employer])] == ["absent"]


def test_a_record_without_jobs_is_not_paid_for(open_at: Opened) -> None:
    account = StandInPdl([JANE | {"experience": []}])
    with open_at(account) as source:
        assert [one.status for one in source.ask([asked(email="jane@mail.example")])] == ["absent"]
    assert account.spent == 0


def found(number: int, **more: object) -> dict[str, object]:
    return {"status": 200, "data": {"id": "x"}, "metadata": {"n": number}, **more}


QUESTIONS = [asked("a", email="a@b.example"), asked("b", email="b@b.example")]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        ([found(1), {"status": 404, "metadata": {"n": 0}}], {"a": "absent", "b": "found"}),
        ([{"status": 200, "data": {}}, {"status": 404}], {"a": "found", "b": "absent"}),
        ([found(0), {"status": 429, "metadata": {"n": 1}}], {"a": "found"}),
        ([found(0), {"status": 402, "metadata": {"n": 1}}], {"a": "found"}),
        ([found(0), {"status": 400, "metadata": {"n": 1}}], {"a": "found", "b": "refused"}),
        ([found(0), found(0), found(7), found(-1)], {"a": "found"}),
        ([found(0), {"status": "200", "metadata": {"n": 1}}, None, 3, []], {"a": "found"}),
        ([{"status": 200, "data": {}}], {}),  # whose is it?
        ([], {}),
    ],
)
def test_records_that_are_odd_are_nobodys(body: object, statuses: dict[str, str]) -> None:
    answers = wire.answers_in(body, {}, QUESTIONS)
    assert answers is not None
    assert {one.contact_id: one.status for one in answers} == statuses


@pytest.mark.parametrize(("header", "each"), [("", 1.0), ("2", 1.0), ("1", 0.5), ("x", 1.0)])
def test_what_an_answer_cost_is_what_the_vendor_says(header: str, each: float) -> None:
    answers = wire.answers_in([found(0), found(1)], {"x-call-credits-spent": header}, QUESTIONS)
    assert [one.credits for one in answers or []] == [each, each]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("{'minute': 1200, 'day': None, 'month': 4}", {"minute": 1200, "month": 4}),
        ("{'minute': 0}", {"minute": 0}),
        ("17", {"minute": 17}),
        ("", {}),
        ("{'minute': True}", {}),
        ("{'minute': __import__('os').system('false')}", {}),
        ("{" * 400, {}),
        ("{'a': 1}" + " " * 600, {}),
        ("[1, 2]", {}),
    ],
)
def test_windows_are_read_as_the_vendor_writes_them(text: str, left: dict[str, int]) -> None:
    assert wire.windows(text) == left


@unhurried
@given(st.text(max_size=60))
def test_law_no_header_is_too_odd(text: str) -> None:
    headers = {"x-ratelimit-reset": text, "Date": text, "x-totallimit-remaining": text}
    assert 0 <= wire.pause_until_reset(headers, at_most=60.0) <= 60.0
    wire.windows(text)
    wire.credits_left(headers)


# Refusals


def status(code: int, **more: Any) -> dict[str, Any]:
    return {"fault": "status", "status": code, **more}


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (status(401), AccessDenied, "refused"),
        (status(403), AccessDenied, "may not enrich"),
        (status(402), QuotaReached, "out of credits"),
        (status(429), RateLimited, "slow down"),
        (
            status(429, headers={"x-ratelimit-remaining": "{'minute': 9, 'day': 0}"}),
            QuotaReached,
            "for this day",
        ),
        (status(500), ServerFault, "status 500"),
        (status(503, body="<html>down</html>"), ServerFault, "status 503"),
        (status(404), ConfigError, "status 404"),
        (status(302, headers={"Location": "http://127.0.0.1:1/"}), ConfigError, "status 302"),
        (status(200, body="<html>hello</html>"), ServerFault, "not one"),
        (status(200, body={"status": 200}), ServerFault, "not one"),
        ({"fault": "drop_before"}, ServerFault, "hung up"),
        ({"fault": "drop_after"}, ServerFault, "hung up"),
        ({"fault": "delay", "seconds": 1.5}, ServerFault, "in time"),
    ],
)
def test_what_a_refusal_means(
    fault: dict[str, Any],
    error: type[CrmSyncError],
    words: str,
    account: StandInPdl,
    open_at: Opened,
) -> None:
    account.script(**fault)
    with open_at(account, "    read_timeout: 0.5\n") as source:
        with pytest.raises(error) as caught:
            source.ask([asked(email="jane@mail.example")])
        assert words in caught.value.message
        assert KEY not in str(caught.value)
        assert "jane" not in str(caught.value)
    if isinstance(caught.value, ServerFault) and "not one" not in words:
        assert caught.value.sent


def test_one_malformed_question_is_told_as_such_without_its_words(
    account: StandInPdl, open_at: Opened
) -> None:
    problem = stand_in_pdl.error(400, "invalid_request_error", "Invalid email: jane@x")
    account.script(**status(400, body=problem))
    with open_at(account) as source, pytest.raises(BatchRejected) as caught:
        source.ask([asked(email="jane@mail.example")])
    assert caught.value.code == "invalid_request_error"
    assert "jane" not in str(caught.value)


def test_nobody_listening_is_told_as_such(tmp_path: Path) -> None:
    source = configured(tmp_path, "http://127.0.0.1:9/v5")
    with pytest.raises(Unreachable):
        source.ask([asked(email="jane@mail.example")])


def test_a_full_minute_is_waited_for_by_the_vendors_clock(open_at: Opened) -> None:
    account = StandInPdl([JANE], per_minute=2)
    question = [asked(email="jane@mail.example")]
    with open_at(account) as source:
        source.ask(question)
        source.ask(question)  # the last that this minute takes: it says so
        with pytest.raises(RateLimited) as caught:
            source.ask(question)
    assert account.calls.counted()["total"] == 2  # the third was not even sent
    assert 0 < (caught.value.retry_after or 0) <= 3


# Looking


def test_a_look_costs_nothing_and_tells_the_credits(account: StandInPdl, open_at: Opened) -> None:
    account.credits = 1342
    with open_at(account) as source:
        assert isinstance(source, AskingSource)
        assert source.inspect() == "answers; 1,342 credits are left"
    assert account.spent == 0


@pytest.mark.parametrize(
    ("credits", "key", "error"), [(0, KEY, QuotaReached), (5, "another-key", AccessDenied)]
)
def test_a_look_tells_what_is_wrong(
    credits: int, key: str, error: type[CrmSyncError], account: StandInPdl, open_at: Opened
) -> None:
    account.credits = credits
    with open_at(account, key=key) as source, pytest.raises(error):
        source.inspect()


def test_the_key_is_in_no_repr_and_no_log(
    account: StandInPdl, open_at: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with open_at(account) as source:
        source.ask([asked(email="jane@mail.example", last_name="Roe")])
        said = repr(source) + repr(vars(source)) + repr(asked(email="jane@mail.example"))
        assert KEY not in said + caplog.text
        assert "jane" not in said + caplog.text


# Settings


@pytest.mark.parametrize(
    ("url", "more", "words", "line"),
    [
        ("http://api.peopledatalabs.com/v5", "", "clear text", 5),
        ("http://127.0.0.1/v5", "    min_likelyhood: 3\n", "min_likelihood", 7),
        ("http://127.0.0.1/v5", "    min_likelihood: 11\n", "less than or equal to 10", 7),
        ("http://127.0.0.1/v5", "    batch_size: 101\n", "less than or equal to 100", 7),
        ("http://127.0.0.1/v5", "    trust: 2\n", "less than or equal to 1", 7),
        ("http://127.0.0.1/v5", "    budget: -1\n", "greater than or equal to 0", 7),
        ("http://127.0.0.1/v5?key=x", "", "nothing after the path", 6),
        ("http://127.0.0.1/v5", "    mapping: absent.yaml\n", "no such file", None),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(
    tmp_path: Path, url: str, more: str, words: str, line: int | None
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, url, more)
    assert words in str(caught.value)
    if line is not None:
        assert f"config.yaml:{line}:" in caught.value.place
    assert KEY not in str(caught.value)


def test_plain_http_goes_to_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDL_TEST_KEY", KEY)
    with pytest.raises(ConfigError, match="https://") as caught:
        configured(tmp_path, "http://api.peopledatalabs.com/v5", key="env/PDL_TEST_KEY")
    assert KEY not in str(caught.value)
    configured(tmp_path, "https://api.peopledatalabs.com/v5", key="env/PDL_TEST_KEY").close()


def test_a_key_that_is_no_word_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDL_TEST_KEY", "two words\nand a line")
    with pytest.raises(ConfigError, match="one word") as caught:
        configured(tmp_path, "https://api.peopledatalabs.com/v5", key="env/PDL_TEST_KEY")
    assert "two words" not in str(caught.value)


# The vendor's own client


def test_the_vendors_own_client_is_answered_as_it_expects(account: StandInPdl) -> None:
    with account.served() as url:
        client = PDLPY(api_key=KEY, base_path=url)
        entries = [
            {"metadata": {"who": "1"}, "params": {"email": ["jane@mail.example"]}},
            {"metadata": {"who": "2"}, "params": {"email": ["nobody@mail.example"]}},
        ]
        answer = client.person.bulk(min_likelihood=6, required="experience", requests=entries)
        assert answer.ok
        one, other = answer.json()
        assert (one["status"], one["metadata"], one["data"]["id"]) == (200, {"who": "1"}, "jane-1")
        assert (other["status"], other["metadata"]) == (404, {"who": "2"})
        single = client.person.enrichment(profile="linkedin.com/in/john-doe")
        assert single.json()["data"]["full_name"] == "john doe"
        assert client.person.enrichment(email="nobody@mail.example").status_code == 404
        refused = PDLPY(api_key="wrong", base_path=url).person.bulk(requests=entries)
        assert refused.status_code == 401
        assert refused.json()["error"]["type"] == "authentication_error"


def test_an_answer_is_the_same_to_us_and_to_the_vendors_client(
    account: StandInPdl, open_at: Opened
) -> None:
    with open_at(account) as source:
        ours: Sequence[Answer] = source.ask([asked(email="jane@mail.example")])
        sent = account.bodies[-1]
    with account.served() as url:
        theirs = PDLPY(api_key=KEY, base_path=url).person.bulk(**sent).json()
    assert account.bodies[-1] == sent  # their model lets all that we send through
    data = {name: value for name, value in theirs[0]["data"].items() if value is not True}
    assert json.loads(ours[0].document or "") == data
