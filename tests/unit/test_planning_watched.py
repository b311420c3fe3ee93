"""What a change was judged by goes with it, so that it can be seen to have changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_sync.mapping import load_mapping
from crm_sync.model import FieldChange, JobChange, Scalar
from crm_sync.planning.build import build_plan
from crm_sync.planning.playbooks import load_playbooks
from tests.support.planning import (
    LEFT,
    MAPPING,
    MOVE,
    RETITLED,
    SHIPPED,
    make_inputs,
    make_state,
    plan_of,
    update_of,
)

LIVE: dict[str, Scalar] = {"Title": "Sales Manager", "AccountId": "a1"}
TITLE = FieldChange("title", "Title", "Sales Manager", "Sales Manager")
ACCOUNT = FieldChange("account_id", "AccountId", "a1", "a1")


@pytest.mark.parametrize("job_change", [MOVE, LEFT])
def test_update_and_task_are_bound_to_the_title_and_account_that_they_were_judged_by(
    job_change: JobChange,
) -> None:
    changes = build_plan(make_inputs(job_change, state=make_state(LIVE))).changes
    assert [change.watched for change in changes] == [(TITLE, ACCOUNT), (TITLE, ACCOUNT)]


def test_a_task_without_an_update_is_bound_as_well(tmp_path: Path) -> None:
    lines = (SHIPPED / "salesforce.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "Crm_Sync" not in line or "Crm_Sync_Key" in line]
    (tmp_path / "mapping.yaml").write_text("\n".join(kept), encoding="utf-8")
    mapping = load_mapping(tmp_path / "mapping.yaml")
    update, task = plan_of(MOVE, state=make_state(LIVE), mapping=mapping)
    assert update is None
    assert task is not None
    assert task.watched == (TITLE, ACCOUNT)


def test_a_blank_account_is_watched_too() -> None:
    update = update_of(MOVE, state=make_state({"AccountId": None}))
    assert update.watched == (TITLE, FieldChange("account_id", "AccountId", None, None))


def test_a_field_that_the_update_writes_is_not_watched_by_it_nor_by_its_task(
    tmp_path: Path,
) -> None:
    rules = tmp_path / "playbooks.yaml"
    rules.write_text(
        "rules:\n  - name: retitled\n    when: {kind: retitled}\n"
        "    task: {subject: {en: New title}, body: {en: Congratulate.}}\n",
        encoding="utf-8",
    )
    update, task = plan_of(RETITLED, state=make_state(LIVE), playbooks=load_playbooks(rules))
    assert update is not None
    assert task is not None
    assert "Title" in {field.crm_field for field in update.fields}
    assert (update.watched, task.watched) == ((ACCOUNT,), (ACCOUNT,))


def test_what_the_crm_did_not_give_is_not_watched() -> None:
    assert "AccountId" not in make_state().live
    assert update_of(MOVE).watched == (TITLE,)
    assert MAPPING.model.contact.read["account_id"] == "AccountId"


def test_the_hash_that_is_approved_covers_what_the_plan_was_judged_by() -> None:
    one, other = (
        build_plan(make_inputs(MOVE, state=make_state(LIVE | {"AccountId": account})))
        for account in ("a1", "a2")
    )
    assert one.hash != other.hash
