"""What a judgement may use and where it gives up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """Limits of one judgement.

    `memory_mb` and `threads` bound the database engine; what does not fit goes to a temporary
    folder. An address that more than `most_holders_of_key` contacts or profiles have identifies
    nobody; neither does a name at an employer that would give more than `most_pairs_per_key` pairs.
    A CRM value written more than `slack_days` after the source says the job ended is a doubt.
    """

    memory_mb: int = 320
    threads: int = 2
    most_holders_of_key: int = 20
    most_pairs_per_key: int = 100_000
    slack_days: int = 31
