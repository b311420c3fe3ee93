"""What the commands share: options, the open workspace, and how results are shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sync.progress import Progress, silent

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sync.workspace import Workspace


@dataclass(frozen=True)
class CommonOptions:
    """The options that stand before the command."""

    config: Path
    verbose: bool = False
    log_json: bool = False


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration file.  [default: config.yaml]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]
FullOption = Annotated[
    bool, typer.Option("--full", help="Read everything again, not only what changed.")
]
ConnectionArgument = Annotated[
    str | None,
    typer.Argument(metavar="CONNECTION", help="Its name in config.yaml, if there are several."),
]


def config_path(context: typer.Context, given: Path | None) -> Path:
    """The configuration: the command's own option, else the one before the command."""
    return given or options(context).config


def options(context: typer.Context) -> CommonOptions:
    """The options that stand before the command."""
    found = context.find_object(CommonOptions)
    return found if found is not None else CommonOptions(Path("config.yaml"))


@contextmanager
def workspace(context: typer.Context, given: Path | None) -> Iterator[Workspace]:
    """The loaded configuration and open database, with logging set up."""
    from crm_sync.logs import configure
    from crm_sync.workspace import open_workspace

    common = options(context)
    configure(verbose=common.verbose, json=common.log_json)
    with open_workspace(config_path(context, given)) as opened:
        yield opened


def print_json(data: Any) -> None:
    """Data for machines, on standard output."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def console() -> Console:
    """Standard output for people."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Bars on standard error while work goes on, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                for earlier in tasks.values():
                    bars.update(earlier, visible=False)
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield show
