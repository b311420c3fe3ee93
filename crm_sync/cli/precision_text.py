"""How measured precision looks in a terminal, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from rich.console import Console

BAR = 20
"""Columns for 0 to 100 %."""

_NAMES = (("by_itself", "no doubt"), ("in_doubt", "in doubt"))
_LEGEND = (
    "● the share that was right   ├─┤ its 95 % interval   ┊ what is asked for\n"
    "no doubt: would go by itself   in doubt: waits for a person anyway\n"
    "In brackets: fewer than {minimum} verdicts, which make no measure yet."
)


def print_precision(console: Console, entries: Sequence[dict[str, Any]], minimum: int) -> None:
    """Each group with its shares; `minimum` verdicts make a measure."""
    if not entries:
        console.print(
            "Nothing was decided yet, so nothing is measured. Look at what waits, then say of each "
            "whether it is right:\n"
            "  crm-sync changes --waiting\n"
            "  crm-sync approve PLAN --change ID    or: crm-sync reject PLAN --change ID"
        )
        return
    waiting = sum(one["demoted"] for one in entries)
    if waiting:
        console.print(f"[yellow]{waiting:,} of {len(entries):,} wait for a person.[/yellow]")
    heading = (
        f"  {'':<8}{'right':>6}{'of':>7}{'share':>8}  {'interval':<11} "
        f"{'0':<{BAR // 2 - 1}}{'50':<{BAR // 2 - 1}}100 %  asked"
    )
    console.print(heading, style="dim")
    for entry in sorted(entries, key=lambda one: not one["demoted"]):
        title = f"{entry['source']} · {entry['kind']} · {entry['rule']}"
        console.print(f"[bold]{escape(title)}[/bold]")
        for label, share in _rows(entry):
            console.print(escape(_row(label, share, minimum)), no_wrap=True)
        for note in _notes(entry):
            console.print(f"  {note}")
    console.print()
    console.print(_LEGEND.format(minimum=minimum), style="dim")


def _notes(entry: dict[str, Any]) -> Iterator[str]:
    since = f" since {entry['since'][:10]}" if entry["since"] else ""
    if entry["demoted"]:
        yield f"[yellow]waits for a person{since}: right were[/yellow]"
        yield f"[yellow]{escape(entry['why'])}[/yellow]"
    elif since:
        yield f"goes by itself again{since}"
    if entry["undone"]:
        yield f"undone after it was written: {entry['undone']:,} (no verdicts)"


def _rows(entry: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The shares that have verdicts, and all together where that is something else."""
    shares = [(label, entry[name]) for name, label in _NAMES if entry[name]]
    rows = [(label, share) for label, share in shares if share["decided"]]
    if entry["decided"] and not any(one["decided"] == entry["decided"] for _, one in rows):
        rows.append(("all", entry))
    return rows


def _row(label: str, share: dict[str, Any], minimum: int) -> str:
    threshold = share.get("threshold")
    interval = f"{share['low'] * 100:.1f}–{share['high'] * 100:.1f}"
    asked = "" if threshold is None else f"{threshold * 100:g} %"
    if asked and share["decided"] < minimum:
        asked = f"({asked})"
    return (
        f"  {label:<8}{share['right']:>6,}{share['decided']:>7,}"
        f"{share['precision'] * 100:>6.1f} %  {interval:<11} {_bar(share, threshold)}  {asked:>7}"
    ).rstrip()


def _bar(share: dict[str, Any], threshold: float | None) -> str:
    """The share with its interval and what is asked for, on a line of 0 to 100 %."""
    cells = [" "] * (BAR + 1)
    low, high = _column(share["low"]), _column(share["high"])
    cells[low : high + 1] = "─" * (high + 1 - low)
    cells[low], cells[high] = "├", "┤"
    if threshold is not None:
        cells[_column(threshold)] = "┊"
    cells[_column(share["precision"])] = "●"
    return "".join(cells)


def _column(share: float) -> int:
    return round(share * BAR)
