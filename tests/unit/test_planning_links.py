"""What a CRM keeps as a relation of a task is planned beside it, and counted with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm_sync.connector import FieldSpec, FieldType
from crm_sync.errors import ConfigError
from crm_sync.mapping import Mapping, load_mapping
from crm_sync.model import Band, Disposition, Entity, Operation, Plan, stable_key
from crm_sync.planning.build import build_plan
from crm_sync.planning.guards import tripped
from tests.support.planning import MAPPING, MOVE, SHIPPED, make_inputs, make_state

TEXT = (SHIPPED / "salesforce.yaml").read_text(encoding="utf-8")
RELATIONS = {
    "contact_id: {field: WhoId}": "contact_id: {field: associations.contacts}",
    "account_id: {field: WhatId}": "account_id: {field: associations.companies}",
}


def linking(folder: Path, **changed: str) -> Mapping:
    """The shipped mapping with relations in place of WhoId and WhatId."""
    text = TEXT
    for old, new in (RELATIONS | changed).items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def plan_of(folder: Path, *job_changes: Any, **more: Any) -> Plan:
    return build_plan(make_inputs(*job_changes or (MOVE,), mapping=linking(folder), **more))


def test_a_relation_is_no_field_of_the_task_but_a_link_right_after_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    update, task, to_contact, to_account = plan.changes
    assert (update.entity, task.entity) == (Entity.CONTACT, Entity.TASK)
    assert not {"contact_id", "account_id"} & {field.name for field in task.fields}
    for link, name, relation, id in (
        (to_contact, "contact_id", "associations.contacts", "c1"),
        (to_account, "account_id", "associations.companies", "a1"),
    ):
        assert (link.operation, link.entity, link.record_id) == (Operation.LINK, Entity.TASK, "")
        [field] = link.fields
        assert (field.name, field.crm_field, field.before, field.after) == (
            name,
            relation,
            None,
            id,
        )
        assert link.requires == task.key
        assert link.key == stable_key(task.key, "link", name)
        assert link.disposition is task.disposition
    assert plan.links == {task.key: (to_contact, to_account)}
    assert plan.proposed == (update, task)


def test_the_key_of_the_task_does_not_depend_on_how_the_crm_keeps_its_contact(
    tmp_path: Path,
) -> None:
    fields = build_plan(make_inputs(MOVE)).changes
    assert [one.key for one in plan_of(tmp_path).proposed] == [one.key for one in fields]


def test_a_contact_without_an_account_is_linked_alone(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, state=make_state(account_id=None))
    assert [one.fields[0].name for one in plan.changes if one.operation is Operation.LINK] == [
        "contact_id"
    ]


def test_a_link_waits_for_a_person_with_its_task(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, replace(MOVE, band=Band.REVIEW))
    assert {one.disposition for one in plan.changes} == {Disposition.REVIEW}
    assert [bool(one.held_by) for one in plan.changes] == [True, True, False, False]


def test_links_count_nowhere(tmp_path: Path) -> None:
    moves = [replace(MOVE, contact_id=f"c{n}") for n in range(5)]
    one, other = plan_of(tmp_path, *moves), build_plan(make_inputs(*moves))
    assert len(one.changes) == len(other.changes) + 10
    assert one.funnel == other.funnel
    assert one.guards == other.guards
    assert tripped(one, {}, tasks_today={"u1": 1000}) == tripped(
        other, {}, tasks_today={"u1": 1000}
    )


def test_a_settled_task_proposes_no_link_again(tmp_path: Path) -> None:
    first = plan_of(tmp_path)
    settled = frozenset(one.key for one in first.proposed)
    assert plan_of(tmp_path, settled=settled).changes == ()


def test_the_shipped_mappings_say_what_they_link() -> None:
    assert MAPPING.task_links() == {}
    assert MAPPING.link_problems([]) == []
    hubspot = load_mapping(SHIPPED / "hubspot.yaml")
    assert {name: one.field for name, one in hubspot.task_links().items()} == {
        "contact_id": "associations.contacts",
        "account_id": "associations.companies",
    }


def test_a_connector_that_links_nothing_is_told_each_relation_with_its_line(tmp_path: Path) -> None:
    mapping = linking(tmp_path)
    assert mapping.link_problems(frozenset(Operation)) == []
    problems = mapping.link_problems([Operation.CREATE, Operation.UPDATE])
    lines = mapping.file.path.read_text(encoding="utf-8").splitlines()
    for problem, relation in zip(problems, RELATIONS.values(), strict=True):
        path, line, _ = problem.place.rsplit(":", 2)
        assert path.endswith("mapping.yaml")
        assert relation in lines[int(line) - 1]


OWNER, OTHERS = "owner_id: {field: OwnerId}", "owner_id: {field: associations.owners}"
CONTACT = "contact_id: {field: associations.contacts"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (f"{OWNER}\n    contact", f"{OTHERS}\n    contact", "a task's"),
        ("{field: Title, policy: overwrite}", "{field: associations.titles}", "a task's"),
        (CONTACT, f"{CONTACT}, constant: x", "`constant`"),
        (CONTACT, f"{CONTACT}, values: {{a: b}}", "`values`"),
    ],
)
def test_other_relations_are_refused_with_their_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = linking(tmp_path).file.path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "bad.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as caught:
        load_mapping(tmp_path / "bad.yaml")
    assert "bad.yaml:" in caught.value.place


@pytest.mark.parametrize(
    ("described", "told"),
    [
        (["associations.contacts", "associations.companies"], []),
        (["associations.contacts"], ["associations.companies"]),
        ([], ["associations.contacts", "associations.companies"]),
    ],
)
def test_a_relation_that_the_crm_does_not_describe_is_told(
    tmp_path: Path, described: list[str], told: list[str]
) -> None:
    mapping = linking(tmp_path)
    kinds = {
        field.field: FieldType.DATE if ours == "due_on" else FieldType.TEXT
        for ours, field in mapping.writes(Entity.TASK).items()
        if "." not in field.field
    }
    specs = [FieldSpec(Entity.TASK, name, kind) for name, kind in kinds.items()]
    specs += [
        FieldSpec(Entity.TASK, name, FieldType.REFERENCE, updateable=False) for name in described
    ]
    problems = mapping.problems(Entity.TASK, specs)
    assert len(problems) == len(told)
    assert all(f"`{name}`" in one.message for name, one in zip(told, problems, strict=True))
