"""Sources by entry point: those of others are found, checked and used as ours are."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from crm_sync.columns import CONTACT_COLUMNS
from crm_sync.config import load_config
from crm_sync.enrichment import registry
from crm_sync.enrichment.asking import AskingSource
from crm_sync.enrichment.file import FileSource
from crm_sync.enrichment.source import AnySource
from crm_sync.errors import ConfigError, CrmSyncError, UsageError
from crm_sync.matching.engine import judge
from crm_sync.plugins import Broken, Loaded
from crm_sync.stages.observe import observe_all
from crm_sync.store.database import Store
from tests.support.judging import NOW
from tests.support.pages import files_of, page
from tests.support.plugins import install

HOLDING = """
from crm_sync.enrichment.config import Address, SourceConfig
from crm_sync.enrichment.source import Staged
from pydantic import SecretStr

class HeldConfig(SourceConfig):
    token: SecretStr
    base_url: Address = "https://vendor.example"

class Held:
    Config = HeldConfig
    restores_case = False
    def __init__(self, name, config):
        self.name, self.trust, self.config = name, config.trust, config
    @classmethod
    def open(cls, name, config, place):
        return cls(name, config)
    def inspect(self): ...
    def stage(self, db, *, today): return Staged(0, 0)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def add(site: Path, package: str, code: str, **entries: str) -> None:
    install(site, package, code, entries, group=registry.GROUP)


def opened(folder: Path, entry: str) -> AnySource:
    path = folder / "config.yaml"
    path.write_text(f"connections: {{}}\nenrichment:\n  mine:\n{entry}")
    return registry.open_source(load_config(path).sources["mine"])


def test_our_own_are_found_as_those_of_others() -> None:
    found = registry.sources()
    assert {"file", "people_data_labs", "http"} <= set(found)
    assert all(isinstance(one, Loaded) and one.package == "crm-sync" for one in found.values())
    assert registry.find("file") is FileSource


def test_a_broken_source_is_named_and_harms_no_other(site: Path) -> None:
    add(site, "plug_held", HOLDING, held="plug_held:Held")
    add(site, "plug_bad", "import module_that_is_not_there", bad="plug_bad:Bad")
    add(site, "plug_half", "class Half:\n    Config = 1", half="plug_half:Half")
    found = registry.sources()
    bad, half = found["bad"], found["half"]
    assert isinstance(found["held"], Loaded)
    assert isinstance(bad, Broken)
    assert isinstance(half, Broken)
    assert "module_that_is_not_there" in bad.reason
    assert "Half has no open" in half.reason
    with pytest.raises(ConfigError, match="module_that_is_not_there") as caught:
        opened(site, "    source: bad\n")
    assert caught.value.place.endswith("config.yaml:4:5")


def test_what_opens_something_else_than_a_source_is_told(site: Path) -> None:
    code = HOLDING.replace("def stage", "def stages")
    add(site, "plug_odd", code, odd="plug_odd:Held")
    with pytest.raises(UsageError, match="has no stage"):
        opened(site, "    source: odd\n    token: x\n    base_url: http://127.0.0.1\n")


def test_a_source_of_others_has_its_settings_checked_and_its_secrets_found(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(site, "plug_held", HOLDING, held="plug_held:Held")
    monkeypatch.setenv("VENDOR_TOKEN", "hunter2-hunter2")
    source = opened(site, "    source: held\n    token: env/VENDOR_TOKEN\n    trust: 0.25\n")
    assert (source.name, source.trust) == ("mine", 0.25)
    config = source.config  # type: ignore[union-attr]
    assert config.token.get_secret_value() == "hunter2-hunter2"
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    ("entry", "place", "words"),
    [
        ("    source: hold\n", "4:5", "Did you mean `held`?"),
        ("    source: held\n    token: env/VENDOR_TOKEN_ABSENT\n", "5:5", "is not set"),
        ("    source: held\n    token: hunter2-hunter2\n", "5:5", "clear text"),
        ("    source: held\n", "3:3", "`enrichment.mine.token` is missing"),
        (
            "    source: held\n    token: env/VENDOR_TOKEN\n    base_ulr: x\n",
            "6:5",
            "Did you mean `base_url`?",
        ),
        (
            "    source: held\n    token: env/VENDOR_TOKEN\n    base_url: http://vendor.example\n",
            "6:5",
            "https://",
        ),
        (
            "    source: held\n    token: env/VENDOR_TOKEN\n    base_url: https://a:b@c.example\n",
            "6:5",
            "no user name",
        ),
        ("    source: held\n    token: env/VENDOR_TOKEN\n    trust: 1.5\n", "6:5", "less than"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place_and_the_way_out(
    site: Path, monkeypatch: pytest.MonkeyPatch, entry: str, place: str, words: str
) -> None:
    add(site, "plug_held", HOLDING, held="plug_held:Held")
    monkeypatch.setenv("VENDOR_TOKEN", "hunter2-hunter2")
    with pytest.raises(ConfigError) as caught:
        opened(site, entry)
    assert caught.value.place.endswith(f"config.yaml:{place}")
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        "    source: file\n    path: absent.jsonl\n    mapping: mapping.yaml\n",
        "    source: file\n    path: x.jsonl\n    mapping: absent.yaml\n",
        "    source: file\n    pth: x\n    mapping: y\n",
        "    source: file\n    path: x\n    mapping: y\n    as_of: 3026-01-01\n",
    ],
)
def test_a_file_that_is_not_there_and_a_wrong_key_are_told(tmp_path: Path, entry: str) -> None:
    (tmp_path / "mapping.yaml").write_text(
        "profile: {id: id, full_name: name}\nemployments: [{organisation: o}]\n"
    )
    with pytest.raises(CrmSyncError) as caught:
        opened(tmp_path, entry)
    assert caught.value.exit_code == 2
    assert caught.value.place


# The page


@pytest.fixture
def school(site: Path) -> AskingSource:
    """The source of the how-to, installed as far as entry points are concerned."""
    files = files_of(page("how-to/write-a-source.md"))
    [point] = re.findall(r'^alumni = "(.+)"$', files["pyproject.toml"], re.M)
    add(site, "alumni_source", files["alumni_source.py"], alumni=point)
    jobs = [
        {"employer": "Old Mill", "role": "Buyer", "from": "2019-01", "to": "2026-03"},
        {"employer": "New Works", "role": "Head of Buying", "from": "2026-04"},
    ]
    ada = {"number": "17", "name": "Ada Sample", "email": "ada@mail.example"}
    document = {**ada, "confirmed_on": "2026-06-20", "jobs": jobs}
    with sqlite3.connect(site / "alumni.db") as db:
        db.execute("CREATE TABLE alumni (email, document)")
        db.execute("INSERT INTO alumni VALUES (?, ?)", (ada["email"], json.dumps(document)))
    db.close()
    shown = page("how-to/write-a-source.md")
    entry = re.findall(r"^  school:\n(.*?)^```", shown, re.M | re.S)[0]
    source = opened(site, entry)
    assert isinstance(source, AskingSource)
    return source


def test_the_source_of_the_page_is_asked_and_judged(school: AskingSource, site: Path) -> None:
    assert school.inspect() == "knows 1 people"
    contact = {
        "contact_id": "1", "name": "Ada Sample", "title": "Buyer", "organisation": "Old Mill",
        "personal_email": "ada@mail.example", "changed_basis": "record_date",
    }  # fmt: skip
    columns = {name: pa.array([contact.get(name)], pa.string()) for name in CONTACT_COLUMNS}
    changed = pa.array([datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    contacts = pa.table({**columns, "changed_at": changed})
    store = Store.open(site / "crm.db")
    try:
        observed = observe_all(store, "main", lambda: contacts, [school], now=NOW)
        judged = judge(contacts, observed.sources, now=NOW)
    finally:
        store.close()
    assert observed.asked["mine"].found == 1
    [verdict] = judged.job_changes.to_pylist()
    assert (verdict["kind"], verdict["to_organisation"]) == ("moved", "New Works")
    assert verdict["source"] == "mine"


def test_the_source_of_the_page_says_what_is_wrong_at_the_right_place(
    school: AskingSource, site: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(site, "    source: alumni\n    directory: elsewhere.db\n")
    assert caught.value.place.endswith("config.yaml:5:5")
    (site / "alumni.db").write_bytes(b"")
    with pytest.raises(CrmSyncError, match="cannot be read"):
        school.inspect()
