from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import func, select

from crm_sync.model import Band, Evidence, JobChange, JobChangeKind, Position
from crm_sync.store import judgements
from crm_sync.store.arrow_io import bulk
from crm_sync.store.database import Store
from crm_sync.store.tables import job_change, match, observation

NOW = datetime(2026, 6, 15, 5, tzinfo=UTC)
EVIDENCE = '[{"as_of":"2026-06-01","detail":"d","rule":"r","source":"s"},{"detail":"d","rule":"q"}]'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "x.db")
    try:
        yield opened
    finally:
        opened.close()


def verdict(contact_id: str, **more: Any) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "kind": "moved",
        "confidence": 0.9,
        "band": "auto",
        "since": date(2026, 1, 1),
        "as_of": "2026-06-01",
        "from_title": "CFO",
        "from_organisation": "Acme",
        "to_title": 'O\'Neill "x" 👋\n',
        "to_organisation": "Beta",
        "source": "vendor",
        "profile_id": "p1",
        "evidence": EVIDENCE,
        **more,
    }


def matched(contact_id: str) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "source": "vendor",
        "profile_id": "p1",
        "confidence": 0.9,
        "band": "auto",
        "rule": "email",
        "evidence": "[]",
    }


def observed(id: str) -> dict[str, Any]:
    return {
        "id": id,
        "source": "vendor",
        "profile_id": "p1",
        "as_of": date(2026, 6, 1),
        "payload": "{}",
    }


def table(rows: list[dict[str, Any]], like: dict[str, Any]) -> pa.Table:
    schema = pa.Table.from_pylist([like]).schema
    return pa.Table.from_pylist(rows, schema=schema)


def judge(
    store: Store,
    connection: str,
    *contacts: str,
    verdicts: list[dict[str, Any]] | None = None,
    observations: tuple[str, ...] = (),
    profiles: Mapping[str, int] | None = None,
) -> None:
    rows = [verdict(id) for id in contacts] if verdicts is None else verdicts
    with bulk(store) as loads:
        judgements.save_verdicts(
            loads,
            connection,
            matches=table([matched(id) for id in contacts], matched("")),
            job_changes=table(rows, verdict("")),
            observations=table([observed(id) for id in observations], observed("")),
            at=NOW,
        )
    with store.begin() as tx:
        judgements.save_profile_counts(tx, connection, profiles or {}, NOW)


def held(store: Store, connection: str, **more: bool) -> list[JobChange]:
    with store.read() as tx:
        return list(judgements.job_changes_of(tx, connection, **more))


def test_a_verdict_is_read_back_with_its_dates_and_evidence(store: Store) -> None:
    judge(store, "emea", "003A")
    assert held(store, "emea") == [
        JobChange(
            contact_id="003A",
            kind=JobChangeKind.MOVED,
            confidence=0.9,
            band=Band.AUTO,
            before=Position("CFO", "Acme"),
            after=Position('O\'Neill "x" 👋\n', "Beta"),
            since=date(2026, 1, 1),
            as_of=date(2026, 6, 1),
            source="vendor",
            profile_id="p1",
            evidence=(Evidence("r", "d", "s", date(2026, 6, 1)), Evidence("q", "d")),
        )
    ]


def test_new_verdicts_replace_those_of_their_connection_and_no_others(store: Store) -> None:
    judge(store, "emea", "003A", "003B")
    judge(store, "apac", "003A")
    judge(store, "emea", "003C")
    assert [one.contact_id for one in held(store, "emea")] == ["003C"]
    assert [one.contact_id for one in held(store, "apac")] == ["003A"]
    with store.read() as tx:
        query = select(match.c.connection, match.c.contact_id).order_by(match.c.connection)
        assert [tuple(row) for row in tx.execute(query)] == [("apac", "003A"), ("emea", "003C")]


def test_a_judgement_that_fails_leaves_the_one_before(store: Store) -> None:
    judge(store, "emea", "003A")
    with pytest.raises(Exception, match="UNIQUE"):
        judge(store, "emea", "003B", "003B")
    assert [one.contact_id for one in held(store, "emea")] == ["003A"]


def test_what_may_be_acted_upon_is_a_change_and_not_ignored(store: Store) -> None:
    kinds = ["retitled", "moved", "left", "unchanged", "unknown"]
    rows = [verdict(kind, kind=kind) for kind in kinds]
    rows += [verdict("ignored", band="ignored"), verdict("waits", band="review", since=None)]
    judge(store, "emea", verdicts=rows)
    acted = [one.contact_id for one in held(store, "emea")]
    assert acted == ["left", "moved", "retitled", "waits"]
    assert len(held(store, "emea", changes_only=False)) == len(rows)


def test_every_observation_is_kept_once_for_ever(store: Store) -> None:
    judge(store, "emea", observations=("o1", "o2"))
    judge(store, "emea", observations=("o2", "o3"))
    judge(store, "apac", observations=("o1",))
    with store.read() as tx:
        ids = tx.execute(select(observation.c.id).order_by(observation.c.id)).scalars()
        assert list(ids) == ["o1", "o2", "o3"]


def test_the_size_of_each_source_is_what_it_was_last(store: Store) -> None:
    judge(store, "emea", profiles={"vendor": 10, "other": 3})
    judge(store, "apac", profiles={"vendor": 99})
    judge(store, "emea", profiles={"vendor": 7})
    with store.read() as tx:
        assert judgements.last_profile_counts(tx, "emea") == {"vendor": 7, "other": 3}
        assert judgements.last_profile_counts(tx, "nowhere") == {}


def test_many_verdicts_are_stored_whole(store: Store) -> None:
    judge(store, "emea", *(f"{n:06}" for n in range(25_000)))
    with store.read() as tx:
        assert tx.execute(select(func.count()).select_from(job_change)).scalar() == 25_000
