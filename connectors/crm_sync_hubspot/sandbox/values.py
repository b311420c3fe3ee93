"""Values on their way in: what each type of property accepts, and how it is stored.

Everything is stored as text, as HubSpot answers it. An empty text clears a property.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_sync_hubspot.sandbox.definitions import Definition
from crm_sync_hubspot.sandbox.portal import instant, to_ms

LONGEST_TEXT = 65_536
_EMAIL = re.compile(r"[^\s@,;<>()\[\]\"]+@[^\s@,;<>()\[\]\"]+\.[^\s@,;<>()\[\]\".]{2,}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DAY_MS = 86_400_000
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999


class ValueProblem(Exception):
    """A value that its property cannot hold."""

    def __init__(self, name: str, code: str, message: str) -> None:
        super().__init__(f"{name}: {code}")
        self.name = name
        self.code = code
        self.message = message

    def told(self) -> dict[str, object]:
        """The problem as it stands inside of the message of a refused request."""
        return {
            "isValid": False,
            "message": self.message,
            "error": self.code,
            "name": self.name,
            "localizedErrorMessage": self.message,
        }

    def detail(self) -> dict[str, Any]:
        """The problem as an entry of the body's `errors`."""
        return {
            "message": self.message,
            "code": self.code,
            "context": {"propertyName": [self.name]},
        }


def checked(definition: Definition, raw: object) -> str | None:
    """The value as it is stored, None when it clears the property.

    Raises `ValueProblem`. Whether an owner exists is not looked at here.
    """
    text = _as_text(definition, raw)
    if text == "":
        return None
    return _PARSERS.get(definition.type, _text)(definition, text)


def checked_email(definition: Definition, text: str | None) -> str | None:
    """An address as HubSpot keeps it: in lower case. Raises `ValueProblem` when it is none."""
    if text is None:
        return None
    if not _EMAIL.fullmatch(text.strip()):
        message = f"Email address {text[:100]} is invalid"
        raise ValueProblem(definition.name, "INVALID_EMAIL", message)
    return text.strip().lower()


def _as_text(definition: Definition, raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | float):
        return format(Decimal(repr(raw)), "f")
    if not isinstance(raw, str):
        message = f'Property "{definition.name}" must be a text, a number or a boolean'
        raise ValueProblem(definition.name, "INVALID_VALUE", message)
    try:
        raw.encode()
    except UnicodeEncodeError:
        message = f'Property "{definition.name}" holds half of a character'
        raise ValueProblem(definition.name, "INVALID_VALUE", message) from None
    return raw


def _text(definition: Definition, text: str) -> str:
    if len(text) > LONGEST_TEXT:
        message = (
            f'Property "{definition.name}" holds {len(text)} characters; '
            f"at most {LONGEST_TEXT} are allowed"
        )
        raise ValueProblem(definition.name, "PROPERTY_VALUE_TOO_LONG", message)
    return text


def _number(definition: Definition, text: str) -> str:
    wanted = text.strip()
    try:
        if _NUMBER.fullmatch(wanted) and Decimal(wanted).is_finite():
            return wanted
    except InvalidOperation:
        pass
    raise ValueProblem(definition.name, "INVALID_NUMBER", f"{text[:40]} was not a valid number.")


def _bool(definition: Definition, text: str) -> str:
    word = text.strip().lower()
    if word in ("true", "false"):
        return word
    raise ValueProblem(definition.name, "INVALID_BOOLEAN", f"{text[:40]} was not a valid boolean.")


def _date(definition: Definition, text: str) -> str:
    wanted = text.strip()
    try:
        if re.fullmatch(r"-?\d{5,}", wanted):
            if int(wanted) % _DAY_MS or not _FIRST_MS <= int(wanted) <= _LAST_MS:
                raise ValueError("not midnight")
            return instant(int(wanted))[:10]
        return date.fromisoformat(wanted).isoformat()
    except ValueError:
        message = f"{text[:40]} is not a date (yyyy-mm-dd, or midnight in UTC in milliseconds)."
        raise ValueProblem(definition.name, "INVALID_DATE", message) from None


def _datetime(definition: Definition, text: str) -> str:
    wanted = text.strip()
    try:
        if re.fullmatch(r"-?\d{5,}", wanted):
            if not _FIRST_MS <= int(wanted) <= _LAST_MS:
                raise ValueError("beyond the calendar")
            return instant(int(wanted))
        moment = datetime.fromisoformat(wanted)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return instant(to_ms(moment.astimezone(UTC)))
    except (ValueError, OverflowError):
        message = f"{text[:40]} was not a valid long."
        raise ValueProblem(definition.name, "INVALID_LONG", message) from None


def _enumeration(definition: Definition, text: str) -> str:
    if not definition.closed or not definition.options:
        return _text(definition, text)
    known = {value for value, _ in definition.options}
    chosen = text.strip(";").split(";") if definition.several else [text]
    for one in chosen:
        if one not in known:
            allowed = ", ".join(value for value, _ in definition.options)
            message = f"{one[:100]} was not one of the allowed options: [{allowed}]"
            raise ValueProblem(definition.name, "INVALID_OPTION", message)
    return ";".join(chosen)


_PARSERS = {
    "number": _number,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "enumeration": _enumeration,
}


def day_or_time(text: str) -> int:
    """Milliseconds since 1970 of a cell that holds a day, a time or milliseconds.

    Raises `ValueError`.
    """
    if re.fullmatch(r"-?\d{5,}", text):
        return int(text)
    moment = datetime.fromisoformat(text)
    return to_ms((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))


def derived(kind: str, properties: Mapping[str, str | None]) -> dict[str, str]:
    """What the portal calculates from a record's other properties."""
    if kind == "deals":
        stage = properties.get("dealstage")
        return {
            "hs_is_closed": _word(stage in ("closedwon", "closedlost")),
            "hs_is_closed_won": _word(stage == "closedwon"),
        }
    if kind == "tasks":
        completed = properties.get("hs_task_status") == "COMPLETED"
        return {"hs_task_is_completed": "1" if completed else "0"}
    return {}


def _word(yes: bool) -> str:
    return "true" if yes else "false"
