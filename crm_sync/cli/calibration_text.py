"""How a calibration looks in a terminal: what was said beside what was right, in 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from rich.console import Console

BAR = 30
"""Columns for 0 to 100 %."""

_LEGEND = (
    "█ the share that was right   ┊ what the confidence said: the bar should end there\n"
    "ECE, the expected calibration error, is how far the two are apart on average."
)


def print_calibrations(console: Console, documents: Sequence[dict[str, Any]]) -> None:
    """Each source's reliability: documents as the matching keeps them."""
    if not documents:
        console.print(
            "Nothing is calibrated yet. `crm-sync plan` does it for each source, on contacts\n"
            "with a LinkedIn page that the source has too: the page is hidden, the contact is\n"
            "matched without it, and the page then tells whether that was right. It takes a few\n"
            "hundred of them."
        )
        return
    for one in documents:
        console.print()
        _print_one(console, one)
    console.print()
    console.print(_LEGEND, style="dim")


def _print_one(console: Console, one: dict[str, Any]) -> None:
    console.print(
        f"[bold]{escape(one['source'])}[/bold]\n  made on {one['made_on']} with "
        f"{one['sample']:,} contacts, their {_key(one)} hidden"
    )
    console.print(f"  ECE {one['ece_before']:.3f} before, {one['ece_after']:.3f} after")
    heading = (
        f"  {'confidence':<12}{'contacts':>9}{'said':>9}{'right':>9}   "
        f"{'0':<{BAR // 2 - 1}}{'50':<{BAR // 2 - 1}}100 %"
    )
    console.print(heading, style="dim")
    for bin in one["bins"]:
        if bin["count"]:
            console.print(_row(bin), no_wrap=True)


def _key(one: dict[str, Any]) -> str:
    name = one["masked_key"]
    return "LinkedIn page" if name == "linkedin" else escape(name)


def _row(bin: dict[str, Any]) -> str:
    span = f"{bin['from']:.2f}–{bin['to']:.2f}"
    said, right = bin["predicted"], bin["right"]
    return (
        f"  {span:<12}{bin['count']:>9,}{said * 100:>7.1f} %{right * 100:>7.1f} %   "
        f"{_bar(said, right)}"
    ).rstrip()


def _bar(said: float, right: float) -> str:
    cells = ["█" if column < round(right * BAR) else " " for column in range(BAR + 1)]
    cells[min(round(said * BAR), BAR)] = "┊"
    return "".join(cells)
