"""What each piece of evidence weighs, and how the weights add up to a confidence.

A weight is a likelihood ratio in bits: 3 means that the agreement is eight times as frequent for
one person as for two. The prior and the weights of all evidence of a match sum up to the log-odds
that contact and profile are one person; nothing else goes into that confidence, so the waterfall
explains the whole of it.

The weights of keys are set, not measured: they keep the order of the families, and put each key
alone where its measured reliability is (LinkedIn above 0.99, private address about 0.95, work
address 0.92, name with employer 0.85). What likeness weighs is trained (`probabilistic`), and how
far one family or likeness alone is to be believed is calibrated per source (`calibration`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm_sync.model import Evidence

PRIOR = -20.0
"""Before any evidence: one profile in a million is the contact."""

WEIGHTS = {
    "linkedin": 30.0,
    "personal": 24.25,
    "work_email": 23.5,
    "employer": 22.5,
    "second": 3.0,
    "again": 0.5,
    "city": 1.5,
    "close_name": -0.5,
    "first_name_only": -4.0,
    "missing_name": -5.0,
    "veto": -30.0,
}
"""Keys weigh what they say together with the name. `second` is what another family adds, `again`
another witness of the same family."""

FACTOR_RULES = {
    "source": "source_size",
    "last": "last_name",
    "first": "first_name",
    "employers": "employer",
    "city": "city",
    "titles": "title",
    "mailboxes": "mailbox",
    "middles": "middle_name",
}
"""What the evidence calls the fields of the probabilistic stage."""

FACTOR_WORDS = {
    "source": {"size": "So many people are in this source"},
    "last": {
        "same": "The same last name, as rare as it is",
        "close": "Last names that differ by a letter or two",
        "similar": "Similar last names",
        "other": "Different last names",
    },
    "first": {
        "same": "The same first name, as rare as it is",
        "other form": "Two forms of one first name",
        "close": "First names that differ by a letter or two",
        "initial": "An initial for a first name",
        "other": "Different first names",
    },
    "employers": {
        "in common": "An employer in common, present or former",
        "none in common": "No employer in common",
    },
    "city": {"same": "The same city", "other": "Another city"},
    "titles": {"in common": "The same title, now or before", "none in common": "Other titles"},
    "mailboxes": {
        "in common": "The same name before the @ of an address",
        "none in common": "Other names before the @",
    },
    "middles": {"in common": "A middle name in common", "none in common": "Other middle names"},
}


def chance(weight: float) -> float:
    """The probability that log-odds of `weight` bits stand for."""
    if weight >= 0:
        return 1 / (1 + math.pow(2.0, -min(weight, 1000.0)))
    odds = math.pow(2.0, max(weight, -1000.0))
    return odds / (1 + odds)


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall: from `start` to `end`, in bits of log-odds."""

    rule: str
    detail: str
    weight: float
    start: float

    @property
    def end(self) -> float:
        """Where the next bar begins."""
        return self.start + self.weight


def waterfall(evidence: Sequence[Evidence]) -> tuple[Step, ...]:
    """How a match's evidence adds up, from the prior on; empty if none of it weighs anything.

    The end of the last step is the log-odds of the match's confidence.
    """
    weighed = [one for one in evidence if one.weight is not None]
    if not weighed:
        return ()
    steps = [Step("prior", "Before any evidence: one in a million", PRIOR, 0.0)]
    for one in weighed:
        steps.append(Step(one.rule, one.detail, one.weight or 0.0, steps[-1].end))
    return tuple(steps)
