"""What is sent to People Data Labs and what comes back: the one place for its names.

The vendor has no Retry-After. Its limits are windows by minute, day and month, written as a Python
dictionary in one header (`{'minute': 0, 'day': None}`).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from crm_sync.enrichment.asking import Answer, Question

if TYPE_CHECKING:
    from crm_sync.enrichment.mapping import VendorMapping

REMAINING = "x-ratelimit-remaining"
_RESET = "x-ratelimit-reset"
_SPENT = "x-call-credits-spent"
_LEFT = "x-totallimit-remaining"

_HEADER_CHARS = 500
_LONGEST = 300
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(
    r"(?=.{6,254}$)(?=.{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    rf"@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}"
)
_LINKEDIN = re.compile(r"linkedin\.com/(in|pub)/([^/?#\s]+)", re.IGNORECASE)
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every question: how sure, what has to be there, which fields are wanted."""

    min_likelihood: int
    required: str
    fields: tuple[str, ...]

    def body(self, questions: Sequence[Params]) -> dict[str, Any]:
        """One call. A number says which answer is whose: the CRM's own ids stay here."""
        body: dict[str, Any] = {
            "min_likelihood": self.min_likelihood,
            "data_include": ",".join(self.fields),
            "requests": [
                {"metadata": {"n": number}, "params": params}
                for number, params in enumerate(questions)
            ],
        }
        return body | ({"required": self.required} if self.required else {})


def fields_of(mapping: VendorMapping) -> tuple[str, ...]:
    """The fields of a person that a mapping reads: no others are asked for."""
    from crm_sync.enrichment.layout import compile_layout

    return tuple(sorted(json.loads(compile_layout(mapping, flat=False).structure)))


def params_of(question: Question) -> Params:
    """What the vendor is told of a contact; what it would find malformed is left out."""
    params: Params = {
        "profile": _profile(question.linkedin_url),
        "email": _kept(_email, question.email, question.personal_email),
        "phone": _kept(_phone, question.mobile, question.phone),
        "first_name": _text(question.first_name),
        "last_name": _text(question.last_name),
        "company": _kept(_text, question.organisation, question.organisation_domain),
        "locality": _text(question.city),
        "country": _text(question.country),
    }
    if not (params["first_name"] and params["last_name"]):
        params |= {"first_name": None, "last_name": None, "name": _text(question.name)}
    return {name: value for name, value in params.items() if value}


def is_enough(params: Params) -> bool:
    """Whether the vendor can find somebody by this, and we could tell that it is the same person.

    A name with nothing but a place would do for the vendor, and not for us.
    """
    if any(params.get(name) for name in ("profile", "email", "phone")):
        return True
    named = "last_name" in params or "name" in params
    return named and "company" in params


def answers_in(
    body: Any, headers: Mapping[str, str], questions: Sequence[Question]
) -> list[Answer] | None:
    """The answers of a call; None when the body is none.

    A record that failed for a reason that time mends is left out.
    """
    if not isinstance(body, list):
        return None
    numbered = _numbered(body, len(questions))
    found = [one for one in numbered.values() if _status(one) == 200]
    spent = _number(headers.get(_SPENT, ""))
    each = 1.0 if spent is None or not found else spent / len(found)
    answers = [_answer(one, questions[number], each) for number, one in numbered.items()]
    return [one for one in answers if one is not None]


def error_code(body: Any) -> str:
    """The vendor's word for what is wrong, without its sentence, which may repeat what was sent."""
    error = body.get("error") if isinstance(body, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    if isinstance(kind, list) and kind:
        kind = kind[0]
    return kind if isinstance(kind, str) and re.fullmatch(r"\w{1,60}", kind) else "refused"


def windows(text: str) -> dict[str, int]:
    """What is left in each window, as the vendor writes it; what cannot be read is left out."""
    if len(text) > _HEADER_CHARS:
        return {}
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return {}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"minute": value}
    if not isinstance(value, dict):
        return {}
    return {
        name: left
        for name, left in value.items()
        if isinstance(name, str) and isinstance(left, int) and not isinstance(left, bool)
    }


def pause_until_reset(headers: Mapping[str, str], *, at_most: float) -> float:
    """Seconds until the window begins anew, by the vendor's own clock; else its whole length."""
    try:
        reset = datetime.fromisoformat(headers.get(_RESET, "").strip())
        date = parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return at_most
    reset = reset if reset.tzinfo else reset.replace(tzinfo=UTC)
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(at_most, max(1.0, (reset - date).total_seconds()))


def credits_left(headers: Mapping[str, str]) -> int | None:
    """How many credits are left, where the vendor says so."""
    left = _number(headers.get(_LEFT, ""))
    return None if left is None else int(left)


def _numbered(body: list[Any], asked: int) -> dict[int, dict[str, Any]]:
    """The records by the number of their question; in order, where none of them has a number."""
    records = [one for one in body if isinstance(one, dict)]
    if len(records) == asked and all("metadata" not in one for one in records):
        return dict(enumerate(records))
    numbered: dict[int, dict[str, Any]] = {}
    for one in records:
        metadata = one.get("metadata")
        number = metadata.get("n") if isinstance(metadata, dict) else None
        if isinstance(number, int) and 0 <= number < asked:
            numbered.setdefault(number, one)
    return numbered


def _answer(record: dict[str, Any], question: Question, credits: float) -> Answer | None:
    status, id = _status(record), question.contact_id
    if status == 200:
        return Answer(id, "found", _document(record.get("data")), credits)
    if status == 404:
        return Answer(id, "absent")
    if status == 400:
        return Answer(id, "refused", message=error_code(record))
    return None


def _status(record: dict[str, Any]) -> int:
    status = record.get("status")
    return status if isinstance(status, int) else 0


def _document(data: Any) -> str | None:
    """The person as text. `true` stands where an account may only know that there is a value."""
    if not isinstance(data, dict):
        return None
    told = {name: value for name, value in data.items() if not isinstance(value, bool)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text) else None


def _text(value: str | None) -> str | None:
    return " ".join(_UNUSABLE.sub(" ", value or "").split())[:_LONGEST] or None


def _kept(rule: Any, *values: str | None) -> list[str] | None:
    kept = [rule(value) for value in values]
    return list(dict.fromkeys(one for one in kept if one)) or None


def _profile(value: str | None) -> list[str] | None:
    found = _LINKEDIN.search(_text(value) or "")
    return [f"linkedin.com/{found[1].lower()}/{found[2]}"] if found else None


def _email(value: str | None) -> str | None:
    text = _text(value) or ""
    return text if _EMAIL.fullmatch(text) else None


def _phone(value: str | None) -> str | None:
    """In the international form only: the vendor takes any other for a number of the US."""
    text = re.sub(r"\(0\)", "", _text(value) or "")
    digits = re.sub(r"\D", "", text)
    if text.startswith("00"):
        digits = digits[2:]
    elif not text.startswith("+"):
        return None
    return f"+{digits}" if 8 <= len(digits) <= 15 else None
