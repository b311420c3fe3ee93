"""A mapping that the portal does not bear out: `check` and `plan` say so, at the same line."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from crm_sync import pipeline
from crm_sync.checks import check_all
from crm_sync.connector import Level
from crm_sync.errors import ConfigError
from crm_sync.sandbox.world import World
from crm_sync.workspace import open_workspace
from crm_sync_hubspot.sandbox import HubSpotSandbox
from tests.support.hubspot_crm import PortalCrm, a_project
from tests.support.project import Project

NAME = "sandbox"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, PortalCrm]]:
    folder = tmp_path_factory.mktemp("misfit")
    world = World(seed=5, contacts=12)
    world.write_profiles(folder / "profiles.jsonl")
    with HubSpotSandbox.open(folder / "portal.db") as sandbox:
        sandbox.seed(world)
        profiles = folder / "profiles.jsonl"
        with a_project(folder, sandbox, profiles, world.later.isoformat()) as both:
            yield both


@pytest.fixture
def project(opened: tuple[Project, PortalCrm]) -> Iterator[Project]:
    """With its mapping as it was, and a database of its own."""
    project, _ = opened
    mapping = project.folder / "mappings" / "hubspot.yaml"
    text = mapping.read_text(encoding="utf-8")
    yield project
    mapping.write_text(text, encoding="utf-8")
    for file in project.folder.glob("crm-sync.db*"):
        file.unlink()


def change(project: Project, line: str, new: str) -> int:
    """Write `new` for the one line that begins so; its number."""
    mapping = project.folder / "mappings" / "hubspot.yaml"
    lines = mapping.read_text(encoding="utf-8").splitlines()
    [at] = [at for at, one in enumerate(lines) if one.strip().startswith(line)]
    lines[at] = re.match(r" *", lines[at])[0] + new  # type: ignore[index]
    mapping.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return at + 1


def refusals(project: Project) -> tuple[list[str], ConfigError]:
    """The problems that `check` names, and what `plan` stops with before it has read anything."""
    config = project.folder / "config.yaml"
    result = check_all(config, NAME)[NAME]
    assert result.exit_code == 2
    with open_workspace(config) as workspace:
        with pytest.raises(ConfigError) as caught:
            pipeline.plan(workspace, NAME)
        with workspace.store.read() as tx:
            assert tx.exec_driver_sql("select count(*) from record").scalar() == 0
            assert tx.exec_driver_sql("select count(*) from plan").scalar() == 0
    problems = [one.message for one in result.findings if one.level is Level.PROBLEM]
    return problems, caught.value


@pytest.mark.parametrize(
    ("line", "new", "message"),
    [
        ("moved: {", "moved: {field: lastmodifieddate}", "may not write `lastmodifieddate`"),
        ("moved: {", "moved: {field: city}", "`moved` is a flag, and `city` is of type text"),
        ("moved_on: {", "moved_on: {field: city}", "`moved_on` is a date"),
        ("new_title: {", "new_title: {field: lifecyclestage}", "`new_title` is a text"),
        ("job_change: {", "job_change: {field: lifecyclestage}", "`retitled`, `moved`, `left`"),
        (
            "job_change: {",
            "job_change: {field: crm_sync_job_change, values: {moved: Gone away}}",
            "`Gone away`: not among the values",
        ),
        ("status: {", "status: {field: hs_task_status, constant: NotStarted}", "`NotStarted`"),
        ("priority: {", "priority: {field: hs_task_importance}", "no field `hs_task_importance`"),
        ("account_id: ass", "account_id: associations.companies", "many ids"),
        ("account_id: ass", "account_id: associations.deals", "the ids of deals"),
        ("account_id: ass", "account_id: associations.company.primary", "no field `assoc"),
        ("owner_id: hub", "owner_id: associations.contacts", "no field `associations.contacts`"),
        (
            "contact_id: {",
            "contact_id: {field: associations.deals}",
            "the ids of deals, and `contact_id` is that of one of the contacts",
        ),
    ],
)
def test_check_and_plan_refuse_the_same_line(
    project: Project, line: str, new: str, message: str
) -> None:
    if line.startswith("owner_id"):  # the contact's, not the company's
        mapping = project.folder / "mappings" / "hubspot.yaml"
        text = mapping.read_text(encoding="utf-8")
        mapping.write_text(text.replace("    owner_id: hub", "    owner_id:  hub", 1))
        line = "owner_id:  hub"
    at = change(project, line, new)
    problems, refused = refusals(project)
    place = f"hubspot.yaml:{at}:5"
    assert any(place in one and message in one for one in problems), problems
    assert place in str(refused)
    assert message in str(refused)


@pytest.mark.parametrize(
    "where", ["lifecyclestag IN (customer)", "lifecyclestage LIKE x", "associations.deals EQ 1"]
)
def test_a_filter_is_refused_at_its_line(project: Project, where: str) -> None:
    at = change(project, "# where:", f'where: "{where}"')
    problems, refused = refusals_of_filter(project)
    assert any(f"hubspot.yaml:{at}:3" in one for one in problems), problems
    assert refused.place.endswith(f"hubspot.yaml:{at}:3")


def refusals_of_filter(project: Project) -> tuple[list[str], ConfigError]:
    config = project.folder / "config.yaml"
    found = check_all(config, NAME)[NAME].findings
    with open_workspace(config) as workspace, pytest.raises(ConfigError) as caught:
        pipeline.plan(workspace, NAME)
    return [one.message for one in found if one.level is Level.PROBLEM], caught.value


def test_one_property_under_two_names_is_refused_by_both(project: Project) -> None:
    at = change(project, "moved_on: {", "moved_on: {field: jobtitle}")
    for command in ("check", "plan"):
        done = project.call(command, expect=2)
        assert f"hubspot.yaml:{at}:5" in done.stdout + done.stderr
        assert "`title`" in done.stdout + done.stderr


def test_looking_costs_one_description_of_each_object_and_run(
    opened: tuple[Project, PortalCrm], project: Project
) -> None:
    with open_workspace(project.folder / "config.yaml") as workspace:
        outcome = pipeline.run(workspace, NAME)
    assert outcome.calls["describe"] == 4
