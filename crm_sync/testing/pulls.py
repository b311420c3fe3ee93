"""The laws of pulling."""
# ruff: noqa: S101, D102 - asserts are what a law is made of, and its name is its description

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from uuid import uuid4

from crm_sync.connector import Connector, Gone, Page, Scalar
from crm_sync.testing.harness import Harness
from crm_sync.testing.shared import needs_harness

_PAGES = 2


class PullLaws:
    """Cursors, pages, fields, changes, filters, deletes and merges."""

    def test_a_pull_brings_every_record_and_says_when_it_is_complete(
        self, harness: Harness, connector: Connector
    ) -> None:
        wanted = set(harness.seed(_rows(connector)))
        harness.settle()
        pages = _pull(harness, connector, None)
        got = {
            record.id: record.fields
            for page in pages
            for record in page.records
            if record.id in wanted
        }
        assert set(got) == wanted
        assert all(set(fields) == {harness.text_field} for fields in got.values())
        assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
        assert len(pages) > _PAGES
        assert all(
            record.modified is None or record.modified.tzinfo
            for page in pages
            for record in page.records
        )

    def test_resuming_from_any_page_skips_no_record(
        self, harness: Harness, connector: Connector
    ) -> None:
        wanted = set(harness.seed(_rows(connector)))
        harness.settle()
        pages = _pull(harness, connector, None)
        for number in range(len(pages) - 1):
            seen = {record.id for page in pages[: number + 1] for record in page.records}
            # Another connector: the first may have died with its process.
            with closing(harness.connect()) as resumed:
                rest = _pull(harness, resumed, pages[number].cursor)
            seen |= {record.id for page in rest for record in page.records}
            assert wanted <= seen
            assert rest[-1].complete

    def test_the_next_pull_brings_what_was_added_or_changed_since(
        self, harness: Harness, connector: Connector
    ) -> None:
        [edited, _] = harness.seed(["before", "untouched"])
        harness.settle()
        cursor = _pull(harness, connector, None)[-1].cursor
        harness.edit(edited, "after")
        [added] = harness.seed(["added"])
        harness.settle()
        pages = _pull(harness, connector, cursor)
        got = {
            record.id: record.fields[harness.text_field]
            for page in pages
            for record in page.records
        }
        assert (got[edited], got[added]) == ("after", "added")
        assert pages[-1].complete

    def test_a_pull_with_nothing_new_is_complete_and_can_be_followed_by_another(
        self, harness: Harness, connector: Connector
    ) -> None:
        cursor = _pull(harness, connector, None)[-1].cursor
        for _ in range(3):
            pages = _pull(harness, connector, cursor)
            assert pages[-1].complete
            cursor = pages[-1].cursor

    def test_a_blank_field_is_told_as_none_and_never_left_out(
        self, harness: Harness, connector: Connector
    ) -> None:
        [blank, emptied] = harness.seed([None, "before"])
        harness.settle()
        pages = _pull(harness, connector, None)
        assert _fields(pages)[blank] == {harness.text_field: None}
        harness.edit(emptied, None)
        harness.settle()
        since = _pull(harness, connector, pages[-1].cursor)
        assert _fields(since)[emptied] == {harness.text_field: None}
        read = connector.read(harness.entity, [blank], [harness.text_field])
        assert [record.fields for record in read] == [{harness.text_field: None}]

    def test_a_record_that_no_longer_satisfies_where_is_gone_until_it_does_again(
        self, harness: Harness, connector: Connector
    ) -> None:
        inside = f"inside {uuid4().hex}"
        with needs_harness():
            where = harness.where(inside)
        stays, leaves = harness.seed([inside, inside])
        harness.settle()
        whole = _pull(harness, connector, None, where)
        assert set(_fields(whole)) == {stays, leaves}
        harness.edit(leaves, "outside")
        harness.settle()
        since = _pull(harness, connector, whole[-1].cursor, where)
        gone = [one for page in since for one in page.gone]
        assert Gone(harness.entity, leaves) in gone
        assert stays not in {one.id for one in gone}
        assert set(_fields(since)) <= {stays}
        harness.edit(leaves, inside)
        harness.settle()
        back = _pull(harness, connector, since[-1].cursor, where)
        assert _fields(back)[leaves] == {harness.text_field: inside}
        assert leaves not in {one.id for page in back for one in page.gone}

    def test_a_deleted_record_is_told_as_gone(self, harness: Harness, connector: Connector) -> None:
        [kept, deleted] = harness.seed(["kept", "deleted"])
        harness.settle()
        cursor = _pull(harness, connector, None)[-1].cursor
        harness.delete(deleted)
        harness.settle()
        pages = _pull(harness, connector, cursor)
        gone = [one for page in pages for one in page.gone]
        assert Gone(harness.entity, deleted) in gone
        assert kept not in {one.id for one in gone}
        assert deleted not in {record.id for page in pages for record in page.records}

    def test_a_merged_record_names_its_survivor(
        self, harness: Harness, connector: Connector
    ) -> None:
        ids = harness.seed(["survivor", "victim"])
        harness.settle()
        cursor = _pull(harness, connector, None)[-1].cursor
        with needs_harness():
            survivor = harness.merge(*ids) or ids[0]
        harness.settle()
        pages = _pull(harness, connector, cursor)
        gone = [one for page in pages for one in page.gone]
        for id in {*ids} - {survivor}:
            assert Gone(harness.entity, id, survivor) in gone
        assert survivor not in {one.id for one in gone}


def _rows(connector: Connector) -> list[str]:
    return [f"row {n}" for n in range(connector.capabilities.page_size * _PAGES + 1)]


def _pull(
    harness: Harness, connector: Connector, cursor: str | None, where: str = ""
) -> list[Page]:
    fields = [harness.text_field]
    return list(connector.pull(harness.entity, fields, cursor=cursor, where=where))


def _fields(pages: Sequence[Page]) -> dict[str, Mapping[str, Scalar]]:
    return {record.id: record.fields for page in pages for record in page.records}
