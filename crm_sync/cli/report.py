"""`report`: how often what was concluded is right, as far as it was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sync.cli.common import ConfigOption, JsonOption, console, print_json, workspace

if TYPE_CHECKING:
    from crm_sync.config import Connection
    from crm_sync.workspace import Workspace

PrecisionOption = Annotated[
    bool,
    typer.Option("--precision", help="How often people found each source and rule right."),
]
CalibrationOption = Annotated[
    bool,
    typer.Option("--calibration", help="How far each source's confidences are to be believed."),
]
NameOption = Annotated[
    str | None,
    typer.Option("--connection", metavar="NAME", help="Of this connection; else of all of them."),
]


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(rich_help_panel="Afterwards")(report)


def report(
    context: typer.Context,
    precision: PrecisionOption = False,
    calibration: CalibrationOption = False,
    connection: NameOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how often job changes were right: by people's verdicts, and by hidden keys."""
    both = precision == calibration
    with workspace(context, config) as opened:
        names = [opened.config.connection(connection).name] if connection else None
        chosen = [opened.config.connections[one] for one in names or opened.config.connections]
        views = [
            {
                "connection": one.name,
                **({"precision": _precision(opened, one)} if precision or both else {}),
                **({"calibration": _calibration(opened, one)} if calibration or both else {}),
            }
            for one in chosen
        ]
    if as_json:
        print_json(views)
        return
    for one, view in zip(chosen, views, strict=True):
        _print(view, one.settings.precision.minimum, several=len(views) > 1)


def _precision(opened: Workspace, connection: Connection) -> list[dict[str, Any]]:
    from crm_sync.store import verdicts
    from crm_sync.verdicts.precision import standings
    from crm_sync.verdicts.view import precision_view

    with opened.store.read() as tx:
        given = verdicts.verdicts_of(tx, connection.name)
        undone = verdicts.undone_updates(tx, connection.name)
    return precision_view(standings(given, connection.settings.precision), undone)


def _calibration(opened: Workspace, connection: Connection) -> list[dict[str, Any]]:
    from crm_sync.store.learned import CALIBRATION, learned_of

    with opened.store.read() as tx:
        found = learned_of(tx, connection.name)
    return [json.loads(text) for (kind, _), text in found.items() if kind == CALIBRATION]


def _print(view: dict[str, Any], minimum: int, *, several: bool) -> None:
    from crm_sync.cli.calibration_text import print_calibrations
    from crm_sync.cli.precision_text import print_precision

    if several:
        console().rule(view["connection"], align="left", characters="═")
    if "precision" in view:
        console().print("[bold]Precision, by people's verdicts[/bold]\n")
        print_precision(console(), view["precision"], minimum)
    if "calibration" in view:
        if "precision" in view:
            console().print()
        console().print("[bold]Calibration, by hidden keys[/bold]")
        print_calibrations(console(), view["calibration"])
