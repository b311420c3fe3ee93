"""How `setup` tells which fields are missing and which were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sync.connector import SchemaChange
    from crm_sync.fields import FieldsReport

_MARK = {"ok": "[green]made[/green]   ", "warning": "[yellow]look[/yellow]   ",
         "problem": "[red]problem[/red]"}  # fmt: skip


def setup_view(report: FieldsReport) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "connection": report.connection,
        "can_create": report.creates,
        "applied": report.applied,
        "missing": [_change_view(one, report.language) for one in report.missing],
        "told": [
            {"level": one.level.value, "subject": one.subject, "message": one.message,
             "fix": one.fix}
            for one in report.told
        ],
        "still_missing": [_change_view(one, report.language) for one in report.still_missing],
        "not_unique": [_change_view(one, report.language) for one in report.loose],
    }  # fmt: skip


def _change_view(change: SchemaChange, language: str) -> dict[str, Any]:
    wanted = change.wanted
    return {
        "entity": wanted.entity.value,
        "name": wanted.name,
        "label": wanted.label_in(language),
        "type": wanted.type.value,
        "length": wanted.length,
        "values": list(wanted.values),
        "unique": wanted.unique,
        "action": change.action,
        "reason": change.reason,
    }


def print_fields(console: Console, report: FieldsReport) -> None:
    """What is missing, or what was made of it, and what to do next."""
    if not report.missing:
        console.print(f"{report.connection}: the CRM has every field that crm-sync writes.")
    elif report.applied:
        _print_made(console, report)
    else:
        _print_missing(console, report)
    for one in report.loose:
        console.print(
            f"[yellow]look[/yellow]     {one.wanted.entity.value} {one.wanted.name} is there and "
            "not unique; tasks are then made at most once. Nothing has to be done."
        )


def _print_missing(console: Console, report: FieldsReport) -> None:
    many = len(report.missing)
    fields = "1 field is" if many == 1 else f"{many} fields are"
    console.print(f"{report.connection}: {fields} missing, or not as needed.\n")
    for one in report.missing:
        spec = one.wanted
        console.print(
            f"[bold]{spec.entity.value} {spec.name}[/bold]  "
            f"{escape(spec.label_in(report.language))}  [dim]{_kind(one)}[/dim]"
        )
        _indented(console, f"{one.action} ({one.reason})", 2)
    if report.creates:
        console.print(f"\nMake them: crm-sync setup {report.connection} --apply")
        return
    if report.asked:
        console.print("\nThis connector cannot make fields: nothing was done.")
    console.print("\nMake them by hand in the CRM, let the integration user read and edit them,")
    console.print(f"then: crm-sync check {report.connection}")


def _print_made(console: Console, report: FieldsReport) -> None:
    for finding in report.told:
        mark = _MARK[finding.level.value]
        console.print(f"{mark}  {escape(finding.subject)}: {escape(finding.message)}")
        for line in finding.fix.splitlines():
            _indented(console, line, 9)
    if not report.still_missing:
        console.print(f"\nNothing is missing any more. Next: crm-sync check {report.connection}")
        return
    console.print("\nStill missing:")
    for one in report.still_missing:
        _indented(console, f"{one.wanted.entity.value} {one.wanted.name}: {one.reason}", 2)


def _indented(console: Console, text: str, by: int) -> None:
    from rich.padding import Padding

    console.print(Padding(escape(text), (0, 0, 0, by), expand=False))


def _kind(change: SchemaChange) -> str:
    spec = change.wanted
    words = [spec.type.value.replace("_", " ")]
    if spec.length:
        words.append(f"{spec.length:,} characters")
    if spec.values:
        words.append(" | ".join(spec.values))
    if spec.unique:
        words.append("unique")
    return ", ".join(words)
