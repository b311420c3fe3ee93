"""Descriptions of APIs: what cannot be meant is told with its place, and nothing is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.enrichment.asking import Question
from crm_sync.enrichment.http.building import build, is_answerable
from crm_sync.enrichment.http.description import load_description
from crm_sync.enrichment.http.templates import FIELDS, fill, problem_of, values_of
from crm_sync.errors import ConfigError
from tests.support.judging import MAPPINGS

SHIPPED = ("apollo", "coresignal", "enrichlayer")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_descriptions_hold_no_secret_and_say_what_was_not_confirmed(name: str) -> None:
    described, file = load_description(MAPPINGS / f"{name}.yaml")
    assert described.base_url.startswith("https://")
    text = file.path.read_text(encoding="utf-8")
    assert "Not confirmed" in text
    assert set(described.model_fields_set) >= {"auth", "request", "credits", "limits"}


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("apollo", "batch: 10", "batsh: 10", "Did you mean `batch`?"),
        ("apollo", "batch: 10", "batch: 0", "`request.batch`"),
        ("apollo", "method: POST", "method: PUT", "`request.method`"),
        ("apollo", "method: POST", "method: GET", "POST"),
        ("apollo", "kind: header,", "kind: heade,", "`auth.kind`"),
        ("apollo", "name: X-Api-Key", 'name: "X-Api\\nKey"', "`auth.name`"),
        ("apollo", '"{first_name}"', '"{frist_name}"', "did you mean `first_name`?"),
        ("apollo", '"{first_name}"', '"{first_name"', "stands alone"),
        ("apollo", '"{first_name}"', '"{contact_id}"', "no field `contact_id`"),
        ("apollo", '"{first_name}"', '"{first_name.__class__}"', "no field"),
        ("apollo", '    - [email]\n', '    - [mail]\n', "Did you mean `email`?"),
        ("apollo", '    - [email]\n', '    - [city]\n', "does not send"),
        ("apollo", '    details: "{each}"', '    details: "{all}"', "no field `all`"),
        ("apollo", '    details: "{each}"', '    details: "x{each}"', "`{each}` once"),
        ("apollo", "  people: matches", "  # people", "needs `answer.people`"),
        ("apollo", "  people: matches", "  people: a..b", "is not a path"),
        ("apollo", "matched_by: position", "matched_by: echo", "belong together"),
        ("apollo", "base_url: https://", "base_url: http://", "https://"),
        ("apollo", "base_url: https://", "base_url: https://me:pw@", "no user name"),
        ("apollo", "seconds: 3600", "seconds: 60", "same number of seconds"),
        ("apollo", "  id: id\n", "  ids: id\n", "`profile.ids`"),
        ("apollo", "title: title", "title: id..x", "is not a path"),
        ("apollo", "    title: title", "    titel: title", "Did you mean `title`?"),
        ("apollo", "letter_case: keep", "format: csv", "unknown key `format`"),
        ("coresignal", "/collect/{linkedin_slug}", "/collect/{slug}", "no field `slug`"),
        ("coresignal", "/collect/{linkedin_slug}", "/collect?id={linkedin_slug}", "`request.path`"),
        ("coresignal", "path: /employee", "path: https://x.example/employee", "`request.path`"),
        ("coresignal", "  needs: [[linkedin_slug]]", "  needs: []", "`request.needs`"),
        ("coresignal", "  needs: [[linkedin_slug]]", "  needs: [[]]", "empty list"),
        ("coresignal", "verified_on: checked_at", 'verified_on: ""', "is not a path"),
        ("coresignal", "year: date_from_year, month", "month", "year"),
        ("coresignal", "each: 20", "each: .inf", "`credits.each`"),
        ("enrichlayer", "denied: [401]", "denied: [401, 403]", "two meanings"),
        ("enrichlayer", "refused: [400]", "refused: [200]", "`statuses.refused"),
        ("enrichlayer", "read: 60", "read: 100000", "`timeouts.read`"),
        ("enrichlayer", "/api/v2/credit-balance", '"/{email}/balance"', "`check.path`"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    text = (MAPPINGS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path = tmp_path / "api.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_description(path)
    assert said in str(caught.value), str(caught.value)
    assert caught.value.place.startswith(f"{path}:")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (MAPPINGS / "apollo.yaml").read_text(encoding="utf-8")
    text = text.replace('"{first_name}"', '"{first}"').replace('"{last_name}"', '"{last}"')
    (tmp_path / "api.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_description(tmp_path / "api.yaml")
    assert "`first`" in str(caught.value)
    assert "`last`" in str(caught.value)


def test_headers_that_are_not_the_descriptions(tmp_path: Path) -> None:
    text = (MAPPINGS / "apollo.yaml").read_text(encoding="utf-8")
    text = text.replace("  batch: 10", "  headers: {Authorization: Bearer abc}\n  batch: 10")
    (tmp_path / "api.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be set here"):
        load_description(tmp_path / "api.yaml")


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{first_name} {last_name}", "Ada Sample"),
        ("{title}", None),
        ("{title|first_name}", "Ada"),
        ("{title|city}", None),
        ({"a": "{title}", "b": "{city}"}, None),
        ({"a": "{title}", "b": 1, "c": []}, {"b": 1, "c": []}),
        (["{title}", "{first_name}", True], ["Ada", True]),
        ("no braces", "no braces"),
    ],
)
def test_what_is_blank_is_left_out(template: object, filled: object) -> None:
    question = Question("c", first_name=" Ada ", last_name="Sample", title=" ")
    assert fill(template, values_of(question)) == filled


TEXTS = st.one_of(st.none(), st.text(max_size=40), st.text(alphabet="/.%?#{}\\\n ", max_size=6))


@given(st.lists(TEXTS, min_size=13, max_size=13))
def test_a_value_never_changes_where_a_request_leads(values: list[str | None]) -> None:
    described, _ = load_description(MAPPINGS / "coresignal.yaml")
    shape = described.request.model_copy(
        update={"path": "/v2/{last_name}/people/{email}", "needs": (("last_name", "email"),)}
    )
    question = Question("c", *values)
    if not is_answerable(shape, question):
        return
    path = build(shape, [question]).path
    assert path.isascii()
    assert not set(path) & set("?#\\{} \n")
    parts = path.split("/")
    assert (parts[1], parts[3], len(parts)) == ("v2", "people", 5)
    assert not {"", ".", ".."} & set(parts[1:])


@given(st.text(max_size=30))
def test_a_value_is_never_a_template(value: str) -> None:
    values = {"first_name": value, "last_name": "Roe"}
    assert fill("{first_name}", values) == value
    assert fill({"a": ["{first_name}"]}, values) == {"a": [value]}


@given(st.text(alphabet="{}|abcfirst_name. ", max_size=20))
def test_any_text_is_a_template_or_a_mistake(text: str) -> None:
    if not problem_of(text, FIELDS):
        fill(text, {})
