from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync_hubspot.problems import problem_in
from crm_sync_hubspot.words import discreet

COORDINATES = (
    "Cannot set Coordinates{portalId=123, objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, "
    "objectId=51234567, propertyName=firstname, value="
)
TOLD = [
    ("Value Ida Example is invalid for property firstname",
     "Value … is invalid for property firstname"),
    ("Property \"mobilephone\" with value +33 6 99 99 99 99 is not a phone number",
     "Property \"mobilephone\" with value … is not a phone number"),
    ("Invalid value for property jobtitle: Head of Examples",
     "Invalid value for property jobtitle: …"),
    ("Value Can Example was too long. Property firstname is required",
     "Value … was too long. Property firstname is required"),
    ("Job title must be set when name is Ida Example", "Job title must be set when name is …"),
    ("Job title must be set if the name is not set to Ida Example.",
     "Job title must be set if the name is not set to …"),
    ("Job title must be set when the name is empty.",
     "Job title must be set when the name is empty."),
    ("Some required properties: jobtitle=Head of Examples were not set",
     "Some required properties: jobtitle=… were not set"),
    (f"{COORDINATES}Ida, Example}} on 51234567. 7712345678 already has that value.",
     f"{COORDINATES}…}} on 51234567. 7712345678 already has that value."),
    ("Ida Example, Head was not one of the allowed options: [label: \"A\" value: \"a\"]",
     "the value was not one of the allowed options"),
    ("crm_sync_moved_on: 31/12/2024 is not a valid date",
     "crm_sync_moved_on: the value is not a valid date"),
    ("Ida Example is invalid", "the value is invalid"),
    ("Email address ida@example.org is invalid", "Email address … is invalid"),
    ("Invalid phone number: 0699999999", "Invalid phone number: …"),
    ("Invalid phone number (0)699 99 99", "Invalid phone number: …"),
    ("Could not parse Ida Example as a number", "Could not parse … as a number"),
    ("A contact named Ida Example already exists", "A contact named … already exists"),
    ("A contact with the email 'ida@example.org' already exists.",
     "A contact with the email … already exists."),
    ("No such text: 'Ida d'Example's'.", "No such text: '…'."),
    ("Call +1 (555) 999-9999 or 33699999999 first", "Call … or … first"),
]  # fmt: skip
KEPT = [
    "Contact already exists. Existing ID: 51234567890",
    "Could not find objects with ids: [51234567890, 7712345678]",
    "Property \"jobtitel\" does not exist",
    "Property values were not valid",
    "2 properties are not valid",
    "The value is too long",
    "The access token is invalid",
    "This app is not allowed to read deals",
    "Fill in the reason before the deal is closed",
    "The scope crm.objects.contacts.write is required",
    "Unknown property name jobtitel",
    "Property named jobtitel does not exist",
    "Cannot deserialize value of type `int` from String",
    "line 1, column 34",
]  # fmt: skip


@pytest.mark.parametrize(("message", "told"), TOLD)
def test_values_are_cut_from_the_words_and_the_rest_stays(message: str, told: str) -> None:
    assert discreet(message) == told


@pytest.mark.parametrize("message", KEPT)
def test_words_without_values_stay_as_they_are(message: str) -> None:
    assert discreet(message) == message


def test_what_a_context_repeats_is_cut_wherever_it_stands_and_ids_stay() -> None:
    context = {
        "propertyName": ["jobtitle"],
        "value": ["Ida Example"],
        "ids": ["51234567"],
        "missingScopes": ["crm.objects.contacts.write"],
    }
    message = "For 51234567 no Ida Example; jobtitle needs crm.objects.contacts.write"
    told = problem_in({"errors": [{"message": message, "context": context}]}).words
    assert told == "For 51234567 no …; jobtitle needs crm.objects.contacts.write"


def test_that_a_value_is_taken_is_known_though_the_words_are_cut() -> None:
    told = problem_in({"message": "Cannot set value Ida on 51. 77 already has that value."})
    assert told.taken
    assert "Ida" not in told.words


# Everything planted begins with Zq, or is made of the digits that no frame has.
syllables = st.text("aeimnorstéïøß", min_size=1, max_size=6).map(lambda text: f"Zq{text}")
joints = st.sampled_from([" ", "-", "'", " d'", ", ", ". ", " & ", "/", " of ", " is ", "; ", ") "])
names = st.lists(st.tuples(joints, syllables), min_size=1, max_size=4).map(
    lambda parts: "".join(joint + word for joint, word in parts).removeprefix(parts[0][0])
)
phones = st.builds(
    lambda start, groups, joint: start + joint.join(groups),
    st.sampled_from(["", "+", "+6", "0", "(09) "]),
    st.lists(st.text("6789", min_size=2, max_size=4), min_size=4, max_size=6),
    st.sampled_from(["", " ", "-", ".", " - ", "/"]),
)
FRAMES = [
    "Value {} is invalid for property firstname",
    "The value {} is not a number",
    "value: {}",
    "Property x with value {} is not a phone number",
    "Property \"x\" has an invalid value {}",
    "Invalid value for property x: {}",
    "{} is not a valid date",
    "{} was not one of the allowed options: [a, {}]",
    "{} is invalid",
    "firstname: {} is too long",
    "crm_sync_title: {} was not a valid long.",
    "Job title must be set when name is {}",
    "Fill in the reason if the property owner equals {}.",
    "Required unless name is one of {}",
    "Some properties: jobtitle={} were not set",
    "Cannot set C{{objectId=51, propertyName=email, value={}}} on 51. 52 already has that value.",
    "Cannot set C{{value={}, objectId=51}} on 51",
    "Invalid phone number: {}",
    "Could not parse {} as a date",
    "A contact named {} already exists",
    "A contact with the name {} already exists",
    "The text \"{}\" is not allowed",
    "No such thing as “{}”",
    "No such thing as '{}'",
]  # fmt: skip


def bodies(message: str) -> list[dict[str, Any]]:
    older = json.dumps([{"isValid": False, "message": message, "error": "INVALID", "name": "x"}])
    return [
        {"category": "VALIDATION_ERROR", "message": message},
        {"message": "no", "errors": [{"message": message, "context": {"propertyName": ["x"]}}]},
        {"message": f"Property values were not valid: {older}"},
        {"message": "no", "validationResults": [{"message": message, "name": "firstname"}]},
    ]


@pytest.mark.parametrize("frame", FRAMES)
@given(value=names | phones)
def test_no_name_and_no_number_comes_through(frame: str, value: str) -> None:
    for body in bodies(frame.replace("{}", value).replace("{{", "{").replace("}}", "}")):
        words = problem_in(body).told
        assert "Zq" not in words
        assert not set("6789") & set(words)


@given(value=names | phones, before=st.text(max_size=20), after=st.text(max_size=20))
def test_what_a_context_names_as_a_value_comes_through_nowhere(
    value: str, before: str, after: str
) -> None:
    error = {"message": f"{before} {value} {after}", "context": {"value": [value]}}
    assert value not in problem_in({"errors": [error]}).words


@given(number=st.integers(10**6, 10**12).map(str))
def test_ids_of_records_stay(number: str) -> None:
    message = f"Cannot set it on {number}, objectId={number}. Existing ID: {number}"
    assert discreet(message) == message


@given(st.text(max_size=300))
def test_any_text_is_told_on_one_line_that_can_be_printed(text: str) -> None:
    told = discreet(text)
    assert told.isprintable()
    assert discreet(told) == told


@pytest.mark.parametrize(
    "piece", ["value x ", "when is ", "a=b, ", "1 ", "is not a ", "invalid email ", "'", "({["]
)
def test_a_long_refusal_is_read_quickly(piece: str) -> None:
    started = time.perf_counter()
    problem_in({"message": piece * (20_000 // len(piece))})
    assert time.perf_counter() - started < 5
