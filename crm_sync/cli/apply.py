"""`apply`, `run` and `undo`: the commands that write to the CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sync.cli.common import (
    ConfigOption,
    ConnectionArgument,
    JsonOption,
    console,
    print_json,
    progress,
    workspace,
)

if TYPE_CHECKING:
    from crm_sync.pipeline import Outcome
    from crm_sync.workspace import Workspace

PARTIAL = 4
"""The exit code of a run that was done in part."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel="Every day")(apply)
    app.command(rich_help_panel="Every day")(run)
    app.command(rich_help_panel="Afterwards")(undo)


def apply(
    context: typer.Context,
    plan_id: Annotated[int, typer.Argument(metavar="PLAN", help="The number `plan` printed.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a plan's ready and approved changes, then read them back.

    Interrupted or killed, give the same command again: it goes on, and writes nothing twice.
    """
    from crm_sync import pipeline

    with workspace(context, config) as opened:
        with progress(quiet=as_json) as bars:
            outcome = pipeline.apply(opened, plan_id, progress=bars)
        _finish(opened, outcome, as_json)


def run(
    context: typer.Context,
    connection: ConnectionArgument = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan, and write what needs nobody's approval. The rest waits for review."""
    from crm_sync import pipeline

    with workspace(context, config) as opened:
        with progress(quiet=as_json) as bars:
            outcome = pipeline.run(opened, connection, progress=bars)
        _finish(opened, outcome, as_json)


def undo(
    context: typer.Context,
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="The number `apply` printed.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a run back. What somebody has edited since is left alone, and said."""
    from crm_sync import pipeline

    with workspace(context, config) as opened:
        with progress(quiet=as_json) as bars:
            outcome = pipeline.undo(opened, run_id, progress=bars)
        _finish(opened, outcome, as_json)


def _finish(opened: Workspace, outcome: Outcome, as_json: bool) -> None:
    from crm_sync.cli.report_text import print_outcome
    from crm_sync.cli.report_view import named_outcome_view

    view: dict[str, Any] = named_outcome_view(opened, outcome)
    if as_json:
        print_json(view)
    else:
        print_outcome(console(), view)
    if outcome.report is not None and not outcome.report.complete:
        raise typer.Exit(PARTIAL)
