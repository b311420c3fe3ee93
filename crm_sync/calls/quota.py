"""Leaves the company's other integrations their share of the CRM's call allowance."""

from __future__ import annotations

from dataclasses import dataclass

from crm_sync.connector import Usage
from crm_sync.errors import QuotaReached

_ROUNDING = 1e-9
"""Shares are binary fractions: 80 of 100 used leaves a hair less than 0.2."""


@dataclass(frozen=True, slots=True)
class QuotaFloor:
    """Stop while `share` of the allowance (0.0 to 1.0) is still left to others.

    Asked *before* each call with what the CRM said after the last one, so that no answer is lost
    by stopping. Pages and intents are stored one by one: the next run goes on from there.
    """

    share: float = 0.2

    def __post_init__(self) -> None:
        if not 0.0 <= self.share < 1.0:
            raise ValueError("the quota floor is a share from 0 to below 1")

    def check(self, usage: Usage | None) -> None:
        """Raise `QuotaReached` when less than the floor is left; None means not known yet."""
        if usage is None:
            return
        if usage.allowed > 0 and usage.left >= self.share - _ROUNDING:
            return
        raise QuotaReached(
            f"{usage.used} of {usage.allowed} calls of the CRM's allowance are used; "
            f"{self.share:.0%} is left to others",
            fix="What was done is stored. Run again when the CRM's window has moved on (usually "
            "within 24 hours), or lower the connection's quota floor.",
        )
