"""Normalisation in bulk: SQL macros that every comparison uses.

`install` puts them into a DuckDB connection. Most stand in `sql/normalise.sql`, `sql/names.sql` and
`sql/titles.sql`; those that are made of lists are written here. Lists and patterns are those of
`crm_sync.normalise`, which does the same for single values.

named(rel) and titled(rel) are `named_many` and `titled_many`, until `few.use` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from crm_sync.matching import few
from crm_sync.normalise import company_words, pauses, person_words, point_words, title_words
from crm_sync.normalise import title_patterns as patterns
from crm_sync.normalise.companies import company_key
from crm_sync.normalise.title_levels import Level

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def install(db: DuckDBPyConnection) -> None:
    """Define every macro and word list in this connection; may be called again."""
    for name, value in _variables().items():
        db.execute(f"SET VARIABLE {name} = {value}")
    for signature, body in _macros().items():
        db.execute(f"CREATE OR REPLACE MACRO {signature} AS {body}")
    for name in ("normalise", "names", "titles"):
        db.execute(statement(name))
    few.install(db)


def statement(name: str) -> str:
    """The text of one of this package's SQL files."""
    return files("crm_sync.matching").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def _variables() -> Mapping[str, str]:
    lists = {
        "generic_company_words": company_words.GENERIC_COMPANY_WORDS,
        "small_company_words": company_words.SMALL_COMPANY_WORDS,
        "role_mailboxes": point_words.ROLE_MAILBOXES,
        "rank_words": patterns.rank_words(),
        "weak_last_names": person_words.WEAK_LAST_NAMES,
        "not_nicknames": person_words.NOT_NICKNAMES,
        "no_employer": [company_key(name) for name in company_words.NO_EMPLOYER],
        "shared_nicknames": person_words.SHARED_NICKNAMES,
    }
    texts = {
        **_name_patterns(),
        "former_name": company_words.FORMER_NAME,
        "legal_form_before": company_words.LEGAL_FORM_BEFORE,
        "legal_form_after": company_words.LEGAL_FORM_AFTER,
        "free_mail_pattern": "|".join(
            domain.replace(".", r"\.") for domain in point_words.FREE_MAIL_DOMAINS
        ),
        "phone_extension": point_words.EXTENSION,
        "phone_trunk": f"^({point_words.TRUNK_AFTER_CODE})0",
        "mobile_numbers": point_words.MOBILE_NUMBERS,
        "telling_numbers": point_words.TELLING_NUMBERS,
        "linkedin_page": point_words.LINKEDIN_PAGE,
        "linkedin_old_page": point_words.LINKEDIN_OLD_PAGE,
        "linkedin_opaque_slug": point_words.LINKEDIN_OPAQUE_SLUG,
        "inclusive": title_words.INCLUSIVE,
        "elision": title_words.ELISION,
        "research": title_words.RESEARCH,
        "plural": patterns.PLURAL,
        "silent": patterns.SILENT,
        "filler": patterns.FILLER,
        "seat_pattern": title_words.SEAT_PATTERN,
        "not_a_seat_pattern": title_words.NOT_A_SEAT_PATTERN,
        "pause_pattern": pauses.PAUSE_PATTERN,
        "not_a_pause_pattern": pauses.NOT_A_PAUSE_PATTERN,
        "leave_pattern": pauses.LEAVE_PATTERN,
        "pause_employer_pattern": pauses.PAUSE_EMPLOYER_PATTERN,
    }
    return {
        **{name: f"[{_listed(values)}]" for name, values in lists.items()},
        **{name: _literal(text) for name, text in texts.items()},
        "calling_codes": _map(
            {name: some.code for some in point_words.NUMBERINGS for name in some.countries}
        ),
        "title_synonyms": _map(patterns.key_synonyms()),
        "company_abbreviations": _map(company_words.COMPANY_ABBREVIATIONS),
    }


def _name_patterns() -> Mapping[str, str]:
    whatever_case = {
        "titles_before": person_words.LEADING,
        "letters_after": person_words.TRAILING,
        "birth_name": person_words.BIRTH_NAME,
        "birth_names": person_words.BIRTH_NAMES,
        "married": person_words.MARRIED,
        "last_words": person_words.LAST_WORDS,
        "name_suffix": person_words.SUFFIX,
    }
    two, three = (rf"[^\p{{Ll}} .]*(?:\p{{Lu}}[^\p{{Ll}} .]*){{{count},}}" for count in (2, 3))
    particles = "|".join(word.replace(".", r"\.") for word in person_words.PARTICLES)
    return {
        **{name: f"(?i){pattern}" for name, pattern in whatever_case.items()},
        "loose_signs": person_words.LOOSE_SIGNS,
        "not_plain": person_words.NOT_PLAIN,
        "last_first": person_words.LAST_FIRST,
        "capitals_first": rf"^({three}(?: {two})*|{two}(?: {two})+) ([^ ]*\p{{Ll}}.*)$",
        "capitals_last": rf"^(.+?) ((?:(?:{particles}) )*(?:{two} )+{two})$",
        "bracketed": person_words.BRACKETED,
        "quoted": person_words.QUOTED,
        "in_brackets": person_words.IN_BRACKETS,
        "in_brackets_before": person_words.IN_BRACKETS_BEFORE,
        "elided_name": person_words.ELIDED,
    }


def _macros() -> Mapping[str, str]:
    return {
        "company_synonyms(t)": _company_synonyms(),
        "national_phone(d, code)": _national_phone(),
        "overseas_phone(key)": _overseas_phone(),
        "title_endings(t)": _replaced("t", patterns.STEM_ENDINGS),
        "title_phrases(t)": _where_any(
            [phrase.strip() for phrase, _ in patterns.key_phrases()],
            _replaced("t", patterns.key_phrases()),
        ),
        "level_reading(t)": _reread(patterns.level_readings()),
        "department_reading(t)": _reread(patterns.department_readings()),
        "title_level_in(t)": _title_level(),
        "title_departments_in(t)": _title_departments(),
        "level_rank(level)": "CASE level "
        + " ".join(f"WHEN {_literal(level)} THEN {level.rank}" for level in Level)
        + " END",
    }


def _company_synonyms() -> str:
    pairs = [(f" {word} ", f" {same} ") for word, same in company_words.COMPANY_SYNONYMS.items()]
    spaced = _replaced("' ' || replace(t, ' ', '  ') || ' '", pairs)
    said = f"trim(replace({spaced}, '  ', ' '))"
    pattern = f"(?:^| )(?:{'|'.join(company_words.COMPANY_SYNONYMS)})(?: |$)"
    return f"CASE WHEN regexp_matches(t, {_literal(pattern)}) THEN {said} ELSE t END"


def _national_phone() -> str:
    """By country, as `crm_sync.normalise.points` reads it."""
    cases = []
    for some in point_words.NUMBERINGS:
        without = f"regexp_replace(d, {_literal(f'^{some.trunk}')}, '')" if some.trunk else "d"
        cases.append(
            f"WHEN code = {_literal(some.code)} THEN CASE "
            f"WHEN regexp_full_match(d, {_literal(some.national)}) "
            f"THEN {_literal(some.code)} || {without} "
            f"WHEN regexp_full_match(d, {_literal(some.with_code)}) THEN d END"
        )
    cases.append("WHEN code <> '' THEN NULL")
    cases += [
        f"WHEN regexp_full_match(d, {_literal(pattern)}) THEN CASE "
        f"WHEN starts_with(d, {_literal(code)}) THEN d "
        f"ELSE {_literal(code)} || regexp_replace(d, '^0', '') END"
        for code, pattern in point_words.UNPLACED_NUMBERINGS.items()
    ]
    return f"CASE {' '.join(cases)} END"


def _overseas_phone() -> str:
    cases = " ".join(
        f"WHEN regexp_full_match(key, {_literal(f'33({prefixes})[0-9]{{6}}')}) "
        f"THEN {_literal(code)} || key[3:]"
        for code, prefixes in point_words.OVERSEAS_NUMBERS.items()
    )
    return f"CASE WHEN NOT starts_with(key, '33') THEN key {cases} ELSE key END"


def _title_level() -> str:
    cases = []
    for levels, pattern in patterns.level_steps():
        names = [str(level or "none") for level in levels]
        found = " ".join(
            f"WHEN regexp_extract(t, {_literal(pattern)}, {group}) <> '' THEN {_literal(name)}"
            for group, name in enumerate(names, start=1)
        )
        cases.append(f"WHEN regexp_matches(t, {_literal(pattern)}) THEN CASE {found} END")
    return f"CASE {' '.join(cases)} END"


def _title_departments() -> str:
    found = ", ".join(
        f"CASE WHEN regexp_matches(t, {_literal(pattern)}) THEN {_literal(name)} END"
        for name, pattern in patterns.department_patterns().items()
    )
    return f"list_filter([{found}], lambda d: d IS NOT NULL)"


def _reread(readings: Sequence[tuple[str, str]]) -> str:
    body = "t"
    for pattern, instead in readings:
        body = f"regexp_replace({body}, {_literal(pattern)}, {_literal(instead)}, 'g')"
    return _where_any([pattern for pattern, _ in readings], body)


def _where_any(found: Iterable[str], body: str) -> str:
    """`body` for the texts in which one of the patterns is found, the others as they are."""
    return f"CASE WHEN regexp_matches(t, {_literal('|'.join(found))}) THEN {body} ELSE t END"


def _replaced(body: str, pairs: Iterable[tuple[str, str]]) -> str:
    for said, instead in pairs:
        body = f"replace({body}, {_literal(said)}, {_literal(instead)})"
    return body


def _map(pairs: Mapping[str, str]) -> str:
    return f"MAP {{{', '.join(f'{_literal(a)}: {_literal(b)}' for a, b in pairs.items())}}}"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(_literal(value) for value in values)


def _literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
