"""The README's first promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.project import CRM_SYNC, Crm, Project


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_the_demo_is_right_and_a_second_run_has_nothing_left_to_write(
    crm: str, tmp_path: Path
) -> None:
    here = Project(tmp_path, Crm(""))
    call = ("demo", "--crm", crm, "--contacts", "600")
    first: dict[str, Any] = here.data(*call)
    assert first["crm"] == crm
    funnel = first["funnel"]
    assert funnel["written"] == funnel["verified"] > 0
    assert first["left_to_write"] == 0
    moved = first["scores"]["moved"]
    assert moved["automatic"]["claimed"] >= 10
    assert moved["automatic"]["precision"] == 1.0, "a false move is the worst that can happen"
    assert first["task"]["subject"]

    second = here.data(*call)
    assert second["funnel"]["written"] == 0
    assert second["left_to_write"] == 0
    assert second["scores"] == first["scores"]

    text = here.call(*call).stdout
    assert "Nothing left to write" in text
    assert f"sandbox {crm} --port" in text
    # Commands to be pasted are as long as the paths in them.
    assert max(len(line) for line in text.splitlines() if str(CRM_SYNC) not in line) <= 80


def test_the_demo_keeps_off_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    other = tmp_path / "crm-sync-demo"
    other.mkdir()
    (other / "letters.txt").write_text("dear", encoding="utf-8")
    done = Project(tmp_path, Crm("")).call("demo", expect=2)
    assert "something else" in done.stderr
    assert (other / "letters.txt").read_text(encoding="utf-8") == "dear"


def test_each_crm_has_a_folder_of_its_own_and_one_folder_holds_one_demo(tmp_path: Path) -> None:
    here = Project(tmp_path, Crm(""))
    here.call("demo", "--contacts", "20")
    here.call("demo", "--crm", "hubspot", "--contacts", "20")
    assert {one.name for one in tmp_path.iterdir()} == {"crm-sync-demo", "crm-sync-demo-hubspot"}
    both = ("demo", "--crm", "hubspot", "--contacts", "20", "--folder", "crm-sync-demo")
    assert "another demo: salesforce" in " ".join(here.call(*both, expect=2).stderr.split())
    assert "hubspot" in here.call("demo", "--crm", "nonsense", expect=2).stderr
