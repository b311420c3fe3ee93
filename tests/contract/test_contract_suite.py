"""The contract suite has to fail connectors that break its laws; here is one for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crm_sync.connector import (
    Connector,
    Entity,
    Operation,
    Outcome,
    Page,
    RateLimited,
    Record,
    Scalar,
    ServerFault,
    TryLater,
    Write,
    WriteResult,
)
from crm_sync.testing import ConnectorContract, Harness
from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce.config import SalesforceConfig
from crm_sync_salesforce.sandbox import SalesforceSandbox


class Base(SalesforceConnector):
    """A good connector, for the bad ones to spoil."""


class HidesLostAnswers(Base):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        try:
            return super().write(writes)
        except ServerFault as fault:
            raise ServerFault(fault.message, sent=False) from None


class RepeatsByItself(Base):
    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record]:
        try:
            return super().read(entity, ids, fields)
        except TryLater:
            return super().read(entity, ids, fields)


class RaisesForARow(Base):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        results = super().write(writes)
        if any(result.outcome is Outcome.REJECTED for result in results):
            raise ServerFault("one row failed", sent=True)
        return results


class AnswersInAnyOrder(Base):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        return list(reversed(super().write(writes)))


class MovesTheCursorTooFar(Base):
    def pull(self, *args: Any, **more: Any) -> Iterator[Page]:
        pages = list(super().pull(*args, **more))
        ahead = [*pages[1:], pages[-1]]
        for page, next_page in zip(pages, ahead, strict=True):
            yield replace(page, cursor=next_page.cursor)


class ForgetsTheDeleted(Base):
    def pull(self, *args: Any, **more: Any) -> Iterator[Page]:
        for page in super().pull(*args, **more):
            yield replace(page, gone=())


class ForgetsWhoLeftTheFilter(Base):
    def pull(self, *args: Any, where: str = "", **more: Any) -> Iterator[Page]:
        for page in super().pull(*args, where=where, **more):
            yield replace(page, gone=()) if where else page


class LeavesBlanksOut(Base):
    def pull(self, *args: Any, **more: Any) -> Iterator[Page]:
        for page in super().pull(*args, **more):
            yield replace(page, records=[_without_blanks(one) for one in page.records])


class ReadsWithoutBlanks(Base):
    def read(self, entity: Entity, ids: Sequence[str], fields: Sequence[str]) -> Sequence[Record]:
        return [_without_blanks(one) for one in super().read(entity, ids, fields)]


class NamesNoSurvivor(Base):
    def pull(self, *args: Any, **more: Any) -> Iterator[Page]:
        for page in super().pull(*args, **more):
            yield replace(page, gone=[replace(gone, survivor=None) for gone in page.gone])


class NamesTheOtherRecord(Base):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        results = super().write(writes)
        return [
            replace(result, record_id="00T000000000001AAA") if result.duplicate_key else result
            for result in results
        ]


class DropsWhatItCannotSpell(Base):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        return super().write(
            [replace(w, fields={k: _ascii(v) for k, v in w.fields.items()}) for w in writes]
        )


class ForgetsThePause(Base):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        try:
            return super().write(writes)
        except RateLimited as fault:
            raise RateLimited(fault.message) from None


class KeepsNulls(Base):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        full = [
            replace(w, fields={k: v for k, v in w.fields.items() if v is not None}) for w in writes
        ]
        return super().write(full)


class Links(Base):
    """A good connector that links: a Salesforce task holds its contact in `WhoId`."""

    capabilities = replace(Base.capabilities, operations=frozenset(Operation))

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        return super().write([_as_update(one) for one in writes])


class SkipsLinks(Links):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        if writes[0].to is not None:
            return [WriteResult(Outcome.APPLIED, one.record_id) for one in writes]
        return super().write(writes)


class LinksOnce(Links):
    linked: ClassVar[set[str]] = set()

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        again = [one for one in writes if one.to is not None and one.record_id in self.linked]
        if again:
            return [WriteResult(Outcome.REJECTED, code="THERE", message="linked") for _ in writes]
        self.linked.update(one.record_id for one in writes)
        return super().write(writes)


class LinksInAnyOrder(Links):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        return list(reversed(super().write(writes)))


class HidesLostLinks(Links):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        try:
            return super().write(writes)
        except ServerFault:
            return [WriteResult(Outcome.APPLIED, one.record_id) for one in writes]


class LinksToNobody(Links):
    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        results = super().write(writes)
        links = writes[0].to is not None
        return [replace(one, outcome=Outcome.APPLIED) for one in results] if links else results


def _as_update(write: Write) -> Write:
    return replace(write, operation=Operation.UPDATE, to=None) if write.to else write


def _without_blanks(record: Record) -> Record:
    return replace(record, fields={name: v for name, v in record.fields.items() if v is not None})


def _ascii(value: Scalar) -> Scalar:
    return value.encode("ascii", "ignore").decode() if isinstance(value, str) else value


class SpoiltHarness(Harness):
    """The sandbox without HTTP control: faults are set on the object itself."""

    text_field = "Title"

    def __init__(self, sandbox: SalesforceSandbox, url: str, kind: type[Base]) -> None:
        self.sandbox = sandbox
        self.url = url
        self.kind = kind

    def connect(self) -> Connector:
        auth = {"flow": "session_id", "session_id": "sandbox-session"}
        settings = {"instance_url": self.url, "auth": auth, "page_size": 200}
        return self.kind.connect(SalesforceConfig.model_validate(settings))

    def new_record(self, text: Scalar) -> dict[str, Scalar]:
        return {"LastName": "Contract", "Title": text}

    def refused_fields(self) -> dict[str, Scalar]:
        return {"Title": "x" * 129}

    def new_task(self, key: str) -> dict[str, Scalar]:
        return {"Subject": "Call", "Crm_Sync_Key__c": key}

    def where(self, text: str) -> str:
        return f"Title = '{text}'"

    link_field = "WhoId"

    def new_link(self) -> tuple[dict[str, Scalar], str]:
        return {"Subject": "Call"}, self.seed(["linked"])[0]

    def merge(self, survivor: str, victim: str) -> str | None:
        import requests

        body = {"object": "Contact", "master": survivor, "victims": [victim]}
        requests.post(f"{self.url}/sandbox/merge", json=body, timeout=10).raise_for_status()
        return None

    def lose_next_answer(self) -> None:
        self._fault({"fault": "drop_after"})

    def answer_next(self, status: int, headers: Any = None) -> None:
        self._fault({"fault": "status", "status": status, "headers": headers or {}})

    def call_count(self) -> int:
        total = self.sandbox.calls.counted()["total"]
        assert isinstance(total, int)
        return total

    def _fault(self, fault: dict[str, Any]) -> None:
        from crm_sync.sandbox.faults import parse_fault

        self.sandbox.faults.add([parse_fault(fault)])


LAWS = ConnectorContract()
Law = Callable[[Harness, Connector], None]

CASES: list[tuple[type[Base], Law]] = [
    (HidesLostAnswers, LAWS.test_a_lost_answer_to_a_delete_leaves_it_unknown),
    (
        RepeatsByItself,
        lambda h, c: LAWS.test_nothing_is_repeated_behind_the_cores_back(h, c, 503),
    ),
    (RaisesForARow, LAWS.test_a_refused_row_is_a_result_and_harms_no_other),
    (AnswersInAnyOrder, LAWS.test_a_refused_row_is_a_result_and_harms_no_other),
    (MovesTheCursorTooFar, LAWS.test_resuming_from_any_page_skips_no_record),
    (ForgetsTheDeleted, LAWS.test_a_deleted_record_is_told_as_gone),
    (
        ForgetsWhoLeftTheFilter,
        LAWS.test_a_record_that_no_longer_satisfies_where_is_gone_until_it_does_again,
    ),
    (LeavesBlanksOut, LAWS.test_a_blank_field_is_told_as_none_and_never_left_out),
    (ReadsWithoutBlanks, LAWS.test_a_blank_field_is_told_as_none_and_never_left_out),
    (NamesNoSurvivor, LAWS.test_a_merged_record_names_its_survivor),
    (NamesTheOtherRecord, LAWS.test_a_key_that_is_taken_is_told_without_naming_the_other_record),
    (
        DropsWhatItCannotSpell,
        lambda h, c: LAWS.test_awkward_text_round_trips_and_is_found(h, c, "日本語 x"),
    ),
    (
        ForgetsThePause,
        LAWS.test_a_request_to_slow_down_passes_on_the_pause_and_carries_nothing_out,
    ),
    (KeepsNulls, lambda h, c: LAWS.test_a_field_can_be_emptied(h, c, None)),
    (SkipsLinks, LAWS.test_a_link_is_read_back),
    (LinksOnce, LAWS.test_linking_again_is_applied_and_makes_no_second_link),
    (LinksInAnyOrder, LAWS.test_links_are_answered_one_by_one_and_in_order),
    (HidesLostLinks, LAWS.test_a_lost_answer_to_a_link_leaves_it_unknown),
    (LinksToNobody, LAWS.test_a_link_to_an_absent_record_is_rejected_and_harms_no_other),
    (LinksToNobody, LAWS.test_a_link_of_an_absent_task_is_rejected),
]


@pytest.mark.parametrize(
    ("kind", "law"), CASES, ids=[f"{n}-{kind.__name__}" for n, (kind, _) in enumerate(CASES)]
)
def test_a_law_passes_the_good_connector_and_fails_the_one_that_breaks_it(
    tmp_path: Path, kind: type[Base], law: Law
) -> None:
    good = Links if issubclass(kind, Links) else Base
    for connector in (good, kind):
        with SalesforceSandbox.open(tmp_path / f"{connector.__name__}.db") as sandbox:
            harness = SpoiltHarness(sandbox, sandbox.start().url, connector)
            with closing(harness.connect()) as crm:
                if connector is good:
                    law(harness, crm)
                    continue
                with pytest.raises((AssertionError, pytest.fail.Exception, TryLater)):
                    law(harness, crm)


def test_a_law_that_the_harness_cannot_try_is_skipped_with_the_reason(tmp_path: Path) -> None:
    class Bare(SpoiltHarness):
        def merge(self, survivor: str, victim: str) -> str | None:
            return Harness.merge(self, survivor, victim)

    with SalesforceSandbox.open(tmp_path / "org.db") as sandbox:
        harness = Bare(sandbox, sandbox.start().url, Base)
        with (
            closing(harness.connect()) as crm,
            pytest.raises(pytest.skip.Exception, match="cannot merge records"),
        ):
            LAWS.test_a_merged_record_names_its_survivor(harness, crm)
