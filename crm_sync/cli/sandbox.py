"""`sandbox` and `demo`: try everything on loopback, without an account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm_sync.cli.common import JsonOption, console, print_json, progress


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel="Try it")(demo)
    app.command(rich_help_panel="Try it")(sandbox)


def sandbox(
    crm: Annotated[str, typer.Argument(help="Which CRM to stand in for: salesforce or hubspot.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 8080,
    database: Annotated[
        Path | None, typer.Option(help="Keep its data in this file.  [default: a temporary one]")
    ] = None,
    load: Annotated[
        Path | None, typer.Option(help="A folder of CSV files named after the CRM's objects.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which synthetic world to fill it with.")] = 1,
    contacts: Annotated[
        int, typer.Option(min=0, help="How many synthetic contacts; 0 for none.")
    ] = 0,
    bare: Annotated[
        bool, typer.Option("--bare", help="The CRM's standard fields only, as in a new account.")
    ] = False,
) -> None:
    """Serve a CRM's HTTP API on loopback over a real database file, for any client."""
    import tempfile

    from crm_sync.sandbox.registry import find_sandbox
    from crm_sync.sandbox.server import wait_for_signal

    kind = find_sandbox(crm)
    with tempfile.TemporaryDirectory(prefix="crm-sync-sandbox-") as temporary:
        opened = kind.open(database or Path(temporary) / "sandbox.db", bare=bare)
        try:
            if load is not None:
                loaded = opened.load(load)
                said = ", ".join(f"{count:,} {name}" for name, count in loaded.items())
                console().print(f"Loaded {said}.")
            if contacts:
                from crm_sync.sandbox.world import World

                opened.seed(World(seed=seed, contacts=contacts))
                console().print(f"Filled with {contacts:,} synthetic contacts (seed {seed}).")
            with opened.start(port) as server:
                _announce(server.url, opened.connection_block(server.url))
                wait_for_signal()
        finally:
            opened.close()


def _announce(url: str, block: str) -> None:
    console().print(f"Serving on {url}   (Ctrl-C stops it)\n\nFor config.yaml:\n", soft_wrap=True)
    typer.echo(block)


def demo(
    crm: Annotated[
        str, typer.Option("--crm", help="Which CRM to play it on: salesforce or hubspot.")
    ] = "salesforce",
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where to keep it; a second run goes on from there.  [default: crm-sync-demo, "
            "for HubSpot crm-sync-demo-hubspot]"
        ),
    ] = None,
    contacts: Annotated[int, typer.Option(min=10, max=200_000, help="How many contacts.")] = 2000,
    seed: Annotated[int, typer.Option(help="Which synthetic world.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Run the whole job against a sandbox, and hold the result against the known truth.

    Needs no account and no network. Run it again: there is nothing left to write.
    """
    from crm_sync.demo import default_folder, run_demo
    from crm_sync.logs import configure

    configure()
    where = folder or default_folder(crm)
    with progress(quiet=as_json) as bars:
        account = run_demo(crm, where, contacts=contacts, seed=seed, progress=bars)
    if as_json:
        print_json(account)
        return
    from crm_sync.cli.demo_text import print_demo

    print_demo(console(), account)
