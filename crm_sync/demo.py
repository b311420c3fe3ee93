"""`crm-sync demo`: the whole job against a sandbox, held against the known truth.

Everything is real except the CRM's owner: a sandbox on loopback, the connector over HTTP, the
shipped mappings, the ordinary pipeline. The folder is kept, so that a second run goes on from it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sync.errors import InputError, UsageError
from crm_sync.model import Change, Disposition, Entity, Operation, Plan
from crm_sync.progress import Progress, silent
from crm_sync.shipped import shipped

if TYPE_CHECKING:
    from crm_sync.outcome import Outcome
    from crm_sync.sandbox.base import Sandbox
    from crm_sync.sandbox.server import RunningServer
    from crm_sync.sandbox.world import World
    from crm_sync.workspace import Workspace

CONNECTION = "sandbox"
PORT = 8765
SAMPLE_CHANGES = 3
_MARK = "demo.json"
_MAPPINGS = ("people_data_labs.yaml", "playbooks.yaml")
_FIRST = "salesforce"


def default_folder(crm: str) -> Path:
    """Where the demo of a CRM is kept unless told otherwise."""
    return Path("crm-sync-demo" if crm == _FIRST else f"crm-sync-demo-{crm}")


def run_demo(
    crm: str, folder: Path, *, contacts: int, seed: int, progress: Progress = silent
) -> dict[str, Any]:
    """Run it; returns the account that `demo --json` prints.

    Raises `UsageError` when there is no sandbox for this CRM, and when the folder holds something
    else, or the demo of another CRM or world.
    """
    from crm_sync import pipeline
    from crm_sync.sandbox.registry import find_sandbox
    from crm_sync.sandbox.world import World
    from crm_sync.workspace import open_workspace

    began = time.perf_counter()
    kind = find_sandbox(crm)
    world = World(seed=seed, contacts=contacts)
    first = _prepare_folder(folder, crm, world)
    sandbox = kind.open(folder / "sandbox.db")
    try:
        if first:
            _fill(folder, crm, sandbox, world, progress)
        with _serve(sandbox) as server:
            _write_config(folder, sandbox.connection_block(server.url), world)
            with open_workspace(folder / "config.yaml") as workspace:
                outcome = pipeline.run(workspace, CONNECTION, progress=progress)
                account = _account(workspace, outcome, world, sandbox.world_id_field)
    finally:
        sandbox.close()
    return {
        "crm": crm,
        "folder": str(folder),
        "port": server.port,
        "first_run": first,
        "contacts": contacts,
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 1),
        **account,
    }


def _serve(sandbox: Sandbox) -> RunningServer:
    """On the usual port, so that addresses in tasks still hold later; else on any."""
    try:
        return sandbox.start(PORT)
    except UsageError:
        return sandbox.start()


def _prepare_folder(folder: Path, crm: str, world: World) -> bool:
    """Make or recognise the folder; True when it has yet to be filled."""
    mark = folder / _MARK
    if folder.exists() and not folder.is_dir():
        raise UsageError("this is a file", place=str(folder), fix="Give another --folder.")
    if not mark.exists() and folder.exists() and any(folder.iterdir()):
        raise UsageError(
            "this folder holds something else",
            place=str(folder),
            fix="Give another --folder.",
        )
    wanted = _mark_of(crm, world, complete=True)
    found = json.loads(mark.read_text(encoding="utf-8")) if mark.exists() else {}
    if {"crm": _FIRST, **found} == wanted:  # demos of earlier versions name no CRM
        return False
    if found.get("complete"):
        raise UsageError(
            f"this folder holds another demo: {found.get('crm', _FIRST)}, "
            f"{found['contacts']:,} contacts, seed {found['seed']}",
            place=str(folder),
            fix="Give another --folder, or the same --crm, --contacts and --seed.",
        )
    with _writing(folder):
        # An earlier demo that was stopped before its world was complete is begun anew.
        for leftover in folder.glob("*.db*"):
            leftover.unlink()
        (folder / "mappings").mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(_mark_of(crm, world, complete=False)), encoding="utf-8")
        for name in (f"{crm}.yaml", *_MAPPINGS):
            shutil.copyfile(shipped(f"mappings/{name}"), folder / "mappings" / name)
    return True


def _mark_of(crm: str, world: World, *, complete: bool) -> dict[str, Any]:
    return {"crm": crm, "seed": world.seed, "contacts": world.contact_count, "complete": complete}


def _fill(folder: Path, crm: str, sandbox: Sandbox, world: World, progress: Progress) -> None:
    progress("Making a synthetic world", 0, None)
    sandbox.seed(world)
    with _writing(folder):
        world.write_profiles(folder / "profiles.jsonl")
        mark = json.dumps(_mark_of(crm, world, complete=True))
        (folder / _MARK).write_text(mark, encoding="utf-8")


def _write_config(folder: Path, block: str, world: World) -> None:
    text = f"""# Written by `crm-sync demo`.
database: sqlite:///crm-sync.db
connections:
{block.rstrip()}
    playbooks: mappings/playbooks.yaml
    enrichment: [vendor-file]
    timezone: Europe/Paris
enrichment:
  vendor-file:
    source: file
    path: profiles.jsonl
    mapping: mappings/people_data_labs.yaml
    as_of: {world.later.isoformat()}
"""
    with _writing(folder):
        (folder / "config.yaml").write_text(text, encoding="utf-8")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise InputError(
            f"the demo's folder cannot be written: {problem.strerror}",
            place=str(folder),
            fix="Give a --folder that you may write to.",
        ) from None


def _account(workspace: Workspace, outcome: Outcome, world: World, world_id: str) -> dict[str, Any]:
    from crm_sync.demo_score import score
    from crm_sync.store import judgements, plans
    from crm_sync.views import plan_view

    plan, report = outcome.plan, outcome.report
    mapping = workspace.mapping(workspace.config.connection(CONNECTION))
    with workspace.store.read() as tx:
        view = plan_view(tx, plan, mapping)
        verdicts = list(judgements.job_changes_of(tx, CONNECTION, changes_only=False))
        written_kinds = plans.kinds_in_effect(tx, CONNECTION)
        world_ids = _world_ids(workspace, world_id)
    written = report.done if report else 0
    verified = report.confirmed if report else 0
    return {
        "funnel": {
            **view["funnel"],
            "written": written,
            "verified": verified,
        },
        "waiting_for_review": outcome.waiting,
        "left_to_write": view["counts"]["auto"] - written,
        "run": outcome.run_id,
        "plan": plan.id,
        "changes": _samples(view["changes"]),
        "task": _task(plan, view["changes"]),
        "scores": score(verdicts, written_kinds, world.truth(), world_ids),
        "calls": dict(outcome.calls),
    }


def _samples(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One change of each kind, those that were written first."""
    updates = [one for one in changes if one["entity"] == Entity.CONTACT]
    updates.sort(key=lambda one: one["disposition"])
    chosen: dict[str, dict[str, Any]] = {}
    for one in updates:
        chosen.setdefault(one["kind"], one)
    return list(chosen.values())[:SAMPLE_CHANGES]


def _task(plan: Plan, views: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first task that was written, as the salesperson finds it."""
    for change, view in zip(plan.proposed, views, strict=True):
        if _is_written_task(change):
            fields = {field.name: field.after for field in change.fields}
            return {"contact": view["contact"], "state": view["state"], **fields}
    return None


def _is_written_task(change: Change) -> bool:
    return (
        change.entity is Entity.TASK
        and change.operation is Operation.CREATE
        and change.disposition is Disposition.AUTO
    )


def _world_ids(workspace: Workspace, field: str) -> dict[str, str]:
    """World id by CRM id, asked of the sandbox itself."""
    connection = workspace.config.connection(CONNECTION)
    with workspace.crm(connection) as crm:
        return {
            record.id: str(record.fields[field])
            for page in crm.pull(Entity.CONTACT, [field], cursor=None)
            for record in page.records
        }
