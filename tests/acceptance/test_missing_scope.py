"""Credentials that lack a permission for one object: the run goes on where that is safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from crm_sync import pipeline
from crm_sync.errors import ScopeMissing
from crm_sync.model import Band, Disposition, Entity, JobChangeKind, Plan
from crm_sync.sandbox.world import World
from crm_sync.store import judgements
from crm_sync.store import runs as stored_runs
from crm_sync.workspace import Workspace, open_workspace
from crm_sync_salesforce.connector import SalesforceConnector
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project

NAME = "sandbox"


class Closed:
    """The entities that the connector is made to refuse."""

    def __init__(self) -> None:
        self.entities: set[Entity] = set()
        self.fields: set[str] = set()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Closed:
    state = Closed()
    pull = SalesforceConnector.pull

    def refusing(
        self: SalesforceConnector, entity: Entity, fields: Sequence[str], **more: Any
    ) -> Any:
        if entity in state.entities or state.fields.intersection(fields):
            raise ScopeMissing("not for this user", scopes=(f"{entity.value}.read",))
        return pull(self, entity, fields, **more)

    monkeypatch.setattr(SalesforceConnector, "pull", refusing)
    return state


@pytest.fixture
def workspace(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> Iterator[Workspace]:
    world = World(seed=5, contacts=120)
    sandbox.seed(world)
    world.write_profiles(tmp_path / "profiles.jsonl")
    project = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    with open_workspace(project.folder / "config.yaml") as opened:
        yield opened


def kinds(workspace: Workspace) -> set[JobChangeKind]:
    with workspace.store.read() as tx:
        found = judgements.job_changes_of(tx, NAME, changes_only=False)
        return {one.kind for one in found}


def automatic(plan: Plan, entity: Entity) -> int:
    return sum(one.disposition is Disposition.AUTO and one.entity is entity for one in plan.changes)


def test_without_accounts_nobody_is_called_changed(
    workspace: Workspace, closed: Closed, sandbox: SalesforceSandbox
) -> None:
    closed.entities = {Entity.ACCOUNT}
    made = pipeline.plan(workspace, NAME)
    assert kinds(workspace) == {JobChangeKind.UNKNOWN}
    assert made.plan.changes == ()
    [told] = made.unread
    assert (told.entity, told.scopes, told.as_of) == (Entity.ACCOUNT, ("account.read",), None)
    assert "account.read" in told.message
    assert "nothing" in told.message


def test_what_was_read_before_goes_on_to_be_known_and_a_person_decides(
    workspace: Workspace, closed: Closed
) -> None:
    before = pipeline.plan(workspace, NAME)
    assert automatic(before.plan, Entity.CONTACT) > 5
    closed.entities = {Entity.ACCOUNT}
    after = pipeline.plan(workspace, NAME)
    assert len(after.plan.changes) == len(before.plan.changes)
    assert automatic(after.plan, Entity.CONTACT) == automatic(after.plan, Entity.TASK) == 0
    reasons = {one.rule for change in after.plan.changes for one in change.evidence}
    assert "accounts_unread" in reasons
    [told] = after.unread
    assert told.as_of is not None
    assert f"{told.as_of:%Y-%m-%d}" in told.message
    with workspace.store.read() as tx:
        [run, *_] = stored_runs.list_runs(tx, NAME)
        bands = {one.band for one in judgements.job_changes_of(tx, NAME)}
    assert run.outcome == "done"
    assert run.message == told.message
    assert Band.AUTO in bands, "what the evidence is worth has not changed"


def test_without_colleagues_tasks_wait_for_a_person(workspace: Workspace, closed: Closed) -> None:
    closed.entities = {Entity.COLLEAGUE}
    made = pipeline.plan(workspace, NAME)
    assert [one.entity for one in made.unread] == [Entity.COLLEAGUE]
    assert automatic(made.plan, Entity.CONTACT) > 5
    assert automatic(made.plan, Entity.TASK) == 0
    assert any(one.entity is Entity.TASK for one in made.plan.changes)


def test_where_the_relation_to_accounts_is_closed_too_contacts_are_read_without_it(
    workspace: Workspace, closed: Closed
) -> None:
    mapping = workspace.config.connection(NAME).path(Path("mappings/salesforce.yaml"))
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace("account_id: AccountId", "account_id: Account.Id", 1))
    closed.entities, closed.fields = {Entity.ACCOUNT}, {"Account.Id"}
    made = pipeline.plan(workspace, NAME)
    assert kinds(workspace) == {JobChangeKind.UNKNOWN}
    assert made.plan.funnel["contacts"] == 120

    closed.entities, closed.fields = set(), set()
    again = pipeline.plan(workspace, NAME)
    assert again.unread == ()
    assert automatic(again.plan, Entity.CONTACT) > 5


def test_a_relation_that_is_closed_while_accounts_are_open_stops_the_run(
    workspace: Workspace, closed: Closed
) -> None:
    closed.fields = {"AccountId"}
    with pytest.raises(ScopeMissing):
        pipeline.plan(workspace, NAME)


def test_without_contacts_there_is_no_run(workspace: Workspace, closed: Closed) -> None:
    closed.entities = {Entity.CONTACT}
    with pytest.raises(ScopeMissing) as caught:
        pipeline.plan(workspace, NAME)
    assert caught.value.exit_code == 5
    assert caught.value.scopes == ("contact.read",)
