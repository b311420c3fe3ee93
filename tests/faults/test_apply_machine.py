"""Laws under any mixture of applying, killing, lost answers, people's edits and undoing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import TemporaryDirectory, mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crm_sync.compare import same
from crm_sync.connector import Write, WriteResult
from crm_sync.errors import QuotaReached
from crm_sync.model import Change, Entity, Operation, Plan, Scalar
from crm_sync.store import journal, plans, runs
from crm_sync.store.states import State
from tests.faults.apply_crm import (
    KEY,
    KilledHereError,
    MemoryCrm,
    World,
    a_task,
    an_update,
    links_of,
    open_world,
)

CONTACTS = ("C1", "C2", "C3")
FIELDS = ("Title", "New_Title__c")
FAULTS = st.sampled_from(["ok", "ok", "drop_before", "drop_after", "late", "quota"])
WHEN = st.none() | st.integers(1, 70)
FOLDER = TemporaryDirectory(prefix="crm-sync-machine-")
TEMPLATE = Path(FOLDER.name) / "crm-sync.db"


class WatchedCrm(MemoryCrm):
    """Notes every value that one of our writes replaced."""

    def _carry_out(self, write: Write) -> WriteResult:
        if write.operation is Operation.UPDATE and (write.entity, write.record_id) in self.rows:
            held = self.rows[write.entity, write.record_id].fields
            for name in write.fields:
                self.replaced.append((write.key, name, held[name]))
        return super()._carry_out(write)

    @property
    def replaced(self) -> list[tuple[str, str, Scalar]]:
        return self.__dict__.setdefault("_replaced", [])  # type: ignore[no-any-return]


class Applying(RuleBasedStateMachine):
    """A small CRM that people and crm-sync both write to."""

    @initialize(unique=st.booleans())
    def begin(self, unique: bool) -> None:
        if not TEMPLATE.exists():
            open_world(TEMPLATE).store.close()
        self.folder = Path(mkdtemp(dir=FOLDER.name))
        copyfile(TEMPLATE, self.folder / "crm-sync.db")
        self.crm = WatchedCrm(unique=unique)
        self.world: World = open_world(self.folder / "crm-sync.db", self.crm)
        self.people: dict[tuple[str, str], Scalar] = {}
        for id in CONTACTS:
            self.crm.put(id, **{name: f"first {id} {name}" for name in FIELDS})
            self.people |= {(id, name): f"first {id} {name}" for name in FIELDS}
        self.changes: dict[str, Change] = {}
        self.plans: list[Plan] = []
        self.touched: set[str] = set()
        self.deleted: set[str] = set()
        self.count = 0

    def mortal(self, do: Callable[[], object], when: int | None) -> None:
        """Run it; perhaps it is killed. What was on its way to the CRM arrives."""
        bomb = self.crm.bomb
        bomb.at = bomb.passed + when if when else None
        with suppress(KilledHereError, QuotaReached):
            do()
        bomb.disarm()
        self.crm.script.clear()
        self.crm.sleep(0)

    @rule(
        ids=st.sets(st.sampled_from(CONTACTS), min_size=1),
        fields=st.sets(st.sampled_from(FIELDS), min_size=1),
        script=st.lists(FAULTS, max_size=4),
        when=WHEN,
    )
    def plan_and_apply(
        self, ids: set[str], fields: set[str], script: list[str], when: int | None
    ) -> None:
        self.count += 1
        updates = [
            an_update(
                id,
                *(
                    (name, self.crm.value(id, name), f"ours {self.count}")
                    for name in sorted(fields)
                ),
            )
            for id in sorted(ids)
        ]
        subject = f"Task {self.count}"
        tasks = [a_task(one.record_id, one.key, subject) for one in updates]
        links = [link for one in tasks for link in links_of(one, contact_id=one.contact_id)]
        plan = self.world.save(*updates, *tasks, *links)
        self.plans.append(plan)
        self.changes |= {one.key: one for one in plan.changes}
        self.crm.script = [QuotaReached("enough") if one == "quota" else one for one in script]
        self.mortal(lambda: self.world.apply(plan), when)

    @precondition(lambda self: self.plans)
    @rule(data=st.data(), when=WHEN)
    def apply_again(self, data: st.DataObject, when: int | None) -> None:
        plan = data.draw(st.sampled_from(self.plans))
        self.mortal(lambda: self.world.apply(plan), when)

    @rule(id=st.sampled_from(CONTACTS), name=st.sampled_from(FIELDS))
    def a_person_edits(self, id: str, name: str) -> None:
        self.count += 1
        self.crm.edit(Entity.CONTACT, id, **{name: f"human {self.count}"})
        self.people[id, name] = f"human {self.count}"

    @precondition(lambda self: self.plans)
    @rule(data=st.data(), delete=st.booleans())
    def a_person_works_on_a_task(self, data: st.DataObject, delete: bool) -> None:
        known = self.verified_tasks()
        if not known:
            return
        id = data.draw(st.sampled_from(sorted(known)))
        key = str(self.crm.rows[Entity.TASK, id].fields[KEY])
        if delete:
            del self.crm.rows[Entity.TASK, id]
            self.deleted.add(key)
        else:
            self.crm.edit(Entity.TASK, id, Comments="called her")
            self.touched.add(id)

    @precondition(lambda self: self.plans)
    @rule(data=st.data(), when=WHEN)
    def undo(self, data: st.DataObject, when: int | None) -> None:
        begun = self.apply_runs()
        if not begun:  # killed before the run was stored
            return
        run_id = data.draw(st.sampled_from(begun))
        self.mortal(lambda: self.world.undo(run_id), when)

    @invariant()
    def no_task_twice(self) -> None:
        made = Counter(w.key for w in self.crm.written if w.operation is Operation.CREATE)
        assert all(count == 1 for count in made.values())

    @invariant()
    def no_write_replaces_what_its_plan_did_not_see(self) -> None:
        seen = dict(self.changes)
        for plan_id in self.undo_plans():
            seen |= {one.key: one for one in self.stored(plan_id).changes}
        for key, name, old in self.crm.replaced:
            field = next(one for one in seen[key].fields if one.crm_field == name)
            assert same(old, field.before) or same(old, field.after)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.apply(self.world.save())  # a plan that proposes nothing
        self.every_task_is_linked()
        for run_id in reversed(self.apply_runs()):
            self.world.undo(run_id)
        for (id, name), value in self.people.items():
            assert self.crm.value(id, name) == value, "a person's last word is not what is left"
        if self.crm.unique:
            assert set(self.crm.task_ids()) == self.touched - self.gone_tasks()
        with self.world.store.read() as tx:
            left = journal.open_intents(tx, "acme")
        assert not self.crm.unique or not [one for one in left if one.state is State.SENDING]
        self.world.store.close()
        rmtree(self.folder)

    def every_task_is_linked(self) -> None:
        with self.world.store.read() as tx:
            held = journal.by_keys(tx, "acme", self.changes)
            undone = plans.undone_keys(tx, "acme")
        for one in held.values():
            row = self.crm.rows.get((one.entity, one.record_id))
            counts = one.state is State.DONE and one.operation is Operation.CREATE
            if counts and row is not None and one.key not in undone:
                assert row.fields.get("associations.contacts") == one.contact_id

    def gone_tasks(self) -> set[str]:
        return {id for id in self.touched if (Entity.TASK, id) not in self.crm.rows}

    def verified_tasks(self) -> set[str]:
        with self.world.store.read() as tx:
            held = journal.by_keys(tx, "acme", self.changes)
        ids = {one.record_id for one in held.values() if one.verified and one.entity is Entity.TASK}
        return ids & set(self.crm.task_ids())

    def apply_runs(self) -> list[int]:
        undone = set(self.undo_plans())
        return [one.id for one in self.listed() if one.plan_id not in undone]

    def undo_plans(self) -> list[int]:
        ids = {one.plan_id for one in self.listed() if one.plan_id}
        return [id for id in ids if self.stored(id).undo_of is not None]

    def listed(self) -> list[runs.Run]:
        with self.world.store.read() as tx:
            return sorted(runs.list_runs(tx, "acme", 1000), key=lambda one: one.id)

    def stored(self, plan_id: int) -> Plan:
        with self.world.store.read() as tx:
            return plans.load_plan(tx, plan_id)


TestApplying = Applying.TestCase
TestApplying.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
