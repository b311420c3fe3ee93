from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from crm_sync.connector import (
    AccessDenied,
    Entity,
    FieldSpec,
    FieldType,
    Finding,
    Level,
    ScopeMissing,
    ServerFault,
)
from crm_sync.mapping import load_mapping
from crm_sync.shipped import shipped
from crm_sync_hubspot import HubSpotConnector
from crm_sync_hubspot.schema import SCHEMA, TASK_KEY
from crm_sync_hubspot.schema.labels import words
from tests.support.hubspot_portal import VERSION, Portal, a_portal

CONTACTS = f"/crm/properties/{VERSION}/contacts"
TASKS = f"/crm/properties/{VERSION}/tasks"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with a_portal(tmp_path, bare=True) as portal:
        yield portal


@pytest.fixture
def crm(portal: Portal) -> Iterator[HubSpotConnector]:
    with closing(portal.connect()) as connector:
        yield connector


def create(
    crm: HubSpotConnector, wanted: Sequence[FieldSpec] = SCHEMA, language: str = "en"
) -> list[Finding]:
    return list(crm.create_schema(crm.missing_schema(wanted), language=language))


def levels(findings: Sequence[Finding]) -> set[Level]:
    return {finding.level for finding in findings}


def test_all_of_the_schema_is_missing_in_a_bare_portal_and_there_once_created(
    portal: Portal, crm: HubSpotConnector
) -> None:
    changes = crm.missing_schema(SCHEMA)
    assert [change.wanted for change in changes] == list(SCHEMA)
    assert all(change.action.startswith("create") and change.reason for change in changes)
    findings = create(crm)
    assert [finding.subject for finding in findings] == [spec.name for spec in SCHEMA]
    assert levels(findings) == {Level.OK}
    assert crm.missing_schema(SCHEMA) == []
    there = portal.properties("contacts") | portal.properties("tasks")
    assert there["crm_sync_moved"]["type"] == "bool"
    assert there["crm_sync_moved"]["fieldType"] == "booleancheckbox"
    assert there["crm_sync_evidence"]["fieldType"] == "textarea"
    assert there["crm_sync_key"]["hasUniqueValue"] is True
    options = [one["value"] for one in there["crm_sync_job_change"]["options"]]
    assert options == ["retitled", "moved", "left"]
    for spec in SCHEMA:
        assert there[spec.name]["groupName"] == "crm_sync"


def test_described_as_it_was_wanted(crm: HubSpotConnector) -> None:
    create(crm)
    described = {
        spec.name: spec for entity in (Entity.CONTACT, Entity.TASK) for spec in crm.describe(entity)
    }
    for spec in SCHEMA:
        found = described[spec.name]
        assert (found.type, found.unique, found.values) == (spec.type, spec.unique, spec.values)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_people_read_it_in_their_language(
    portal: Portal, crm: HubSpotConnector, language: str
) -> None:
    create(crm, language=language)
    there = portal.properties("contacts") | portal.properties("tasks")
    for spec in SCHEMA:
        said = words(spec.name, "fr" if language == "fr" else "en")
        assert said is not None
        assert there[spec.name]["label"] == said.label
        assert there[spec.name]["description"] == said.description
    labels = {one["value"]: one["label"] for one in there["crm_sync_job_change"]["options"]}
    assert labels["left"] == {"en": "Left", "fr": "Est partie"}[language]
    yes = {one["value"]: one["label"] for one in there["crm_sync_moved"]["options"]}
    assert yes["true"] == {"en": "Yes", "fr": "Oui"}[language]


def test_both_languages_speak_of_the_same_options() -> None:
    for spec in SCHEMA:
        english, french = words(spec.name, "en"), words(spec.name, "fr")
        assert english is not None
        assert french is not None
        assert set(english.options) == set(french.options) == set(spec.values)
        assert english.label != french.label


def test_the_shipped_mapping_fits_a_portal_that_was_set_up(crm: HubSpotConnector) -> None:
    create(crm)
    mapping = load_mapping(shipped("mappings/hubspot.yaml"))
    assert mapping.misplaced(crm.objects) == []
    for entity in (Entity.CONTACT, Entity.ACCOUNT, Entity.COLLEAGUE, Entity.TASK):
        assert mapping.problems(entity, crm.describe(entity)) == []
    named = {w.field for e in (Entity.CONTACT, Entity.TASK) for w in mapping.writes(e).values()}
    assert {spec.name for spec in SCHEMA} <= named


def test_creating_again_changes_nothing(portal: Portal, crm: HubSpotConnector) -> None:
    changes = crm.missing_schema(SCHEMA)
    crm.create_schema(changes, language="en")
    before = portal.properties("contacts") | portal.properties("tasks")
    findings = crm.create_schema(changes, language="fr")
    assert levels(findings) == {Level.OK}
    assert all("already" in finding.message for finding in findings)
    assert portal.properties("contacts") | portal.properties("tasks") == before


def test_a_group_that_another_setup_made_meanwhile_is_no_problem(
    portal: Portal, crm: HubSpotConnector
) -> None:
    portal.api("POST", f"{CONTACTS}/groups", {"name": "crm_sync", "label": "crm-sync"})
    groups = {"method": "GET", "path": f"{CONTACTS}/groups"}
    portal.fault("status", groups, status=200, body={"results": []})
    assert levels(create(crm)) == {Level.OK}
    assert crm.missing_schema(SCHEMA) == []


def test_a_group_that_is_refused_and_not_there_is_told(
    portal: Portal, crm: HubSpotConnector
) -> None:
    refused = {"status": "error", "category": "VALIDATION_ERROR", "message": "Too many groups"}
    groups = {"method": "POST", "path": f"{CONTACTS}/groups"}
    portal.fault("status", groups, status=400, body=refused)
    [first, *others] = create(crm, [spec for spec in SCHEMA if spec.entity is Entity.CONTACT])
    assert first.level is Level.PROBLEM
    assert "Too many groups" in first.message
    assert levels(others) == {Level.OK}


def test_setups_at_the_same_time_all_end_well(portal: Portal) -> None:
    def set_up(_: int) -> set[Level]:
        with closing(portal.connect()) as crm:
            return levels(create(crm)) - {Level.OK}

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(set_up, range(3))) == [set()] * 3
    with closing(portal.connect()) as crm:
        assert crm.missing_schema(SCHEMA) == []


def test_it_goes_on_after_a_failure_half_way(portal: Portal, crm: HubSpotConnector) -> None:
    changes = crm.missing_schema(SCHEMA)
    posts = {"method": "POST", "path": f"{CONTACTS}$"}
    portal.fault("status", posts, status=503, nth=4)
    portal.fault("drop_after", posts, nth=6)
    for _ in range(2):
        with pytest.raises(ServerFault):
            crm.create_schema(changes, language="en")
    assert levels(crm.create_schema(changes, language="en")) == {Level.OK}
    assert crm.missing_schema(SCHEMA) == []


def test_a_portal_that_keeps_no_task_key_unique_gets_a_plain_one_and_is_told(
    tmp_path: Path,
) -> None:
    with (
        a_portal(tmp_path, bare=True, unique_task_properties=False) as portal,
        closing(portal.connect()) as crm,
    ):
        [finding] = create(crm, [TASK_KEY])
        assert finding.level is Level.WARNING
        assert "at most once" in finding.message
        assert portal.properties("tasks")["crm_sync_key"]["hasUniqueValue"] is False
        [change] = crm.missing_schema([TASK_KEY])
        assert "unique" in change.reason
        [again] = crm.create_schema([change], language="en")
        assert again.level is Level.WARNING
        assert crm.missing_schema([replace(TASK_KEY, unique=False)]) == []


def test_options_are_added_beside_those_that_are_there(
    portal: Portal, crm: HubSpotConnector
) -> None:
    create(crm)
    where = f"{CONTACTS}/crm_sync_job_change"
    there = portal.properties("contacts")["crm_sync_job_change"]["options"]
    own = {"value": "sabbatical", "label": "On leave", "displayOrder": 3, "hidden": False}
    kept = [one for one in there if one["value"] != "left"]
    portal.api("PATCH", where, {"options": [*kept, own]})
    with closing(portal.connect()) as fresh:
        [change] = fresh.missing_schema(SCHEMA)
        assert "left" in change.reason
        [finding] = fresh.create_schema([change], language="fr")
        assert (finding.level, fresh.missing_schema(SCHEMA)) == (Level.OK, [])
    options = portal.properties("contacts")["crm_sync_job_change"]["options"]
    assert [one["value"] for one in options] == ["retitled", "moved", "sabbatical", "left"]
    assert next(one["label"] for one in options if one["value"] == "sabbatical") == "On leave"


def test_a_property_of_another_type_is_told_and_left_alone(
    portal: Portal, crm: HubSpotConnector
) -> None:
    body = {"name": "crm_sync_moved_on", "label": "When", "groupName": "contactinformation",
            "type": "string", "fieldType": "text"}  # fmt: skip
    portal.api("POST", CONTACTS, body)
    before = portal.properties("contacts")["crm_sync_moved_on"]
    findings = {finding.subject: finding for finding in create(crm)}
    told = findings.pop("crm_sync_moved_on")
    assert told.level is Level.PROBLEM
    assert "string" in told.message
    assert told.fix
    assert levels(list(findings.values())) == {Level.OK}
    assert portal.properties("contacts")["crm_sync_moved_on"] == before


def test_an_archived_property_is_told(portal: Portal, crm: HubSpotConnector) -> None:
    archived = {"name": "crm_sync_new_title", "archived": True, "type": "string"}
    listed = {"method": "GET", "path": f"{CONTACTS}.archived=true"}
    portal.fault("status", listed, status=200, body={"results": [archived]}, times=0)
    findings = {finding.subject: finding for finding in create(crm)}
    told = findings.pop("crm_sync_new_title")
    assert told.level is Level.PROBLEM
    assert "archived" in told.message
    assert "Restore" in told.fix
    assert levels(list(findings.values())) == {Level.OK}
    assert "crm_sync_new_title" not in portal.properties("contacts")


def test_a_permission_that_is_lacking_stops_it_with_its_name(
    portal: Portal, crm: HubSpotConnector
) -> None:
    changes = crm.missing_schema(SCHEMA)
    portal.control("settings", {"missing_scopes": ["crm.schemas.contacts.write"]})
    with pytest.raises(ScopeMissing) as caught:
        crm.create_schema(changes, language="en")
    assert caught.value.scopes == ("crm.schemas.contacts.write",)


def test_what_cannot_be_created_is_told(crm: HubSpotConnector) -> None:
    owner = FieldSpec(Entity.COLLEAGUE, "crm_sync_team", FieldType.TEXT)
    odd = FieldSpec(Entity.CONTACT, "crm_sync_odd", FieldType.REFERENCE)
    assert [change.wanted for change in crm.missing_schema([owner, odd])] == [owner, odd]
    assert levels(create(crm, [owner, odd])) == {Level.PROBLEM}


def test_a_check_tells_who_answers_and_what_can_be_done(crm: HubSpotConnector) -> None:
    findings = crm.check()
    assert levels(findings) == {Level.OK}
    told = {finding.subject: finding.message for finding in findings}
    assert "20260901" in told["sign-in"]
    assert {"contacts", "companies", "deals", "tasks", "emails", "owners"} <= set(told)


def test_missing_scopes_are_all_told_by_one_check(portal: Portal, crm: HubSpotConnector) -> None:
    missing = ["crm.objects.companies.read", "crm.objects.owners.read", "sales-email-read"]
    portal.control("settings", {"missing_scopes": missing})
    findings = {finding.subject: finding for finding in crm.check()}
    for subject, scope in zip(("companies", "owners", "emails"), missing, strict=True):
        assert findings[subject].level is Level.WARNING
        assert scope in findings[subject].message
        assert scope in findings[subject].fix
    assert findings["contacts"].level is findings["deals"].level is Level.OK


@pytest.mark.parametrize(
    ("scope", "subject", "level"),
    [
        ("crm.objects.contacts.read", "contacts", Level.PROBLEM),
        ("crm.objects.contacts.write", "contacts", Level.PROBLEM),
        ("crm.schemas.contacts.write", "properties", Level.WARNING),
    ],
)
def test_what_contacts_need_is_a_problem_when_it_is_missing(
    portal: Portal, scope: str, subject: str, level: Level
) -> None:
    portal.control("settings", {"missing_scopes": [scope]})
    with closing(portal.connect_by_oauth()) as crm:
        wrong = [one for one in crm.check() if one.level is not Level.OK and scope in one.message]
    assert (subject, level) in {(one.subject, one.level) for one in wrong}


def test_a_portal_that_does_not_tell_scopes_is_noted(portal: Portal, crm: HubSpotConnector) -> None:
    portal.fault("status", {"path": "introspect"}, status=404)
    findings = {finding.subject: finding for finding in crm.check()}
    assert findings["scopes"].level is Level.OK
    assert "first write" in findings["scopes"].message


def test_a_refused_token_ends_the_check(portal: Portal) -> None:
    with closing(portal.connect(token="wrong")) as crm, pytest.raises(AccessDenied):
        crm.check()


def test_a_record_has_the_address_that_people_know(portal: Portal, crm: HubSpotConnector) -> None:
    assert crm.url(Entity.CONTACT, "7") == f"{portal.url}/contacts/20260901/record/0-1/7"
    assert crm.url(Entity.TASK, "7").endswith("/record/0-27/7")
    assert "7" in crm.url(Entity.COLLEAGUE, "7")
    before = sum(portal.calls().values())
    assert crm.url(Entity.ACCOUNT, "8").endswith("/record/0-2/8")
    assert sum(portal.calls().values()) == before
