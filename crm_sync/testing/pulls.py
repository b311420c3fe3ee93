"""The laws of pulling."""
# ruff: noqa: S101, D102 - asserts are what a law is made of, and its name is its description

from __future__ import annotations

from contextlib import closing

from crm_sync.connector import Connector, Gone, Page
from crm_sync.testing.harness import Harness
from crm_sync.testing.shared import needs_harness

_PAGES = 2


class PullLaws:
    """Cursors, pages, changes, deletes and merges."""

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
        [survivor, victim] = harness.seed(["survivor", "victim"])
        harness.settle()
        cursor = _pull(harness, connector, None)[-1].cursor
        with needs_harness():
            harness.merge(survivor, victim)
        harness.settle()
        pages = _pull(harness, connector, cursor)
        gone = [one for page in pages for one in page.gone]
        assert Gone(harness.entity, victim, survivor) in gone
        assert survivor not in {one.id for one in gone}


def _rows(connector: Connector) -> list[str]:
    return [f"row {n}" for n in range(connector.capabilities.page_size * _PAGES + 1)]


def _pull(harness: Harness, connector: Connector, cursor: str | None) -> list[Page]:
    return list(connector.pull(harness.entity, [harness.text_field], cursor=cursor))
