"""The laws of `crm_sync.connector` as tests that any connector can be put through."""
# ruff: noqa: S101, D102 - asserts are what a law is made of, and its name is its description

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sync.calls.steady import Steady
from crm_sync.connector import (
    Connector,
    Entity,
    FieldSpec,
    FieldType,
    Level,
    Operation,
    Outcome,
    Write,
)
from crm_sync.testing.faults import FaultLaws
from crm_sync.testing.harness import Harness
from crm_sync.testing.links import LinkLaws
from crm_sync.testing.pulls import PullLaws
from crm_sync.testing.shared import needs_harness, texts, update

AWKWARD = (
    "O'Brien",
    'say "hi"',
    "back\\slash",
    "it\\'s",
    "two\nlines",
    "cr\r\nlf",
    "tab\there",
    "naïve Ærø Łódź",
    "日本語",
    "🙂👩‍👩‍👧",
    "100% _wild_ *",
    "' OR Name != '",
    "<script>",
    "=1+1",
    "{{ x }}",
    "null",
)
"""Texts on which careless quoting, escaping or decoding fails."""

_FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=60
)


class ConnectorContract(PullLaws, FaultLaws, LinkLaws):
    """Subclass it, give it the fixture `harness`, and pytest runs every law on your connector.

    ```python
    class AcmeHarness(Harness):
        text_field = "job_title"
        def __init__(self, url): self.url = url
        def connect(self): return AcmeConnector.connect(AcmeConfig(url=self.url, page_size=50))
        def new_record(self, text): return {"name": "Test", "job_title": text}
        def refused_fields(self): return {"job_title": "x" * 10_000}

    class TestAcme(ConnectorContract):
        @pytest.fixture
        def harness(self, acme_sandbox): return AcmeHarness(acme_sandbox.url)
    ```

    Give the harness its optional members too: without them, the laws about merges, faults and
    sessions are skipped, and those are where connectors go wrong.
    """

    @pytest.fixture
    def harness(self) -> Harness:
        """Yours: the account that the laws are tried on."""
        raise NotImplementedError("give your suite the fixture `harness`")

    @pytest.fixture
    def connector(self, harness: Harness) -> Iterator[Connector]:
        """A connector on the account, closed afterwards."""
        with closing(harness.connect()) as connector:
            yield connector

    def test_it_has_every_member_of_the_protocol(self, connector: Connector) -> None:
        assert isinstance(connector, Connector)
        able = connector.capabilities
        assert min(able.page_size, able.read_batch, able.write_batch) >= 1
        assert able.settle_seconds >= 0
        assert {Operation.CREATE, Operation.UPDATE} <= able.operations

    def test_unknown_settings_are_refused(self, connector: Connector) -> None:
        assert connector.Config.model_config.get("extra") == "forbid"

    def test_writes_are_answered_one_by_one_and_in_order(
        self, harness: Harness, connector: Connector
    ) -> None:
        ids = harness.seed(["old"] * 5)
        results = connector.write([update(harness, id, f"new {id}") for id in ids])
        assert [(result.outcome, result.record_id) for result in results] == [
            (Outcome.APPLIED, id) for id in ids
        ]
        assert texts(harness, connector, ids) == {id: f"new {id}" for id in ids}

    def test_a_refused_row_is_a_result_and_harms_no_other(
        self, harness: Harness, connector: Connector
    ) -> None:
        ids = harness.seed(["old"] * 5)
        writes = [update(harness, id, "new") for id in ids]
        writes[1] = Write(Operation.UPDATE, harness.entity, "bad", ids[1], harness.refused_fields())
        # Where the CRM refuses the whole batch for one row, the core finds that row.
        results = Steady(connector).write_chunk(writes)
        assert [result.outcome for result in results] == [
            Outcome.REJECTED if n == 1 else Outcome.APPLIED for n in range(5)
        ]
        assert [result.record_id for result in results] == ids
        assert results[1].code
        assert results[1].message
        assert texts(harness, connector, ids) == {
            id: "old" if n == 1 else "new" for n, id in enumerate(ids)
        }

    def test_a_full_batch_is_accepted(self, harness: Harness, connector: Connector) -> None:
        size = connector.capabilities.write_batch
        ids = harness.seed(["old"] * size)
        results = connector.write([update(harness, id, "new") for id in ids])
        assert [result.outcome for result in results] == [Outcome.APPLIED] * size

    def test_a_created_record_has_the_id_that_it_is_read_by(
        self, harness: Harness, connector: Connector
    ) -> None:
        create = Write(Operation.CREATE, harness.entity, "c", fields=harness.new_record("here"))
        [result] = connector.write([create])
        assert result.outcome is Outcome.APPLIED
        assert texts(harness, connector, [result.record_id]) == {result.record_id: "here"}

    def test_a_key_that_is_taken_is_told_without_naming_the_other_record(
        self, harness: Harness, connector: Connector
    ) -> None:
        if not connector.capabilities.unique_task_key:
            pytest.skip("this CRM keeps no key of a task unique")
        with needs_harness():
            fields = harness.new_task("one-key")
        first, second = (
            connector.write([Write(Operation.CREATE, Entity.TASK, "t", fields=fields)])[0]
            for _ in range(2)
        )
        assert first.outcome is Outcome.APPLIED
        assert second.outcome is Outcome.REJECTED
        assert second.duplicate_key
        assert second.record_id == ""

    def test_a_deleted_record_is_no_longer_read_and_deleting_again_is_a_result(
        self, harness: Harness, connector: Connector
    ) -> None:
        if Operation.DELETE not in connector.capabilities.operations:
            pytest.skip("this connector deletes nothing")
        [id] = harness.seed(["short-lived"])
        delete = Write(Operation.DELETE, harness.entity, "d", id)
        assert [result.outcome for result in connector.write([delete])] == [Outcome.APPLIED]
        assert connector.read(harness.entity, [id], [harness.text_field]) == []
        assert [result.outcome for result in connector.write([delete])] == [Outcome.REJECTED]

    @pytest.mark.parametrize("text", AWKWARD)
    def test_awkward_text_round_trips_and_is_found(
        self, harness: Harness, connector: Connector, text: str
    ) -> None:
        [id, other] = harness.seed([text, "something else"])
        harness.settle()
        assert texts(harness, connector, [id]) == {id: harness.normalise(text)}
        found = connector.find(harness.entity, harness.text_field, [text])
        assert id in {record.id for record in found}
        assert other not in {record.id for record in found}
        assert all(harness.text_field in record.fields for record in found)

    @pytest.mark.parametrize("empty", ["", None])
    def test_a_field_can_be_emptied(
        self, harness: Harness, connector: Connector, empty: str | None
    ) -> None:
        [id] = harness.seed(["something"])
        results = connector.write([update(harness, id, empty)])
        assert [result.outcome for result in results] == [Outcome.APPLIED]
        expected = harness.normalise(empty)
        assert texts(harness, connector, [id]) == {id: expected}

    @_FEW
    @given(values=st.lists(_TEXTS | st.none(), min_size=1, max_size=10))
    def test_any_text_round_trips(
        self, harness: Harness, connector: Connector, values: list[str | None]
    ) -> None:
        ids = harness.seed(["before"] * len(values))
        results = connector.write(
            [update(harness, id, text) for id, text in zip(ids, values, strict=True)]
        )
        assert [result.outcome for result in results] == [Outcome.APPLIED] * len(values)
        assert texts(harness, connector, ids) == {
            id: harness.normalise(text) for id, text in zip(ids, values, strict=True)
        }

    def test_absent_ids_are_left_out_and_given_fields_come_back(
        self, harness: Harness, connector: Connector
    ) -> None:
        [id, gone] = harness.seed(["here", "gone"])
        harness.delete(gone)
        asked = [gone, id, "no such id"]
        [record] = connector.read(harness.entity, asked, [harness.text_field])
        assert (record.id, dict(record.fields)) == (id, {harness.text_field: "here"})

    def test_many_values_can_be_looked_for_at_once(
        self, harness: Harness, connector: Connector
    ) -> None:
        wanted = [f"wanted number {n} of a long list" for n in range(60)]
        ids = harness.seed(wanted)
        harness.settle()
        absent = [f"unwanted {n}" for n in range(40)]
        found = connector.find(harness.entity, harness.text_field, [*absent, *wanted])
        assert set(ids) <= {record.id for record in found}

    def test_the_object_describes_itself(self, harness: Harness, connector: Connector) -> None:
        fields = {spec.name: spec for spec in connector.describe(harness.entity)}
        spec = fields[harness.text_field]
        assert spec.type in {FieldType.TEXT, FieldType.LONG_TEXT}
        assert spec.updateable

    def test_a_field_that_is_not_there_is_missing(
        self, harness: Harness, connector: Connector
    ) -> None:
        absent = FieldSpec(harness.entity, "crm_sync_contract_absent__c", FieldType.TEXT)
        assert [change.wanted for change in connector.missing_schema([absent])] == [absent]

    def test_a_good_account_passes_its_own_check(self, connector: Connector) -> None:
        findings = connector.check()
        assert findings
        assert [finding for finding in findings if finding.level is Level.PROBLEM] == []

    def test_usage_is_told_or_not_known_and_a_record_has_an_address(
        self, harness: Harness, connector: Connector
    ) -> None:
        [id] = harness.seed(["x"])
        connector.read(harness.entity, [id], [harness.text_field])
        usage = connector.usage()
        assert usage is None or usage.used >= 0
        assert connector.url(harness.entity, id).startswith("http")
        assert id in connector.url(harness.entity, id)
