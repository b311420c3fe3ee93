"""Making fields: what is asked of a connector, and what is told when it stops half-way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crm_sync import registry
from crm_sync.connector import FieldSpec, FieldType, Finding, Level, SchemaChange
from crm_sync.errors import AccessDenied, CrmSyncError, ScopeMissing, ServerFault
from crm_sync.fields import FieldsReport, set_up
from crm_sync.model import Entity
from crm_sync.workspace import Workspace, open_workspace
from crm_sync_salesforce.connector import SalesforceConnector

MAPPING = """\
contact:
  object: Contact
  read: {title: Title}
  write:
    title: {field: Title}
    moved: {field: Moved}
    moved_on: {field: Moved_On}
task:
  object: Task
  write:
    subject: {field: Subject}
    contact_id: {field: WhoId}
    key: {field: Key}
"""
CONFIG = """\
connections:
  main:
    connector: fake
    instance_url: http://127.0.0.1:1
    auth: {flow: session_id, session_id: x}
    mapping: mapping.yaml
    language: fr
"""


def spec(entity: Entity, name: str, **more: Any) -> FieldSpec:
    return FieldSpec(entity, name, FieldType.TEXT, **more)


class Reader(SalesforceConnector):
    """A CRM that only shows what it lacks."""

    schema: ClassVar[Sequence[FieldSpec]] = (
        spec(Entity.CONTACT, "Moved"),
        spec(Entity.CONTACT, "Moved_On"),
        spec(Entity.CONTACT, "Not_Mapped"),
        spec(Entity.TASK, "Key", unique=True),
    )
    held: ClassVar[dict[str, bool]] = {}

    def missing_schema(self, wanted: Sequence[FieldSpec]) -> list[SchemaChange]:
        lacking = []
        for one in wanted:
            if one.name not in self.held:
                lacking.append(SchemaChange(one, "create it", "it is not there"))
            elif one.unique and not self.held[one.name]:
                lacking.append(SchemaChange(one, "leave it", "it is not unique"))
        return lacking


class Writer(Reader):
    """One that makes fields, until `stops` says otherwise."""

    languages: ClassVar[list[str]] = []
    stops: ClassVar[dict[str, CrmSyncError]] = {}
    refuses: ClassVar[set[str]] = set()
    keeps_unique: ClassVar[bool] = True

    def create_schema(self, changes: Sequence[SchemaChange], *, language: str) -> Sequence[Finding]:
        told = []
        for change in changes:
            name = change.wanted.name
            self.languages.append(language)
            if name in self.stops:
                raise self.stops[name]
            if name in self.refuses:
                told.append(Finding(Level.PROBLEM, name, "refused"))
                continue
            self.held[name] = self.keeps_unique
            told.append(Finding(Level.OK, name, "made"))
        return told


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    (tmp_path / "config.yaml").write_text(CONFIG)
    with open_workspace(tmp_path / "config.yaml") as opened:
        yield opened


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> type[Writer]:
    class Fresh(Writer):
        held: ClassVar[dict[str, bool]] = {}
        languages: ClassVar[list[str]] = []
        stops: ClassVar[dict[str, CrmSyncError]] = {}
        refuses: ClassVar[set[str]] = set()

    monkeypatch.setattr(registry, "find", lambda _: Fresh)
    return Fresh


def names(changes: Sequence[SchemaChange]) -> list[str]:
    return [one.wanted.name for one in changes]


def test_what_the_mapping_writes_is_looked_for_and_nothing_made_unasked(
    workspace: Workspace, writer: type[Writer]
) -> None:
    report = set_up(workspace, None, apply=False)
    assert names(report.missing) == ["Moved", "Moved_On", "Key"]
    assert report.exit_code == 0
    assert writer.held == {}


def test_what_is_missing_is_made_in_the_connections_language_and_told(
    workspace: Workspace, writer: type[Writer]
) -> None:
    steps: list[tuple[str, int, int | None]] = []
    report = set_up(workspace, "main", apply=True, progress=lambda *step: steps.append(step))
    assert set(writer.held) == {"Moved", "Moved_On", "Key"}
    assert writer.languages == ["fr"] * 3
    assert [one.level for one in report.told] == [Level.OK] * 3
    assert (report.still_missing, report.exit_code) == ((), 0)
    assert [done for _, done, _ in steps] == [0, 1, 2]
    again = set_up(workspace, "main", apply=True, language="en")
    assert again.missing == ()
    assert writer.languages == ["fr"] * 3


def test_a_field_that_is_refused_is_still_missing(
    workspace: Workspace, writer: type[Writer]
) -> None:
    writer.refuses.add("Moved_On")
    report = set_up(workspace, None, apply=True)
    assert names(report.still_missing) == ["Moved_On"]
    assert set(writer.held) == {"Moved", "Key"}
    assert report.exit_code == 4


def test_a_key_that_is_there_and_not_unique_is_told_and_left(
    workspace: Workspace, writer: type[Writer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "keeps_unique", False)
    report = set_up(workspace, None, apply=True)
    assert (report.still_missing, names(report.loose), report.exit_code) == ((), ["Key"], 0)
    writer.languages.clear()
    again = set_up(workspace, None, apply=True)
    assert (again.missing, names(again.loose), again.exit_code) == ((), ["Key"], 0)
    assert writer.languages == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ScopeMissing("no", scopes=("schemas.write",)), 5),
        (AccessDenied("no"), 5),
        (ServerFault("no"), 75),
    ],
)
def test_an_error_before_the_first_field_is_raised_and_a_later_one_kept(
    workspace: Workspace, writer: type[Writer], error: CrmSyncError, code: int
) -> None:
    writer.stops["Moved_On"] = error
    report = set_up(workspace, None, apply=True)
    assert (names(report.still_missing), report.exit_code) == (["Moved_On", "Key"], code)
    assert report.problem is error
    with pytest.raises(type(error)):
        set_up(workspace, None, apply=True)


def test_a_connector_that_makes_no_fields_shows_them(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "find", lambda _: Reader)
    shown: FieldsReport = set_up(workspace, None, apply=False)
    assert (shown.creates, shown.exit_code, len(shown.missing)) == (False, 0, 3)
    assert set_up(workspace, None, apply=True).exit_code == 2
