"""The documentation is complete where it is a reference, and its links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from crm_sync import config, errors, mapping, model
from crm_sync.changes import phrases
from crm_sync.cli.app import app
from crm_sync.cli.apply import PARTIAL
from crm_sync.enrichment import file
from crm_sync.enrichment import mapping as vendor
from crm_sync.enrichment.http import description as api
from crm_sync.enrichment.http.source import HttpConfig
from crm_sync.enrichment.people_data_labs import PeopleDataLabsConfig
from crm_sync.planning import guards, playbooks, templates
from crm_sync.sandbox.base import Sandbox
from crm_sync.sandbox.faults import KINDS
from crm_sync.store.states import State
from crm_sync_hubspot.config import AccessToken, HubSpotConfig, RefreshToken
from crm_sync_hubspot.connector import HubSpotConnector
from crm_sync_hubspot.sandbox import HubSpotSandbox
from crm_sync_hubspot.sandbox.dated import DATED
from crm_sync_hubspot.sandbox.portal import Settings
from crm_sync_salesforce.config import ClientCredentials, SalesforceConfig, SessionId
from crm_sync_salesforce.connector import SalesforceConnector
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.pages import (
    DOCS,
    PAGES,
    blocks,
    code_words,
    page,
    section,
)

VOCABULARY = (
    "Connection", "Connector", "Record", "Contact", "Account", "Colleague", "Deal", "Interaction",
    "Person", "Employment", "Observation", "Profile", "Match", "JobChange", "Tie", "Proximity",
    "Influence", "Factor", "Matrix", "FieldChange", "Change", "Plan", "Approval", "Run", "Journal",
    "Drift",
)  # fmt: skip
"""The words that code, YAML, screens and pages share."""


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_command_and_option_is_described() -> None:
    text = page("reference/commands.md")
    group: Any = typer.main.get_command(app)
    general = section(text, "## Options before the command")
    for option in (name for parameter in group.params for name in parameter.opts):
        assert f"`{option}" in general, option
    checked = 0
    for name, command in commands().items():
        described = section(text, f"### `{name}")
        options = [one.opts for one in command.params if one.param_type_name == "option"]
        checked += len(options)
        missing = [some for some in options if not any(f"`{one}" in described for one in some)]
        assert missing == [], name
    assert checked > 30


def test_no_command_is_described_that_is_not_there() -> None:
    described = re.findall(r"^### `([\w-]+)", page("reference/commands.md"), re.M)
    assert sorted(described) == sorted(commands())


@pytest.mark.parametrize("where", PAGES, ids=lambda path: path.name)
def test_every_command_that_a_page_calls_exists(where: Path) -> None:
    text = where.read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S))
    called = re.findall(r"^(?:\$ )?(?:.*&& )?(?:\S*/)?crm-sync ([a-z][\w-]*)", fenced, re.M)
    called += re.findall(r"`(?:\S*/)?crm-sync ([a-z][\w-]*)", text)
    assert set(called) - set(commands()) == set()


def models_of(*kinds: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for kind in kinds:
        for name in kind.model_fields:
            yield kind.__name__, name


@pytest.mark.parametrize(
    ("where", "kinds"),
    [
        (
            "reference/configuration.md",
            (config._File, config.ConnectionSettings, config.Guards, config.Precision,
             config.Matching, file.FileConfig, HttpConfig, PeopleDataLabsConfig,
             SalesforceConfig, ClientCredentials, SessionId,
             HubSpotConfig, AccessToken, RefreshToken),
        ),
        (
            "reference/mappings.md",
            (mapping.MappingModel, mapping.ContactSection, mapping.TaskSection,
             mapping.WriteField, mapping.JobChangeActions),
        ),
        (
            "reference/vendor-mappings.md",
            (vendor.VendorMapping, vendor.ProfilePaths, vendor.EmploymentPaths, vendor.DatePaths),
        ),
        (
            "reference/api-descriptions.md",
            (api.Description, api.RequestShape, api.Pages, api.AnswerShape, api.Statuses,
             api.Limit, api.Charge, api.Timeouts, api.Check, api.HeaderKey),
        ),
        (
            "reference/playbooks.md",
            (playbooks.RuleModel, playbooks.When, playbooks.TaskModel, playbooks.Texts),
        ),
    ],
)  # fmt: skip
def test_every_setting_is_described(where: str, kinds: Sequence[type[BaseModel]]) -> None:
    text = page(where)
    known = code_words(text) | set(re.findall(r"(\w+):", "\n".join(blocks(text, "yaml"))))
    missing = [(owner, name) for owner, name in models_of(*kinds) if name not in known]
    assert missing == []


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("reference/configuration.md", model.Mode),
        ("reference/mappings.md", model.Policy),
        ("reference/mappings.md", mapping.JobChangeAction),
        ("glossary.md", model.Policy),
        ("glossary.md", model.Mode),
        ("glossary.md", model.Band),
        ("glossary.md", model.JobChangeKind),
        ("explanation/judging-a-job-change.md", model.JobChangeKind),
        ("explanation/judging-a-job-change.md", model.Band),
        ("explanation/writing-safely.md", State),
    ],
)
def test_every_value_of_a_choice_is_described(where: str, kind: type[StrEnum]) -> None:
    assert {one.value for one in kind} - code_words(page(where)) == set()


def test_every_canonical_name_is_described_in_its_section() -> None:
    text = page("reference/mappings.md")
    for side, names in (("read", mapping.READABLE), ("write", mapping.WRITABLE)):
        described = section(text, f"## `{side}")
        for entity, wanted in names.items():
            known = code_words(section(described, f"### {entity.value.capitalize()}"))
            assert set(wanted) <= known, (side, entity)


def test_every_variable_and_filter_of_templates_is_described() -> None:
    known = code_words(page("reference/playbooks.md"))
    assert set(templates.VARIABLES) <= known
    assert {*templates._FILTERS, "date", "month"} <= known


def test_every_guard_is_described() -> None:
    names = {
        guards.EMPTY_SOURCE, guards.SHRUNKEN_SOURCE, guards.SHARE_CHANGED,
        guards.CONTACTS_CHANGED, guards.BLANKS_OVER_VALUES, guards.TASKS_PER_COLLEAGUE,
    }  # fmt: skip
    assert names <= code_words(page("explanation/writing-safely.md"))


def test_every_doubt_and_every_reason_for_not_knowing_is_described() -> None:
    text = page("explanation/judging-a-job-change.md")
    words = [*phrases.DOUBT_WORDS.values(), *phrases.FINDING_WORDS.values()]
    assert [one for one in words if f"| {re.sub(r'{[a-z_]+}', '…', one)} |" not in text] == []


def test_every_exit_code_is_described() -> None:
    described = set(re.findall(r"^\| (\d+) \|", page("reference/exit-codes.md"), re.M))
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.exit_code for one in kinds if issubclass(one, errors.CrmSyncError)}
    assert {str(code) for code in codes | {0, PARTIAL, 130}} == described


SANDBOXES: Sequence[type[Sandbox]] = (SalesforceSandbox, HubSpotSandbox)


@pytest.mark.parametrize("kind", SANDBOXES)
def test_every_end_point_and_fault_of_a_sandbox_is_described(
    kind: type[Sandbox], tmp_path: Path
) -> None:
    text = page("reference/sandbox.md")
    with kind.open(tmp_path / "crm.db") as sandbox:
        routes = [*sandbox._control_routes(), *sandbox.routes()]
    control = {one.pattern.pattern for one in routes if one.pattern.pattern.startswith("/sandbox")}
    assert len(control) > 5
    assert [path for path in control if path not in text] == []
    assert set(KINDS) <= code_words(text)


def test_every_setting_of_the_hubspot_sandbox_is_described() -> None:
    known = code_words(section(page("reference/sandbox.md"), "## HubSpot"))
    assert {one.name for one in dataclasses.fields(Settings)} <= known


def shown_path(pattern: str) -> str:
    """A route's pattern as the page writes it."""
    plain = pattern.replace(r"(?P<base>/services/data/v\d\d\.\d)", "…").replace("(?:All)?", "")
    # HubSpot's: one form is shown where several are answered.
    plain = plain.replace(DATED, "2026-09")
    plain = re.sub(r"\(\?P<dated>(.*?)\)", r"\1", plain)
    plain = re.sub(r"\(\?:(\w+)/(?:\(\?:)?20[^)]*\)?(?:\|[\w/]+)?\)", r"\1/…", plain)
    plain = re.sub(r"\(\?:2026[^)]*\)", "…", plain).replace("2026-09", "…")
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", plain).replace(r"\w+/\w+", "…")


@pytest.mark.parametrize("kind", SANDBOXES)
def test_every_call_that_a_sandbox_answers_is_described(
    kind: type[Sandbox], tmp_path: Path
) -> None:
    lines = page("reference/sandbox.md").splitlines()
    with kind.open(tmp_path / "crm.db") as sandbox:
        routes = [(one.method, shown_path(one.pattern.pattern)) for one in sandbox.routes()]
    assert len(routes) > 20
    missing = [
        (method, path)
        for method, path in routes
        if not any(
            method in line and re.search(rf"{re.escape(path)}(?![\w/])", line) for line in lines
        )
    ]
    assert missing == []


def test_the_fields_to_create_in_salesforce_are_those_that_are_written() -> None:
    text = page("how-to/connect-salesforce.md")
    listed = set(re.findall(r"`(Crm_Sync_\w+__c)`", section(text, "## 2")))
    assert listed == {spec.name for spec in SalesforceConnector.schema}


def test_the_properties_that_setup_makes_in_hubspot_are_those_that_are_written() -> None:
    listed = set(re.findall(r"`(crm_sync_\w+)`", page("how-to/install-hubspot.md")))
    assert listed == {spec.name for spec in HubSpotConnector.schema}


def test_every_word_of_the_vocabulary_is_in_the_glossary() -> None:
    defined = re.findall(r"^\*\*(.+?)\*\*.*\n: ", page("glossary.md"), re.M)
    assert set(VOCABULARY) <= set(defined)
    assert len(defined) == len(set(defined))


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    names = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    listed = page("explanation/architecture.md")
    for number, name in enumerate(names, start=1):
        text = page(f"decisions/{name}")
        assert text.startswith(f"# {number}. ")
        assert [one for one in ("## Context", "## Decision", "## Consequence") if one in text] == [
            "## Context", "## Decision", "## Consequence",
        ]  # fmt: skip
        assert f"(../decisions/{name})" in listed


# Links


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    plain = [re.sub(r"[^\w\- ]", "", one.lower()) for one in headings]
    return {one.replace(" ", "-") for one in plain}


@pytest.mark.parametrize("where", PAGES, ids=lambda path: path.name)
def test_every_internal_link_leads_somewhere(where: Path) -> None:
    text = re.sub(r"^```.*?^```", "", where.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        found = (where.parent / name).resolve() if name else where
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target
