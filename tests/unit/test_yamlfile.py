from __future__ import annotations

import io
import re
import time
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from ruamel.yaml import YAML

from crm_sync.errors import ConfigError
from crm_sync.yamlfile import MAX_BYTES, YamlFile, did_you_mean, load_yaml, validate

SECRET = "hunter2-correct-horse"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "some.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


BROKEN = [
    ("a: [1\n", "2:1", "expected ',' or ']'"),
    ("a: b: c\n", "1:5", "mapping values are not allowed here"),
    ("\ta: 1", "1:1", "cannot start any token"),
    ("a:\n\t- 1", "2:1", "cannot start any token"),
    ("a: 'x", "1:6", "unexpected end of stream"),
    ("a: %x", "1:4", "cannot start any token"),
    ("a: @x", "1:4", "cannot start any token"),
    ("a: `x", "1:4", "cannot start any token"),
    ("- a\nb: 1", "2:1", "expected <block end>"),
    ("a:\n  - 1\n b: 2", "3:2", "expected <block end>"),
    ("a: 1\n---\nb: 2\n", "2:1", "second document"),
    ("a: 2026-13-45", "1:4", "not a possible date"),
    ("a:\n  b: " + "9" * 5000, "2:6", "not a possible number"),
    ("<<: {a: 1}\nb: 2", "1:1", "merge key"),
    ("x: {a: 1}\n? [a]\n: b", "2:3", "a key has to be plain text"),
    ("{a: 1}: b", "1:1", "a key has to be plain text"),
    ("a: !!python/object/apply:os.system [id]", "1:4", "tag"),
    ("a: !foo bar", "1:4", "tag"),
    ("a: !!set {x, y}", "1:4", "tag"),
    ("a: !!binary aGk=", "1:4", "tag"),
    ("a: 1\nb: 2\na: 3\n", "3:1", "`a` stands here twice"),
    ("1: a\n'1': b", "2:1", "`1` stands here twice"),
    ("a: \x01", "1:4", "character that YAML does not allow"),
    ("a: 1\nb: \x00", "2:4", "NUL"),
    (b"a: 1\nb: caf\xe9", "2:7", "not UTF-8"),
    ("%YAML 3.0\n---\na: 1", "1:1", "incompatible YAML"),
    ("a: *there", "1:4", "alias"),
    ("a: &here 1\nb: *here", "1:4", "alias"),
]


@pytest.mark.parametrize(("text", "place", "message"), BROKEN)
def test_a_broken_file_is_told_with_its_place(
    tmp_path: Path, text: str | bytes, place: str, message: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_yaml(path)
    assert caught.value.place == f"{path}:{place}"
    assert message in caught.value.message
    assert caught.value.fix


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    started = time.monotonic()
    with pytest.raises(ConfigError, match="alias"):
        load_yaml(write(tmp_path, "\n".join(rows)))
    assert time.monotonic() - started < 5


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["a: &x 1\nb: &x 2", "%YAML 1.1\n---\na: 1e3\nb: &x 1"])
def test_the_parser_warns_nobody(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="alias"):
        load_yaml(write(tmp_path, text))


@pytest.mark.parametrize("sign", ["[", "{", "- ", "? "])
def test_endless_nesting_is_refused(tmp_path: Path, sign: str) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        load_yaml(write(tmp_path, sign * 20_000))


def test_a_file_above_a_megabyte_is_refused_and_one_at_the_bound_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than 1 MB"):
        load_yaml(write(tmp_path, "a: 1\n#" + "x" * (MAX_BYTES - 5)))
    assert load_yaml(write(tmp_path, "a: 1\n#" + "x" * (MAX_BYTES - 6))).data == {"a": 1}


def test_an_absent_file_a_folder_and_an_impossible_path_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "no.yaml", tmp_path, Path("no\x00such")):
        with pytest.raises(ConfigError) as caught:
            load_yaml(path)
        assert caught.value.place == str(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert load_yaml(write(tmp_path, b"\xef\xbb\xbfa: 1")).data == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        f"client_secret: {SECRET}\nclient_secret: other",
        f"client_secret: other\nclient_secret: {SECRET}",
        f"client_secret: *{SECRET}",
        f"client_secret: &{SECRET} x",
        f"client_secret: !{SECRET} x",
        f"client_secret: !{SECRET}!x y",
        f"client_secret: '{SECRET}",
        f"client_secret: '{SECRET}' x",
        f"client_secret: [{SECRET}",
        f"client_secret: {SECRET}: x",
        f"client_secret: |{SECRET}",
        f"client_secret: %{SECRET}",
        f"client_secret: {SECRET}\x01",
        f"%{SECRET}\n---\nclient_secret: x y: z",
    ],
)
def test_no_syntax_error_repeats_a_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_yaml(write(tmp_path, text))
    assert SECRET not in str(caught.value)


class _Auth(BaseModel):
    model_config = ConfigDict(extra="forbid")
    flow: Literal["password"]
    password: SecretStr = Field(min_length=99)
    pin: SecretStr = Field(min_length=99)


class _Ticket(BaseModel):
    model_config = ConfigDict(extra="forbid")
    flow: Literal["ticket"]
    ticket_number: int


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    share: float = Field(0.5, ge=0, le=1)
    home: str = Field("", max_length=5)
    colour: Literal["red", "green"] = "red"
    auth: _Auth | _Ticket | None = Field(None, discriminator="flow")
    inner: dict[str, dict[str, int]] = {}


def problem_of(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        validate(_Model, load_yaml(write(folder, text)))
    return caught.value


WRONG = [
    ("name: x\nnmae: x", "2:1", "unknown key `nmae`", "Did you mean `name`?"),
    ("{}", "1:1", "`name` is missing", "Add `name:` here."),
    ("name: 3", "1:1", "`name` should be a valid string, not 3", ""),
    ("name:", "1:1", "`name` should be a valid string, not empty", ""),
    ("name: x\nshare: 1.5", "2:1", "`share` should be less than or equal to 1, not 1.5", ""),
    ("name: x\ncolour: blue", "2:1", "`colour` should be 'red' or 'green', not 'blue'", ""),
    ("name: x\ninner: 4", "2:1", "`inner` should be a mapping (`key: value` lines), not 4", ""),
    ("name: x\ninner: {a: {b: c}}", "2:13", "`inner.a.b` should be a valid integer", ""),
    ("name: x\nauth: {}", "2:1", "`auth.flow` is missing", "Add `flow:` here."),
    (
        "name: x\nauth: {flow: oauth}",
        "2:8",
        "`auth.flow` should be one of 'password', 'ticket'",
        "",
    ),
    (
        "name: x\nauth: {flow: ticket, ticket_numbre: 4, ticket_number: 3}",
        "2:22",
        "unknown key `auth.ticket_numbre`",
        "Did you mean `ticket_number`?",
    ),
    ("[1]", "1:1", "the file should be a mapping (`key: value` lines), not a list", ""),
    ("", "1:1", "the file should be a mapping (`key: value` lines), not empty", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "fix"), WRONG)
def test_a_wrong_value_is_told_with_place_and_likely_fix(
    tmp_path: Path, text: str, place: str, message: str, fix: str
) -> None:
    problem = problem_of(tmp_path, text)
    assert problem.place.endswith(f"some.yaml:{place}")
    assert message in problem.message
    assert fix in problem.fix


def test_every_mistake_of_a_file_is_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    told = str(problem_of(tmp_path, "share: 3\ncolour: blue\nnmae: x"))
    places = re.findall(r"some\.yaml:(\d+):", told)
    assert places == ["1", "1", "2", "3"]
    assert all(word in told for word in ("`name` is missing", "`share`", "`colour`", "`nmae`"))


@pytest.mark.parametrize(
    "text",
    [
        f"name: x\nauth: {{flow: password, password: {SECRET}, pin: x}}",
        f"name: x\nauth: {{flow: password, password: x, pin: {SECRET}}}",
        f"name: x\nauth: {SECRET}",
        f"name: x\nhome: https://user:{SECRET}@example.com",
    ],
)
def test_no_wrong_value_repeats_a_secret(tmp_path: Path, text: str) -> None:
    assert SECRET not in str(problem_of(tmp_path, text))


def test_a_place_that_is_not_in_the_file_is_that_of_the_nearest_key_around_it() -> None:
    file = YamlFile(Path("f.yaml"), {}, {(): (1, 1), ("a",): (3, 5)})
    assert file.place(("a", "b", 0)) == "f.yaml:3:5"
    assert file.place(("z",)) == "f.yaml:1:1"


def test_places_of_nested_keys_and_items(tmp_path: Path) -> None:
    file = load_yaml(write(tmp_path, "a:\n  b:\n    - x\n    - {c: 1}\n"))
    assert file.data == {"a": {"b": ["x", {"c": 1}]}}
    assert file.place(("a", "b")).endswith(":2:3")
    assert file.place(("a", "b", 0)).endswith(":3:7")
    assert file.place(("a", "b", 1, "c")).endswith(":4:8")


def test_a_guess_is_made_only_when_one_is_close() -> None:
    assert did_you_mean("titel", ["title", "name"]) == "title"
    assert did_you_mean("zzz", ["title", "name"]) == ""


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=30)
    | st.dates()
)
keys = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=12)


@given(st.dictionaries(keys, scalars | st.lists(scalars, max_size=3), max_size=6))
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_a_yaml_writer_wrote_is_read_back(tmp_path: Path, data: dict[str, Any]) -> None:
    out = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False  # in flow style it writes `?0` bare, which is no YAML
    writer.dump(data, out)
    assert load_yaml(write(tmp_path, out.getvalue())).data == data


yaml_like = st.lists(
    st.sampled_from(
        ["a", "b: ", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "'", '"', "#", "&x ", "*x",
         "!t ", "|", ">", "%", "---\n", "...\n", "? ", "<<: ", "1", "2026-01-01", "0x", ".inf",
         "1:2:3", "\t", "é", "~", "=", "!!int ", "!!float x", "!!null ", "\\", "0b2", "1_", "@"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(yaml_like | st.text(max_size=60) | st.binary(max_size=60))
@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_text_ends_in_anything_but_values_or_a_told_mistake(
    tmp_path: Path, text: str | bytes
) -> None:
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    path = write(tmp_path, raw)
    told = ""
    try:
        load_yaml(path)
    except ConfigError as problem:
        told = str(problem)
    assert not told or told.startswith(str(path))
