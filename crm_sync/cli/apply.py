"""`apply`, `run` and `undo`, which write to the CRM, and `settle`, about a write without answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from crm_sync.outcome import Outcome
    from crm_sync.workspace import Workspace

PARTIAL = 4
"""The exit code of a run that was done in part."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel="Every day")(apply)
    app.command(rich_help_panel="Every day")(run)
    app.command(rich_help_panel="Afterwards")(undo)
    app.command(rich_help_panel="Afterwards")(settle)


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
    full: FullOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan, and write what needs nobody's approval. The rest waits for review."""
    from crm_sync import pipeline

    with workspace(context, config) as opened:
        with progress(quiet=as_json) as bars:
            outcome = pipeline.run(opened, connection, full=full, progress=bars)
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


def settle(
    context: typer.Context,
    change: Annotated[
        str, typer.Argument(metavar="CHANGE", help="Its id, as `apply` or `status` tells it.")
    ],
    there: Annotated[
        bool, typer.Option("--there", help="It is in the CRM: count it as done.")
    ] = False,
    absent: Annotated[
        bool, typer.Option("--absent", help="It is not: the next apply may send it again.")
    ] = False,
    connection: Annotated[
        str | None,
        typer.Option("--connection", help="Its name in config.yaml, if there are several."),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what became of a write whose answer was lost, where reading the CRM cannot tell."""
    from crm_sync import pipeline
    from crm_sync.errors import UsageError
    from crm_sync.model import Operation

    if there == absent:
        raise UsageError("say what you saw in the CRM", fix="Give one of --there and --absent.")
    with workspace(context, config) as opened:
        one = pipeline.settle(opened, connection, change, there=there)
    if as_json:
        print_json(
            {
                "run": one.run_id,
                "plan": one.plan_id,
                "change": one.key,
                "entity": one.entity.value,
                "contact_id": one.contact_id,
                "state": one.state.value,
            }
        )
        return
    creates = one.operation is Operation.CREATE
    what = f"{one.entity if creates else one.operation} {one.key[:10]}"
    if there:
        console().print(
            f"{what} counts as done: it is never sent again, and no undo takes it back."
        )
    else:
        console().print(f"{what} counts as not sent.\nSend it again: crm-sync apply {one.plan_id}")


def _finish(opened: Workspace, outcome: Outcome, as_json: bool) -> None:
    from crm_sync.cli.report_text import print_outcome
    from crm_sync.cli.report_view import named_outcome_view

    view: dict[str, Any] = named_outcome_view(opened, outcome)
    try:
        if as_json:
            print_json(view)
        else:
            print_outcome(console(), view)
    finally:  # also when nobody reads it to its end
        if outcome.report is not None and not outcome.report.complete:
            raise typer.Exit(PARTIAL)
