"""What a model of single keys cannot see in a description: names of fields, and what fits what."""

from __future__ import annotations

from collections.abc import Iterator

from crm_sync.enrichment.http.description import OWN_HEADERS, Description
from crm_sync.enrichment.http.templates import EACH, FIELDS, NUMBER, names_in, problem_of, texts_in
from crm_sync.enrichment.layout import compile_layout
from crm_sync.enrichment.mapping import check_paths
from crm_sync.errors import ConfigError
from crm_sync.yamlfile import KeyPath, YamlFile, did_you_mean, together


def check_description(description: Description, file: YamlFile) -> None:
    """Raise one `ConfigError` that lists everything that cannot be meant."""
    problems = [
        *_unknown_fields(description, file),
        *_needs(description, file),
        *_batches(description, file),
        *_headers(description, file),
        *_paths(description, file),
    ]
    if problems:
        raise together(problems)
    check_paths(description, file)
    try:
        compile_layout(description, flat=False)
    except ConfigError as problem:
        raise file.error(problem.message, ("profile",), problem.fix) from None


def _unknown_fields(description: Description, file: YamlFile) -> Iterator[ConfigError]:
    request, at = description.request, ("request",)
    numbered = (*FIELDS, NUMBER)
    known: list[tuple[KeyPath, str, tuple[str, ...]]] = []
    alone = FIELDS if request.each is None else ()
    known += [((*at, "path"), request.path, alone)]
    known += [(place, text, alone) for place, text in texts_in(request.query, (*at, "query"))]
    in_body = FIELDS if request.each is None else (EACH,)
    known += [(place, text, in_body) for place, text in texts_in(request.body, (*at, "body"))]
    known += [(place, text, numbered) for place, text in texts_in(request.each, (*at, "each"))]
    for place, text, fields in known:
        problem = problem_of(text, fields) if fields or "{" in text else ""
        if problem and not fields:
            problem = "in a call about several contacts, only `each` can name fields"
        if problem:
            yield file.error(f"`{'.'.join(map(str, place))}`: {problem}", place)


def _needs(description: Description, file: YamlFile) -> Iterator[ConfigError]:
    used = set(_used(description))
    for number, group in enumerate(description.request.needs):
        at = ("request", "needs", number)
        if not group:
            yield file.error("`request.needs` has an empty list: nothing would be asked", at)
        for index, name in enumerate(group):
            if name not in FIELDS:
                guess = did_you_mean(name, FIELDS)
                fix = f"Did you mean `{guess}`?" if guess else f"Known: {', '.join(FIELDS)}."
                yield file.error(f"there is no field `{name}`", (*at, index), fix)
        if group and not used & set(group):
            yield file.error("`request.needs` names only fields that the request does not send", at)


def _used(description: Description) -> Iterator[str]:
    request = description.request
    for template in (request.path, request.query, request.body, request.each):
        for _, text in texts_in(template, ()):
            try:
                yield from (name for place in names_in(text) for name in place)
            except ValueError:
                continue  # told already


def _batches(description: Description, file: YamlFile) -> Iterator[ConfigError]:
    request, answer = description.request, description.answer
    texts = [text for _, text in texts_in(request.body, ())]
    lists = texts.count("{" + EACH + "}")
    if request.each is None:
        if answer.matched_by == "echo":
            yield file.error(
                "`answer.matched_by: echo` is for calls about several contacts", ("answer", "echo")
            )
        return
    if lists != 1 or sum("{" + EACH + "}" in text for text in texts) != 1:
        yield file.error(
            "`request.body` should hold the text `{each}` once: where the list goes",
            ("request", "body"),
            'For example `details: "{each}"`.',
        )
    if answer.people is None:
        yield file.error(
            "a call about several contacts needs `answer.people`: where the answers stand",
            ("answer",),
        )
    sent = {name for _, text in texts_in(request.each, ()) for name in _safe_names(text)}
    if answer.matched_by == "echo" and NUMBER not in sent:
        yield file.error(
            "`answer.matched_by: echo` needs `{number}` in `request.each`", ("answer", "echo")
        )
    if description.pages is not None and answer.matched_by == "position":
        yield file.error(
            "answers in pages cannot be told apart by position", ("pages",), "Use `echo`."
        )


def _safe_names(text: str) -> list[str]:
    try:
        return [name for place in names_in(text) for name in place]
    except ValueError:
        return []


def _headers(description: Description, file: YamlFile) -> Iterator[ConfigError]:
    for name in description.request.headers:
        if name.lower() in OWN_HEADERS:
            yield file.error(
                f"the header {name} cannot be set here",
                ("request", "headers", name),
                "What is secret belongs to the configuration; the others are set as they must be.",
            )


def _paths(description: Description, file: YamlFile) -> Iterator[ConfigError]:
    """Paths into an answer: plain keys; lists inside are for `profile` and `employments`."""
    answer, pages, credits = description.answer, description.pages, description.credits
    told: list[tuple[KeyPath, str | None]] = [
        (("answer", "people"), answer.people),
        (("answer", "echo"), answer.echo),
        (("answer", "person"), answer.person),
        *((("answer", "absent_when", path), path) for path in answer.absent_when),
        (("pages", "next"), pages.next if pages else None),
        (("credits", "told_at"), credits.told_at),
        (("check", "credits_left"), description.check.credits_left if description.check else None),
    ]
    for at, path in told:
        if path is not None and (".." in f".{path}." or "[" in path or not path.strip()):
            yield file.error(f"`{path}` is not a path", at, "Write keys with dots between them.")
