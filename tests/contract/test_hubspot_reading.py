from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crm_sync.connector import ConfigError, Entity, ScopeMissing
from crm_sync_hubspot import HubSpotConnector
from tests.support.hubspot_portal import (
    VERSION,
    Portal,
    a_portal,
    pull,
    retitle,
    seed,
    titles,
)
from tests.support.hubspot_reading import (
    archive,
    complete,
    create,
    gone,
    ids_of,
    lost,
    restore,
)

CONTACTS = f"/crm/objects/{VERSION}/contacts"
PRIMARY = "associations.companies.primary"
ALL = "associations.companies"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with a_portal(tmp_path) as portal:
        yield portal


@pytest.fixture
def crm(portal: Portal) -> Iterator[HubSpotConnector]:
    with closing(portal.connect()) as crm:
        yield crm


def test_all_records_that_share_one_moment_are_pulled_though_a_page_holds_fewer(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    ids = seed(crm, ["one"] * 450)
    portal.settle()
    with portal.sandbox.portal.database.writing() as sql:
        (at,) = sql.execute("SELECT max(updated_ms) FROM object").fetchone()
        for table in ("object", "search_index", "search_pending"):
            sql.execute(f"UPDATE {table} SET updated_ms = ? WHERE type = 'contacts'", (at,))
    with closing(portal.connect(page_size=40)) as small:
        pages = pull(small, cursor)
    assert sorted(ids_of(pages)) == sorted(ids)
    assert {page.total for page in pages} == {450}
    assert max(len(page.records) for page in pages) == 40


def test_a_record_that_changes_all_the_time_is_pulled_all_the_same(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    [busy] = seed(crm, ["0"])
    for n in range(1, 9):
        # Never is its last change older than the index delay.
        crm.write(retitle([busy], str(n)))
        portal.advance(2.5)
        pages = pull(crm, cursor)
        cursor = pages[-1].cursor
        assert ids_of(pages) == [busy]


def test_what_search_does_not_show_yet_comes_with_a_later_pull(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    [late] = seed(crm, ["late"])
    portal.advance(1.5)
    hidden = pull(crm, cursor)
    assert ids_of(hidden) == []
    portal.settle()
    with closing(portal.connect(lookback_seconds=0)) as exact:
        assert ids_of(pull(exact, hidden[-1].cursor)) == [late]


def test_a_pull_goes_back_behind_the_last_one_but_not_for_ever(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [old] = seed(crm, ["old"])
    portal.advance(1000)
    cursor = complete(portal, crm)
    [new] = seed(crm, ["new"])
    portal.settle()
    first = pull(crm, cursor)
    again = pull(crm, first[-1].cursor)
    assert (ids_of(first), ids_of(again)) == ([new], [new])
    portal.advance(1000)
    after = pull(crm, again[-1].cursor)
    assert ids_of(pull(crm, after[-1].cursor)) == []
    assert old not in ids_of(after)


def test_only_the_portals_clock_counts(portal: Portal, crm: HubSpotConnector) -> None:
    # The sandbox lives months away from this machine, and drifts a day more.
    cursor = complete(portal, crm)
    portal.control("clock", {"advance": 86_400})
    [id] = seed(crm, ["tomorrow"])
    portal.settle()
    assert ids_of(pull(crm, cursor)) == [id]


def test_values_are_those_of_the_record_not_of_the_index(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    [id] = seed(crm, ["indexed"])
    portal.settle()
    crm.write(retitle([id], "fresh"))
    [record] = [record for page in pull(crm, cursor) for record in page.records]
    assert dict(record.fields) == {"jobtitle": "fresh"}


def test_a_record_that_is_archived_while_a_pull_is_under_way_is_gone_at_its_end(
    portal: Portal, crm: HubSpotConnector
) -> None:
    cursor = complete(portal, crm)
    ids = seed(crm, ["t"] * 30)
    portal.settle()
    with closing(portal.connect(page_size=10)) as small:
        pages = small.pull(Entity.CONTACT, ["jobtitle"], cursor=cursor)
        first = next(pages)
        archive(portal, ids[0])  # was on the page
        archive(portal, ids[29])  # would be on a later one, and search shows it still
        rest = list(pages)
    assert ids_of([first, *rest]) == ids[:29]
    assert {one.id for one in gone(rest)} == {ids[0], ids[29]}


def test_a_record_that_is_archived_while_everything_is_pulled_is_told_next_time(
    portal: Portal, crm: HubSpotConnector
) -> None:
    ids = seed(crm, ["t"] * 30)
    with closing(portal.connect(page_size=10)) as small:
        pages = small.pull(Entity.CONTACT, ["jobtitle"], cursor=None)
        first = next(pages)
        archive(portal, ids[0])
        crm.write(retitle([ids[1]], "edited behind the pull"))
        rest = list(pages)
    assert gone([first, *rest]) == []
    portal.settle()
    following = pull(crm, rest[-1].cursor)
    assert gone(following) == [lost(ids[0])]
    assert ids[1] in ids_of(following)


def test_a_restored_record_is_back(portal: Portal, crm: HubSpotConnector) -> None:
    [id] = seed(crm, ["t"])
    cursor = complete(portal, crm)
    archive(portal, id)
    portal.settle()
    archived = pull(crm, cursor)
    assert gone(archived) == [lost(id)]
    restore(portal, id)
    portal.settle()
    back = pull(crm, archived[-1].cursor)
    assert (ids_of(back), gone(back)) == ([id], [])


def test_every_record_of_a_chain_of_merges_names_who_survived(
    portal: Portal, crm: HubSpotConnector
) -> None:
    first, second, third = seed(crm, ["a", "b", "c"])
    cursor = complete(portal, crm)
    middle = portal.merge(first, second)
    last = portal.merge(third, middle)
    portal.settle()
    pages = pull(crm, cursor)
    assert ids_of(pages) == [last]
    assert set(gone(pages)) == {lost(id, last) for id in (first, second, third, middle)}
    whole = pull(crm)
    assert (ids_of(whole), set(gone(whole))) == ([last], set(gone(pages)))


def test_a_merge_into_one_of_the_two_does_not_tell_the_survivor_as_gone(tmp_path: Path) -> None:
    with a_portal(tmp_path, merge_keeps_id=True) as portal, closing(portal.connect()) as crm:
        kept, other = seed(crm, ["a", "b"])
        cursor = complete(portal, crm)
        assert portal.merge(kept, other) == kept
        portal.settle()
        pages = pull(crm, cursor)
    assert (ids_of(pages), gone(pages)) == ([kept], [lost(other, kept)])


def test_what_was_merged_into_a_record_that_was_then_archived_is_told(
    portal: Portal, crm: HubSpotConnector
) -> None:
    first, second = seed(crm, ["a", "b"])
    cursor = complete(portal, crm)
    both = portal.merge(first, second)
    archive(portal, both)
    portal.settle()
    pages = pull(crm, cursor)
    assert ids_of(pages) == []
    assert set(gone(pages)) == {lost(first, both), lost(second, both), lost(both)}


def test_an_erased_person_is_left_out_of_a_whole_pull(
    portal: Portal, crm: HubSpotConnector
) -> None:
    kept, erased = seed(crm, ["kept", "erased"])
    cursor = complete(portal, crm)
    portal.api("POST", f"{CONTACTS}/gdpr-delete", {"objectId": erased})
    portal.settle()
    later = pull(crm, cursor)
    assert erased not in ids_of(later)
    assert gone(later) == []  # HubSpot keeps no trace that could tell
    assert ids_of(pull(crm)) == [kept]
    assert titles(crm, [erased]) == [None]


def test_more_properties_than_an_address_holds_are_pulled(
    portal: Portal, crm: HubSpotConnector
) -> None:
    names = [f"a_property_with_a_rather_long_name_{n:03}" for n in range(80)]
    portal.api(
        "POST",
        f"/crm/properties/{VERSION}/contacts/batch/create",
        {
            "inputs": [
                {
                    "name": name,
                    "label": name,
                    "type": "string",
                    "fieldType": "text",
                    "groupName": "contactinformation",
                }
                for name in names
            ]
        },
    )
    made = [create(portal, "contacts", lastname="Wide", **{names[-1]: str(n)}) for n in range(25)]
    with closing(portal.connect(page_size=10)) as small:
        pages = list(small.pull(Entity.CONTACT, names, cursor=None))
    records = {record.id: record for page in pages for record in page.records}
    assert [records[id].fields[names[-1]] for id in made] == [str(n) for n in range(25)]
    assert all(set(record.fields) == set(names) for record in records.values())
    assert len(pages) == 3


def test_a_property_that_is_not_there_is_refused_and_not_taken_for_blank(
    crm: HubSpotConnector,
) -> None:
    for ask in (
        lambda: list(crm.pull(Entity.CONTACT, ["jobtitle", "no_such"], cursor=None)),
        lambda: list(crm.pull(Entity.CONTACT, ["jobtitle"], cursor=None, where="no_such EQ x")),
        lambda: crm.read(Entity.CONTACT, ["1"], ["no_such"]),
        lambda: crm.find(Entity.CONTACT, "no_such", ["x"]),
    ):
        with pytest.raises(ConfigError, match="no_such"):
            ask()


def test_properties_are_asked_for_in_any_capitals_and_come_back_as_asked(
    portal: Portal, crm: HubSpotConnector
) -> None:
    [id] = seed(crm, ["Boss"])
    wanted = {"JobTitle": "Boss", "City": None}
    [record] = crm.read(Entity.CONTACT, [id], list(wanted))
    [page] = crm.pull(Entity.CONTACT, list(wanted), cursor=None)
    assert dict(record.fields) == dict(page.records[0].fields) == wanted
    assert record.modified == page.records[0].modified
    assert record.modified
    assert record.modified.date() == portal.clock.now().date()


def test_a_filter_is_judged_on_values_that_search_does_not_know_yet(
    portal: Portal, crm: HubSpotConnector
) -> None:
    where = "jobtitle NEQ out AND city NOT_HAS_PROPERTY"
    stays, leaves = seed(crm, ["in", "in"])
    cursor = complete(portal, crm, where)
    crm.write(retitle([stays, leaves], "still in"))
    portal.settle()
    crm.write(retitle([leaves], "Out"))
    pages = pull(crm, cursor, where)
    assert (ids_of(pages), gone(pages)) == ([stays], [lost(leaves)])
    whole = pull(crm, where=where)
    assert (ids_of(whole), gone(whole)) == ([stays], [])


def test_a_filtered_pull_tells_merges_also_into_what_lies_outside(
    portal: Portal, crm: HubSpotConnector
) -> None:
    where = "jobtitle EQ in"
    outside, inside = seed(crm, ["out", "in"])
    cursor = complete(portal, crm, where)
    both = portal.merge(outside, inside)
    portal.settle()
    pages = pull(crm, cursor, where)
    assert ids_of(pages) == []
    assert set(gone(pages)) == {lost(outside, both), lost(inside, both), lost(both)}


def test_a_missing_scope_is_named(tmp_path: Path) -> None:
    scopes = frozenset({"crm.objects.companies.read"})
    with a_portal(tmp_path, missing_scopes=scopes) as portal, closing(portal.connect()) as crm:
        with pytest.raises(ScopeMissing):
            list(crm.pull(Entity.ACCOUNT, ["name"], cursor=None))
        assert pull(crm)[-1].complete
