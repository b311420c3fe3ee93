from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_sync.connector import (
    Entity,
    QuotaReached,
    RateLimited,
)
from crm_sync.stages.pull import pull_all
from crm_sync.store import records
from crm_sync.workspace import Workspace, open_workspace, utc_now
from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce.sandbox import SalesforceSandbox
from tests.support.salesforce_org import Org, seed, steady, titles


def test_the_allowance_is_followed_and_its_end_stops_the_run(
    org: Org, crm: SalesforceConnector
) -> None:
    [id] = seed(crm, ["old"])
    org.control("settings", {"daily_calls": 100, "used_calls": 85})
    assert titles(crm, [id]) == ["old"]
    usage = crm.usage()
    assert usage is not None
    assert usage.allowed == 100
    with pytest.raises(QuotaReached, match="of 100 calls"):
        steady(crm).read(Entity.CONTACT, [id], ["Title"])
    org.control("settings", {"used_calls": 100})
    with pytest.raises(QuotaReached, match="REQUEST_LIMIT_EXCEEDED"):
        crm.read(Entity.CONTACT, [id], ["Title"])


MAPPING = """\
contact:
  object: Contact
  read: {last_name: LastName, title: Title}
"""


@pytest.fixture
def workspace(org: Org, tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    settings = {
        "connector": "salesforce",
        "instance_url": org.url,
        "auth": {"flow": "session_id", "session_id": "sandbox-session"},
        "mapping": "mapping.yaml",
        "page_size": 200,
        "quota_floor": 0.2,
    }
    config = {"database": "sqlite:///own.db", "connections": {"main": settings}}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    with open_workspace(tmp_path / "config.yaml") as opened:
        yield opened


def _pull(workspace: Workspace) -> int:
    """One pull, as a run makes it; returns how many calls it made."""
    connection = workspace.config.connection("main")
    with workspace.crm(connection) as crm:
        mapping = workspace.mapping(connection)
        pull_all(workspace.store, connection, mapping, crm, now=utc_now())
        return crm.calls["pull"]


def _held(workspace: Workspace) -> set[str]:
    with workspace.store.read() as tx:
        return set(records.all_records(tx, "main", Entity.CONTACT))


def test_a_floor_that_is_crossed_half_way_stops_a_pull_which_later_goes_on_where_it_was(
    org: Org, crm: SalesforceConnector, workspace: Workspace
) -> None:
    ids = set(seed(crm, [f"t{n}" for n in range(1000)]))
    org.control("settings", {"daily_calls": 100, "used_calls": 78})
    with pytest.raises(QuotaReached, match="of 100 calls"):
        _pull(workspace)
    # 79 and 80 used leave the floor untouched; the third call goes below it, and is the last.
    assert len(_held(workspace)) == 600
    with pytest.raises(QuotaReached):
        _pull(workspace)  # only a call tells a new run what is left: one more page
    assert len(_held(workspace)) == 800
    org.control("settings", {"used_calls": 0})
    assert _pull(workspace) == 1
    assert _held(workspace) == ids


def test_too_many_at_once_is_a_pause_and_not_the_end(org: Org, crm: SalesforceConnector) -> None:
    body = [
        {"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}
    ]
    [id] = seed(crm, ["old"])
    org.fault("status", status=403, body=body)
    with pytest.raises(RateLimited):
        crm.read(Entity.CONTACT, [id], ["Title"])


def test_the_schema_is_complete_in_a_prepared_org_and_told_in_a_bare_one(
    crm: SalesforceConnector, tmp_path: Path
) -> None:
    assert crm.missing_schema(crm.schema) == []
    with SalesforceSandbox.open(tmp_path / "bare.db", bare=True) as bare:
        lacking = Org(bare.start().url).connect().missing_schema(crm.schema)
    assert [change.wanted for change in lacking] == list(crm.schema)
    assert all(change.action.startswith("create ") for change in lacking)


def test_a_hidden_and_a_closed_field_are_missing(org: Org, crm: SalesforceConnector) -> None:
    hidden = {"object": "Contact", "field": "Crm_Sync_Moved__c", "hidden": True}
    closed = {"object": "Contact", "field": "Crm_Sync_New_Title__c", "updateable": False}
    org.control("fields", hidden)
    org.control("fields", closed)
    lacking = {change.wanted.name: change for change in crm.missing_schema(crm.schema)}
    assert set(lacking) == {"Crm_Sync_Moved__c", "Crm_Sync_New_Title__c"}
    assert "may not see it" in lacking["Crm_Sync_Moved__c"].reason
    assert "may not write it" in lacking["Crm_Sync_New_Title__c"].reason


def test_check_names_an_object_that_cannot_be_seen(org: Org, crm: SalesforceConnector) -> None:
    gone = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    org.fault("status", {"path": "sobjects/Task/describe"}, status=404, body=gone)
    problems = [finding for finding in crm.check() if finding.level == "problem"]
    assert [(one.subject, "access to Task" in one.fix) for one in problems] == [("Task", True)]


def test_check_warns_when_the_day_is_nearly_used_up(org: Org, crm: SalesforceConnector) -> None:
    org.control("settings", {"daily_calls": 1000, "used_calls": 900})
    [finding] = [one for one in crm.check() if one.subject == "sign-in"]
    assert finding.level == "warning"
    assert "of 1000" in finding.message
