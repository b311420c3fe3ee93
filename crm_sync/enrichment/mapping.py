"""How a vendor's file is laid out: a YAML mapping from its fields to ours.

```yaml
format: jsonl            # jsonl | json | csv | parquet; left out: by the file's name
letter_case: restore     # keep | restore: the vendor delivers everything in lower case
dates: iso               # iso | day_first | month_first | auto
profile:
  id: id
  full_name: full_name
  emails: [work_email, "personal_emails[]", "emails[].address"]
employments:
  - each: experience     # a list; the paths below start inside one of its items
    organisation: company.name
```

A path is a column's name in a CSV file, and dotted keys elsewhere; `[]` after a key means every
item of that list. Where several paths are given, single values take the first that is there, lists
take all. A date may also stand in parts (`{year: from_year, month: from_month}`) or be written in
another way than the others (`{paths: Start, dates: month_first}`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crm_sync.yamlfile import KeyPath, YamlFile, did_you_mean, load_yaml, validate


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_dates(value: object) -> object:
    return {"paths": value} if isinstance(value, str | list | tuple) else value


Paths = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(max_length=20)]
Format = Literal["jsonl", "json", "csv", "parquet"]
DateStyle = Literal["iso", "day_first", "month_first", "auto"]
"""How dates are written. `auto` reads what can mean one day only, and leaves 05/06/2025 unread."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatePaths(_Section):
    """Where a date stands: as one text, or in parts; `dates` if it is written in its own way."""

    paths: Paths = ()
    year: str | None = None
    month: str | None = None
    day: str | None = None
    dates: DateStyle | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> DatePaths:
        if bool(self.paths) == bool(self.year):
            raise ValueError("name either the paths of whole dates or `year:`, `month:`, `day:`")
        if (self.month and not self.year) or (self.day and not self.month):
            raise ValueError("a `day:` needs a `month:`, and both need a `year:`")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """The paths of year, month and day, as many as there are."""
        return tuple(part for part in (self.year, self.month, self.day) if part)


Dates = Annotated[DatePaths, BeforeValidator(_as_dates)]


class ProfilePaths(_Section):
    """Where a record says who it is about.

    `linkedin_slugs` is for the last part of a page's address alone, without `linkedin.com/in/`.
    """

    id: Paths
    full_name: Paths = ()
    first_name: Paths = ()
    last_name: Paths = ()
    emails: Paths = ()
    linkedin_urls: Paths = ()
    linkedin_slugs: Paths = ()
    phones: Paths = ()
    city: Paths = ()
    country: Paths = ()
    verified_on: Dates | None = None

    @model_validator(mode="after")
    def _has_a_name(self) -> ProfilePaths:
        if not self.full_name and not self.last_name:
            raise ValueError("name the path of `full_name` or of `last_name`")
        return self


class EmploymentPaths(_Section):
    """Where a record says where that person works or worked.

    With `each`, one employment per item of that list; without, one per record. `state` says what
    the file means when it gives no end date: `ended` for columns such as "previous company".
    `current` says it for each entry, where the vendor does. An entry with something in `removed`
    (other than no, false or 0) is not read: the vendor says that it is no longer in the profile.
    """

    each: str | None = None
    organisation: Paths
    domain: Paths = ()
    organisation_id: Paths = ()
    title: Paths = ()
    start_on: Dates | None = None
    end_on: Dates | None = None
    current: Paths = ()
    removed: Paths = ()
    primary: Paths = ()
    state: Literal["as_dated", "ended"] = "as_dated"


class ReadingRules(_Section):
    """How records are read, whatever they come in."""

    letter_case: Literal["keep", "restore"] = "keep"
    dates: DateStyle = "iso"
    profile: ProfilePaths
    employments: Annotated[tuple[EmploymentPaths, ...], Field(min_length=1, max_length=20)]


class VendorMapping(ReadingRules):
    """The whole mapping of one vendor's files; `optional` names columns that a CSV may lack."""

    format: Format | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    optional: Annotated[tuple[str, ...], Field(max_length=200)] = ()


def load_mapping(path: Path) -> VendorMapping:
    """Read a vendor mapping; raises `ConfigError` with file, line and column of every mistake."""
    file = load_yaml(path)
    mapping = validate(VendorMapping, file)
    check_paths(mapping, file)
    _check_optional(mapping, file)
    return mapping


def check_paths(rules: ReadingRules, file: YamlFile) -> None:
    """Raise `ConfigError` at the first text that is not a path."""
    for at, text in all_paths(rules):
        if not text.strip() or ".." in f".{text}." or text.count("[]") > 1:
            raise file.error(
                f"`{text}` is not a path",
                at,
                "Write keys with dots between them, and `[]` after at most one of them.",
            )


def all_paths(rules: ReadingRules) -> Iterator[tuple[KeyPath, str]]:
    """Every path of a mapping with its place, the lists of `each` among them."""
    yield from _paths_in(rules.profile, ("profile",))
    for number, group in enumerate(rules.employments):
        yield from _paths_in(group, ("employments", number))


def _paths_in(section: BaseModel, at: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for name in type(section).model_fields:
        value: Any = getattr(section, name)
        if isinstance(value, DatePaths):
            yield from (((*at, name), text) for text in (*value.paths, *value.parts))
        elif isinstance(value, tuple):
            yield from (((*at, name, index), text) for index, text in enumerate(value))
        elif name == "each" and value is not None:
            yield (*at, name), value


def _check_optional(mapping: VendorMapping, file: YamlFile) -> None:
    """A column that says when or whether a job ended has to be there: its absence is no "still"."""
    known = {text for _, text in all_paths(mapping)}
    ends = {text for group in mapping.employments for text in _saying_the_end(group)}
    for index, name in enumerate(mapping.optional):
        if name not in known:
            guess = did_you_mean(name, sorted(known))
            fix = f"Did you mean `{guess}`?" if guess else "Name a column of this mapping."
            raise file.error(f"`{name}` is read nowhere in this mapping", ("optional", index), fix)
        if name in ends:
            raise file.error(
                f"`{name}` says that a job is over, so it cannot be optional",
                ("optional", index),
                "Without it every job would look like a present one. Write a mapping without it.",
            )


def _saying_the_end(group: EmploymentPaths) -> tuple[str, ...]:
    ends = (*group.end_on.paths, *group.end_on.parts) if group.end_on else ()
    return (*ends, *group.current, *group.removed)
