"""The laws of faults: what is known of a write, and that nothing is repeated in secret."""
# ruff: noqa: S101, D102 - asserts are what a law is made of, and its name is its description

from __future__ import annotations

from uuid import uuid4

import pytest

from crm_sync.calls.steady import Steady
from crm_sync.connector import (
    Connector,
    Operation,
    Outcome,
    RateLimited,
    ServerFault,
    TryLater,
    Write,
)
from crm_sync.testing.harness import Harness
from crm_sync.testing.shared import needs_harness, texts, update


class FaultLaws:
    """Each law breaks one call; the connector may neither hide it nor try again by itself."""

    def test_a_lost_answer_leaves_the_write_unknown_and_is_not_repeated(
        self, harness: Harness, connector: Connector
    ) -> None:
        ids = harness.seed(["old", "old"])
        with needs_harness():
            harness.lose_next_answer()
        results = Steady(connector).write_chunk([update(harness, id, "new") for id in ids])
        assert [result.outcome for result in results] == [Outcome.UNKNOWN] * 2
        assert [result.record_id for result in results] == ids
        assert texts(harness, connector, ids) == dict.fromkeys(ids, "new")

    def test_a_lost_answer_to_a_create_leaves_one_record(
        self, harness: Harness, connector: Connector
    ) -> None:
        text = f"created once {uuid4().hex}"
        connector.find(harness.entity, harness.text_field, [text])  # signed in before the fault
        with needs_harness():
            harness.lose_next_answer()
        create = Write(Operation.CREATE, harness.entity, "c", fields=harness.new_record(text))
        [result] = Steady(connector).write_chunk([create])
        assert result.outcome is Outcome.UNKNOWN
        harness.settle()
        assert len(connector.find(harness.entity, harness.text_field, [text])) == 1

    def test_a_lost_answer_to_a_delete_leaves_it_unknown(
        self, harness: Harness, connector: Connector
    ) -> None:
        if Operation.DELETE not in connector.capabilities.operations:
            pytest.skip("this connector deletes nothing")
        [id] = harness.seed(["old"])
        texts(harness, connector, [id])
        with needs_harness():
            harness.lose_next_answer()
        delete = Write(Operation.DELETE, harness.entity, "d", id)
        # HTTP libraries take DELETE for harmless to repeat: the second would be refused.
        assert _outcome(connector, delete) is Outcome.UNKNOWN

    def test_a_lost_request_is_not_taken_for_done(
        self, harness: Harness, connector: Connector
    ) -> None:
        [id] = harness.seed(["old"])
        with needs_harness():
            harness.lose_next_request()
        assert _outcome(connector, update(harness, id, "new")) is not Outcome.APPLIED
        assert texts(harness, connector, [id]) == {id: "old"}

    def test_a_failing_server_leaves_a_write_unknown_and_a_read_to_be_tried_again(
        self, harness: Harness, connector: Connector
    ) -> None:
        [id] = harness.seed(["old"])
        texts(harness, connector, [id])
        with needs_harness():
            harness.answer_next(503)
        [result] = Steady(connector).write_chunk([update(harness, id, "new")])
        assert result.outcome is Outcome.UNKNOWN
        harness.answer_next(503)
        with pytest.raises(ServerFault):
            texts(harness, connector, [id])
        assert texts(harness, connector, [id]) == {id: "old"}

    def test_a_request_to_slow_down_passes_on_the_pause_and_carries_nothing_out(
        self, harness: Harness, connector: Connector
    ) -> None:
        [id] = harness.seed(["old"])
        texts(harness, connector, [id])
        with needs_harness():
            harness.answer_next(429, {"Retry-After": "7"})
        with pytest.raises(RateLimited) as caught:
            connector.write([update(harness, id, "new")])
        assert caught.value.retry_after == pytest.approx(7)
        assert not caught.value.sent
        assert texts(harness, connector, [id]) == {id: "old"}

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_nothing_is_repeated_behind_the_cores_back(
        self, harness: Harness, connector: Connector, status: int
    ) -> None:
        [id] = harness.seed(["old"])
        texts(harness, connector, [id])
        with needs_harness():
            before = harness.call_count()
            harness.answer_next(status)
        with pytest.raises(TryLater):
            connector.read(harness.entity, [id], [harness.text_field])
        assert harness.call_count() == before + 1

    def test_an_ended_session_is_renewed_without_a_word(
        self, harness: Harness, connector: Connector
    ) -> None:
        [id] = harness.seed(["old"])
        texts(harness, connector, [id])
        with needs_harness():
            harness.expire_sessions()
        [result] = connector.write([update(harness, id, "new")])
        assert result.outcome is Outcome.APPLIED
        assert texts(harness, connector, [id]) == {id: "new"}


def _outcome(connector: Connector, write: Write) -> Outcome | None:
    """The outcome of a write; None when the connector says that it was not carried out."""
    try:
        [result] = connector.write([write])
    except TryLater as fault:
        return Outcome.UNKNOWN if fault.sent else None
    return result.outcome
