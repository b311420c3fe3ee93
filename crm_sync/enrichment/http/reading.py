"""From a reply to one answer for each contact, and never to another's.

What a vendor says is stored as it came; whether it is the same person is judged by our own
matching. Where it cannot be told whom an answer is about, there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crm_sync.enrichment.asking import SEVERAL, Answer, Question
from crm_sync.enrichment.http.description import AnswerShape, Charge
from crm_sync.enrichment.http.pacing import whole_number
from crm_sync.errors import ConfigError, ServerFault
from crm_sync.yamlfile import YamlFile

MOST_CANDIDATES = 25
"""More people than that under one name are no answer."""


@dataclass
class Harvest:
    """What the pages of one call held so far: people, and the credits that the vendor told of."""

    people: list[Any] = field(default_factory=list)
    whole: Any = None
    told: float | None = None

    def add_credits(self, told: float | None) -> None:
        """What one page cost, if it said so."""
        if told is not None:
            self.told = (self.told or 0.0) + told


@dataclass(frozen=True)
class Reader:
    """Reads replies as one description says; `file` is for the places of errors."""

    shape: AnswerShape
    charge: Charge
    batched: bool
    file: YamlFile = field(repr=False)
    place: str

    def page(self, body: Any, headers: Mapping[str, str], harvest: Harvest) -> int:
        """Take in one page; how many entries it had."""
        harvest.add_credits(self._told(body, headers))
        if self.shape.people is None:
            harvest.whole = body
            return 1
        entries = at(body, self.shape.people)
        if entries is None and has(body, self.shape.people):
            entries = []
        if not isinstance(entries, list):
            raise self._unfit("people", f"the answer has no list at `{self.shape.people}`")
        harvest.people += entries
        return len(entries)

    def answers(self, questions: Sequence[Question], harvest: Harvest) -> list[Answer]:
        """One answer for each question, in their order, with what each cost."""
        if self.shape.people is None:
            (question,) = questions
            found = [self._answer(question, self._person(harvest.whole))]
        elif not self.batched:
            found = [self._candidates(questions[0], harvest.people)]
        elif self.shape.matched_by == "position":
            found = self._by_position(questions, harvest.people)
        else:
            found = self._by_echo(questions, harvest.people)
        return charged(found, self.charge, harvest.told)

    def _by_position(self, questions: Sequence[Question], entries: Sequence[Any]) -> list[Answer]:
        if len(entries) != len(questions):
            raise ServerFault(
                f"answered about {len(entries)} contacts where {len(questions)} were asked about; "
                "which is which cannot be told",
                place=self.place,
                sent=True,
            )
        pairs = zip(questions, entries, strict=True)
        return [self._answer(question, self._person(entry)) for question, entry in pairs]

    def _by_echo(self, questions: Sequence[Question], entries: Sequence[Any]) -> list[Answer]:
        heard: dict[str, list[Any]] = {}
        for entry in entries:
            heard.setdefault(str(at(entry, self.shape.echo or "")), []).append(entry)
        found: list[Answer] = []
        for number, question in enumerate(questions, start=1):
            mine = heard.get(str(number), [])
            if len(mine) > 1:
                message = "several answers came about this contact"
                found.append(Answer(question.contact_id, "refused", message=message))
            else:
                found.append(self._answer(question, self._person(mine[0] if mine else None)))
        return found

    def _candidates(self, question: Question, entries: Sequence[Any]) -> Answer:
        people = [one for one in map(self._person, entries) if one is not None]
        if len(people) > MOST_CANDIDATES:
            return Answer(question.contact_id, "absent", message="too many people may be meant")
        if len(people) < 2:
            return self._answer(question, people[0] if people else None)
        return Answer(question.contact_id, "found", as_document({SEVERAL: people}))

    def _answer(self, question: Question, person: Mapping[str, Any] | None) -> Answer:
        if person is None:
            return Answer(question.contact_id, "absent")
        return Answer(question.contact_id, "found", as_document(person))

    def _person(self, entry: Any) -> Mapping[str, Any] | None:
        """The person in an entry; None where the vendor knows none."""
        person = at(entry, self.shape.person) if self.shape.person else entry
        if person is None or person in ({}, []):
            return None
        if not isinstance(person, dict):
            key = "person" if self.shape.person else "people"
            raise self._unfit(key, "the answer holds something else where a person should be")
        for path, values in self.shape.absent_when.items():
            if has(person, path) and at(person, path) in values:
                return None
        return person

    def _told(self, body: Any, headers: Mapping[str, str]) -> float | None:
        """What the vendor says that the call cost."""
        if self.charge.told_header:
            return number(headers.get(self.charge.told_header))
        return number(at(body, self.charge.told_at)) if self.charge.told_at else None

    def _unfit(self, key: str, what: str) -> ConfigError:
        at_key = ("answer", key) if ("answer", key) in self.file.places else ("answer",)
        return self.file.error(
            f"{self.place}: {what}",
            at_key,
            "Compare `answer:` with an answer of the vendor; the API may have changed.",
        )


def charged(answers: Sequence[Answer], charge: Charge, told: float | None) -> list[Answer]:
    """The answers with their costs: as the vendor told for the call, else by the description."""
    paid = [one.status == "found" for one in answers]
    if charge.charged == "asked" or (told and not any(paid)):
        paid = [True] * len(answers)
    each = charge.each if told is None else told / max(1, sum(paid))
    pairs = zip(answers, paid, strict=True)
    return [replace(one, credits=each if costs else 0.0) for one, costs in pairs]


def credits_left(charge: Charge, headers: Mapping[str, str]) -> int | None:
    """How many credits are left, if a header says so."""
    return whole_number(headers.get(charge.left_header, "")) if charge.left_header else None


def as_document(value: Any) -> str:
    """JSON text that every reader takes: without NUL signs, half characters turned into `?`."""
    text = json.dumps(_without_nul(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", " ")
    if isinstance(value, Mapping):
        return {_without_nul(key): _without_nul(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nul(inner) for inner in value]
    return value


def at(value: Any, path: str) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def has(value: Any, path: str) -> bool:
    """Whether the last key of the path is there, be it null."""
    *before, last = path.split(".")
    for key in before:
        value = value.get(key) if isinstance(value, dict) else None
    return isinstance(value, dict) and last in value


def number(value: Any) -> float | None:
    """A number of credits; None where it is none."""
    try:
        found = float(value) if isinstance(value, int | float | str) else -1.0
    except ValueError:
        return None
    return found if 0 <= found <= 1e6 else None
