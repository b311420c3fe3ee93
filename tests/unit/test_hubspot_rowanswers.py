from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.connector import Entity, Operation, Outcome, Ref, ServerFault, Unreachable, Write
from crm_sync_hubspot.config import HubSpotConfig
from crm_sync_hubspot.linking import link
from crm_sync_hubspot.portal import Portal
from crm_sync_hubspot.rowanswers import settled
from crm_sync_hubspot.urls import record_url
from crm_sync_hubspot.writing import write

APPLIED, REJECTED, UNKNOWN = Outcome.APPLIED, Outcome.REJECTED, Outcome.UNKNOWN


class Scripted:
    """A client that answers each call with the next body, and keeps what it was asked."""

    def __init__(self, *bodies: Any) -> None:
        self.bodies = list(bodies)
        self.asked: list[tuple[str, Any]] = []

    def call(self, method: str, path: str, **more: Any) -> Any:
        self.asked.append((path, more.get("body")))
        return SimpleNamespace(status=200, body=self.bodies.pop(0))


def an_update(id: str) -> Write:
    return Write(Operation.UPDATE, Entity.CONTACT, f"key-{id}", id, {"jobtitle": "x"})


@given(
    fates=st.lists(
        st.sampled_from(["written", "refused by id", "refused by trace", "silent"]), max_size=30
    ),
    order=st.randoms(use_true_random=False),
)
def test_every_row_gets_its_own_fate_in_whatever_order_it_is_told(
    fates: list[str], order: Any
) -> None:
    writes = [an_update(str(100 + n)) for n in range(len(fates))]
    errors: list[dict[str, Any]] = []
    for one, fate in zip(writes, fates, strict=True):
        if fate.startswith("refused"):
            by_id = fate.endswith("id")
            context = {"ids": [one.record_id]} if by_id else {"objectWriteTraceId": [one.key]}
            errors.append({"category": "VALIDATION_ERROR", "message": "no", "context": context})
    order.shuffle(errors)
    names = [frozenset({one.record_id, one.key}) for one in writes]
    written = [
        one.record_id if fate == "written" else None
        for one, fate in zip(writes, fates, strict=True)
    ]
    results = settled(writes, names, written, {"results": [], "errors": errors})
    wanted = {"written": APPLIED, "silent": UNKNOWN}
    assert [one.outcome for one in results] == [wanted.get(fate, REJECTED) for fate in fates]
    assert [one.record_id for one in results] == [one.record_id for one in writes]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["results", "errors", "numErrors", "status",
                                                       "context", "ids", "id", "category",
                                                       "message", "subCategory"]), inner),
                    max_leaves=12))  # fmt: skip
def test_no_answer_whatever_it_holds_makes_an_unwritten_row_applied(body: Any) -> None:
    writes = [an_update("1"), an_update("2")]
    names = [frozenset({one.record_id, one.key}) for one in writes]
    outcomes: list[Outcome] = []
    sent = True
    try:
        outcomes = [one.outcome for one in settled(writes, names, [None, None], body)]
    except ServerFault as fault:
        sent = fault.sent
    assert sent
    assert len(outcomes) in (0, 2)
    assert APPLIED not in outcomes


@given(
    untold=st.integers(0, 5),
    nameless=st.integers(0, 4),
    named=st.integers(0, 3),
    more=st.integers(-3, 3),
    status=st.sampled_from(["COMPLETE", "PENDING", "PROCESSING", "CANCELED"]),
)
def test_errors_that_name_no_row_reject_no_more_rows_than_they_count(
    untold: int, nameless: int, named: int, more: int, status: str
) -> None:
    writes = [an_update(str(100 + n)) for n in range(named + untold)]
    no = {"category": "VALIDATION_ERROR", "message": "no"}
    errors = [{**no, "context": {"ids": [one.record_id]}} for one in writes[:named]]
    errors += [no] * nameless
    count = len(errors) + more
    names = [frozenset({one.record_id, one.key}) for one in writes]
    body = {"status": status, "results": [], "errors": errors, "numErrors": count}
    results = settled(writes, names, [None] * len(writes), body)
    assert [one.outcome for one in results[:named]] == [REJECTED] * named
    certain = nameless and untold <= max(nameless, count - named) and status == "COMPLETE"
    expected = REJECTED if certain else UNKNOWN
    # Without any error in the list, a count of them is all that there is to tell.
    if not errors and 0 < count >= untold and status == "COMPLETE":
        expected = REJECTED
    assert [one.outcome for one in results[named:]] == [expected] * untold


def test_of_several_errors_that_name_no_row_none_is_said_to_be_a_rows_own() -> None:
    writes = [an_update("1"), an_update("2")]
    names = [frozenset({one.record_id, one.key}) for one in writes]
    errors = [
        {"category": "VALIDATION_ERROR", "message": "the title is too long"},
        {"category": "CONFLICT", "message": "the key is taken"},
    ]
    results = settled(writes, names, [None, None], {"results": [], "errors": errors})
    assert [(one.outcome, one.code) for one in results] == [(REJECTED, "REFUSED")] * 2
    # A key that may be taken is looked for, so that nothing is made twice.
    assert all(one.duplicate_key for one in results)
    assert all("too long" in one.message and "is taken" in one.message for one in results)


def test_an_error_about_a_pair_of_records_is_not_taken_for_another_pairs() -> None:
    links = [
        Write(Operation.LINK, Entity.TASK, f"l{n}", "1", {}, Ref(Entity.CONTACT, other))
        for n, other in enumerate(("7", "8"))
    ]
    context = {"fromObjectId": ["1"], "toObjectId": ["8"]}
    error = {"category": "OBJECT_NOT_FOUND", "message": "no", "context": context}
    body = {"results": [{"fromObjectId": 1, "toObjectId": 7}], "errors": [error]}
    results = link(Scripted(body), links)  # type: ignore[arg-type]
    assert [one.outcome for one in results] == [APPLIED, REJECTED]


@pytest.mark.parametrize(
    "row",
    [
        {"fromObjectId": "1", "toObjectId": "7", "labels": []},
        {"fromObjectId": 1, "toObjectId": 7},
        {"from": {"id": "1"}, "to": {"id": "7"}},
    ],
)
def test_a_link_is_recognised_in_the_newer_and_in_the_older_forms(row: dict[str, Any]) -> None:
    one = Write(Operation.LINK, Entity.TASK, "l", "1", {}, Ref(Entity.CONTACT, "7"))
    client = Scripted({"status": "COMPLETE", "results": [row]})
    assert [result.outcome for result in link(client, [one])] == [APPLIED]  # type: ignore[arg-type]
    [(path, body)] = client.asked
    assert path.endswith("/tasks/contacts/batch/create")
    assert body["inputs"][0]["types"] == [
        {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}
    ]


def test_deleting_asks_first_and_sends_only_what_is_there() -> None:
    there = {"results": [{"id": "1", "properties": {}}, {"id": "9", "properties": {}}]}
    client = Scripted(there, None)
    deletes = [Write(Operation.DELETE, Entity.TASK, "d", id) for id in ("1", "2")]
    results = write(client, SimpleNamespace(), deletes)  # type: ignore[arg-type]
    assert [one.outcome for one in results] == [APPLIED, REJECTED]
    assert client.asked[1][1] == {"inputs": [{"id": "1"}]}


class Away:
    """A client whose portal cannot be asked."""

    asked = 0

    def call(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        raise Unreachable("away")


def at_home(id: int | None = 42, domain: str = "") -> Portal:
    return Portal(Scripted({"portalId": id, "uiDomain": domain}))  # type: ignore[arg-type]


def away() -> Portal:
    return Portal(Away())  # type: ignore[arg-type]


def config(**more: Any) -> HubSpotConfig:
    auth = {"flow": "token", "access_token": "env-given"}
    return HubSpotConfig.model_validate({"auth": auth, **more})


@pytest.mark.parametrize(
    ("settings", "portal", "address"),
    [
        ({}, at_home(), "https://app.hubspot.com/contacts/42/record/0-1/7"),
        (
            {},
            at_home(domain="app-eu1.hubspot.com"),
            "https://app-eu1.hubspot.com/contacts/42/record/0-1/7",
        ),
        ({}, at_home(domain="evil.example"), "https://app.hubspot.com/contacts/42/record/0-1/7"),
        (
            {},
            at_home(domain="evil.example/.hubspot.com"),
            "https://app.hubspot.com/contacts/42/record/0-1/7",
        ),
        ({"portal_id": 5}, at_home(), "https://app.hubspot.com/contacts/5/record/0-1/7"),
        (
            {"portal_id": 5, "app_url": "https://app-eu1.hubspot.com"},
            away(),
            "https://app-eu1.hubspot.com/contacts/5/record/0-1/7",
        ),
        ({}, away(), "https://app.hubspot.com/contacts/-/record/0-1/7"),
        ({}, at_home(id=None), "https://app.hubspot.com/contacts/-/record/0-1/7"),
    ],
)
def test_a_record_has_the_address_that_people_know(
    settings: dict[str, Any], portal: Portal, address: str
) -> None:
    assert record_url(config(**settings), portal, Entity.CONTACT, "7") == address


def test_a_portal_that_cannot_be_asked_is_asked_once_for_its_address() -> None:
    client = Away()
    portal = Portal(client)  # type: ignore[arg-type]
    for n in range(3):
        assert record_url(config(), portal, Entity.CONTACT, str(n)).endswith(f"/{n}")
    assert client.asked == 1
    with pytest.raises(Unreachable):
        _ = portal.zone


def test_an_id_cannot_leave_its_place_in_an_address() -> None:
    told = record_url(config(), at_home(), Entity.TASK, "7/../../x?y")
    assert told == "https://app.hubspot.com/contacts/42/record/0-27/7%2F..%2F..%2Fx%3Fy"
