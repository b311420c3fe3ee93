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
    For likeness without a key, a full name that more than `most_holders_of_name` profiles of a
    source have, and any other block of more than `most_holders_of_block`, is not looked into.
    """

    memory_mb: int = 320
    threads: int = 2
    most_holders_of_key: int = 20
    most_pairs_per_key: int = 100_000
    most_holders_of_block: int = 20
    most_holders_of_name: int = 3
    slack_days: int = 31
