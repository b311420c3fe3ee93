"""Killed at any boundary, no task stays without its links: not even when the plan is forgotten."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import pytest

from crm_sync.applying.reconcile import reconcile
from crm_sync.model import Change, Entity, Operation, Plan
from crm_sync.store import journal
from tests.faults.apply_crm import (
    Bomb,
    KilledHereError,
    MemoryCrm,
    Row,
    World,
    a_task,
    links_of,
    open_world,
)

CONTACTS = ("C1", "C2", "C3")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "crm-sync.db"
    open_world(path).store.close()
    return path


def new_world(
    template: Path, folder: Path, name: str, *, only_changes: bool = False, **settings: bool
) -> tuple[World, Plan]:
    path = folder / f"{name}.db"
    copyfile(template, path)
    world = open_world(path, MemoryCrm(**settings))  # type: ignore[arg-type]
    changes: list[Change] = []
    for id in CONTACTS:
        world.crm.put(id, Title="VP Sales")
        world.crm.rows[Entity.ACCOUNT, f"A{id}"] = Row({}, world.crm.now())
        task = a_task(id)
        changes += [task, *links_of(task, contact_id=id, account_id=f"A{id}")]
    plan = world.save(*changes)
    world.crm.bomb = world.store.bomb = Bomb(only_changes=only_changes)
    return world, plan


def points(template: Path, folder: Path, *, only_changes: bool) -> int:
    world, plan = new_world(template, folder, "count", only_changes=only_changes)
    world.apply(plan)
    return world.crm.bomb.passed


def what_is_left(world: World, plan: Plan) -> list[Change]:
    """As planning does: what is settled is not proposed again, nor are its links."""
    run_id = world.start("plan")
    reconcile(
        world.store, world.crm, "acme", world.mapping,
        run_id=run_id, now=world.crm.now, sleep=world.crm.sleep,
    )  # fmt: skip
    with world.store.read() as tx:
        settled = journal.done_keys(tx, "acme")
    return [one for one in plan.changes if not {one.key, one.requires} & settled]


@pytest.mark.parametrize("newer", [False, True])
def test_every_task_ends_up_once_and_linked(template: Path, tmp_path: Path, newer: bool) -> None:
    # All boundaries once; by a newer plan those that leave something else behind.
    count = points(template, tmp_path, only_changes=newer)
    assert count > (15 if newer else 30)
    for point in range(1, count + 1):
        world, plan = new_world(template, tmp_path, f"kill{newer}{point}", only_changes=newer)
        world.crm.bomb.at = point
        with pytest.raises(KilledHereError):
            world.apply(plan)
        world.crm.bomb.disarm()
        report = world.apply(world.save(*what_is_left(world, plan)) if newer else plan)
        assert report.complete, f"killed at boundary {point}"
        tasks = sorted(
            (row.fields["WhoId"], row.fields["associations.contacts"],
             row.fields["associations.companies"]) for row in world.crm.tasks()
        )  # fmt: skip
        assert tasks == [(id, id, f"A{id}") for id in CONTACTS], f"killed at boundary {point}"
        made = [one.key for one in world.crm.written if one.operation is Operation.CREATE]
        assert len(made) == len(set(made)) == len(CONTACTS)
        world.store.close()


def test_killed_at_every_boundary_of_an_undo_no_task_is_left(
    template: Path, tmp_path: Path
) -> None:
    point = 0
    while True:
        point += 1
        world, plan = new_world(
            template, tmp_path, f"undo{point}", only_changes=True, moves_dates=True
        )
        run_id = world.apply(plan).run_id
        world.crm.bomb.passed, world.crm.bomb.at = 0, point
        try:
            world.undo(run_id)
        except KilledHereError:
            world.crm.bomb.disarm()
            world.undo(run_id)
        else:
            break
        assert world.crm.tasks() == [], f"killed at boundary {point}"
        world.apply(world.save())
        assert world.crm.tasks() == []
        world.store.close()
    assert point > 10
