"""What the settings of every kind of enrichment source have in common.

```python
class AcmeConfig(SourceConfig):
    api_key: SecretStr                      # a reference in the file, resolved here
    base_url: Address = "https://api.acme.example"
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crm_sync.config import Share
from crm_sync.errors import ConfigError
from crm_sync.references import on_loopback
from crm_sync.yamlfile import KeyPath, YamlFile


class SourceConfig(BaseModel):
    """The settings of an entry under `enrichment:`; a kind of source adds its own.

    `source` is the kind. `trust` (0.0 to 1.0) is how far its word counts; below 0.5 it decides
    nothing alone. A secret is a field of type `SecretStr`: in the file it is a reference.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    trust: Share = 1.0


class AskingConfig(SourceConfig):
    """The settings of a source that is asked about one contact at a time, for a price.

    `budget` is how many credits a run may spend. `max_age_days` is for how long an answer is good:
    nobody is asked about again before, unless what tells who it is has changed.
    """

    budget: Annotated[int, Field(ge=0)] = 1000
    max_age_days: Annotated[int, Field(ge=1, le=3650)] = 30


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Where a source's entry stands, for its paths and its errors."""

    file: YamlFile = field(repr=False)
    at: KeyPath

    @property
    def folder(self) -> Path:
        """Where relative paths start."""
        return self.file.path.parent

    def error(self, message: str, *keys: str | int, fix: str = "") -> ConfigError:
        """A `ConfigError` that points at a key of the entry, or at the entry."""
        return self.file.error(message, (*self.at, *keys), fix)


def checked_address(value: str) -> str:
    """An address without its trailing slash. Raises `ValueError` that says what to write instead.

    `http://` is accepted toward this machine only; a user name, a password, a query and a fragment
    are not.
    """
    try:
        url = urlsplit(value.strip())
        host, _ = url.hostname, url.port
    except ValueError:
        host = None
    if not host or url.scheme not in {"http", "https"}:
        raise ValueError("should be an address such as https://api.example.com/v1")
    if url.username is not None or url.password is not None:
        raise ValueError("should hold no user name or password")
    if url.query or url.fragment:
        raise ValueError("should hold nothing after the path")
    if url.scheme == "http" and not on_loopback(value.strip()):
        raise ValueError("should begin with https:// (http:// is accepted on loopback only)")
    return value.strip().rstrip("/")


Address = Annotated[str, AfterValidator(checked_address)]
"""The base address of an API (see `checked_address`)."""
