"""`crm-sync report` through the real program, over a database with known verdicts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync.model import Band
from crm_sync.store import verdicts
from crm_sync.store.database import Store
from crm_sync.store.learned import CALIBRATION, PARAMETERS, save_learned
from crm_sync.verdicts.verdict import Group, Verdict
from tests.support.project import Done, in_this_process

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
MOVED = Group("vendor-file", "moved", "linkedin+work_email")
RETITLED = Group("vendor-file", "retitled", "linkedin")

CONFIG = """\
connections:
  emea:
    connector: salesforce
    instance_url: http://127.0.0.1:1
    auth: {flow: client_credentials, client_id: t, client_secret: t}
    mapping: mappings/salesforce.yaml
  apac:
    connector: salesforce
    instance_url: http://127.0.0.1:1
    auth: {flow: client_credentials, client_id: t, client_secret: t}
    mapping: mappings/salesforce.yaml
    precision: {minimum: 3, latest: 3}
"""

DOCUMENT = {
    "source": "vendor-file",
    "made_on": "2026-06-15",
    "sample": 1234,
    "masked_key": "linkedin",
    "intercept": -1.5,
    "coefficients": {"weight": 0.4, "margin": 0.1},
    "ece_before": 0.2213,
    "ece_after": 0.1008,
    "bins": [
        {"from": 0.0, "to": 0.5, "count": 0, "predicted": None, "right": None},
        {"from": 0.5, "to": 0.9, "count": 200, "predicted": 0.75, "right": 0.5},
        {"from": 0.9, "to": 1.0, "count": 1034, "predicted": 0.95, "right": 1.0},
    ],
}


def given(words: str, group: Group, band: Band = Band.AUTO) -> list[Verdict]:
    """One verdict a day: `+` is right, `-` wrong."""
    return [
        Verdict(
            f"{group.rule}{band}{day}", 1, "c", group, band, 0.9, word == "+", "ann",
            AT + timedelta(days=day),
        )
        for day, word in enumerate(words)
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG, "utf-8")
    return tmp_path


def keep(folder: Path, some: Sequence[Verdict], connection: str = "emea") -> None:
    store = Store.open(folder / "crm-sync.db")
    with store.begin() as tx:
        verdicts.save_verdicts(tx, connection, some)
    store.close()


def learn(folder: Path, document: dict[str, Any]) -> None:
    store = Store.open(folder / "crm-sync.db")
    with store.begin() as tx:
        documents = {
            (CALIBRATION, "vendor-file"): json.dumps(document),
            (PARAMETERS, "vendor-file"): "{}",
        }
        save_learned(tx, "emea", documents, AT)
    store.close()


def report(folder: Path, *arguments: str, expect: int = 0) -> Done:
    done = in_this_process(folder, "report", *arguments)
    assert done.returncode == expect, done.stderr
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    return done


def precision(folder: Path, connection: str = "emea") -> list[dict[str, Any]]:
    out = report(folder, "--precision", "--connection", connection, "--json").stdout
    [view] = json.loads(out)
    assert set(view) == {"connection", "precision"}
    found: list[dict[str, Any]] = view["precision"]
    return found


def test_the_share_is_given_with_its_interval_and_where_the_group_stands(folder: Path) -> None:
    keep(folder, [*given("+" * 20, MOVED), *given("--", RETITLED)])
    moved, retitled = precision(folder)
    assert (moved["source"], moved["kind"], moved["rule"]) == MOVED
    assert (moved["decided"], moved["right"], moved["precision"]) == (20, 20, 1.0)
    assert moved["low"] == pytest.approx(0.025 ** (1 / 20))
    assert moved["high"] == 1
    assert (moved["demoted"], moved["since"], moved["why"]) == (False, None, "")
    assert moved["by_itself"]["threshold"] == 0.98
    assert moved["in_doubt"] == {
        "decided": 0, "right": 0, "precision": None, "low": 0, "high": 1,
        "threshold": 0.8, "fails": False,
    }  # fmt: skip
    assert (retitled["demoted"], retitled["precision"]) == (True, 0.0)
    assert retitled["since"] == (AT + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("some", "words"),
    [
        ([], ["Nothing was decided yet", "crm-sync changes --waiting"]),
        (
            given("+" * 20, MOVED),
            ["vendor-file · moved · linkedin+work_email", "100.0 %",
             "83.2–100.0", "  98 %"],
        ),
        (given("+" * 4, MOVED), ["(98 %)", "fewer than 20 verdicts"]),
        (
            given("--", MOVED),
            ["waits for a person since 2026-06-02", "0 of the latest 2 without a doubt"],
        ),
        (
            given("---", MOVED, Band.REVIEW),
            ["waits for a person since 2026-06-03", "0 of the latest 3 with a doubt", "in doubt"],
        ),
        (given("--" + "+" * 98, MOVED), ["goes by itself again since 2026-09-08", "98.0 %"]),
        ([*given("++", MOVED), *given("+-", MOVED, Band.REVIEW)], ["all ", "75.0 %"]),
    ],
)  # fmt: skip
def test_the_table_says_it_in_words(
    folder: Path, some: Sequence[Verdict], words: Sequence[str]
) -> None:
    keep(folder, some)
    text = report(folder, "--precision", "--connection", "emea").stdout
    assert [one for one in words if one not in text] == []
    assert "hidden" not in text


def test_the_bar_shows_the_share_its_interval_and_what_is_asked_for(folder: Path) -> None:
    keep(folder, given("+" * 10 + "-" * 10, MOVED, Band.REVIEW))
    text = report(folder, "--precision", "--connection", "emea").stdout
    [row] = [line for line in text.splitlines() if line.startswith("  in doubt ")]
    heading = next(line for line in text.splitlines() if "interval" in line)
    # 10 of 20: 27.2 to 72.8 %; in steps of five from the column of the heading's 0
    zero = heading.index(" 0 ") + 1
    at = {sign: row.index(sign) - zero for sign in "├●┤┊"}
    assert at == {"├": 5, "●": 10, "┤": 15, "┊": 16}


def test_each_connection_has_its_own_verdicts_and_settings(folder: Path) -> None:
    keep(folder, given("++-", MOVED))
    keep(folder, given("++-", MOVED), "apac")
    assert [one["demoted"] for one in precision(folder)] == [False]
    assert [one["demoted"] for one in precision(folder, "apac")] == [True]  # 3 are a measure there
    text = report(folder).stdout
    assert text.index("emea") < text.index("apac")
    views = json.loads(report(folder, "--json").stdout)
    assert [sorted(one) for one in views] == [["calibration", "connection", "precision"]] * 2


def test_both_are_shown_where_none_or_both_are_asked_for(folder: Path) -> None:
    for arguments in ([], ["--precision", "--calibration"]):
        text = report(folder, *arguments, "--connection", "emea").stdout
        assert "Nothing was decided yet" in text
        assert "Nothing is calibrated yet" in text


def test_a_calibration_is_shown_bin_by_bin(folder: Path) -> None:
    learn(folder, DOCUMENT)
    text = report(folder, "--calibration", "--connection", "emea").stdout
    assert "made on 2026-06-15 with 1,234 contacts, their LinkedIn page hidden" in text
    assert "ECE 0.221 before, 0.101 after" in text
    rows = [line.split() for line in text.splitlines() if "–" in line]
    assert [row[:6] for row in rows] == [
        ["0.50–0.90", "200", "75.0", "%", "50.0", "%"],
        ["0.90–1.00", "1,034", "95.0", "%", "100.0", "%"],
    ]
    assert [row[6].count("█") for row in rows] == [15, 29]  # 30 columns; a mark hides one of 30
    views = json.loads(report(folder, "--calibration", "--connection", "emea", "--json").stdout)
    assert views == [{"connection": "emea", "calibration": [DOCUMENT]}]


def test_an_unknown_connection_is_refused(folder: Path) -> None:
    assert "no connection is called `nowhere`" in report(
        folder, "--connection", "nowhere", expect=2
    ).stderr  # fmt: skip
