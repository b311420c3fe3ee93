"""How the result of `apply`, `run` and `undo` looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from crm_sync.cli.plan_text import funnel_line, print_left_out

if TYPE_CHECKING:
    from rich.console import Console


def print_outcome(console: Console, view: dict[str, Any]) -> None:
    """What was written, what was not and why, and what to do next."""
    if view["funnel"]:
        console.print(funnel_line(view["funnel"]), style="dim")
    print_left_out(console, view["sources"])
    applied = view.get("applied")
    if applied is None:
        console.print(f"Plan {view['plan']}: mode {view['mode']}, nothing was written.")
        return
    console.print(
        f"[bold]Run {view['run']}[/bold], plan {view['plan']}: "
        f"{applied['written']:,} written, {applied['verified']:,} verified."
    )
    if applied["already_done"]:
        console.print(f"{applied['already_done']:,} were in effect already.")
    for reason, count in applied["skipped"].items():
        console.print(f"{count:,} not taken up: {escape(reason)}", style="dim")
    _print_problems(console, applied)
    for note in view.get("left_alone", []):
        console.print(f"[yellow]left alone[/yellow] {escape(_note(note))}")
    _print_next(console, view, applied)


def _print_problems(console: Console, applied: dict[str, Any]) -> None:
    for one in applied["problems"]:
        record = one["record_id"] or f"for contact {one['contact_id']}"
        code = f"{one['code']}: " if one["code"] else ""
        console.print(
            f"[yellow]{one['state']}[/yellow] {one['entity']} {record} "
            f"[dim]({one['key'][:10]})[/dim]\n  {escape(code + one['message'])}"
        )
        if one["hint"]:
            console.print(f"  {escape(one['hint'])}")
    if applied["problems_left_out"]:
        console.print(f"… and {applied['problems_left_out']:,} more")


def _print_next(console: Console, view: dict[str, Any], applied: dict[str, Any]) -> None:
    if view["undo_of"] is not None:
        return
    if view["waiting"]:
        console.print(f"Waiting for review:  crm-sync changes {view['plan']} --waiting")
    if applied["written"]:
        console.print(f"Take it back:        crm-sync undo {view['run']}")


def _note(note: dict[str, Any]) -> str:
    fields = f" ({', '.join(note['fields'])})" if note["fields"] else ""
    return f"{note['entity']} {note['record_id']}{fields}: {note['why']}"
