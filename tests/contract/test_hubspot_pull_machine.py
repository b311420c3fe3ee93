"""Whatever happens in a portal between and during pulls, a mirror of it ends up the same.

The mirror keeps what pages tell, as the store does, and drops after a whole pull what that did not
bring. Search lags behind the records by a delay that changes while it goes on. Either the delay is
never above the one that the connector counts with, and pulls do not go back any further; or it is
far above it, and pulls go back so much further that nothing may be missed all the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from crm_sync.connector import Entity, Page, Scalar
from tests.support.hubspot_portal import VERSION, Portal, a_portal
from tests.support.hubspot_reading import restore

FIELDS = ["jobtitle", "city"]
OUTSIDE = "outside"
CONTACTS = f"/crm/objects/{VERSION}/contacts"
PICK = st.integers(0, 10**6)
MEANWHILE = ["edit", "archive", "restored", "merge", "erase"]
Meanwhile = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Pace:
    """What the connector counts with, and how far search really lags behind at the most."""

    index_delay: int
    lookback: int
    lag: float


PACES = [Pace(60, 0, 50.0), Pace(3, 900, 600.0)]


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

    def begin_anew(self) -> None:
        """Read everything again."""
        self.cursor, self._seen = None, set()

    def survivor(self, id: str) -> str | None:
        passed = set()
        while id in self.survivors and id not in passed:
            passed.add(id)
            id = self.survivors[id]
        return id if passed else None


class Pulling(RuleBasedStateMachine):
    """A portal in which people work, and a mirror that is brought up to date now and then."""

    @initialize(
        pace=st.sampled_from(PACES),
        where=st.sampled_from(["", f"jobtitle NEQ {OUTSIDE}"]),
        keeps=st.booleans(),
    )
    def begin(self, pace: Pace = PACES[0], where: str = "", keeps: bool = False) -> None:
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(TemporaryDirectory(prefix="crm-sync-pulls-")))
        self.portal: Portal = self.stack.enter_context(
            a_portal(folder, bare=True, index_delay=pace.lag, merge_keeps_id=keeps)
        )
        self.pace = pace
        self.where = where
        self.mirror = Mirror()
        self.erased: set[str] = set()
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

    @rule(pick=PICK, title=st.sampled_from(["inside", "", OUTSIDE]))
    def edit(self, pick: int, title: str = "inside") -> None:
        if ids := self.live():
            self.count += 1
            properties = {"jobtitle": title, "city": f"city {self.count}"}
            path = f"{CONTACTS}/{chosen(ids, pick)}"
            self.portal.api("PATCH", path, {"properties": properties})

    @rule(pick=PICK)
    def archive(self, pick: int) -> None:
        if ids := self.live():
            self.portal.api("DELETE", f"{CONTACTS}/{chosen(ids, pick)}")

    @rule(pick=PICK)
    def restored(self, pick: int) -> None:
        if ids := self.archived():
            restore(self.portal, chosen(ids, pick))

    @rule(pick=PICK)
    def merge(self, pick: int) -> None:
        ids = sorted(self.live(), key=int)
        if len(ids) > 1:
            one = chosen(ids, pick)
            # The number chooses the other as well: next to it, or far away.
            self.portal.merge(one, chosen([id for id in ids if id != one], pick // 7))

    @rule(pick=PICK)
    def erase(self, pick: int) -> None:
        """A person has to be forgotten: HubSpot keeps nothing that could tell.

        Nor who was merged into the record: whoever has not heard of it yet, never does.
        """
        if ids := self.live():
            id = chosen(ids, pick)
            self.erased |= {victim for victim, end in self.merged().items() if end == id}
            self.portal.api("POST", f"{CONTACTS}/gdpr-delete", {"objectId": id})
            self.erased.add(id)

    @rule(seconds=st.sampled_from([0.5, 5.0, 30.0, 55.0, 100.0, 700.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.portal.advance(seconds)

    @rule(share=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    def search_lags(self, share: float) -> None:
        """What is written later may show earlier than what was written before."""
        self.portal.sandbox.portal.settings.index_delay = share * self.pace.lag

    @rule(
        wait=st.sampled_from([0.0, 5.0, 30.0]),
        pages=st.sampled_from([1, 2, 3, None, None]),
        meanwhile=st.lists(st.tuples(st.sampled_from([*MEANWHILE, "pause"]), PICK), max_size=3),
    )
    def pull(self, wait: float = 0.0, pages: int | None = None, meanwhile: Meanwhile = ()) -> None:
        """A new process: it may die after any page, and what it had stored stays.

        Between its pages, people go on.
        """
        self.portal.advance(wait)
        left = list(meanwhile)
        for number, page in enumerate(self.stream(), start=1):
            self.mirror.keep(page)
            if left:
                act, pick = left.pop()
                getattr(self, act)(pick)
            if number == pages:
                break

    def pause(self, pick: int) -> None:
        self.portal.advance(20 + pick % 100)

    def stream(self) -> Iterator[Page]:
        crm = self.portal.connect(
            page_size=10,
            index_delay_seconds=self.pace.index_delay,
            lookback_seconds=self.pace.lookback,
        )
        with closing(crm):
            yield from crm.pull(Entity.CONTACT, FIELDS, cursor=self.mirror.cursor, where=self.where)

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        with self.stack:
            for _ in range(2):  # the first may only finish a pull that was given up
                self.pull(wait=self.pace.lag + 10)
            self.assert_mirrored(but_for=self.erased)
            self.mirror.begin_anew()
            self.pull()
            self.assert_mirrored(but_for=set())

    def assert_mirrored(self, but_for: set[str]) -> None:
        inside = {
            id: fields
            for id, fields in self.live().items()
            if not self.where or (fields["jobtitle"] or "") != OUTSIDE
        }
        kept = self.mirror.records
        assert {id: kept[id] for id in kept if id not in but_for} == inside
        merged = self.merged()
        for id in (self.mirror.ever & merged.keys()) - self.erased:
            assert self.mirror.survivor(id) == merged[id]

    def live(self) -> dict[str, dict[str, Scalar]]:
        rows = self._rows("archived_ms IS NULL AND merged_into IS NULL")
        return {
            str(id): {name: json.loads(properties).get(name) for name in FIELDS}
            for id, properties, _ in rows
        }

    def archived(self) -> list[str]:
        return [str(id) for id, *_ in self._rows("archived_ms IS NOT NULL")]

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

    def _rows(self, condition: str) -> list[tuple[int, str, int]]:
        with self.portal.sandbox.portal.database.reading() as sql:
            return sql.execute(
                "SELECT id, properties, merged_into FROM object "
                f"WHERE type = 'contacts' AND {condition} ORDER BY id"
            ).fetchall()


def chosen(ids: Collection[str], pick: int) -> str:
    ordered = sorted(ids, key=int)
    return ordered[pick % len(ordered)]


def begun(**more: object) -> Pulling:
    """A machine by hand, whose first pull is complete and finds nothing more to tell."""
    machine = Pulling()
    machine.begin(**more)  # type: ignore[arg-type]
    machine.pull(wait=1_000)
    machine.pull(wait=1_000)
    return machine


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("wait", [0.0, 2.0, 30.0])
@pytest.mark.parametrize("whole", [True, False])
def test_an_edit_that_search_does_not_show_yet_is_pulled_later(
    pace: Pace, wait: float, whole: bool
) -> None:
    machine = begun(pace=pace)
    if whole:
        machine.mirror.begin_anew()
    machine.pull()
    machine.time_goes_by(wait)
    machine.edit(0)
    machine.pull(wait=wait)
    machine.teardown()


def test_an_edit_that_search_shows_after_a_later_one_is_pulled() -> None:
    machine = begun()
    machine.edit(0)
    machine.search_lags(0.0)
    machine.time_goes_by(5.0)
    machine.edit(1)
    machine.pull(wait=5.0)
    machine.teardown()


@pytest.mark.parametrize("whole", [True, False])
def test_an_edit_during_a_long_pull_is_pulled_by_the_next(whole: bool) -> None:
    machine = begun()
    machine.search_lags(0.0)
    if whole:
        machine.mirror.begin_anew()
    else:
        for pick in range(25):
            machine.edit(pick)
    machine.pull(meanwhile=[("pause", 80), ("edit", 0)])
    machine.pull(wait=100.0)
    machine.teardown()


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("act", MEANWHILE)
@pytest.mark.parametrize("during", [0, 1, 2])
def test_whatever_happens_once_between_or_during_pulls_is_told(
    act: str, keeps: bool, during: int
) -> None:
    machine = begun(keeps=keeps)
    machine.archive(3)
    machine.pull(wait=100.0)
    if during:
        machine.search_lags(0.0)
        for pick in range(20):  # so that there are pages to pull
            machine.edit(pick)
        machine.pull(wait=5.0, pages=during, meanwhile=[(act, 15)])
    else:
        getattr(machine, act)(15)
    machine.teardown()


def test_a_merge_into_a_record_that_is_archived_at_once_is_told() -> None:
    machine = begun()
    machine.merge(15)
    machine.archive(-1)  # the newest, which stands for both
    machine.teardown()


Pulling.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    # Shrinking takes minutes here, and a failure tells its steps without it.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(200)
class TestPulling(Pulling.TestCase):  # type: ignore[misc,valid-type]
    pass
