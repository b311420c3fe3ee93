from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm_sync.compare import same
from crm_sync.connector import Entity, Record
from crm_sync_hubspot.describing import Property
from crm_sync_hubspot.html import from_html, to_html
from crm_sync_hubspot.values import incoming, outgoing, translated

ZONES = [
    "UTC",
    "Europe/Paris",
    "America/Los_Angeles",
    "Pacific/Pago_Pago",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
]


def a_property(type_: str, field_type: str, **more: Any) -> Property:
    base: dict[str, Any] = {
        "name": "p", "label": "P", "type": type_, "field_type": field_type, "options": (),
        "read_only": False, "calculated": False, "unique": False, "group": "g",
        "external_options": False,
    }  # fmt: skip
    return Property(**(base | more))


HTML = a_property("string", "html")
DUE = a_property("datetime", "date")


def portal(zone: str = "Europe/Paris") -> Any:
    return SimpleNamespace(zone=ZoneInfo(zone))


@given(st.text())
def test_any_text_comes_back_from_html_with_plain_line_ends(text: str) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert from_html(to_html(text)) == plain
    assert same(from_html(to_html(text)), text)


@given(st.text(alphabet="<>&\"'/ scriptahef=:.\n"))
def test_no_text_becomes_markup(text: str) -> None:
    rest = to_html(text).replace("<br>", "")
    while (start := rest.find('<a href="')) >= 0:
        end = rest.index('">', start)
        assert "<" not in rest[start + 9 : end]
        rest = rest[:start] + rest[end + 2 :].replace("</a>", "", 1)
    assert "<" not in rest


def test_an_address_in_a_body_can_be_clicked() -> None:
    body = "See https://app.hubspot.com/contacts/1/record/0-1/7?a=1&b=2.\nBye"
    assert to_html(body) == (
        'See <a href="https://app.hubspot.com/contacts/1/record/0-1/7?a=1&amp;b=2">'
        "https://app.hubspot.com/contacts/1/record/0-1/7?a=1&amp;b=2</a>.<br>Bye"
    )


def test_what_a_person_has_formatted_is_read_as_text() -> None:
    markup = '<div dir="auto"><p>Call <strong>her</strong> &amp; ask</p><p>today</p></div>'
    assert same(from_html(markup), "Call her & ask\ntoday\n")
    assert from_html("<style>p {}</style>seen<!-- not -->") == "seen"


@pytest.mark.parametrize("zone", ZONES)
@given(day=st.dates())
@example(day=date.min)
@example(day=date.max)
def test_a_due_date_stays_on_its_day_in_the_portal_and_comes_back(zone: str, day: date) -> None:
    sent = outgoing(DUE, day.isoformat(), portal(zone))
    assert day in (date.min, date.max) or sent.endswith("Z")
    assert incoming(DUE, sent, portal(zone)) == day.isoformat()


def test_noon_in_paris_is_ten_in_summer() -> None:
    assert outgoing(DUE, "2026-06-15", portal()) == "2026-06-15T10:00:00Z"
    assert incoming(DUE, "2026-06-15T10:00:00.000Z", portal()) == "2026-06-15"
    assert incoming(DUE, "1781517600000", portal()) == "2026-06-15"


def test_a_point_in_time_that_a_person_has_set_is_left_as_it_is() -> None:
    assert incoming(DUE, "2026-06-15T13:30:00Z", portal()) == "2026-06-15T13:30:00Z"
    assert outgoing(DUE, "2026-06-15T13:30:00Z", portal()) == "2026-06-15T13:30:00Z"
    stamp = a_property("datetime", "date", read_only=True)
    assert incoming(stamp, "2026-06-15T10:00:00Z", portal()) == "2026-06-15T10:00:00Z"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), ("", ""), (True, "true"), (False, "false"), (5, "5"), (5.0, "5"),
        (1234567.25, "1234567.25"), (1e-7, "0.0000001"), (10**21, "1000000000000000000000"),
        ("2026-02-28", "2026-02-28"),
    ],
)  # fmt: skip
def test_values_are_written_as_hubspot_reads_them(value: Any, text: str) -> None:
    assert outgoing(a_property("string", "text"), value, portal()) == text
    assert outgoing(None, value, portal()) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_has_neither_exponent_nor_loss(number: float) -> None:
    text = outgoing(a_property("number", "number"), number, portal())
    assert float(text) == number
    assert set(text) <= set("-.0123456789")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        outgoing(a_property("number", "number"), number, portal())


def test_only_what_needs_it_is_translated_under_the_name_asked_for() -> None:
    record = Record(Entity.TASK, "1", {"HS_Task_Body": "a<br>b", "subject": "a<br>b", "x": None})
    [got] = translated([record], {"hs_task_body": HTML, "subject": a_property("string", "text")},
                       portal())  # fmt: skip
    assert got.fields == {"HS_Task_Body": "a\nb", "subject": "a<br>b", "x": None}
