"""How a vendor's file is laid out: a YAML mapping from its fields to ours.

```yaml
format: jsonl            # jsonl | json | csv | parquet; left out: by the file's name
letter_case: restore     # keep | restore: the vendor delivers everything in lower case
dates: iso               # iso | day_first | month_first
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
take all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crm_sync.yamlfile import load_yaml, validate


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Paths = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(max_length=20)]
Format = Literal["jsonl", "json", "csv", "parquet"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProfilePaths(_Section):
    """Where a record says who it is about."""

    id: Paths
    full_name: Paths = ()
    first_name: Paths = ()
    last_name: Paths = ()
    emails: Paths = ()
    linkedin_urls: Paths = ()
    phones: Paths = ()
    city: Paths = ()
    country: Paths = ()
    verified_on: Paths = ()

    @model_validator(mode="after")
    def _has_a_name(self) -> ProfilePaths:
        if not self.full_name and not self.last_name:
            raise ValueError("name the path of `full_name` or of `last_name`")
        return self


class EmploymentPaths(_Section):
    """Where a record says where that person works or worked.

    With `each`, one employment per item of that list; without, one per record. `state` says what
    the file means when it gives no end date: `ended` for columns such as "previous company".
    """

    each: str | None = None
    organisation: Paths
    domain: Paths = ()
    organisation_id: Paths = ()
    title: Paths = ()
    start_on: Paths = ()
    end_on: Paths = ()
    primary: Paths = ()
    state: Literal["as_dated", "ended"] = "as_dated"


class VendorMapping(_Section):
    """The whole mapping of one vendor's files."""

    format: Format | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    letter_case: Literal["keep", "restore"] = "keep"
    dates: Literal["iso", "day_first", "month_first"] = "iso"
    profile: ProfilePaths
    employments: Annotated[tuple[EmploymentPaths, ...], Field(min_length=1, max_length=20)]


def load_mapping(path: Path) -> VendorMapping:
    """Read a vendor mapping; raises `ConfigError` with file, line and column of every mistake."""
    file = load_yaml(path)
    mapping = validate(VendorMapping, file)
    for section, index, text in _all_paths(mapping):
        if not text.strip() or ".." in f".{text}." or text.count("[]") > 1:
            raise file.error(
                f"`{text}` is not a path",
                section if index is None else (*section, index),
                "Write keys with dots between them, and `[]` after at most one of them.",
            )
    return mapping


def _all_paths(
    mapping: VendorMapping,
) -> list[tuple[tuple[str | int, ...], int | None, str]]:
    found: list[tuple[tuple[str | int, ...], int | None, str]] = []
    sections: list[tuple[tuple[str | int, ...], BaseModel]] = [(("profile",), mapping.profile)]
    sections += [(("employments", n), group) for n, group in enumerate(mapping.employments)]
    for at, section in sections:
        for name in type(section).model_fields:
            value = getattr(section, name)
            if isinstance(value, tuple):
                found += [((*at, name), index, text) for index, text in enumerate(value)]
            elif name == "each" and value is not None:
                found.append(((*at, name), None, value))
    return found
