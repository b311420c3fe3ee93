"""A sandbox's file belongs to one kind of sandbox, and is not taken for another's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crm_sync.errors import UsageError
from crm_sync.sandbox.base import Sandbox
from crm_sync.sandbox.database import NOTE
from crm_sync_hubspot.sandbox import HubSpotSandbox
from crm_sync_salesforce.sandbox import SalesforceSandbox

BOTH: list[type[Sandbox]] = [HubSpotSandbox, SalesforceSandbox]


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> type[Sandbox]:
    found: type[Sandbox] = request.param
    return found


def test_the_others_file_is_refused_and_left_as_it_is(kind: type[Sandbox], tmp_path: Path) -> None:
    other = next(one for one in BOTH if one is not kind)
    file = tmp_path / "some.db"
    kind.open(file).close()
    with sqlite3.connect(file) as sql:
        before = list(sql.iterdump())
    with pytest.raises(UsageError) as refused:
        other.open(file)
    assert kind.name in str(refused.value)
    assert str(file) in str(refused.value)
    with sqlite3.connect(file) as sql:
        assert list(sql.iterdump()) == before
    kind.open(file).close()


def test_a_file_from_before_the_note_is_known_by_its_tables(
    kind: type[Sandbox], tmp_path: Path
) -> None:
    other = next(one for one in BOTH if one is not kind)
    file = tmp_path / "old.db"
    kind.open(file).close()
    with sqlite3.connect(file) as sql:
        sql.execute(f"DROP TABLE {NOTE}")
    with pytest.raises(UsageError):
        other.open(file)
    kind.open(file).close()


def test_another_programs_file_is_refused(kind: type[Sandbox], tmp_path: Path) -> None:
    file = tmp_path / "books.db"
    with sqlite3.connect(file) as sql:
        sql.execute("CREATE TABLE book (title TEXT)")
    with pytest.raises(UsageError, match="something else"):
        kind.open(file)
