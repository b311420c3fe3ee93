"""How the result of `apply`, `run` and `undo` looks in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from crm_sync.cli.plan_text import (
    funnel_line,
    print_asked,
    print_left_out,
    print_unread,
    print_whole,
)

if TYPE_CHECKING:
    from rich.console import Console


def print_outcome(console: Console, view: dict[str, Any]) -> None:
    """What was written, what was not and why, and what to do next."""
    if view["funnel"]:
        console.print(funnel_line(view["funnel"]), style="dim")
    print_asked(console, view["asked"])
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
        console.print(f"[yellow]left alone[/yellow] {_note(note)}")
    _print_next(console, view)


def _print_problems(console: Console, applied: dict[str, Any]) -> None:
    for one in applied["problems"]:
        code = f"{one['code']}: " if one["code"] else ""
        console.print(
            f"[yellow]{one['state']}[/yellow]  {_record(one)}\n  {escape(code + one['message'])}"
        )
        if one["hint"]:
            console.print(f"  {escape(one['hint'])}")
    if applied["problems_left_out"]:
        console.print(f"… and {applied['problems_left_out']:,} more")
    for notice in applied["notices"]:
        console.print(f"[yellow]note[/yellow] {escape(notice)}")


def _print_next(console: Console, view: dict[str, Any]) -> None:
    runs = view["undo_runs"]
    if view["undo_of"] is not None:
        if runs:
            console.print("Other runs wrote changes of the same plan, which are still in effect:")
        for run in runs:
            console.print(f"Take them back:      crm-sync undo {run}")
        return
    if view["waiting"]:
        console.print(f"Waiting for review:  crm-sync changes {view['plan']} --waiting")
    if runs:
        console.print(f"Take it back:        crm-sync undo {runs[0]}")
        for run in runs[1:]:
            console.print(f"  and, from before:  crm-sync undo {run}")


def _why_nothing(view: dict[str, Any]) -> str:
    effects, back = view["undo"]["in_effect"], view["undo"]["already_back"]
    if not effects:
        return f"Run {view['undo_of']} put nothing into effect, so there is nothing to take back."
    if effects == back:
        return f"What run {view['undo_of']} wrote has been taken back already."
    return f"Nothing of what run {view['undo_of']} wrote could be taken back."


def _record(row: dict[str, Any]) -> str:
    """Of whom a row speaks: `task of Ada Sample  100, Ada Sample has moved to New Works`."""
    id = row["record_id"] or row["contact_id"]
    subject = f", {escape(row['subject'])}" if row["subject"] else ""
    return f"{row['entity']} of {escape(row['contact'])}  [dim]{id}[/dim]{subject}"


def _note(note: dict[str, Any]) -> str:
    fields = f" ({', '.join(note['fields'])})" if note["fields"] else ""
    return f"{_record(note)}{fields}: {escape(note['why'])}"
