from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crm_sync import registry
from crm_sync.errors import UsageError
from tests.support import plugins

GOOD = """
class Good:
    Config = capabilities = schema = objects = None
    def connect(self): ...
    check = describe = pull = read = find = write = connect
    usage = missing_schema = url = close = connect
"""


def install(folder: Path, package: str, code: str, entries: Mapping[str, str]) -> None:
    plugins.install(folder, package, code, entries, group=registry.GROUP)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_installed_connector_is_found_by_its_name(site: Path) -> None:
    install(site, "plug_good", GOOD, {"acme": "plug_good:Good"})
    assert registry.find("acme").__name__ == "Good"
    found = registry.connectors()["acme"]
    assert isinstance(found, registry.Loaded)
    assert (found.package, found.version) == ("plug_good", "1.2")


def test_a_broken_connector_is_named_with_its_reason_and_harms_no_other(site: Path) -> None:
    install(site, "plug_good", GOOD, {"acme": "plug_good:Good"})
    install(site, "plug_bad", "import module_that_is_not_there", {"bad": "plug_bad:Bad"})
    install(site, "plug_exit", "raise RuntimeError('first line\\nsecond')", {"ex": "plug_exit:X"})
    found = registry.connectors()
    assert isinstance(found["acme"], registry.Loaded)
    bad, ex = found["bad"], found["ex"]
    assert isinstance(bad, registry.Broken)
    assert "module_that_is_not_there" in bad.reason
    assert isinstance(ex, registry.Broken)
    assert ex.reason == "RuntimeError: first line"
    with pytest.raises(UsageError, match="module_that_is_not_there"):
        registry.find("bad")


@pytest.mark.parametrize(
    ("code", "target", "reason"),
    [
        ("class Half:\n    Config = 1", "plug_half:Half", "Half has no capabilities"),
        ("thing = 3", "plug_half:thing", "is not a class"),
        ("", "plug_half:absent", "absent"),
    ],
)
def test_what_is_not_a_connector_is_told_apart(
    site: Path, code: str, target: str, reason: str
) -> None:
    install(site, "plug_half", code, {"half": target})
    found = registry.connectors()["half"]
    assert isinstance(found, registry.Broken)
    assert reason in found.reason


def test_a_misspelt_name_is_answered_with_the_likely_one_and_all_known(site: Path) -> None:
    install(site, "plug_good", GOOD, {"acmeforce": "plug_good:Good"})
    with pytest.raises(UsageError) as caught:
        registry.find("acmeforse")
    assert "Did you mean `acmeforce`?" in caught.value.fix
    assert "Installed:" in caught.value.fix
    assert caught.value.exit_code == 2


def test_two_packages_that_claim_one_name_are_both_named(site: Path) -> None:
    install(site, "plug_one", GOOD, {"acme": "plug_one:Good"})
    install(site, "plug_two", GOOD, {"acme": "plug_two:Good"})
    with pytest.raises(UsageError, match="plug_one and plug_two both claim this name"):
        registry.find("acme")


def test_finding_one_connector_does_not_load_another(site: Path) -> None:
    install(site, "plug_good", GOOD, {"acme": "plug_good:Good"})
    install(site, "plug_other", GOOD, {"other": "plug_other:Good"})
    registry.find("acme")
    assert "plug_other" not in sys.modules
