"""How the result of `apply`, `run` and `undo` looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from crm_sync.cli.plan_text import funnel_line, print_left_out, print_unread, print_whole

if TYPE_CHECKING:
    from rich.console import Console


def print_outcome(console: Console, view: dict[str, Any]) -> None:
    """What was written, what was not and why, and what to do next."""
    if view["funnel"]:
        console.print(funnel_line(view["funnel"]), style="dim")
    print_left_out(console, view["sources"])
    print_whole(console, view["whole"])
    print_unread(console, view["unread"])
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
    if view["undo_of"] is not None and not applied["written"]:
        console.print(_why_nothing(view))
    _print_problems(console, applied)
    for note in view.get("left_alone", []):
        console.print(f"[yellow]left alone[/yellow] {escape(_note(note))}")
    _print_next(console, view, applied)


def _print_problems(console: Console, applied: dict[str, Any]) -> None:
    for one in applied["problems"]:
        record = f"{one['contact']}  [dim]{one['record_id'] or one['contact_id']}[/dim]"
        code = f"{one['code']}: " if one["code"] else ""
        console.print(
            f"[yellow]{one['state']}[/yellow]  {one['entity']} of {record}\n"
            f"  {escape(code + one['message'])}"
        )
        if one["hint"]:
            console.print(f"  {escape(one['hint'])}")
    if applied["problems_left_out"]:
        console.print(f"… and {applied['problems_left_out']:,} more")
    for notice in applied["notices"]:
        console.print(f"[yellow]note[/yellow] {escape(notice)}")


def _print_next(console: Console, view: dict[str, Any], applied: dict[str, Any]) -> None:
    if view["undo_of"] is not None:
        return
    if view["waiting"]:
        console.print(f"Waiting for review:  crm-sync changes {view['plan']} --waiting")
    if applied["written"]:
        console.print(f"Take it back:        crm-sync undo {view['run']}")


def _why_nothing(view: dict[str, Any]) -> str:
    effects, back = view["undo"]["in_effect"], view["undo"]["already_back"]
    if not effects:
        return f"Run {view['undo_of']} put nothing into effect, so there is nothing to take back."
    if effects == back:
        return f"What run {view['undo_of']} wrote has been taken back already."
    return f"Nothing of what run {view['undo_of']} wrote could be taken back."


def _note(note: dict[str, Any]) -> str:
    fields = f" ({', '.join(note['fields'])})" if note["fields"] else ""
    return f"{note['entity']} of {note['contact']} {note['record_id']}{fields}: {note['why']}"
