from __future__ import annotations

import json
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crm_sync.errors import ConfigError, NotFound
from crm_sync.mapping import load_mapping
from crm_sync.model import (
    Band,
    Entity,
    Evidence,
    JobChange,
    JobChangeKind,
    Position,
    Record,
)
from crm_sync.shipped import shipped
from crm_sync.store.runs import Run
from crm_sync.views import contact_name, job_change_view, run_view
from crm_sync.workspace import open_workspace, utc_now

CONFIG = """\
database: sqlite:///state/own.db
connections:
  main:
    connector: salesforce
    mapping: maps/own.yaml
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "own.yaml").write_text(shipped("mappings/salesforce.yaml").read_text())
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return path


def test_a_workspace_opens_the_database_and_the_mappings_that_the_configuration_names(
    config: Path,
) -> None:
    with open_workspace(config) as workspace:
        mapping = workspace.mapping(workspace.config.connection("main"))
        assert mapping.file.path == config.parent / "maps" / "own.yaml"
        assert workspace.store.path == config.parent / "state" / "own.db"
    with sqlite3.connect(config.parent / "state" / "own.db") as db:
        assert db.execute("SELECT count(*) FROM plan").fetchone() == (0,)
    db.close()


def test_a_workspace_gives_the_database_back_also_after_an_error(config: Path) -> None:
    with pytest.raises(NotFound), open_workspace(config) as workspace:
        workspace.config.connection("other")
    (config.parent / "state" / "own.db").unlink()
    with open_workspace(config) as again, again.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM plan").scalar() == 0


def test_a_mistake_in_the_configuration_makes_no_database(config: Path) -> None:
    config.write_text(CONFIG + "mode: review\n")
    with pytest.raises(ConfigError), open_workspace(config):
        pass
    assert list((config.parent / "state").iterdir()) == []


def test_the_clock_is_in_utc() -> None:
    assert utc_now().tzinfo is UTC


@pytest.mark.parametrize(
    "name",
    [
        "config.example.yaml",
        "mappings/salesforce.yaml",
        "mappings/playbooks.yaml",
        "mappings/people_data_labs.yaml",
    ],
)
def test_what_is_shipped_is_found(name: str) -> None:
    assert shipped(name).is_file()


def test_everything_the_example_names_is_shipped() -> None:
    with_paths = shipped("config.example.yaml").read_text()
    for word in with_paths.split():
        if word.startswith("mappings/"):
            assert shipped(word).is_file(), word


def test_a_job_change_is_printed_with_the_keys_that_scripts_rely_on() -> None:
    change = JobChange(
        "003A",
        JobChangeKind.MOVED,
        0.123456,
        Band.REVIEW,
        Position("CFO", "Acme"),
        Position("CEO", "Beta"),
        since=date(2026, 1, 2),
        evidence=(Evidence("r", "d", "s", date(2026, 6, 1), 12.5), Evidence("q", "e")),
    )
    shown = json.loads(json.dumps(job_change_view(change)))
    wanted = {
        "contact_id": "003A",
        "kind": "moved",
        "confidence": 0.1235,
        "band": "review",
        "since": "2026-01-02",
        "from": {"title": "CFO", "organisation": "Acme"},
        "to": {"title": "CEO", "organisation": "Beta"},
    }
    assert {key: shown[key] for key in wanted} == wanted
    assert shown["evidence"] == [
        {"rule": "r", "detail": "d", "source": "s", "as_of": "2026-06-01", "weight": 12.5},
        {"rule": "q", "detail": "e", "source": "", "as_of": None, "weight": None},
    ]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"FirstName": "Ann", "LastName": "Example"}, "Ann Example"),
        ({"FirstName": None, "LastName": "Example"}, "Example"),
        ({"FirstName": "", "LastName": None}, "003A"),
    ],
)
def test_a_contact_is_called_by_its_name_else_by_its_id(
    fields: dict[str, str | None], name: str
) -> None:
    mapping = load_mapping(shipped("mappings/salesforce.yaml"))
    assert contact_name(mapping, Record(Entity.CONTACT, "003A", fields)) == name


def test_a_run_that_was_killed_is_told_as_unfinished() -> None:
    begun = datetime(2026, 6, 15, tzinfo=UTC)
    shown = run_view(Run(1, "main", "run", None, begun, None, None, {}, ""))
    assert (shown["outcome"], shown["ended_at"]) == ("unfinished", None)
