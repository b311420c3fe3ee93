from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from crm_sync import config as module
from crm_sync.config import (
    Config,
    ConnectionSettings,
    Guards,
    Matching,
    Precision,
    load_config,
)
from crm_sync.connector import ConnectorConfig
from crm_sync.enrichment.file import FileConfig
from crm_sync.enrichment.people_data_labs import PeopleDataLabsConfig
from crm_sync.enrichment.registry import find
from crm_sync.errors import ConfigError, NotFound, UsageError
from crm_sync.matching.settings import SparkSettings
from crm_sync.model import Mode
from crm_sync.shipped import example_config, named_mappings, shipped
from crm_sync.stages.judge import match_settings
from crm_sync_hubspot.config import AccessToken, HubSpotConfig, RefreshToken
from crm_sync_salesforce.config import ClientCredentials, SalesforceConfig, SessionId

SECRET = "hunter2-correct-horse"

PLAIN = """\
connections:
  main:
    connector: salesforce
    instance_url: {url}
    auth: {{flow: client_credentials, client_id: {id}, client_secret: {secret}}}
    mapping: mappings/salesforce.yaml
{more}"""


def write(
    folder: Path,
    *,
    url: str = "https://acme.my.salesforce.com",
    id: str = "env/CRM_SYNC_TEST_ID",
    secret: str = "env/CRM_SYNC_TEST_SECRET",
    more: str = "",
) -> Path:
    path = folder / "config.yaml"
    path.write_text(PLAIN.format(url=url, id=id, secret=secret, more=more))
    return path


def problem_of(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return caught.value


def salesforce(config: Config) -> SalesforceConfig:
    found = config.connection(None).connector_config(SalesforceConfig)
    assert isinstance(found, SalesforceConfig)
    return found


@pytest.fixture
def in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SYNC_TEST_ID", "an-id")
    monkeypatch.setenv("CRM_SYNC_TEST_SECRET", SECRET)


# The example file

CRMS: dict[str, type[ConnectorConfig]] = {
    "salesforce": SalesforceConfig,
    "hubspot": HubSpotConfig,
}


def example_with_all_settings_on(folder: Path, crm: str) -> Path:
    models = (ConnectionSettings, Guards, Precision, CRMS[crm])
    names = "|".join({name for model in models for name in model.model_fields} - {"auth"})
    path = folder / "config.yaml"
    head, begin, tail = example_config(crm).partition("\nenrichment:\n")
    head = re.sub(rf"(?m)^(\s*)# (\s*(?:{names}):(?: .*)?)$", r"\1\2", head)
    tail = re.sub(r"(?m)^(\s*)# (\s*[\w-]+:(?: .*)?)$", r"\1\2", tail)
    path.write_text(head + begin + tail)
    return path


@pytest.fixture
def example_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SF_CLIENT_ID", "SF_CLIENT_SECRET", "HUBSPOT_TOKEN"):
        monkeypatch.setenv(name, SECRET)


def test_the_example_loads_and_its_connections_are_such_as_the_connectors_accept(
    example_secrets: None,
) -> None:
    config = load_config(shipped("config.example.yaml"))
    kinds = []
    for connection in config.connections.values():
        kinds.append(connection.settings.connector)
        connection.connector_config(CRMS[kinds[-1]])
        assert set(connection.settings.enrichment) <= set(config.sources)
    assert sorted(kinds) == sorted(CRMS)


@pytest.mark.parametrize("crm", CRMS)
def test_the_example_for_one_crm_holds_that_connection_and_its_mappings_only(
    crm: str, tmp_path: Path
) -> None:
    text = example_config(crm)
    (tmp_path / "config.yaml").write_text(text)
    config = load_config(tmp_path / "config.yaml")
    assert [one.settings.connector for one in config.connections.values()] == [crm]
    assert list(config.sources) == ["vendor-file"]
    vendors = ("people_data_labs", "sales_navigator", "coresignal", "apollo", "enrichlayer")
    wanted = {f"mappings/{name}.yaml" for name in (crm, "playbooks", *vendors)}
    assert set(named_mappings(text)) == wanted


def test_an_example_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(UsageError) as caught:
        example_config("house")
    assert all(crm in str(caught.value) for crm in CRMS)


@pytest.mark.parametrize("crm", CRMS)
def test_what_the_example_shows_commented_out_is_valid_and_the_default(
    crm: str, tmp_path: Path, example_secrets: None
) -> None:
    config = load_config(example_with_all_settings_on(tmp_path, crm))
    connection = config.connection(None)
    shown = connection.settings
    assert config.matching.model_copy(update={"spark_folder": None}) == Matching()
    assert shown.guards == Guards()
    assert shown.precision == Precision()
    for name in ("plan_expires_after_days", "quota_floor"):
        assert getattr(shown, name) == ConnectionSettings.model_fields[name].default
    theirs = connection.connector_config(CRMS[crm])
    assert theirs.model_fields_set == set(CRMS[crm].model_fields)
    # Two depend on where the CRM is: left out, they are what the example shows.
    delays = {"late_seconds": None, "index_delay_seconds": None}
    left_out: Any = theirs.model_copy(update=delays)
    resolved = {"late_seconds": "patience", "index_delay_seconds": "index_delay"}
    for name, field in CRMS[crm].model_fields.items():
        if name in resolved:
            assert getattr(theirs, name) == getattr(left_out, resolved[name])
        elif name not in ("auth", "instance_url", "portal_id"):
            assert getattr(theirs, name) == field.default, name


def test_the_sources_that_the_example_shows_are_valid_and_mostly_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDL_API_KEY", SECRET)
    monkeypatch.setenv("CORESIGNAL_KEY", SECRET)
    sources = load_config(example_with_all_settings_on(tmp_path, "salesforce")).sources
    shown = {one.kind: one.resolved(find(one.kind).Config) for one in sources.values()}
    assert set(shown) == {"file", "people_data_labs", "http"}
    assert shown["file"].trust == FileConfig.model_fields["trust"].default
    asked = shown["people_data_labs"]
    own = set(PeopleDataLabsConfig.model_fields) - {"trust"}
    assert asked.model_fields_set == own
    for name in own - {"source", "api_key", "mapping"}:
        assert getattr(asked, name) == PeopleDataLabsConfig.model_fields[name].default, name
    assert shipped(str(asked.mapping)).exists()


def settings_of(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


@pytest.mark.parametrize("crm", CRMS)
@pytest.mark.parametrize(
    "model", [module._File, ConnectionSettings, Guards, Precision, Matching, FileConfig,
     PeopleDataLabsConfig],
)  # fmt: skip
def test_every_setting_is_shown_in_the_example(
    crm: str, model: type[BaseModel], tmp_path: Path
) -> None:
    text = example_with_all_settings_on(tmp_path, crm).read_text()
    missing = [name for name in settings_of(model) if not re.search(rf"(?m)^\s*{name}:", text)]
    assert missing == []


@pytest.mark.parametrize(
    ("crm", "model"),
    [
        ("salesforce", SessionId),
        ("salesforce", ClientCredentials),
        ("hubspot", AccessToken),
        ("hubspot", RefreshToken),
    ],
)
def test_every_way_to_sign_in_is_shown_in_the_example(crm: str, model: type[BaseModel]) -> None:
    assert [name for name in settings_of(model) if f"{name}: " not in example_config(crm)] == []


# Who compares


def test_spark_is_asked_for_by_name_with_a_folder_beside_the_file(tmp_path: Path) -> None:
    more = "matching: {engine: spark, spark_master: 'local[2]', spark_folder: shared}\n"
    config = load_config(write(tmp_path, more=more))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("crm_sync.matching.probabilistic.spark_session.check_spark", lambda: None)
        found = match_settings(config).spark
    assert found == SparkSettings("local[2]", 2_048, tmp_path / "shared")


def test_without_java_spark_is_refused_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write(tmp_path, more="matching:\n  engine: spark\n"))
    monkeypatch.setattr("crm_sync.matching.probabilistic.spark_session.find_spec", lambda _: True)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match="no Java where JAVA_HOME points") as caught:
        match_settings(config)
    assert caught.value.place == f"{config.file.path}:8:3"
    assert "Install a Java runtime" in caught.value.fix


def test_without_pyspark_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write(tmp_path, more="matching: {engine: spark}\n"))
    monkeypatch.setattr("crm_sync.matching.probabilistic.spark_session.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="PySpark is not installed") as caught:
        match_settings(config)
    assert "crm-sync[spark]" in caught.value.fix


def test_duckdb_needs_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_sync.matching.probabilistic.spark_session.find_spec", lambda _: None)
    assert match_settings(load_config(write(tmp_path))).spark is None


# Secrets


@pytest.mark.usefixtures("in_environment")
def test_a_secret_of_the_environment_is_found_and_not_printed(tmp_path: Path) -> None:
    found = salesforce(load_config(write(tmp_path)))
    assert found.auth.client_secret.get_secret_value() == SECRET  # type: ignore[union-attr]
    assert SECRET not in repr(found) + str(found)


@pytest.mark.usefixtures("in_environment")
def test_a_secret_in_a_file_is_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "sf").write_text(f"{SECRET}\n")
    found = salesforce(load_config(write(tmp_path, secret="file/keys/sf")))
    assert found.auth.client_secret.get_secret_value() == SECRET  # type: ignore[union-attr]


@pytest.mark.usefixtures("in_environment")
def test_a_secret_of_the_key_ring_is_asked_for_by_service_and_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = ModuleType("keyring")
    held = {("crm", "sf/emea"): SECRET}
    monkeypatch.setattr(ring, "get_password", lambda s, n: held.get((s, n)), raising=False)
    monkeypatch.setitem(__import__("sys").modules, "keyring", ring)
    found = salesforce(load_config(write(tmp_path, secret="keyring/crm/sf/emea")))
    assert found.auth.client_secret.get_secret_value() == SECRET  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="holds nothing for crm/other"):
        salesforce(load_config(write(tmp_path, secret="keyring/crm/other")))


@pytest.mark.usefixtures("in_environment")
@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env/CRM_SYNC_TEST_NOT_SET", "environment variable CRM_SYNC_TEST_NOT_SET is not set"),
        ("env/CRM_SYNC_TEST_EMPTY", "environment variable CRM_SYNC_TEST_EMPTY is empty"),
        ("file/not-there", "not-there cannot be read: No such file"),
        ("file/empty", "empty is empty"),
        ("file/binary", "binary cannot be read: it is not text"),
        ("file/huge", "huge is too large"),
        (SECRET, "in clear text"),
        ("12345678", "in clear text"),
        ("3.25", "in clear text"),
        ("env/", "in clear text"),
        ("file/", "in clear text"),
        ("keyring/only-a-service", "in clear text"),
        ("127.0.0.1://x", "in clear text"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, message: str
) -> None:
    monkeypatch.setenv("CRM_SYNC_TEST_EMPTY", "")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge").write_text("x" * 200_000)
    path = write(tmp_path, secret=reference)
    with pytest.raises(ConfigError) as caught:
        salesforce(load_config(path))
    assert message in caught.value.message
    column = path.read_text().splitlines()[4].index("client_secret") + 1
    assert caught.value.place == f"{path}:5:{column}"
    assert caught.value.fix
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80"])
def test_toward_this_machine_a_secret_may_stand_in_the_file(tmp_path: Path, url: str) -> None:
    found = salesforce(load_config(write(tmp_path, url=f"'{url}'", id="an-id", secret=SECRET)))
    assert found.auth.client_secret.get_secret_value() == SECRET  # type: ignore[union-attr]


class _Listed(ConnectorConfig):
    pins: list[SecretStr]
    other_url: str = ""


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("", "https://acme.example.com"),
        ("    other_url: https://acme.example.com\n", "http://127.0.0.1"),
        ("", "http://127.0.0.1@acme.example.com"),
        ("", "http://localhost.example.com"),
    ],
)
def test_a_literal_secret_is_refused_when_any_address_is_another_machine(
    tmp_path: Path, more: str, url: str
) -> None:
    path = write(tmp_path, url=url, id="an-id", secret=SECRET, more=more)
    with pytest.raises(ConfigError, match="clear text") as caught:
        load_config(path).connection(None).connector_config(SalesforceConfig)
    assert SECRET not in str(caught.value)


def test_secrets_in_a_list_are_secrets_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SYNC_TEST_PIN", SECRET)
    text = "connections:\n  a:\n    connector: x\n    mapping: m.yaml\n    pins: [{pins}]\n"
    path = tmp_path / "config.yaml"
    path.write_text(text.format(pins="env/CRM_SYNC_TEST_PIN"))
    found: Any = load_config(path).connection("a").connector_config(_Listed)
    assert [pin.get_secret_value() for pin in found.pins] == [SECRET]
    path.write_text(text.format(pins=f"env/CRM_SYNC_TEST_PIN, {SECRET}"))
    with pytest.raises(ConfigError, match="clear text") as caught:
        load_config(path).connection("a").connector_config(_Listed)
    assert caught.value.place == f"{path}:5:35"


# What else can be wrong


@pytest.mark.parametrize(
    ("more", "line", "message", "fix"),
    [
        ("    mod: auto\n", None, "", ""),  # not ours: the connector's model refuses it
        ("    mode: aggressive\n", 7, "'shadow', 'review' or 'auto', not 'aggressive'", ""),
        ("    language: de\n", 7, "should be 'en' or 'fr', not 'de'", ""),
        ("    timezone: Europe/Pariss\n", 7, "there is no time zone 'Europe/Pariss'", ""),
        ("    timezone: ../../etc/passwd\n", 7, "there is no time zone", ""),
        ("    timezone: Europe\n", 7, "there is no time zone", ""),
        ("    schedule: every day\n", 7, "not a cron schedule (has 2 fields instead of 5)", ""),
        ("    schedule: 0 25 * * *\n", 7, "not a cron schedule", ""),
        ("    schedule: 0 5 * * 8\n", 7, "not a cron schedule", ""),
        ("    schedule: 0 5 31 2 *\n", 7, "names a day that never comes", ""),
        ("    guards: {max_share_changed: 1.5}\n", 7, "less than or equal to 1, not 1.5", ""),
        ("    guards: {max_share_changed: .nan}\n", 7, "should be a finite number", ""),
        ("    guards: {max_contacts: 5}\n", 7, "unknown key", "max_contacts_changed"),
        ("    plan_expires_after_days: 0\n", 7, "greater than or equal to 1, not 0", ""),
        ("    enrichment: [vendor]\n", 7, "no enrichment source `vendor`", "`enrichment:`"),
        (
            "    enrichment: [fiel]\nenrichment:\n  file: {source: file, path: x, mapping: y}\n",
            7,
            "no enrichment source `fiel`",
            "Did you mean `file`?",
        ),
        ("enrichment:\n  f: {path: x}\n", 8, "`enrichment.f.source` is missing", "`file`"),
        ("enrichment:\n  f: {source: [file]}\n", 8, "`enrichment.f.source` should be a name", ""),
        ("enrichment:\n  f: file\n", 8, "`enrichment.f` should be a mapping", ""),
        ("database: postgresql://u:" + SECRET + "@db/x\n", 7, "should be sqlite:///FILE", ""),
        ("database: 'sqlite:///'\n", 7, "should be sqlite:///FILE", ""),
        ("conections: {}\n", 7, "unknown key `conections`", "Did you mean `connections`?"),
        ("  'a b/../c':\n    connector: x\n", 7, "cannot name a connection", "letters"),
        ("  b:\n    connector: x\n", 7, "`connections.b.mapping` is missing", "Add `mapping:`"),
        ("  b: 3\n", 7, "`connections.b` should be a mapping", ""),
        ("  b:\n", 7, "`connections.b` should be a mapping", ""),
    ],
)
def test_a_wrong_setting_is_told_with_its_line_and_a_way_out(
    tmp_path: Path, more: str, line: int | None, message: str, fix: str
) -> None:
    path = write(tmp_path, more=more)
    if line is None:
        assert load_config(path).connections
        return
    problem = problem_of(path)
    assert problem.place.startswith(f"{path}:{line}:")
    assert message in problem.message
    assert fix in problem.fix
    assert SECRET not in str(problem)


@pytest.mark.usefixtures("in_environment")
def test_a_key_that_neither_we_nor_the_connector_know_is_refused_with_a_guess(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, more="    apiversion: '62.0'\n")
    with pytest.raises(ConfigError) as caught:
        salesforce(load_config(path))
    assert caught.value.place == f"{path}:7:5"
    assert caught.value.fix == "Did you mean `api_version`?"


def test_mistakes_of_several_connections_are_told_at_once(tmp_path: Path) -> None:
    more = (
        "    mode: x\n    enrichment: [a, b]\n"
        "  'b c':\n    connector: x\n    mapping: m\n"
        "  d:\n    connector: x\n    mapping: m\n    enrichment: [nope]\n"
    )
    told = str(problem_of(write(tmp_path, more=more)))
    assert re.findall(r"config\.yaml:(\d+):\d+", told) == ["7", "9", "15"]


def test_without_a_file_the_way_to_one_is_told(tmp_path: Path) -> None:
    problem = problem_of(tmp_path / "config.yaml")
    assert problem.place == str(tmp_path / "config.yaml")
    assert "crm-sync init" in problem.fix


def test_paths_start_at_the_file_wherever_the_command_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "here", more="database: sqlite:///data/x.db\n")
    monkeypatch.chdir(tmp_path / "elsewhere")
    config = load_config(Path("../here/config.yaml"))
    connection = config.connection(None)
    found = connection.path(connection.settings.mapping).resolve()
    assert found == tmp_path / "here" / "mappings" / "salesforce.yaml"
    assert config.database_path.resolve() == tmp_path / "here" / "data" / "x.db"
    assert connection.path(Path("/abs/x.yaml")) == Path("/abs/x.yaml")


def test_a_connection_is_named_or_the_only_one(tmp_path: Path) -> None:
    one = load_config(write(tmp_path))
    assert one.connection(None).name == "main"
    two = load_config(write(tmp_path, more="  second: {connector: x, mapping: y}\n"))
    with pytest.raises(NotFound) as caught:
        two.connection(None)
    assert "main, second" in caught.value.fix
    with pytest.raises(NotFound) as caught:
        two.connection("mian")
    assert caught.value.fix == "Did you mean `main`?"


def test_what_is_left_out_is_careful(tmp_path: Path) -> None:
    settings = load_config(write(tmp_path)).connection(None).settings
    assert settings.mode is Mode.REVIEW
    assert settings.schedule is None
    assert 0 < settings.guards.max_share_changed < 1
