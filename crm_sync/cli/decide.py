"""`approve` and `reject`: a person's decisions about the changes of a plan."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from crm_sync.cli.common import ConfigOption, JsonOption, console, print_json, workspace

if TYPE_CHECKING:
    from crm_sync.model import Decision
    from crm_sync.stages.deciding import Decided

PlanArgument = Annotated[int, typer.Argument(metavar="PLAN", help="The number `plan` printed.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every change of the plan.")]
ChangeOption = Annotated[
    list[str] | None,
    typer.Option("--change", metavar="ID", help="One change; may be given several times."),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
NoVerdictOption = Annotated[
    bool,
    typer.Option("--no-verdict", help="Do not count it as right or wrong: see `report`."),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(rich_help_panel="Every day")(approve)
    app.command(rich_help_panel="Every day")(reject)


def approve(
    context: typer.Context,
    plan_id: PlanArgument,
    everything: AllOption = False,
    change: ChangeOption = None,
    reason: ReasonOption = "",
    no_verdict: NoVerdictOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve changes of a plan. `apply` then writes them."""
    from crm_sync.model import Decision

    chosen = _which(everything, change)
    _decide(context, plan_id, chosen, Decision.APPROVED, reason, no_verdict, config, as_json)


def reject(
    context: typer.Context,
    plan_id: PlanArgument,
    everything: AllOption = False,
    change: ChangeOption = None,
    reason: ReasonOption = "",
    no_verdict: NoVerdictOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject changes of a plan. They come again only with new evidence."""
    from crm_sync.model import Decision

    chosen = _which(everything, change)
    _decide(context, plan_id, chosen, Decision.REJECTED, reason, no_verdict, config, as_json)


def _which(everything: bool, ids: list[str] | None) -> list[str] | None:
    """The ids given, or None for all of the plan."""
    from crm_sync.errors import UsageError

    if everything == bool(ids):
        raise UsageError("say which changes", fix="Give --all, or --change ID (one or more).")
    return None if everything else ids


def _decide(
    context: typer.Context,
    plan_id: int,
    ids: list[str] | None,
    decision: Decision,
    reason: str,
    no_verdict: bool,
    config: ConfigOption,
    as_json: bool,
) -> None:
    from crm_sync.model import Decision, Mode
    from crm_sync.stages.deciding import decide
    from crm_sync.store import plans
    from crm_sync.workspace import utc_now

    with workspace(context, config) as opened, opened.store.begin() as tx:
        stored = plans.load_plan(tx, plan_id)
        settings = opened.config.connection(stored.connection).settings
        done = decide(
            tx,
            stored,
            ids,
            decision,
            by=getpass.getuser(),
            at=utc_now(),
            reason=reason,
            counts=not no_verdict,
            precision=settings.precision,
        )
    if as_json:
        print_json(_view(plan_id, decision, done))
        return
    console().print(f"{len(done.keys):,} of {len(stored.proposed):,} changes {decision}.")
    _print_verdicts(done, decision)
    if decision is Decision.APPROVED and done.keys:
        shadow = settings.mode is Mode.SHADOW
        console().print(
            "Shadow mode: nothing is written." if shadow else f"Write: crm-sync apply {plan_id}"
        )


def _view(plan_id: int, decision: Decision, done: Decided) -> dict[str, Any]:
    return {
        "plan": plan_id,
        "decision": decision,
        "changes": done.keys,
        "written_already": done.written,
        "verdicts": done.verdicts,
        "demoted": [one._asdict() for one in done.demoted],
        "restored": [one._asdict() for one in done.restored],
    }


def _print_verdicts(done: Decided, decision: Decision) -> None:
    """What was only judged, and what follows from it."""
    from crm_sync.model import Decision

    if done.written:
        written = f"{done.written:,} were written before"
        console().print(f"{written}; `crm-sync undo RUN` takes a run back.")
    if done.verdicts and not done.keys:
        word = "right" if decision is Decision.APPROVED else "wrong"
        console().print(f"{done.verdicts:,} counted as {word}.")
    for groups, words in (
        (done.demoted, "People found too many wrong; from the next plan on a person decides on"),
        (done.restored, "Right again; from the next plan on it goes by itself:"),
    ):
        if groups:
            console().print(f"[yellow]{words}[/yellow]")
        for group in groups:
            console().print(f"  {escape(' · '.join(group))}")
    if done.demoted or done.restored:
        console().print("How often each was right: crm-sync report --precision")
