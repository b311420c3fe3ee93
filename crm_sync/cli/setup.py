"""`init`, `check` and `setup`: from an empty folder to a connection that is known to work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_sync.cli.common import (
    ConfigOption,
    ConnectionArgument,
    JsonOption,
    config_path,
    console,
    options,
    print_json,
    progress,
    workspace,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from crm_sync.checks import CheckResult
    from crm_sync.connector import Finding
    from crm_sync.fields import FieldsReport

SAMPLE = "mappings/vendor_csv.yaml"
"""A vendor mapping that nothing names yet: an example to start from."""
_MARK = {"ok": "[green]ok[/green]     ", "warning": "[yellow]look[/yellow]   ",
         "problem": "[red]problem[/red]"}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel="Set-up")(init)
    app.command(rich_help_panel="Set-up")(check)
    app.command(rich_help_panel="Set-up")(setup)


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if need be.")] = Path(),
    crm: Annotated[
        str, typer.Option("--crm", help="Which CRM to connect: salesforce or hubspot.")
    ] = "salesforce",
) -> None:
    """Write config.yaml and the mappings into a folder. Never overwrites a file."""
    from crm_sync.shipped import example_config, named_mappings, shipped

    config = example_config(crm)
    texts = {"config.yaml": config}
    for name in (*named_mappings(config), SAMPLE):
        texts[name] = shipped(name).read_text(encoding="utf-8")
    for name, text in texts.items():
        _write_new(folder / name, text)
    console().print("\nEdit config.yaml: your CRM's address, and where its secrets are found.")
    console().print("Then: crm-sync check")


def _write_new(path: Path, text: str) -> None:
    from crm_sync.errors import InputError

    if path.exists():
        console().print(f"kept     {path}", soft_wrap=True)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"cannot be written: {problem.strerror}",
            place=str(path),
            fix="Choose a folder that you may write to: crm-sync init FOLDER",
        ) from None
    console().print(f"written  {path}", soft_wrap=True)


def check(
    context: typer.Context,
    connection: Annotated[
        str | None, typer.Argument(metavar="CONNECTION", help="All of them if left out.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at configuration, credentials, mappings, fields and files. Writes nothing."""
    from crm_sync.checks import check_all
    from crm_sync.logs import configure

    common = options(context)
    configure(verbose=common.verbose, json=common.log_json)
    results = check_all(config_path(context, config), connection)
    if as_json:
        print_json(
            {
                name: [
                    {"level": one.level.value, "subject": one.subject, "message": one.message,
                     "fix": one.fix}
                    for one in result.findings
                ]
                for name, result in results.items()
            }
        )  # fmt: skip
    else:
        for name, result in results.items():
            console().print(f"[bold]{name}[/bold]")
            for finding in result.findings:
                _print_finding(finding)
    worst = max((result.exit_code for result in results.values()), default=0)
    if not as_json:
        console().print(f"\n{_verdict(results.values())}")
    if worst:
        raise typer.Exit(worst)


def _verdict(results: Collection[CheckResult]) -> str:
    if any(result.exit_code for result in results):
        return "Not ready yet: see above."
    levels = {finding.level.value for result in results for finding in result.findings}
    return "Ready, but look at what is marked `look`." if "warning" in levels else "All is well."


def setup(
    context: typer.Context,
    connection: ConnectionArgument = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the missing fields; else they are only shown.")
    ] = False,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="en|fr", help="Of their labels.  [default: the connection's language]"
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the fields that crm-sync writes and the CRM lacks; with --apply, make them.

    What is there is never changed or deleted.
    """
    from crm_sync.cli.setup_text import print_fields, setup_view
    from crm_sync.errors import UsageError
    from crm_sync.fields import set_up

    if language not in (None, "en", "fr"):
        raise UsageError("there are labels in English and French", fix="Give --language en or fr.")
    with workspace(context, config) as opened, progress(quiet=as_json) as bars:
        report = set_up(opened, connection, apply=apply, language=language, progress=bars)
    if as_json:
        print_json(setup_view(report))
    else:
        print_fields(console(), report)
    _end_setup(report)


def _end_setup(report: FieldsReport) -> None:
    if report.problem is not None:
        raise report.problem
    if report.exit_code:
        raise typer.Exit(report.exit_code)


def _print_finding(finding: Finding) -> None:
    from rich.markup import escape

    # Not wrapped: a place (file:line:column) has to stay whole to be copied.
    console().print(
        f"  {_MARK[finding.level.value]}  {escape(finding.subject)}: {escape(finding.message)}",
        soft_wrap=True,
    )
    for line in finding.fix.splitlines():
        console().print(f"           {escape(line)}", soft_wrap=True)
