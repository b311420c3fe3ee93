"""Values as canonical JSON text: equal values give equal text. Imports nothing of ours.

What is stored is what is hashed, so the same text serves for both. `canonical_json` takes any
value; the functions beside it give the same text for the shapes of which a plan holds hundreds of
thousands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

Scalar = str | int | float | bool | None
"""What a CRM field can hold, as JSON carries it. Dates and times are ISO 8601 strings."""


def _iso(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a stored value")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_iso)


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no blanks, dates as ISO 8601: equal values give equal text."""
    return _ENCODER.encode(value)


def stable_key(*parts: object) -> str:
    """A SHA-256 hex digest of the parts, the same on every machine and in every process."""
    text = f"[{','.join([encode_basestring(str(part)) for part in parts])}]"
    return hashlib.sha256(text.encode()).hexdigest()


def scalar_text(value: Scalar) -> str:
    """`canonical_json` of one value."""
    if type(value) is str:
        return encode_basestring(value)
    if value is None:
        return "null"
    return _ENCODER.encode(value)


def fields_text(fields: Iterable[Any]) -> str:
    """`canonical_json` of field changes, as dicts with `name`, `crm_field`, `before`, `after`."""
    written = [
        f'{{"after":{scalar_text(one.after)},"before":{scalar_text(one.before)}'
        f"{_named(one.crm_field, one.name)}"
        for one in fields
    ]
    return f"[{','.join(written)}]"


@lru_cache(maxsize=1024)
def _named(crm_field: str, name: str) -> str:
    return f',"crm_field":{encode_basestring(crm_field)},"name":{encode_basestring(name)}}}'


def evidence_text(evidence: Iterable[Any]) -> str:
    """`canonical_json` of evidence, as dicts with `rule`, `detail`, `source`, `as_of`, `weight`."""
    written = [
        f'{{"as_of":{_day(one.as_of)},"detail":{encode_basestring(one.detail)},'
        f'"rule":{encode_basestring(one.rule)},"source":{encode_basestring(one.source)},'
        f'"weight":{scalar_text(one.weight)}}}'
        for one in evidence
    ]
    return f"[{','.join(written)}]"


def _day(day: date | None) -> str:
    return "null" if day is None else f'"{day.isoformat()}"'
