"""How the demo's account looks in a terminal."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from crm_sync.cli.plan_text import funnel_line, print_change

if TYPE_CHECKING:
    from rich.console import Console


def print_demo(console: Console, account: dict[str, Any]) -> None:
    """The funnel, a few changes, one task, and how right it was."""
    console.rule("[bold]What happened[/bold]", align="left")
    steps = list(account["funnel"].items())
    console.print(funnel_line(dict(steps[:3])) + " →")
    console.print(funnel_line(dict(steps[3:])))
    if account["funnel"]["written"] == 0:
        console.print("[bold]Nothing left to write.[/bold]")
    if account["waiting_for_review"]:
        console.print(f"{account['waiting_for_review']:,} changes wait for a person's review.")
    console.print(f"{account['seconds']} seconds, {sum(account['calls'].values())} CRM calls.")
    for change in account["changes"]:
        console.print()
        console.rule(f"[bold]A contact who {_said(change['kind'])}[/bold]", align="left")
        print_change(console, change)
    if account["task"] is not None:
        console.print()
        console.rule("[bold]A task, as the salesperson finds it[/bold]", align="left")
        _print_task(console, account["task"])
    console.print()
    console.rule("[bold]Held against the truth[/bold]", align="left")
    _print_scores(console, account["scores"])
    _print_next(console, account)


def _said(kind: str) -> str:
    return {"moved": "moved", "left": "left", "retitled": "has a new title"}[kind]


def _print_task(console: Console, task: dict[str, Any]) -> None:
    console.print(f"[bold]{escape(str(task['subject']))}[/bold]   due {task.get('due_on')}")
    console.print(escape(str(task.get("body", ""))))


def _print_scores(console: Console, scores: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("Kind")
    for heading in ("Real", "In the file", "By itself", "Right", "With review", "Right"):
        table.add_column(heading, justify="right")
    for kind, one in scores.items():
        auto, both = one["automatic"], one["with_review"]
        table.add_row(
            kind,
            str(one["real"]),
            str(one["visible"]),
            str(auto["claimed"]),
            _percent(auto["precision"]),
            str(both["claimed"]),
            _percent(both["precision"]),
        )
    console.print(table)
    found = "; ".join(
        f"{kind} {_percent(one['with_review']['recall_of_visible'])}"
        for kind, one in scores.items()
    )
    console.print(f"Found of what the vendor's file shows: {found}.")


def _print_next(console: Console, account: dict[str, Any]) -> None:
    me, folder = shlex.quote(_this_program()), shlex.quote(account["folder"])
    serve = f"{me} sandbox {account['crm']} --port {account['port']}"
    console.print(
        "\nRun it again: there is nothing left to write. Or go on by hand:\n"
        f"  {serve} --database {folder}/sandbox.db &\n"
        f"  cd {folder}\n"
        f"  {me} changes --waiting",
        soft_wrap=True,
        markup=False,
    )


def _this_program() -> str:
    """How this very command was called, so that what is printed works when it is pasted."""
    found = shutil.which("crm-sync")
    called = Path(sys.argv[0])
    if found is not None and Path(found).resolve() == called.resolve():
        return "crm-sync"
    return str(called.absolute()) if called.exists() else "crm-sync"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
