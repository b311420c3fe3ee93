from __future__ import annotations

import re
from pathlib import Path

import pytest

from crm_sync.connector import FieldSpec, FieldType
from crm_sync.errors import ConfigError
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.model import Entity, Policy, Record
from crm_sync.shipped import shipped
from crm_sync_salesforce import SalesforceConnector
from crm_sync_salesforce.sandbox.objects import STANDARD
from crm_sync_salesforce.schema import SCHEMA

SMALL = """\
contact:
  object: Contact
  where: "Active = true"
  read:
    first_name: FirstName
    title: Title
    organisation: Account.Name
  write:
    title: {field: Title, policy: review}
    job_change: {field: Change__c, values: {retitled: New title, moved: Gone}}
account:
  object: Account
  read: {name: Name}
task:
  object: Task
  write:
    subject: {field: Subject}
    contact_id: {field: WhoId}
    status: {field: Status, constant: Open}
"""


def mapping_of(folder: Path, text: str = SMALL) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_text(text)
    return load_mapping(path)


def spec(name: str, entity: Entity = Entity.CONTACT, **more: object) -> FieldSpec:
    return FieldSpec(entity, name, FieldType.TEXT, **more)  # type: ignore[arg-type]


DESCRIBED = [
    spec("FirstName"),
    spec("Title"),
    spec("Change__c", values=("New title", "Gone"), restricted=True),
]


def test_every_field_of_the_shipped_mapping_is_one_that_an_org_has_or_gets() -> None:
    mapping = load_mapping(shipped("mappings/salesforce.yaml"))
    objects = {one.name: {field.name for field in one.fields.values()} for one in STANDARD}
    created = {(one.entity, one.name) for one in SCHEMA}
    from_an_admin = {"LinkedIn_URL__c"}  # the customer's own; the file says how to leave it out
    for entity in Entity:
        section = mapping.reads(entity)
        names = set(section.read.values()) if section else set()
        names |= {write.field for write in mapping.writes(entity).values()}
        kind = {Entity.COLLEAGUE: "User"}.get(entity, entity.value.capitalize())
        unknown = {
            name
            for name in names - from_an_admin
            if name not in objects.get(kind, {}) and (entity, name) not in created
        }
        assert unknown == set(), entity


def test_every_field_that_set_up_creates_is_mapped() -> None:
    mapping = load_mapping(shipped("mappings/salesforce.yaml"))
    mapped = {
        (entity, write.field) for entity in Entity for write in mapping.writes(entity).values()
    }
    assert {(one.entity, one.name) for one in SCHEMA} - mapped == set()


def test_every_value_of_the_shipped_mapping_is_one_of_its_list() -> None:
    mapping = load_mapping(shipped("mappings/salesforce.yaml"))
    problems = mapping.problems(Entity.CONTACT, list(SCHEMA))
    assert not [one for one in problems if "not among the values" in one.message]


def test_names_that_crm_sync_does_not_know_are_told_together_with_guesses(tmp_path: Path) -> None:
    text = SMALL.replace("first_name: First", "firstname: First").replace(
        "    status: {", "    stauts: {"
    )
    with pytest.raises(ConfigError) as caught:
        mapping_of(tmp_path, text)
    told = str(caught.value)
    assert re.findall(r"mapping\.yaml:(\d+:\d+)", told) == ["5:5", "19:5"]
    assert "Did you mean `first_name`?" in told
    assert "Did you mean `status`?" in told


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("title: Title", "title: Ti tle", "6:5", "letters, digits"),
        ("title: Title", "title: 'Title FROM Contact--'", "6:5", "letters, digits"),
        ("title: Title", 'title: "Title\'"', "6:5", "letters, digits"),
        ("object: Account", "object: 'Account; DROP'", "12:3", "letters, digits"),
        ("policy: review", "policy: sometimes", "9:27", "'never', not 'sometimes'"),
        ("    subject: {field: Subject}\n", "", "14:1", "a task needs `subject`"),
        ("  object: Contact\n", "", "1:1", "`contact.object` is missing"),
        ("contact:\n", "contacts:\n", "1:1", "`contact` is missing"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError) as caught:
        mapping_of(tmp_path, SMALL.replace(old, new, 1))
    assert caught.value.place.endswith(f"mapping.yaml:{place}")
    assert message in caught.value.message


def test_a_mapping_that_fits_the_crm_has_no_problems(tmp_path: Path) -> None:
    assert mapping_of(tmp_path).problems(Entity.CONTACT, DESCRIBED) == []


@pytest.mark.parametrize(
    ("described", "place", "message", "fix"),
    [
        (
            [spec("FirstNme"), *DESCRIBED[1:]],
            "5:5",
            "the CRM has no field `FirstName`",
            "Did you mean `FirstNme`?",
        ),
        (
            [spec("FirstName"), spec("Title", updateable=False), DESCRIBED[2]],
            "9:5",
            "may not write `Title`",
            "Grant edit permission",
        ),
        (
            [*DESCRIBED[:2], spec("Change__c", values=("A", "B"), restricted=True)],
            "10:5",
            "`New title`, `Gone`: not among the values of `Change__c`",
            "Use one of: A, B.",
        ),
    ],
)
def test_what_the_crm_would_not_take_is_told_with_its_line(
    tmp_path: Path, described: list[FieldSpec], place: str, message: str, fix: str
) -> None:
    (problem,) = mapping_of(tmp_path).problems(Entity.CONTACT, described)
    assert problem.place.endswith(f"mapping.yaml:{place}")
    assert message in problem.message
    assert fix in problem.fix


def test_values_of_an_open_list_are_left_to_the_crm(tmp_path: Path) -> None:
    described = [*DESCRIBED[:2], spec("Change__c", values=("A",), restricted=False)]
    assert mapping_of(tmp_path).problems(Entity.CONTACT, described) == []


def test_a_task_field_has_to_be_createable_only_and_constants_are_checked(tmp_path: Path) -> None:
    fields = [
        spec("Subject", Entity.TASK, updateable=False),
        spec("WhoId", Entity.TASK, createable=False),
        spec("Status", Entity.TASK, values=("Not Started",), restricted=True),
    ]
    told = [str(one) for one in mapping_of(tmp_path).problems(Entity.TASK, fields)]
    assert len(told) == 2
    assert "may not write `WhoId`" in told[0]
    assert "`Open`: not among the values of `Status`" in told[1]


def test_field_names_are_compared_as_the_crm_does_without_case(tmp_path: Path) -> None:
    described = [spec("firstname"), spec("TITLE"), DESCRIBED[2]]
    assert mapping_of(tmp_path).problems(Entity.CONTACT, described) == []


def test_a_record_under_our_names(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path)
    record = Record(Entity.CONTACT, "1", {"FirstName": "Ann", "Account.Name": "Acme", "X": 1})
    assert mapping.canonical(record) == {
        "first_name": "Ann",
        "title": None,
        "organisation": "Acme",
    }
    assert mapping.canonical(Record(Entity.DEAL, "1", {"Name": "x"})) == {}


def test_a_pull_asks_once_for_all_that_is_read_or_written(tmp_path: Path) -> None:
    asked = mapping_of(tmp_path).pulled_fields(Entity.CONTACT)
    assert sorted(asked) == ["Account.Name", "Change__c", "FirstName", "Title"]


@pytest.mark.parametrize(
    ("old", "new", "starts_anew"),
    [
        ("object: Contact", "object: Person", True),
        ("Active = true", "Active = false", True),
        ("    first_name: FirstName\n", "", True),
        ("field: Change__c", "field: Other__c", True),
        ("policy: review", "policy: never", False),
        ("moved: Gone", "moved: Away", False),
        ("constant: Open", "constant: Closed", False),
        ("read: {name: Name}", "read: {name: Title}", False),  # another entity's
    ],
)
def test_a_pull_starts_anew_exactly_when_it_would_ask_for_something_else(
    tmp_path: Path, old: str, new: str, starts_anew: bool
) -> None:
    before = mapping_of(tmp_path).scope(Entity.CONTACT)
    assert old in SMALL
    after = mapping_of(tmp_path, SMALL.replace(old, new, 1)).scope(Entity.CONTACT)
    assert (after != before) is starts_anew


def test_values_are_spelt_as_the_crm_spells_them(tmp_path: Path) -> None:
    field = mapping_of(tmp_path).writes(Entity.CONTACT)["job_change"]
    assert field.spell("moved") == "Gone"
    assert field.spell("left") == "left"
    assert field.spell(True) is True
    assert field.policy is Policy.OVERWRITE


OBJECTS = {
    Entity.CONTACT: "Contact",
    Entity.ACCOUNT: "Account",
    Entity.COLLEAGUE: "User",
    Entity.TASK: "Task",
}


def test_a_section_about_another_object_is_refused_at_its_line(tmp_path: Path) -> None:
    text = SMALL.replace("object: Contact", "object: Lead").replace("object: Task", "object: Event")
    contact, task = mapping_of(tmp_path, text).misplaced(OBJECTS)
    assert contact.message == "this connector keeps contacts in Contact, not in Lead"
    assert contact.fix == "Write `object: Contact`."
    assert contact.place.endswith("mapping.yaml:2:3")
    line = text.splitlines().index("  object: Event") + 1
    assert task.place.endswith(f"mapping.yaml:{line}:3")


def test_sections_about_the_connectors_own_objects_are_in_their_place(tmp_path: Path) -> None:
    assert mapping_of(tmp_path).misplaced(OBJECTS) == []
    other_case = SMALL.replace("object: Contact", "object: contact")
    assert mapping_of(tmp_path, other_case).misplaced(OBJECTS) == []
    shipped_one = load_mapping(shipped("mappings/salesforce.yaml"))
    assert shipped_one.misplaced(SalesforceConnector.objects) == []


def test_a_section_that_the_connector_has_nothing_for_is_refused(tmp_path: Path) -> None:
    without_tasks = {entity: name for entity, name in OBJECTS.items() if entity is not Entity.TASK}
    [problem] = mapping_of(tmp_path).misplaced(without_tasks)
    assert problem.message == "this connector keeps no tasks"


@pytest.mark.parametrize(
    ("old", "new", "place", "field", "other"),
    [
        ("field: Change__c", "field: Title", "10:5", "Title", "title"),
        ("field: Change__c", "field: TITLE", "10:5", "TITLE", "title"),
        ("field: Status", "field: subject", "19:5", "subject", "subject"),
        ("field: WhoId", "field: Subject", "18:5", "Subject", "subject"),
    ],
)
def test_one_crm_field_under_two_names_is_refused_at_the_second(
    tmp_path: Path, old: str, new: str, place: str, field: str, other: str
) -> None:
    assert old in SMALL
    with pytest.raises(ConfigError) as caught:
        mapping_of(tmp_path, SMALL.replace(old, new, 1))
    assert caught.value.exit_code == 2
    assert caught.value.place.endswith(f"mapping.yaml:{place}")
    assert caught.value.message == f"`{field}` is what `{other}` is written to already"


def test_a_field_may_be_read_and_written_and_stand_in_two_sections(tmp_path: Path) -> None:
    text = SMALL.replace("field: Subject", "field: Title")  # a task's own
    assert mapping_of(tmp_path, text).writes(Entity.TASK)["subject"].field == "Title"


def test_a_relation_that_the_connector_does_not_describe_is_left_to_the_crm(
    tmp_path: Path,
) -> None:
    described = [spec("FirstName"), spec("Title"), DESCRIBED[2]]
    assert mapping_of(tmp_path).problems(Entity.CONTACT, described) == []


def test_what_the_crm_refused_is_told_at_the_filter_or_else_at_the_object(tmp_path: Path) -> None:
    refused = ConfigError("no such column", fix="Correct it.")
    placed = mapping_of(tmp_path).refused(Entity.CONTACT, refused)
    assert placed.place.endswith("mapping.yaml:3:3")
    assert (placed.message, placed.fix) == (refused.message, refused.fix)
    assert mapping_of(tmp_path).refused(Entity.ACCOUNT, refused).place.endswith(":12:3")
    assert mapping_of(tmp_path).refused(Entity.CONTACT, placed) is placed
