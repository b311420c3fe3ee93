"""`approve` and `reject`: a person's decisions about the changes of a plan."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from crm_sync.cli.common import ConfigOption, JsonOption, console, print_json, workspace

if TYPE_CHECKING:
    from crm_sync.model import Decision

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
        by, at, counts = getpass.getuser(), utc_now(), not no_verdict
        done = decide(tx, stored, ids, decision, by=by, at=at, reason=reason, counts=counts)
        shadow = opened.config.connection(stored.connection).settings.mode is Mode.SHADOW
    if as_json:
        print_json(
            {
                "plan": plan_id,
                "decision": decision,
                "changes": done.keys,
                "written_already": done.written,
                "verdicts": done.verdicts,
            }
        )
        return
    console().print(f"{len(done.keys):,} of {len(stored.proposed):,} changes {decision}.")
    if done.written:
        console().print(
            f"{done.written:,} were written before; `crm-sync undo RUN` takes a run back."
        )
    if done.verdicts and not done.keys:
        word = "right" if decision is Decision.APPROVED else "wrong"
        console().print(f"{done.verdicts:,} counted as {word}: crm-sync report --precision")
    if decision is Decision.APPROVED and done.keys:
        console().print(
            "Shadow mode: nothing is written." if shadow else f"Write: crm-sync apply {plan_id}"
        )
