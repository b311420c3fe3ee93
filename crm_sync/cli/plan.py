"""`pull`, `plan` and `changes`: read, and show what would be written. Nothing is written."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from crm_sync.cli.common import (
    ConfigOption,
    ConnectionArgument,
    FullOption,
    JsonOption,
    console,
    print_json,
    progress,
    workspace,
)

SHOWN = 5
"""Changes that `plan` shows; `changes` shows all."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel="Every day")(pull)
    app.command(rich_help_panel="Every day")(plan)
    app.command(rich_help_panel="Every day")(changes)


def pull(
    context: typer.Context,
    connection: ConnectionArgument = None,
    full: FullOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the CRM into the local database: everything at first, then what changed since."""
    from crm_sync import pipeline
    from crm_sync.cli.plan_text import print_unread, print_whole
    from crm_sync.cli.report_view import unread_view, whole_view

    with workspace(context, config) as opened, progress(quiet=as_json) as bars:
        pulled = pipeline.pull(opened, connection, full=full, progress=bars)
    if as_json:
        print_json(
            {
                **pulled.changed,
                "unread": unread_view(pulled.unread),
                "whole": whole_view(pulled.whole),
            }
        )
        return
    print_whole(console(), whole_view(pulled.whole))
    said = ", ".join(f"{count:,} {entity}s" for entity, count in pulled.changed.items())
    console().print(f"New or changed: {said}.")
    print_unread(console(), unread_view(pulled.unread))


def plan(
    context: typer.Context,
    connection: ConnectionArgument = None,
    full: FullOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the CRM, compare, and show what would be written. Writes nothing to the CRM."""
    from crm_sync import pipeline
    from crm_sync.cli.plan_text import print_plan
    from crm_sync.cli.report_view import unread_view, whole_view
    from crm_sync.views import asked_view, plan_view, sources_view

    with workspace(context, config) as opened:
        with progress(quiet=as_json) as bars:
            outcome = pipeline.plan(opened, connection, full=full, progress=bars)
        mapping = opened.mapping(opened.config.connection(outcome.plan.connection))
        with opened.store.read() as tx:
            view = plan_view(tx, outcome.plan, mapping, None if as_json else SHOWN)
    view["sources"] = sources_view(outcome.sources)
    view["asked"] = asked_view(outcome.asked)
    view["unread"] = unread_view(outcome.unread)
    view["whole"] = whole_view(outcome.whole)
    if as_json:
        print_json(view)
    else:
        print_plan(console(), view)


def changes(
    context: typer.Context,
    plan_id: Annotated[
        int | None, typer.Argument(metavar="PLAN", help="The newest plan if left out.")
    ] = None,
    change: Annotated[
        str | None, typer.Option("--change", help="Show one change with all its evidence.")
    ] = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that wait for a decision.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the changes of a plan, or show one with its evidence."""
    from crm_sync.cli.plan_text import print_change, print_plan
    from crm_sync.errors import NotFound, UsageError
    from crm_sync.store import plans
    from crm_sync.views import plan_view

    if change is not None and not change.strip():
        raise UsageError("--change needs the id of a change", fix="`crm-sync changes` lists them.")
    with workspace(context, config) as opened, opened.store.read() as tx:
        wanted = plan_id if plan_id is not None else plans.latest_plan_id(tx)
        if wanted is None:
            raise NotFound("there is no plan yet", fix="Make one: crm-sync plan")
        stored = plans.load_plan(tx, wanted)
        mapping = opened.mapping(opened.config.connection(stored.connection))
        view = plan_view(tx, stored, mapping)
    shown: list[dict[str, Any]] = view["changes"]
    if change is not None:
        shown = [one for one in shown if one["key"].startswith(change.lower())]
        if not shown:
            raise NotFound(
                f"plan {wanted} has no change {change}",
                fix=f"`crm-sync changes {wanted}` lists them.",
            )
    if waiting:
        shown = [one for one in shown if one["disposition"] == "review" and not one["decision"]]
    view["changes"] = shown
    if as_json:
        print_json(view)
    elif change is not None:
        for one in shown:
            print_change(console(), one)
    else:
        print_plan(console(), view, part=waiting)
