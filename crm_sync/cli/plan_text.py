"""How a plan and its changes look in a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from rich.console import Console

_KIND_STYLE = {"moved": "bold yellow", "left": "bold red", "retitled": "bold cyan"}


def print_plan(console: Console, view: dict[str, Any], *, part: bool = False) -> None:
    """A plan: what was read, the guards, the changes that the view holds, and what to do next.

    `part`: the view was narrowed on purpose, and nothing is said of the rest.
    """
    counts = view["counts"]
    console.print(
        f"[bold]Plan {view['plan']}[/bold] for {escape(view['connection'])}, "
        f"mode {view['mode']}: {_many(counts['changes'], 'change')}, "
        f"{counts['auto']} ready, {counts['review']} for review."
    )
    if view["undo_of"] is None:
        console.print(funnel_line(view["funnel"]), style="dim")
    if why_not := _not_planned(view["details"]):
        console.print(why_not, style="dim")
    print_asked(console, view.get("asked", {}))
    print_left_out(console, view.get("sources", {}))
    print_whole(console, view.get("whole", []))
    print_unread(console, view.get("unread", []))
    for guard in view["guards"]:
        if guard["tripped"]:
            console.print(f"[bold red]Guard {guard['name']}[/bold red]: {escape(guard['message'])}")
            console.print(f"  {escape(guard['fix'])}")
    for change in view["changes"]:
        console.print()
        print_brief(console, change)
    left_out = view["counts"]["changes"] - len(view["changes"])
    if left_out and not part:
        console.print(f"\n… and {left_out:,} more: crm-sync changes {view['plan']}", style="dim")
    console.print()
    for line in next_steps(view):
        console.print(line)


_WHY_NOT = {
    "settled": "in effect already",
    "unsettled": "sent before a merge, outcome unknown",
    "already_told": "told before",
    "rejected": "rejected or taken back",
    "edited": "edited by a person since",
    "contradicted": "contradicted",
    "policy": "kept out by the mapping",
    "no_action": "kept out by the mapping",
    "incomplete": "incomplete",
}


def _not_planned(details: dict[str, int]) -> str:
    """Why some of what changed is not in the plan: `Left out: 3 rejected or taken back.`"""
    told = [
        f"{details[f'left_out_{why}']:,} {words}"
        for why, words in _WHY_NOT.items()
        if details.get(f"left_out_{why}")
    ]
    return f"Left out: {', '.join(told)}." if told else ""


def print_asked(console: Console, asked: dict[str, Any]) -> None:
    """What asking each source came to, and why somebody was not asked about."""
    for name, one in asked.items():
        if one["asked"]:
            refused = f", {one['refused']:,} refused" if one["refused"] else ""
            console.print(
                f"Asked {escape(name)} about {_many(one['asked'], 'contact')}: {one['found']:,} "
                f"found, {one['absent']:,} not known{refused}; {one['credits']:g} credits.",
                style="dim",
            )
        if one["note"]:
            console.print(
                f"[yellow]{escape(name)}[/yellow]: {escape(one['note'])}; "
                f"{_many(one['waiting'], 'contact')} not asked about"
            )


def print_left_out(console: Console, sources: dict[str, Any]) -> None:
    """What of the enrichment sources could not be used, and where the first of it stands."""
    for name, source in sources.items():
        for reason, count in source["left_out"].items():
            console.print(
                f"[yellow]{escape(name)}[/yellow]: {_many(count, 'record')} left out: "
                f"{escape(reason.replace('_', ' '))}"
            )
        for place in source["places"]:
            console.print(f"  {escape(place)}", style="dim", soft_wrap=True)
        for what, count in source["doubted"].items():
            console.print(
                f"[yellow]{escape(name)}[/yellow]: {count:,} {escape(what)}; what rests on them "
                "waits for a person"
            )


def print_whole(console: Console, whole: list[dict[str, Any]]) -> None:
    """What was read as a whole rather than what changed, and why."""
    for reason in dict.fromkeys(one["reason"] for one in whole):
        kinds = [f"{one['entity']}s" for one in whole if one["reason"] == reason]
        console.print(f"Read as a whole: {', '.join(kinds)} ({escape(reason)}).", style="dim")


def print_unread(console: Console, unread: list[dict[str, Any]]) -> None:
    """What the CRM kept closed, so that the counts are not taken for the whole."""
    for one in unread:
        console.print(f"[bold yellow]not read[/bold yellow]: {escape(one['message'])}")
        _indented(console, escape(one["fix"] or "Grant it, and pull again."), by=2)


def funnel_line(funnel: dict[str, int]) -> str:
    """`2,000 read → 1,700 matched → …` from the counts by step."""
    return " → ".join(f"{count:,} {step}" for step, count in funnel.items())


def print_brief(console: Console, change: dict[str, Any]) -> None:
    """One change in a few lines: who, what, how it stands, and why a person has to look."""
    style = _KIND_STYLE.get(change["kind"], "bold")
    what = "task" if change["entity"] == "task" else change["operation"]
    console.print(
        f"[dim]{change['id']}[/dim]  [{style}]{change['kind']}[/{style}]  "
        f"[bold]{escape(change['contact'])}[/bold]  {what}  {_standing(change)}"
    )
    _indented(console, escape(change["reason"]))
    if change["held_by"] and change["state"] is None and change["decision"] is None:
        _indented(console, f"[dim]{escape(change['held_by'])}[/dim]")


def print_change(console: Console, change: dict[str, Any]) -> None:
    """One change whole: every field with what it replaces, and every piece of evidence."""
    print_brief(console, change)
    target = f"{change['entity']} {change['record_id'] or 'to be made'}"
    _indented(console, f"confidence {change['confidence']:.2f}, {target}")
    console.print("\n[bold]Fields[/bold]")
    for field in change["fields"]:
        _print_field(console, field, created=change["operation"] == "create")
    if change["links"]:
        console.print("\n[bold]Links[/bold]")
    for link in change["links"]:
        _indented(console, f"{link['to']} {escape(link['id'])}: {link['state'] or 'to be made'}", 2)
    if change["evidence"]:
        console.print("\n[bold]Evidence[/bold]")
    for one in change["evidence"]:
        origin = ", ".join(part for part in (one["source"], one["as_of"]) if part)
        suffix = f" [dim]({escape(origin)})[/dim]" if origin else ""
        _indented(console, f"{escape(one['detail'])}{suffix}", by=2)


def _print_field(console: Console, field: dict[str, Any], *, created: bool) -> None:
    after = _value(field["after"])
    first, *more = after.splitlines() or [""]
    if more and not created:
        first = f"{len(more) + 1} lines of text"
        more = []
    before = "" if created else f"{escape(_value(field['before']))} [bold]→[/bold] "
    _indented(console, f"{field['crm_field']}: {before}{escape(first)}", by=2)
    for line in more:
        _indented(console, escape(line), by=4)


def _indented(console: Console, text: str, by: int = 12) -> None:
    from rich.padding import Padding

    console.print(Padding(text, (0, 0, 0, by), expand=False))


def next_steps(view: dict[str, Any]) -> list[str]:
    """What the operator would do now, as commands."""
    plan_id = view["plan"]
    if not view["counts"]["changes"]:
        return ["Nothing to write."]
    if all(one["state"] in ("done", "undone") for one in view["changes"]):
        return []
    if view["undo_of"] is not None:
        return []
    lines = []
    if view["counts"]["review"]:
        lines.append(f"Approve after review:  crm-sync approve {plan_id} --all   (or --change ID)")
    if view["mode"] == "shadow":
        lines.append("Shadow mode: nothing is ever written. Set `mode: review` to go on.")
    else:
        lines.append(f"Write:                 crm-sync apply {plan_id}")
    return lines


def _standing(change: dict[str, Any]) -> str:
    if change["state"]:
        return f"[green]{change['state']}[/green]"
    if change["decision"]:
        return str(change["decision"])
    return "[green]ready[/green]" if change["disposition"] == "auto" else "[yellow]review[/yellow]"


def _value(value: Any) -> str:
    return "(blank)" if value in (None, "") else str(value)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
