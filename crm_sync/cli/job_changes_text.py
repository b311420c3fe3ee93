"""How verdicts look in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from rich.console import Console


def print_job_changes(
    console: Console, views: Sequence[dict[str, Any]], names: Mapping[str, str]
) -> None:
    """Counts by kind, then each verdict in two lines."""
    if not views:
        console.print("Nobody is known to have changed job. Is there a plan yet? crm-sync plan")
        return
    counts = Counter(one["kind"] for one in views)
    console.print(", ".join(f"{count:,} {kind}" for kind, count in counts.most_common()) + ".")
    for one in views:
        console.print()
        name = names.get(one["contact_id"], one["contact_id"])
        since = f" since {one['since']}" if one["since"] else ""
        console.print(
            f"[bold]{escape(name)}[/bold]  {one['kind']}{since}  "
            f"[dim]{one['band']}, {one['confidence']:.2f}, {one['contact_id']}[/dim]"
        )
        console.print(f"  {escape(_position(one['from']))}")
        if one["kind"] in ("retitled", "moved"):
            console.print(f"  → {escape(_position(one['to']))}")
        if one["kind"] == "unknown":
            for evidence in one["evidence"]:
                console.print(f"  [dim]{escape(evidence['detail'])}[/dim]")


def _position(position: Mapping[str, str]) -> str:
    return ", ".join(part for part in (position["title"], position["organisation"]) if part) or "—"
