"""A mapping held against what a CRM says of its fields: their kinds, and where ids lead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crm_sync.connector import FieldSpec, FieldType
from crm_sync.errors import ConfigError
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.model import Entity


def mapping_of(folder: Path, text: str) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_text(text)
    return load_mapping(path)


KINDS = """\
contact:
  object: Contact
  read: {last_name: Name}
  write:
    title: {field: text}
    moved: {field: flag}
    job_change: {field: word}
    moved_on: {field: date}
    evidence: {field: long}
task:
  object: Task
  write:
    subject: {field: subject}
    due_on: {field: due}
    owner_id: {field: owner}
    contact_id: {field: who}
    status: {field: status, constant: 3}
"""
FITTING = {
    "Name": FieldType.TEXT,
    "text": FieldType.TEXT,
    "flag": FieldType.CHECKBOX,
    "word": FieldType.TEXT,
    "date": FieldType.DATE,
    "long": FieldType.LONG_TEXT,
    "subject": FieldType.TEXT,
    "due": FieldType.DATETIME,
    "owner": FieldType.REFERENCE,
    "who": FieldType.REFERENCE,
    "status": FieldType.NUMBER,
}
TEXTS = {FieldType.TEXT, FieldType.LONG_TEXT}
IDS = {FieldType.REFERENCE, FieldType.TEXT, FieldType.NUMBER}
DATES = {FieldType.DATE, FieldType.DATETIME}
ANY = set(FieldType)


def of_types(entity: Entity, **types: FieldType) -> list[FieldSpec]:
    return [
        FieldSpec(entity, name, type_, values=("a", "b"), restricted=type_ is FieldType.PICKLIST)
        for name, type_ in {**FITTING, **types}.items()
    ]


@pytest.mark.parametrize(
    ("field", "takes"),
    [
        ("text", TEXTS),
        ("long", TEXTS),
        ("word", TEXTS),
        ("flag", {FieldType.CHECKBOX}),
        ("date", DATES),
        ("subject", TEXTS),
        ("due", DATES),
        ("owner", IDS),
        ("who", IDS),
        ("status", ANY),  # a constant is of whatever kind somebody wrote it
    ],
)
@pytest.mark.parametrize("type_", list(FieldType))
def test_a_value_is_written_to_a_field_of_its_kind_only(
    tmp_path: Path, field: str, takes: set[FieldType], type_: FieldType
) -> None:
    mapping = mapping_of(tmp_path, KINDS)
    told = [
        problem
        for entity in (Entity.CONTACT, Entity.TASK)
        for problem in mapping.problems(entity, of_types(entity, **{field: type_}))
    ]
    fits = type_ in takes or type_ is FieldType.OTHER
    assert len(told) == (0 if fits else 1)
    if told:
        line = next(n for n, one in enumerate(KINDS.splitlines(), 1) if f"field: {field}" in one)
        assert told[0].place.endswith(f"mapping.yaml:{line}:5")
        assert f"`{field}`" in told[0].message
        assert told[0].fix


def test_a_closed_list_has_to_have_every_word_that_is_written(tmp_path: Path) -> None:
    def told(text: str, *values: str) -> list[str]:
        described = [
            one if one.name != "word" else FieldSpec(
                Entity.CONTACT, "word", FieldType.PICKLIST, values=values, restricted=True
            )
            for one in of_types(Entity.CONTACT)
        ]  # fmt: skip
        problems = mapping_of(tmp_path, text).problems(Entity.CONTACT, described)
        return [one.message for one in problems]

    assert told(KINDS, "retitled", "moved", "left") == []
    assert told(KINDS, "retitled", "moved") == ["`left`: not among the values of `word`"]
    quiet = KINDS + "job_changes: {left: nothing}\n"
    assert told(quiet, "retitled", "moved") == []
    spelt = KINDS.replace("field: word", "field: word, values: {left: Gone}")
    assert told(spelt, "retitled", "moved", "Gone") == []
    assert told(spelt, "retitled", "moved") == ["`Gone`: not among the values of `word`"]


def test_an_open_list_takes_any_text(tmp_path: Path) -> None:
    described = [
        replace(one, restricted=False) for one in of_types(Entity.CONTACT, text=FieldType.PICKLIST)
    ]
    assert mapping_of(tmp_path, KINDS).problems(Entity.CONTACT, described) == []


RELATED = """\
contact:
  object: contacts
  read:
    last_name: lastname
    account_id: rel.companies.primary
    owner_id: owner
task:
  object: tasks
  write:
    subject: {field: subject}
    owner_id: {field: owner}
    contact_id: {field: rel.contacts}
    account_id: {field: rel.companies}
"""


def leading(entity: Entity, name: str, to: Entity, *, many: bool = False) -> FieldSpec:
    return FieldSpec(entity, name, FieldType.REFERENCE, targets=(to,), many=many)


def related(entity: Entity) -> list[FieldSpec]:
    return [
        FieldSpec(entity, "lastname", FieldType.TEXT),
        FieldSpec(entity, "subject", FieldType.TEXT),
        leading(entity, "owner", Entity.COLLEAGUE),
        leading(entity, "rel.contacts", Entity.CONTACT, many=True),
        leading(entity, "rel.companies", Entity.ACCOUNT, many=True),
        leading(entity, "rel.companies.primary", Entity.ACCOUNT),
        leading(entity, "rel.deals", Entity.DEAL, many=True),
    ]


def problems_of(folder: Path, text: str) -> list[ConfigError]:
    mapping = mapping_of(folder, text)
    entities = (Entity.CONTACT, Entity.TASK)
    return [one for entity in entities for one in mapping.problems(entity, related(entity))]


def test_ids_of_the_records_that_are_meant_are_no_problem(tmp_path: Path) -> None:
    assert problems_of(tmp_path, RELATED) == []


@pytest.mark.parametrize(
    ("old", "new", "message", "fix"),
    [
        (
            "account_id: rel.companies.primary", "account_id: rel.companies",
            "`rel.companies` may hold many ids, and `account_id` is one",
            "Name `rel.companies.primary`.",
        ),
        (
            "account_id: rel.companies.primary", "account_id: rel.deals",
            "`rel.deals` holds the ids of deals, and `account_id` is that of one of the accounts",
            "Name `rel.companies.primary`.",
        ),
        (
            "account_id: rel.companies.primary", "account_id: owner",
            "`owner` holds the ids of colleagues, and `account_id` is that of one of the accounts",
            "Name `rel.companies.primary`.",
        ),
        (
            "last_name: lastname", "last_name: rel.contacts",
            "`rel.contacts` holds the ids of contacts, and `last_name` is no id",
            "Name a field of the record itself, or leave the line out.",
        ),
        (
            "contact_id: {field: rel.contacts}", "contact_id: {field: rel.deals}",
            "`rel.deals` holds the ids of deals, and `contact_id` is that of one of the contacts",
            "Name `rel.contacts`.",
        ),
        (
            "account_id: rel.companies.primary", "account_id: rel.company.primary",
            "the CRM has no field `rel.company.primary`, or this user cannot see it",
            "Did you mean `rel.companies.primary`?",
        ),
    ],
)  # fmt: skip
def test_ids_of_other_records_are_told_with_what_is_meant(
    tmp_path: Path, old: str, new: str, message: str, fix: str
) -> None:
    assert old in RELATED
    [problem] = problems_of(tmp_path, RELATED.replace(old, new, 1))
    assert (problem.message, problem.fix) == (message, fix)
    line = RELATED.replace(old, new, 1).splitlines().index(f"    {new}") + 1
    assert problem.place.endswith(f"mapping.yaml:{line}:5")
