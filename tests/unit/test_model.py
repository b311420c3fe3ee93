from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync import errors
from crm_sync.errors import CrmSyncError, ServerFault
from crm_sync.model import (
    Change,
    Disposition,
    Entity,
    Evidence,
    FieldChange,
    GuardResult,
    JobChangeKind,
    Mode,
    Operation,
    Plan,
    canonical_json,
    stable_key,
)

NOW = datetime(2026, 6, 15, 5, tzinfo=UTC)

CHANGE = Change(
    key="k1",
    operation=Operation.UPDATE,
    entity=Entity.CONTACT,
    record_id="003A",
    contact_id="003A",
    kind=JobChangeKind.RETITLED,
    fields=(FieldChange("title", "Title", "CFO", "CEO"),),
    disposition=Disposition.AUTO,
    reason="the source says CEO",
    confidence=0.97,
    evidence=(Evidence("email", "same address", "vendor", date(2026, 6, 1)),),
)


def altered(name: str, value: Any) -> Change:
    return replace(CHANGE, **{name: value})


PLAN = Plan(1, "emea", NOW, NOW + timedelta(days=7), Mode.REVIEW, (CHANGE,))


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, connection="apac"),
        replace(PLAN, undo_of=3),
        replace(PLAN, changes=()),
        replace(PLAN, changes=(CHANGE, replace(CHANGE, key="k2"))),
        *(
            replace(PLAN, changes=(altered(name, value),))
            for name, value in {
                "key": "k2",
                "operation": Operation.CREATE,
                "entity": Entity.TASK,
                "record_id": "003B",
                "contact_id": "003B",
                "kind": JobChangeKind.MOVED,
                "fields": (FieldChange("title", "Title", "CFO", "CTO"),),
                "disposition": Disposition.REVIEW,
                "reason": "another",
                "confidence": 0.5,
                "evidence": (),
                "requires": "k0",
                "held_by": "a rule",
                "owner_id": "005A",
                "rule": "left",
                "watched": (FieldChange("title", "Title", "CFO", "CFO"),),
            }.items()
        ),
    ],
)
def test_whatever_an_approval_is_given_for_changes_the_hash(other: Plan) -> None:
    assert other.hash != PLAN.hash


UNAPPROVED = {"source", "identified_by", "band"}
"""What is kept for statistics; nobody approves it."""


def test_every_other_field_of_a_change_is_covered_by_the_hash() -> None:
    names = {field.name for field in dataclasses.fields(Change)}
    assert len(names) == 19
    assert names >= UNAPPROVED


@pytest.mark.parametrize("name", sorted(UNAPPROVED))
def test_what_is_kept_for_statistics_leaves_the_hash(name: str) -> None:
    assert replace(PLAN, changes=(altered(name, "x"),)).hash == PLAN.hash


def test_what_nobody_approves_leaves_the_hash() -> None:
    guard = GuardResult("share", True, 1.0, 0.5, "too many")
    later = replace(PLAN, id=9, created_at=NOW + timedelta(1), guards=(guard,), funnel={"a": 1})
    assert later.hash == PLAN.hash


def test_keys_and_hashes_are_the_same_in_every_process() -> None:
    code = (
        "from crm_sync.model import *\n"
        "print(stable_key('emea', Entity.CONTACT, 'é', 3, None))\n"
        "print(canonical_json({'b': 1, 'a': ['é', None, 1.5]}))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            timeout=60,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {
        f"{stable_key('emea', 'contact', 'é', '3', 'None')}\n"
        '{"a":["é",null,1.5],"b":1}\n'.encode()
    }  # fmt: skip


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_different_parts_give_different_keys(one: list[str], other: list[str]) -> None:
    assert (stable_key(*one) == stable_key(*other)) == (one == other)


@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text()),
    st.randoms(use_true_random=False),
)
def test_equal_values_give_equal_text_whatever_their_order(
    values: dict[str, Any], random: Any
) -> None:
    names = list(values)
    random.shuffle(names)
    assert canonical_json({name: values[name] for name in names}) == canonical_json(values)


def test_what_has_no_place_in_a_stored_value_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        canonical_json({"a": b"x"})


def test_only_three_kinds_say_that_something_happened() -> None:
    assert {kind.value for kind in JobChangeKind if kind.is_change} == {
        "retitled",
        "moved",
        "left",
    }


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PLAN.connection = "x"  # type: ignore[misc]


# Errors

KINDS = [
    one
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, CrmSyncError) and one is not CrmSyncError
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_the_exit_code_of_what_the_operator_does_next(
    kind: type[CrmSyncError],
) -> None:
    assert kind.exit_code in {2, 3, 5, 75}
    assert kind.__name__ in (errors.__doc__ or "")


def test_an_error_says_where_what_and_what_to_do() -> None:
    told = str(errors.ConfigError("is wrong", place="a.yaml:1:2", fix="Mend it."))
    assert told == "a.yaml:1:2: is wrong\n  Mend it."
    assert str(errors.NotFound("no such plan")) == "no such plan"


def test_a_fault_after_sending_is_told_apart_from_one_before() -> None:
    assert ServerFault("x", sent=True).sent
    assert not ServerFault("x").sent
