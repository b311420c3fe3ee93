"""The laws of links: what ties a task to another record, where that is no field of the task."""
# ruff: noqa: S101, D102 - asserts are what a law is made of, and its name is its description

from __future__ import annotations

import pytest

from crm_sync.calls.steady import Steady
from crm_sync.compare import holds_id
from crm_sync.connector import Connector, Entity, Operation, Outcome, Ref, Write
from crm_sync.testing.harness import Harness
from crm_sync.testing.shared import needs_harness


class LinkLaws:
    """Each law makes a task as a plan would, and links it; skipped where nothing is linked."""

    def test_a_link_is_read_back(self, harness: Harness, connector: Connector) -> None:
        task, other = _task(harness, connector)
        assert not _linked(harness, connector, task, other)
        [result] = connector.write([_link(harness, task, other)])
        assert (result.outcome, result.record_id) == (Outcome.APPLIED, task)
        assert _linked(harness, connector, task, other)

    def test_a_task_without_a_link_tells_the_relation_as_none(
        self, harness: Harness, connector: Connector
    ) -> None:
        task, _ = _task(harness, connector)
        [record] = connector.read(Entity.TASK, [task], [harness.link_field])
        assert record.fields == {harness.link_field: None}

    def test_a_link_dates_its_task_anew_only_where_the_connector_says_so(
        self, harness: Harness, connector: Connector
    ) -> None:
        task, other = _task(harness, connector)
        if connector.capabilities.links_move_dates:
            pytest.skip("this connector says that links move dates")
        dates = []
        for _ in range(2):
            [record] = connector.read(Entity.TASK, [task], [harness.link_field])
            dates.append(record.modified)
            connector.write([_link(harness, task, other)])
        assert dates[0] == dates[1]

    def test_linking_again_is_applied_and_makes_no_second_link(
        self, harness: Harness, connector: Connector
    ) -> None:
        task, other = _task(harness, connector)
        link = _link(harness, task, other)
        outcomes = [connector.write([link])[0].outcome for _ in range(2)]
        assert outcomes == [Outcome.APPLIED] * 2
        [record] = connector.read(Entity.TASK, [task], [harness.link_field])
        assert record.fields == {harness.link_field: other}

    def test_links_are_answered_one_by_one_and_in_order(
        self, harness: Harness, connector: Connector
    ) -> None:
        pairs = [_task(harness, connector) for _ in range(3)]
        results = connector.write([_link(harness, *pair) for pair in reversed(pairs)])
        assert [(result.outcome, result.record_id) for result in results] == [
            (Outcome.APPLIED, task) for task, _ in reversed(pairs)
        ]
        assert all(_linked(harness, connector, *pair) for pair in pairs)

    def test_a_lost_answer_to_a_link_leaves_it_unknown(
        self, harness: Harness, connector: Connector
    ) -> None:
        task, other = _task(harness, connector)
        with needs_harness():
            harness.lose_next_answer()
        [result] = Steady(connector).write_chunk([_link(harness, task, other)])
        assert (result.outcome, result.record_id) == (Outcome.UNKNOWN, task)
        assert _linked(harness, connector, task, other)

    def test_a_link_to_an_absent_record_is_rejected_and_harms_no_other(
        self, harness: Harness, connector: Connector
    ) -> None:
        (task, other), (poor, absent) = _task(harness, connector), _task(harness, connector)
        with needs_harness():
            harness.remove(Ref(harness.link_entity, absent))
        writes = [_link(harness, poor, absent), _link(harness, task, other)]
        results = Steady(connector).write_chunk(writes)
        assert [result.outcome for result in results] == [Outcome.REJECTED, Outcome.APPLIED]
        assert results[0].code
        assert not _linked(harness, connector, poor, absent)
        assert _linked(harness, connector, task, other)

    def test_a_link_of_an_absent_task_is_rejected(
        self, harness: Harness, connector: Connector
    ) -> None:
        task, other = _task(harness, connector)
        connector.write([Write(Operation.DELETE, Entity.TASK, "d", task)])
        [result] = Steady(connector).write_chunk([_link(harness, task, other)])
        assert result.outcome is Outcome.REJECTED


def _task(harness: Harness, connector: Connector) -> tuple[str, str]:
    """The ids of a new task and of the record that it is to be linked to."""
    if Operation.LINK not in connector.capabilities.operations:
        pytest.skip("this connector links nothing")
    with needs_harness():
        fields, other = harness.new_link()
    [result] = connector.write([Write(Operation.CREATE, Entity.TASK, "t", fields=fields)])
    assert result.outcome is Outcome.APPLIED
    return result.record_id, other


def _link(harness: Harness, task: str, other: str) -> Write:
    to = Ref(harness.link_entity, other)
    fields = {harness.link_field: other}
    return Write(Operation.LINK, Entity.TASK, f"link-{task}", task, fields, to)


def _linked(harness: Harness, connector: Connector, task: str, other: str) -> bool:
    [record] = connector.read(Entity.TASK, [task], [harness.link_field])
    return holds_id(record.fields[harness.link_field], other)
