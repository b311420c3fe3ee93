"""Sources that are asked about one contact after another, for a price: all that their authors read.

A source speaks once and reports; whom to ask, when, how often and within which budget is decided by
`crm_sync.stages.observe`, and only there. What it answers is stored with its date and read like a
vendor's file: through the source's mapping, judged by our own matching. That a vendor says it is
the same person counts for nothing.

```python
class Acme:
    Config = AcmeConfig                      # crm_sync.enrichment.config.AskingConfig

    @classmethod
    def open(cls, name, config, place): ...  # no call yet
```

The laws:

* `ask` makes one call. It gives one answer for each question, in any order; those that could not
  be answered now are left out, and are asked again in the next run.
* It raises what `crm_sync.errors` has for it and repeats nothing by itself: `RateLimited` (with
  `retry_after` seconds), `ServerFault` (also for a time-out: the call may have been paid),
  `Unreachable` (nothing was sent), `QuotaReached` (out of credits), `AccessDenied`; and
  `BatchRejected` when the call as a whole was refused because of a question in it, at no cost: it
  is then halved until the bad one stands alone.
* No secret and no personal data in an error, a message or a repr.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from crm_sync.enrichment.mapping import VendorMapping

Status = Literal["found", "absent", "refused"]

MAX_DOCUMENT = 1 << 20
"""The longest answer about one person that is stored, in characters."""

SEVERAL = "crm-sync:people"
"""The one key of a document that holds a list of people, any of whom may be meant."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the CRM knows of a contact that a source is asked about; texts, None where blank."""

    contact_id: str
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    title: str | None = field(default=None, repr=False)
    organisation: str | None = field(default=None, repr=False)
    organisation_domain: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    personal_email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    mobile: str | None = field(default=None, repr=False)
    linkedin_url: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    country: str | None = field(default=None, repr=False)


ASKED_WITH = tuple(one.name for one in fields(Question))
"""The columns of contacts that make a question, in its order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back about one contact.

    `found` with a `document` (a JSON object as text; see `SEVERAL` for more than one person);
    `absent`: the source does not know the person; `refused`: it does not take this question, for
    the reason in `message`, which holds no values. `credits` is what this answer cost.
    """

    contact_id: str
    status: Status
    document: str | None = field(default=None, repr=False)
    credits: float = 0.0
    message: str = ""


@runtime_checkable
class AskingSource(Protocol):
    """A source that is asked (see the module's docstring)."""

    @property
    def name(self) -> str:
        """What the configuration calls it; evidence cites it."""
        ...

    @property
    def trust(self) -> float:
        """How far its word counts, from 0.0 to 1.0; below 0.5 it decides nothing alone."""
        ...

    @property
    def mapping(self) -> VendorMapping:
        """How its documents are read."""
        ...

    @property
    def batch_size(self) -> int:
        """How many questions one call takes at most."""
        ...

    @property
    def budget(self) -> float:
        """How many credits a run may spend."""
        ...

    @property
    def max_cost(self) -> float:
        """How many credits one question can cost at most."""
        ...

    @property
    def max_age_days(self) -> int:
        """For how long an answer is good."""
        ...

    def inspect(self) -> str | None:
        """Try the credentials without spending anything; None where that is not possible.

        The words that `crm-sync check` shows, such as how many credits are left. Raises
        `AccessDenied`, or a `TryLater` when the source does not answer.
        """
        ...

    def answerable(self, question: Question) -> bool:
        """Whether the question holds enough to be asked."""
        ...

    def ask(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """One call about at most `batch_size` contacts."""
        ...

    def close(self) -> None:
        """Give back connections. May be called twice."""
        ...
