"""Playbooks: what a mistake in the file says, which rule fits, and what a letter reads like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.errors import ConfigError
from crm_sync.model import Band, Evidence, JobChange, JobChangeKind, Position
from crm_sync.planning.explain import evidence_text, reason
from crm_sync.planning.letters import variables
from crm_sync.planning.playbooks import CONDITIONS, RuleFacts, When, load_playbooks, pick
from crm_sync.planning.wording import clean, long_date, month

SHIPPED = Path(__file__).parents[2] / "mappings" / "playbooks.yaml"

MOVE = JobChange(
    contact_id="c1",
    kind=JobChangeKind.MOVED,
    confidence=0.934,
    band=Band.AUTO,
    before=Position("Sales Manager", "Vexalor"),
    after=Position("Head of Sales", "Norvex"),
    since=date(2026, 3, 1),
    as_of=date(2026, 6, 15),
    source="vendor-file",
    evidence=(Evidence("linkedin", "same page", "vendor-file", date(2026, 6, 15)),),
)
CONTACT = {"first_name": "Claire", "last_name": "Sample", "last_activity": "2025-11-04"}


def _file(folder: Path, text: str) -> Path:
    path = folder / "playbooks.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _rule(subject: str = '{en: "Hello"}', body: str = '{en: "Text"}', more: str = "") -> str:
    return f"""rules:
  - name: one
    when: {{kind: moved}}
    task:
      subject: {subject}
      body: {body}
{more}"""


BLOCK = """
        en: |
          First line
          {% if since %}
          {{ sinse|date }}
          {% endif %}"""


@pytest.mark.parametrize(
    ("text", "place", "message", "fix"),
    [
        ("rules: []\nrule: []\n", "2:1", "unknown key `rule`", "Did you mean `rules`?"),
        (_rule().replace("kind: moved", "kind: promoted"), "3:12", "should be", ""),
        (_rule().replace("kind:", "kinds:"), "3:12", "unknown key", "Did you mean `kind`?"),
        (_rule("{de: Hallo}"), "5:17", "unknown key", "en, fr"),
        (_rule("{}"), "5:7", "`en:` or `fr:`", ""),
        (_rule(more="      due_in_working_days: soon\n"), "7:7", "integer", ""),
        (_rule(more="      owner: boss\n"), "7:7", "contact_owner", ""),
        (_rule('{en: "{{ contct }} moved"}'), "5:25", "`contct`", "Did you mean `contact`?"),
        (_rule('{en: "{% if since %}x"}'), "5:17", "not right", "{% endif %}"),
        (_rule('{en: "x {{ contact|shout }}"}'), "5:35", "no filter `shout`", "Known: "),
        (_rule(body=BLOCK), "10:14", "`sinse`", "Did you mean `since`?"),
        (_rule(body='{en: "{{ contact.name }}"}'), "6:30", "`contact` has no part", "new_account"),
        (
            _rule(body='{en: "{{ new_account.nam }}"}'), "6:34",
            "has no part `nam`", "Did you mean `name`?",
        ),
        (_rule(body='{en: "{{ new_account.name }}"}'), "6:14", "cannot be filled in", "Guard"),
        (_rule(body='{en: "{{ contact|date }}"}'), "6:14", "take a date", ""),
        (_rule('{en: "{% if since %}x{% endif %}"}'), "5:17", "empty for some contacts", "Leave"),
        (_rule(body='{en: "{{ contact.upper() }}"}'), "6:14", "may not call", ""),
        (_rule(body='{en: "{{ 9 ** 9 ** 9 }}"}'), "6:14", "may not use pow", ""),
        (_rule(body='{en: "{% include \'x\' %}"}'), "6:14", "may not use include", ""),
        (_rule(more=_rule()[_rule().index("  - name") :]), "7:5", "called `one`", "rule 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_the_fix(
    tmp_path: Path, text: str, place: str, message: str, fix: str
) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_playbooks(path)
    assert caught.value.place == f"{path}:{place}"
    assert message in caught.value.message
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    "body",
    [
        "{% for a in evidence %}{% for b in evidence %}x{% endfor %}{% endfor %}",
        "{% set x = contact ~ contact %}{{ x }}",
        "{{ contact * 1000000 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ '%9999999d' % 1 }}",
        "{{ range(9) }}",
        "{% macro m() %}{% endmacro %}",
        "{{ contact|center(100000000) }}",
    ],
)
def test_a_template_can_do_nothing_but_fill_in(tmp_path: Path, body: str) -> None:
    with pytest.raises(ConfigError):
        load_playbooks(_file(tmp_path, _rule(body=f'{{en: "{body}"}}')))


def test_the_first_rule_that_fits_is_taken(tmp_path: Path) -> None:
    rules = "rules:\n" + "".join(
        f"  - {{name: {name}, when: {when}, task: {{subject: {{en: s}}, body: {{en: b}}}}}}\n"
        for name, when in (
            ("sure", "{kind: [moved, left], band: auto, confidence_at_least: 0.9}"),
            ("unsure", "{kind: moved, band: review}"),
            ("any", "{}"),
        )
    )
    playbooks = load_playbooks(_file(tmp_path, rules))

    def taken(**facts: Any) -> str | None:
        rule = playbooks.rule_for(RuleFacts(replace(MOVE, **facts)))
        return rule.name if rule else None

    assert taken() == "sure"
    assert taken(confidence=0.9) == "sure"
    assert taken(confidence=0.89) == "any"
    assert taken(band=Band.REVIEW) == "unsure"
    assert taken(kind=JobChangeKind.LEFT, band=Band.REVIEW) == "any"


def test_every_condition_of_a_rule_has_its_predicate() -> None:
    assert set(CONDITIONS) == set(When.model_fields)


def test_one_language_alone_serves_for_both(tmp_path: Path) -> None:
    rule = load_playbooks(_file(tmp_path, _rule())).rules[0]
    assert pick(rule.subject, "fr").render({}) == "Hello"


def test_a_tag_alone_on_its_line_leaves_no_line_and_one_in_a_line_keeps_it(tmp_path: Path) -> None:
    body = "\n        en: |\n          a\n          {% if since %}\n          b {% if since %}c{% endif %}\n\n          d\n          {%- endif %}\n          e"  # fmt: skip  # noqa: E501
    rule = load_playbooks(_file(tmp_path, _rule(body=body))).rules[0]
    assert pick(rule.body, "en").render({"since": date(2026, 1, 1)}) == "a\nb c\n\nde"
    assert pick(rule.body, "en").render({"since": None}) == "a\ne"


def _letter(language: Any, job_change: JobChange, **known: Any) -> tuple[str, str]:
    rule = load_playbooks(SHIPPED).rule_for(RuleFacts(job_change))
    assert rule is not None
    more = {"record_url": "", "owner_name": "", "new_account": None} | known
    values = variables(job_change, CONTACT, **more)
    return pick(rule.subject, language).render(values), pick(rule.body, language).render(values)


ACCOUNT = {"name": "Norvex SAS", "owner": "Paul Essai", "url": ""}


def test_the_english_task_for_a_move_tells_who_where_when_and_what_to_do() -> None:
    subject, body = _letter("en", MOVE, new_account=ACCOUNT)
    assert subject == "Claire Sample has moved to Norvex"
    assert body.startswith(
        "Claire Sample has left Vexalor (Sales Manager) and now works at Norvex (Head of Sales), "
        "since March 2026.\nOur last exchange on record was on November 4, 2025.\n"
    )
    assert "Do not sell anything" in body
    assert "A company named Norvex SAS is already in our CRM, and Paul Essai looks after" in body
    assert "who took over at Vexalor" in body
    assert "vendor-file, as of June 15, 2026, 93 % sure" in body


def test_the_french_task_for_a_move_is_in_french_throughout() -> None:
    subject, body = _letter("fr", MOVE, new_account=ACCOUNT)
    assert subject == "Claire Sample a rejoint Norvex"
    assert "travaille désormais chez Norvex (Head of Sales) depuis mars 2026." in body
    assert "Notre dernier échange connu date du 4 novembre 2025." in body
    assert "Félicitez Claire" in body
    assert (
        "Une entreprise nommée Norvex SAS existe déjà dans notre CRM ; Paul Essai en a la" in body
    )
    assert "au 15 juin 2026, fiabilité 93 %" in body
    assert not {"the", "and", "What"} & set(body.split())


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_task_for_someone_who_left_never_congratulates(language: str) -> None:
    left = replace(MOVE, kind=JobChangeKind.LEFT, after=Position())
    _, body = _letter(language, left)
    assert {"en": "Do not congratulate", "fr": "Pas de félicitations"}[language] in body
    assert {"en": "Congratulate Claire", "fr": "Félicitez"}[language] not in body
    assert {"en": "who took over as", "fr": "qui a pris la suite au poste"}[language] in body


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("kind", [JobChangeKind.MOVED, JobChangeKind.LEFT])
def test_what_is_not_known_leaves_no_gap_in_the_text(language: str, kind: JobChangeKind) -> None:
    bare = JobChange("c1", kind, 0.5, Band.REVIEW, Position(), Position(organisation="Norvex"))
    for text in _letter(language, bare):
        assert not any(gap in text for gap in ("  ", " .", " ,", "()", "None", ", ,"))
    unknown = {"en": "The CRM knows of no", "fr": "aucun échange"}[language]
    rule = load_playbooks(SHIPPED).rule_for(RuleFacts(bare))
    assert rule is not None
    values = variables(bare, {}, record_url="", owner_name="", new_account=None)
    assert unknown in pick(rule.body, language).render(values)  # type: ignore[arg-type]


def test_the_commented_rule_of_the_shipped_file_works_when_it_is_taken_in(tmp_path: Path) -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    start = lines.index("  # - name: retitled")
    taken_in = [line.replace("  # ", "  ", 1) for line in lines[start:]]
    playbooks = load_playbooks(_file(tmp_path, "\n".join([*lines[:start], *taken_in])))
    retitled = replace(MOVE, kind=JobChangeKind.RETITLED)
    rule = playbooks.rule_for(RuleFacts(retitled))
    assert rule is not None
    assert rule.name == "retitled"


def test_the_head_of_the_shipped_file_names_every_variable() -> None:
    from crm_sync.planning.templates import VARIABLES

    head = SHIPPED.read_text(encoding="utf-8").split("\nrules:")[0]
    assert [name for name in VARIABLES if name not in head] == []


def test_dates_are_written_as_people_write_them() -> None:
    assert long_date(date(2026, 6, 3), "en") == "June 3, 2026"
    assert long_date(date(2026, 6, 3), "fr") == "3 juin 2026"
    assert long_date(date(2026, 8, 1), "fr") == "1er août 2026"
    assert month(date(2026, 12, 1), "fr") == "décembre 2026"
    assert long_date(None, "en") == month(None, "en") == ""


@pytest.mark.parametrize(
    ("dirty", "shown"),
    [
        ("\x1b[31mRed\x1b[0m", "Red"),
        ("a\nb\tc", "a b c"),
        ("\u202eevil", "evil"),
        ("nul\x00l", "null"),
        ("\x1b]0;title\x07x", "x"),
        ("O'Brien & Fils <b>", "O'Brien & Fils <b>"),
        ("👩‍💻", "👩‍💻"),
    ],
)
def test_values_in_texts_hold_no_escape_or_control_characters(dirty: str, shown: str) -> None:
    assert clean(dirty) == shown


@given(st.text(max_size=500))
def test_a_cleaned_value_is_one_bounded_printable_line(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= 300
    assert len(cleaned.splitlines()) <= 1
    assert not any(ord(sign) < 32 or 0x7F <= ord(sign) < 0xA0 for sign in cleaned)
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (MOVE, "Moved to Norvex as Head of Sales since 2026-03-01"),
        (replace(MOVE, kind=JobChangeKind.LEFT), "No longer at Vexalor since 2026-03-01"),
        (
            replace(MOVE, kind=JobChangeKind.RETITLED, since=None),
            "Title is Head of Sales, was Sales Manager",
        ),
    ],
)
def test_the_reason_of_a_change_is_one_short_sentence(change: JobChange, words: str) -> None:
    assert reason(change) == words


@given(st.text(max_size=400), st.text(max_size=400), st.sampled_from(["moved", "left", "retitled"]))
def test_reasons_and_evidence_stay_within_their_limits(one: str, other: str, kind: str) -> None:
    many = tuple(Evidence(one, f"{other} a.b@c.example", one) for _ in range(40))
    position = Position(f"{one} a.b@c.example", other)
    change = replace(MOVE, kind=JobChangeKind(kind), before=position, after=position, evidence=many)
    assert len(reason(change)) <= 100
    assert len(evidence_text(change)) < 3_900
    assert "a.b@c.example" not in evidence_text(change)


@pytest.fixture
def render(tmp_path: Path) -> Callable[[str, dict[str, Any]], str]:
    def made(body: str, values: dict[str, Any]) -> str:
        rule = load_playbooks(_file(tmp_path, _rule(body=f'{{en: "{body}"}}'))).rules[0]
        return pick(rule.body, "en").render(values)

    return made


def test_a_value_that_looks_like_a_template_is_not_one(
    render: Callable[[str, dict[str, Any]], str],
) -> None:
    assert render("{{ contact }}", {"contact": "{{ source }}"}) == "{{ source }}"


def test_what_only_some_contacts_reveal_is_told_with_the_place(
    render: Callable[[str, dict[str, Any]], str],
) -> None:
    with pytest.raises(ConfigError, match=r"playbooks\.yaml:6:\d+: the template cannot be"):
        render("{% if contact == 'x' %}{{ contact|date }}{% endif %}", {"contact": "x"})
