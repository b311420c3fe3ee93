"""How a value is written in HubSpot, and how it comes back as what was written.

HubSpot keeps every value as text. Two kinds of property need a translation, and this is the one
place for it: rich text is HTML there and plain text to us; a date put into a point in time (the
due date of a task) becomes noon of that day in the portal's own time zone, which no reader of the
portal takes for another day, and noon sharp is read as the date.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING

from crm_sync.connector import Record, Scalar
from crm_sync_hubspot.html import from_html, to_html

if TYPE_CHECKING:
    from crm_sync_hubspot.describing import Property
    from crm_sync_hubspot.portal import Portal

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MILLISECONDS = re.compile(r"-?\d{10,15}")
_NOON = time(12)


def outgoing(known: Property | None, value: Scalar, portal: Portal) -> str:
    """A value as HubSpot takes it; empty clears the property.

    Raises `ValueError` for a number that is none, and what `Portal` raises.
    """
    text = _text(value)
    if known is None or not text:
        return text
    if _is_html(known):
        return to_html(text)
    if _is_moment(known) and (day := _day(text)) is not None:
        noon = _in_zone(datetime.combine(day, _NOON, tzinfo=portal.zone), UTC)
        return text if noon is None else noon.isoformat().replace("+00:00", "Z")
    return text


def incoming(known: Property | None, text: str, portal: Portal) -> str:
    """A value of HubSpot's as we speak of it; raises what `Portal` raises."""
    if known is None or not text:
        return text
    if _is_html(known):
        return from_html(text)
    if _is_moment(known) and (moment := _moment(text)) is not None:
        local = _in_zone(moment, portal.zone)
        return local.date().isoformat() if local and local.time() == _NOON else text
    return text


def translated(
    records: Sequence[Record], known: Mapping[str, Property], portal: Portal
) -> list[Record]:
    """Records as HubSpot gave them, with the values of such properties as we speak of them.

    `known` are the properties of their object by name. Raises what `Portal` raises.
    """
    names = {name for record in records for name in record.fields}
    theirs = {name: known[name.lower()] for name in names if name.lower() in known}
    ours = {name: one for name, one in theirs.items() if _is_html(one) or _is_moment(one)}
    return [_translated(record, ours, portal) for record in records] if ours else list(records)


def _translated(record: Record, ours: Mapping[str, Property], portal: Portal) -> Record:
    fields = {
        name: incoming(ours[name], value, portal)
        if name in ours and isinstance(value, str)
        else value
        for name, value in record.fields.items()
    }
    return replace(record, fields=fields)


def _is_html(known: Property) -> bool:
    return known.field_type == "html"


def _is_moment(known: Property) -> bool:
    """A point in time that we may write; HubSpot's own stamps are left as they are."""
    return known.type == "datetime" and not (known.read_only or known.calculated)


def _text(value: Scalar) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("not a number that can be written")
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return str(value)


def _day(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _in_zone(moment: datetime, zone: tzinfo) -> datetime | None:
    """The same moment there; None on the first and last days that a calendar has."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        if _MILLISECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo is not None else None
