"""The `crm-sync` application: its commands, and the options that all of them share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from crm_sync import __version__
from crm_sync.cli import apply, decide, plan, report, sandbox, serve, setup, show
from crm_sync.cli.common import CommonOptions


def _without_types(parameters: list[Any]) -> list[Any]:
    """Flags take no value: the help is not to show one."""
    for one in parameters:
        if getattr(one, "is_flag", False):
            one.metavar = ""
    return parameters


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


app = typer.Typer(
    name="crm-sync",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Keeps the contacts of a CRM true when people change job.

    Try it now, without an account:   **crm-sync demo**

    Set it up:   **init** → edit config.yaml → **check** → **setup**

    Every day:   **plan** → **changes** → **approve** → **apply**   (or all in one: **run**)

    Afterwards:   **runs**, **job-changes**, **report**, and **undo** to take a run back.
    """,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"crm-sync {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", envvar="CRM_SYNC_CONFIG", help="The configuration file.")
    ] = Path("config.yaml"),
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log what happens to standard error.")
    ] = False,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Log as JSON, one object a line.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options before the command hold for every command."""
    context.obj = CommonOptions(config, verbose=verbose, log_json=log_json)


for module in (setup, plan, decide, apply, show, report, serve, sandbox):
    module.register(app)
for command in app.registered_commands:
    command.cls = _Command
