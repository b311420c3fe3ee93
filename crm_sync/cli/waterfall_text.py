"""How the confidence of one verdict adds up, as bars in a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from crm_sync.matching.weights import Step, chance, waterfall

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sync.model import JobChange

LABEL, NUMBER, BAR = 42, 7, 30
"""Columns of what is said, of its weight, and of the bars."""


def steps_view(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The steps as data: bits before and after each."""
    return [
        {
            "rule": one.rule,
            "detail": one.detail,
            "weight": round(one.weight, 4),
            "from": round(one.start, 4),
            "to": round(one.end, 4),
        }
        for one in steps
    ]


def print_verdict(console: Console, change: JobChange, name: str) -> None:
    """One contact's verdict: what it is, why it is the same person, and why the job changed."""
    console.print(
        f"[bold]{escape(name)}[/bold]  {change.kind.value}"
        f"{f' since {change.since}' if change.since else ''}  [dim]{change.band.value}[/dim]"
    )
    if change.source:
        how = f", identified by {change.rule.replace('+', ' + ')}" if change.rule else ""
        console.print(f"  says {escape(change.source)}{escape(how)}")
    if change.confidence:
        console.print(
            f"  confidence {change.confidence:.2f}: {change.match_confidence:.3f} that it is the "
            f"same person × {change.change_confidence:.2f} that the job is so"
        )
    steps = waterfall(change.evidence)
    if steps:
        console.print()
        for line in waterfall_lines(steps):
            console.print(line, markup=False, highlight=False, no_wrap=True)
    others = [one for one in change.evidence if one.weight is None]
    if others:
        console.print()
    for one in others:
        console.print(f"  • {one.detail}", markup=False, highlight=False)


def waterfall_lines(steps: Sequence[Step]) -> list[str]:
    """The bars, one line a step, at most 80 columns: █ speaks for one person, ░ against."""
    low = min(0.0, *(min(one.start, one.end) for one in steps))
    high = max(0.0, *(max(one.start, one.end) for one in steps))
    scale = (BAR - 1) / ((high - low) or 1.0)

    def column(bits: float) -> int:
        return round((bits - low) * scale)

    lines = [_line("bits: 1 doubles the odds", "", _axis(column(0.0)))]
    lines += [_line(one.detail, f"{one.weight:+.1f}", _bar(one, column)) for one in steps]
    end = steps[-1].end
    lines.append(_line(f"the same person: {_percent(chance(end))}", f"{end:+.1f}", ""))
    return lines


def _bar(one: Step, column: Any) -> str:
    first, last = sorted((column(one.start), column(one.end)))
    sign = "█" if one.weight >= 0 else "░"
    cells = [" "] * BAR
    cells[column(0.0)] = "│"
    for place in range(first, max(last, first + 1)):
        cells[place] = sign
    return "".join(cells)


def _axis(zero: int) -> str:
    return " " * max(zero - 9, 0) + "even odds"[: zero + 9][-BAR:]


def _line(text: str, number: str, bar: str) -> str:
    short = text if len(text) <= LABEL else text[: LABEL - 1] + "…"
    return f"{short:<{LABEL}}{number:>{NUMBER}} {bar}".rstrip()


def _percent(share: float) -> str:
    return "over 99.99 %" if share > 0.9999 else f"{share * 100:.2f} %"


def with_waterfall(view: Mapping[str, Any], change: JobChange) -> dict[str, Any]:
    """A verdict's view with its waterfall."""
    return {**view, "waterfall": steps_view(waterfall(change.evidence))}
