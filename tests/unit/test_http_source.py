"""The source `http` against stand-ins of vendors: what is sent, what is read, what is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crm_sync.enrichment.asking import SEVERAL, Answer, AskingSource, Question
from crm_sync.enrichment.config import SourcePlace
from crm_sync.enrichment.http import pacing
from crm_sync.enrichment.http.source import HttpConfig, HttpSource
from crm_sync.errors import (
    AccessDenied,
    ConfigError,
    CrmSyncError,
    QuotaReached,
    RateLimited,
    ServerFault,
    Unreachable,
)
from crm_sync.yamlfile import YamlFile
from tests.support.judging import MAPPINGS
from tests.support.scripted_http import Reply, hang_up, reply, scripted, stream
from tests.support.stand_in_http import KEY, Job, Person, StandIn, sent_values, stand_in

ADA = Person(
    "ada-sample",
    "Ada",
    "Sample",
    [
        Job("New Works", "Head of Supply", "2026-02"),
        Job("Old Mill", "Manager", "2019-05", "2026-01"),
    ],
    email="ada.sample@mail.example",
)
ASK_ADA = Question(
    "c-1",
    first_name="Ada",
    last_name="Sample",
    linkedin_url="https://www.linkedin.com/in/ada-sample",
)
ASK_BEN = Question(
    "c-2", first_name="Ben", last_name="Nobody", linkedin_url="linkedin.com/in/ben-n"
)
OPAQUE = "https://www.linkedin.com/in/ACwAAA1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r"
BASE = {
    "apollo": "/api/v1",
    "coresignal": "/cdapi/v2",
    "enrichlayer": "",
}


def place(folder: Path) -> SourcePlace:
    file = YamlFile(folder / "config.yaml", {}, {("enrichment", "vendor"): (3, 5)})
    return SourcePlace(file, ("enrichment", "vendor"))


def opened(vendor: str, url: str, **settings: Any) -> HttpSource:
    config = HttpConfig.model_validate(
        {
            "source": "http",
            "api": MAPPINGS / f"{vendor}.yaml",
            "key": KEY,
            "base_url": url + BASE[vendor],
            **settings,
        }
    )
    return HttpSource.open("vendor", config, place(MAPPINGS))


@contextmanager
def asking(
    vendor: str, *faults: Reply, people: Sequence[Person] = (ADA,)
) -> Iterator[tuple[StandIn, HttpSource]]:
    with stand_in(vendor, people, *faults) as server:
        source = opened(vendor, server.url)
        yield server, source
        source.close()


def described(folder: Path, url: str, text: str, **settings: Any) -> HttpSource:
    """A source by a description of the test's own; `profile` and `employments` are added."""
    path = folder / "api.yaml"
    path.write_text(
        f"base_url: {url}\n{text}\nprofile: {{id: id, full_name: name}}\n"
        "employments: [{each: jobs, organisation: at, end_on: until}]\n",
        encoding="utf-8",
    )
    config = HttpConfig.model_validate({"source": "http", "api": path, **settings})
    return HttpSource.open("vendor", config, place(folder))


def test_it_is_an_asking_source() -> None:
    source = opened("apollo", "http://127.0.0.1:9")
    assert isinstance(source, AskingSource)
    assert (source.batch_size, source.max_cost, source.mapping.dates) == (10, 1.0, "iso")
    assert KEY not in repr(source)
    assert KEY not in repr(vars(source))


@pytest.mark.parametrize("vendor", ["apollo", "coresignal", "enrichlayer"])
def test_who_is_known_is_found_and_who_is_not_is_absent(vendor: str) -> None:
    with asking(vendor) as (server, source):
        answers: list[Answer] = []
        for some in [[ASK_ADA, ASK_BEN]] if source.batch_size > 1 else [[ASK_ADA], [ASK_BEN]]:
            answers += source.ask(some)
    assert [(one.contact_id, one.status) for one in answers] == [
        ("c-1", "found"),
        ("c-2", "absent"),
    ]
    assert "Old Mill" in (answers[0].document or "")
    assert answers[1].document is None
    assert answers[1].credits == 0
    assert 0 < answers[0].credits <= source.max_cost
    assert "c-1" not in sent_values(server.asked), "the CRM's own ids stay at home"


def test_a_batch_is_one_call_and_holds_nothing_that_is_not_known() -> None:
    with asking("apollo") as (server, source):
        source.ask([ASK_ADA, Question("c-3", email="x@mail.example")])
    (asked,) = server.asked
    assert json.loads(asked.body) == {
        "details": [
            {
                "first_name": "Ada",
                "last_name": "Sample",
                "linkedin_url": "https://www.linkedin.com/in/ada-sample",
            },
            {"email": "x@mail.example"},
        ]
    }
    assert asked.path == (
        "/api/v1/people/bulk_match?reveal_personal_emails=false&reveal_phone_number=false"
    )


@pytest.mark.parametrize(
    ("vendor", "question", "enough"),
    [
        ("coresignal", ASK_ADA, True),
        ("coresignal", Question("c", linkedin_url=OPAQUE), False),
        ("coresignal", Question("c", email="a@b.example"), False),
        ("coresignal", Question("c", linkedin_url="linkedin.com/in/.."), False),
        ("enrichlayer", Question("c", linkedin_url=OPAQUE), False),
        ("apollo", Question("c", first_name="Ada", last_name="Sample"), False),
        (
            "apollo",
            Question("c", first_name="Ada", last_name="Sample", organisation="Old Mill"),
            True,
        ),
        ("apollo", Question("c", personal_email="a@b.example"), True),
        ("apollo", Question("c", email=" \n "), False),
        ("apollo", Question("c", email="a" * 600 + "@b.example"), False),
    ],
)
def test_whom_it_can_be_asked_about(vendor: str, question: Question, enough: bool) -> None:
    assert opened(vendor, "http://127.0.0.1:9").answerable(question) is enough


@pytest.mark.parametrize("slug", ["jos%C3%A9-mar%C3%ADa", "a&b=c", "x#y", "a+b"])
def test_what_stands_in_an_address_stays_in_its_place(slug: str) -> None:
    with asking("coresignal") as (server, source):
        source.ask([Question("c", linkedin_url=f"https://linkedin.com/in/{slug}")])
    (asked,) = server.asked
    assert asked.path.count("/") == 5
    assert "?" not in asked.path
    assert "#" not in asked.path


def test_a_page_that_is_gone_is_no_answer() -> None:
    gone = Person("ada-sample", "Ada", "Sample", ADA.jobs, gone=True)
    with asking("coresignal", people=[gone]) as (_, source):
        (answer,) = source.ask([ASK_ADA])
    assert (answer.status, answer.document) == ("absent", None)


FAULTS: dict[str, tuple[Reply, type[CrmSyncError], str]] = {
    "too many calls": (reply(429, {}, {"Retry-After": "7"}), RateLimited, "slow down"),
    "too many calls, no pause told": (reply(429, {}), RateLimited, "slow down"),
    "no credits": (reply(402, {"detail": "Insufficient credits"}), QuotaReached, "credits"),
    "a wrong key": (reply(401, {}), AccessDenied, "key"),
    "a fault": (reply(500, b"oops"), ServerFault, "500"),
    "a page of a proxy": (reply(200, b"<html><body>Hello</body></html>"), ServerFault, "not JSON"),
    "half an answer": (reply(200, b'{"id": 1, "full_na'), ServerFault, "not JSON"),
    "a hole in the line": (hang_up, ServerFault, "hung up"),
    "nothing": (reply(200, b""), ServerFault, "not JSON"),
    "no number": (reply(200, b'{"id": NaN}'), ServerFault, "not JSON"),
    "bottomless": (reply(200, b"[" * 500 + b"]" * 500), ServerFault, "not JSON"),
    "a list": (reply(200, []), ConfigError, "should be"),
    "a list of people": (reply(200, [{"id": 1}]), ConfigError, "person should be"),
    "a text": (reply(200, "Ada"), ConfigError, "person should be"),
    "elsewhere": (reply(302, {}, {"Location": "https://other.example/"}), ConfigError, "redirects"),
    "no such call": (reply(405, {}), ConfigError, "405"),
}


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "a list"])
def test_what_is_no_answer_is_said_to_be_none(name: str) -> None:
    fault, kind, said = FAULTS[name]
    with asking("coresignal", fault) as (server, source):
        with pytest.raises(kind) as caught:
            source.ask([ASK_ADA])
        assert len(server.asked) == 1, "the source repeats nothing, and follows nothing"
        assert source.ask([ASK_ADA])[0].status == "found", "and it can be asked again"
    assert said in str(caught.value)
    assert caught.value.fix or isinstance(caught.value, RateLimited | ServerFault)
    for secret in (KEY, "Sample", "ada"):
        assert secret not in str(caught.value)


def test_an_empty_list_is_nobody() -> None:
    with asking("coresignal", reply(200, [])) as (_, source):
        assert source.ask([ASK_ADA])[0].status == "absent"


def test_an_error_of_shape_names_the_line_of_the_description() -> None:
    with (
        asking("apollo", reply(200, {"people": []})) as (_, source),
        pytest.raises(ConfigError) as caught,
    ):
        source.ask([ASK_ADA])
    text = (MAPPINGS / "apollo.yaml").read_text(encoding="utf-8")
    line = text[: text.index("  people: matches")].count("\n") + 1
    assert caught.value.place == f"{MAPPINGS / 'apollo.yaml'}:{line}:3"
    assert "`matches`" in caught.value.message


def test_answers_that_cannot_be_told_apart_are_none() -> None:
    with (
        asking("apollo", reply(200, {"matches": [{"id": "1"}]})) as (_, source),
        pytest.raises(ServerFault, match="which is which"),
    ):
        source.ask([ASK_ADA, ASK_BEN])


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "soon"}, 1.0),
        ({}, 1.0),
        ({"Retry-After": "999999999999999999"}, None),
    ],
)
def test_the_pause_that_is_asked_for(headers: dict[str, str], seconds: float | None) -> None:
    with (
        asking("coresignal", reply(429, {}, headers)) as (_, source),
        pytest.raises(RateLimited) as caught,
    ):
        source.ask([ASK_ADA])
    expected = pacing.LONGEST_PAUSE if seconds is None else seconds
    assert caught.value.retry_after == pytest.approx(expected)


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        ("30", 30.0),
        ("-5", 0.0),
        ("1790000030", 30.0),
        ("1790000030000", 30.0),
        ("Mon, 21 Sep 2026 14:14:00 GMT", 40.0),
        ("inf", None),
        ("nan", None),
        ("", None),
        ("never", None),
    ],
)
def test_pauses_as_seconds_dates_and_moments(told: str, pause: float | None) -> None:
    assert pacing.pause_in(told, 1_790_000_000.0) == pause


def test_an_answer_without_an_end_is_given_up(tmp_path: Path) -> None:
    def drops() -> Iterator[bytes]:
        while True:
            yield b" "
            time.sleep(0.01)

    text = (
        "auth: {kind: none}\nrequest: {path: '/{linkedin_slug}', needs: [[linkedin_slug]]}\n"
        "timeouts: {whole: 0.3}"
    )
    with scripted(stream(drops, {})) as server:
        source = described(tmp_path, server.url, text)
        began = time.monotonic()
        with pytest.raises(ServerFault, match="does not end"):
            source.ask([ASK_ADA])
    assert time.monotonic() - began < 20


def test_an_answer_that_is_too_long_is_given_up(tmp_path: Path) -> None:
    huge = b'{"id": "' + b"x" * (2 << 20) + b'"}'
    text = (
        "auth: {kind: none}\nrequest: {path: '/{linkedin_slug}', needs: [[linkedin_slug]]}\n"
        "max_answer_mb: 1"
    )
    with scripted(reply(200, huge)) as server, pytest.raises(ServerFault, match="too long"):
        described(tmp_path, server.url, text).ask([ASK_ADA])


def test_nobody_there() -> None:
    with scripted(reply()) as server:
        url = server.url
    with pytest.raises(Unreachable):
        opened("coresignal", url).ask([ASK_ADA])


def test_a_batch_that_is_refused_is_asked_in_halves() -> None:
    bad = Question("c-bad", email="no address")
    faults = [reply(422, {}), reply(422, {})]
    with asking("apollo", *faults) as (server, source):
        answers = source.ask([bad, ASK_ADA, ASK_BEN])
    assert [(one.contact_id, one.status) for one in answers] == [
        ("c-bad", "refused"),
        ("c-1", "found"),
        ("c-2", "absent"),
    ]
    assert [len(json.loads(one.body)["details"]) for one in server.asked] == [3, 1, 2]


def test_what_was_answered_is_kept_when_the_other_half_fails() -> None:
    ok = reply(200, {"matches": [None], "credits_consumed": 0})
    with asking("apollo", reply(422, {}), ok, reply(500, {})) as (_, source):
        answers = source.ask([ASK_BEN, ASK_ADA])
    assert [one.contact_id for one in answers] == ["c-2"], "the other is asked again later"


def test_credits_as_the_vendor_tells_them() -> None:
    people = [{"id": "1"}, None, {"id": "2"}]
    with asking("apollo", reply(200, {"matches": people, "credits_consumed": 5})) as (_, source):
        answers = source.ask([ASK_ADA, ASK_BEN, Question("c-3", email="z@mail.example")])
    assert [one.credits for one in answers] == [2.5, 0.0, 2.5]


def test_credits_that_are_used_up_are_not_asked_with() -> None:
    with asking("coresignal") as (server, source):
        server.credits = 12
        source.ask([ASK_ADA])
        with pytest.raises(QuotaReached):
            source.ask([ASK_BEN])
        assert len(server.asked) == 1


def test_the_check_tells_the_credits_and_costs_none() -> None:
    with asking("enrichlayer") as (server, source):
        assert source.inspect() == "1000 credits left"
        assert server.credits == 1000
    with stand_in("enrichlayer", [ADA]) as server, pytest.raises(AccessDenied, match="key"):
        opened("enrichlayer", server.url, key="another-key-9876").inspect()
    assert opened("coresignal", "http://127.0.0.1:9").inspect() is None


def test_limits_are_kept_before_the_vendor_has_to_say_so() -> None:
    with asking("coresignal") as (server, source):
        began = time.monotonic()
        for _ in range(7):
            source.ask([ASK_BEN])
        assert time.monotonic() - began > 0.9, "five in a second"
        assert len(server.asked) == 7


def test_a_daily_limit_that_is_used_up_is_told_and_not_waited_for() -> None:
    used_up = {"x-rate-limit-daily": "600", "x-daily-requests-left": "0"}
    fault = reply(200, {"matches": [None]}, used_up)
    with asking("apollo", fault) as (_, source):
        source.ask([ASK_BEN])
        with pytest.raises(RateLimited) as caught:
            source.ask([ASK_BEN])
    assert (caught.value.retry_after or 0) > 80_000


CANDIDATES = """
auth: {kind: bearer}
request:
  path: /people
  query: {name: "{first_name} {last_name}"}
  needs: [[first_name, last_name]]
answer: {people: data.people, person: profile}
"""


def test_everybody_who_may_be_meant_is_kept(tmp_path: Path) -> None:
    body = {"data": {"people": [{"profile": {"id": 1}}, {"profile": None}, {"profile": {"id": 2}}]}}
    with scripted(reply(200, body)) as server:
        (answer,) = described(tmp_path, server.url, CANDIDATES, key=KEY).ask([ASK_ADA])
    assert json.loads(answer.document or "") == {SEVERAL: [{"id": 1}, {"id": 2}]}


@pytest.mark.parametrize(
    ("pages", "bodies", "asked"),
    [
        (
            "{kind: cursor, next: next, parameter: after}",
            [{"data": {"people": [{"profile": {"id": 1}}]}, "next": "p/2"}],
            ["/people?name=Ada%20Sample", "/people?name=Ada%20Sample&after=p%2F2"],
        ),
        (
            "{kind: page, parameter: page}",
            [{"data": {"people": [{"profile": {"id": 1}}]}}],
            ["/people?name=Ada%20Sample", "/people?name=Ada%20Sample&page=2"],
        ),
        (
            "{kind: offset, parameter: from, size: 1}",
            [{"data": {"people": [{"profile": {"id": 1}}]}}],
            ["/people?name=Ada%20Sample", "/people?name=Ada%20Sample&from=1"],
        ),
        (
            "{kind: next_url, next: next}",
            [{"data": {"people": [{"profile": {"id": 1}}]}, "next": "/people?more=1"}],
            ["/people?name=Ada%20Sample", "/people?more=1"],
        ),
    ],
)
def test_answers_in_pages(tmp_path: Path, pages: str, bodies: list[Any], asked: list[str]) -> None:
    last = {"data": {"people": []}}
    with scripted(*[reply(200, body) for body in bodies], reply(200, last)) as server:
        source = described(tmp_path, server.url, f"{CANDIDATES}pages: {pages}", key=KEY)
        (answer,) = source.ask([ASK_ADA])
    assert [one.path for one in server.asked] == asked
    assert json.loads(answer.document or "") == {"id": 1}


def test_pages_end_at_the_bound_and_never_lead_away(tmp_path: Path) -> None:
    endless = {"data": {"people": [{"profile": {"id": 1}}]}, "next": "again"}
    text = f"{CANDIDATES}pages: {{kind: cursor, next: next, parameter: after, at_most: 3}}"
    with scripted(reply(200, endless)) as server:
        described(tmp_path, server.url, text, key=KEY).ask([ASK_ADA])
        assert len(server.asked) == 3
    away = {"data": {"people": []}, "next": "https://other.example/people"}
    text = f"{CANDIDATES}pages: {{kind: next_url, next: next}}"
    with scripted(reply(200, away)) as server:
        with pytest.raises(ConfigError, match="elsewhere"):
            described(tmp_path, server.url, text, key=KEY).ask([ASK_ADA])
        assert len(server.asked) == 1


ECHO = """
auth: {kind: header, name: X-Key, prefix: "Token "}
request:
  method: POST
  path: /bulk
  batch: 5
  each: {ref: "{number}", mail: "{email}"}
  body: {requests: "{each}"}
  needs: [[email]]
answer: {people: answers, matched_by: echo, echo: ref, person: data}
"""


def test_answers_that_say_whose_they_are_come_in_any_order(tmp_path: Path) -> None:
    body = {
        "answers": [
            {"ref": 3, "data": {"id": "third"}},
            {"ref": "1", "data": {"id": "first"}},
            {"ref": "9", "data": {"id": "nobody's"}},
            {"ref": "4", "data": {"id": "a"}},
            {"ref": "4", "data": {"id": "b"}},
        ]
    }
    questions = [Question(f"c{n}", email=f"m{n}@mail.example") for n in range(1, 5)]
    with scripted(reply(200, body)) as server:
        answers = described(tmp_path, server.url, ECHO, key=KEY).ask(questions)
    told = {one.contact_id: (one.status, one.document) for one in answers}
    assert told == {
        "c1": ("found", '{"id":"first"}'),
        "c2": ("absent", None),
        "c3": ("found", '{"id":"third"}'),
        "c4": ("refused", None),
    }
    assert server.asked[0].headers["X-Key"] == f"Token {KEY}"


def test_a_key_in_the_address_and_basic_authentication(tmp_path: Path) -> None:
    shape = "request: {path: '/p', query: {mail: '{email}'}, needs: [[email]]}"
    question = Question("c", email="a+b@mail.example")
    with scripted(reply(404, {})) as server:
        text = f"auth: {{kind: query, name: api_key}}\n{shape}"
        described(tmp_path, server.url, text, key="k/&e y").ask([question])
        text = f"auth: {{kind: basic}}\n{shape}"
        described(tmp_path, server.url, text, key="secret", user="me").ask([question])
    first, second = server.asked
    assert first.path == "/p?mail=a%2Bb%40mail.example&api_key=k%2F%26e%20y"
    assert "Authorization" not in first.headers
    assert second.headers["Authorization"] == "Basic bWU6c2VjcmV0"


def test_odd_signs_in_what_is_known_and_in_what_is_answered(tmp_path: Path) -> None:
    text = (
        "auth: {kind: none}\n"
        "request: {method: POST, path: /p, body: {who: '{name}'}, needs: [[name]]}\n"
    )
    odd = b'{"id": "a\\u0000b\\ud83d", "name": "\\\\u0000", "n": 12345678901234567890}'
    question = Question("c", name='Zo\u00eb "Q" \ud800\x00\nRoe')
    with scripted(reply(200, odd)) as server:
        (answer,) = described(tmp_path, server.url, text).ask([question])
    assert json.loads(server.asked[0].body) == {"who": 'Zo\u00eb "Q"  Roe'}
    document = json.loads(answer.document or "")
    assert document == {"id": "a b?", "name": "\\u0000", "n": 12345678901234567890}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "`key` is missing"),
        ({"key": KEY, "user": "me"}, "`user` is not sent"),
        ({"key": "kéy"}, "signs that no request can carry"),
        ({"key": "a\r\nX-Evil: 1"}, "signs that no request can carry"),
    ],
)
def test_the_secrets_that_a_description_sends(settings: dict[str, str], said: str) -> None:
    config = HttpConfig.model_validate(
        {"source": "http", "api": MAPPINGS / "apollo.yaml", **settings}
    )
    with pytest.raises(ConfigError, match=said) as caught:
        HttpSource.open("vendor", config, place(MAPPINGS))
    assert "config.yaml:3:5" in caught.value.place
