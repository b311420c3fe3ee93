"""Whatever happens in a portal between and during pulls, a mirror of it ends up the same.

The mirror keeps what pages tell, as the store does. Search lags behind by anything up to the
delay that the connector counts with, and pulls do not go back behind that: nothing but the rules
of the pull itself keeps a record from being missed.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from crm_sync.connector import Entity, Page, Scalar
from tests.support.hubspot_portal import VERSION, Portal, a_portal
from tests.support.hubspot_reading import restore

INDEX_DELAY = 50.0
FIELDS = ["jobtitle", "city"]
OUTSIDE = "outside"
CONTACTS = f"/crm/objects/{VERSION}/contacts"
PICK = st.integers(0, 10**6)


class Mirror:
    """Our copy, as the store keeps it: a page and its cursor together."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Scalar]] = {}
        self.survivors: dict[str, str] = {}
        self.ever: set[str] = set()
        self.cursor: str | None = None
        self._seen: set[str] | None = set()
        """What the whole pull in hand has brought; None once it is complete."""

    def keep(self, page: Page) -> None:
        for record in page.records:
            self.records[record.id] = dict(record.fields)
            self.survivors.pop(record.id, None)
            self.ever.add(record.id)
            if self._seen is not None:
                self._seen.add(record.id)
        for one in page.gone:
            self.records.pop(one.id, None)
            if one.survivor is not None:
                self.survivors[one.id] = one.survivor
        if page.complete and self._seen is not None:
            self.records = {id: self.records[id] for id in self.records if id in self._seen}
            self._seen = None
        self.cursor = page.cursor

    def survivor(self, id: str) -> str | None:
        passed = set()
        while id in self.survivors and id not in passed:
            passed.add(id)
            id = self.survivors[id]
        return id if passed else None


class Pulling(RuleBasedStateMachine):
    """A portal in which people work, and a mirror that is brought up to date now and then."""

    @initialize(where=st.sampled_from(["", f"jobtitle NEQ {OUTSIDE}"]), keeps=st.booleans())
    def begin(self, where: str, keeps: bool) -> None:
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(TemporaryDirectory(prefix="crm-sync-pulls-")))
        self.portal: Portal = self.stack.enter_context(
            a_portal(folder, bare=True, index_delay=INDEX_DELAY, merge_keeps_id=keeps)
        )
        self.where = where
        self.mirror = Mirror()
        self.count = 0
        self.create(25)  # more than two pages

    @rule(size=st.integers(1, 14))
    def create(self, size: int) -> None:
        inputs = []
        for _ in range(size):
            self.count += 1
            properties = {"lastname": "Test", "jobtitle": f"title {self.count}"}
            inputs.append({"properties": properties, "associations": []})
        self.portal.api("POST", f"{CONTACTS}/batch/create", {"inputs": inputs})

    @precondition(lambda self: self.live())
    @rule(pick=PICK, title=st.sampled_from(["inside", "", OUTSIDE]))
    def edit(self, pick: int, title: str) -> None:
        self.count += 1
        properties = {"jobtitle": title, "city": f"city {self.count}"}
        self.portal.api("PATCH", f"{CONTACTS}/{self.pick(pick)}", {"properties": properties})

    @precondition(lambda self: self.live())
    @rule(pick=PICK)
    def archive(self, pick: int) -> None:
        self.portal.api("DELETE", f"{CONTACTS}/{self.pick(pick)}")

    @precondition(lambda self: self.archived())
    @rule(pick=PICK)
    def restored(self, pick: int) -> None:
        ids = self.archived()
        restore(self.portal, str(ids[pick % len(ids)]))

    @precondition(lambda self: len(self.live()) > 1)
    @rule(pick=PICK, other=PICK)
    def merge(self, pick: int, other: int) -> None:
        ids = sorted(self.live())
        one, two = ids[pick % len(ids)], ids[other % len(ids)]
        if one != two:
            self.portal.merge(one, two)

    @rule(seconds=st.sampled_from([0.5, 5.0, 30.0, 55.0, 100.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.portal.advance(seconds)

    @rule(pages=st.sampled_from([1, 2, 3, None, None]))
    def pull(self, pages: int | None) -> None:
        """A new process: it may die after any page, and what it had stored stays."""
        crm = self.portal.connect(page_size=10, index_delay_seconds=60, lookback_seconds=0)
        with closing(crm):
            stream = crm.pull(Entity.CONTACT, FIELDS, cursor=self.mirror.cursor, where=self.where)
            for number, page in enumerate(stream, start=1):
                self.mirror.keep(page)
                if number == pages:
                    break

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        with self.stack:
            for _ in range(2):  # the first may only finish a pull that was given up
                self.portal.advance(120)
                self.pull(None)
            inside = {
                id: fields
                for id, fields in self.live().items()
                if not self.where or (fields["jobtitle"] or "") != OUTSIDE
            }
            assert self.mirror.records == inside
            merged = self.merged()
            for id in self.mirror.ever & merged.keys():
                assert self.mirror.survivor(id) == merged[id]

    def live(self) -> dict[str, dict[str, Scalar]]:
        rows = self._rows("archived_ms IS NULL AND merged_into IS NULL")
        return {
            str(id): {name: json.loads(properties).get(name) for name in FIELDS}
            for id, properties, _ in rows
        }

    def archived(self) -> list[int]:
        return [id for id, *_ in self._rows("archived_ms IS NOT NULL")]

    def merged(self) -> dict[str, str]:
        """Whom each merged-away contact stands for in the end."""
        into = {str(id): str(to) for id, _, to in self._rows("merged_into IS NOT NULL")}
        ends = {}
        for id in into:
            at = id
            while at in into:
                at = into[at]
            ends[id] = at
        return ends

    def pick(self, pick: int) -> str:
        ids = sorted(self.live())
        return ids[pick % len(ids)]

    def _rows(self, condition: str) -> list[tuple[int, str, int]]:
        with self.portal.sandbox.portal.database.reading() as sql:
            return sql.execute(
                "SELECT id, properties, merged_into FROM object "
                f"WHERE type = 'contacts' AND {condition} ORDER BY id"
            ).fetchall()


Pulling.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(200)
class TestPulling(Pulling.TestCase):  # type: ignore[misc,valid-type]
    pass
