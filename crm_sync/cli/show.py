"""`runs`, `status` and `job-changes`: look at what is known and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from crm_sync.cli.common import (
    ConfigOption,
    ConnectionArgument,
    JsonOption,
    console,
    print_json,
    workspace,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection as Transaction

    from crm_sync.config import Connection
    from crm_sync.workspace import Workspace


SHOWN_OPEN = 5
"""Writes of unknown outcome that `status` names as text; `--json` has them all."""

_WHAT = {
    "create": "task for contact",
    "update": "update of contact",
    "link": "link of a task for contact",
    "delete": "deletion of a task for contact",
}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel="Afterwards")(runs)
    app.command(rich_help_panel="Afterwards")(status)
    app.command("job-changes", rich_help_panel="Afterwards")(job_changes)


def runs(
    context: typer.Context,
    connection: ConnectionArgument = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many, newest first.")] = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first: what was done when, and how it ended."""
    from rich.table import Table

    from crm_sync.store import runs as stored
    from crm_sync.views import run_view

    with workspace(context, config) as opened, opened.store.read() as tx:
        name = opened.config.connection(connection).name if connection else None
        views = [run_view(one) for one in stored.list_runs(tx, name, most)]
    if as_json:
        print_json(views)
        return
    if not views:
        console().print("No run yet. Make a plan: crm-sync plan")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("Run", "What", "Connection", "Plan", "Started", "Ended as"):
        table.add_column(heading)
    for one in views:
        started = one["started_at"][:16].replace("T", " ")
        plan = str(one["plan"] or "")
        table.add_row(
            str(one["run"]), one["kind"], one["connection"], plan, started, one["outcome"]
        )
    console().print(table)


def status(
    context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Say for each connection when it last ran, what it holds, and what waits for a person."""
    with workspace(context, config) as opened:
        views = [_status_of(opened, name) for name in opened.config.connections]
    if as_json:
        print_json(views)
        return
    for one in views:
        console().print(f"[bold]{one['connection']}[/bold] ({one['connector']}, {one['mode']})")
        console().print(f"  {one['contacts']:,} contacts; last run: {one['last_run'] or 'none'}")
        if one["waiting"]:
            console().print(
                f"  {one['waiting']:,} of the changes of plan {one['plan']} wait for review: "
                f"crm-sync changes {one['plan']} --waiting"
            )
        if one["unknown"]:
            _print_unknown(one["open"])
        if one["note"]:
            console().print(f"  [yellow]{escape(one['note'])}[/yellow]")


def _print_unknown(opened: list[dict[str, Any]]) -> None:
    to_read = [one for one in opened if not one["needs_person"]]
    to_look = [one for one in opened if one["needs_person"]]
    if to_read:
        console().print(
            f"  [yellow]{_writes(to_read)} no known outcome yet[/yellow]; the next apply reads the "
            "CRM"
        )
        _print_open(to_read)
    if to_look:
        console().print(
            f"  [yellow]{_writes(to_look)} no known outcome[/yellow], and reading the CRM cannot "
            "tell"
        )
        _print_open(to_look)
        console().print("    Look in the CRM, then: crm-sync settle ID --there or --absent")


def _writes(many: list[dict[str, Any]]) -> str:
    return "1 write has" if len(many) == 1 else f"{len(many):,} writes have"


def _print_open(opened: list[dict[str, Any]]) -> None:
    for one in opened[:SHOWN_OPEN]:
        console().print(f"    {one['id']}  {_WHAT[one['operation']]} {one['contact_id']}")
    if more := opened[SHOWN_OPEN:]:
        console().print(f"    … and {len(more):,} more: crm-sync status --json")


def job_changes(
    context: typer.Context,
    connection: ConnectionArgument = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every contact, also unchanged and unknown.")
    ] = False,
    contact: Annotated[
        str | None, typer.Option("--contact", help="One contact, and how its verdict adds up.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who changed job, as the latest plan saw it."""
    from crm_sync.cli.job_changes_text import print_job_changes
    from crm_sync.views import contact_names, job_changes_view

    with workspace(context, config) as opened, opened.store.read() as tx:
        chosen = opened.config.connection(connection)
        if contact is not None:
            _show_verdict(opened, tx, chosen, contact, as_json=as_json)
            return
        views = list(job_changes_view(tx, chosen.name, everything=everything))
        if as_json:
            print_json(views)
            return
        ids = [one["contact_id"] for one in views]
        names = contact_names(tx, chosen.name, opened.mapping(chosen), ids)
    print_job_changes(console(), views, names)


def _show_verdict(
    opened: Workspace, tx: Transaction, chosen: Connection, contact: str, *, as_json: bool
) -> None:
    from crm_sync.cli.waterfall_text import print_verdict, with_waterfall
    from crm_sync.errors import NotFound
    from crm_sync.store.judgements import job_change_of
    from crm_sync.views import contact_names, job_change_view

    change = job_change_of(tx, chosen.name, contact)
    if change is None:
        raise NotFound(
            f"nothing was judged of a contact {contact} of {chosen.name}",
            fix="Give the CRM's id; `crm-sync job-changes --all --json` lists them.",
        )
    if as_json:
        print_json(with_waterfall(job_change_view(change), change))
        return
    names = contact_names(tx, chosen.name, opened.mapping(chosen), [contact])
    print_verdict(console(), change, names.get(contact, contact))


def _status_of(opened: Workspace, name: str) -> dict[str, Any]:
    from crm_sync.applying.report import SHORT
    from crm_sync.model import Entity
    from crm_sync.store import journal, plans, records
    from crm_sync.store import runs as stored
    from crm_sync.store.intents import NOBODY_TELLS
    from crm_sync.store.states import OPEN

    connection = opened.config.connections[name]
    with opened.store.read() as tx:
        last = stored.list_runs(tx, name, 1)
        plan_id = plans.latest_plan_id(tx, name)
        waiting = plans.count_waiting(tx, plan_id) if plan_id else 0
        return {
            "connection": name,
            "connector": connection.settings.connector,
            "mode": connection.settings.mode.value,
            "contacts": records.count(tx, name, Entity.CONTACT),
            "last_run": f"{last[0].kind} {last[0].outcome or 'unfinished'} "
            f"{last[0].started_at:%Y-%m-%d %H:%M} UTC" if last else None,
            "plan": plan_id,
            "waiting": waiting,
            "unknown": sum(journal.counts(tx, name).get(state, 0) for state in OPEN),
            "open": [
                {"id": one.key[:SHORT], "key": one.key, "entity": one.entity.value,
                 "operation": one.operation.value, "contact_id": one.contact_id,
                 "needs_person": one.code == NOBODY_TELLS}
                for one in journal.open_intents(tx, name)
            ],
            "note": last[0].message if last and last[0].outcome == "done" else "",
        }  # fmt: skip
