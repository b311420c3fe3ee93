"""What a portal knows of its properties; the standard ones stand in `standard`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

UNIQUE_LIMIT = 10
"""An object has at most this many properties whose values may be there once."""
CUSTOM_GROUP = "custom"


@dataclass(frozen=True, slots=True)
class Definition:
    """One property. `options` are (value, label) pairs; `calculated` ones are read-only too.

    `owners`: its value is the id of an owner that exists.
    """

    name: str
    type: str = "string"
    field_type: str = "text"
    label: str = ""
    group: str = ""
    options: tuple[tuple[str, str], ...] = ()
    description: str = ""
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    required: bool = False
    owners: bool = False
    standard: bool = True
    display_order: int = -1

    @property
    def closed(self) -> bool:
        """Whether a value must be one of the options."""
        return self.type == "enumeration" and not self.owners

    @property
    def several(self) -> bool:
        """Whether it may hold several options, joined by `;`."""
        return self.field_type == "checkbox"

    def stored(self) -> dict[str, Any]:
        """The definition as JSON keeps it; `from_stored` reads it."""
        return asdict(self)


def from_stored(value: Mapping[str, Any]) -> Definition:
    """The definition that `Definition.stored` wrote."""
    options = tuple((str(one[0]), str(one[1])) for one in value["options"])
    return Definition(**{**value, "options": options})


def text_property(name: str, group: str = CUSTOM_GROUP) -> Definition:
    """A custom property that holds any text."""
    return Definition(name, label=name.replace("_", " "), group=group, standard=False)
