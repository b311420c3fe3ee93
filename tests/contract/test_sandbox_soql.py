"""SOQL as other people's clients send it, asked over HTTP and answered from a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync_salesforce.sandbox import SalesforceSandbox

Ask = Callable[..., Any]
PEOPLE = """\
External_Id__c,FirstName,LastName,Title,Account.Name,Email,HasOptedOutOfEmail,Birthdate,CreatedDate
1,Aoife,O'Brien,CEO,Acme,aoife@acme.example,false,1980-01-31,2020-01-01T10:00:00Z
2,Élodie,Martin,Directrice,Acme,,true,,2020-06-01T12:00:00+02:00
3,Zoë,"Back\\slash",50% off_er,Brick,zoe@brick.example,false,1990-12-01,2021-01-01T00:00:00Z
4,,Solo,,,,false,,2022-01-01T00:00:00Z
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SalesforceSandbox]:
    folder = tmp_path_factory.mktemp("soql")
    (folder / "Account.csv").write_text("Name,NumberOfEmployees\nAcme,10\nBrick,2000\n")
    (folder / "Contact.csv").write_text(PEOPLE, encoding="utf-8")
    with SalesforceSandbox.open(folder / "sandbox.db") as opened:
        opened.load(folder)
        yield opened


@pytest.fixture(scope="module")
def url(sandbox: SalesforceSandbox) -> str:
    return sandbox.start().url


@pytest.fixture(scope="module")
def ask(url: str) -> Ask:
    """Ask one query; the answer's JSON, or the error's (status, code, message)."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = "Bearer sandbox-session"

    def asking(text: str, path: str = "query") -> Any:
        found = session.get(f"{url}/services/data/v59.0/{path}", params={"q": text})
        if found.ok:
            return found.json()
        (error,) = found.json()
        return found.status_code, error["errorCode"], error["message"]

    return asking


@pytest.fixture(scope="module")
def keys(ask: Ask) -> Callable[[str], list[str]]:
    """The external ids of the contacts that a condition finds, in order."""

    def finding(condition: str) -> list[str]:
        answer = ask(f"SELECT External_Id__c FROM Contact WHERE {condition}")
        assert isinstance(answer, dict), answer
        return sorted(record["External_Id__c"] for record in answer["records"])

    return finding


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (r"LastName = 'O\'Brien'", ["1"]),
        (r"LastName = 'Back\\slash'", ["3"]),
        ("lastname = 'MARTIN'", ["2"]),
        ("FirstName = 'éLODIE'", ["2"]),
        ("FirstName LIKE 'é%'", ["2"]),
        (r"Title LIKE '50\% off\_er'", ["3"]),
        (r"Title LIKE '50\% offxer'", []),
        ("Title LIKE 'C_O'", ["1"]),
        (r"LastName LIKE 'back\\sl%'", ["3"]),
        ("Title = null", ["4"]),
        ("Title = ''", ["4"]),
        ("Title != 'CEO'", ["2", "3", "4"]),
        ("NOT Title = 'CEO'", ["2", "3", "4"]),
        ("NOT (Title = 'CEO' OR Email = null)", ["3"]),
        ("Title IN ('ceo', 'DIRECTRICE')", ["1", "2"]),
        ("FirstName IN ('ÉLODIE', 'aoife')", ["1", "2"]),
        ("Title NOT IN ('CEO')", ["2", "3", "4"]),
        ("Title IN ('CEO', null)", ["1", "4"]),
        ("HasOptedOutOfEmail = true", ["2"]),
        ("HasOptedOutOfEmail != TRUE", ["1", "3", "4"]),
        ("Birthdate > 1980-01-31", ["3"]),
        ("Birthdate >= 1980-01-31 AND Birthdate < 1990-12-01", ["1"]),
        ("CreatedDate = 2020-06-01T10:00:00Z", ["2"]),
        ("CreatedDate > 2020-06-01T10:59:59+01:00 AND CreatedDate < 2021-01-01T00:00:00Z", ["2"]),
        ("CreatedDate <= 2020-01-01T10:00:00.000+0000", ["1"]),
        ("Account.Name = 'acme' AND (Email = null OR Title = 'CEO')", ["1", "2"]),
        ("Account.NumberOfEmployees > 1e2", ["3"]),
        ("AccountId = null", ["4"]),
        ("AccountId IN (SELECT Id FROM Account WHERE NumberOfEmployees < 100)", ["1", "2"]),
        ("AccountId NOT IN (SELECT Id FROM Account WHERE Name = 'Acme')", ["3", "4"]),
        ("CreatedDate < LAST_N_DAYS:30 AND CreatedDate > 2021-06-01T00:00:00Z", ["4"]),
        ("Contact.LastName = 'Solo'", ["4"]),
    ],
)
def test_conditions_find_what_salesforce_would(
    keys: Callable[[str], list[str]], condition: str, found: list[str]
) -> None:
    assert keys(condition) == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Nope = 1", "INVALID_FIELD"),
        ("SELECT Account.Nope FROM Contact", "INVALID_FIELD"),
        ("SELECT Nope.Name FROM Contact", "INVALID_FIELD"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Birthdate = '1980-01-31'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2020-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Title = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE AccountId = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
        (
            "SELECT Id FROM Contact WHERE Title = 'a' AND Title = 'b' OR Id = null",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id FROM Contact WHERE Title = 'open", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Title = 'a' OR 1=1 --", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Contact WHERE Title = '\q'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE CreatedDate = SOME_DAY", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact; DROP TABLE Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE " + "(" * 200 + "Id = null" + ")" * 200, "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_a_bad_query_is_refused_with_salesforces_code(ask: Ask, query: str, code: str) -> None:
    status, found, _ = ask(query)
    assert (status, found) == (400, code)


def test_an_unknown_column_is_named_with_its_place(ask: Ask) -> None:
    _, _, message = ask("SELECT Id, Nope FROM Contact")
    assert "No such column 'Nope' on entity 'Contact'" in message
    assert "Row:1:Column:12" in message


def test_names_are_answered_in_their_proper_case_with_their_types(ask: Ask) -> None:
    (record,) = ask(
        "select ID, name, hasoptedoutofemail, createddate, birthdate, account.owner.name,"
        " reportsto.name from CONTACT where firstname = 'Aoife'"
    )["records"]
    account = record["Account"]
    assert record["attributes"]["type"] == "Contact"
    assert record["attributes"]["url"] == f"/services/data/v59.0/sobjects/Contact/{record['Id']}"
    assert record["Name"] == "Aoife O'Brien"
    assert record["HasOptedOutOfEmail"] is False
    assert record["CreatedDate"] == "2020-01-01T10:00:00.000+0000"
    assert record["Birthdate"] == "1980-01-31"
    assert account["attributes"]["type"] == "Account"
    assert account["Owner"]["Name"] == "Integration User"
    assert record["ReportsTo"] is None


def test_order_limit_and_offset(ask: Ask) -> None:
    def names(rest: str) -> list[str | None]:
        answer = ask(f"SELECT FirstName FROM Contact {rest}")
        return [record["FirstName"] for record in answer["records"]]

    assert names("ORDER BY FirstName NULLS LAST")[-1] is None
    assert names("ORDER BY FirstName")[:2] == [None, "Aoife"]
    assert names("ORDER BY CreatedDate DESC LIMIT 2") == [None, "Zoë"]
    assert names("ORDER BY CreatedDate LIMIT 2 OFFSET 1") == ["Élodie", "Zoë"]
    assert names("ORDER BY Account.Name DESC NULLS LAST, LastName LIMIT 1") == ["Zoë"]


def test_counting_and_grouping(ask: Ask) -> None:
    assert ask("SELECT COUNT() FROM Contact WHERE Email != null")["totalSize"] == 2
    (record,) = ask("SELECT COUNT(Email), MAX(Birthdate) newest FROM Contact")["records"]
    assert (record["expr0"], record["newest"]) == (2, "1990-12-01")
    grouped = ask("SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId")["records"]
    assert sorted(record["n"] for record in grouped) == [1, 1, 2]


def test_fields_all_answers_every_field(ask: Ask) -> None:
    (record,) = ask("SELECT FIELDS(ALL) FROM Contact WHERE LastName = 'Solo' LIMIT 1")["records"]
    assert {"Id", "Title", "External_Id__c", "SystemModstamp", "MailingAddress"} <= set(record)


def test_thousands_of_alternatives_are_one_query(ask: Ask) -> None:
    conditions = " OR ".join(f"LastName = 'x{number}'" for number in range(600))
    assert ask(f"SELECT COUNT() FROM Contact WHERE {conditions}")["totalSize"] == 0


def test_days_follow_the_orgs_clock(tmp_path: Path) -> None:
    ahead = timedelta(days=40)
    with SalesforceSandbox.open(tmp_path / "s.db", bare=True, clock_offset=ahead) as sandbox:
        url = sandbox.start().url
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = "Bearer sandbox-session"
        base = f"{url}/services/data/v59.0"
        session.post(f"{base}/sobjects/Account", json={"Name": "Acme"}).raise_for_status()

        def count(when: str) -> int:
            text = f"SELECT COUNT() FROM Account WHERE CreatedDate {when}"
            return int(session.get(f"{base}/query", params={"q": text}).json()["totalSize"])

        assert count("= TODAY") == 1
        session.post(f"{url}/sandbox/settings", json={"clock_offset_seconds": 0})
        assert count("> TODAY") == 1
        assert count("= NEXT_N_DAYS:40") == 1
        assert count("<= LAST_N_DAYS:1") == 0


text_values = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=100
)


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "'"


@settings(max_examples=60, deadline=None)
@given(value=text_values)
def test_any_text_can_be_written_found_and_read_back(url: str, ask: Ask, value: str) -> None:
    headers = {"Authorization": "Bearer sandbox-session"}
    path = f"{url}/services/data/v59.0/sobjects/Account"
    made = requests.post(path, json={"Name": "Text", "Industry": value}, headers=headers)
    record_id = made.json()["id"]
    stored = value.strip(" \t\r\n") or None
    found = requests.get(f"{path}/{record_id}", params={"fields": "Industry"}, headers=headers)
    assert found.json()["Industry"] == stored
    if stored is not None:
        condition = f"Id = '{record_id}' AND Industry = {_literal(stored)}"
        assert ask(f"SELECT COUNT() FROM Account WHERE {condition}")["totalSize"] == 1
