"""A key field that the org does not keep unique is noticed before and while tasks are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crm_sync.sandbox.world import World
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.project import Project


def test_a_key_that_is_not_unique_is_a_warning_and_the_report_says_at_most_once(
    sandbox: SalesforceSandbox, make_project: Callable[..., Project], tmp_path: Path
) -> None:
    world = World(seed=11, contacts=120)
    sandbox.seed(world)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "Task.csv").write_text("Subject,Second_Key__c\nOld,x\n")
    sandbox.load(tmp_path / "more")  # a text field of the org's own
    world.write_profiles(tmp_path / "profiles.jsonl")
    project = make_project(tmp_path / "profiles.jsonl", world.later.isoformat())
    assert not [one for one in findings(project) if one["subject"] == "tasks"]

    mapping = project.folder / "mappings" / "salesforce.yaml"
    text = mapping.read_text(encoding="utf-8")
    assert "key: {field: Crm_Sync_Key__c}" in text
    mapping.write_text(text.replace("{field: Crm_Sync_Key__c}", "{field: Second_Key__c}"))
    [warning] = [one for one in findings(project) if one["subject"] == "tasks"]
    assert warning["level"] == "warning"
    assert "`Second_Key__c` unique" in warning["message"]
    assert "at most once" in warning["message"]
    assert ":" in warning["message"].split("salesforce.yaml")[1]

    plan = project.data("plan")
    assert any(one["entity"] == "task" for one in plan["changes"])
    project.call("approve", str(plan["plan"]), "--all")
    applied = project.call("apply", str(plan["plan"]))
    assert "once at most" in " ".join(applied.stdout.split())


def findings(project: Project) -> list[dict[str, str]]:
    [found] = project.data("check").values()
    return list(found)
