"""What a sandbox knows of an object and its fields: the metadata that `describe` answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """Salesforce's field types, as far as the sandbox has them."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    PICKLIST = "picklist"
    REFERENCE = "reference"
    BOOLEAN = "boolean"
    INTEGER = "int"
    DOUBLE = "double"
    CURRENCY = "currency"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    ADDRESS = "address"


NUMBERS = frozenset({Kind.INTEGER, Kind.DOUBLE, Kind.CURRENCY, Kind.PERCENT})
TEXTS = frozenset({Kind.STRING, Kind.TEXTAREA, Kind.EMAIL, Kind.PHONE, Kind.URL, Kind.PICKLIST})
LONGEST_FILTERABLE = 255


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `length` in characters, 0 where it means nothing.

    `computed` is an SQL expression over the row's other columns: such a field cannot be written.
    `relation` is the name that queries use to follow a reference to one of `targets`.
    """

    name: str
    kind: Kind
    label: str = ""
    length: int = 0
    createable: bool = True
    updateable: bool = True
    required: bool = False
    default: str | int | None = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    targets: tuple[str, ...] = ()
    relation: str = ""
    computed: str = ""
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    hidden: bool = False
    help: str = ""

    @property
    def custom(self) -> bool:
        """True for a field that an administrator has added."""
        return self.name.endswith("__c")

    @property
    def stored(self) -> bool:
        """True when the field is a column of its own."""
        return self.kind is not Kind.ADDRESS

    @property
    def filterable(self) -> bool:
        """Whether a query may filter by it: not long text, not compound."""
        long = self.kind is Kind.TEXTAREA and self.length > LONGEST_FILTERABLE
        return not long and self.kind is not Kind.ADDRESS

    @property
    def key(self) -> bool:
        """Whether a record can be addressed by this field's value."""
        return self.external_id or self.kind is Kind.ID

    @property
    def column(self) -> str:
        """The field's name quoted for SQL."""
        return f'"{self.name}"'


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object: its key prefix and its fields by lower-case name."""

    name: str
    prefix: str
    label: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    writable: bool = True

    def field(self, name: str) -> Field | None:
        """The visible field of that name in any case."""
        found = self.fields.get(name.lower())
        return None if found is None or found.hidden else found

    def relation(self, name: str) -> Field | None:
        """The reference field that the relationship `name` follows."""
        wanted = name.lower()
        for candidate in self.fields.values():
            if candidate.relation and candidate.relation.lower() == wanted and not candidate.hidden:
                return candidate
        return None

    def visible(self) -> list[Field]:
        """All fields that can be seen, in their order."""
        return [one for one in self.fields.values() if not one.hidden]

    def adding(self, extra: Field) -> ObjectType:
        """The same object with one more field, or one field replaced."""
        return replace(self, fields={**self.fields, extra.name.lower(): extra})


def object_type(
    name: str, prefix: str, *fields: Field, label: str = "", writable: bool = True
) -> ObjectType:
    """An `ObjectType` from its fields in order."""
    by_name = {one.name.lower(): one for one in fields}
    return ObjectType(name, prefix, label or name, by_name, writable)
