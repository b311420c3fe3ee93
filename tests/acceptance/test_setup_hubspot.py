"""From a bare portal to the first written change, and what a missing scope does to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_sync.sandbox.world import World
from crm_sync_hubspot.connector import HubSpotConnector
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.hubspot_crm import (
    BY_ASSOCIATION,
    BY_PROPERTY,
    PortalCrm,
    a_project,
    read_companies_by,
)
from tests.support.project import Project

pytestmark = pytest.mark.timeout(240)
WANTED = {spec.name for spec in HubSpotConnector.schema}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[tuple[Project, PortalCrm]]:
    """A portal without any property of ours; its contacts are there."""
    yield from _opened(tmp_path, bare=True)


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[tuple[Project, PortalCrm]]:
    yield from _opened(tmp_path, bare=False)


def _opened(folder: Path, *, bare: bool) -> Iterator[tuple[Project, PortalCrm]]:
    world = World(seed=5, contacts=120)
    world.write_profiles(folder / "profiles.jsonl")
    with HubSpotSandbox.open(folder / "portal.db", bare=bare) as sandbox:
        sandbox.seed(world)
        profiles = folder / "profiles.jsonl"
        with a_project(folder, sandbox, profiles, world.later.isoformat()) as opened:
            yield opened


def findings(project: Project, *, expect: int = 0) -> list[dict[str, str]]:
    [found] = project.data("check", expect=expect).values()
    return list(found)


def test_a_bare_portal_is_set_up_and_written_to(bare: tuple[Project, PortalCrm]) -> None:
    project, crm = bare
    told = project.call("check", expect=2).stdout
    assert all(name in told for name in WANTED)
    assert "crm-sync setup sandbox --apply makes it" in told
    refused = project.call("plan", expect=2).stderr
    assert refused.count("crm-sync setup sandbox --apply makes it") == len(WANTED)
    assert "Did you mean" not in refused

    shown = project.data("setup")
    assert {one["name"] for one in shown["missing"]} == WANTED
    assert all(one["label"] and one["type"] and one["action"] for one in shown["missing"])
    assert not WANTED & {*crm.properties("contacts"), *crm.properties("tasks")}, "only shown"

    said = project.call("setup", "--apply", "--language", "fr").stdout
    assert "Nothing is missing any more" in said
    made = {**crm.properties("contacts"), **crm.properties("tasks")}
    assert set(made) >= WANTED
    assert made["crm_sync_key"]["hasUniqueValue"] is True
    again = project.data("setup", "--apply")
    assert (again["missing"], again["still_missing"]) == ([], [])
    assert "All is well." in project.call("check").stdout

    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    applied = project.data("apply", str(plan["plan"]))["applied"]
    assert applied["written"] == applied["verified"] > 10
    tasks = crm.records("tasks", ["crm_sync_key"])
    assert len(tasks) == sum(one["entity"] == "task" for one in plan["changes"]) > 0
    assert all(crm.linked("tasks", list(tasks), "contacts").values())


def test_the_labels_are_in_the_language_that_is_asked_for(
    bare: tuple[Project, PortalCrm],
) -> None:
    project, crm = bare
    config = project.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("    auth:", "    language: fr\n    auth:", 1))
    shown = {one["name"]: one["label"] for one in project.data("setup")["missing"]}
    assert shown["crm_sync_new_company"] == "Nouvelle entreprise"
    assert "Nouvelle entreprise" in project.call("setup").stdout
    assert "Nouvelle entreprise" not in project.call("setup", "--language", "en").stdout
    assert max(map(len, project.call("setup").stdout.splitlines())) <= 80
    project.call("setup", "--apply")
    french = {name: one["label"] for name, one in crm.properties("contacts").items()}
    english = {spec.name: spec.label for spec in HubSpotConnector.schema}
    ours = WANTED & set(french)
    assert sum(french[name] != english[name] for name in ours) > len(ours) / 2
    assert {name: french[name] for name in ours} == {name: shown[name] for name in ours}


def test_what_somebody_made_before_is_left_as_it_is(bare: tuple[Project, PortalCrm]) -> None:
    project, crm = bare
    own: dict[str, Any] = {
        "name": "crm_sync_new_title",
        "label": "Our own words",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
    }
    crm.call("POST", "/crm/properties/2026-09/contacts", own)
    shown = project.data("setup", "--apply")
    assert "crm_sync_new_title" not in {one["name"] for one in shown["missing"]}
    assert crm.properties("contacts")["crm_sync_new_title"]["label"] == "Our own words"


def test_a_portal_that_keeps_no_task_unique_is_told_and_can_be_used(
    bare: tuple[Project, PortalCrm],
) -> None:
    project, crm = bare
    crm.control("settings", {"unique_task_properties": False})
    said = " ".join(project.call("setup", "--apply").stdout.split())
    assert "not unique" in said
    assert "Nothing has to be done" in said
    [warning] = [one for one in findings(project) if "at most once" in one["message"]]
    assert warning["level"] == "warning"
    assert warning["fix"].startswith("Nothing has to be done")
    assert "Ready, but look" in project.call("check").stdout
    plan = project.data("plan")
    project.call("approve", str(plan["plan"]), "--all")
    applied = " ".join(project.call("apply", str(plan["plan"])).stdout.split())
    assert "once at most. Nothing has to be done" in applied
    assert crm.records("tasks")


@pytest.mark.parametrize("name", ["crm_sync_new_title", "crm_sync_key"])
def test_a_property_of_ours_that_is_gone_is_made_again_and_nothing_else_is_guessed(
    name: str, whole: tuple[Project, PortalCrm]
) -> None:
    project, crm = whole
    plan = str(project.data("plan")["plan"])
    project.call("approve", plan, "--all")
    kind = "tasks" if name == "crm_sync_key" else "contacts"
    crm.call("DELETE", f"/crm/properties/2026-09/{kind}/{name}")
    before = crm.snapshot()
    for arguments in (("plan",), ("apply", plan)):
        told = project.call(*arguments, expect=2).stderr
        assert f"`{name}`" in told
        assert "crm-sync setup sandbox --apply makes it" in told
        assert "Did you mean" not in told
    assert crm.snapshot() == before


def test_without_the_scope_to_write_contacts_check_ends_as_for_a_permission(
    whole: tuple[Project, PortalCrm],
) -> None:
    project, crm = whole
    crm.control("settings", {"missing_scopes": ["crm.objects.contacts.write"]})
    [problem] = [one for one in findings(project, expect=5) if one["level"] == "problem"]
    assert "crm.objects.contacts.write" in problem["message"]


def test_a_mapping_that_knows_no_companies_is_told(whole: tuple[Project, PortalCrm]) -> None:
    project, _ = whole
    mapping = project.folder / "mappings" / "hubspot.yaml"
    text = mapping.read_text(encoding="utf-8")
    assert "All is well." in project.call("check").stdout
    for name, told in (("account_id: a", "its own text"), ("organisation: c", "no move can be")):
        lines = text.splitlines()
        kept = [line for line in lines if not line.strip().startswith(name)]
        assert len(kept) == len(lines) - 1
        text = "\n".join(kept)
        mapping.write_text(text, encoding="utf-8")
        [seen] = [one for one in findings(project) if one["level"] == "warning"]
        assert told in seen["message"]
        assert "Ready, but look" in project.call("check").stdout


def test_a_mapping_for_another_crm_is_told_once_and_as_a_whole(
    whole: tuple[Project, PortalCrm],
) -> None:
    project, _ = whole
    config = project.folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("mappings/hubspot.yaml", "mappings/salesforce.yaml"))
    told = project.call("plan", expect=2).stderr
    assert told.count("another CRM") == told.count("salesforce.yaml") == 1
    assert "Use mappings/hubspot.yaml" in told
    problems = [one for one in findings(project, expect=2) if one["level"] == "problem"]
    assert len(problems) == 1


def test_setup_without_the_scope_for_it_ends_with_5_and_makes_nothing(
    bare: tuple[Project, PortalCrm],
) -> None:
    project, crm = bare
    crm.control("settings", {"missing_scopes": ["crm.schemas.contacts.write"]})
    done = project.call("setup", "--apply", expect=5)
    assert "crm.schemas.contacts.write" in done.stderr
    assert not WANTED & set(crm.properties("contacts"))


@pytest.mark.parametrize("company", [BY_PROPERTY, BY_ASSOCIATION])
def test_without_the_scope_for_companies_a_run_tells_it_and_calls_nobody_changed(
    whole: tuple[Project, PortalCrm], company: str
) -> None:
    project, crm = whole
    read_companies_by(project, company)
    crm.control("settings", {"missing_scopes": ["crm.objects.companies.read"]})
    seen = [one for one in findings(project) if "crm.objects.companies.read" in
            one["message"] + one["fix"]]  # fmt: skip
    assert [one["level"] for one in seen] == ["warning"], "told once"
    assert "Ready, but look" in project.call("check").stdout
    plan = project.data("plan")
    assert plan["changes"] == []
    [closed] = plan["unread"]
    assert (closed["entity"], closed["as_of"]) == ("account", None)
    assert closed["scopes"] == ["crm.objects.companies.read"]
    kinds = {one["kind"] for one in project.data("job-changes", "--all")}
    assert kinds == {"unknown"}
    told = " ".join(project.call("run").stdout.split())
    assert "crm.objects.companies.read" in told
    [last, *_] = project.data("runs")
    assert last["outcome"] == "done"
    assert "crm.objects.companies.read" in last["message"]

    crm.control("settings", {"missing_scopes": []})
    plan = project.data("plan")
    assert plan["unread"] == []
    assert plan["counts"]["auto"] > 0


def test_without_the_scope_for_owners_updates_go_and_tasks_wait(
    whole: tuple[Project, PortalCrm],
) -> None:
    project, crm = whole
    crm.control("settings", {"missing_scopes": ["crm.objects.owners.read"]})
    outcome = project.data("run")
    assert [one["entity"] for one in outcome["unread"]] == ["colleague"]
    assert outcome["applied"]["written"] > 0
    assert crm.records("tasks") == {}
    waiting = project.data("changes", "--waiting")["changes"]
    assert any(one["entity"] == "task" for one in waiting)


def test_without_the_scope_for_contacts_nothing_runs(whole: tuple[Project, PortalCrm]) -> None:
    project, crm = whole
    crm.control("settings", {"missing_scopes": ["crm.objects.contacts.read"]})
    assert "crm.objects.contacts.read" in project.call("plan", expect=5).stderr
    seen = findings(project, expect=5)
    assert any(one["level"] == "problem" for one in seen)
    assert any(one["subject"] == "companies" and one["level"] == "ok" for one in seen), (
        "the others are looked at all the same"
    )
