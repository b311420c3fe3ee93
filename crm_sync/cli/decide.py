"""`approve` and `reject`: a person's decisions about the changes of a plan."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from crm_sync.cli.common import ConfigOption, JsonOption, console, print_json, workspace

if TYPE_CHECKING:
    from crm_sync.model import Change, Decision, Plan

PlanArgument = Annotated[int, typer.Argument(metavar="PLAN", help="The number `plan` printed.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every change of the plan.")]
ChangeOption = Annotated[
    list[str] | None,
    typer.Option("--change", metavar="ID", help="One change; may be given several times."),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]


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
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve changes of a plan. `apply` then writes them."""
    from crm_sync.model import Decision

    _decide(context, plan_id, everything, change, Decision.APPROVED, reason, config, as_json)


def reject(
    context: typer.Context,
    plan_id: PlanArgument,
    everything: AllOption = False,
    change: ChangeOption = None,
    reason: ReasonOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject changes of a plan. They come again only with new evidence."""
    from crm_sync.model import Decision

    _decide(context, plan_id, everything, change, Decision.REJECTED, reason, config, as_json)


def _decide(
    context: typer.Context,
    plan_id: int,
    everything: bool,
    ids: list[str] | None,
    decision: Decision,
    reason: str,
    config: ConfigOption,
    as_json: bool,
) -> None:
    from crm_sync.errors import UsageError
    from crm_sync.model import Decision, Mode
    from crm_sync.store import journal, plans
    from crm_sync.workspace import utc_now

    if everything == bool(ids):
        raise UsageError("say which changes", fix="Give --all, or --change ID (one or more).")
    with workspace(context, config) as opened, opened.store.begin() as tx:
        stored = plans.load_plan(tx, plan_id)
        chosen = [one.key for one in _chosen(stored, ids, decision)]
        settled = journal.done_keys(tx, stored.connection)
        keys = [key for key in chosen if key not in settled]
        by = getpass.getuser()
        plans.decide(tx, stored, keys, decision, by=by, at=utc_now(), reason=reason)
        shadow = opened.config.connection(stored.connection).settings.mode is Mode.SHADOW
    late = len(chosen) - len(keys)
    if as_json:
        print_json(
            {"plan": plan_id, "decision": decision, "changes": keys, "written_already": late}
        )
        return
    console().print(f"{len(keys):,} of {len(stored.proposed):,} changes {decision}.")
    if late:
        console().print(f"{late:,} were written before; `crm-sync undo RUN` takes a run back.")
    if decision is Decision.APPROVED and keys:
        console().print(
            "Shadow mode: nothing is written." if shadow else f"Write: crm-sync apply {plan_id}"
        )


def _chosen(stored: Plan, ids: list[str] | None, decision: Decision) -> list[Change]:
    """The changes meant, with what belongs to them.

    A task goes with the update that it waits for: approving either approves both, and rejecting
    the update rejects the task. A task can be rejected alone.
    """
    from crm_sync.errors import NotFound
    from crm_sync.model import Decision
    from crm_sync.views import find_changes

    if ids is None:
        return list(stored.proposed)
    found, unclear = find_changes(stored, ids)
    if unclear:
        raise NotFound(
            f"plan {stored.id} has no single change {', '.join(unclear)}",
            fix=f"`crm-sync changes {stored.id}` lists the ids.",
        )
    keys = {one.key for one in found}
    if decision is Decision.APPROVED:
        keys |= {one.requires for one in found if one.requires}
    keys |= {one.key for one in stored.proposed if one.requires and one.requires in keys}
    return [one for one in stored.proposed if one.key in keys]
