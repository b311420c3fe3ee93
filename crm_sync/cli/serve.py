"""`serve`: run each connection on its schedule."""

from __future__ import annotations

import typer

from crm_sync.cli.common import ConfigOption, config_path, console, options


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(rich_help_panel="Every day")(serve)


def serve(context: typer.Context, config: ConfigOption = None) -> None:
    """Run each connection on its `schedule`, in this process, until Ctrl-C or SIGTERM."""
    from crm_sync.logs import configure
    from crm_sync.scheduling.embedded import serve as serve_forever

    common = options(context)
    configure(verbose=True, json=common.log_json)
    serve_forever(config_path(context, config), announce=console().print)
